"""`sdopt sweep CONFIG`: every allocation in every scenario, refereed by PySD, in a new results folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from sdopt.batch.backends import find_backend
from sdopt.batch.referee import Verdict
from sdopt.config.load import LoadedConfig
from sdopt.config.sheets.source import is_table
from sdopt.errors import ExportError, ReplayError
from sdopt.export.console import Progress
from sdopt.export.findings import findings_summary, sweep_result, write_findings
from sdopt.export.folder import as_json, check_writable, flush, readme, write_folder
from sdopt.export.labels import Labels
from sdopt.export.progress import SweepProgress
from sdopt.export.provenance import run_facts, table_hash, versions, with_provenance
from sdopt.export.sweep_summary import sweep_summary
from sdopt.export.tables import write_csv
from sdopt.export.unfinished import checkpoint, question_key, sweep_notes
from sdopt.optimise.stopping import NEVER, Stop, stop_on_interrupt
from sdopt.problem.build import Problem
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, REPLAY_TOLERANCE
from sdopt.sweep.allocations import Advice, find_advice, given_advice
from sdopt.sweep.cluster import how_it_computes
from sdopt.sweep.executors import Spread
from sdopt.sweep.hindsight import FOLDER, Hindsight, beside_tables, look_back
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.referee import choose_runs, disagreement, referee
from sdopt.sweep.reoptimise import Bests, figures_of, is_asked, local_searchers, re_optimise, tables_of
from sdopt.sweep.rows import Outcome, outcome_of
from sdopt.sweep.run import local_workers, plan_sweep, run_blocks
from sdopt.sweep.statistics import allocation_table
from sdopt.sweep.tables import write_tables
from sdopt.uncertainty.sample import drawn_constants

if TYPE_CHECKING:
    from pandas import DataFrame

Judged: TypeAlias = Verdict | ReplayError
"""What PySD found, or why it cannot run the model."""

NAMED = 10
"""Failed runs that are named; the rest is counted."""


@dataclass(frozen=True)
class Asked:
    """How a sweep is to be run: where results go, and whether, by whom and how to go on."""

    root: Path
    resume: bool = False
    workers: int | None = None
    backend: str = "numpy"
    spread: Spread | None = None
    """Who works, in stead of `workers` on this machine."""


def sweep(loaded: LoadedConfig, model: SourceModel, problem: Problem, asked: Asked) -> str | None:
    """Run a sweep and write a new folder; what was found in words, or None after Ctrl-C.

    Raises
    ------
    ConfigError
        When an allocation or an uncertainty does not fit the question.
    ExportError
        When a part or the folder cannot be written. Finished parts are kept, for `resume`.
    ReplayError
        When PySD gives other numbers; the folder is written all the same.
    """
    with stop_on_interrupt() as stop:
        done = run_sweep(loaded, model, problem, asked, stop)
    if done is None:
        return None
    found, verdict, folder = done
    return sweep_summary(found.plan, found.outcome, found.bests, verdict, folder)


def run_sweep(
    loaded: LoadedConfig, model: SourceModel, problem: Problem, asked: Asked, stop: Stop = NEVER
) -> tuple[Found, Verdict, Path] | None:
    """The same: what was found, what PySD says, and the new folder; None when `stop` said so."""
    started = datetime.now(UTC)
    find_backend(asked.backend)
    check_writable(asked.root)
    question = question_key(loaded, model)
    key = sha256(f"{question} {asked.backend} {how_it_computes()}".encode()).hexdigest()
    with Parts(asked.root, key, resume=asked.resume) as parts:
        for line in sweep_notes(parts, loaded, question):
            click.echo(line, err=True)
        advice = given_advice(problem) or _found_advice(loaded, model, problem, parts, asked, stop)
        if not advice.finished:
            return None
        plan = plan_sweep(problem, advice, asked.backend)
        with SweepProgress() as progress:
            spread = asked.spread or local_workers(plan, asked.workers)
            if not run_blocks(plan, parts, spread, progress, stop):
                return None
        bests = None
        if is_asked(problem):
            with SweepProgress("scenarios re-optimised") as progress:
                spread = asked.spread or local_searchers(asked.workers)
                bests = re_optimise(problem, plan.scenarios, advice.point, parts, spread, progress, stop)
            if bests is None:
                return None
        back = None if bests is None else look_back(plan, bests, parts)
        found = Found(loaded, model, plan, advice, outcome_of(plan, parts), started, bests, back)
        folder, verdict = write_sweep(found, parts, asked.root)
        parts.finished = True
    return found, agreed(found.plans, verdict, folder), folder


def agreed(plans: Sequence[Plan], verdict: Judged, folder: Path) -> Verdict:
    """The verdict of PySD on results in a folder.

    Raises
    ------
    ReplayError
        When it cannot run the model, or gives other numbers.
    """
    if isinstance(verdict, ReplayError):
        raise ReplayError(f"{verdict} The results are in {folder}, unchecked.") from verdict
    if not verdict.agrees:
        raise ReplayError(f"{disagreement(plans, verdict)}\nDo not rely on the results, in {folder}.")
    return verdict


def _found_advice(
    loaded: LoadedConfig, model: SourceModel, problem: Problem, parts: Parts, asked: Asked, stop: Stop
) -> Advice:
    """The advice, with a memory of its own on disk for when the search for it is stopped."""
    from sdopt.optimise.crew import Crew

    with checkpoint(asked.root, loaded, model, asked.resume) as memory, Progress() as progress:
        memory.finished = False
        advice = find_advice(problem, parts, memory, Crew(asked.workers or 1, stop), progress)
        memory.finished = advice.finished
    return advice


@dataclass(frozen=True)
class Found:
    """All that is written of a sweep, beside its parts."""

    loaded: LoadedConfig
    model: SourceModel
    plan: Plan
    advice: Advice
    outcome: Outcome
    started: datetime
    bests: Bests | None
    back: Hindsight | None = None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """All that was run, in the order of the run numbers."""
        return (self.plan, self.back.plan) if self.back else (self.plan,)


def folder_title(problem: Problem) -> str:
    """What the folder of a sweep is called by."""
    return f"sweep {problem.config.title}"


def write_sweep(found: Found, parts: Parts, root: Path) -> tuple[Path, Judged]:
    """A new folder under `root`, and what PySD says; it repeats runs while the tables are written.

    Raises
    ------
    ExportError
        When the folder cannot be written.
    """
    chosen = choose_runs(found.plan, found.outcome)
    with ThreadPoolExecutor(1) as pool:
        judged = pool.submit(_judge, found, parts, chosen)
        try:
            folder = write_folder(
                root,
                folder_title(found.plan.problem),
                lambda folder: _write(found, chosen, judged, parts, folder),
            )
        except ExportError as error:
            raise ExportError(f"{error} All runs are kept in {parts.folder}: give --resume then.") from error
        return folder, judged.result()


def _judge(found: Found, parts: Parts, chosen: tuple[int, ...]) -> Judged:
    """PySD's verdict, or why it cannot run the model."""
    try:
        beside = [(found.back.plan, found.back.chosen)] if found.back else []
        return referee([(found.plan, chosen), *beside], parts, found.model)
    except ReplayError as error:
        return error


