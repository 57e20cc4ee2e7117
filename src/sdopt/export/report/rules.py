"""Where the numbers of a sentence come from: `rules.csv` says it per place in a label; here they are found.

Every number in a sentence fills in a place of a label, such as `{year}` in that of `why.pay_back`. A line of
the table says where that number stands: `why.pay_back,year,pay_back:year_discounted`. Makers of sentences say
nothing of it: `Labels.number(...)`, a count or a year is given to a label as before, and `TracedLabels` finds
the cell with exactly that value; of several cells that in the row with most of the names in the sentence.
A label may end with `.*`. A place may be a number: a column in the table of the figure with the key of that
label; or `cell` for all of them, where `{0}` is the first text of the row and `{head}` the column's head.

A rule is one or more options with ` | ` between them; the first that holds the number counts. An option is
what `terms` calls a source, in which

- the rows may be left out: any row (`pay_back:year`), or only rows for which something holds
  (`shadow_prices[verdict=agrees;binds=yes;year={year}]:limit:count`): `{year}` is another place of the label,
  `[!flag]` is not true, `[~name]` is not named in the sentence, and `decided` the years in which the advice
  may differ;
- ` by ` says in which groups rows are taken together (`ledger:difference:sum by pocket`); `part` is the
  variable, or the name that `Labels.group` gave to several;
- the same column twice is any pair of its cells (`frontier:value - frontier:value`);
- before it may stand `%` (shown times 100), and `up` or `down` (rounded so before it was shown).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np

from sdopt.export.cells import is_missing, is_number, to_python
from sdopt.export.report.terms import OPERATORS, PERCENT, SAME, Traced, cell_source, last_digit
from sdopt.export.views import decision_years, full_names, has
from sdopt.result import Result

NOTHING = 1e-12
"""What is smaller is zero."""
PART = "part"
MOST = 100
"""Cells with the same number that are looked at."""
TIMES = ("time", "year")
"""Columns with the year that a row is about."""
FLAGS = ("%", "up", "down")
_TERM = re.compile(
    r"(?P<table>\w+)(?:\[(?P<where>[^\]]*)\])?:(?P<column>[^:]+)(?::(?P<how>\w+)(?: by (?P<by>[\w+]+))?)?"
)
_OPERATOR = re.compile(r" ([-+*/]) ")
_HOLDS = re.compile(r"(?P<column>\w+)(?P<sign>!=|=|<|>)(?P<value>.*)", re.DOTALL)
HOW: Mapping[str, Callable[[Any], float]] = {
    "sum": lambda values: float(np.nansum(values)),
    "mean": lambda values: float(np.nanmean(values)),
    "min": lambda values: float(np.nanmin(values)),
    "max": lambda values: float(np.nanmax(values)),
    "count": len,
    "different": lambda values: len(np.unique(values)),
}


@cache
def _table() -> dict[tuple[str, str], str]:
    """Label and place -> rule."""
    text = files(__package__).joinpath("rules.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {(row["label"], row["place"]): row["source"] for row in rows}


def rule(label: str, place: str) -> str:
    """The rule for a place in a label, or for all labels that begin so; "" where there is none."""
    known, begin = _table(), label
    if found := known.get((label, place)):
        return found
    while begin and (f"{begin}.*", place) not in known:
        begin = begin.rpartition(".")[0]
    return known.get((f"{begin}.*", place), "")


@dataclass(frozen=True)
class Found:
    """What a rule may mean: numbers, the source of each, and the rows (of a table) that it is about."""

    values: Any
    source: Callable[[int], str]
    rows: Sequence[Sequence[int]] = ()
    table: str = ""


@dataclass(frozen=True)
class Places:
    """Where a number of a figure's table may stand: figure and column, the tables, the texts beside it."""

    figure: str
    column: int
    tables: Sequence[str]
    words: Mapping[str, str]


