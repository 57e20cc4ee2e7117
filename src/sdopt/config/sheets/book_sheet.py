"""The cells of one sheet of an .xlsx file as they stand there, and what of it is hidden or merged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from sdopt.config.sheets.book_parts import TRUE, Texts
from sdopt.config.sheets.cells import MOST_CELLS, letters
from sdopt.config.sheets.safe_book import REMEDY
from sdopt.errors import ConfigError

MOST_MERGED = 100_000
"""Cells in the merged ranges of one sheet."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Of a sheet, in every program."""

_PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


class Stored(NamedTuple):
    """A cell that holds something: its type, what stands there, its style, and whether a formula made it."""

    kind: str
    value: str
    style: int
    formula: bool


class Merged(NamedTuple):
    """A range of cells that are one; rows and columns from 1, the last of both included."""

    name: str
    rows: range
    columns: range


class SheetReader(Texts):
    """Reads `rows` (row -> column -> cell, from 1), and what is hidden and merged; not empty cells."""

    def __init__(self, where: str) -> None:
        """`where` names the sheet in errors."""
        super().__init__(where)
        self.rows: dict[int, dict[int, Stored]] = {}
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[Merged] = []
        self._cells = self._rows_seen = self._joined = self._hidden = self._row = self._column = 0
        self._cell: Mapping[str, str] | None = None
        self._value, self._formula = "", False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if tag == "c":
            self._begin(attributes)
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self.items += 1
            if self._rows_seen == LAST_ROW:
                raise ValueError("more rows than a sheet has")
            self._rows_seen += 1
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            if attributes.get("hidden") in TRUE:
                self.hidden_rows.add(self._row)
        elif tag == "col" and attributes.get("hidden") in TRUE:
            self._hide(int(attributes["min"]), int(attributes["max"]))
        elif tag == "mergeCell":
            self._merge(attributes["ref"])
        elif tag != "v":
            super().start(tag, attributes)

    def end(self, tag: str, text: str) -> None:
        """An element ends."""
        if tag == "v":
            self._value = text
        elif tag == "c":
            self._keep()
        else:
            super().end(tag, text)

    def _begin(self, attributes: Mapping[str, str]) -> None:
        """A cell begins; those that are empty count too, because a format makes them stand in the file."""
        self.items += 1
        self._cells += 1
        if self._cells > MOST_CELLS:
            raise ConfigError(
                f"{self.where}: more than {MOST_CELLS:,} cells, with empty ones that have a format; no more "
                f"can be read. {REMEDY}"
            )
        if "r" in attributes:
            self._column, self._row = _place(attributes["r"])
        else:
            self._column += 1
        self._cell, self._value, self._formula = attributes, "", False
        self.found.clear()

    def _keep(self) -> None:
        """The cell that ends, unless it is empty; a formula without a value is not."""
        if self._cell is None:
            return
        kind = self._cell.get("t", "n")
        value = "".join(self.found) if kind == "inlineStr" else self._value
        if value or (self._formula and kind != "str"):
            row = self.rows.setdefault(self._row, {})
            if self._column in row or not (0 < self._row <= LAST_ROW and 0 < self._column <= LAST_COLUMN):
                raise ConfigError(
                    f"{self.where}, cell {letters(self._column - 1)}{self._row}: is there twice, or where no "
                    "cell can be; open the file in a spreadsheet program and save it again"
                )
            row[self._column] = Stored(kind, value, int(self._cell.get("s", "0")), self._formula)
        self._cell = None

    def _hide(self, first: int, last: int) -> None:
        columns = range(max(first, 1), min(last, LAST_COLUMN) + 1)
        self._hidden += len(columns)
        if self._hidden > 2 * LAST_COLUMN:
            raise ValueError("it hides more columns than a sheet has")
        self.hidden_columns.update(columns)

    def _merge(self, name: str) -> None:
        first, _, last = name.partition(":")
        columns, rows = zip(_place(first), _place(last or first), strict=True)
        one = Merged(name, *(range(min(ends), max(ends) + 1) for ends in (rows, columns)))
        self._joined += len(one.rows) * len(one.columns)
        if self._joined > MOST_MERGED:
            raise ConfigError(
                f"{self.where}: {self._joined:,} merged cells; at most {MOST_MERGED:,} can be read. {REMEDY}"
            )
        self.merged.append(one)


def _place(said: str) -> tuple[int, int]:
    """Column and row, from 1, of a cell such as C7."""
    match = _PLACE.fullmatch(said)
    if match is None:
        raise ValueError(f"{said[:20]} is no cell")
    return _column(match[1]), int(match[2])


@cache
def _column(said: str) -> int:
    column = 0
    for letter in said.upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return column
