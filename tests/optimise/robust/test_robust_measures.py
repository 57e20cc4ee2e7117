"""The measures by themselves: CVaR against its definition, order, weights, and what never changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.optimise.robust.measures import Measure, cvar

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=30)
tails = st.floats(0.01, 1.0)


def equal(count: int) -> np.ndarray:
    return np.full(count, 1 / count)


def test_cvar_is_the_mean_of_the_worst() -> None:
    """Of 1..10 the worst 20 % are 1 and 2; of the worst 25 % half of 3 is counted: (1 + 2 + 1.5) / 2.5."""
    values = np.arange(10, 0, -1.0)
    assert cvar(values, equal(10), 0.2) == pytest.approx(1.5)
    assert cvar(values, equal(10), 0.25) == pytest.approx(1.8)


def test_cvar_counts_probabilities() -> None:
    """The worst outcome has probability 0.04: in a tail of 10 % it weighs 0.4, the next 0.6."""
    assert cvar(np.array([-5.0, 1.0, 9.0]), np.array([0.04, 0.5, 0.46]), 0.1) == pytest.approx(-1.4)


@given(numbers, tails)
def test_cvar_lies_between_worst_case_and_mean(listed: list[float], tail: float) -> None:
    values = np.array(listed)
    found = cvar(values, equal(len(values)), tail)
    assert values.min() - 1e-9 <= found <= values.mean() + 1e-9


@given(numbers, tails, tails)
def test_a_wider_tail_is_never_worse(listed: list[float], one: float, other: float) -> None:
    values, narrow, wide = np.array(listed), min(one, other), max(one, other)
    probability = equal(len(values))
    assert cvar(values, probability, narrow) <= cvar(values, probability, wide) + 1e-9
    assert cvar(values, probability, 1.0) == pytest.approx(values.mean())


@given(numbers, tails, st.randoms(use_true_random=False))
def test_the_order_of_scenarios_does_not_matter(listed: list[float], tail: float, random: object) -> None:
    values = np.array(listed)
    shuffled = listed.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for name in ("expected", "cvar", "worst_case"):
        measure = Measure(name, equal(len(values)), tail)
        assert measure.value(np.array(shuffled)) == pytest.approx(measure.value(values))


@given(numbers, st.lists(st.floats(-100, 100), min_size=30, max_size=30), tails)
def test_its_weights_give_a_tangent(listed: list[float], more: list[float], tail: float) -> None:
    """At any other outcomes the sum with these weights is at least the measure: it is the lowest of all."""
    values, others = np.array(listed), np.array(more[: len(listed)])
    best = np.zeros(len(values))
    for name in ("expected", "cvar", "worst_case", "regret"):
        measure = Measure(name, equal(len(values)), tail, best if name == "regret" else None)
        weights = measure.weights(values)
        assert weights.sum() == pytest.approx(1.0)
        assert weights.min() >= 0
        assert weights @ others >= measure.value(others) - 1e-9


def test_the_measure_of_regret_is_minus_the_largest() -> None:
    measure = Measure("regret", equal(3), best=np.array([5.0, 4.0, 9.0]))
    assert measure.value(np.array([4.0, 1.0, 8.0])) == -3.0
