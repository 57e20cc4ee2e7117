"""The proved bound is never below the truth: random concave quadratics with an optimum known exactly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.search import Found, search
from sdopt.problem.build import Problem
from sdopt.result import Status

Ask = Callable[..., Problem]
Floats = NDArray[np.float64]
# a >= 0, a <= 8, b >= 0, b <= 6, a + b <= 9, as rows times (a, b) <= limit.
ROWS = np.array([[-1.0, 0], [1, 0], [0, -1], [0, 1], [1, 1]])
LIMITS = np.array([0.0, 8, 0, 6, 9])


def best_value(slope: Floats, curve: Floats) -> float:
    """Largest slope u - u' curve u / 2 over the polygon: stationary points of inside, edges and corners."""
    found = []
    for count in range(3):
        for chosen in combinations(range(len(ROWS)), count):
            a = ROWS[list(chosen)]
            system = np.block([[curve, a.T], [a, np.zeros((count, count))]])
            known = np.concatenate([slope, LIMITS[list(chosen)]])
            solution = np.linalg.lstsq(system, known, rcond=None)[0]
            found.append(solution[:2])
    allowed = [u for u in found if (ROWS @ u <= LIMITS + 1e-9).all()]
    return max(float(slope @ u - u @ curve @ u / 2) for u in allowed)


def find(problem: Problem) -> Found:
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return search(View(problem, problem.objective_rows), archive, problem.config.search, lambda *_: None)


NUMBER = st.floats(-3, 3).map(lambda value: round(value, 3))


@settings(max_examples=40)
@given(st.tuples(NUMBER, NUMBER), st.tuples(NUMBER, NUMBER, NUMBER), st.sampled_from([1e-3, 1e-5]))
def test_the_bound_is_never_below_the_truth(
    ask: Ask, slopes: tuple[float, float], root: tuple[float, float, float], gap: float
) -> None:
    lower = np.array([[root[0], 0], [root[1], root[2]]])
    curve = lower @ lower.T
    slope = np.array(slopes)
    names = ("slope a", "slope b", "curve aa", "curve ab", "curve bb")
    values = (*slopes, curve[0, 0], curve[0, 1], curve[1, 1])
    changes = {name: float(value) for name, value in zip(names, values, strict=True)}
    found = find(ask("quadratic", {"model.changes": changes, "search.gap": gap}))
    one = np.ones(2)
    known = best_value(slope, curve) - float(slope @ one - one @ curve @ one / 2)
    rounding = 1e-9 * (1 + np.abs(values).max())
    assert found.status is Status.OPTIMAL
    assert found.bound is not None
    assert found.bound >= known - rounding
    assert found.improvement <= known + rounding
    # Where nothing is to be gained, the gap cannot be relative to the improvement: 1e-7 of it is rounding.
    assert found.improvement >= known - gap * abs(known) - 1e-9 * (1 + np.abs(values).max()) * 20
    assert all(step.bound >= known - rounding for step in found.trace)


def test_the_independent_optimum_by_hand() -> None:
    """3 a + 2 b - (a^2 + b^2 + a b) / 2... stationary where a + b/2 = 3 and a/2 + b = 2: a = 8/3, b = 2/3."""
    slope, curve = np.array([3.0, 2.0]), np.array([[1, 0.5], [0.5, 1]])
    assert best_value(slope, curve) == pytest.approx((3 * 8 / 3 + 2 * 2 / 3) / 2)
    # Without curvature it is linear: all of the cap where the slope is largest, 8 to a and 1 to b.
    assert best_value(slope, np.zeros((2, 2))) == pytest.approx(3 * 8 + 2)
