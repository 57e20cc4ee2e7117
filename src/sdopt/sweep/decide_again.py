"""What a config asks under `robust.decide_again`: decide now, learn, decide again; as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sdopt.config.robust import EXTERNAL, DecideAgain
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.replay_check import replay_checked
from sdopt.optimise.robust.readings import without_failed
from sdopt.optimise.robust.run import RobustAnswer, weakest
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.optimise.tables import paths_of
from sdopt.problem.build import Problem
from sdopt.problem.meaning import resolve
from sdopt.result import Result
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import translated
from sdopt.sweep.adaptive import Adaptive, adapt, adaptive_table, adaptive_value_table
from sdopt.sweep.stages import Learned, learn, learn_external
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import draw_scenarios
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

TOLD = "again"
"""What the search is called where its progress is told."""


def scenarios_and_groups(problem: Problem, again: DecideAgain) -> tuple[Scenarios, Learned]:
    """The scenarios that count, and what is learned of each: worked out before anything is searched.

    Raises
    ------
    ConfigError
        When what is learned has too few different values for as many groups.
    OptimisationError
        When the null alternative fails in every scenario.
    """
    drawn = draw_scenarios(problem, "latin hypercube", again.scenarios, problem.config.search.seed)
    scenarios = without_failed(build_ensemble(problem, drawn)).scenarios
    if again.of_external:
        return scenarios, learn_external(scenarios)
    found = resolve(again.learn, problem.system)
    return scenarios, learn(scenarios, found.key if found else again.learn, again.groups)


def decide_again(
    again: DecideAgain,
    scenarios: Scenarios,
    learned: Learned,
    known: RobustAnswer,
    progress: Progress = lambda *_: None,
    stop: Stop = NEVER,
) -> Adaptive:
    """The best fixed path and the best way to decide again, from the allocations that are known.

    Raises
    ------
    OptimisationError, SimulationError
        When no allocation is allowed, or the model gives inf or nan for one that is.
    """
    problem = known.problem
    robust = problem.config.robust
    best = next((one for one in known.found if one.measure.name == "expected"), None)
    starts = [known.nominal.point, problem.decisions.null_vector(), *([best.reading.point] if best else [])]
    central = robust.limits == "central" and not robust.probability_limits
    fixed = best if central and _same(scenarios, known.ensemble.scenarios) else None
    left_out = set(known.nominal.planes.left_out)
    at, points = again.year, np.array(starts)
    return adapt(problem, scenarios, learned, at, robust, points, left_out, progress, fixed, stop)


def _same(one: Scenarios, other: Scenarios) -> bool:
    """Whether two sets of scenarios of one config are the same draws."""
    same = np.array_equal(one.draw, other.draw) and np.array_equal(one.world, other.world)
    return same and np.array_equal(one.values, other.values)


def with_again(result: Result, found: Adaptive, model: SourceModel) -> Result:
    """The result with the tables of deciding again; every path is replayed in PySD at central values.

    Raises
    ------
    ReplayError
        When PySD gives other numbers.
    """
    problem = found.problem
    tables: dict[str, DataFrame] = {
        "robust_adaptive": adaptive_table(found),
        "robust_adaptive_value": adaptive_value_table(found),
    }
    difference = max(_replayed(found, model), result.figures.get("replay_max_relative_difference", 0.0))
    figures = {
        "decide_again_year": found.year,
        "decide_again_learnt": _learnt(problem, found.learned),
        "decide_again_groups": found.learned.count,
        "decide_again_scenarios": found.scenarios.count,
        "replay_max_relative_difference": difference,
    }
    status = weakest((result.status, found.fixed.status, found.adaptive.status))
    whole = Result(**{**vars(result), "status": status, "figures": {**result.figures, **figures}})
    return whole.with_tables(**tables)


def _learnt(problem: Problem, learned: Learned) -> str:
    """The name of what is learned, as the model writes it."""
    return EXTERNAL if learned.names else problem.system.variables[learned.key].name


def _replayed(found: Adaptive, model: SourceModel) -> float:
    problem, groups = found.problem, range(found.learned.count)
    paths = {"fixed path": found.fixed.reading.point}
    paths |= {f"decide again, group {group + 1}": found.of_group(group) for group in groups}
    with translated(model, problem.grid) as referee:
        return max(
            replay_checked(referee, problem, paths_of(problem, point), f'allocation "{name}": ').difference
            for name, point in paths.items()
        )
