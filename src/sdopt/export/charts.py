"""Native Excel charts; every series points at cells, so that a user can change them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sdopt.export.cells import plain_text
from sdopt.export.page import Book, Page, Range
from sdopt.export.views import ADVICE_COLOUR, COLOURS, NULL_COLOUR

ROW_PIXELS = 20
_NO_WIDTH = "\u200b"
_CELL_AHEAD = re.compile(r"!(?=[$A-Z])")


def chart_text(value: object) -> str:
    """Text for a title, an axis or a series, which never points at a cell.

    xlsxwriter takes such text for a formula when it looks like `sheet!A1`, also without `=` before it; an
    invisible space after the exclamation mark keeps it text.
    """
    return _CELL_AHEAD.sub("!" + _NO_WIDTH, plain_text(value))


def columns_stacked(book: Book, title: str, unit: str, years: Range, block: Range) -> Any:
    """Stacked columns: one series per row of `block`, whose names stand in the first column."""
    sheet, first, left, last, right = block
    series = [
        {
            "name": [sheet, row, 0],
            "values": [sheet, row, left, row, right],
            "categories": list(years),
            "fill": {"color": COLOURS[(row - first) % len(COLOURS)]},
            "gap": 60,
        }
        for row in range(first, last + 1)
    ]
    return _chart(book, {"type": "column", "subtype": "stacked"}, title, unit, series)


def lines(book: Book, title: str, unit: str, categories: Range, rows: Sequence[tuple[str, Range]]) -> Any:
    """Two lines, the first (null alternative, or bound) dashed grey and the second solid blue."""
    looks = ({"color": NULL_COLOUR, "dash_type": "dash", "width": 2}, {"color": ADVICE_COLOUR, "width": 2.5})
    series = [
        {"name": chart_text(name), "values": list(cells), "categories": list(categories), "line": look}
        for (name, cells), look in zip(rows, looks, strict=True)
    ]
    chart = _chart(book, {"type": "line"}, title, unit, series)
    chart.set_x_axis({"num_font": {"size": 8}, "label_position": "low", "interval_unit": _every(categories)})
    return chart


def bars(book: Book, title: str, unit: str, names: Range, values: Range) -> Any:
    """Horizontal bars, first row on top, negative values in another colour."""
    series = {
        "values": list(values),
        "categories": list(names),
        "fill": {"color": COLOURS[0]},
        "invert_if_negative": True,
        "invert_if_negative_color": COLOURS[5],
        "gap": 50,
        "data_labels": {"value": True, "font": {"size": 8}},
    }
    chart = _chart(book, {"type": "bar"}, title, unit, [series])
    chart.set_y_axis(
        {
            "reverse": True,
            "label_position": "low",
            "num_font": {"size": 9},
            "major_gridlines": {"visible": False},
        }
    )
    chart.set_x_axis(
        {
            "name": chart_text(unit),
            "name_font": {"size": 9, "bold": False},
            "num_font": {"size": 8},
            "label_position": "high",  # below: the reversed names put the axis itself on top
            "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}},
        }
    )
    chart.set_legend({"none": True})
    return chart


def _every(categories: Range) -> int:
    """Show so many categories apart that about eight names fit below the chart."""
    _, first_row, first_column, last_row, last_column = categories
    return max(1, (last_row - first_row + last_column - first_column) // 8)


def _chart(book: Book, kind: dict[str, str], title: str, unit: str, series: Sequence[dict[str, Any]]) -> Any:
    """A chart with the shared looks: small fonts, light grid, legend below."""
    chart = book.workbook.add_chart(kind)
    for one in series:
        chart.add_series(one)
    chart.set_title({"name": chart_text(title), "name_font": {"size": 11, "bold": True}, "overlay": False})
    chart.set_y_axis(
        {
            "name": chart_text(unit),
            "name_font": {"size": 9, "bold": False},
            "num_font": {"size": 8},
            "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}},
        }
    )
    chart.set_x_axis({"num_font": {"size": 8}, "label_position": "low"})
    chart.set_legend({"position": "bottom", "font": {"size": 9}})
    return chart


def place(page: Page, chart: Any, left: int, width: int, height: int, *, row: int | None = None) -> None:
    """Put a chart at a row (the writing position when None), `left` pixels from the edge."""
    chart.set_size({"width": width, "height": height})
    page.sheet.insert_chart(
        page.row if row is None else row, 0, chart, {"object_position": 2, "x_offset": left}
    )


def skip(page: Page, height: int) -> None:
    """Move the writing position below charts of `height` pixels."""
    page.row += height // ROW_PIXELS + 2
