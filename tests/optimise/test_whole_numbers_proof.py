"""What is proved with whole numbers: any multipliers give a valid bound, and nothing better is excluded."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.optimise.whole_numbers.branching import prove
from sdopt.optimise.whole_numbers.relaxation import Relaxation
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]
HIGHEST = 1e3
SIZE, ENTRIES = 6, 3


class Small:
    """A random question: three amounts under three entries 0 or 1, a few tangents and one cap.

    `truth` is the best theta over all eight patterns, each by a linear program of SciPy.
    """

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.lower, self.upper = np.zeros(SIZE), np.r_[random.uniform(1, 4, 3), np.ones(3)]
        low, high = random.uniform(0, 0.9, 3), self.upper[:3]
        weights = [np.r_[np.eye(3)[k], -high[k] * np.eye(3)[k]] for k in range(3)]
        weights += [np.r_[-np.eye(3)[k], low[k] * np.eye(3)[k]] for k in range(3)]
        weights += [np.r_[np.ones(3), random.uniform(0, 1, 3)], np.r_[np.zeros(3), np.ones(3)]]
        self.weights = np.array(weights)
        self.limits = np.r_[np.zeros(6), random.uniform(1, 5), 2.0]
        self.points = random.uniform(self.lower, self.upper, (5, SIZE))
        self.values = random.uniform(-1, 1, 5)
        self.slopes = np.c_[random.uniform(-0.2, 1, (5, 3)), random.uniform(-1, 0.2, (5, 3))]

    def relaxation(self) -> Relaxation:
        rules = [
            Rule("rule", 0, "at_most", "", w, float(v))
            for w, v in zip(self.weights, self.limits, strict=True)
        ]
        made = Relaxation(self.lower, self.upper, np.arange(SIZE) >= ENTRIES, rules, HIGHEST)
        for value, slope, point in zip(self.values, self.slopes, self.points, strict=True):
            made.add_objective_cut(float(value), slope, point)
        return made

    def truth(self) -> float:
        return max(self.best(pattern) for pattern in product((0.0, 1.0), repeat=3))

    def best(self, pattern: tuple[float, ...]) -> float:
        """Best theta with one pattern; minus infinity where nothing is allowed."""
        cuts = np.c_[-self.slopes, np.ones(5)]
        rows = np.r_[np.c_[self.weights, np.zeros(len(self.weights))], cuts]
        limits = np.r_[self.limits, self.values - (self.slopes * self.points).sum(axis=1)]
        bounds = [
            *zip(self.lower[:3], self.upper[:3], strict=True),
            *((y, y) for y in pattern),
            (None, HIGHEST),
        ]
        answer = linprog(np.r_[np.zeros(SIZE), -1.0], A_ub=rows, b_ub=limits, bounds=bounds, method="highs")
        return -np.inf if answer.status == 2 else float(-answer.fun)


def nothing_to_add(point: Floats, bound: float) -> bool:
    return False


SEEDS = st.integers(0, 10_000)


@settings(max_examples=40)
@given(SEEDS)
def test_branch_and_bound_finds_the_best_of_all_patterns(seed: int) -> None:
    small = Small(seed)
    proof = prove(small.relaxation(), small.lower, small.upper, -np.inf, 1000, nothing_to_add)
    assert proof.bound == pytest.approx(small.truth(), abs=1e-7)
    assert proof.bound >= small.truth() - 1e-9
    assert proof.point is not None
    assert small.best(tuple(np.round(proof.point[ENTRIES:]))) == pytest.approx(small.truth(), abs=1e-7)


@settings(max_examples=40)
@given(SEEDS, st.lists(st.floats(0, 1e4), min_size=13, max_size=13), st.integers(0, 7))
def test_wrong_multipliers_still_give_a_valid_bound(seed: int, multipliers: list[float], corner: int) -> None:
    """Over the whole box, and over the box of one pattern: never below the truth."""
    small = Small(seed)
    relaxation, pattern = small.relaxation(), tuple(float(corner >> k & 1) for k in range(3))
    weights = np.array(multipliers)
    assert relaxation.bound(weights, small.lower, small.upper) >= small.truth() - 1e-9
    fixed = np.r_[small.lower[:3], pattern], np.r_[small.upper[:3], pattern]
    assert relaxation.bound(weights, *fixed) >= small.best(pattern) - 1e-9
    if np.isfinite(small.best(pattern)):
        assert not relaxation.proves_empty(weights, *fixed)


@settings(max_examples=20)
@given(SEEDS, st.floats(1e-6, 1.0))
def test_a_cut_off_below_the_best_is_never_proved(seed: int, below: float) -> None:
    small = Small(seed)
    target = small.truth() - below
    proof = prove(small.relaxation(), small.lower, small.upper, target, 1000, nothing_to_add)
    assert proof.bound >= small.truth() - 1e-9
    assert proof.bound > target


@pytest.mark.parametrize("nodes", [1, 2, 3, 5])
def test_a_proof_that_runs_out_of_nodes_is_weaker_but_valid(nodes: int) -> None:
    for seed in range(20):
        small = Small(seed)
        proof = prove(small.relaxation(), small.lower, small.upper, -np.inf, nodes, nothing_to_add)
        assert proof.bound >= small.truth() - 1e-9


def test_an_empty_box_is_proved_empty_and_cannot_hold_the_bound_up() -> None:
    """All three together are one too many for the rule that two may: a certificate, not a status."""
    small = Small(3)
    relaxation = small.relaxation()
    box = np.r_[small.lower[:3], np.ones(3)], np.r_[small.upper[:3], np.ones(3)]
    multipliers = relaxation.solve(*box).multipliers
    assert relaxation.proves_empty(multipliers, *box)
    assert relaxation.bound(multipliers, *box) < small.truth()
    assert small.best((1.0, 1.0, 1.0)) == -np.inf


def test_tangents_added_at_a_node_tighten_the_proof() -> None:
    """A return of -(x - 1.5)^2 on x <= 3 y, known by its tangent at zero only: others come from `refine`."""
    rules = [Rule("link", 0, "at_most", "", np.array([1.0, -3.0]), 0.0)]
    relaxation = Relaxation(np.zeros(2), np.array([3.0, 1.0]), np.array([False, True]), rules, HIGHEST)

    def tangent(point: Floats, bound: float) -> bool:
        value, slope = -((point[0] - 1.5) ** 2), -2 * (point[0] - 1.5)
        relaxation.add_objective_cut(value, np.array([slope, 0.0]), point)
        return bound - value > 1e-6

    tangent(np.zeros(2), HIGHEST)
    proof = prove(relaxation, np.zeros(2), np.array([3.0, 1.0]), 1e-5, 200, tangent)
    assert 0.0 <= proof.bound <= 1e-4


def test_the_same_question_gives_the_same_proof() -> None:
    proofs = [
        prove(Small(7).relaxation(), Small(7).lower, Small(7).upper, -np.inf, 1000, nothing_to_add)
        for _ in "ab"
    ]
    assert proofs[0].bound == proofs[1].bound
    assert proofs[0].nodes == proofs[1].nodes
