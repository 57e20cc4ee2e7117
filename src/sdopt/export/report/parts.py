"""What a section of the report is made of: sentences, tables, numbers beside each other, charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import floor, fsum, log10
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.report.sources import PERCENT, Sources, Traced, cell_source
from sdopt.export.report.traced import TracedLabels
from sdopt.export.views import fact
from sdopt.result import Result
from sdopt.sweep.rounding import quite

if TYPE_CHECKING:
    from sdopt.export.figures import Figure

Cell: TypeAlias = str | Traced
THOUSAND = 1000.0
MONEY = "million eur"
NOTHING = 5e-5
"""A number below this is shown as nothing, without decimals."""


@dataclass(frozen=True)
class Lines:
    """Sentences under a heading of their own, where they have one; `how`: list, text, lead or warning.

    `key` is that of the figures that come after it.
    """

    lines: Sequence[str]
    title: str = ""
    how: str = "list"
    key: str = ""
    kind: str = "lines"


@dataclass(frozen=True)
class Quoted:
    """Sentences that stand in a table as they are: (text, source) pairs."""

    lines: Sequence[tuple[str, str]]
    title: str = ""
    kind: str = "quoted"


@dataclass(frozen=True)
class Fold:
    """Other blocks that open on request."""

    title: str
    blocks: Sequence[Block]
    kind: str = "fold"


@dataclass(frozen=True)
class Grid:
    """A table: heads, which of them are over numbers, rows of texts and numbers; `folded` when it is long."""

    caption: str
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int]
    totals: int = 0
    note: str = ""
    folded: str = ""
    kind: str = "grid"


@dataclass(frozen=True)
class Facts:
    """A few numbers that are read first: label, number with unit, what it says."""

    facts: Sequence[tuple[str, Cell, str, str]]
    kind: str = "facts"


@dataclass(frozen=True)
class Drawn:
    """A chart, with its data as a table below it."""

    figure: Figure
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int]
    kind: str = "drawn"


Block: TypeAlias = "Lines | Quoted | Fold | Grid | Facts | Drawn"


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Case:
    """A result with shown names, words, and where numbers come from."""

    result: Result
    labels: TracedLabels
    sources: Sources
    _columns: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    @property
    def plain(self) -> Labels:
        """Words whose numbers carry no mark."""
        return Labels(self.labels.language)

    @property
    def unit(self) -> str:
        """The unit of the return, in words."""
        return self.labels.unit(str(fact(self.result, "objective_unit") or ""))

    def table(self, name: str) -> pd.DataFrame:
        """A table of the result; an empty one where it is absent."""
        return self.result.tables.get(name, pd.DataFrame())

    def figure(self, key: str) -> float | None:
        """A figure that is a number."""
        value = to_python(fact(self.result, key))
        return float(value) if is_number(value) else None

    def cell(
        self, table: str, column: str, row: Any, decimals: int, *, sign: bool = False, scale: float = 1.0
    ) -> Cell:
        """A number of a table as shown; `row` is its index. A dash where there is none."""
        value = self.values(table, column)[row]
        return self.shown(value, f"{table}:{column}:{row}", decimals, sign=sign, scale=scale)

    def years(self, table: str, column: str, years: Iterable[float]) -> list[Cell]:
        """Years as shown, each with the first row of the table that is about it."""
        values = self.values(table, column)
        return [
            Traced(float(year), f"{table}:{column}:{values.index(year)}", f"{year:g}")
            if year in values
            else f"{year:g}"
            for year in years
        ]

    def inside(self, cell: Cell) -> str:
        """A cell for inside a sentence."""
        return self.sources.mark(cell) if isinstance(cell, Traced) else cell

    def span(self, table: str, columns: tuple[str, str], row: int) -> str:
        """The first and last year of a row, inside a sentence; one where they are the same."""
        ends = {self.values(table, column)[row]: column for column in reversed(columns)}
        return "-".join(
            self.sources.mark(Traced(float(year), f"{table}:{ends[year]}:{row}", f"{year:g}"))
            for year in sorted(ends)
        )

    def values(self, table: str, column: str) -> list[Any]:
        """A column as plain Python values: a table itself is slow to give single cells."""
        key = (table, column)
        if key not in self._columns:
            self._columns[key] = [to_python(value) for value in self.result.tables[table][column].tolist()]
        return self._columns[key]

    def rows_by(self, table: str, *columns: str) -> dict[tuple[Any, ...], list[int]]:
        """Rows of a table by the values of some columns, in the order of the table."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for row, key in enumerate(zip(*(self.values(table, column) for column in columns), strict=True)):
            found.setdefault(key, []).append(row)
        return found

    def summed(
        self, table: str, column: str, rows: Sequence[int], decimals: int, *, scale: float = 1.0,
        sign: bool = False, how: str = "sum",
    ) -> Cell:  # fmt: skip
        """Some cells of a column together, as `how` (sum or mean); a dash where there are none."""
        if not rows:
            return "–"
        values = self.values(table, column)
        value = fsum(values[row] for row in rows) / (len(rows) if how == "mean" else 1)
        return self.shown(value, cell_source(table, column, rows, how), decimals, sign=sign, scale=scale)

    def shown(
        self, value: Any, source: str, decimals: int, *, sign: bool = False, scale: float = 1.0,
        marks: bool = True,
    ) -> Cell:  # fmt: skip
        """A number with this source; a dash where there is none. `marks` are those of thousands."""
        if not is_number(value):
            return "–"
        text = self.plain.number(float(value) * scale, decimals, sign=sign, marks=marks)
        if scale == PERCENT and not sign:  # a chance: never 0 or 100 for what is not quite so
            text = {
                1: ">" + self.plain.number(100 - 10.0**-decimals, decimals),
                -1: "<" + self.plain.number(10.0**-decimals, decimals),
            }.get(quite(value, decimals), text)
        return Traced(float(value), source, text, scale)

    def count(self, table: str, column: str, chosen: pd.DataFrame) -> str:
        """How many rows, inside a sentence."""
        if chosen.empty:
            return self.plain.number(0, 0)
        source = cell_source(table, column, map(int, chosen.index), "count")
        return self.sources.mark(Traced(len(chosen), source, self.plain.number(len(chosen), 0)))


def decimals_for(values: Iterable[Any]) -> int:
    """Decimals for a column of numbers of this size: three digits of the largest, at most four."""
    size = max((abs(float(value)) for value in values if is_number(to_python(value))), default=0.0)
    return sum(size < limit for limit in (100, 10, 1, 0.1)) if size > NOTHING else 0


def needed_decimals(value: float) -> int:
    """Decimals that show the first three digits that count, and no zeros behind them."""
    if value == 0:
        return 0
    text = f"{value:.{max(2 - floor(log10(abs(value))), 0)}f}"
    return len(text.rstrip("0").partition(".")[2]) if "." in text else 0


def money_scale(unit: str) -> tuple[float, bool]:
    """The factor to thousands of euros, and whether the unit is money at all."""
    known = " ".join(unit.lower().split()).startswith(MONEY)
    return (THOUSAND, True) if known else (1.0, False)
