"""Whether a start is on the hill of a known optimum: returns whose hills, valleys and jumps are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.climb import Climber
from sdopt.optimise.hills import leads_to
from sdopt.optimise.local_search import LocalOptimum
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import NEVER
from sdopt.problem.build import Problem

Ask = Callable[..., Problem]
Returning = Callable[..., View]
HILL = "100 - (spending a - 8)^2"
"""The top is at a = 8."""


@pytest.fixture
def returning(ask: Ask, tmp_path_factory: pytest.TempPathFactory) -> Returning:
    """`returning(formula)`: one year's return of `spending a` and `spending b`, both 1 today."""

    def view(formula: str, **changes: object) -> View:
        controls = {"INITIAL TIME": 2026, "FINAL TIME": 2030, "TIME STEP": 0.25, "SAVEPER": 1}
        lines = ["{UTF-8}", f"social return= {formula} ~ million EUR/Year ~ |"]
        lines += ["harm= (spending a - 3) * (7 - spending a) + 0 * spending b ~ Person ~ |"]
        lines += [f"spending {name}= 1 ~ million EUR/Year ~ |" for name in "ab"]
        lines += [f"{name}= {value} ~ Year ~ |" for name, value in controls.items()]
        folder = tmp_path_factory.mktemp("hills")
        (folder / "hills.mdl").write_text("\n".join(lines), encoding="utf-8")
        problem = ask("curved", {"model.file": str(folder / "hills.mdl"), **changes})
        return View(problem, problem.objective_rows)

    return view


def leads(view: View, place: float, top: float, size: float = 50.0) -> bool:
    """From `a` of a place to `a` of a top, b as it is today."""
    return leads_to(view, np.array([place, 1.0]), np.array([top, 1.0]), size)


def test_up_one_hill(returning: Returning) -> None:
    assert leads(returning(f"{HILL} + 0 * spending b"), 7.5, 8.0)


def test_not_from_far_below_the_top(returning: Returning) -> None:
    """Also with no valley between: there may be other ways up."""
    assert not leads(returning(f"{HILL} + 0 * spending b"), 6.0, 8.0)


def test_not_across_a_valley(returning: Returning) -> None:
    """Two tops of nearly the same height, at 4 and 12."""
    view = returning("10 - ((spending a - 8)^2 - 16)^2 / 100 + 0.001 * spending a + 0 * spending b")
    assert leads(view, 12.05, 12.0)
    assert not leads(view, 4.0, 12.0)


def test_not_over_a_jump(returning: Returning) -> None:
    """Within 1 % of the top, but flat below the edge: its own way leads elsewhere."""
    view = returning("IF THEN ELSE(spending a >= 8, 10.2, 10) + 0 * spending b")
    assert not leads(view, 5.0, 8.0)


def test_not_past_a_higher_top(returning: Returning) -> None:
    view = returning(f"{HILL} + 0 * spending b")
    assert not leads(view, 7.5, 8.5)
    assert not leads(view, 7.0, 9.0)


def test_not_through_what_a_limit_forbids(returning: Returning) -> None:
    """`harm` is above its limit between 3 and 7, on both sides below."""
    limit = {"constraints": {"harm": {"variables": {"harm": 1}, "at_most": 0}}}
    formula = "100 + 0.01 * spending a + 0 * spending b"
    assert leads(returning(formula), 2.5, 7.5)
    assert not leads(returning(formula, **limit), 2.5, 7.5)
    assert leads(returning(formula, **limit), 7.5, 8.5)


def test_a_start_ends_at_the_known_optimum_of_its_own_hill_only(returning: Returning) -> None:
    """Tops at 4 and 12, of which 12 is known: what starts near 4 climbs its own."""
    view = returning("10 - ((spending a - 8)^2 - 16)^2 / 100 + 0.01 * spending a + 0 * spending b")
    archive = Archive(view.problem)
    archive.add(view.problem.decisions.null_vector()[None])
    alone = Climber(view, np.array([1.0, 1.0]))
    high, low = (alone.climb(np.array([a, 1.0]), NEVER) for a in (11.0, 4.5))
    assert high.point is not None
    assert low.point is not None
    assert (high.point[0], low.point[0]) == pytest.approx((12, 4), abs=0.05)
    knowing = Climber(view, alone.inside, (high,))
    assert knowing.climb(np.array([13.0, 2.0]), NEVER) is high
    again = knowing.climb(np.array([4.5, 1.0]), NEVER)
    assert again.improvement == pytest.approx(low.improvement, rel=1e-6)


def test_nothing_is_on_the_hill_of_a_start_that_found_nothing(returning: Returning) -> None:
    climber = Climber(returning(f"{HILL} + 0 * spending b"), np.array([1.0, 1.0]))
    here = LocalOptimum(np.array([8.0, 1.0]), 49.0)
    assert climber.share_a_hill(here, here)
    assert not climber.share_a_hill(here, LocalOptimum(None, None))


def test_every_start_says_where_it_ended(returning: Returning) -> None:
    """Two hills a valley apart: eight starts, some on each, and the spread between the tops."""
    view = returning("10 - ((spending a - 8)^2 - 25)^2 / 30 + 0.1 * spending a + 0 * spending b")
    result = optimise(view.problem, "run", lambda *_: None)
    a = np.linspace(0, 16, 160_001)
    height = 10 - ((a - 8) ** 2 - 25) ** 2 / 30 + 0.1 * a
    today = float(height[10_000])
    tops = [float(height[a < 8].max()) - today, float(height[a > 8].max()) - today]
    assert result.figures["improvement"] == pytest.approx(max(tops), rel=1e-6)
    ends = result.tables["starts"]["objective"].to_numpy()
    assert len(ends) == 8
    on_top = np.abs(ends[:, None] - np.array(tops)) < 1e-3 * max(tops)
    assert on_top.any(axis=1).all()
    assert on_top.any(axis=0).all()
