"""`sdopt simulate MODEL --runs`: many runs of one model, refereed by PySD, in a new folder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sdopt.batch.design import read_design
from sdopt.batch.job import Job, Outcome, plan_job, run_job
from sdopt.batch.referee import SEED, Verdict, choose_runs, ranks, referee
from sdopt.errors import ExportError, ReplayError
from sdopt.export.folder import as_json, aside, check_writable, flush
from sdopt.export.model_run import integration
from sdopt.export.provenance import run_facts, versions
from sdopt.export.runs_files import Trajectories, read_back, write_runs
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, REPLAY_TOLERANCE

NAMED = 10
"""Failed runs that are named; the rest is counted."""


def simulate_runs(
    model: SourceModel,
    runs: Path,
    output: Path,
    show: Sequence[str] = (),
    objective: str | None = None,
    every: float | None = None,
    backend: str = "numpy",
) -> str:
    """Simulate every row of a table, let PySD repeat some, and write a new folder; what was found, in words.

    Parameters
    ----------
    runs : table of runs, see `read_design`
    output : folder to make: `trajectories.parquet`, `runs.parquet` and `run.json`
    show, objective, every, backend : see `plan_job`

    Raises
    ------
    ConfigError
        If the table or a name is wrong.
    ExportError
        If `output` exists or cannot be written; after Ctrl-C, when finished runs are kept in it.
    ReplayError
        If PySD gives other numbers; the folder is written all the same.
    """
    started = datetime.now(UTC)
    _check_new(output)
    job = plan_job(model, read_design(runs, model.system), show, objective, every, backend)
    try:
        output.absolute().parent.mkdir(parents=True, exist_ok=True)
        with aside(output.absolute().parent) as folder:
            try:
                outcome, verdict = _run(job, folder)
            except KeyboardInterrupt:
                flush(folder)
                folder.rename(output)
                raise ExportError(
                    f"interrupted: the finished runs, from the first row on, are in {output}. They were not "
                    "all checked by PySD, and there is no run.json."
                ) from None
            facts = _facts(job, outcome, verdict)
            (folder / "run.json").write_text(
                as_json({**facts, **run_facts(started), "runs_file": runs.name}), "utf-8", newline="\n"
            )
            flush(folder)
            _check_new(output)
            folder.rename(output)
    except OSError as error:
        raise ExportError(f"{output}: cannot be written ({error.strerror or error}).") from error
    _raise_on_disagreement(job, verdict, output)
    return _summary(job, outcome, verdict, output)


def _check_new(output: Path) -> None:
    if output.exists():
        raise ExportError(f"{output} exists already and is not overwritten. Give another --output.")
    check_writable(output.absolute().parent)


def _run(job: Job, folder: Path) -> tuple[Outcome, Verdict | ReplayError]:
    """All runs, written to `folder`; and what PySD says of what was written."""
    table = folder / "trajectories.parquet"
    with _interrupts_wait() as asked, Trajectories(table, job) as trajectories:

        def progress(done: int, total: int) -> None:
            _progress(done, total)
            if asked():
                raise KeyboardInterrupt

        outcome = run_job(job, trajectories.add, progress)
    chosen = choose_runs(outcome)
    write_runs(folder / "runs.parquet", job, outcome, chosen)
    try:
        return outcome, referee(job, chosen, read_back(table, job, chosen))
    except ReplayError as error:
        return outcome, error


@contextmanager
def _interrupts_wait() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was asked for; it takes effect between blocks, where the table is whole."""
    asked: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _progress(done: int, total: int) -> None:
    """One line on the terminal; silent when not a terminal."""
    if sys.stderr.isatty():
        end = "; PySD repeats some\n" if done == total else ""
        sys.stderr.write(f"\r{done:,} of {total:,} runs{end}")
        sys.stderr.flush()


