"""PySD as referee of a sweep: some runs again, with their constants and allocation, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.job import Outcome as Ranked
from sdopt.batch.referee import Case, Verdict, ranks, repeat_cases, with_sample
from sdopt.config.sweep import NULL
from sdopt.errors import ReplayError
from sdopt.problem.build import constant_values
from sdopt.source_model.read import SourceModel
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, all_rows

Floats = NDArray[np.float64]


def choose_runs(plan: Plan, outcome: Outcome) -> tuple[int, ...]:
    """Positions of the runs to repeat: those with the lowest, median and highest improvement of an
    allocation beside the null alternative, the first that failed, and a sample of all others.
    """
    names = len(plan.names)
    improvement = outcome.improvement[1:].T.ravel()
    sound = Ranked(improvement, dict.fromkeys(np.flatnonzero(~np.isfinite(improvement)).tolist(), ""))
    ranked = [divmod(place, names - 1) for place in ranks(sound).values()]
    chosen = {_position(scenario, place + 1, names) for scenario, place in ranked}
    failed = sorted(_position(scenario, place, names) for place, scenario in outcome.failed)
    return with_sample({*chosen, *failed[:1]}, plan.runs)


def _position(scenario: int, place: int, names: int) -> int:
    return int(scenario) * names + int(place)


def referee(chosen: Sequence[tuple[Plan, tuple[int, ...]]], parts: Parts, model: SourceModel) -> Verdict:
    """Repeat runs, by position in plans of one question, in PySD, and compare what was kept of them.

    The runs of the verdict are positions in all plans after each other.

    Raises
    ------
    ReplayError
        If PySD cannot run the model at all.
    """
    plan = chosen[0][0]
    cases = [case for own, runs in chosen for case in _cases(own, parts, runs)]
    return repeat_cases(model, plan.problem.grid, plan.kept, plan.outputs, cases)


def _cases(plan: Plan, parts: Parts, runs: tuple[int, ...]) -> Iterator[Case]:
    wanted: dict[int, list[int]] = {}
    for run in runs:
        wanted.setdefault(run // len(plan.names), []).append(run)
    for block, rows in all_rows(plan, parts):
        for scenario in range(block.start, block.stop):
            for run in wanted.get(scenario, ()):
                kept = rows.kept[run % len(plan.names), :, :, scenario - block.start]
                yield _case(plan, run, kept.copy())


def _case(plan: Plan, run: int, kept: Floats) -> Case:
    """All that PySD needs: what the question changes, what the scenario draws, and the allocation."""
    scenario, place = divmod(run, len(plan.names))
    problem, one = plan.problem, plan.scenarios.part(slice(scenario, scenario + 1))
    central = constant_values(problem.system)
    paths = {key: path[:, 0] for key, path in one.paths(central, problem.grid.steps + 1).items()}
    paths |= _decided(plan, plan.names[place], scenario)
    drawn = {key: float(value[0]) for key, value in one.constants(central).items()}
    constants = {k: v for k, v in {**problem.changed_constants, **drawn}.items() if k not in paths}
    return Case(plan.before + run, constants, kept, paths)


def _decided(plan: Plan, name: str, scenario: int) -> Mapping[str, Floats]:
    decisions = plan.problem.decisions
    if name == NULL:
        return decisions.null_paths()
    points = plan.allocations[name]
    point = points if points.ndim == 1 else points[scenario]
    return {key: np.asarray(path[:, 0], np.float64) for key, path in decisions.expand(point[None]).items()}


def disagreement(plans: Sequence[Plan], verdict: Verdict) -> ReplayError:
    """What PySD has against the runs of plans, numbered after each other, in words."""
    worst = verdict.worst
    plan = max((one for one in plans if one.before <= worst.run), key=lambda one: one.before)
    scenario, place = divmod(worst.run - plan.before, len(plan.names))
    name = plan.problem.system.variables[worst.variable].name if worst.variable else "how the run ends"
    return ReplayError(
        f"PySD disagrees in run {worst.run + 1} (scenario {plan.numbers[scenario]}, allocation "
        f'"{plan.names[place]}") on {name} at time {worst.time:g}: relative difference '
        f"{worst.largest:.3g}. {worst.note}".rstrip()
    )
