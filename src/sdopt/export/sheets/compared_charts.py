"""The sheet with a native chart per decision: now and every allocation found, per year."""

from __future__ import annotations

from collections.abc import Sequence

from sdopt.export import charts
from sdopt.export.compared_columns import Column, Key, columns_of, most_different, runs_of, shades, widths
from sdopt.export.page import Book, Page
from sdopt.export.sheets.compared import year_cells

MOST = 8
WIDTH, HEIGHT = 440, 260
FEW = 3
"""Lines whose names fit below a chart."""


def fill_compared_charts(page: Page) -> None:
    """Charts of the decisions that differ most, two beside each other; filled after the sheet with years."""
    page.set_up([64, 64], portrait=True)
    page.heading(page.name, page.labels("sign.compared_charts"))
    columns = columns_of(page.book.result, "compared_allocation", page.labels)
    things = most_different(page.book.result, columns, MOST)
    for number, thing in enumerate(things):
        chart = _chart(page.book, thing, columns)
        charts.place(page, chart, WIDTH * (number % 2), WIDTH - 10, HEIGHT)
        if number % 2 or number == len(things) - 1:
            charts.skip(page, HEIGHT)
    page.finish(2)


def _chart(book: Book, thing: Key, columns: Sequence[Column]) -> object:
    """A line per column that has all years of the decision, pointing at the sheet with years."""
    rows, looks, unit = [], [], book.labels.unit(str(thing[-1]))
    colours = shades(columns, runs_of(book.result))
    for place, (column, colour, width) in enumerate(zip(columns, colours, widths(columns), strict=True)):
        if cells := book.ranges.get(year_cells(thing, place)):
            rows.append((column.name, cells))
            dashes = {"dash_type": "dash"} if column.is_now else {}
            looks.append({"color": colour, "width": width, **dashes})
    years = book.ranges[year_cells(thing, -1)]
    chart = charts.lines(book, str(thing[0]), unit, years, rows, looks)
    if len(rows) > FEW:
        chart.set_legend({"position": "right", "font": {"size": 8}})
    return chart
