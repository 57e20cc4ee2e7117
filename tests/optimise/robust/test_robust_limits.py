"""Limits that hold in all scenarios or in most, against what can be counted on a grid."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from sdopt.errors import OptimisationError
from sdopt.optimise.robust.run import RobustAnswer, robust_result
from sdopt.result import Status

Solve = Callable[..., RobustAnswer]
FLOOR = {
    "model.changes": {"demand": 12, "effect b": 2},
    "constraints.floor": {"variables": {"Reserve": 1}, "at_least": 3, "measure": "year_end"},
}
START = np.linspace(4, 10, 61)


def reserve(
    a: np.ndarray, b: np.ndarray, start: np.ndarray, use_a: np.ndarray, use_b: np.ndarray
) -> np.ndarray:
    """At the end of 2027, (point, scenario): 5 in and 2 out in 2026, then 5 in and what is decided out."""
    return start + 10 - use_a - use_b - a[:, None] * use_a - b[:, None] * use_b


def square(step: float) -> tuple[np.ndarray, np.ndarray]:
    a, b = (
        one.ravel()
        for one in np.meshgrid(np.arange(1, 12 + step / 2, step), np.arange(1, 12 + step / 2, step))
    )
    return a, b


def value(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * (a - 1) + 4 * (np.sqrt(b) - 1)


def broken(answer: RobustAnswer, start: np.ndarray, use_a: np.ndarray, use_b: np.ndarray) -> float:
    a, b = answer.found[0].reading.point[:, None]
    return float((reserve(a, b, start, use_a, use_b) < 3 - 1e-9).mean())


@pytest.mark.parametrize(("share", "left"), [("0%", 0), ("5%", 3), ("20%", 12), ("50%", 30)])
def test_a_reserve_that_may_be_short_in_some_scenarios(robust: Solve, share: str, left: int) -> None:
    """Only the start differs: of 61 the `left` lowest may fail, so a + b <= start of the next + 5; b is 1
    (its slope 2 * 2 / 2 sqrt(b) = 2 at b = 1 falls below that of a).
    """
    answer = robust(
        {"initial reserve": START}, "expected", changes=FLOOR, probability_limits={"floor": share}
    )
    found = answer.found[0]
    one = np.ones(61)
    assert broken(answer, START, one, one) <= left / 61 + 1e-12
    best = 2 * (min(START[left] + 5 - 1, 12) - 1)
    assert found.value == pytest.approx(best, rel=1e-5)
    assert found.bound == pytest.approx(best, rel=1e-5)
    assert found.bound >= best - 1e-9
    assert found.status is Status.OPTIMAL


def test_in_every_scenario_is_no_scenario_that_breaks_it(robust: Solve) -> None:
    asked = {"initial reserve": START}
    one = robust(asked, "expected", changes=FLOOR, limits="all")
    other = robust(asked, "expected", changes=FLOOR, probability_limits={"floor": "0%"})
    central = robust(asked, "expected", changes=FLOOR)
    assert one.found[0].value == pytest.approx(other.found[0].value, rel=1e-6)
    assert one.found[0].value == pytest.approx(2 * (4 + 5 - 1 - 1), rel=1e-5)
    assert central.found[0].value == pytest.approx(2 * (6 + 5 - 1 - 1), rel=1e-5)


def mixed_uses(count: int) -> dict[str, np.ndarray]:
    """Both decisions cost more or less than planned: which scenarios are hard depends on the mix."""
    random = np.random.default_rng(9)
    return {
        "initial reserve": random.uniform(5, 9, count),
        "use a": random.uniform(0.7, 1.4, count),
        "use b": random.uniform(0.7, 1.4, count),
    }


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_a_probability_limit_against_all_points_of_a_grid(robust: Solve, share: float) -> None:
    drawn = mixed_uses(30)
    answer = robust(
        drawn, "expected", changes=FLOOR, gap=5e-3, probability_limits={"floor": f"{100 * share:g}%"}
    )
    found, named = answer.found[0], list(drawn.values())
    a, b = square(0.02)
    allowed = (reserve(a, b, *named) < 3).mean(axis=1) <= share + 1e-12
    best = value(a, b)[allowed].max()
    assert broken(answer, *named) <= share + 1e-12
    assert found.bound >= best - 1e-9
    assert found.value <= found.bound + 1e-9
    assert found.value >= best * (1 - 0.02)
    assert found.gap == pytest.approx((found.bound - found.value) / found.bound, abs=1e-9)


def test_more_may_break_never_gives_less(robust: Solve) -> None:
    drawn = mixed_uses(25)
    found = [
        robust(drawn, "cvar", changes=FLOOR, gap=1e-2, probability_limits={"floor": share}).found[0]
        for share in ("0%", "10%")
    ]
    for less, more in pairwise(found):
        assert less.value <= more.bound + 1e-9
        assert less.bound <= more.bound * (1 + 1e-6)


def test_the_table_counts_how_often_limits_break(robust: Solve) -> None:
    answer = robust(
        {"initial reserve": START}, "expected", changes=FLOOR, probability_limits={"floor": "20%"}
    )
    table = robust_result(answer).tables["robust_limits"].set_index("allocation")
    assert table.loc["null", "broken_share"] == 0
    assert table.loc["advice", "broken_share"] == pytest.approx((START < 6).mean())
    assert table.loc["expected", "broken_share"] == pytest.approx(12 / 61)
    assert (table["allowed_share"] == 0.2).all()


def test_limits_that_cannot_hold_everywhere_are_named(robust: Solve) -> None:
    """With 1 at the start even the smallest orders leave 1 + 10 - 4 = 7, so a floor of 9 fails there."""
    changes = {
        **FLOOR,
        "constraints.floor": {"variables": {"Reserve": 1}, "at_least": 9, "measure": "year_end"},
    }
    drawn = {"initial reserve": np.array([1.0, 6.0, 6.0, 6.0, 6.0])}
    with pytest.raises(
        OptimisationError, match=r"floor: broken in 20\.0% of the scenarios, allowed in 0\.0%"
    ):
        robust(drawn, "expected", changes=changes, limits="all")
    relaxed = robust(drawn, "expected", changes=changes, probability_limits={"floor": "20%"})
    assert relaxed.found[0].value == pytest.approx(0, abs=1e-6) or relaxed.found[0].value > 0