@dataclass(frozen=True)
class Rules:
    """Finds numbers of one result (with shown names) by rule."""

    result: Result
    _known: dict[Any, Any] = field(default_factory=dict)
    _groups_of: dict[str, str] = field(default_factory=dict)

    def group(self, name: str, members: Iterable[str]) -> None:
        """Let `part` of these variables be this name."""
        self._groups_of.update(dict.fromkeys(members, name))
        self._known.clear()

    def find(
        self, said: str, value: float, shown: str, words: Mapping[str, str], near: str = ""
    ) -> Traced | None:
        """A number with its source by a rule.

        Parameters
        ----------
        said : the rule
        value, shown : the number, and what is shown of it
        words : place -> text, of the whole sentence
        near : the text just before the number: rows that it names come first
        """
        digit = last_digit(shown, self.result.language)
        for option in said.split(" | "):
            flags, text = set[str](), option
            while (first := text.partition(" "))[0] in FLAGS:
                flags.add(first[0])
                text = first[2]
            found = self._expression(text, words)
            for scale in (PERCENT, -PERCENT) if "%" in flags else (1.0, -1.0):
                rounded = next(iter(flags - {"%"}), "")
                places = _places(found.values, value / scale, rounded, digit / abs(scale))
                if len(places):
                    place = self._best(found, places[:MOST], words.values(), near)
                    kept = float(found.values[place])
                    return Traced(kept, found.source(place), shown, scale, rounded)
        return None

    def of_figure(self, places: Places, value: float, shown: str) -> Traced | None:
        """A number in the table of a figure: by its rule, or any cell of its tables with that value.

        Cells in rows with the first text of the figure's own row come first.
        """
        label = f"figure.{places.figure}"
        if said := rule(label, str(places.column)) or rule(label, "cell"):
            return self.find(said, value, shown, places.words)
        words = [word for word in places.words.values() if word]
        for table in places.tables:
            for rows in (self._about(table, places.words["name"]), None):
                if (cell := self._cell(table, rows, value, words)) is not None:
                    column, row = cell
                    kept = float(self._numbers(table, column)[row])
                    return Traced(kept, f"{table}:{column}:{row}", shown)
        return None

    def _about(self, table: str, name: str) -> Any:
        """The rows of a table that hold a text."""
        if (key := ("about", table, name)) not in self._known:
            columns = self._texts(table)
            self._known[key] = np.flatnonzero(np.any([one == name for one in columns], axis=0)
                                              if columns else [])  # fmt: skip
        return self._known[key]

    def _cell(self, table: str, rows: Any, value: float, words: Sequence[str]) -> tuple[str, int] | None:
        """Column and row of a number, of all rows or some; that with most of the words in its row."""
        if not has(self.result, table):
            return None
        columns, numbers = self._matrix(table)
        chosen = numbers if rows is None else numbers[rows]
        texts, best = self._texts(table), None
        for place, column in np.argwhere(_same(chosen, value))[:MOST].tolist():
            row = place if rows is None else int(rows[place])
            score = sum(one[row] in words for one in texts), -row, -column
            best = max(best or score, score)
        return (columns[-best[2]], -best[1]) if best else None

    def _matrix(self, table: str) -> tuple[list[str], Any]:
        """The columns of a table that hold numbers, and those."""
        if (key := ("matrix", table)) not in self._known:
            frame = self.result.tables[table]
            columns = [str(one) for one in frame if str(frame[one].dtype) not in ("str", "bool")]
            numbers = [self._numbers(table, column) for column in columns]
            held = [place for place, one in enumerate(numbers) if not np.isnan(one).all()]
            whole = np.column_stack([numbers[place] for place in held]) if held else np.zeros((0, 0))
            self._known[key] = [columns[place] for place in held], whole
        known: tuple[list[str], Any] = self._known[key]
        return known

    def _best(self, found: Found, places: Any, words: Iterable[str], near: str) -> int:
        """Of places with the same number that of which the row has most of the names."""
        if len(places) == 1 or not found.rows:
            return int(places[0])
        texts = self._texts(found.table)
        said = " ".join(words)

        def named(place: int) -> tuple[int, int]:
            held = {one[row] for row in found.rows[place][:1] for one in texts}
            own = {text for text in held if isinstance(text, str) and text}
            return sum(text in near for text in own), sum(text in said for text in own)

        return max(map(int, places), key=lambda place: (*named(place), -place))

    def _texts(self, table: str) -> list[Any]:
        """The columns of a table with texts, and those with years as texts."""
        if (key := ("texts", table)) not in self._known:
            frame = self.result.tables[table]
            columns = [frame[one].to_numpy(dtype=object) for one in frame if _is_text(frame[one])]
            years = [
                np.unique(self._numbers(table, one), return_inverse=True) for one in TIMES if one in frame
            ]
            columns += [np.array([f"{year:g}" for year in known], dtype=object)[at] for known, at in years]
            self._known[key] = columns
        known: list[Any] = self._known[key]
        return known

    def _expression(self, text: str, words: Mapping[str, str]) -> Found:
        """All that a source without rows may be worth, from left to right."""
        known: Found | None = None if "{" in text else self._known.get(text)
        if known is not None:
            return known
        first, *rest = _OPERATOR.split(text)
        found = self._term(first, words)
        for operator, term in zip(rest[::2], rest[1::2], strict=True):
            found = _joined(found, self._term(term, words), operator, pairs=term == first)
        if "{" not in text:
            self._known[text] = found
        return found

    def _term(self, text: str, words: Mapping[str, str]) -> Found:
        if is_number(known := _float(text)):
            return Found(np.array([known]), lambda _: text)
        term = _TERM.fullmatch(text)
        assert term is not None, text  # noqa: S101  # a mistake in our own table
        if term["table"] in ("figure", "provenance"):
            return self._fact(text, term["column"])
        if not has(self.result, term["table"]) or term["column"] not in self.result.tables[term["table"]]:
            return Found(np.zeros(0), lambda _: text)
        return self._cells(term, self._where(term["table"], term["where"] or "", words))

    def _fact(self, text: str, key: str) -> Found:
        found: Any = self.result.figures if text.startswith("figure") else self.result.provenance
        for part in key.split("."):
            found = found[int(part)] if isinstance(found, (list, tuple)) else (found or {}).get(part)
        found = to_python(found)
        return Found(np.array([found] if is_number(found) else [], dtype=float), lambda _: text)

    def _cells(self, term: re.Match[str], rows: Any) -> Found:
        """The chosen cells of a column, or what they are together."""
        table, column, how = term["table"], term["column"], term["how"]
        values = self._numbers(table, column, texts=True)
        if not how:
            return Found(values[rows], lambda at: f"{table}:{column}:{rows[at]}",
                         [(row,) for row in rows.tolist()], table)  # fmt: skip
        groups = self._groups(table, rows.tolist(), term["by"])
        sums = np.array([HOW[how](values[group]) for group in groups], dtype=float)
        return Found(sums, lambda at: cell_source(table, column, groups[at], how), groups, table)

    def _groups(self, table: str, rows: list[int], by: str | None) -> list[list[int]]:
        if not by:
            return [rows] if rows else []
        found: dict[tuple[Any, ...], list[int]] = {}
        columns = [self._listed(table, one) for one in by.split("+")]
        for row in rows:
            found.setdefault(tuple(column[row] for column in columns), []).append(row)
        return list(found.values())

    def _listed(self, table: str, column: str) -> list[Any]:
        """A column as it is; `part` is the variable, or the name of the group that it belongs to."""
        frame = self.result.tables[table]
        if column != PART:
            return list(frame[column].to_numpy(dtype=object)) if column in frame else [None] * len(frame)
        names = full_names(frame).to_numpy(dtype=object)
        parts = {name: " ".join(str(name).split()) for name in dict.fromkeys(names)}
        return [self._groups_of.get(parts[name], parts[name]) for name in names]

    def _numbers(self, table: str, column: str, *, texts: bool = False) -> Any:
        """A column as numbers, NaN for what is none; also those in a column of `texts` (`4`)."""
        if (key := ("numbers", table, column, texts)) not in self._known:
            cells = self.result.tables[table][column]
            if cells.dtype.kind in "iuf":
                values = cells.to_numpy(dtype=float)
            else:
                read = [_float(cell) if texts and isinstance(cell, str) else to_python(cell)
                        for cell in cells.to_numpy(dtype=object)]  # fmt: skip
                values = [cell if is_number(cell) else np.nan for cell in read]
            self._known[key] = np.array(values, dtype=float)
        return self._known[key]

    def _where(self, table: str, where: str, words: Mapping[str, str]) -> Any:
        """The rows for which all conditions hold."""
        kept = np.ones(len(self.result.tables[table]), dtype=bool)
        for one in filter(None, where.split(";")):
            if one.startswith("~"):
                kept &= self._unsaid(table, one[1:], " ".join(words.values()))
                continue
            condition = re.sub(r"\{(\w+)\}", lambda place: words.get(place[1], ""), one)
            if (key := ("where", table, condition)) not in self._known:
                self._known[key] = self._holds(table, condition)
            kept &= self._known[key]
        return np.flatnonzero(kept)

    def _unsaid(self, table: str, column: str, said: str) -> Any:
        """Rows of which the sentence does not hold the name."""
        return np.array(
            [" ".join(str(name).split()) not in said for name in self.result.tables[table][column]],
            dtype=bool,
        )

    def _holds(self, table: str, condition: str) -> Any:
        frame = self.result.tables[table]
        if condition == "decided":
            return frame["time"].isin(decision_years(self.result)).to_numpy()
        compared = _HOLDS.fullmatch(condition)
        if compared is None:
            flags = frame[condition.removeprefix("!")].fillna(value=False).astype(bool).to_numpy()
            return ~flags if condition.startswith("!") else flags
        column, sign, value = compared.groups()
        if sign in "<>":
            numbers = self._numbers(table, column)
            return numbers < float(value) if sign == "<" else numbers > float(value)
        same = self._texts_of(table, column) == value
        return same if sign == "=" else ~same

    def _texts_of(self, table: str, column: str) -> Any:
        """A column as texts, whole numbers without a point."""
        if (key := ("texts", table, column)) not in self._known:
            texts = [
                cell if isinstance(cell, str) else _as_text(cell) for cell in self._listed(table, column)
            ]
            self._known[key] = np.array(texts, dtype=object)
        return self._known[key]


