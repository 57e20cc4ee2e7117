"""`sdopt report RESULTS ...`: a new folder with workbook, report and pictures of all runs on one question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sdopt.errors import ExportError
from sdopt.export.damaged import as_written
from sdopt.export.folder import as_json, check_beside, check_writable, flush, slug, summary, write_folder
from sdopt.export.kinds import kinds_of
from sdopt.export.labels import Labels
from sdopt.export.provenance import run_facts
from sdopt.export.tables import write_csv, write_parquet
from sdopt.export.together import read_run, together
from sdopt.result import Result

CONFIGS = "configs"


def write_report(folders: Sequence[Path], output: Path | None = None) -> Path:
    """Join results folders about one question, write `report-TITLE-NNN`, and return it.

    Parameters
    ----------
    folders : of `sdopt optimise`, `sweep` and `robust`, one of each kind at most; they are not changed
    output : folder that gets the new folder; the one that holds the first of `folders` when None

    Raises
    ------
    ExportError
        When a folder cannot be read, when the results do not belong together (see `together`), or when
        the new folder cannot be written.
    """
    started = datetime.now(UTC)
    root = output if output is not None else folders[0].resolve().parent if folders else Path()
    results = [_read(folder) for folder in folders]
    with as_written(*folders):
        result = together(results, [str(folder) for folder in folders])
    check_beside(folders, root)
    check_writable(root)
    configs = {
        kind: text
        for one, folder in zip(results, folders, strict=True)
        for kind, text in _configs(one, folder)
    }

    def write(folder: Path) -> None:
        with as_written(*folders):
            _write_files(result, folder, configs, started)

    return write_folder(root, f"report {slug(result.title)}", write)


def _read(folder: Path) -> Result:
    """A results folder; a path to a file in it is a common mistake, and gets a message of its own."""
    if folder.is_file():
        raise ExportError(f"{folder}: is a file. Give the results folder that holds it.")
    return read_run(folder)


def _configs(result: Result, folder: Path) -> list[tuple[str, bytes]]:
    """The config of a run, as it is, by its kind; of a folder that was joined before those that it holds."""
    kept = [path for path in sorted((folder / CONFIGS).glob("*.yaml")) if path.is_file()]
    if kept:
        return [(path.stem, path.read_bytes()) for path in kept]
    config = folder / "config.yaml"
    return [(kinds_of(result)[0], config.read_bytes())] if config.is_file() else []


def _write_files(result: Result, folder: Path, configs: dict[str, bytes], started: datetime) -> None:
    """All files, flushed to disk; only run.json holds when and where."""
    from sdopt.export.figures.pictures import write_pictures
    from sdopt.export.report import report_html
    from sdopt.export.workbook import workbook_bytes

    labels = Labels(result.language)
    for name in ("tables", CONFIGS):
        (folder / name).mkdir()
    write_parquet(result.tables, folder / "tables")
    write_csv(result.tables, folder / "tables")
    texts = {
        "summary.json": as_json(summary(result)),
        "run.json": as_json(run_facts(started)),
        "report.html": report_html(result),
        labels("readme.name"): labels("readme.report", title=result.title),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    for kind, config in configs.items():
        (folder / CONFIGS / f"{kind}.yaml").write_bytes(config)
    (folder / "workbook.xlsx").write_bytes(workbook_bytes(result))
    write_pictures(result, folder / "pictures")
    flush(folder)
