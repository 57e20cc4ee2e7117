"""The sheet with benefits less costs over the years, summed, and from when they are paid back."""

from __future__ import annotations

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.figures.band import bands_of
from sdopt.export.lists import NAME, number_style
from sdopt.export.page import PAPER, QUIET, THIN, YEAR, Page, Style
from sdopt.export.sheets.answers import cumulative, known_figure, paid_back_lines
from sdopt.export.sheets.answers_sure import improvement_points, point_decimals
from sdopt.export.sheets.pay_back_band import fill_band
from sdopt.export.views import fact, has

WIDTHS, BAND_WIDTHS = (44, 20, 20, 22), (44, 14, 14, 17, 12, 15, 12)
"""Without and with the band over all futures."""
TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}
CHART_HEIGHT = 300


def fill_pay_back(page: Page) -> None:
    """As expected and over all futures: what every year adds, the sum so far, and charts of it."""
    result, labels = page.book.result, page.labels
    band = next(iter(bands_of(result).values()), None)
    widths = WIDTHS if band is None else BAND_WIDTHS
    page.set_up(widths, portrait=True, pages_high=1 if band is None else 0)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.pay_back", unit=unit))
    for line in paid_back_lines(result, labels):
        page.across(line, **THIN)
    if cumulative(result, discounted=False) is not None:
        page.row += 1
        _expected(page, unit)
    if band is not None:
        fill_band(page, band)
    points = improvement_points(result)
    if points:
        decimals = point_decimals(result)
        said = {key: labels.number(value, decimals, sign=True) for key, value in points.items()}
        key = "spread" if band is None else "spread_whole"
        page.across(labels(f"pay_back.{key}", unit=unit, **said), **QUIET)
    page.finish(len(widths))


def _expected(page: Page, unit: str) -> None:
    """Every year's balance and the sum so far, live; then the chart, and what makes up the improvement."""
    labels = page.labels
    first, last, column = _years(page)
    name = labels("column.summed_discounted" if column == 3 else "column.summed")
    chart = charts.cumulative(
        page.book, labels("pay_back.chart"), unit,
        (page.name, first, 0, last, 0), (name, (page.name, first, column, last, column)),
    )  # fmt: skip
    page.row += 1
    charts.place(page, chart, 0, page.pixels, CHART_HEIGHT)
    charts.skip(page, CHART_HEIGHT)


def _years(page: Page) -> tuple[int, int, int]:
    """A row per year; the first and last row, and the column that the chart shows."""
    result, labels = page.book.result, page.labels
    summed = cumulative(result, discounted=False)
    if summed is None:  # the tables are there, but not about the return
        return page.row, page.row, 2
    present = cumulative(result) if has(result, "pay_back_years") else None
    style = number_style([*summed], sign=True)
    names = ["year", "year_balance", "summed", *(["summed_discounted"] if present is not None else [])]
    page.call_next("pay_back_years")
    page.header([labels(f"column.{key}") for key in names], [{"align": "left"}, *[style] * (len(names) - 1)])
    first, before = page.row, 0.0
    for year, value in summed.items():
        row: list[object] = [int(year), float(value) - before, None]
        row += [] if present is None else [float(present[year])]
        styles: list[Style] = [{"num_format": YEAR, "align": "left"}, *[style] * (len(row) - 1)]
        page.rows([row], styles, exact=True)
        formula = f"=SUM({cell(first, 1, row_abs=True)}:{cell(page.row - 1, 1)})"
        page.formula(page.row - 1, 2, formula, float(value), **{**style, **THIN})
        before = float(value)
    last = page.row - 1
    improvement = known_figure(result, "improvement")
    if present is not None and improvement is not None:
        _whole(page, last, float(present.iloc[-1]), improvement, style)
    return first, last, 2 if present is None else 3


def _whole(page: Page, last: int, present: float, improvement: float, style: Style) -> None:
    """What is left at the end, and with the last sum the improvement as a whole."""
    labels = page.labels
    page.write(page.row, 0, labels("pay_back.end"), **THIN, **NAME)
    page.write(page.row, 3, improvement - present, **THIN, **style)
    page.row += 1
    for column in range(3):
        page.write(page.row, column, labels("pay_back.whole") if column == 0 else "", **TOTAL)
    formula = f"={cell(last, 3)}+{cell(last + 1, 3)}"
    page.formula(page.row, 3, formula, improvement, **{**style, **TOTAL})
    page.row += 1
