"""A results folder read back, and written again in another format."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.errors import ExportError
from sdopt.export.damaged import as_written
from sdopt.export.labels import Labels
from sdopt.export.large import LARGE, write_large
from sdopt.export.names import with_shown_names
from sdopt.export.new_file import new_file, new_folder
from sdopt.export.older import check_results_version, with_added_columns
from sdopt.export.tables import read_parquet, write_csv, write_dutch_csv, write_parquet
from sdopt.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("xlsx", "ods", "csv", "csv-nl", "csv-machine", "parquet", "pictures", *LARGE)
FIGURES = (
    *("objective", "null_objective", "improvement", "bound", "gap", "seed"),
    "replay_max_relative_difference",
)
"""What is a number or absent in every summary.json."""
LARGEST_SUMMARY = 50_000_000
"""Bytes of summary.json."""
_NOT_FIGURES = ("results_version", "title", "language", "status", "status_sentence", "provenance", "tables")


def read_results(results_dir: Path) -> Result:
    """The result that a results folder holds.

    Raises
    ------
    ExportError
        When the folder is missing, incomplete, not a results folder, or of a newer version.
    """
    summary = _read_summary(results_dir)
    _check_links(results_dir)
    check_results_version(results_dir, summary)
    try:
        status = {status.key: status for status in Status}[str(summary["status"])]
        Labels(str(summary["language"]))  # refuses one that has no words
        tables = {name: read_parquet(_table_file(results_dir, name)) for name in summary["tables"]}
        tables = with_added_columns(tables)
        _check_facts(summary)
        _check_allocations(tables)
        return Result(
            status=status,
            title=str(summary["title"]),
            language=str(summary["language"]),
            figures={key: value for key, value in summary.items() if key not in _NOT_FIGURES},
            tables=tables,
            provenance=dict(summary["provenance"]),
        )
    except ExportError as error:
        raise _unusable(results_dir, str(error)) from error
    except MemoryError:
        raise
    except Exception as error:  # what a damaged table makes of the library that reads it differs
        said = " ".join(str(error).split())[:150]
        raise _unusable(results_dir, f"{type(error).__name__}: {said}") from error


def _read_summary(results_dir: Path) -> dict[str, Any]:
    """The contents of summary.json."""
    path = results_dir / "summary.json"
    try:
        if not path.is_file():  # a pipe would never end
            why = "it has no summary.json" if results_dir.is_dir() else "there is no such folder"
            raise _unusable(results_dir, why)
        if (size := path.stat().st_size) > LARGEST_SUMMARY:
            raise ValueError(f"{size / 1e6:,.0f} MB; at most {LARGEST_SUMMARY / 1e6:.0f} MB")
        text = path.read_text(encoding="utf-8")
        summary = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(results_dir, f"summary.json cannot be read ({error})") from error
    if not isinstance(summary, dict):
        raise _unusable(results_dir, "summary.json is not an object")
    return summary


def _finite(said: str) -> float:
    """A number of summary.json, in which none is NaN or infinite."""
    if not math.isfinite(value := float(said)):
        raise ValueError(f"{said[:20]} is no finite number")
    return value


def _check_facts(summary: Mapping[str, Any]) -> None:
    """Refuse figures that are no numbers, and names that are no texts: in a report they would be nonsense."""
    for key in FIGURES:
        if (found := summary.get(key)) is not None and type(found) not in (int, float):
            raise TypeError(f"{key} is {found!r:.40}, no number")
    for key in ("labels", "decision_names"):
        names = summary["provenance"].get(key) or {}
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise TypeError(f"{key} holds more than names")


def _check_allocations(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse an advice that lacks one of its two allocations: beside others it would stand there empty."""
    if {"decisions", "allocation"} <= tables.keys():
        lacking = {"null", "advice"} - set(tables["allocation"]["allocation"])
        if lacking:
            raise ValueError(f"tables/allocation has no rows of {' and '.join(sorted(lacking))}")


def _check_links(results_dir: Path) -> None:
    """Refuse links out of a folder: what is elsewhere on a disk is not to get into a report by them."""
    home = results_dir.resolve()
    for path in results_dir.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise _unusable(results_dir, f"{path.relative_to(results_dir)} is a link to another folder")


