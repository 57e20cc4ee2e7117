"""What one assumption at the ends of its range does to the improvement: the largest, as a tornado chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.cells import is_number
from sdopt.export.findings_words import ADVICE, external_name
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, number_style
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.views import fact
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

BARS = 12
ROW_HEIGHT = 26
ENDS = ("at_low", "central", "at_high")


def largest_swings(result: Result) -> pd.DataFrame:
    """The rows of the tornado with the largest swings of the advice, in the first external scenario."""
    table = result.tables["tornado"]
    own = table[(table["allocation"] == ADVICE) & table[["swing", *ENDS]].notna().all(axis=1)]
    if len(own):
        own = own[own["external"] == own["external"].iloc[0]]
    return own.sort_values("swing", ascending=False, kind="stable").head(BARS)


def fill_tornado(page: Page) -> None:
    """The largest swings with their changes from the expected outcome, live, and the chart beside them."""
    labels, result = page.labels, page.book.result
    rows = largest_swings(result)
    if rows.empty or not is_number(float(rows["central"].iloc[0])):
        return
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    style = number_style([*rows["at_low"], *rows["at_high"]], sign=True)
    page.section(labels("tornado.title"))
    central = labels.number(float(rows["central"].iloc[0]), 2, sign=True)
    page.across(labels("tornado.note", central=central, unit=unit), **QUIET)
    keys = ("factor", "at_low", "at_central", "at_high", "shift_low", "shift_high")
    page.call_next("tornado_chart")
    page.header([labels(f"column.{key}") for key in keys], [NAME, *[style] * 5])
    first = page.row
    for row in rows.itertuples():
        _swing(page, str(row.factor), (row.at_low, row.central, row.at_high), style)
    _chart(page, labels, str(rows["external"].iloc[0]), unit, (first, page.row - 1))


def _swing(page: Page, name: str, values: tuple[float, float, float], style: Style) -> None:
    """One constant; the changes are the outcome at an end less the expected one."""
    low, central, high = values
    page.rows([[name, low, central, high, None, None]], [NAME, *[style] * 5], exact=True)
    at = page.row - 1
    for column, end, value in ((4, 1, low - central), (5, 3, high - central)):
        page.formula(at, column, f"={cell(at, end)}-{cell(at, 2)}", value + 0.0, **style, **THIN)


def _chart(page: Page, labels: Labels, world: str, unit: str, rows: tuple[int, int]) -> None:
    """Below the table, as high as its bars need."""
    first, last = rows
    page.row += 1
    height = 110 + ROW_HEIGHT * (last - first + 1)
    sides = [
        (labels(f"column.{key}"), (page.name, first, column, last, column))
        for column, key in ((4, "shift_low"), (5, "shift_high"))
    ]
    title = labels("tornado.chart", world=external_name(world, labels))
    chart = charts.tornado(page.book, title, unit, (page.name, first, 0, last, 0), sides[0], sides[1])
    charts.place(page, chart, 0, min(page.pixels, 1000), height)
    charts.skip(page, height)
