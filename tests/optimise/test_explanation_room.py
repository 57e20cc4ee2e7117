"""Near-optimal ranges, alternatives and frontiers against brute force over a grid and against algebra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem
from sdopt.result import Result

Ask = Callable[..., Problem]
AIM = {"variable": "Reserve", "measure": "end", "label": "Kas"}


def explain(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None, explain=True)


@pytest.fixture(scope="module")
def quadratic(ask: Ask) -> Problem:
    """One year, two decisions, a cap: small enough to try every allocation."""
    return ask("quadratic", {"search.gap": 1e-7})


@pytest.fixture(scope="module")
def answer(quadratic: Problem) -> Result:
    return explain(quadratic)


@pytest.fixture(scope="module")
def grid(quadratic: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Every allowed allocation on a grid of 0.01, and its improvement."""
    a, b = np.meshgrid(np.linspace(0, 8, 801), np.linspace(0, 6, 601))
    points = np.column_stack([a.ravel(), b.ravel()])
    points = points[points.sum(axis=1) <= 9]
    values = quadratic.evaluator.values(points).value
    return points, quadratic.objective(values) - quadratic.null_objective


@pytest.fixture(scope="module")
def root(ask: Ask) -> Result:
    """A frontier too: 2*3 sqrt(a) + 2*2 sqrt(b) with a + b <= 13, against what is left at the end."""
    return explain(ask("root", {"explanation": {"frontier": [AIM]}}))


def test_ranges_enclose_and_reach_what_brute_force_finds(
    answer: Result, grid: tuple[np.ndarray, np.ndarray]
) -> None:
    points, worth = grid
    table = answer.tables["near_optimal"]
    assert set(table["within"]) == {0.01, 0.05}
    for row in table[table["year"] == 0].itertuples():
        near = points[worth >= (1 - row.within) * answer.figures["explained_improvement"]]
        column = near[:, ["a", "b"].index(row.decision)]
        width = column.max() - column.min()
        # Outer: nothing of the grid lies outside. Inner: as far as the grid goes, but for its step.
        assert row.outer_low <= column.min() + 1e-9
        assert row.outer_high >= column.max() - 1e-9
        assert row.inner_low == pytest.approx(column.min(), abs=0.02 + 0.03 * width)
        assert row.inner_high == pytest.approx(column.max(), abs=0.02 + 0.03 * width)
        assert row.outer_low <= row.inner_low <= row.value <= row.inner_high <= row.outer_high
        assert row.outer_high - row.outer_low <= 1.1 * width + 0.04


def test_a_wider_margin_gives_more_room(answer: Result, root: Result) -> None:
    for result in (answer, root):
        table = result.tables["near_optimal"].pivot_table(
            index=["decision", "year"], columns="within", values=["inner_low", "inner_high"]
        )
        assert (table["inner_low"][0.05] <= table["inner_low"][0.01] + 1e-9).all()
        assert (table["inner_high"][0.05] >= table["inner_high"][0.01] - 1e-9).all()


def test_ranges_hold_in_a_linear_problem_exactly(ask: Ask) -> None:
    """A + 0.5 b, a + b <= 10, a <= 9, against 3.5 now: 9.5 less 1 % of 6 a year leaves a >= 9 - 0.12.

    In both years together 1 % of the improvement may be lost in either one: 0.06 (w1 + w2) / w1 in a year.
    """
    result = explain(ask("linear"))
    w1, w2 = (sum(0.25 * 1.03 ** -(k / 4 + y) for k in range(4)) for y in (0, 1))
    table = result.tables["near_optimal"].set_index(["within", "decision", "year"])
    row = table.loc[(0.01, "a", 2027)]
    lowest = 9 - 0.06 * (w1 + w2) / w1 / 0.5
    assert row["outer_low"] == pytest.approx(lowest, abs=1e-6)
    assert row["inner_low"] == pytest.approx(lowest, abs=1e-3)
    assert row["outer_high"] == pytest.approx(9)


