"""Where a number of the report comes from: every number that is shown names its cell or figure.

`terms` says what a source looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sdopt.export.cells import is_number
from sdopt.export.report.rules import Rules
from sdopt.export.report.terms import PERCENT, SAME, Traced, cell_source
from sdopt.result import Result

__all__ = ["PERCENT", "Sources", "Traced", "cell_source"]

TELLING = 4
"""A number with no more digits than this may stand in many cells by chance: it is not looked up."""
_DIGITS = re.compile(r"\d+")
# Characters for private use around a number in a sentence; no sentence of ours holds them.
OPEN, BETWEEN, CLOSE = "\ue000", "\ue001", "\ue002"


@dataclass
class Sources:
    """The numbers of a result by value, so that one in a sentence finds its cell."""

    result: Result
    marked: list[Traced] = field(default_factory=list)
    _marks: dict[Traced, str] = field(default_factory=dict)
    _names: dict[str, set[str]] | None = None
    _made: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort all numbers with enough digits to be told apart."""
        self.rules = Rules(self.result)
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
        if traced not in self._marks:
            self.marked.append(traced)
            self._marks[traced] = f"{OPEN}{len(self.marked) - 1}{BETWEEN}{traced.shown}{CLOSE}"
        return self._marks[traced]

    def behind(self, number: int, shown: str) -> Traced | None:
        """The number behind a mark; None for a mark that was never given."""
        known = self.marked[number] if number < len(self.marked) else None
        return known if known is not None and known.shown == shown else None

    def named(self, text: str) -> list[tuple[int, int]]:
        """Where in a text names stand that hold a number themselves, as they are in a table."""
        if self._names is None:
            self._names = _names(self.result)
        found = {name for number in _DIGITS.findall(text) for name in self._names.get(number, ())}
        return [(at.start(), at.end()) for name in found for at in re.finditer(re.escape(name), text)]

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


def _names(result: Result) -> dict[str, set[str]]:
    """Number -> the texts in tables that hold it, and more than that."""
    found: dict[str, set[str]] = {}
    for table in result.tables.values():
        for column in table:
            if table[column].dtype.kind != "O":
                continue
            for text in table[column].unique():
                if isinstance(text, str) and any(map(str.isalpha, text)):
                    for number in _DIGITS.findall(text):
                        found.setdefault(number, set()).add(text)
    return found


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
