"""Who pays and who gains as steps that add up: live cells, and the waterfall chart that points at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.lists import NAME, number_style
from sdopt.export.page import PAPER, QUIET, THIN, Book, Page, Style
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.views import fact

PARTS = ("bar_base", "gain_above", "gain_below", "loss_above", "loss_below", "bar_total")
FIRST = 3
"""Column of the first number: the name of a party stands over three columns, as above it on the sheet."""
TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}


def fill_pockets(page: Page, pockets: Sequence[str], totals: Mapping[str, tuple[str, float]]) -> None:
    """A row per pocket with where its bar starts and ends, then all together: the cells of the chart.

    `totals` are the cell and the value of what every pocket gains.
    """
    labels = page.labels
    page.section(labels("pockets.title"))
    page.across(labels("pockets.note"), **QUIET)
    style = number_style([value for _, value in totals.values()], sign=True)
    names = [labels("column.pocket"), "", "", labels("column.difference")]
    names += [labels(f"column.{key}") for key in ("bar_start", "bar_end", *PARTS)]
    page.call_next("pockets")
    page.header(names, [NAME, {}, {}, *[style] * (len(names) - FIRST)])
    first, start = page.row, 0.0
    for pocket in pockets:
        formula, value = totals[pocket]
        _step(page, pocket_name(pocket, labels), (f"={formula}", value), start, style, first=first)
        start += value
    last = page.row - 1
    _together(page, first, start, style)
    ranges, columns = page.book.ranges, (0, *range(FIRST + 3, FIRST + 3 + len(PARTS)))
    for key, column in zip(("names", *PARTS), columns, strict=True):
        ranges[f"waterfall {key}"] = (page.name, first, column, last + 1, column)
    ranges["pockets"] = (page.name, first, FIRST, last, FIRST)


def _step(
    page: Page, name: str, amount: tuple[str, float], start: float, style: Style, *, first: int
) -> None:
    """One pocket: its bar goes from the end of the one before by its amount."""
    formula, value = amount
    row, look = page.row, {**style, **THIN}
    page.rows([[name, "", "", None]], [NAME, {}, {}, style])
    own, low, high = (cell(row, FIRST + place) for place in range(3))
    page.formula(row, FIRST, formula, value + 0.0, **look)
    if row > first:
        page.formula(row, FIRST + 1, f"={cell(row - 1, FIRST + 2)}", start + 0.0, **look)
    else:
        page.write(row, FIRST + 1, 0.0, **look)
    page.formula(row, FIRST + 2, f"={low}+{own}", start + value + 0.0, **look)
    for place, (text, found) in enumerate(parts_of_step(low, high, start, start + value), start=FIRST + 3):
        page.formula(row, place, text, found + 0.0, **look)
    page.write(row, FIRST + 2 + len(PARTS), None, **look)


def parts_of_step(low: str, high: str, start: float, end: float) -> list[tuple[str, float]]:
    """Formula and value of every part of a bar between two cells: the base hangs or stands on zero."""
    small, large = min(start, end), max(start, end)
    above, below = max(large, 0.0) - max(small, 0.0), min(small, 0.0) - min(large, 0.0)
    over = f"MAX({low},{high},0)-MAX(MIN({low},{high}),0)"
    under = f"MIN({low},{high},0)-MIN(MAX({low},{high}),0)"
    gains = end >= start
    base = f"=MAX(MIN({low},{high}),0)+MIN(MAX({low},{high}),0)"
    return [
        (base, max(small, 0.0) + min(large, 0.0)),
        (f"=IF({high}>={low},{over},0)", above if gains else 0.0),
        (f"=IF({high}>={low},{under},0)", below if gains else 0.0),
        (f"=IF({high}<{low},{over},0)", 0.0 if gains else above),
        (f"=IF({high}<{low},{under},0)", 0.0 if gains else below),
    ]


def _together(page: Page, first: int, total: float, style: Style) -> None:
    """The sum of all pockets, as a bar of its own."""
    row = page.row
    for column in range(FIRST + 3 + len(PARTS)):
        page.write(row, column, page.labels("word.total") if column == 0 else "", **TOTAL)
    at = cell(row, FIRST)
    look: Style = {**style, **TOTAL}
    page.formula(row, FIRST, f"=SUM({cell(first, FIRST)}:{cell(row - 1, FIRST)})", total + 0.0, **look)
    page.formula(row, FIRST + 2, f"={at}", total + 0.0, **look)
    page.formula(row, FIRST + 2 + len(PARTS), f"={at}", total + 0.0, **look)
    page.row += 1


def pockets_chart(book: Book) -> Any:
    """The waterfall, pointing at the cells of the sheet on who pays and who gains."""
    labels, ranges = book.labels, book.ranges
    unit = labels.unit(str(fact(book.result, "objective_unit") or ""))
    parts = [ranges[f"waterfall {key}"] for key in PARTS]
    return charts.waterfall(book, labels("pockets.chart"), unit, ranges["waterfall names"], parts)
