"""A sheet of an .xlsx file as cells: what is shown there, and nothing that is hidden, merged or stale."""

from __future__ import annotations

import math
import re
import warnings
from datetime import date, datetime, time, timedelta
from typing import Any

from sdopt.config.sheets.cells import EMPTY, Cell, Grid, letters
from sdopt.config.sheets.safe_book import check_book
from sdopt.config.sheets.source import Source
from sdopt.errors import ConfigError, did_you_mean

MOST_CELLS = 1_000_000

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""Parts of a number format that are shown as they stand."""
_DIVIDED = re.compile(r"[0#?],+(?![0#?,])")
"""A comma after the last digit of a number format divides by a thousand."""


def book_grid(source: Source) -> Grid:
    """The cells of one sheet, of formulas the value that was stored when the file was saved.

    Raises
    ------
    ConfigError
        When the file cannot be read or is too large, or the sheet is not there or is hidden.
    """
    check_book(source.file)
    book = _load(source, values=False)
    sheet = _chosen(book, source)
    _check_size(sheet, source)
    stored = None
    if any(cell.data_type == "f" for cell in sheet._cells.values()):
        stored = _load(source, values=True)[sheet.title]
    where = f"{source.file.name}, sheet {sheet.title}"
    others = [f"{source.file.name}#{name}" for name in _shown(book) if name != sheet.title]
    return Grid(_rows(sheet, stored, where), where, others=tuple(others))


def _check_size(sheet: Any, source: Source) -> None:
    """Refuse a sheet with too many cells, counted from the first column to the last in each row."""
    widths: dict[int, int] = {}
    for row, column in sheet._cells:
        widths[row] = max(column, widths.get(row, 0))
    if (size := max(len(sheet._cells), sum(widths.values()) // 4)) > MOST_CELLS:
        raise ConfigError(
            f"{source.file}, sheet {sheet.title}: about {size:,} cells; at most {MOST_CELLS:,} can be read. "
            "Keep only the table on it, in its first columns"
        )


def _load(source: Source, *, values: bool) -> Any:
    """The workbook as openpyxl reads it, with formulas or with their stored values; no link is followed."""
    import openpyxl

    try:
        with warnings.catch_warnings(), source.file.open("rb") as file:
            warnings.simplefilter("ignore")  # about styles and extensions, which are not read
            return openpyxl.load_workbook(file, data_only=values, keep_links=False)
    except Exception as error:  # a damaged file can make any of them
        said = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise ConfigError(
            f"{source.file}: cannot be read as .xlsx ({said}); open it in a spreadsheet program and save it "
            "again"
        ) from None


def _shown(book: Any) -> list[str]:
    return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def _chosen(book: Any, source: Source) -> Any:
    """The sheet that is named, or the first that is shown."""
    shown, name = _shown(book), source.sheet
    if not shown:
        raise ConfigError(f"{source.file}: no sheet in it can be seen; show the one with the table")
    if name is None:
        return book[shown[0]]
    found = next((one for one in book.worksheets if _same(one.title, name)), None)
    if found is None:
        raise ConfigError(
            f'{source.file}: there is no sheet "{name}".{did_you_mean(name, shown)} '
            f"There are: {', '.join(shown)}. Write {source.file.name}#NAME"
        )
    if found.title not in shown:
        raise ConfigError(f"{source.file}: the sheet {found.title} is hidden; show it, so that all that is "
                          "read can be seen")  # fmt: skip
    return found


def _same(one: str, other: str) -> bool:
    """Whether two names are of the same sheet: case makes no difference in a workbook."""
    return one.strip().casefold() == other.strip().casefold()


def _rows(sheet: Any, stored: Any, where: str) -> dict[int, tuple[Cell, ...]]:
    """Row number -> its cells from the first column to the last that is filled."""
    found: dict[int, dict[int, Cell]] = {}
    for (row, column), cell in sorted(sheet._cells.items()):
        made = _cell(cell, stored)
        if made is not None and (made.text or made.kind == "fault"):
            found.setdefault(row, {})[column - 1] = made
    _mark_hidden(sheet, found, where)
    _mark_merged(sheet, found, where)
    return {
        row: tuple(cells.get(column, EMPTY) for column in range(max(cells) + 1))
        for row, cells in sorted(found.items())
    }


def _cell(cell: Any, stored: Any) -> Cell | None:
    """One cell; None when it is empty."""
    value, kind = getattr(cell, "value", None), cell.data_type
    if kind == "f":
        kept = stored.cell(cell.row, cell.column)
        value, kind = kept.value, kept.data_type
        if value is None and kind != "str":
            return Cell(
                "holds a formula without a stored value; open the file in a spreadsheet program and save it "
                "there, or write the value itself",
                "fault",
            )
    if kind == "e":
        return Cell(f"shows {value}; mend the formula, or write the value itself", "fault")
    return None if value is None else _plain(value, str(cell.number_format))


def _plain(value: Any, code: str) -> Cell:
    """A value as text, with its kind."""
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return _number(float(value), code)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return Cell(value.date().isoformat() if midnight else value.isoformat(sep=" "), "date")
    if isinstance(value, date | time | timedelta):
        return Cell(str(value), "date")
    return Cell(str(value).strip())


def _number(value: float, code: str) -> Cell:
    if not math.isfinite(value):
        return Cell("holds no finite number; write another", "fault")
    shown = _QUOTED.sub("", code)
    if _DIVIDED.search(shown):
        said = (
            f"is shown divided by thousands (its format is {code}); give it a plain format, so that what is"
        )
        return Cell(f"{said} seen is what is read", "fault")
    text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return Cell(text, "percent" if "%" in shown else "number")


def _mark_hidden(sheet: Any, found: dict[int, dict[int, Cell]], where: str) -> None:
    """What is in hidden rows and columns becomes a fault: nobody sees what would be read."""
    rows = [row for row in found if row in sheet.row_dimensions and sheet.row_dimensions[row].hidden]
    if rows:
        said = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
        fault = Cell("hidden, by hand or by a filter; show what is to be read, and remove the rest", "fault",
                     f"{where}, rows {said}" if len(rows) > 1 else f"{where}, row {said}")  # fmt: skip
        found.update({row: {k: _faulty(fault, cell) for k, cell in found[row].items()} for row in rows})
    hidden = [one for one in sheet.column_dimensions.values() if one.hidden]
    for cells in found.values():
        for column in cells:
            if any(one.min <= column + 1 <= one.max for one in hidden):
                place = f"{where}, column {letters(column)}"
                fault = Cell("hidden; show the column, or empty it", "fault", place)
                cells[column] = _faulty(fault, cells[column])


def _mark_merged(sheet: Any, found: dict[int, dict[int, Cell]], where: str) -> None:
    """Merged cells become a fault in every one: which of them the value is for cannot be told."""
    for one in sheet.merged_cells.ranges:
        fault = Cell("merged into one; unmerge them and fill in each", "fault", f"{where}, cells {one.coord}")
        for row, column in one.cells:
            if row in found:
                found[row][column - 1] = _faulty(fault, found[row].get(column - 1, EMPTY))


def _faulty(fault: Cell, cell: Cell) -> Cell:
    return fault._replace(holds=cell.name)
