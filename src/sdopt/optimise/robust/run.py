"""The door: robust allocations of a problem under scenarios, with what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import MeasureName, Robust, share
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.crew import Crew
from sdopt.optimise.replay_check import replay_checked
from sdopt.optimise.robust import tables
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.question import ask
from sdopt.optimise.robust.readings import Reader, Reading, without_failed
from sdopt.optimise.robust.regret import ScenarioBests, least_regret
from sdopt.optimise.robust.solve import RobustFound, Shared, share_work, solve
from sdopt.optimise.search import Found, search
from sdopt.optimise.stopping import NEVER, STOPPED, Stop
from sdopt.optimise.tables import paths_of
from sdopt.problem.build import Problem
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import translated
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]

Told = Callable[[str, int, float | None, float, float | None], None]
"""Called with the measure, the round, the best so far, its bound and the gap."""


@dataclass(frozen=True)
class RobustAnswer:
    """The best allocation by every measure that was asked, and what they are compared with.

    `missing` are measures that have none because the search was stopped before one was found: how it was.
    """

    problem: Problem
    ensemble: Ensemble
    failed: int
    nominal: Found
    found: tuple[RobustFound, ...]
    compared: tables.Compared
    missing: Mapping[MeasureName, Status] = field(default_factory=dict)


def optimise_robust(
    problem: Problem,
    scenarios: Scenarios,
    robust: Robust,
    told: Told = lambda *_: None,
    bests: ScenarioBests | None = None,
    stop: Stop = NEVER,
) -> RobustAnswer:
    """The best allocation over scenarios by every measure of a config.

    Scenarios in which the null alternative gives inf or nan are left out, and counted. `bests` are what
    scenarios can give by themselves, for regret; they are worked out where needed when absent. When `stop`
    says so, every measure gets the best that is known by then, with its bound; one that has none is missing.

    Raises
    ------
    OptimisationError
        When no allocation is allowed, at central values or in as many scenarios as asked; or none was found
        by any measure before it was stopped.
    SimulationError
        When the model gives inf or nan for an allowed allocation.
    """
    if problem.decisions.programmes:
        raise OptimisationError("robust allocations cannot choose programmes yet; leave out `programmes`.")
    whole = build_ensemble(problem, scenarios)
    ensemble = without_failed(whole)
    nominal = _nominal(problem, told, stop)
    reader = Reader(ensemble)
    starts = np.array([nominal.point, problem.decisions.null_vector()])
    shared = share_work(reader, robust, starts, set(nominal.planes.left_out), stop)
    found: list[RobustFound] = []
    missing: dict[MeasureName, Status] = {}
    for name in robust.measures:
        try:
            one, bests = _best_by(name, shared, told, bests)
        except OptimisationError:
            stopped = stop.reason()
            if stopped is None or not found:
                raise
            missing[name] = stopped
        else:
            found.append(one)
    compared = _compare(problem, shared, nominal, found, bests)
    failed = whole.count - ensemble.count
    return RobustAnswer(problem, ensemble, failed, nominal, tuple(found), compared, missing)


def _nominal(problem: Problem, told: Told, stop: Stop) -> Found:
    """The best allocation at central values."""
    archive = Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    view = View(problem, problem.objective_rows)
    settings = problem.config.search
    return search(view, archive, settings, lambda *step: told("central", *step), Crew(stop=stop))


def _best_by(
    name: MeasureName, shared: Shared, told: Told, bests: ScenarioBests | None
) -> tuple[RobustFound, ScenarioBests | None]:
    def progress(iteration: int, best: float | None, bound: float, gap: float | None) -> None:
        told(name, iteration, best, bound, gap)

    if name == "regret":
        return least_regret(shared, progress, bests)
    return solve(shared, Measure(name, shared.probability, share(shared.robust.tail)), progress), bests


def _compare(
    problem: Problem,
    shared: Shared,
    nominal: Found,
    found: list[RobustFound],
    bests: ScenarioBests | None,
) -> tables.Compared:
    null = problem.decisions.null_vector()
    ensemble = shared.reader.ensemble
    nothing = Reading(null, np.zeros(ensemble.count), ensemble.slacks(ensemble.null_values))
    readings: dict[str, Reading] = {
        tables.NULL: nothing,
        tables.ADVICE: shared.reader.read(nominal.point),
        **{one.measure.name: one.reading for one in found},
    }
    tail = share(shared.robust.tail)
    question = ask(ensemble, Measure("expected", shared.probability), shared.robust)
    return tables.Compared(problem, question, tail, readings, bests)


def robust_result(answer: RobustAnswer, model: SourceModel | None = None) -> Result:
    """What was found as tables; with a model every allocation is replayed in PySD at central values.

    Raises
    ------
    ReplayError
        When PySD gives other numbers.
    """
    problem, compared, found = answer.problem, answer.compared, answer.found
    measures = tables.measure_table(compared)
    return Result(
        status=weakest([*(one.status for one in found), *answer.missing.values()]),
        title=problem.config.title,
        language=problem.config.output.language,
        figures={
            "objective_unit": problem.objective_unit,
            "seed": problem.config.search.seed,
            "scenarios": answer.ensemble.count,
            "failed_scenarios": answer.failed,
            "tail": compared.tail,
            "gap_tolerance": problem.config.robust.gap,
            "advice_status": answer.nominal.status.key,
            "null_objective": problem.null_objective,
            "bound_leaves_out": sorted({name for one in found for name in tables.left_out(one, problem)}),
            **({"measures_missing": list(answer.missing)} if answer.missing else {}),
            **(_replayed(answer, model) if model else {}),
        },
        tables={
            "robust_measures": measures,
            "robust_price": tables.price_table(measures, found, problem.objective_unit),
            "robust_proof": tables.proof_table(found, problem),
            "robust_limits": tables.limit_table(compared),
            "robust_allocations": tables.allocation_table(compared),
            "robust_scenarios": tables.scenario_table(compared),
            "robust_search": tables.search_table(found),
            "robust_audit": tables.audit_table(found),
        },
    )


def weakest(statuses: Iterable[Status]) -> Status:
    """The status that claims least."""
    return min(statuses, key=(*reversed(STOPPED), Status.LOCAL, Status.ITERATION_LIMIT, Status.OPTIMAL).index)


def _replayed(answer: RobustAnswer, model: SourceModel) -> dict[str, float]:
    problem = answer.problem
    with translated(model, problem.grid) as referee:
        runs = [
            replay_checked(referee, problem, paths_of(problem, reading.point), f'allocation "{name}": ')
            for name, reading in answer.compared.readings.items()
        ]
    return {"replay_max_relative_difference": max(run.difference for run in runs)}
