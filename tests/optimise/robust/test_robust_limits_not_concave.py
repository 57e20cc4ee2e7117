"""A limit that is not concave in one of its years: what rested on it must go, or the bound is too low."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdopt.config.robust import Robust
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.question import ask as ask_over
from sdopt.optimise.robust.readings import Reader
from sdopt.optimise.robust.run import RobustAnswer
from sdopt.optimise.robust.solve import Shared, share_work
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

Ask = Callable[..., Problem]
Solve = Callable[..., RobustAnswer]
DATA = Path(__file__).parents[2] / "data" / "robust"
SUPPORT, SETBACK, BELOW = 3.6, 7.0, 7.5
CHANGES = {
    "model.changes": {
        "support": SUPPORT, "setback": SETBACK, "support below": BELOW, "price": 3, "effect b": 6,
    }
}  # fmt: skip
SHARE = 0.2


def drawn(seed: int) -> dict[str, np.ndarray]:
    """Constants (scenario,) by name."""
    random = np.random.default_rng(seed)
    count, middle, width = int(random.integers(3, 9)), random.uniform(9, 16), random.uniform(0.2, 4)
    return {
        "initial reserve": random.uniform(middle - width, middle + width, count),
        "use a": random.uniform(0.6, 1.4, count),
        "use b": random.uniform(0.6, 1.4, count),
    }


def truth(constants: dict[str, np.ndarray]) -> float:
    """The best of a grid, reckoned by hand: a year of 2 in and what is spent out, before and after it."""
    a, b = (one.ravel()[:, None] for one in np.meshgrid(np.linspace(1, 12, 221), np.linspace(1, 12, 221)))
    start, use_a, use_b = constants.values()
    first = start + (2 - use_a - use_b) + (2 - use_a * a - use_b * b)
    second = first + (2 - use_a - use_b)
    room = second - SETBACK + SUPPORT * np.maximum(0.0, BELOW - second)
    broken = ((first < 3) | (room < 3)).mean(axis=1)
    value = 3 * (a - 1) + 2 * 6 * (np.sqrt(b) - 1)
    return float(value[broken <= SHARE + 1e-12].max(initial=-np.inf))


def scenarios_of(problem: Problem, constants: dict[str, np.ndarray]) -> Scenarios:
    keys = tuple(resolve(name, problem.system).key for name in constants)  # type: ignore[union-attr]
    values, count = np.array(list(constants.values())), len(constants["use a"])
    return Scenarios(
        keys, values, (External(CENTRAL, {}, {}),), np.zeros(count, dtype=np.intp), np.arange(count)
    )


def searched(ask_problem: Ask, constants: dict[str, np.ndarray]) -> tuple[Shared, RobustPlanes]:
    """One search for the bound, which leaves open in which scenarios the limit is broken."""
    problem = ask_problem("support", CHANGES, base=DATA)
    reader = Reader(build_ensemble(problem, scenarios_of(problem, constants)))
    robust = Robust(measures=("expected",), gap=1e-3, probability_limits={"floor": f"{100 * SHARE:g}%"})
    shared = share_work(reader, robust, np.array([[12.0, 12.0], [1.0, 1.0]]), set())
    question = ask_over(reader.ensemble, Measure("expected", shared.probability), robust)
    planes = RobustPlanes(question, shared.archive, reader, shared.limit_cuts, shared.left_out)
    planes.run(robust.gap, robust.iterations, lambda *_: None)
    return shared, planes


@pytest.mark.parametrize("seed", [91, 95, 96, 100, 102, 109])
def test_a_row_goes_with_the_limit_that_it_rests_on(ask: Ask, seed: int) -> None:
    """The floor holds at the end of 2027 and of 2028; only in 2028 support makes it not concave.

    Rows that the probability implies rest on tangents of both. Without those of 2028 no bound may be below
    what some allocation of a grid attains.
    """
    constants = drawn(seed)
    shared, planes = searched(ask, constants)
    assert planes.bound >= truth(constants) - 1e-9
    assert planes.left_out == {1}
    assert not any(row.rests_on & shared.disproved for row in planes.implied)


@pytest.mark.parametrize("seed", [100, 109])
def test_the_bound_of_the_answer_is_not_below_a_grid(robust: Solve, seed: int) -> None:
    constants: dict[str, Any] = drawn(seed)
    found = robust(
        constants, "expected", changes=CHANGES, name="support", gap=1e-3,
        probability_limits={"floor": f"{100 * SHARE:g}%"},
    ).found[0]  # fmt: skip
    best = truth(constants)
    assert found.bound is not None
    assert found.bound >= best - 1e-9
    assert 0 < found.value <= found.bound


def test_what_is_left_of_a_limit_still_bounds(robust: Solve) -> None:
    """The year that is concave keeps its rows: the bound is far below that without any limit."""
    found = robust(
        drawn(100), "expected", changes=CHANGES, name="support", gap=1e-3,
        probability_limits={"floor": f"{100 * SHARE:g}%"},
    ).found[0]  # fmt: skip
    assert found.left_out == {1}
    assert found.leaning == {0}
    without_limits = 3 * 11 + 12 * (np.sqrt(12) - 1)
    assert found.bound is not None
    assert found.bound < 0.6 * without_limits


def test_a_best_of_nothing_is_known(ask: Ask) -> None:
    """Zero is a number: the null alternative, which is allowed, reaches it."""
    constants = {"initial reserve": np.array([11.0, 12.0, 13.0]), "use a": np.ones(3), "use b": np.ones(3)}
    problem = ask("support", {"model.changes": {"price": 0, "effect b": 0}}, base=DATA)
    reader = Reader(build_ensemble(problem, scenarios_of(problem, constants)))
    shared = share_work(reader, Robust(measures=("expected",)), problem.decisions.null_vector()[None], set())
    question = ask_over(reader.ensemble, Measure("expected", shared.probability), shared.robust)
    planes = RobustPlanes(question, shared.archive, reader, shared.limit_cuts, shared.left_out)
    assert planes.value == 0.0
    assert planes.known == 0.0
