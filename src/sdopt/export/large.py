"""Very many rows as .xlsx, in constant memory: the runs of a sweep, split over sheets as Excel needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sdopt.errors import ExportError
from sdopt.export.cells import LONGEST_TEXT, is_missing, is_number, plain_text
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME
from sdopt.export.page import A4, CREATED, INK, THIN, Book, Page, Style
from sdopt.result import Result, Status

LARGE = {
    "xlsx-runs": ("runs", "scenarios", "allocations"),
    "xlsx-trajectories": ("trajectories",),
}
"""Format -> the files FOLDER/NAME.parquet that it holds; the first must be there."""
AT_ONCE = 2048
"""Rows in memory."""
WIDTH, HEADER_POINTS = 14, 42
PRINTED = 12
"""Columns that can still be read when a page is as wide as they are together."""
HEADS = ("sheet", "table", "first", "last", "columns")


@dataclass(frozen=True)
class Limits:
    """The most that one sheet can hold: rows, the header included, and columns."""

    rows: int = 1_048_576
    columns: int = 16_384


EXCEL = Limits()


@dataclass
class Part:
    """A sheet with some of the rows and columns of a table; rows count from 1, the header not included."""

    table: str
    sheet: Any
    first: int
    columns: Sequence[int]
    last: int = 0


@dataclass
class _Large:
    """The workbook being written, what is on its sheets, and how many texts were cut off."""

    workbook: Any
    labels: Labels
    limits: Limits
    parts: list[Part] = field(default_factory=list)
    cut: int = 0

    def __post_init__(self) -> None:
        self.header = self.workbook.add_format(
            {"bold": True, "font_color": "#FFFFFF", "bg_color": INK, "text_wrap": True, "valign": "top"}
        )

    def table(self, name: str, path: Path) -> None:
        """All rows of a Parquet file, on as many sheets as they need."""
        import pyarrow.parquet

        with path.open("rb") as opened:
            file = pyarrow.parquet.ParquetFile(opened)
            columns = file.schema_arrow.names
            groups = _column_groups(len(columns), self.limits.columns)
            on_sheet = self.limits.rows - 1
            count = max(-(-file.metadata.num_rows // on_sheet), 1) * len(groups)
            current: list[Part] = []
            for number, row in enumerate(_rows(file)):
                if number % on_sheet == 0:
                    current = [self._sheet(name, columns, group, number, count) for group in groups]
                for part in current:
                    self._write(part, number % on_sheet + 1, row)
            if not current:
                for group in groups:
                    self._sheet(name, columns, group, 0, count)

    def _sheet(self, table: str, names: Sequence[str], group: Sequence[int], first: int, count: int) -> Part:
        """A new sheet with its header, which stays in sight and is repeated in print."""
        word = self.labels(f"large.{table}")
        before = sum(part.table == table for part in self.parts)
        sheet = self.workbook.add_worksheet(f"{word} {before + 1}" if count > 1 else word)
        sheet.set_column(0, len(group) - 1, WIDTH)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.repeat_columns(0)
        sheet.set_landscape()
        sheet.set_paper(A4)
        if len(group) <= PRINTED:
            sheet.fit_to_pages(1, 0)
        sheet.set_row(0, HEADER_POINTS)
        for place, column in enumerate(group):
            sheet.write_string(0, place, plain_text(names[column]), self.header)
        part = Part(table, sheet, first + 1, group, first)
        self.parts.append(part)
        return part

    def _write(self, part: Part, row: int, values: Sequence[Any]) -> None:
        """One row, with every value as what it is."""
        sheet, part.last = part.sheet, part.last + 1
        for place, column in enumerate(part.columns):
            value = values[column]
            if is_missing(value) or value == "":
                continue
            if isinstance(value, bool):
                sheet.write_boolean(row, place, value)
            elif is_number(value):
                sheet.write_number(row, place, value)
            else:
                self.cut += len(str(value)) > LONGEST_TEXT
                sheet.write_string(row, place, plain_text(value))

    def note(self, page: Page, folder: Path) -> None:
        """What is where, and which limits of Excel were reached."""
        labels = self.labels
        page.set_up([24, 24, 14, 14, 14], portrait=True)
        page.heading(page.name, folder.resolve().name)
        for line in self._lines(folder):
            page.across(line, **THIN)
        page.row += 1
        count: Style = {"num_format": "#,##0"}
        styles: list[Style] = [NAME, NAME, count, count, count]
        page.header([labels(f"large.head.{key}") for key in HEADS], styles)
        for part in self.parts:
            file = f"{part.table}.parquet"
            page.rows([[part.sheet.name, file, part.first, part.last, len(part.columns)]], styles)
        page.finish(len(styles))

    def _lines(self, folder: Path) -> Iterator[str]:
        """What the workbook is, then a sentence for each limit that was reached."""
        labels, limits = self.labels, self.limits
        yield labels("large.about", folder=folder.resolve().name)
        for table in dict.fromkeys(part.table for part in self.parts):
            own = [part for part in self.parts if part.table == table]
            words = {"table": f"{table}.parquet", "count": len(own)}
            if len({part.first for part in own}) > 1:
                yield labels("large.rows", limit=labels.number(limits.rows, 0), **words)
            if len({tuple(part.columns) for part in own}) > 1:
                yield labels("large.columns", limit=labels.number(limits.columns, 0), **words)
        if self.cut:
            yield labels("large.cut", count=labels.number(self.cut, 0), limit=labels.number(LONGEST_TEXT, 0))


def write_large(folder: Path, form: str, target: BinaryIO, limits: Limits = EXCEL) -> None:
    """Write the rows of a results folder as .xlsx, in memory that does not grow with their number.

    Parameters
    ----------
    folder : what `sdopt sweep` wrote, or `sdopt simulate --runs`
    form : a key of `LARGE`
    target : file to write to
    limits : of a sheet

    Raises
    ------
    ExportError
        When the folder has no such rows, or they cannot be read.
    """
    import pyarrow
    import xlsxwriter
    from xlsxwriter.exceptions import FileSizeError

    tables = _tables(folder, LARGE[form])
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        # Also when it fails the workbook is closed: that removes its temporary files.
        with xlsxwriter.Workbook(target, options) as workbook:
            workbook.set_properties({"title": plain_text(folder.resolve().name), "created": CREATED})
            labels = Labels(_language(folder))
            large = _Large(workbook, labels, limits)
            about = Result(Status.SIMULATED, folder.resolve().name, labels.language, {}, {}, {})
            note = Page(Book(workbook, about, labels), "large")
            for name, path in tables.items():
                large.table(name, path)
            large.note(note, folder)
    except pyarrow.ArrowException as error:
        raise ExportError(f"{folder}: its rows cannot be read ({error}). Run the sweep again.") from error
    except FileSizeError as error:
        raise ExportError(f"{folder}: too large for .xlsx (a sheet above 4 GB). Use the .parquet.") from error


def _tables(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """The files that there are."""
    found = {name: folder / f"{name}.parquet" for name in names}
    if not found[names[0]].is_file():
        raise ExportError(
            f"{folder}: it has no {names[0]}.parquet. Give a folder that `sdopt sweep` or "
            "`sdopt simulate --runs` wrote; an advice has its years in workbook.xlsx and tables/."
        )
    return {name: path for name, path in found.items() if path.is_file()}


def _language(folder: Path) -> str:
    """The language of the results; Dutch when they do not tell."""
    try:
        said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["language"]
    except (OSError, ValueError, KeyError, TypeError):
        return "nl"
    return str(said)


def _column_groups(count: int, most: int) -> list[list[int]]:
    """Positions of the columns on every sheet beside each other; each begins with the first column."""
    if count <= most:
        return [list(range(count))]
    step = most - 1
    return [[0, *range(start, min(start + step, count))] for start in range(1, count, step)]


def _rows(file: Any) -> Iterator[Sequence[Any]]:
    """The rows of a Parquet file one by one, as Python values."""
    for batch in file.iter_batches(batch_size=AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
