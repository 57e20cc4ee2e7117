"""Cells as they stand in one sheet, whatever the file: text, with what kind of cell it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

MOST_CELLS = 500_000
"""Cells of one sheet."""

_FIRST_OF_JANUARY = re.compile(r"([0-9]{4})-01-01")

Kind = Literal["text", "number", "percent", "date", "fault"]


class Cell(NamedTuple):
    """What a cell holds. A `number` (also a `percent`, 5 % as 0.05) has a decimal point; a `date` is ISO.

    Of a `fault` the text says what is wrong and what to do, `place` where, if not in this one cell, and
    `holds` what stands in it all the same.
    """

    text: str = ""
    kind: Kind = "text"
    place: str = ""
    holds: str = ""

    @property
    def name(self) -> str:
        """What stands in it, as the name of a column: a year for the date of its first day."""
        if self.kind == "fault":
            return self.holds
        return _FIRST_OF_JANUARY.sub(r"\1", self.text) if self.kind == "date" else self.text


EMPTY = Cell()


@dataclass(frozen=True)
class Grid:
    """The rows of one sheet that hold anything, by number; `where` names the sheet, "" for a .csv.

    `delimiter` is that of a .csv, `others` are references to the other sheets that are shown.
    """

    rows: Mapping[int, tuple[Cell, ...]]
    where: str = ""
    delimiter: str = ""
    others: tuple[str, ...] = ()

    def at(self, row: int, column: int | None = None, name: str = "") -> str:
        """A row or a cell in words: `row 7, value`, or `plan.xlsx, sheet Costs, cell C7 (value)`."""
        if not self.where:
            return f"row {row}, {name}" if name else f"row {row}"
        cell = f"row {row}" if column is None else f"cell {letters(column)}{row}"
        return f"{self.where}, {cell}" + (f" ({name})" if name else "")


def letters(column: int) -> str:
    """What a spreadsheet calls a column, from 0: A, B, ..., Z, AA."""
    before, last = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)
