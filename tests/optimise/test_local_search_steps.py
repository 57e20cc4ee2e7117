"""The parts of the local search: steps that keep to the rules, slopes that are infinite, ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.optimise.archive import ALLOWED, Archive, View
from sdopt.optimise.evolution import evolve
from sdopt.optimise.linear import solve_linear
from sdopt.optimise.moves import Allowed
from sdopt.optimise.pattern import pattern_steps
from sdopt.optimise.polish import polish
from sdopt.optimise.run import optimise
from sdopt.optimise.sample import find_vertices
from sdopt.optimise.stopping import NEVER
from sdopt.problem.build import Problem
from sdopt.result import Status

Ask = Callable[..., Problem]


def view_of(problem: Problem) -> View:
    return View(problem, problem.objective_rows)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_step_is_as_long_as_the_rules_allow_and_no_longer(ask: Ask, seed: int) -> None:
    """Against a linear program that asks for the largest multiple of the direction."""
    problem = ask("linear")
    random = np.random.default_rng(seed)
    allowed, view = Allowed(problem), view_of(problem)
    points = find_vertices(problem, random).draw(3, random)
    directions = random.standard_normal(points.shape)
    steps = allowed.longest(points, directions)
    assert view.meets_rules(points + steps[:, None] * directions).all()
    for point, direction, step in zip(points, directions, steps, strict=True):
        rules = [(rule.weights @ direction, rule.limit - rule.weights @ point) for rule in problem.rules]
        rows = [*rules, *zip(direction, allowed.upper - point, strict=True)]
        rows += zip(-direction, point - allowed.lower, strict=True)
        longest = min(max(room, 0) / pace for pace, room in rows if pace > 1e-9)
        assert step == pytest.approx(longest, rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_every_member_of_an_evolution_keeps_to_the_rules(ask: Ask, seed: int) -> None:
    problem = ask("linear")
    view, archive = view_of(problem), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    random = np.random.default_rng(seed)
    found = evolve(view, archive, find_vertices(problem, random), 5, random, NEVER)
    assert 1 <= len(found) <= 5
    assert view.meets_rules(found).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_pattern_steps_never_lose_and_keep_to_the_rules(ask: Ask, seed: int) -> None:
    problem = ask("root")
    view, random = view_of(problem), np.random.default_rng(seed)
    start = find_vertices(problem, random).draw(1, random)
    end = pattern_steps(view, start[0], 1e-6, NEVER)[None]
    values = problem.evaluator.values(np.vstack([start, end])).value
    assert view.meets_rules(end).all()
    assert view.objective(values)[1] >= view.objective(values)[0]


def test_quadratic_steps_reach_the_known_optimum(ask: Ask) -> None:
    """The same optimum that cutting planes prove, from the null alternative, to nine digits."""
    problem = ask("root")
    proved = optimise(problem, "run", lambda *_: None)
    view = view_of(problem)
    end = polish(view, problem.decisions.null_vector(), 1.0, NEVER)
    reached = float(view.objective(problem.evaluator.values(end[None]).value)[0])
    assert reached == pytest.approx(proved.figures["improvement"], rel=1e-6)
    assert reached <= proved.figures["bound"] - proved.figures["null_objective"] + 1e-9


def of_power(
    ask: Ask,
    tmp_path_factory: pytest.TempPathFactory,
    formula: str,
    today: float,
    changes: dict[str, Any] | None = None,
) -> Problem:
    folder = tmp_path_factory.mktemp("power")
    controls = {"INITIAL TIME": 2026, "FINAL TIME": 2030, "TIME STEP": 0.25, "SAVEPER": 1}
    lines = ["{UTF-8}", f"{formula} ~ million EUR/Year ~ |"]
    lines += [f"spending {name}= {today} ~ million EUR/Year ~ |" for name in "ab"]
    lines += [f"{name}= {value} ~ Year ~ |" for name, value in controls.items()]
    (folder / "power.mdl").write_text("\n".join(lines), encoding="utf-8")
    return ask("curved", {"model.file": str(folder / "power.mdl"), **(changes or {})})


@pytest.mark.parametrize("root", ["spending a ^ 0.5", "SQRT(spending a)"])
def test_a_slope_that_is_infinite_today(
    ask: Ask, tmp_path_factory: pytest.TempPathFactory, root: str
) -> None:
    """2 sqrt(a) - a + b, from nothing: the slope at a = 0 is infinite; the best is a = 1, b = 16."""
    problem = of_power(ask, tmp_path_factory, f"social return= 2 * {root} + spending b - spending a", 0.0)
    result = optimise(problem, "run", lambda *_: None)
    assert result.status is Status.OPTIMAL
    assert result.figures["improvement"] == pytest.approx(17, rel=1e-4)
    values = result.tables["decisions"]["value"]
    assert values.to_numpy() == pytest.approx([1, 16], abs=0.05)


def test_a_steep_slope_that_is_not_infinite_is_left_alone(
    ask: Ask, tmp_path_factory: pytest.TempPathFactory
) -> None:
    problem = of_power(ask, tmp_path_factory, "social return= 1e7 * (spending a - 1) + spending b", 1.0)
    archive = Archive(problem)
    point = problem.decisions.null_vector()
    archive.add(point[None])
    assert (archive.points[0] == point).all()


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e9])
def test_how_far_a_rule_may_be_passed_goes_with_its_size(
    ask: Ask, tmp_path_factory: pytest.TempPathFactory, size: float
) -> None:
    """The same question in other units: allowed or not is the same."""
    changes = {
        "decisions.a.bounds": [0, 9 * size],
        "decisions.b.bounds": [0, 9 * size],
        "constraints": {"total": {"decisions": {"a": 1, "b": 1}, "at_most": 10 * size}},
    }
    problem = of_power(ask, tmp_path_factory, "social return= spending a + spending b", 5 * size, changes)
    view = view_of(problem)
    full = np.full((1, problem.decisions.size), 5 * size)
    assert view.meets_rules(full)[0]
    assert view.meets_rules(full * (1 + ALLOWED / 10))[0]
    assert not view.meets_rules(full * (1 + 10 * ALLOWED))[0]
    assert not view.meets_rules(full * 0 - 10 * ALLOWED * 9 * size)[0]


def test_of_equal_allocations_the_one_that_changes_least(ask: Ask) -> None:
    """Spending b does nothing here: it stays at today's 1, wherever the master problem had put it."""
    problem = ask("curved", {"model.changes": {"effect b": 0}, "decisions.a.bounds": [0, 3]})
    result = optimise(problem, "run", lambda *_: None)
    assert result.tables["decisions"]["value"].tolist() == [3, 1]


def test_a_decision_that_matters_is_not_put_back(ask: Ask) -> None:
    result = optimise(ask("curved", {"model.changes": {"effect b": 1e-4}}), "run", lambda *_: None)
    assert result.tables["decisions"]["value"].tolist() == [16, 16]


def test_the_highest_point_by_a_linear_program(ask: Ask) -> None:
    """Pattern steps alone climb a linear return to the corner that a linear program finds."""
    problem = ask("linear")
    view, archive = view_of(problem), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    slope = view.objective_gradient(archive.gradients[:1])[0]
    bounds = problem.decisions.lower(), problem.decisions.upper()
    best = float(slope @ (solve_linear(slope, problem.rules, *bounds).point - archive.points[0]))
    end = pattern_steps(view, archive.points[0], 1e-9, NEVER)
    gain = float(view.objective(problem.evaluator.values(end[None]).value)[0])
    assert gain == pytest.approx(best, rel=1e-6)