def _joined(first: Found, second: Found, operator: str, *, pairs: bool) -> Found:
    """Two terms as one; a single number with each of the others, two columns row by row or in pairs."""
    sizes = len(first.values), len(second.values)
    if pairs:
        at = np.array(list(product(range(sizes[0]), range(sizes[1]))), dtype=int).reshape(-1, 2).T
    elif 1 in sizes or sizes[0] == sizes[1]:
        each = np.arange(0 if 0 in sizes else max(sizes))
        at = np.array([each if size > 1 else 0 * each for size in sizes])
    else:
        at = np.zeros((2, 0), dtype=int)
    left, right = at
    with np.errstate(all="ignore"):
        values = OPERATORS[operator](first.values[left], second.values[right])
    main, own = (first, left) if first.rows else (second, right)
    return Found(
        values,
        lambda place: f"{first.source(int(left[place]))} {operator} {second.source(int(right[place]))}",
        [main.rows[place] for place in own] if main.rows else (),
        main.table,
    )


def _same(values: Any, value: float) -> Any:
    """Which numbers are this one; where none is exactly so, which are but for rounding."""
    exact = values == value
    return exact if exact.any() else np.abs(values - value) <= SAME * abs(value) + NOTHING


def _places(values: Any, value: float, rounded: str, digit: float) -> Any:
    """Places of the numbers that are this one, or that are so when rounded; the nearest of those."""
    if not rounded:
        return np.flatnonzero(_same(values, value))
    apart, room = value - values, SAME * abs(value) + NOTHING
    low, high = (0.0, digit) if rounded == "up" else (-digit, 0.0)
    fits = np.flatnonzero((apart >= low - room) & (apart <= high + room))
    return fits[np.argsort(np.abs(apart[fits]), kind="stable")][:1]


def _is_text(column: Any) -> bool:
    return bool(column.dtype.kind == "O")


def _as_text(cell: Any) -> str:
    cell = to_python(cell)
    return "" if is_missing(cell) else f"{cell:g}" if is_number(cell) else str(cell)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
