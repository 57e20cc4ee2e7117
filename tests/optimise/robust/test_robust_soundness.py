"""What a search forgets or reads wrongly makes its answer wrong: last rounds, bests, and early stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdopt.config.robust import Robust
from sdopt.errors import OptimisationError
from sdopt.optimise.robust.bends import Bends
from sdopt.optimise.robust.limit_cuts import Implied
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.question import ask as ask_over
from sdopt.optimise.robust.readings import Reader
from sdopt.optimise.robust.regret import ScenarioBests, _bounded, _first_bests, _work_out, least_regret
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.optimise.robust.solve import Shared, _with_found, share_work, solve
from sdopt.optimise.robust.tangents import Cut
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.result import Status
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

Ask = Callable[..., Problem]
STARTS = np.array([[12.0, 12.0], [1.0, 1.0]])
DATA = Path(__file__).parents[2] / "data" / "robust"
STEEP = {"model.changes": {"support": 3.6, "setback": 7, "support below": 7.5, "price": 3, "effect b": 6}}
FLOOR = {
    "variables": {"Room": 1},
    "at_least": 3,
    "measure": "year_end",
    "years": {"first": 2028, "last": 2028},
}


def scenarios_of(problem: Problem, constants: dict[str, np.ndarray]) -> Scenarios:
    keys = tuple(resolve(name, problem.system).key for name in constants)  # type: ignore[union-attr]
    values = np.array(list(constants.values()), dtype=float)
    count = values.shape[1]
    worlds = (External(CENTRAL, {}, {}),)
    return Scenarios(keys, values, worlds, np.zeros(count, dtype=np.intp), np.arange(count))


def shared_over(
    problem: Problem, constants: dict[str, np.ndarray], starts: np.ndarray, **robust: object
) -> Shared:
    asked = Robust(**{"measures": ("expected",), "gap": 1e-3, **robust})
    reader = Reader(build_ensemble(problem, scenarios_of(problem, constants)))
    return share_work(reader, asked, starts, set())


def planes_of(shared: Shared) -> RobustPlanes:
    question = ask_over(shared.reader.ensemble, Measure("expected", shared.probability), shared.robust)
    return RobustPlanes(question, shared.archive, shared.reader, shared.limit_cuts, shared.left_out)


def uses(count: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {"initial reserve": random.uniform(9, 16, count), "use a": random.uniform(0.6, 1.4, count),
            "use b": random.uniform(0.6, 1.4, count)}  # fmt: skip


@pytest.mark.parametrize("seed", [91, 96, 100, 102])
@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_the_answer_is_that_of_the_rows_there_are_when_rounds_run_out(
    ask: Ask, seed: int, rounds: int
) -> None:
    shared = shared_over(ask("support", STEEP, base=DATA), uses(6, seed), STARTS,
                         probability_limits={"floor": "20%"})  # fmt: skip
    planes = planes_of(shared)
    planes.run(1e-3, rounds, lambda *_: None)
    assert planes.answer is not None
    assert set(planes.answer.constraint_multipliers) == set(planes.master.constraint_of_row.values())
    assert planes.carriers() <= {0, 1}
    assert not planes.carriers() & planes.left_out


def test_a_row_from_plain_tangents_goes_when_its_limit_gets_raised_ones(ask: Ask) -> None:
    shared = shared_over(
        ask("support", {**STEEP, "constraints.floor": FLOOR}, base=DATA), {"price": np.ones(2)}, STARTS
    )
    planes = planes_of(shared)
    slacks = planes.question.view.slacks(shared.archive.values)
    planes.bends = Bends(shared.archive.points, slacks)
    planes.implied = [Implied(frozenset({0}), Cut(-1.0, np.ones(2), np.ones(2)))]
    for point in np.random.default_rng(1).uniform(1, 12, (12, 2)):
        planes.take_in(point)
    assert planes.raised == {0}
    assert planes.implied == []


def test_allocations_of_a_later_search_are_counted(ask: Ask) -> None:
    shared = shared_over(
        ask("orders", {}, base=DATA), {"demand": np.array([4.0, 8.0])}, np.array([[1.0, 1.0], [2.0, 1.0]])
    )
    planes, later = planes_of(shared), planes_of(shared)
    reading = later.take_in(np.array([4.0, 1.0]))
    known = planes.value
    assert _with_found(planes, later).best is reading
    assert known is not None
    assert planes.value == later.value > known
    assert len(planes.allowed) == len(planes.rooms) == len(planes.readings) == len(shared.archive.points)


def test_a_best_that_passes_its_bound_by_rounding_alone_is_proved(ask: Ask) -> None:
    shared = shared_over(
        ask("orders", {}, base=DATA), {"demand": np.array([4.0, 8.0])}, np.array([[1.0, 1.0], [12.0, 1.0]])
    )
    solve(shared, Measure("expected", shared.probability), lambda *_: None)
    bests = _first_bests(shared)
    above = replace(bests, found=bests.bound * (1 + 1e-12))
    assert (_bounded(shared, above).bound == above.found).all()
    far = replace(bests, found=bests.bound * 1.01)
    assert np.isinf(_bounded(shared, far).bound).all()


def test_what_one_scenario_disproves_holds_for_all(ask: Ask) -> None:
    """The floor at central values is the same in both scenarios: the search of one shows that it bends."""
    shared = shared_over(ask("support", {**STEEP, "constraints.floor": FLOOR}, base=DATA),
                         {"price": np.array([2.0, 4.0])}, STARTS)  # fmt: skip
    unknown = ScenarioBests(np.zeros(2), np.full(2, np.inf), np.zeros(2, dtype=bool))
    halved = replace(shared, robust=shared.robust)
    assert halved.disproved == set()
    bests = _work_out(shared, unknown, 0)
    assert bests.worked_out.tolist() == [True, False]
    assert shared.left_out == halved.disproved == {0}


def test_a_stopped_search_does_not_say_that_limits_cannot_hold(ask: Ask) -> None:
    """In the scenarios that were chosen they cannot; others were not tried any more."""
    hopeless = {"initial reserve": np.full(6, -20.0)}
    shared = shared_over(ask("support", {}, base=DATA), hopeless, np.ones((1, 2)),
                         probability_limits={"floor": "20%"})  # fmt: skip
    shared.stop = Stop(interrupted=True)
    with pytest.raises(OptimisationError, match="was stopped before it found"):
        solve(shared, Measure("expected", shared.probability), lambda *_: None)


def test_what_was_found_is_kept_when_a_later_measure_finds_nothing_in_time(ask: Ask) -> None:
    """In one of six scenarios the floor never holds, which is allowed; but regret is not defined there."""
    problem = ask("support", {}, base=DATA)
    scenarios = scenarios_of(problem, {"initial reserve": np.array([-20.0, 12, 13, 14, 15, 16])})
    asked = Robust(measures=("expected", "regret", "worst_case"), probability_limits={"floor": "20%"})
    with pytest.raises(OptimisationError, match="regret is not defined"):
        optimise_robust(problem, scenarios, asked)
    stop = Stop()

    def told(measure: str, *_: object) -> None:
        stop.interrupted = measure == "expected" or stop.interrupted

    answer = optimise_robust(problem, scenarios, asked, told, stop=stop)
    assert [one.measure.name for one in answer.found] == ["expected", "worst_case"]
    assert answer.missing == {"regret": Status.INTERRUPTED}
    result = robust_result(answer)
    assert result.figures["measures_missing"] == ["regret"]
    assert result.status is Status.INTERRUPTED


def test_bests_are_sought_again_when_a_limit_is_disproved_later(ask: Ask) -> None:
    """The second limit never binds, so that proofs can do without; but they must be made anew."""
    changes = {"support": 0, "setback": 0, "effect b": 6, "initial reserve": 14}
    never = {**FLOOR, "at_least": -100}
    limits = {"constraints.floor": FLOOR, "constraints.never": never}
    problem = ask("support", {"model.changes": changes, **limits}, base=DATA)
    (position,) = (k for k, c in enumerate(problem.constraints) if c.functional.name == "never")
    price = np.array([2.0, 3.0, 3.5, 4.0, 5.0, 6.0])
    shared = shared_over(problem, {"price": price}, STARTS)
    searches: list[int] = []

    def progress(iteration: int, *_: object) -> None:
        searches.extend([1] if iteration == 0 else [])
        if len(searches) == 3:  # after one for the mean, and one for regret, bests were worked out
            shared.limit_cuts.disproved.add(position)

    found, bests = least_regret(shared, progress)
    b = np.linspace(1, 12, 11001)
    spent = np.minimum(12, 13 - b)  # Room is 14 + 2 - a - b, at least 3
    best = (price[:, None] * (spent - 1) + 12 * (np.sqrt(b) - 1)).max(axis=1)
    assert len(searches) > 3
    assert (bests.bound >= best - 1e-9).all()
    assert found.gap is not None
    assert found.gap <= shared.robust.gap
