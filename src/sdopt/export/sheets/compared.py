"""The sheets of a comparison: a column per run and allocation, and live differences from the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.cells import is_number
from sdopt.export.compared_columns import (
    RUNS,
    Column,
    Key,
    Rows,
    columns_of,
    in_all,
    rows_of,
    runs_of,
)
from sdopt.export.compared_words import care_lines, found_lines, kinds_text
from sdopt.export.figures.figure import allocation_word
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, honest, number_style
from sdopt.export.page import A3, A4, QUIET, THIN, YEAR, Page, Style
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.robust import MEASURES
from sdopt.export.views import has

if TYPE_CHECKING:
    import pandas as pd

MONEY = ("improvement", "null_objective", "bound", "expected", "low", "median", "high")
SHARES = ("gap", "certified_gap", "better")
FACTS = (
    *("title", "kind", "status", "objective", "objective_unit", "price_level", "horizon", "base_year"),
    *("discount_rate", "improvement", "gap", "certified_gap", "null_objective", "bound"),
    *("futures", "expected", "low", "median", "high", "better", "seed", "sdopt", "config", "folder"),
)
"""Rows of the first table; those that no run knows are absent."""
COUNTS = ("futures",)
WIDE = 14
CHANCES = ("probability_of_loss", "any_limit_broken")
RIGHT: Style = {"align": "right"}
ABSENT: Style = {"font_color": "#595959", "italic": True, "align": "right"}
SHARE: Style = {"num_format": "0.0%"}

Named = Callable[[str], str]


def fill_compared(page: Page) -> None:
    """What was compared, what stands out, what needs care, and the figures beside each other."""
    result, labels = page.book.result, page.labels
    names = runs_of(page.book.result)
    page.set_up([44, *[max(WIDE, 96 // len(names))] * len(names)], paper=A3 if len(names) > 4 else A4)
    page.heading(page.name, labels("sign.compared"))
    for key, lines in (("found", found_lines(result, labels)), ("care", care_lines(result, labels))):
        page.section(labels(f"compared.section.{key}"))
        for line in lines:
            page.across(line, **THIN)
        page.row += 1
    page.section(labels("compared.section.figures"))
    page.header(["", *names], [NAME, *[{"align": "right"}] * len(names)])
    table = result.tables[RUNS].set_index("run")
    for key in known_facts(table):
        _fact_row(page, key, list(table.loc[names, key]))
    page.finish(len(page.widths))


def known_facts(runs: pd.DataFrame) -> Iterator[str]:
    """The facts that at least one run has, in their order."""
    for key in FACTS:
        if any(is_number(value) or (isinstance(value, str) and value) for value in runs[key]):
            yield key


def _fact_row(page: Page, key: str, values: Sequence[Any]) -> None:
    labels = page.labels
    if key in SHARES:
        style: Style = {"num_format": "0.00%" if key != "better" else "0%"}
    elif key in MONEY:
        style = number_style(values)
    elif key in COUNTS:
        style = {"num_format": "#,##0"}
    else:
        style, values = (
            {"align": "right", "text_wrap": True},
            [fact_text(key, value, labels) for value in values],
        )
    page.rows([[labels(f"compared.row.{key}"), *values]], [NAME, *[style] * len(values)])


def fact_text(key: str, value: Any, labels: Any) -> str:
    """A fact that is no number, in words."""
    if key == "kind":
        return kinds_text(str(value), labels)
    if key == "status":
        return str(labels(f"status.{value}"))
    return labels.unit(str(value)) if key == "objective_unit" else str(value)


def fill_decisions(page: Page) -> None:
    """Amounts now, as advised and robust, on average a year; and all decisions together."""
    _begin(page, "compared_decisions", "compared_decisions", 1)
    _across(page, "compared_decisions", ["decision"], "value")
    page.section(page.labels("compared.section.totals"))
    page.across(page.labels("compared.note.totals"), **QUIET)
    page.call_next("compared_totals")
    _across(page, "compared_totals", ["decision"], "value", named=lambda _: page.labels("compared.all"))
    page.finish(len(page.widths))


def fill_years(page: Page) -> None:
    """The same per decision and year; charts point at these cells."""
    _begin(page, "compared_years", "compared_allocation", 2)
    _across(page, "compared_allocation", ["decision", "year"], "value")
    page.finish(len(page.widths))


def fill_compared_robust(page: Page) -> None:
    """Every allocation of a robust run by every measure."""
    labels, table = page.labels, page.book.result.tables["compared_robust"]
    page.set_up([34, *[WIDE] * 9], paper=A3)
    page.heading(page.name, labels("sign.compared_robust"))
    amounts = [f"column.by_{name}" for name in MEASURES]
    shares = ["column.chance_of_loss", "column.chance_of_breaking"]
    heads = [
        labels(key) for key in ("column.allocation", *amounts, *shares, "column.limits_hold", "word.unit")
    ]
    style = number_style([*table[list(MEASURES)].to_numpy().flat], sign=True)
    styles: list[Style] = [NAME, *[style] * len(amounts), *[SHARE] * len(shares), CENTRE, TEXT]
    page.header(heads, styles)
    page.freeze(page.row - 1)
    for row in table.to_dict("records"):
        name = labels(
            "compared.column", run=row["run"], allocation=allocation_word(row["allocation"], labels)
        )
        values = [row[key] for key in (*MEASURES, *CHANCES, "meets_limits")]
        page.rows([[name, *values, labels.unit(str(row["unit"]))]], honest(["", *values, ""], styles))
    page.finish(len(page.widths))


def fill_compared_return(page: Page) -> None:
    """What every component adds, per run."""
    _begin(page, "compared_return", "compared_return", 1)
    _across(page, "compared_return", ["component"], "difference", sign=True)
    page.finish(len(page.widths))


def fill_parties(page: Page) -> None:
    """What every pocket and perspective gains, per run."""
    labels, tables = page.labels, page.book.result.tables
    parts: dict[str, tuple[str, Named]] = {
        "compared_pockets": ("pocket", lambda name: pocket_name(name, labels)),
        "compared_perspectives": ("perspective", lambda name: labels.find(f"perspective.{name}", name)),
    }
    here = [table for table in parts if table in tables]
    _begin(page, "compared_parties", here[0], 1)
    for table in here:
        key, named = parts[table]
        page.section(labels(f"compared.section.{table.removeprefix('compared_')}"))
        _across(page, table, [key], "difference", sign=True, named=named)
    page.finish(len(page.widths))


def fill_compared_limits(page: Page) -> None:
    """The least room that is left of every limit, per run; and the years without any."""
    labels, table = page.labels, page.book.result.tables["compared_limits"]
    _begin(page, "compared_limits", "compared_limits", 1)
    _across(page, "compared_limits", ["limit"], "slack")
    columns = columns_of(page.book.result, "compared_limits", labels)
    rows = [row for part in binding_rows(table, columns, labels) for row in part]
    _words(page, "compared.section.binds", "limit", columns, rows)
    if has(page.book.result, "compared_fiscal"):
        columns = columns_of(page.book.result, "compared_fiscal", labels)
        rows = fiscal_rows(page.book.result.tables["compared_fiscal"], columns, labels)
        _words(page, "compared.section.fiscal", "rule", columns, rows)
    page.finish(len(page.widths))


def _words(page: Page, title: str, key: str, columns: Sequence[Column], rows: list[list[str]]) -> None:
    """A heading, and a row per thing with words per column; nothing without rows."""
    if not rows:
        return
    labels, right = page.labels, {"align": "right", "text_wrap": True}
    looks: list[Style] = [NAME, TEXT, *[right] * len(columns)]  # amounts above stand after a unit
    page.section(labels(title))
    page.call_next(title.replace("section.", "").replace(".", "_"))
    page.header([labels(f"column.{key}"), "", *(column.name for column in columns)], looks)
    page.rows([[row[0], "", *row[1:]] for row in rows], looks)
    page.row += 1


def fiscal_rows(table: pd.DataFrame, columns: Sequence[Column], labels: Labels) -> list[list[str]]:
    """Every fiscal rule, and whether the advice of every run keeps it."""
    words = [
        labels(f"verdict.{verdict}") + (f" ({years})" if years else "")
        for verdict, years in zip(table["verdict"], table["years"], strict=True)
    ]
    return [
        [str(key[0]), *(labels("compared.absent") if place is None else words[place] for place in places)]
        for key, places in rows_of(table, ["rule"], columns).items()
    ]


def binding_rows(
    table: pd.DataFrame, columns: Sequence[Column], labels: Labels
) -> tuple[list[list[str]], list[list[str]]]:
    """Limits that bind in some run, and in which years of every run: those that all runs have, and others."""
    years = table["binds"].tolist()
    whole, apart = in_all(rows_of(table, ["limit"], columns))
    return _binding(whole, years, labels), _binding(apart, years, labels)


def _binding(rows: Rows, years: Sequence[str], labels: Labels) -> list[list[str]]:
    found = []
    for key, places in rows.items():
        binds = [None if place is None else years[place] for place in places]
        if any(binds):
            absent, never = labels("compared.absent"), labels("compared.never")
            found.append([str(key[0]), *(absent if one is None else one or never for one in binds)])
    return found


def fill_inputs(page: Page) -> None:
    """Every place where the inputs differ."""
    labels, names = page.labels, runs_of(page.book.result)
    table = page.book.result.tables["compared_inputs"]
    page.set_up([12, 48, *[30] * len(names)], paper=A3)
    page.heading(page.name, labels("sign.compared_inputs"))
    page.header([labels("column.kind"), labels("column.place"), *names], [NAME, NAME, *[TEXT] * len(names)])
    page.freeze(page.row - 1, columns=2)
    wide = table.pivot(index=["kind", "place"], columns="run", values="value")
    for kind, place in table[["kind", "place"]].drop_duplicates().itertuples(index=False):
        values = [wide.at[(kind, place), name] if name in wide else "" for name in names]
        page.rows([[labels(f"input_kind.{kind}"), place, *values]], [NAME, NAME, *[TEXT] * len(names)])
    page.finish(len(page.widths))


def _begin(page: Page, key: str, table: str, names: int) -> None:
    """Set up a sheet: names, a unit, the columns of a table and differences between what was found."""
    columns = columns_of(page.book.result, table, page.labels)
    found = sum(not column.is_now for column in columns)
    count = len(columns) + max(found - 1, 0)
    page.set_up([44, *[9] * (names - 1), 20, *[WIDE] * count], paper=A3 if count > 3 else A4)
    page.heading(page.name, page.labels(f"sign.{key}"))


def _across(
    page: Page, name: str, keys: Sequence[str], value: str, *, sign: bool = False, named: Named = str
) -> None:
    """A row per thing with its unit; those that not all columns have stand below, under a heading."""
    labels, table = page.labels, page.book.result.tables[name]
    columns = columns_of(page.book.result, name, labels)
    rows = rows_of(table, keys, columns)
    styles = {
        str(unit): (number_style(own.tolist(), sign=sign), number_style(own.tolist(), sign=True))
        for unit, own in table.groupby("unit")[value]
    }
    for part, title in zip(in_all(rows), ("", "compared.section.apart"), strict=True):
        if part:
            if title:
                page.section(labels(title))
            _heads(page, keys, columns)
            if not page.frozen:
                page.freeze(page.row - 1, columns=len(keys))
            _Writer(page, name, columns, table[value].tolist(), styles, named).write(part)
            page.row += 1


def _heads(page: Page, keys: Sequence[str], columns: Sequence[Column]) -> None:
    """Names of the things, the unit, the columns, and the differences of the later from the first found."""
    labels, found = page.labels, [column for column in columns if not column.is_now]
    differences = [labels("column.run_difference", run=column.name) for column in found[1:]]
    heads = [
        *(labels(f"column.{key}") for key in (*keys, "unit")),
        *(one.name for one in columns),
        *differences,
    ]
    page.header(heads, [NAME, *[TEXT] * len(keys), *[RIGHT] * (len(columns) + len(differences))])


@dataclass(frozen=True)
class _Writer:
    """Writes the rows of a table under its heads; the places of years are kept for charts."""

    page: Page
    table: str
    columns: Sequence[Column]
    values: Sequence[float]
    styles: Mapping[str, tuple[Style, Style]]
    named: Named

    def write(self, rows: Rows) -> None:
        """All rows in their order."""
        for thing, own in groupby(rows.items(), key=lambda row: (row[0][0], row[0][-1])):
            first, of_thing = self.page.row, list(own)
            for key, places in of_thing:
                self._row(key, [None if place is None else self.values[place] for place in places])
            if self.table == "compared_allocation":
                self._keep(thing, first, [places for _, places in of_thing])

    def _row(self, key: Key, values: Sequence[float | None]) -> None:
        """Names, amounts, and a formula for every amount that can be compared with the first."""
        page, labels, row = self.page, self.page.labels, self.page.row
        style, signed = self.styles[str(key[-1])]
        about = [self.named(one) if isinstance(one, str) else one for one in key[:-1]]
        names = [*about, labels.unit(str(key[-1]))]
        shown = [labels("compared.absent") if value is None else value for value in values]
        looks = [ABSENT if value is None else {**style, "align": "right"} for value in values]
        kinds = [NAME, *[{**TEXT, "num_format": YEAR}] * (len(names) - 1)]
        page.rows([[*names, *shown]], [*kinds, *looks])
        found = [place for place, column in enumerate(self.columns) if not column.is_now]
        for at, place in enumerate(found[1:], start=len(names) + len(values)):
            first, value, own = values[found[0]], values[place], {**signed, **THIN}
            if first is not None and value is not None and is_number(first) and is_number(value):
                cells = (cell(row, len(names) + found[0]), cell(row, len(names) + place))
                page.difference(row, at, cells, (first, value), own)
            else:
                page.write(row, at, None, **own)

    def _keep(self, thing: Key, first: int, years: Sequence[Sequence[int | None]]) -> None:
        """Where the years of a decision stand, and its amounts in every column that has them all."""
        name, ranges, last = self.page.name, self.page.book.ranges, self.page.row - 1
        ranges[year_cells(thing, -1)] = (name, first, 1, last, 1)
        for column, places in enumerate(zip(*years, strict=True)):
            if None not in places:
                ranges[year_cells(thing, column)] = (name, first, 3 + column, last, 3 + column)


def year_cells(thing: Key, column: int) -> str:
    """What the cells with the years (column -1) or amounts of a decision are called."""
    return f"years of {thing} in column {column}"