def _write(found: Found, chosen: tuple[int, ...], judged: Future[Judged], parts: Parts, folder: Path) -> None:
    """All files, on disk; only run.json holds when and where."""
    plan, outcome = found.plan, found.outcome
    bests = tables_of(plan, outcome, found.bests) if found.bests is not None else {}
    if found.back is not None:
        bests |= beside_tables(found.back, parts)
        (folder / FOLDER).mkdir()
        write_tables(found.back.plan, parts, found.back.chosen, folder / FOLDER)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_tables, plan, parts, chosen, folder)
        result = sweep_result(found.loaded, found.model, plan, outcome, found.advice, parts)
        writing.result()
    beside = {"summary": allocation_table(plan, outcome), **bests, **_limits(result)}
    result = result.with_tables(**bests).with_figures(**_figures(found, judged.result(), beside))
    write_csv(beside, folder)
    write_findings(result, folder)
    facts = {**run_facts(found.started), "parts_of_earlier_run": parts.earlier}
    texts = {
        "design.json": as_json(_design(found)),
        "summary.json": as_json(findings_summary(result)),
        "run.json": as_json(facts),
        "config.yaml": found.loaded.text,
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    labels = Labels(result.language)
    told = readme(labels("readme.sweep", title=result.title), folder)
    (folder / labels("readme.name")).write_bytes(told.encode("utf-8", "replace"))
    flush(folder)


def _limits(result: Result) -> dict[str, DataFrame]:
    """How often limits are broken, of a design that is a sample of futures."""
    return {name: result.tables[name] for name in ("limits",) if name in result.tables}


def _design(found: Found) -> dict[str, Any]:
    """What was run, and of what: for design.json."""
    plan, problem = found.plan, found.plan.problem
    variables, asked = problem.system.variables, problem.config.sweep
    facts = with_provenance(Result(Status.SIMULATED, "", "en", {}, {}), found.loaded, found.model)
    files = {n: Path(said) for n, said in asked.allocations.items() if is_table(Path(said))}
    return {
        "title": problem.config.title,
        "design": plan.design,
        "draws": int(plan.scenarios.draw.max(initial=-1)) + 1,
        "scenarios": plan.scenarios.count,
        "runs": plan.runs,
        "levels": asked.levels,
        "seed": problem.config.search.seed,
        "allocations": list(plan.names),
        "allocation_hashes": {name: table_hash(path) for name, path in files.items()},
        "outputs": [{"variable": variables[key].name, "unit": variables[key].unit} for key in plan.outputs],
        "years": [int(time) for time in plan.times],
        "uncertainties": [
            {"constant": one.name, "low": one.low, "central": one.central, "high": one.high,
             "distribution": one.kind, "unit": one.unit}
            for one in drawn_constants(problem, plan.scenarios.external)
        ],
        "external_scenarios": [
            {
                "name": one.name,
                "weight": one.weight,
                "constants": {variables[key].name: value for key, value in one.constants.items()},
                "paths": {variables[key].name: path.tolist() for key, path in one.paths.items()},
            }
            for one in plan.scenarios.external
        ],
        "backend": plan.backend,
        "time_step": problem.grid.step,
        "config_hash": found.loaded.sha256,
        "versions": versions("pyarrow", "llvmlite"),
        "provenance": dict(facts.provenance),
    }  # fmt: skip


def _figures(found: Found, verdict: Judged, tables: Mapping[str, DataFrame]) -> dict[str, Any]:
    """What came of it: for summary.json; of limits what holds for all external scenarios together."""
    plan, outcome = found.plan, found.outcome
    named = list(outcome.failed.items())[:NAMED]
    return {
        "kind": "sweep",
        "runs": plan.runs,
        "failed_runs": len(outcome.failed),
        "first_failures": [
            {"scenario": scenario + 1, "allocation": plan.names[place], "why": why}
            for (place, scenario), why in named
        ],
        "advice": {
            "status": found.advice.status,
            "improvement": found.advice.improvement,
            "gap": found.advice.gap,
        },
        "allocations": tables["summary"].to_dict("records"),
        "limits": _together(tables["limits"]) if "limits" in tables else [],
        "re_optimised": None if found.bests is None else figures_of(plan, outcome, found.bests),
        "replay_check": CHECKED[plan.problem.system.time.method],
        "replay_tolerance": REPLAY_TOLERANCE,
        **_replay_figures(plan, verdict),
    }


def _together(table: DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table[table["external"] == ""].to_dict("records")]


def _replay_figures(plan: Plan, verdict: Judged) -> dict[str, Any]:
    """What PySD says of the runs that it repeated."""
    if isinstance(verdict, ReplayError):
        return {"replay_agrees": None, "replay_max_relative_difference": None, "replay_note": str(verdict)}
    worst, variables = verdict.worst, plan.problem.system.variables
    return {
        "replay_agrees": verdict.agrees,
        "replay_runs": [run + 1 for run in verdict.runs],
        "replay_max_relative_difference": worst.largest,
        "replay_worst_variable": variables[worst.variable].name if worst.variable else None,
        "replay_note": worst.note,
    }
