"""`sdopt robust CONFIG`: one allocation for many scenarios, in a new results folder with tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from sdopt.config.load import LoadedConfig
from sdopt.export.decide_again import again_lines
from sdopt.export.folder import as_json, check_writable, flush, summary, write_found
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.progress import TerminalLine
from sdopt.export.provenance import run_facts, with_provenance
from sdopt.export.tables import write_csv, write_parquet
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.optimise.stopping import NEVER, STOPPED, Stop, stop_on_interrupt
from sdopt.problem.build import Problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel
from sdopt.sweep.decide_again import TOLD, decide_again, scenarios_and_groups, with_again
from sdopt.uncertainty.sample import draw_scenarios

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = ("central", "expected", "cvar", "worst_case", "largest_regret")
CHANCES = {"probability_of_loss": "P(loss)", "any_limit_broken": "P(limit broken)"}
"""Columns of the table of measures that the console shows."""


@dataclass(frozen=True)
class Said:
    """What was found, in words; and whether Ctrl-C stopped the search."""

    text: str
    interrupted: bool


def robust(
    loaded: LoadedConfig,
    model: SourceModel,
    problem: Problem,
    output: Path | None = None,
    scenarios: int | None = None,
    time_limit: float | None = None,
) -> Said:
    """Find robust allocations, replay them in PySD and write a new folder.

    Parameters
    ----------
    output : folder that gets a new folder; the one of the config when None
    scenarios : number of draws; that of the config when None
    time_limit : seconds after which the search gives the best so far, as it does at the first Ctrl-C

    Raises
    ------
    ConfigError
        When the section `robust` does not fit the model, or nothing is uncertain.
    OptimisationError
        When no allocation is allowed.
    ReplayError
        When PySD gives other numbers; nothing is written.
    """
    started = datetime.now(UTC)
    root = output or loaded.config.output.directory
    check_writable(root)
    with RobustProgress() as progress, stop_on_interrupt(time_limit) as stop:
        result = find_robust(loaded, model, problem, scenarios, stop, progress)
    folder = write_robust(result, loaded, root, started)
    said = f"{describe_robust(result)}\n\nresults  {folder}"
    return Said(said, stop.interrupted and is_stopped(result))


def is_stopped(result: Result) -> bool:
    """Whether something of it was stopped before it was done."""
    early = {status.key for status in STOPPED}
    return result.status in STOPPED or result.figures["advice_status"] in early or _without_again(result)


def _without_again(result: Result) -> bool:
    return bool(result.figures.get("decide_again_stopped"))


def find_robust(
    loaded: LoadedConfig,
    model: SourceModel,
    problem: Problem,
    scenarios: int | None = None,
    stop: Stop = NEVER,
    progress: RobustProgress | None = None,
) -> Result:
    """Robust allocations as a result, replayed in PySD; arguments and errors are those of `robust`."""
    asked = problem.config.robust
    again = asked.decide_again
    later = again and (again, *scenarios_and_groups(problem, again))
    count, seed = scenarios or asked.scenarios, problem.config.search.seed
    drawn = draw_scenarios(problem, "latin hypercube", count, seed)
    told = progress or RobustProgress()
    answer = optimise_robust(problem, drawn, asked, told, stop=stop)
    result = robust_result(answer, model)
    if later and stop.reason() is not None:
        result = result.with_figures(decide_again_stopped=True)
    elif later:
        result = with_again(result, decide_again(*later, answer, partial(told, TOLD), stop), model)
    return with_provenance(result, loaded, model)


def write_robust(result: Result, loaded: LoadedConfig, root: Path, started: datetime) -> Path:
    """A new folder under `root` with tables, workbook and report."""
    title = f"robust {result.title}"
    return write_found(root, title, lambda folder: _write_files(result, loaded, folder, started))


def _write_files(result: Result, loaded: LoadedConfig, folder: Path, started: datetime) -> None:
    from sdopt.export.figures.pictures import write_main_pictures
    from sdopt.export.report import report_html
    from sdopt.export.robust_report import robust_report
    from sdopt.export.workbook import workbook_bytes

    labels = Labels(result.language)
    tables = folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    texts = {
        "summary.json": as_json(summary(result)),
        "run.json": as_json(run_facts(started)),
        "config.yaml": loaded.text,
        "report.txt": robust_report(result),
        "report.html": report_html(result),
        labels("readme.name"): labels("readme.robust", title=result.title),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    pictures = write_main_pictures(result, folder)
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result, pictures))
    flush(folder)


class RobustProgress(TerminalLine):
    """Which measure, how far it is, and for how long already; silent when not used in a `with` statement."""

    def __init__(self) -> None:
        self.begun, self.shown = monotonic(), False

    def __call__(
        self, measure: str, iteration: int, best: float | None, bound: float, gap: float | None
    ) -> None:
        """Show a round."""
        if not self.shown:
            return
        found = "none yet" if best is None else f"{best:+,.4f}"
        part = "" if gap is None else f"  gap {gap:.3%}"
        passed, said = f"{monotonic() - self.begun:5.0f} s", f"best {found}  bound {bound:+,.4f}{part}"
        click.echo(f"\r{passed}  {measure:10s} round {iteration + 1:3d}  {said}   ", nl=False, err=True)


def describe_robust(result: Result) -> str:
    """What was found in words and a table: every allocation by every measure, how sure, what it costs."""
    result = with_shown_names(result)
    figures = result.figures
    unit, count = figures["objective_unit"], figures["scenarios"]
    failed = f"; {figures['failed_scenarios']} more failed" if figures["failed_scenarios"] else ""
    lines = [
        result.title,
        "",
        f"improvement over the null alternative in {count:,} scenarios{failed} ({unit}); "
        f"cvar is the mean of the worst {figures['tail']:.0%}",
        "",
        *_measure_lines(result.tables["robust_measures"]),
        "",
        *_proof_lines(result.tables["robust_proof"]),
        "",
        *_price_lines(result.tables["robust_price"], unit),
    ]
    told = again_lines(result, Labels("en"))
    lines += ["", *told] if told else []
    left_out = figures["bound_leaves_out"]
    if left_out:
        lines += ["", f"bounds do without limits that are not concave: {', '.join(left_out)}"]
    if is_stopped(result):
        lines += ["", _stopped(result)]
    if "replay_max_relative_difference" in figures:
        lines += ["", f"PySD agrees at central values: {figures['replay_max_relative_difference']:.1e}"]
    return "\n".join(lines)


def _stopped(result: Result) -> str:
    """That this is not all that was asked for."""
    missing = ", ".join(result.figures.get("measures_missing") or ())
    nothing = f"; nothing was found by {missing}" if missing else ""
    again = "; deciding again was not begun" if _without_again(result) else ""
    return f"stopped  before it was done: the best so far, with its gap{nothing}{again}; more time may help"


def _measure_lines(table: pd.DataFrame) -> list[str]:
    """The table of measures, one line per allocation; a limit counts as broken in any year, any of them."""
    titles = [*(name.replace("_", " ") for name in AMOUNTS), *CHANCES.values()]
    lines = [f"{'allocation':12s}" + "".join(f"{title:>16s}" for title in titles)]
    for row in table.itertuples():
        amounts = [getattr(row, name) for name in AMOUNTS]
        shown = ["-" if value != value else f"{value:,.3f}" for value in amounts]
        shown += [f"{getattr(row, name):.1%}" for name in CHANCES]
        lines.append(f"{row.allocation:12s}" + "".join(f"{one:>16s}" for one in shown))
    return lines


def _proof_lines(table: pd.DataFrame) -> list[str]:
    """How good every allocation is proved to be."""
    lines = []
    for row in table.itertuples():
        gap = "gap not known" if row.gap != row.gap else f"gap {row.gap:.3%}"
        proof = "no bound" if row.bound != row.bound else f"bound {row.bound:,.4f}, {gap}"
        lines.append(f"{row.measure:12s}{row.value:,.4f}  {proof} ({row.status}); {row.assumes}")
    return lines


def _price_lines(table: pd.DataFrame, unit: str) -> list[str]:
    """What robustness costs and gains against the advice at central values."""
    lines = []
    for name, rows in table.groupby("allocation", sort=False):
        gained = rows.set_index("measure")["gained"]
        told = [
            f"{gained[one]:+,.3f} {one.replace('_', ' ')}"
            for one in ("central", "expected", "cvar", "worst_case")
        ]
        lines.append(f"{name:12s}against the advice at central values: {', '.join(told)} ({unit})")
    return lines
