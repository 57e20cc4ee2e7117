"""Proofs about models written for it: jumps, roots, large numbers, what is infinite on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.config.load import load_config
from sdopt.equations.enclosure.algebra import Algebra
from sdopt.equations.enclosure.operations import Operations
from sdopt.equations.lookups import lookup_function
from sdopt.optimise.certificate.certify import Certificate, certify
from sdopt.optimise.certificate.run import Asked, certificate_tables
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem, at_time_step, build_problem
from sdopt.result import Status
from sdopt.source_model.read import read_model


class After(Stop):
    """Stops once it has been asked so often, so that a test does not depend on time."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def reason(self) -> Status | None:
        self.times -= 1
        return Status.TIME_LIMIT if self.times < 0 else None


def proof(problem: Problem, improvement: float, best: np.ndarray, times: int) -> Certificate:
    return certify(problem, best, improvement, 1e-4, After(times))


JUMPS = """{{UTF-8}}
social return= {equation} ~ million EUR/Year ~ |
kept= INTEG ( spending a, 0 ) ~ million EUR ~ |
reached= IF THEN ELSE ( spending a >= threshold, 1, 0 ) ~ Dmnl ~ |
threshold= {threshold} ~ million EUR/Year ~ |
sign= IF THEN ELSE ( Time < 2027.4, 1, IF THEN ELSE ( Time < 2027.9, -1, 0 ) ) ~ Dmnl ~ |
norm= IF THEN ELSE ( Time < 2028, 0, 1 ) ~ Dmnl ~ |
spending a= {today} ~ million EUR/Year ~ |
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2030 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""


@pytest.fixture
def jumps(tmp_path: Path) -> Callable[..., Problem]:
    """A question about one decision, with a model written for it."""

    def problem(equation: str, threshold: str, bounds: list[float]) -> Problem:
        text = JUMPS.format(equation=equation, threshold=threshold, today=max(bounds[0], 0.2))
        (tmp_path / "jumps.mdl").write_text(text, encoding="utf-8")
        config = {
            "schema_version": 1,
            "title": "Jumps",
            "model": {"file": str(tmp_path / "jumps.mdl")},
            "horizon": {"start": 2026, "end": 2030},
            "decision_years": {"first": 2027, "last": 2027},
            "decisions": {"a": {"variable": "spending a", "bounds": bounds}},
            "objective": {"maximise": "social return", "discount_rate": 0},
        }
        (tmp_path / "jumps.yaml").write_text(json.dumps(config), encoding="utf-8")
        loaded = load_config(tmp_path / "jumps.yaml")
        return build_problem(loaded, read_model(loaded.config.model.file).system)

    return problem


def test_rounding_of_a_stock_is_listed_under_its_name(jumps: Callable[..., Problem]) -> None:
    """After 4096 steps without any instruction what they were rounded by becomes an error of the stock."""
    problem = at_time_step(jumps("kept", "3", [1, 5]), 1 / 1024)
    certificate = proof(problem, 0.0, np.array([1.0]), times=6)
    errors = certificate_tables(problem, certificate)["certificate_errors"]
    assert set(errors["variable"]) == {"social return"}  # which is what is kept
    assert certificate.bound == pytest.approx(best_on_a_grid(problem), rel=1e-6)


def best_on_a_grid(problem: Problem) -> float:
    """The best improvement of 4,001 values of one decision, ends included."""
    low, high = problem.decisions.lower()[0], problem.decisions.upper()[0]
    points = np.append(np.linspace(low, high, 4001), [3.0, 3.9])[:, None]
    points = points[(points[:, 0] >= low) & (points[:, 0] <= high)]
    return float(problem.objective(problem.evaluator.values(points).value).max() - problem.null_objective)


def test_conditions_of_two_moments_are_two_conditions(jumps: Callable[..., Problem]) -> None:
    """A threshold of 3, later 7, with weight 1 and then -1: the two do not cancel for 3 <= a < 7."""
    threshold = "IF THEN ELSE ( Time < 2027.4, 3, 7 )"
    problem = jumps("reached * sign", threshold, [0, 10])
    best = best_on_a_grid(problem)
    assert best == pytest.approx(0.5)
    certificate = proof(problem, 0.0, np.array([0.0]), times=30)
    assert certificate.bound >= best and not certificate.reached


@pytest.mark.parametrize("reached", ["reached", "INTEGER ( spending a / 3.9 )"])
def test_a_jump_at_the_very_end_of_a_bound(jumps: Callable[..., Problem], reached: str) -> None:
    """The middle plus half the width of [0.2, 3.9] is a hair below 3.9, where the reward stands."""
    problem = jumps(f"20 * {reached} - spending a", "3.9", [0.2, 3.9])
    best = best_on_a_grid(problem)
    assert best == pytest.approx(20 - 3.7)
    certificate = proof(problem, 0.0, np.array([0.2]), times=60)
    assert certificate.bound >= best and not certificate.reached


def test_a_division_by_zero_in_the_branch_not_taken_is_no_crash(jumps: Callable[..., Problem]) -> None:
    problem = jumps("IF THEN ELSE ( norm = 0, 0, spending a / norm )", "3", [0, 5])
    certificate = proof(problem, 0.0, np.array([0.0]), times=3)
    assert certificate.bound == np.inf and certificate.refusal is not None
    asked = Asked(1.0, lambda *_: None)  # no box of it ever gets a bound
    result = optimise(problem, "run", lambda *_: None, certify=asked)
    assert "no bounds over the whole range" in result.figures["certified_refusal"]


@pytest.mark.parametrize(
    "huge", ["spending a / norm", "spending a * 1e300 * 1e300", "EXP ( 900 * spending a )"]
)
def test_what_is_infinite_on_the_way_is_no_crash(jumps: Callable[..., Problem], huge: str) -> None:
    """The smaller of infinite and 5 is 5, and the simulator says so; the proof has no bound, and says so."""
    problem = jumps(f"MIN ( {huge}, 5 ) - spending a", "3", [1, 5])
    certificate = proof(problem, 0.0, np.array([1.0]), times=9)
    assert certificate.bound >= best_on_a_grid(problem)


@pytest.mark.parametrize(("root", "price"), [("SQRT ( {} )", 0.25), ("( {} ) ^ 0.3", 0.1)])
def test_a_root_of_what_begins_at_exactly_zero(
    jumps: Callable[..., Problem], root: str, price: float
) -> None:
    """Nothing until 3, then a root; best between 4 and 5. Once it was taken for zero from 2.5 to 5."""
    begins = "IF THEN ELSE ( spending a > 3, spending a, 0 )"
    problem = jumps(f"{root.format(begins)} - {price} * spending a", "3", [0, 10])
    best = best_on_a_grid(problem)
    assert best > 0.5
    certificate = proof(problem, 0.0, np.array([0.0]), times=200)
    assert certificate.bound >= best and not certificate.reached


def test_a_small_return_beside_a_large_one(jumps: Callable[..., Problem]) -> None:
    """A hundred million and a little: a bound no nearer than numbers of that size can tell apart."""
    problem = jumps("( 1e9 + spending a / 3 ) / 3 - 1e9 / 3 - 0.1 * spending a", "3", [1, 1.0001])
    best = best_on_a_grid(problem)
    certificate = proof(problem, -1.0, np.array([1.0]), times=60)
    assert best <= certificate.bound <= best + 1e-5


def test_a_lookup_that_jumps_has_room_for_rounding() -> None:
    """A step at 3.9, the very end of what the argument may be."""
    algebra = Algebra(1)
    middle = (0.2 + 3.9) / 2
    argument = algebra.line(middle, np.array([3.9 - middle]))
    function = lookup_function((0.0, 3.9), (0.0, 20.0), "hold_backward")
    low, high = algebra.range(Operations(algebra, frozenset()).apply(function, [argument]))
    assert low <= 0 and high >= 20
