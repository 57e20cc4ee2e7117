"""Where a number of the report comes from: every number that is shown names its cell or figure.

A source is one or more terms with ` - ` or ` / ` between them, worked out from left to right. A term is
`figure:KEY` or `provenance:KEY` (of summary.json; dots lead into nested ones), `TABLE:COLUMN:ROW` or
`TABLE:COLUMN:ROWS:HOW`, where rows are such as `0-3,8` and how is sum, mean or count. Rows count from 0, as
they stand in tables/TABLE.csv.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from sdopt.export.cells import is_number
from sdopt.result import Result

TELLING = 4
"""A number with no more digits than this may stand in many cells by chance: it is not looked up."""
SAME = 1e-9
"""Numbers that differ by less than this part are the same, but for rounding."""
PERCENT = 100.0
# Characters for private use around a number in a sentence; no sentence of ours holds them.
OPEN, BETWEEN, CLOSE = "\ue000", "\ue001", "\ue002"


@dataclass(frozen=True)
class Traced:
    """A number as shown; `value` is that of the source, and `scale` times that is shown."""

    value: float
    source: str
    shown: str
    scale: float = 1.0


@dataclass
class Sources:
    """The numbers of a result by value, so that one in a sentence finds its cell."""

    result: Result
    marked: list[Traced] = field(default_factory=list)
    _made: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort all numbers with enough digits to be told apart."""
        found = list(_cells(self.result))
        values = np.concatenate([cells for cells, _, _, _ in found] or [np.zeros(0)])
        self._order = np.argsort(values, kind="stable")
        self._values = values[self._order]
        self._starts = np.cumsum([0, *(len(cells) for cells, _, _, _ in found)])
        self._found = found
        for key, value in _figures(self.result.figures):
            self._made.setdefault(_key(value), (value, f"figure:{key}"))

    def mark(self, traced: Traced) -> str:
        """A number for inside a sentence, with marks that `traced.said` makes an element of."""
        self.marked.append(traced)
        return f"{OPEN}{len(self.marked) - 1}{BETWEEN}{traced.shown}{CLOSE}"

    def trace(self, value: float, shown: str) -> Traced | None:
        """A number with its source; None where no cell or figure holds it."""
        for scale in (1.0, PERCENT):
            if found := self._find(value / scale):
                return Traced(*found, shown, scale)
        return None

    def _find(self, value: float) -> tuple[float, str] | None:
        made = self._made.get(_key(value))
        if made or not len(self._values) or not _telling(np.array([value]))[0]:
            return made
        room = SAME * abs(value)
        place = int(np.searchsorted(self._values, value - room))
        if place == len(self._values) or self._values[place] > value + room:
            return None
        at = int(self._order[place])
        block = int(np.searchsorted(self._starts, at, side="right")) - 1
        _, rows, table, column = self._found[block]
        source = f"{table}:{column}:{rows[at - self._starts[block]]}"
        return float(self._values[place]), source


def _cells(result: Result) -> Iterator[tuple[Any, Any, str, str]]:
    """Per column with numbers: those with enough digits, their rows, the table and the column."""
    for name in sorted(result.tables):
        table = result.tables[name]
        for column in table.columns:
            values = _numbers(table[column])
            if values is not None:
                rows = np.flatnonzero(_telling(values))
                yield values[rows], rows, name, str(column)


def _numbers(column: Any) -> Any:
    """The numbers of a column with decimals, NaN for what is none; None for texts and whole numbers.

    A column that holds None as well is one of objects until it was written and read.
    """
    if column.dtype == object:
        return np.array([value if isinstance(value, float) else np.nan for value in column], dtype=float)
    return column.to_numpy(dtype=float, na_value=np.nan) if column.dtype.kind == "f" else None


def _telling(values: Any) -> Any:
    """Which numbers have more digits than may stand somewhere else by chance."""
    sizes = np.abs(values)
    sound = np.isfinite(values) & (sizes > 0)
    tens = np.floor(np.log10(np.where(sound, sizes, 1.0)))
    digits = np.where(sound, sizes, 0.0) / 10.0 ** (tens - TELLING + 1)
    return sound & (np.abs(digits - np.round(digits)) > SAME)


def _key(value: float) -> str:
    return f"{value:.9g}"


def _figures(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Figures that are numbers with enough digits, nested ones with dots."""
    for key, value in sorted(figures.items()):
        if isinstance(value, Mapping):
            yield from _figures(value, f"{before}{key}.")
        elif is_number(value) and _telling(np.array([float(value)]))[0]:
            yield f"{before}{key}", float(value)


def rows_of(rows: Iterable[int]) -> str:
    """Row numbers as text: `0-3,8`."""
    numbered = enumerate(sorted(rows))
    runs = [[row for _, row in run] for _, run in groupby(numbered, lambda pair: pair[1] - pair[0])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def cell_source(table: str, column: str, rows: Iterable[int], how: str) -> str:
    """The source of some cells of a column; `how` they become one number."""
    return f"{table}:{column}:{rows_of(rows)}:{how}"
