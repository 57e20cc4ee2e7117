"""The sheets with years across: the allocation, the stocks and their charts, now against advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.limits import spans
from sdopt.export.page import A3, A4, INK, PAPER, THIN, Book, Page, Style, number_format
from sdopt.export.views import by_year, decision_years, main_stocks, shown_variables, units

if TYPE_CHECKING:
    import pandas as pd

FEW_YEARS, MANY_YEARS = 8, 14
"""Up to the first the allocation fits in portrait; more years than the second are printed on A3."""

MOST_YEARS = 20
"""More years than this are shown two, three or more apart; the tables have them all."""
MOST_CHARTS = 8
CHART_WIDTH, CHART_HEIGHT = 440, 250

Write = Callable[[int, int, Style], None]
"""Writes the cell at a row within a block and a column."""


def fill_allocation(page: Page) -> None:
    """Decision by year: now, advice, difference and difference in percent; totals are live formulas."""
    table, labels = page.book.result.tables["allocation"], page.labels
    null, advice = by_year(table, "null"), by_year(table, "advice")
    unit, years = _one_unit(table), len(null.columns)
    page.set_up([34, *[10] * years, 15], paper=_paper(years), pages_high=1, portrait=years <= FEW_YEARS)
    page.heading(page.name, labels("sign.allocation", unit=labels.unit(unit or labels("allocation.units"))))
    chosen = decision_years(page.book.result)
    total = labels("allocation.total", years=spans(map(int, chosen)))
    right: Style = {"align": "right"}
    page.header([labels("column.decision"), *null.columns, total], [{}, *[right] * (years + 1)])
    page.freeze(page.row - 1)
    page.book.ranges["years"] = (page.name, page.row - 1, 1, page.row - 1, years)
    page.named("allocation_years", page.row - 1, page.row - 1, years + 1)
    summed = [place for place, year in enumerate(null.columns, start=1) if year in chosen]
    blocks = _Blocks(page, null, advice, (summed[0], summed[-1]), with_total=bool(unit))
    blocks.write()
    for key, top in zip(("null", "advice"), blocks.first, strict=False):
        page.book.ranges[f"allocation {key}"] = (page.name, top, 1, top + len(null) - 1, years)
        for row, name in enumerate(null.index, start=top):
            page.book.ranges[f"decision {key} {name}"] = (page.name, row, summed[0], row, summed[-1])
    if not unit:
        page.across(labels("allocation.no_total"), italic=True)
    page.row += 1
    wide = min(page.pixels, 1400) // 2
    for place, key in enumerate(("null", "advice")):
        charts.place(page, allocation_chart(page.book, key), wide * place, wide - 10, 320)
    charts.skip(page, 320)
    page.finish(years + 2)


def allocation_chart(book: Book, key: str = "advice") -> object:
    """The allocation per year (`null` or `advice`), stacked, pointing at the cells of its own sheet.

    Both have the same axis, so that they can be compared.
    """
    table = book.result.tables["allocation"]
    sums = [by_year(table, one).clip(lower=0.0).sum().max() for one in ("null", "advice")]
    unit, title = _one_unit(table) or "", book.labels(f"allocation.chart_{key}")
    chart = charts.columns_stacked(
        book, title, book.labels.unit(unit), book.ranges["years"], book.ranges[f"allocation {key}"]
    )
    below = table["value"].min() < 0
    return chart if below else charts.up_to(chart, book.labels.unit(unit), max(sums))


def _one_unit(table: pd.DataFrame) -> str | None:
    """The unit all decisions share, or None: different units have no total."""
    found = set(table["unit"])
    return str(found.pop()) if len(found) == 1 else None


def _paper(years: int) -> int:
    """A4, or A3 when there are many years."""
    return A3 if years > MANY_YEARS else A4


@dataclass
class _Blocks:
    """Four blocks under each other: now, advice, difference, and difference in percent.

    `summed` are the first and last column (of the decision years) that the last column adds up.
    """

    page: Page
    null: pd.DataFrame
    advice: pd.DataFrame
    summed: tuple[int, int]
    with_total: bool

    def write(self) -> None:
        """Write them at the writing position; `first` then holds the first row of each."""
        self.now, self.then = self._with_totals(self.null), self._with_totals(self.advice)
        total = [self.page.labels("word.total")] if self.with_total else []
        self.names = [*self.null.index, *total]
        self.first = [self.page.row + 1 + (len(self.names) + 1) * block for block in range(4)]
        sizes = [value for row in self.now + self.then for value in row[:-1]]
        self.code, self.signed = number_format(sizes), number_format(sizes, sign=True)
        self._block("null", self._amounts(self.now, self.first[0]))
        self._block("advice", self._amounts(self.then, self.first[1]))
        self._block("difference", self._difference)
        self._block("difference_share", self._share)

    def _with_totals(self, wide: pd.DataFrame) -> list[list[float]]:
        """The numbers of a block: a total to the right and, when units agree, one below."""
        low, high = self.summed
        rows = [[*values, fsum(values[low - 1 : high])] for values in wide.to_numpy().tolist()]
        below = [[fsum(column) for column in zip(*rows, strict=True)]] if self.with_total else []
        return [*rows, *below]

    def _block(self, key: str, write: Write) -> None:
        """A shaded line with the block's name, and its rows; the last one bold when it is the total."""
        page, columns = self.page, len(self.now[0])
        for column in range(columns + 1):
            title = None if column else page.labels(f"word.{key}")
            page.write(page.row, column, title, bold=True, bg_color=PAPER, font_color=INK)
        page.row += 1
        page.named(f"allocation_{key}", page.row, page.row + len(self.null) - 1, columns)
        for row, name in enumerate(self.names):
            look: Style = {"top": 1, "bold": True} if row == len(self.null) else THIN
            page.write(page.row, 0, name, **look)
            for column in range(1, columns + 1):
                write(row, column, look)
            page.row += 1

    def _amounts(self, values: Sequence[Sequence[float]], first: int) -> Write:
        """Plain numbers, with live sums in the last column and in the row below the decisions."""

        def write(row: int, column: int, look: Style) -> None:
            low, high = self.summed
            formula = None
            if column == len(values[0]):
                formula = f"=SUM({cell(first + row, low)}:{cell(first + row, high)})"
            elif row == len(self.null):
                formula = f"=SUM({cell(first, column)}:{cell(first + row - 1, column)})"
            self.page.number(column, values[row][column - 1], formula, {**look, "num_format": self.code})

        return write

    def _pair(self, row: int, column: int) -> tuple[tuple[str, str], tuple[float, float]]:
        """Cells and values of now and advice."""
        now, then = (cell(self.first[block] + row, column) for block in (0, 1))
        return (now, then), (self.now[row][column - 1], self.then[row][column - 1])

    def _difference(self, row: int, column: int, look: Style) -> None:
        style = {**look, "num_format": self.signed}
        self.page.difference(self.page.row, column, *self._pair(row, column), style)

    def _share(self, row: int, column: int, look: Style) -> None:
        self.page.share(self.page.row, column, *self._pair(row, column), look)


