"""Many runs of one model: what is asked, and the simulation of all of it, some runs at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.backends import find_backend
from sdopt.batch.design import Design
from sdopt.batch.names import find_outputs
from sdopt.batch.own_time import kept_steps, own_grid
from sdopt.equations.program import TimeGrid, compile_program
from sdopt.equations.simulate import failures, stream
from sdopt.equations.workers import worthwhile_processes
from sdopt.errors import Complaints, ConfigError
from sdopt.source_model.read import SourceModel

Floats = NDArray[np.float64]
Keep = Callable[[Floats], None]
"""Takes what is kept of the next runs, (output, kept time, run)."""
Progress = Callable[[int, int], None]
"""Takes how many runs are done, of how many."""


@dataclass(frozen=True)
class Job:
    """What is asked: every run of `design`; `outputs` (keys) kept at the grid indices `kept`.

    `objective` (key, one of the outputs) is the variable whose value at the end ranks the runs.
    """

    model: SourceModel
    design: Design
    grid: TimeGrid
    kept: tuple[int, ...]
    outputs: tuple[str, ...]
    objective: str
    backend: str

    @property
    def times(self) -> Floats:
        """The kept times."""
        return self.grid.times[list(self.kept)]


@dataclass
class Outcome:
    """What came of every run: the objective (run,), and why a run failed, by position."""

    objective: Floats
    failed: dict[int, str] = field(default_factory=dict)


def plan_job(
    model: SourceModel,
    design: Design,
    show: Sequence[str] = (),
    objective: str | None = None,
    every: float | None = None,
    backend: str = "numpy",
) -> Job:
    """Resolve all names.

    Parameters
    ----------
    show : names of variables or arrays to keep; all stocks when empty; the objective is always kept
    objective : name of one variable; the first output when None
    every : time between kept times; None is SAVEPER

    Raises
    ------
    ConfigError
        Names every variable the model does not have.
    """
    system, complaints = model.system, Complaints(str(model.path), ConfigError)
    keys = [key for name in show for key in find_outputs(name, "--show", system, complaints)]
    if not show:
        keys = [v.key for v in system.of_kind("stock")] or [v.key for v in system.visible.values()]
    goal = keys[:1]
    if objective is not None:
        goal = find_outputs(objective, "--objective", system, complaints)
        if len(goal) > 1:
            complaints.add(
                "--objective",
                f'"{objective}" is an array; name one element, such as "{system.variables[goal[0]].name}".',
            )
    complaints.raise_if_any()
    grid = own_grid(system.time)
    kept = kept_steps(system.time, grid, every)
    outputs = tuple(dict.fromkeys([*keys, *goal]))
    return Job(model, design, grid, kept, outputs, goal[0], find_backend(backend)[0])


def run_job(
    job: Job, keep: Keep, progress: Progress, threads: int | None = None, processes: int | None = None
) -> Outcome:
    """Simulate all runs; memory does not grow with their number, apart from the design itself.

    Machine code runs in threads, NumPy in processes when that saves time (or in as many as are given).
    Runs that give inf or nan are kept as they are, and reported.

    Raises
    ------
    SimulationError
        If the model cannot be simulated with these constants as inputs.
    """
    system, runs = job.model.system, job.design.runs
    program = compile_program(system, job.grid, job.outputs, job.design.keys, job.kept)
    constants = dict(zip(job.design.keys, job.design.values, strict=True))
    goal = job.outputs.index(job.objective)
    outcome = Outcome(np.empty(runs))
    backend = find_backend(job.backend)[1]
    if processes is None:
        processes = worthwhile_processes(program, runs) if job.backend == "numpy" and threads is None else 1
    for block, result in stream(
        program, constants, scenarios=runs, threads=threads, processes=processes, backend=backend
    ):
        outcome.objective[block] = result[goal, -1]
        outcome.failed |= {block.start + k: why for k, why in failures(program, result).items()}
        keep(result)
        progress(block.stop, runs)
    return outcome
