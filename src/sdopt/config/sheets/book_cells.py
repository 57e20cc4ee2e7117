"""A sheet of an .xlsx file as cells: what is shown there, and nothing that is hidden, merged or stale."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from sdopt.config.sheets.book_parts import Book, SheetPart, unescaped
from sdopt.config.sheets.book_sheet import Merged, SheetReader, Stored
from sdopt.config.sheets.cells import EMPTY, MOST_CELLS, Cell, Grid, letters
from sdopt.config.sheets.safe_book import opened
from sdopt.config.sheets.source import Source
from sdopt.errors import ConfigError, did_you_mean

WITH_GAPS = 4
"""How many times the cells of a sheet it may have with the empty ones before others."""

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""Parts of a number format that are shown as they stand."""
_DIVIDED = re.compile(r"[0#?],+(?![0#?,])")
"""A comma after the last digit of a number format divides by a thousand."""
_TRUTH = {"0": "FALSE", "false": "FALSE", "1": "TRUE", "true": "TRUE"}
_STALE = Cell(
    "holds a formula without a stored value; open the file in a spreadsheet program and save it there, or "
    "write the value itself",
    "fault",
)


def book_grid(source: Source) -> Grid:
    """The cells of one sheet, of formulas the value that was stored when the file was saved.

    Raises
    ------
    ConfigError
        When the file cannot be read or is too large, or the sheet is not there or is hidden.
    """
    with opened(source.file) as parts:
        book = Book(parts)
        sheet = _chosen(book, source)
        reader = SheetReader(f"{source.file}, sheet {sheet.title}")
        parts.read(sheet.part, reader)
        _check_size(reader)
        where = f"{source.file.name}, sheet {sheet.title}"
        rows = _rows(reader, book, where)
    others = [f"{source.file.name}#{one.title}" for one in book.sheets if one.shown and one != sheet]
    return Grid(rows, where, others=tuple(others))


def _check_size(reader: SheetReader) -> None:
    """Refuse a sheet with too many cells, counted from the first column to the last in each row."""
    if (size := sum(max(cells) for cells in reader.rows.values())) > WITH_GAPS * MOST_CELLS:
        raise ConfigError(
            f"{reader.where}: {size:,} cells with the gaps in its rows; at most {WITH_GAPS * MOST_CELLS:,} "
            "can be read. Keep only the table on it, in its first columns"
        )


def _chosen(book: Book, source: Source) -> SheetPart:
    """The sheet that is named, or the first that is shown."""
    shown, name = [sheet.title for sheet in book.sheets if sheet.shown], source.sheet
    if not shown:
        raise ConfigError(f"{source.file}: no sheet in it can be seen; show the one with the table")
    wanted = shown[0] if name is None else name
    found = next((one for one in book.sheets if _same(one.title, wanted)), None)
    if found is None:
        raise ConfigError(
            f'{source.file}: there is no sheet "{name}".{did_you_mean(wanted, shown)} '
            f"There are: {', '.join(shown)}. Write {source.file.name}#NAME"
        )
    if not found.shown:
        raise ConfigError(f"{source.file}: the sheet {found.title} is hidden; show it, so that all that is "
                          "read can be seen")  # fmt: skip
    return found


def _same(one: str, other: str) -> bool:
    """Whether two names are of the same sheet: case makes no difference in a workbook."""
    return one.strip().casefold() == other.strip().casefold()


def _rows(reader: SheetReader, book: Book, where: str) -> dict[int, tuple[Cell, ...]]:
    """Row number -> its cells from the first column to the last that is filled."""
    found: dict[int, dict[int, Cell]] = {}
    for row in sorted(reader.rows):
        stored = reader.rows.pop(row)  # a large sheet need not be there twice
        cells = {column - 1: _cell(one, book) for column, one in stored.items()}
        filled = {column: cell for column, cell in cells.items() if cell.text}
        if filled:
            found[row] = filled
    _mark_hidden(reader, found, where)
    _mark_merged(reader.merged, found, where)
    rows: dict[int, tuple[Cell, ...]] = {}
    for row in list(found):
        cells = found.pop(row)
        rows[row] = tuple(cells.get(column, EMPTY) for column in range(max(cells) + 1))
    return rows


