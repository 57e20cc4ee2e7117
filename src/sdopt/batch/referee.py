"""PySD as referee of a job: some runs again, in processes of their own, compared with what was kept."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.batch.job import Job, Outcome
from sdopt.equations.program import TimeGrid
from sdopt.equations.scenarios import usable_cores
from sdopt.equations.workers import ignore_interrupts
from sdopt.errors import ReplayError
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import REPLAY_TOLERANCE, Disagreement, Referee, compare, translated

Floats = NDArray[np.float64]

REFEREED = 32
"""Runs that PySD repeats at least, or all when there are fewer."""
SHARE = 8
"""Runs for which it pays to start a process: it spends seconds on loading PySD."""
SEED = 0
"""Of the sample of runs."""


@dataclass(frozen=True)
class Case:
    """One run to repeat: its position, its constants by key, and what was kept, (output, kept time).

    `paths` are constants that change over time, (steps + 1,) by key.
    """

    run: int
    constants: Mapping[str, float]
    kept: Floats
    paths: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """The largest difference in one run, as a fraction of the variable's largest value in that run.

    `variable` is a key, or empty when there is no difference; `note` says why a run cannot be compared.
    """

    run: int
    largest: float
    variable: str
    time: float
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What PySD found: the positions of the runs it repeated, and the worst of its findings."""

    runs: tuple[int, ...]
    worst: Finding

    @property
    def agrees(self) -> bool:
        """Whether every difference is within rounding."""
        return self.worst.largest <= REPLAY_TOLERANCE


def ranks(outcome: Outcome) -> dict[str, int]:
    """Positions of the runs with the lowest, median (the lower of two) and highest objective.

    Of equal ones the earliest. Runs that failed have no rank; empty when all did.
    """
    failed = np.isin(np.arange(outcome.objective.size), list(outcome.failed))
    ranked = np.flatnonzero(~failed)
    if not ranked.size:
        return {}
    ranked = ranked[np.argsort(outcome.objective[ranked], kind="stable")]
    values = outcome.objective[ranked]
    wanted = {"lowest": values[0], "median": values[(values.size - 1) // 2], "highest": values[-1]}
    return {rank: int(ranked[np.searchsorted(values, value)]) for rank, value in wanted.items()}


def choose_runs(outcome: Outcome, count: int = REFEREED, seed: int = SEED) -> tuple[int, ...]:
    """Positions of the runs to repeat, in order.

    Always those of `ranks` and the first run that failed; the rest is drawn evenly over all other runs,
    one from each of as many stretches.
    """
    chosen = {*ranks(outcome).values(), *sorted(outcome.failed)[:1]}
    return with_sample(chosen, outcome.objective.size, count, seed)


def with_sample(chosen: set[int], runs: int, count: int = REFEREED, seed: int = SEED) -> tuple[int, ...]:
    """Positions chosen of some runs, in order, and as many drawn evenly over the others as make `count`."""
    others = np.setdiff1d(np.arange(runs), list(chosen))
    draws = min(max(count - len(chosen), 0), others.size)
    edges = np.linspace(0, others.size, draws + 1).astype(int)
    generator = np.random.default_rng(seed)
    drawn = {int(others[generator.integers(a, b)]) for a, b in pairwise(edges)}
    return tuple(sorted(chosen | drawn))


def referee(job: Job, runs: Sequence[int], kept: Floats) -> Verdict:
    """Repeat runs in PySD.

    Parameters
    ----------
    runs : positions
    kept : what was kept of them, (output, kept time, run)

    Raises
    ------
    ReplayError
        If PySD cannot run the model at all.
    """
    cases = [Case(run, job.design.constants(run), kept[:, :, k]) for k, run in enumerate(runs)]
    return repeat_cases(job.model, job.grid, job.kept, job.outputs, cases)


def repeat_cases(
    model: SourceModel, grid: TimeGrid, kept: tuple[int, ...], outputs: tuple[str, ...], cases: Sequence[Case]
) -> Verdict:
    """Repeat any runs of a model in PySD; `outputs` (keys) at the grid indices `kept` are compared.

    Raises
    ------
    ReplayError
        If PySD cannot run the model at all.
    """
    findings = list(_in_processes(model, grid, kept, outputs, cases))
    worst = max(findings, key=lambda finding: finding.largest)
    return Verdict(tuple(case.run for case in cases), worst)


def _in_processes(
    model: SourceModel, grid: TimeGrid, kept: tuple[int, ...], outputs: tuple[str, ...], cases: Sequence[Case]
) -> Iterator[Finding]:
    """PySD's models share state between threads, so each process has its own; spawned, as on Windows."""
    workers = min(usable_cores(), -(-len(cases) // SHARE))
    context = multiprocessing.get_context("spawn")
    try:
        with (
            translated(model, grid) as pysd,
            ProcessPoolExecutor(workers, context, ignore_interrupts) as pool,
        ):
            shares = [cases[k::workers] for k in range(workers)]
            waiting = [pool.submit(check_runs, pysd, kept, outputs, share) for share in shares]
            for done in waiting:
                yield from done.result()
    except BrokenProcessPool as error:
        raise ReplayError(f"a process in which PySD repeats runs ended by itself ({error}).") from None


def check_runs(
    pysd: Referee, kept: tuple[int, ...], outputs: tuple[str, ...], cases: Sequence[Case]
) -> list[Finding]:
    """Repeat some runs in this process; see `referee`."""
    return [_check_run(pysd, kept, outputs, case) for case in cases]


def _check_run(pysd: Referee, kept: tuple[int, ...], outputs: tuple[str, ...], case: Case) -> Finding:
    failed = not np.isfinite(case.kept).all()
    try:
        # Where a run fails, any variable may tell when; otherwise what was kept is enough.
        theirs = pysd.run(case.constants, case.paths, None if failed else outputs)
    except ReplayError as error:
        # Division by zero ends a run in PySD; where ours gave inf or nan, that is the same failure.
        return Finding(case.run, 0.0 if failed else np.inf, "", np.nan, str(error))
    end = _finite_times(case.kept, theirs, kept) if failed else len(kept)
    if end is None:
        return Finding(case.run, np.inf, "", np.nan, "PySD's run does not fail.")
    ours = dict(zip(outputs, case.kept[:, :end], strict=True))
    found = compare(ours, theirs.iloc[list(kept[:end])][list(outputs)]) if end else Disagreement("", 0, 0)
    return Finding(case.run, found.largest, found.worst_variable, found.time)


def _finite_times(ours: Floats, theirs: pd.DataFrame, kept: tuple[int, ...]) -> int | None:
    """How many kept times come before a run failed in either; None when it does not fail in PySD.

    What follows is not compared: PySD leaves nan out of a sum.
    """
    finite = np.logical_and.accumulate(np.isfinite(theirs.to_numpy()).all(axis=1))
    if finite.all():
        return None
    return int(np.argmin(np.isfinite(ours).all(axis=0) & finite[list(kept)]))