def test_alternatives_are_allowed_return_enough_and_differ(
    quadratic: Problem, answer: Result, grid: tuple[np.ndarray, np.ndarray]
) -> None:
    points, worth = grid
    returns, values = answer.tables["alternative_returns"], answer.tables["alternatives"]
    best = answer.figures["explained_improvement"]
    assert len(returns) == 6
    for row in returns.itertuples():
        chosen = values[(values["within"] == row.within) & (values["number"] == row.number)]
        point = chosen["value"].to_numpy(float)[None]
        exact = quadratic.objective(quadratic.evaluator.values(point).value)[0] - quadratic.null_objective
        assert row.improvement == pytest.approx(exact)
        assert exact >= (1 - row.within) * best - 1e-12
        assert point.sum() <= 9 + 1e-9
        assert row.given_up == pytest.approx((best - exact) / best)
        assert row.distance >= 0.005
    # The first is nearly as far away as any allocation within 1 % can be.
    centre = values[values["number"] == 1]["best"].to_numpy(float)[:2]
    away = np.abs((points[worth >= 0.99 * best] - centre) / [8, 6]).mean(axis=1)
    first = returns[(returns["within"] == 0.01) & (returns["number"] == 1)].iloc[0]
    assert first["distance"] >= 0.9 * away.max()


def test_frontier_of_return_against_what_is_left(root: Result) -> None:
    """What is left at the end is 4 less spending in both years, against now; s a year returns 2 sqrt(13 s).

    The best for a total T has sqrt(s) in proportion to the weights: s = T w^2 / (w1^2 + w2^2), up to 13.
    """
    table = root.tables["frontier"]
    assert len(table) == 7
    assert not table["dominated"].any()
    assert (np.diff(table["value"]) > 0).all()
    assert (np.diff(table["improvement"]) < 0).all()
    weights = np.array([sum(0.25 * 1.03 ** -(k / 4 + y) for k in range(4)) for y in (0, 1)])
    for row in table.iloc[:-1].itertuples():
        total = 4 - row.value
        parts = weights**2 / (weights**2).sum() * total
        parts = np.array([13, total - 13]) if parts[0] > 13 else parts
        exact = float(weights @ (2 * (13 * parts) ** 0.5 - 10))
        assert row.improvement <= exact + 1e-6
        assert row.improvement == pytest.approx(exact, abs=0.02)  # of 49 between the ends
        assert row.bound >= exact - 1e-6
        assert row.gap == pytest.approx((row.bound - row.improvement) / row.bound)
    assert table["value"].iloc[-1] == pytest.approx(4, abs=0.1)
    assert table["improvement"].iloc[0] == pytest.approx(root.figures["explained_improvement"])


def test_a_frontier_without_conflict_is_one_point(ask: Ask) -> None:
    """More of the return itself cannot be in conflict with the return."""
    aim = {"variable": "social return", "label": "Zelf"}
    result = explain(ask("root", {"explanation": {"frontier": [aim]}}))
    assert len(result.tables["frontier"]) == 1


def test_less_can_be_better_and_gives_the_mirror_image(ask: Ask, root: Result) -> None:
    """Less of (minus what is left) is more of what is left: spending over the horizon, in the same units."""
    aim = {"variable": "spending a", "measure": "present_value", "better": "lower", "label": "Uitgaven a"}
    result = explain(ask("root", {"explanation": {"frontier": [aim]}}))
    table = result.tables["frontier"]
    assert (np.diff(table["value"]) < 0).all()
    assert (np.diff(table["improvement"]) < 0).all()
    assert isinstance(root.tables["frontier"], pd.DataFrame)


def test_an_unknown_variable_is_refused(ask: Ask) -> None:
    with pytest.raises(Exception, match='no variable "Reserves"'):
        ask("root", {"explanation": {"frontier": [{"variable": "Reserves"}]}})


def test_the_same_question_gives_the_same_explanation(quadratic: Problem, answer: Result) -> None:
    again = explain(quadratic)
    for name in ("shadow_prices", "near_optimal", "alternatives", "contributions"):
        pd.testing.assert_frame_equal(again.tables[name], answer.tables[name], check_exact=True)