def _facts(job: Job, outcome: Outcome, verdict: Verdict | ReplayError) -> dict[str, Any]:
    """What run.json holds beside when and where."""
    system, times = job.model.system, job.times
    return {
        "model_file": job.model.path.name,
        "model_hash": job.model.sha256,
        "runs_hash": job.design.sha256,
        "runs": job.design.runs,
        "constants": [system.variables[key].name for key in job.design.keys],
        "outputs": [system.variables[key].name for key in job.outputs],
        "kept_times": {"first": times[0], "last": times[-1], "count": len(times)},
        "integration": integration(system, job.grid),
        "backend": job.backend,
        "objective": {"variable": system.variables[job.objective].name, **_ranked(outcome)},
        "failed_runs": len(outcome.failed),
        "first_failures": {str(run + 1): why for run, why in _first_failures(outcome).items()},
        "referee": _referee_facts(job, verdict),
        "seed": SEED,
        "versions": versions("pyarrow", "llvmlite"),
    }


def _ranked(outcome: Outcome) -> dict[str, dict[str, float]]:
    return {
        rank: {"run": run + 1, "value": float(outcome.objective[run])} for rank, run in ranks(outcome).items()
    }


def _first_failures(outcome: Outcome) -> Mapping[int, str]:
    return {run: outcome.failed[run] for run in sorted(outcome.failed)[:NAMED]}


def _referee_facts(job: Job, verdict: Verdict | ReplayError) -> dict[str, Any]:
    facts = {"what": CHECKED[job.model.system.time.method], "tolerance": REPLAY_TOLERANCE}
    if isinstance(verdict, ReplayError):
        return {**facts, "agrees": None, "runs": [], "note": str(verdict)}
    worst = verdict.worst
    return {
        **facts,
        "agrees": verdict.agrees,
        "runs": [run + 1 for run in verdict.runs],
        "largest_relative_difference": worst.largest,
        "variable": _name(job, worst.variable),
        "time": worst.time,
        "run": worst.run + 1,
        "note": worst.note,
    }


def _name(job: Job, key: str) -> str | None:
    return job.model.system.variables[key].name if key else None


def _raise_on_disagreement(job: Job, verdict: Verdict | ReplayError, output: Path) -> None:
    if isinstance(verdict, ReplayError):
        raise ReplayError(f"{verdict} The results are in {output}, unchecked.") from verdict
    if verdict.agrees:
        return
    worst = verdict.worst
    raise ReplayError(
        f'{job.model.path}: PySD disagrees in run {worst.run + 1} on "{_name(job, worst.variable)}" at time '
        f"{worst.time:g}: relative difference {worst.largest:.3g}, allowed {REPLAY_TOLERANCE:g}. "
        f"{worst.note}\nThe results are kept in {output}; do not rely on them, and please report the model."
    )


def _summary(job: Job, outcome: Outcome, verdict: Verdict | ReplayError, output: Path) -> str:
    """What was done and found, for the terminal."""
    system = job.model.system
    goal = system.variables[job.objective]
    lines = [
        f"{job.design.runs:,} runs of {job.model.path}; {len(job.outputs)} outputs at {len(job.kept)} times",
        f"integration  {integration(system, job.grid)}; computed by {job.backend}",
        f"objective    {goal.name} at {job.grid.times[-1]:g} ({goal.unit})",
        *(
            f"  {rank:9s}  {found['value']:,.6g} (run {found['run']})"
            for rank, found in _ranked(outcome).items()
        ),
        f"failed       {_failed(outcome)}",
    ]
    if isinstance(verdict, Verdict):
        worst = verdict.worst
        where = f' ("{_name(job, worst.variable)}" at {worst.time:g}, run {worst.run + 1})'
        lines += [
            f"PySD         agrees in {len(verdict.runs)} runs: largest relative difference "
            f"{worst.largest:.1e}{where if worst.variable else ''}",
            f"             {CHECKED[system.time.method]}; every kept value was compared",
        ]
    return "\n".join([*lines, f"results      {output}"])


def _failed(outcome: Outcome) -> str:
    """Which runs gave inf or nan, and why the first did."""
    if not outcome.failed:
        return "none"
    first, why = next(iter(_first_failures(outcome).items()))
    more = ", ".join(str(run + 1) for run in _first_failures(outcome))
    more += f" and {len(outcome.failed) - NAMED} more" if len(outcome.failed) > NAMED else ""
    return f"{len(outcome.failed):,} (runs {more}); in run {first + 1} {why}"
