"""Rows of a sheet by the names of its columns, in Dutch or English, with the years down or across."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

from sdopt.config.names import same_name
from sdopt.config.sheets.cells import EMPTY, Cell, Grid
from sdopt.config.sheets.notation import is_percentage, notation, remedy, without_groups
from sdopt.config.sheets.source import check_kind, source_of
from sdopt.config.sheets.text_cells import text_grid
from sdopt.errors import Complaints, did_you_mean

FIRST_ROWS = 40
"""The names of the columns stand in one of the first rows; a title may stand above them."""

_YEAR = re.compile(r"(1[89]|2[0-9])[0-9]{2}")


@dataclass(frozen=True)
class Wanted:
    """What a reader asks for: columns by name, which may be absent, and which hold numbers.

    Of `across`, a column of years and one of values, a sheet may have a column per year instead.
    """

    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    across: tuple[str, str] | None = None
    years: tuple[str, ...] = ()
    """Columns of `numbers` in which 1 January is the year that it begins."""
    ragged: bool = False
    """Whether a row of a .csv may have fewer cells than the header."""


@dataclass(frozen=True)
class Layout:
    """Where the columns of a table stand in a row; `year` when the row has a value for several years."""

    grid: Grid = field(repr=False)
    header: Sequence[str]
    columns: Mapping[str, int]
    year: Mapping[str, Cell] = field(default_factory=dict)

    def cell(self, row: Sequence[Cell], column: str) -> Cell:
        """What a row has in a column; empty when there is no such column."""
        if column in self.year:
            return self.year[column]
        k = self.columns.get(column, len(row))
        return row[k] if k < len(row) else EMPTY

    def cells(self, row: Sequence[Cell]) -> dict[str, Cell]:
        """Column -> its cell."""
        return {name: self.cell(row, name) for name in self.columns}

    def at(self, row: int, column: str) -> str:
        """A cell, or the row, in words."""
        if not column:
            return self.grid.at(row)
        k = self.columns[column]
        return self.grid.at(row, k, self.header[k])


@dataclass(frozen=True, slots=True)
class Line:
    """One row, or of a sheet with the years across one cell of a row: column -> trimmed text.

    `percents` are the columns whose cell is a percentage: 5 % is 0.05.
    """

    row: int
    cells: Mapping[str, str]
    layout: Layout = field(repr=False)
    percents: frozenset[str] = frozenset()

    def at(self, column: str = "") -> str:
        """A cell, or the row, in words."""
        return self.layout.at(self.row, column)


@dataclass(frozen=True)
class Table:
    """The lines of a sheet; numbers have the decimal mark `mark` and no separators of thousands.

    `wide`: with a column per year; `workbook`: from .xlsx.
    """

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    mark: str
    wide: bool
    workbook: bool


def read_grid(path: Path) -> Grid:
    """The cells of the sheet that a path names.

    Raises
    ------
    ConfigError
        When there is no such file or sheet, or it cannot be read or is too large.
    """
    source = source_of(path)
    check_kind(source)
    if not source.is_workbook:
        return text_grid(source.file)
    from sdopt.config.sheets.book_cells import book_grid

    return book_grid(source)


def read_sheet(path: Path, wanted: Wanted, complaints: Complaints) -> Table:
    """What a path names, as a table.

    Raises
    ------
    The error of `complaints`
        At once when columns lack or the notation of its numbers cannot be told; cells and rows that are
        wrong go to `complaints`, and those rows are left out.
    """
    return table_of(read_grid(path), wanted, complaints)


def table_of(grid: Grid, wanted: Wanted, complaints: Complaints) -> Table:
    """The table that a sheet holds; as `read_sheet`."""
    first, header, wide = _header(grid, wanted, complaints)
    layouts = _layouts(grid, header, wide, wanted)
    found = [
        _Found(row, cells, layout, wanted, complaints)
        for row, cells in _rows(grid, first, header, wanted, complaints)
        for layout in layouts
    ]
    mark = _mark(found, grid.delimiter, complaints)
    lines = tuple(line for one in found if (line := one.line(mark)) is not None)
    return Table(tuple(header), lines, mark, bool(wide), bool(grid.where))


def _layouts(grid: Grid, header: Sequence[str], wide: Mapping[int, str], wanted: Wanted) -> list[Layout]:
    """How a row is to be read: once, or once per year."""
    named = {name: k for k, name in enumerate(header) if name and k not in wide}
    if not wide or wanted.across is None:
        return [Layout(grid, header, named)]
    time, value = wanted.across
    return [
        Layout(grid, header, {**named, time: k, value: k}, {time: Cell(year, "number")})
        for k, year in wide.items()
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """A line before the notation of its numbers is known: the cells of its row."""

    row: int
    cells: Sequence[Cell]
    layout: Layout
    wanted: Wanted
    complaints: Complaints

    def at(self, column: str) -> str:
        return self.layout.at(self.row, column)

    def numbers(self) -> Iterator[tuple[str, str]]:
        """The columns of numbers in which there is text, and that text."""
        for column in self.wanted.numbers:
            if (cell := self.layout.cell(self.cells, column)).kind == "text" and cell.text:
                yield column, cell.text

    def line(self, mark: str) -> Line | None:
        """The line with its numbers in one notation; None after a complaint about a cell."""
        before, cells = len(self.complaints.items), self.layout.cells(self.cells)
        for column in (*self.wanted.columns, *self.wanted.optional):
            if (cell := cells.get(column, EMPTY)).kind == "fault":
                self.complaints.add(cell.place or self.at(column), cell.text)
        texts = {column: cell.text for column, cell in cells.items()}
        numbers = [column for column in self.wanted.numbers if texts.get(column)]
        for column in numbers:
            texts[column] = self._number(column, cells[column], mark)
        if len(self.complaints.items) > before:
            return None
        percents = frozenset(column for column in numbers if _is_percent(cells[column]))
        return Line(self.row, texts, self.layout, percents)

    def _number(self, column: str, cell: Cell, mark: str) -> str:
        if cell.kind in ("number", "percent"):
            return cell.text if mark == "." else cell.text.replace(".", mark)
        if cell.kind == "date":
            if column in self.wanted.years and _YEAR.fullmatch(cell.name):
                return cell.name
            said = "write the year as a number" if column in self.wanted.years else "write a number"
            self.complaints.add(self.at(column), f"holds a date or time ({cell.text}); {said}")
        return without_groups(cell.text, mark) if cell.kind == "text" else ""


def _rows(
    grid: Grid, first: int, header: Sequence[str], wanted: Wanted, complaints: Complaints
) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    """The rows below the header; those of a .csv must have as many cells, but for empty ones at their end."""
    for row, cells in grid.rows.items():
        if row <= first:
            continue
        short, more = len(cells) < len(header), any(cell.text for cell in cells[len(header) :])
        if grid.delimiter and (more or (short and not wanted.ragged)):
            complaints.add(f"row {row}", f"{len(cells)} cells where the first row has {len(header)}; "
                           f'put text that contains "{grid.delimiter}" in double quotes')  # fmt: skip
        elif any(cell.text for cell, name in zip(cells, header, strict=False) if name):
            yield row, cells


def header_of(grid: Grid, wanted: Wanted) -> tuple[int, list[str]]:
    """The row that names the columns, 0 when there is none, and these names."""
    rows = list(islice(grid.rows.items(), FIRST_ROWS))
    for row, cells in rows:
        names = _named(cells, wanted)
        if names and not _missing(names, wanted):
            return row, names
    return (rows[0][0], _named(rows[0][1], wanted)) if rows else (0, [])


def _header(grid: Grid, wanted: Wanted, complaints: Complaints) -> tuple[int, list[str], Mapping[int, str]]:
    """The row of the header, the names of the columns, and which columns are a year."""
    row, names = header_of(grid, wanted)
    wide = _years(names) if _is_wide(names, wanted) else {}
    for k, cell in enumerate(grid.rows.get(row, ())):
        if cell.kind == "fault" and (k in wide or names[k] in (*wanted.columns, *wanted.optional)):
            complaints.add(cell.place or grid.at(row, k), cell.text)
    missing = _missing(names, wanted)
    where = f"{grid.where}, " if grid.where else ""
    for column in dict.fromkeys((*missing, *names)):
        if column and (column in missing or names.count(column) != 1):
            problem = "given twice."
            if column in missing:
                known = (*wanted.columns, *wanted.optional)
                problem = f"missing.{did_you_mean(column, [name for name in names if name not in known])}"
            complaints.add(f"{where}column {column}", f"{problem} {_needed(grid, wanted)}")
    complaints.raise_if_any()
    return row, names, wide


def _needed(grid: Grid, wanted: Wanted) -> str:
    across = ", or a column per year in place of the last two" if wanted.across else ""
    others = f". Other sheets: {', '.join(grid.others)}" if grid.others else ""
    return f"Needed: {', '.join(wanted.columns)}{across}{others}"


def _named(cells: Sequence[Cell], wanted: Wanted) -> list[str]:
    """The names of columns: those that are wanted in our words, years as 2027, others as they are."""
    texts = [cell.name for cell in cells]
    known = (*wanted.columns, *wanted.optional)
    names = [text.lower() if text.lower() in known else text for text in texts]
    absent = {column: _words()[column] for column in known if column not in names and column in _words()}
    for k, name in enumerate(names):
        if name not in known:
            bare = name.partition("(")[0] if name.endswith(")") else name
            plain = {same_name(name), same_name(bare)}
            names[k] = next((c for c, words in absent.items() if plain & {c, *words}), name)
    return names


@cache
def _words() -> dict[str, frozenset[str]]:
    """Column -> other words for it."""
    text = files(__package__).joinpath("headers.csv").read_text(encoding="utf-8")
    return {
        row["column"]: frozenset(word.strip() for word in row["words"].split(";"))
        for row in csv.DictReader(text.splitlines())
    }


def _missing(names: Sequence[str], wanted: Wanted) -> list[str]:
    across = wanted.across if _is_wide(names, wanted) else None
    return [column for column in wanted.columns if column not in names and column not in (across or ())]


def _is_wide(names: Sequence[str], wanted: Wanted) -> bool:
    return bool(wanted.across) and not set(wanted.across or ()) & set(names) and bool(_years(names))


def _years(names: Sequence[str]) -> dict[int, str]:
    return {k: name for k, name in enumerate(names) if _YEAR.fullmatch(name)}


def _is_percent(cell: Cell) -> bool:
    return cell.kind == "percent" or (cell.kind == "text" and is_percentage(cell.text))


def _mark(found: Sequence[_Found], delimiter: str, complaints: Complaints) -> str:
    """The decimal mark of the numbers that are text; when it cannot be told that is the one complaint."""
    mark, unclear = notation((text for one in found for _, text in one.numbers()), delimiter)
    if unclear:
        where = next(one.at(column) for one in found for column, text in one.numbers() if text == unclear[0])
        more = f" (and {len(unclear) - 1} more like it)" if len(unclear) > 1 else ""
        complaints.add(where, f'"{unclear[0]}"{more} can be two numbers, and nothing else in the table tells '
                       f"which: {remedy(unclear[0], delimiter)}; or save it as .xlsx")  # fmt: skip
        complaints.raise_if_any()
    return mark
