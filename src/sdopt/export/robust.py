"""`sdopt robust CONFIG`: one allocation for many scenarios, in a new results folder with tables."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sdopt.config.load import LoadedConfig
from sdopt.export.decide_again import again_lines
from sdopt.export.folder import as_json, check_writable, flush, summary, write_folder
from sdopt.export.labels import Labels
from sdopt.export.provenance import run_facts, with_provenance
from sdopt.export.tables import write_csv, write_parquet
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.problem.build import Problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel
from sdopt.sweep.decide_again import TOLD, decide_again, scenarios_and_groups, with_again
from sdopt.uncertainty.sample import draw_scenarios

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("central", "expected", "cvar", "worst_case", "largest_regret", "probability_of_loss")
"""Columns of the table of measures that the console shows."""


def robust(
    loaded: LoadedConfig,
    model: SourceModel,
    problem: Problem,
    output: Path | None = None,
    scenarios: int | None = None,
) -> str:
    """Find robust allocations, replay them in PySD and write a new folder; what was found, in words.

    Parameters
    ----------
    output : folder that gets a new folder; the one of the config when None
    scenarios : number of draws; that of the config when None

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
    result = find_robust(loaded, model, problem, scenarios)
    return f"{describe_robust(result)}\n\nresults  {write_robust(result, loaded, root, started)}"


def find_robust(
    loaded: LoadedConfig, model: SourceModel, problem: Problem, scenarios: int | None = None
) -> Result:
    """Robust allocations as a result, replayed in PySD; arguments and errors are those of `robust`."""
    asked = problem.config.robust
    again = asked.decide_again
    later = again and (again, *scenarios_and_groups(problem, again))
    count, seed = scenarios or asked.scenarios, problem.config.search.seed
    drawn = draw_scenarios(problem, "latin hypercube", count, seed)
    answer = optimise_robust(problem, drawn, asked, _progress)
    result = robust_result(answer, model)
    if later:
        result = with_again(result, decide_again(*later, answer, partial(_progress, TOLD)), model)
    return with_provenance(result, loaded, model)


def write_robust(result: Result, loaded: LoadedConfig, root: Path, started: datetime) -> Path:
    """A new folder under `root` with tables, workbook and report."""
    title = f"{result.title} robust"
    return write_folder(root, title, lambda folder: _write_files(result, loaded, folder, started))


def _write_files(result: Result, loaded: LoadedConfig, folder: Path, started: datetime) -> None:
    from sdopt.export.workbook import workbook_bytes

    tables = folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    texts = {
        "summary.json": as_json(summary(result)),
        "run.json": as_json(run_facts(started)),
        "config.yaml": loaded.text,
        "report.txt": describe_robust(result) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result))
    flush(folder)


def _progress(measure: str, iteration: int, best: float | None, bound: float, gap: float | None) -> None:
    """One line on the terminal; silent when not a terminal."""
    if sys.stderr.isatty():
        found = "none yet" if best is None else f"{best:+,.4f}"
        part = "" if gap is None else f"  gap {gap:.3%}"
        sys.stderr.write(
            f"\r{measure:10s} round {iteration + 1:3d}  best {found}  bound {bound:+,.4f}{part}   "
        )
        sys.stderr.flush()


def describe_robust(result: Result) -> str:
    """What was found in words and a table: every allocation by every measure, how sure, what it costs."""
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
    if "replay_max_relative_difference" in figures:
        lines += ["", f"PySD agrees at central values: {figures['replay_max_relative_difference']:.1e}"]
    return "\n".join(lines)


def _measure_lines(table: pd.DataFrame) -> list[str]:
    """The table of measures, one line per allocation."""
    titles = [name.replace("_", " ").replace("probability of loss", "P(loss)") for name in SHOWN]
    lines = [f"{'allocation':12s}" + "".join(f"{title:>16s}" for title in titles)]
    for row in table.itertuples():
        values = [getattr(row, name) for name in SHOWN]
        shown = ["-" if value != value else f"{value:,.3f}" for value in values[:-1]]
        lines.append(
            f"{row.allocation:12s}" + "".join(f"{one:>16s}" for one in [*shown, f"{values[-1]:.1%}"])
        )
    return lines


def _proof_lines(table: pd.DataFrame) -> list[str]:
    """How good every allocation is proved to be."""
    lines = []
    for row in table.itertuples():
        proof = "no bound" if row.bound != row.bound else f"bound {row.bound:,.4f}, gap {row.gap:.3%}"
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
