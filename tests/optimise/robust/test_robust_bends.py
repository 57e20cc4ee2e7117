"""A limit at central values that bends: raised cuts bring the bound down, and no grid gets above it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.optimise.archive import Archive
from sdopt.optimise.robust.bends import MARGIN, Bends, passed
from sdopt.optimise.robust.regret import ScenarioBests
from sdopt.optimise.robust.run import RobustAnswer, robust_result
from sdopt.problem.build import Problem
from sdopt.result import Status

Ask = Callable[..., Problem]
Solve = Callable[..., RobustAnswer]
DATA = Path(__file__).parents[2] / "data" / "robust"
START, BELOW, SUPPORT = 14.0, 6.0, 0.05
BENT = {
    "model.changes": {
        "initial reserve": START, "support": SUPPORT, "support below": BELOW, "setback": 0, "effect b": 2,
    }
}  # fmt: skip
PRICES = np.array([2.0, 3.0, 3.5, 4.0])


def floor(amount: float) -> dict[str, object]:
    """The floor holds in 2028 alone, where it bends."""
    limit = {"variables": {"Room": 1}, "at_least": amount, "measure": "year_end",
             "years": {"first": 2028, "last": 2028}}  # fmt: skip
    return {**BENT, "constraints.floor": limit}


def test_a_limit_that_bends_a_little_is_not_left_out_of_the_bound(robust: Solve) -> None:
    """With support 0.05 the slope of the floor changes by a twentieth where the reserve is 6."""
    answer = robust({"price": PRICES}, "expected", changes=floor(3), name="support", gap=1e-4)
    found = answer.found[0]
    reserve_at = 3 - SUPPORT * (BELOW - 3) / (1 - SUPPORT)  # Room is 3 there: r + 0.05 (6 - r) = 3
    a, b = (one.ravel() for one in np.meshgrid(np.linspace(1, 12, 2201), np.linspace(1, 12, 221)))
    allowed = START + 2 - a - b >= reserve_at - 1e-9
    best = float((PRICES.mean() * (a - 1) + 4 * (np.sqrt(b) - 1))[allowed].max())
    without = PRICES.mean() * 11 + 4 * (np.sqrt(12) - 1)
    assert found.left_out == {0}
    assert found.bent == {0}
    assert found.bound is not None
    assert best - 1e-9 <= found.bound < best + 0.2 * (without - best)
    assert found.status is Status.LOCAL
    table = robust_result(answer).tables["robust_proof"]
    assert table["bends"].tolist() == ["floor"]
    assert "if these bend no more than 2 times" in table["assumes"][0]


def test_a_raised_tangent_is_passed_by_nothing_that_was_seen() -> None:
    """Of x^2 the tangent at 1 is 2 x - 1: at 3 it is passed by 4, so it is raised by twice that."""
    points = np.linspace(0, 3, 31)[:, None]
    bends = Bends(points, points**2)
    assert bends.lift(0, 1.0, np.array([2.0]), np.array([1.0])) == pytest.approx(MARGIN * 4)
    assert bends.lift(0, 9.0, np.array([6.0]), np.array([3.0])) == pytest.approx(MARGIN * 9)
    flat = Bends(points, -(points**2))
    assert flat.lift(0, -1.0, np.array([-2.0]), np.array([1.0])) < 1e-8


def test_what_stands_above_a_raised_cut_is_seen() -> None:
    from sdopt.optimise.master import Master

    master = Master(np.zeros(1), np.full(1, 3.0), (), 10.0)
    master.add_constraint_cut(7, 1.0, np.array([2.0]), np.array([1.0]))
    below, above = (Bends(np.array([[2.0]]), np.array([[height]])) for height in (2.9, 3.1))
    assert not passed(below, master, {7: 0})
    assert passed(above, master, {7: 0})
    assert not passed(above, master, {})


@pytest.mark.parametrize(
    "bends", [[0.0] * 7 + [0.02, 0.03, 0.05], [0.0] * 4 + [0.01, 0.02, 0.03, 0.04, 0.05, 0.1]]
)
def test_bests_that_a_check_disproves_bound_nothing(robust: Solve, bends: list[float]) -> None:
    """In some of ten scenarios the return bends upwards beyond demand: what is best there has no bound.

    Their tangents alone would give one, that is too low: 3 a - a - 2 up to demand, then + bend a^2.
    """
    bend, demand = np.array(bends), np.linspace(3, 9, 10)
    answer = robust({"bend": bend, "demand": demand}, "regret", gap=0.01)
    found, bests = answer.found[0], answer.compared.bests
    assert bests is not None
    a = np.linspace(1, 12, 4401)[:, None]
    gains = 3 * np.minimum(a, demand) - a + bend * a**2 - 2 - bend
    assert (bests.bound >= gains.max(axis=0) - 1e-6).all()
    assert np.isinf(bests.bound[found.audit.scenarios]).all()
    assert found.audit.scenarios[-3:].any()
    assert (found.gap, found.status) == (None, Status.LOCAL)
    assert found.unproved == bests.unproved > 0
    tables = robust_result(answer).tables
    assert tables["robust_measures"]["largest_regret_at_most"].isna().all()
    assert tables["robust_proof"]["bests_not_proved"].tolist() == [bests.unproved]
    if found.bound is not None:  # no allocation has less regret than it says
        assert -found.bound <= (gains.max(axis=0) - gains).max(axis=1).min() + 1e-6


def test_bests_that_are_given_are_believed(robust: Solve) -> None:
    bend = np.array([0.0, 0.5])
    best = np.array([16.0, 12.0 - 6 - 12 + 72 - 0.5])
    given = ScenarioBests(best, best + 0.1, np.ones(2, dtype=bool))
    answer = robust({"bend": bend, "demand": np.full(2, 6.0)}, "regret", bests=given)
    assert answer.compared.bests is given


def test_an_archive_without_audit_gives_its_own_points(ask: Ask) -> None:
    from sdopt.optimise.archive import View
    from sdopt.optimise.audit import Audit
    from sdopt.optimise.robust.bends import seen_bends

    problem = ask("support", floor(3), base=DATA)
    archive = Archive(problem)
    archive.add(np.array([[1.0, 1.0], [6.0, 2.0]]))
    bends = seen_bends(View(problem, problem.objective_rows), archive, Audit((), True, frozenset()))
    assert bends.points.tolist() == [[1.0, 1.0], [6.0, 2.0]]
    assert bends.slacks.shape == (2, 1)
