"""`sdopt compare`: two or more results folders in, one new folder with a workbook and a page out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sdopt.export.compare.page import compare_html
from sdopt.export.compare.runs import Run, read_runs
from sdopt.export.compare.tables import compared
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.damaged import as_written
from sdopt.export.folder import as_json, check_beside, flush, summary, write_folder
from sdopt.export.labels import Labels
from sdopt.export.provenance import run_facts
from sdopt.export.tables import write_csv, write_parquet
from sdopt.export.views import fact
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status


def compare(folders: Sequence[Path], output: Path) -> str:
    """Compare results folders, write a new folder under `output`, and say what stands out.

    Raises
    ------
    ExportError
        When folders cannot be compared (all complaints at once) or the new one cannot be written.
    """
    started = datetime.now(UTC)
    check_beside(folders, output)
    with as_written(*folders):
        result = comparison(read_runs(folders))
        facts, labels = run_facts(started), Labels(result.language)
        lines = [*found_lines(result, labels), *care_lines(result, labels)]
        folder = write_folder(output, result.title, lambda place: _write(result, place, facts))
    return "\n".join([*lines, "", f"results  {folder}"])


def comparison(runs: Sequence[Run]) -> Result:
    """The runs as one result, in the language of the first; its tables are those of `compared`."""
    labels = Labels(runs[0].result.language)
    hashes = {run.name: run.result.figures.get("config_hash") for run in runs}
    return Result(
        Status.COMPARED,
        labels("compare.title", count=len(runs)),
        labels.language,
        {"kind": "comparison", "compared": [run.title for run in runs], "objective_unit": _unit(runs)},
        compared(runs),
        {"config_hashes": hashes},
    )


def _unit(runs: Sequence[Run]) -> str | None:
    """The unit of all returns, or None when they differ."""
    units = {fact(run.result, "objective_unit") for run in runs}
    return units.pop() if len(units) == 1 else None


def _write(result: Result, folder: Path, facts: Mapping[str, Any]) -> None:
    """All files, flushed to disk; only run.json says when and where."""
    labels, tables = Labels(result.language), folder / "tables"
    tables.mkdir()
    write_parquet(result.tables, tables)
    write_csv(result.tables, tables)
    texts = {
        "summary.json": as_json(summary(result)),
        "run.json": as_json(facts),
        "report.html": compare_html(result),
        labels("readme.name"): labels("readme.compare", title=result.title),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result))
    flush(folder)