def _table_file(results_dir: Path, name: object) -> Path:
    """Path of a table; its name comes from a file, so it may not lead out of the folder."""
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"table name {name!r}")
    path = results_dir / "tables" / f"{name}.parquet"
    if not path.is_file():
        raise ValueError(f"tables/{name}.parquet is missing")
    return path


def _unusable(results_dir: Path, reason: str) -> ExportError:
    """The one error about a results folder that cannot be read."""
    return ExportError(
        f"{results_dir}: not a complete results folder: {reason}. "
        "Give a folder of results that sdopt wrote, or run it again."
    )


def export_results(results_dir: Path, format: str, output: Path | None) -> Path:
    """Write a results folder in another format and return the new file or folder.

    Parameters
    ----------
    results_dir : a folder that `write_results` made; for the rows of a sweep, what `sdopt sweep` wrote
    format : `xlsx` or `ods`, the workbook; `csv-nl` (also `csv`) or `csv-machine`, a folder with a file per
        table in the form of Dutch Excel or of programs; `parquet`, the same exactly; `pictures`, a folder
        with every figure as .svg and .png; `xlsx-runs` or
        `xlsx-trajectories`, the rows of a sweep
    output : file or folder to make; when None, one called by the results folder, inside it

    Raises
    ------
    ExportError
        When the format is unknown, the results cannot be read, or the target exists or cannot be made.
    """
    if format not in FORMATS:
        raise ExportError(f'format: found "{format}"; allowed: {", ".join(FORMATS)}')
    result = None if format in LARGE else read_results(results_dir)
    target = output or results_dir / _file_name(results_dir.resolve().name, format)
    try:
        if result is None:
            with new_file(target) as file, as_written(results_dir):
                write_large(results_dir, format, file)
        elif format in _FOLDERS:
            with new_folder(target) as folder, as_written(results_dir):
                _FOLDERS[format](result, folder)
        else:
            with as_written(results_dir):
                content = _FILES[format](result)
            with new_file(target) as file:
                file.write(content)
    except FileExistsError as error:
        raise ExportError(
            f"{target}: exists already and is never overwritten. Move it, or give another --output."
        ) from error
    except OSError as error:
        raise ExportError(
            f"{target}: cannot be written ({error.strerror or error}). Give another --output."
        ) from error
    return target


def _file_name(name: str, format: str) -> str:
    """What a copy of the results folder `name` is called: `NAME.ods`, `NAME-csv-nl`, `NAME-runs.xlsx`."""
    kind, _, part = format.partition("-")
    if format in _FOLDERS:
        return f"{name}-{format}"
    return f"{name}-{part}.{kind}" if part else f"{name}.{kind}"


def _csv(result: Result, target: Path) -> None:
    """A new folder with the tables as people read them: names of the config, Dutch number form."""
    target.mkdir()
    write_dutch_csv(with_shown_names(result).tables, target)


def _machine_csv(result: Result, target: Path) -> None:
    """A new folder with the tables for programs: names of the model, comma and decimal point."""
    target.mkdir()
    write_csv(result.tables, target)


def _parquet(result: Result, target: Path) -> None:
    """A new folder with the tables as they are."""
    target.mkdir()
    write_parquet(result.tables, target)


def _pictures(result: Result, target: Path) -> None:
    """A new folder with every figure for slides."""
    from sdopt.export.figures.pictures import write_pictures

    write_pictures(result, target)


def _xlsx(result: Result) -> bytes:
    """The workbook again."""
    from sdopt.export.workbook import workbook_bytes

    return workbook_bytes(result)


def _ods(result: Result) -> bytes:
    """The workbook as OpenDocument, without its charts."""
    from sdopt.export.opendocument.book import ods_bytes

    return ods_bytes(_xlsx(result), Labels(result.language))


_FILES: Mapping[str, Callable[[Result], bytes]] = {"xlsx": _xlsx, "ods": _ods}
_FOLDERS: Mapping[str, Callable[[Result, Path], None]] = {
    "csv": _csv,
    "csv-nl": _csv,
    "csv-machine": _machine_csv,
    "parquet": _parquet,
    "pictures": _pictures,
}
