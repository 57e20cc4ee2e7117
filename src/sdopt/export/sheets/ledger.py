"""The sheets that say who pays and who gains, from which perspective, and by which conventions."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, long_list, number_style
from sdopt.export.page import A3, PAPER, THIN, WARN, Page, Style
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.pockets import fill_pockets, pockets_chart
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}
WARNING: Style = {**THIN, "bold": True, "bg_color": WARN}
FAINT: Style = {"font_color": "#BBBBBB"}
CHART_COLUMNS = 7
"""Columns that the chart takes, right of the table."""
FIRST_AMOUNT = 3
"""Column of the first amount: effect, kind and cash stand before it."""


def ledger_lines(result: Result, labels: Labels) -> list[str]:
    """One sentence per perspective, never one figure of them all; and those whose flows do not add up."""
    if not has(result, "perspective_totals"):
        return []
    table = result.tables["perspective_totals"]
    lines = [
        labels("ledger.total", name=p.perspective, unit=labels.unit(p.unit),
               amount=labels.number(p.difference, 2, sign=True),
               soon=labels.number(p.of_which_decision_years, 2, sign=True))
        for p in table.itertuples()
    ]  # fmt: skip
    return [*lines, *(labels("ledger.disagrees", name=p.perspective, variable=p.variable)
                      for p in table.itertuples() if not p.agrees)]  # fmt: skip


def fill_ledger(page: Page) -> None:
    """Effects by pocket, with live totals that add up both ways; then pockets by year."""
    labels, table = page.labels, page.book.result.tables["ledger"]
    pockets = list(dict.fromkeys(table["pocket"]))
    years = page.book.result.tables["ledger_years"].pivot_table(
        index="pocket", columns="year", values="difference", aggfunc="sum", sort=False
    )
    count = max(len(pockets) + 1 + CHART_COLUMNS, len(years.columns))
    page.set_up([40, 11, 7, *[11] * count], paper=A3, pages_high=1)
    unit = ", ".join(labels.unit(unit) for unit in dict.fromkeys(table["unit"]))
    page.heading(page.name, labels("sign.ledger", unit=unit))
    top = page.row
    totals = _matrix(page, table, pockets)
    page.row += 1
    page.section(labels("ledger.years", unit=unit))
    _years(page, years)
    page.row += 1
    fill_pockets(page, pockets, totals)
    left = int(sum(7 * width + 5 for width in page.widths[: FIRST_AMOUNT + len(pockets) + 1])) + 20
    charts.place(page, pockets_chart(page.book), left, page.pixels - left, 420, row=top)
    page.finish(len(page.widths))


def _matrix(page: Page, table: pd.DataFrame, pockets: Sequence[str]) -> dict[str, tuple[str, float]]:
    """A row per effect with its total, and a row of totals: pocket -> its cell, and its value."""
    labels, style = page.labels, number_style(table["difference"], sign=True)
    names = [labels(f"column.{key}") for key in ("effect", "kind", "cash")]
    names += [*(pocket_name(pocket, labels) for pocket in pockets), labels("word.total")]
    page.call_next("ledger")
    page.header(names, [NAME, TEXT, CENTRE, *[style] * (len(pockets) + 1)])
    first = page.row
    for (effect, _), rows in table.groupby(["effect", "variable"], sort=False):
        found = dict(zip(rows["pocket"], rows["difference"], strict=True))
        kind, cash = rows["kind"].iloc[0], bool(rows["cash"].iloc[0])
        texts = [effect, labels.find(f"kind.{kind}", kind), cash]
        amounts = [found.get(pocket) for pocket in pockets]
        styles = [style if amount else {**style, **FAINT} for amount in amounts]
        page.rows([[*texts, *amounts]], [NAME, TEXT, CENTRE, *styles], exact=True)
        _sum_of_row(page, page.row - 1, len(pockets), sum(found.values()), {**style, **THIN, "bold": True})
    sums = [table.loc[table["pocket"] == pocket, "difference"].sum() for pocket in pockets]
    _total_row(page, first, [*sums, fsum(sums)], style)
    cells = [cell(page.row - 1, FIRST_AMOUNT + place) for place in range(len(pockets))]
    return dict(zip(pockets, zip(cells, map(float, sums), strict=True), strict=True))


def _sum_of_row(page: Page, row: int, count: int, value: float, style: Style) -> None:
    """The sum of the amounts in a row, in the column after them."""
    last = FIRST_AMOUNT + count - 1
    page.formula(row, last + 1, f"=SUM({cell(row, FIRST_AMOUNT)}:{cell(row, last)})", value + 0.0, **style)


def _total_row(page: Page, first: int, values: Sequence[float], style: Style) -> None:
    """Sums of the columns from row `first` down to the writing position."""
    for column in range(FIRST_AMOUNT):
        page.write(page.row, column, page.labels("word.total") if column == 0 else "", **TOTAL)
    for place, value in enumerate(values):
        column = FIRST_AMOUNT + place
        formula = f"=SUM({cell(first, column)}:{cell(page.row - 1, column)})"
        page.formula(page.row, column, formula, value + 0.0, **{**style, **TOTAL})
    page.row += 1


def _years(page: Page, years: pd.DataFrame) -> None:
    """A row per pocket and a column per year (not discounted), with totals of each year.

    The pocket's name stands over the columns for kind and cash, so that amounts are where totals expect them.
    """
    labels = page.labels
    style = number_style([value for row in years.to_numpy() for value in row], sign=True)
    page.call_next("ledger_years")
    page.header([labels("column.pocket"), "", "", *years.columns], [NAME, {}, {}, *[style] * years.shape[1]])
    first = page.row
    for pocket, values in zip(years.index, years.to_numpy(), strict=True):
        looks: list[Style] = [NAME, {}, {}, *[style] * len(values)]
        page.rows([[pocket_name(pocket, labels), "", "", *values]], looks, exact=True)
    _total_row(page, first, [fsum(column) for column in years.to_numpy().T], style)


def fill_perspectives(page: Page) -> None:
    """A table per perspective, each by itself: they overlap, so no figure adds them up."""
    labels, tables = page.labels, page.book.result.tables
    page.set_up([46, 13, 8, 16, 16, 16], portrait=True, pages_high=1)
    unit = ", ".join(labels.unit(unit) for unit in dict.fromkeys(tables["perspectives"]["unit"]))
    page.heading(page.name, labels("sign.perspectives", unit=unit))
    for total in tables["perspective_totals"].itertuples():
        page.section(total.perspective)
        page.across(_described(labels, total), italic=True, font_color="#555555")
        rows = tables["perspectives"]
        _perspective(page, rows[rows["perspective"] == total.perspective])
        if not total.agrees:
            text = labels("ledger.disagrees", name=total.perspective, variable=total.variable)
            page.across(text, **WARNING)
        page.row += 1
    page.finish(len(page.widths))


def _described(labels: Labels, total: Any) -> str:
    """What one perspective (a row of totals) counts, and whether the advice was chosen by it."""
    names = ", ".join(pocket_name(pocket, labels) for pocket in total.pockets.split("; "))
    counts = labels("ledger.cash_only" if total.cash_only else "ledger.all_rows", names=names)
    return counts + (labels("ledger.maximised") if total.maximised else "")


def _perspective(page: Page, table: pd.DataFrame) -> None:
    """The effects of one perspective, now and with the advice, with live differences and totals."""
    labels, style = page.labels, number_style(table["difference"])
    change = number_style(table["difference"], sign=True)
    columns = ("effect", "kind", "cash", "null", "advice", "difference")
    page.call_next("perspectives")
    page.header([labels(f"column.{key}") for key in columns], [NAME, TEXT, CENTRE, style, style, change])
    first = page.row
    for row in table.itertuples():
        kind = labels.find(f"kind.{row.kind}", row.kind)
        values = [row.effect, kind, bool(row.cash), row.null, row.advice, None]
        page.rows([values], [NAME, TEXT, CENTRE, style, style, change], exact=True)
        _difference(page, page.row - 1, (row.null, row.advice), {**change, **THIN})
    sums = [float(table["null"].sum()), float(table["advice"].sum())]
    _total_row(page, first, sums, style)
    _difference(page, page.row - 1, (sums[0], sums[1]), {**change, **TOTAL})


def _difference(page: Page, row: int, values: tuple[float, float], style: Style) -> None:
    cells = (cell(row, FIRST_AMOUNT), cell(row, FIRST_AMOUNT + 1))
    page.difference(row, FIRST_AMOUNT + 2, cells, values, style)


def fill_conventions(page: Page) -> None:
    """Every convention by name, with the method that was chosen and what it sets."""
    labels, table = page.labels, page.book.result.tables["conventions"]
    page.set_up([20, 18, 28, 12, 14, 13, 14, 60])
    page.heading(page.name, labels("sign.conventions"))
    words = {
        "convention": [labels.find(f"convention.{name}", name) for name in table["convention"]],
        "method": [
            method_name(*names, labels) for names in zip(table["convention"], table["method"], strict=True)
        ],
        "status": [labels.find(f"source.{status}", status) for status in table["status"]],
        "unit": [labels.unit(unit) for unit in table["unit"]],
    }
    columns = ["convention", "method", "constant", "value", "unit", "status", "source", "note"]
    long_list(page, table.assign(**words), columns, lambda row: _convention_styles(row["value"]))


def method_name(convention: str, method: str, labels: Labels) -> str:
    """A method as readers know it: of its convention where that has a name of its own for it."""
    known = labels.find(f"method.{method}", method)
    return labels.find(f"method.{convention}.{method}", known)


def _convention_styles(value: float) -> list[Style]:
    """A calendar year without separators; else decimals that fit."""
    calendar = 1900 <= value <= 2200 and value % 1 == 0
    number: Style = {"num_format": "0"} if calendar else number_style([value])
    return [NAME, TEXT, TEXT, number, TEXT, TEXT, TEXT, TEXT]