def fill_stocks(page: Page) -> None:
    """Three rows per variable: now, advice, difference."""
    table, labels = page.book.result.tables["trajectories"], page.labels
    null, advice, unit = by_year(table, "null"), by_year(table, "advice"), units(table)
    every = 1 + (len(null.columns) - 1) // MOST_YEARS
    null, advice = null[null.columns[::every]], advice[advice.columns[::every]]
    years = len(null.columns)
    page.set_up([44, 19, 15, *[9] * years], paper=_paper(years))
    page.heading(page.name, labels("sign.stocks") + (labels("stocks.some") if every > 1 else ""))
    right: list[Style] = [{"align": "right"}] * years
    page.header([labels("column.variable"), "", labels("word.unit"), *null.columns], [{}, {}, {}, *right])
    header = page.row - 1
    page.freeze(header, columns=2)
    page.book.ranges["stock years"] = (page.name, page.row - 1, 3, page.row - 1, years + 2)
    for name in shown_variables(page.book.result):
        _stock(page, name, null.loc[name].tolist(), advice.loc[name].tolist(), labels.unit(unit[name]))
    page.named("stocks", header, page.row - 1, years + 3)
    page.finish(years + 3)


def _stock(page: Page, name: str, null: list[float], advice: list[float], unit: str) -> None:
    """Now, advice and difference of one variable."""
    labels, first = page.labels, page.row
    code, signed = (number_format([*null, *advice], sign=sign) for sign in (False, True))
    titles = [(name, "null", unit), (None, "advice", None), (None, "difference", None)]
    for row, (title, key, unit_text) in enumerate(titles, start=first):
        look: Style = {**THIN, "italic": True} if key == "difference" else {}
        for column, text in enumerate((title, labels(f"word.{key}"), unit_text)):
            page.write(row, column, text, **look, bold=column == 0)
    for column, values in enumerate(zip(null, advice, strict=True), start=3):
        for row, value in enumerate(values, start=first):
            page.write(row, column, value, num_format=code)
        cells = (cell(first, column), cell(first + 1, column))
        page.difference(first + 2, column, cells, values, {**THIN, "italic": True, "num_format": signed})
    for offset, key in enumerate(("null", "advice")):
        page.book.ranges[f"{key} {name}"] = (page.name, first + offset, 3, first + offset, len(null) + 2)
    page.row += 3


def fill_charts(page: Page) -> None:
    """Charts of the shown variables that change most, two beside each other, on one page."""
    page.set_up([64, 64], pages_high=1, portrait=True)
    page.heading(page.name, page.labels("sign.charts"))
    unit = units(page.book.result.tables["trajectories"])
    names = main_stocks(page.book.result, MOST_CHARTS)
    for number, name in enumerate(names):
        chart = _stock_chart(page.book, name, page.labels.unit(unit[name]))
        charts.place(page, chart, CHART_WIDTH * (number % 2), CHART_WIDTH - 10, CHART_HEIGHT)
        if number % 2 or number == len(names) - 1:
            charts.skip(page, CHART_HEIGHT)
    page.finish(2)


def _stock_chart(book: Book, name: str, unit: str) -> object:
    """Null alternative against advice of one variable, pointing at the sheet with stocks."""
    rows = [(book.labels(f"word.{key}"), book.ranges[f"{key} {name}"]) for key in ("null", "advice")]
    return charts.lines(book, name, unit, book.ranges["stock years"], rows)