def _cell(stored: Stored, book: Book) -> Cell:
    """What one cell shows."""
    kind, value = stored.kind, stored.value
    if not value or (stored.formula and (kind, value) == ("n", "0") and book.uncalculated):
        return _STALE
    if kind == "e":
        return Cell(f"shows {value}; mend the formula, or write the value itself", "fault")
    if kind == "n":
        style = book.formats[stored.style] if 0 <= stored.style < len(book.formats) else ("0", None)
        return _number(value, _shape(*style), book.from_1904)
    if kind == "d":
        return _iso_date(value)
    text = _text(kind, value, book)
    return _odd(value) if text is None else Cell(text.strip())


def _text(kind: str, value: str, book: Book) -> str | None:
    """The text of a cell; None when there is no such text, or no such type of cell."""
    if kind == "s":
        return book.text(value)
    if kind == "b":
        return _TRUTH.get(value)
    if kind == "str":
        return unescaped(value)
    return value if kind == "inlineStr" else None


def _odd(value: str) -> Cell:
    """What no spreadsheet program writes so."""
    said = f'holds "{value[:50]}", which cannot be in a cell of its type; write the value again'
    return Cell(said, "fault")


def _iso_date(value: str) -> Cell:
    from openpyxl.utils.datetime import from_ISO8601

    try:
        return _moment(from_ISO8601(value))
    except ValueError:
        return _odd(value)


class _Shape(NamedTuple):
    """What a number format makes of a number."""

    code: str
    date: bool
    duration: bool
    percent: bool
    divided: bool


@cache
def _shape(number: str, code: str | None) -> _Shape:
    """What a number format does; without a code it is one that every program knows by its number."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

    code = BUILTIN_FORMATS.get(int(number), "General") if code is None else code
    shown = _QUOTED.sub("", code)
    dated = bool(is_date_format(code))
    return _Shape(code, dated, is_timedelta_format(code), "%" in shown, bool(_DIVIDED.search(shown)))


def _moment(value: date | time | timedelta) -> Cell:
    """A date, a time or both."""
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return Cell(value.date().isoformat() if midnight else value.isoformat(sep=" "), "date")
    return Cell(str(value), "date")


def _dated(value: float, shape: _Shape, from_1904: bool) -> Cell:
    """A number that is shown as a date."""
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

    epoch = MAC_EPOCH if from_1904 else WINDOWS_EPOCH
    try:
        return _moment(from_excel(value, epoch, timedelta=shape.duration))
    except (OverflowError, ValueError):
        return Cell("shows no date that there is; mend it, or write the value itself", "fault")


def _number(said: str, shape: _Shape, from_1904: bool) -> Cell:
    try:
        value = float(said)
    except ValueError:
        return _odd(said)
    if "_" in said:  # as Python writes a number, and nothing else
        return _odd(said)
    if not math.isfinite(value):
        return Cell("holds no finite number; write another", "fault")
    if shape.date:
        return _dated(value, shape, from_1904)
    if shape.divided:
        said = (
            f"is shown divided by thousands (its format is {shape.code[:100]}); give it a plain format, so "
            "that what is seen is what is read"
        )
        return Cell(said, "fault")
    text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return Cell(text, "percent" if shape.percent else "number")


def _mark_hidden(sheet: SheetReader, found: dict[int, dict[int, Cell]], where: str) -> None:
    """What is in hidden rows and columns becomes a fault: nobody sees what would be read."""
    rows = [row for row in found if row in sheet.hidden_rows]
    if rows:
        said = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
        fault = Cell("hidden, by hand or by a filter; show what is to be read, and remove the rest", "fault",
                     f"{where}, rows {said}" if len(rows) > 1 else f"{where}, row {said}")  # fmt: skip
        found.update({row: {k: _faulty(fault, cell) for k, cell in found[row].items()} for row in rows})
    hidden = sheet.hidden_columns
    for cells in found.values() if hidden else ():
        for column in cells:
            if column + 1 in hidden:
                place = f"{where}, column {letters(column)}"
                fault = Cell("hidden; show the column, or empty it", "fault", place)
                cells[column] = _faulty(fault, cells[column])


def _mark_merged(merged: list[Merged], found: dict[int, dict[int, Cell]], where: str) -> None:
    """Merged cells become a fault in every one: which of them the value is for cannot be told."""
    for one in merged:
        fault = Cell("merged into one; unmerge them and fill in each", "fault", f"{where}, cells {one.name}")
        for row in one.rows:
            if row in found:
                for column in one.columns:
                    found[row][column - 1] = _faulty(fault, found[row].get(column - 1, EMPTY))


def _faulty(fault: Cell, cell: Cell) -> Cell:
    return fault._replace(holds=cell.name)
