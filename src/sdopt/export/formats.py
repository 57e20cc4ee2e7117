"""A results folder read back, and written again in another format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.errors import ExportError
from sdopt.export.cells import is_missing, is_number, plain_text, to_python
from sdopt.export.names import with_shown_names
from sdopt.export.tables import read_parquet, write_dutch_csv, write_parquet
from sdopt.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd
    from odfdo import Cell, Table

FORMATS = ("xlsx", "csv", "parquet", "ods")
_NOT_FIGURES = ("title", "language", "status", "status_sentence", "provenance", "tables")


def read_results(results_dir: Path) -> Result:
    """The result that a results folder holds.

    Raises
    ------
    ExportError
        When the folder is missing, incomplete or not a results folder.
    """
    summary = _read_summary(results_dir)
    try:
        status = next(status for status in Status if status.key == summary["status"])
        tables = {name: read_parquet(_table_file(results_dir, name)) for name in summary["tables"]}
        return Result(
            status=status,
            title=str(summary["title"]),
            language=str(summary["language"]),
            figures={key: value for key, value in summary.items() if key not in _NOT_FIGURES},
            tables=tables,
            provenance=dict(summary["provenance"]),
        )
    except (KeyError, TypeError, ValueError, StopIteration, OSError) as error:
        raise _unusable(results_dir, f"{type(error).__name__}: {error}") from error


def _read_summary(results_dir: Path) -> dict[str, Any]:
    """The contents of summary.json."""
    try:
        summary = json.loads((results_dir / "summary.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _unusable(results_dir, "it has no summary.json") from error
    except (OSError, ValueError) as error:
        raise _unusable(results_dir, f"summary.json cannot be read ({error})") from error
    if not isinstance(summary, dict):
        raise _unusable(results_dir, "summary.json is not an object")
    return summary


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
        "Give a folder that `sdopt optimise` wrote, or run it again."
    )


def export_results(results_dir: Path, format: str, output: Path | None) -> Path:
    """Write a results folder in another format and return the new file or folder.

    Parameters
    ----------
    results_dir : a folder that `write_results` made
    format : `xlsx` or `ods` (one file), `csv` (Dutch Excel form) or `parquet` (a folder of files)
    output : file or folder to make; when None, one called by the results folder, inside it

    Raises
    ------
    ExportError
        When the format is unknown, the results cannot be read, or the target exists or cannot be made.
    """
    if format not in FORMATS:
        raise ExportError(f'format: found "{format}"; allowed: {", ".join(FORMATS)}')
    result = read_results(results_dir)
    name = results_dir.resolve().name
    target = output or results_dir / (f"{name}-{format}" if format in _FOLDERS else f"{name}.{format}")
    try:
        if format in _FOLDERS:
            _FOLDERS[format](result, target)
        else:
            content = _FILES[format](result)
            with target.open("xb") as file:
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


def _csv(result: Result, target: Path) -> None:
    """A new folder with the tables as people read them: names of the config, Dutch number form."""
    target.mkdir()
    write_dutch_csv(with_shown_names(result).tables, target)


def _parquet(result: Result, target: Path) -> None:
    """A new folder with the tables as they are."""
    target.mkdir()
    write_parquet(result.tables, target)


def _xlsx(result: Result) -> bytes:
    """The workbook again."""
    from sdopt.export.workbook import workbook_bytes

    return workbook_bytes(result)


def _ods(result: Result) -> bytes:
    """One sheet per table, with real numbers and a bold header."""
    from odfdo import Document, Style

    document = Document("ods")
    document.body.clear()
    bold = document.insert_style(Style("table-cell", area="text", bold=True), automatic=True)
    for name, table in result.tables.items():
        document.body.append(_ods_sheet(name, table, bold))
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def _ods_sheet(name: str, table: pd.DataFrame, bold: str) -> Table:
    """One table as a sheet."""
    from odfdo import Cell, Row, Table

    sheet = Table(name)
    header = Row()
    header.extend_cells([Cell(plain_text(column), style=bold) for column in table.columns])
    sheet.append_row(header, clone=False)
    for values in table.itertuples(index=False, name=None):
        row = Row()
        row.extend_cells([_ods_cell(value) for value in values])
        sheet.append_row(row, clone=False)
    return sheet


def _ods_cell(value: Any) -> Cell:
    """A cell with a number, a yes or no, a text, or nothing; text is never a formula."""
    from odfdo import Cell

    value = to_python(value)
    if is_missing(value):
        return Cell()
    return Cell(value if isinstance(value, bool) or is_number(value) else plain_text(value))


_FILES: Mapping[str, Callable[[Result], bytes]] = {"xlsx": _xlsx, "ods": _ods}
_FOLDERS: Mapping[str, Callable[[Result, Path], None]] = {"csv": _csv, "parquet": _parquet}
