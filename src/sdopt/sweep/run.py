"""The door of the room: plan a sweep, and run what is left of it, keeping every block once it is done."""

from __future__ import annotations

from collections.abc import Callable

from sdopt.equations.workers import worthwhile_processes
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem
from sdopt.sweep.allocations import Advice, allocations_of
from sdopt.sweep.executors import Spread, in_processes, in_this_process, in_threads
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan, outputs_of
from sdopt.sweep.rows import as_arrays, part_name, recalled, rows_of
from sdopt.uncertainty.sample import draw_scenarios

Progress = Callable[[int, int, int], None]
"""Takes how many runs are done, how many of those now, and how many there are."""


def plan_sweep(problem: Problem, advice: Advice, backend: str = "numpy") -> Plan:
    """The sweep that a config asks for.

    Raises
    ------
    ConfigError
        When an allocation or an uncertainty does not fit the question.
    """
    asked, seed = problem.config.sweep, problem.config.search.seed
    scenarios = draw_scenarios(problem, asked.design, asked.scenarios, seed, levels=asked.levels)
    allocations = allocations_of(problem, advice)
    return Plan(problem, asked.design, scenarios, allocations, outputs_of(problem), backend)


def run_blocks(plan: Plan, parts: Parts, spread: Spread, progress: Progress, stop: Stop = NEVER) -> bool:
    """Simulate every block that has no sound part, and keep it; whether all are done.

    It is not when `stop` says so, between two blocks.

    Raises
    ------
    ExportError
        When a part cannot be written; the others stay.
    SimulationError
        When the model cannot be simulated, or a process ended by itself.
    """
    left = [number for number in range(len(plan.blocks)) if recalled(plan, parts, number) is None]
    runs = {number: _runs(plan, number) for number in range(len(plan.blocks))}
    before = done = sum(runs.values()) - sum(runs[number] for number in left)
    progress(done, 0, plan.runs)
    unfinished = set(left)
    for simulated in spread(plan.simulation(), (plan.block(number) for number in left)):
        parts.keep(part_name(plan, simulated.number), as_arrays(plan, rows_of(plan, simulated)))
        unfinished.discard(simulated.number)
        done += runs[simulated.number]
        progress(done, done - before, plan.runs)
        if stop.reason() is not None:
            break
    return not unfinished


def _runs(plan: Plan, number: int) -> int:
    block = plan.blocks[number]
    return int(block.stop - block.start) * len(plan.names)


def local_workers(plan: Plan, workers: int | None) -> Spread:
    """Workers on this machine: as many as asked for, or as save time."""
    count = worthwhile_processes(plan.program, plan.runs) if workers is None else workers
    if count == 1 or len(plan.blocks) == 1:
        return in_this_process
    return in_processes(count) if plan.backend == "numpy" else in_threads(count)
