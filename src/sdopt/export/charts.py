"""Native Excel charts; every series points at cells, so that a user can change them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

from sdopt.export.cells import plain_text
from sdopt.export.page import Book, Page, Range
from sdopt.export.views import ADVICE_COLOUR, COLOURS, NULL_COLOUR

ROW_PIXELS = 20
PATTERNS = ("wide_upward_diagonal", "small_grid", "wide_downward_diagonal")
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
            **_filled(row - first),
            "gap": 60,
        }
        for row in range(first, last + 1)
    ]
    chart = _chart(book, {"type": "column", "subtype": "stacked"}, title, unit, series)
    chart.set_legend({"position": "right", "font": {"size": 8}})
    return chart


def _filled(place: int) -> dict[str, Any]:
    """A colour, and after as many as there are the same with stripes, so that no two look alike."""
    colour, times = COLOURS[place % len(COLOURS)], place // len(COLOURS)
    if times == 0:
        return {"fill": {"color": colour}}
    pattern = PATTERNS[(times - 1) % len(PATTERNS)]
    return {"pattern": {"pattern": pattern, "fg_color": colour, "bg_color": "#FFFFFF"}}


Look = Mapping[str, Any]
"""Properties of a line, as xlsxwriter calls them."""
DASHED: Look = {"color": NULL_COLOUR, "dash_type": "dash", "width": 2}
SOLID: Look = {"color": ADVICE_COLOUR, "width": 2.5}


def lines(
    book: Book,
    title: str,
    unit: str,
    categories: Range,
    rows: Sequence[tuple[str, Range]],
    looks: Sequence[Look] = (DASHED, SOLID),
) -> Any:
    """Lines; two, unless told: the first (null alternative, or bound) dashed grey, the second solid blue."""
    series = [
        {"name": chart_text(name), "values": list(cells), "categories": list(categories), "line": dict(look)}
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
    _upside_down(chart, unit)
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
    chart.set_y_axis(_axis(unit))
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


def up_to(chart: Any, unit: str, largest: float) -> Any:
    """The chart with an axis from nothing to a round number just above the largest value."""
    step = 10.0 ** floor(log10(largest)) / 2 if largest > 0 else 1.0
    top = step * ceil(largest / step) if largest > 0 else 1.0
    chart.set_y_axis({**_axis(unit), "min": 0, "max": top})
    return chart


def waterfall(book: Book, title: str, unit: str, names: Range, parts: Sequence[Range]) -> Any:
    """Steps that add up, the first on top, each from where the one before ended; the last bar is their sum.

    `parts` are columns of cells as long as `names`: an invisible base, gains above and below zero, losses
    above and below zero, and the sum. Stacked bars pile up positive and negative values by themselves, so
    that a step may cross zero.
    """
    looks = ("", COLOURS[0], COLOURS[0], COLOURS[5], COLOURS[5], COLOURS[7])
    series = [
        {
            "values": list(cells),
            "categories": list(names),
            "fill": {"color": colour} if colour else {"none": True},
            "border": {"none": True},
            "gap": 40,
        }
        for cells, colour in zip(parts, looks, strict=True)
    ]
    chart = _chart(book, {"type": "bar", "subtype": "stacked"}, title, unit, series)
    _upside_down(chart, unit)
    chart.set_legend({"none": True})
    return chart


def _upside_down(chart: Any, unit: str) -> None:
    """Bars with the first name on top, and the axis with amounts below them."""
    chart.set_y_axis(
        {
            "reverse": True,
            "label_position": "low",
            "num_font": {"size": 8},
            "interval_unit": 1,
            "major_gridlines": {"visible": False},
        }
    )
    chart.set_x_axis({**_axis(unit), "label_position": "high"})  # below: reversed names put the axis on top


def tornado(
    book: Book, title: str, unit: str, names: Range, low: tuple[str, Range], high: tuple[str, Range]
) -> Any:
    """Bars to either side of zero, the first row on top: what is changed at the low and at the high end."""
    series = [
        {
            "name": chart_text(name),
            "values": list(cells),
            "categories": list(names),
            "fill": {"color": colour},
            "gap": 40,
            "overlap": 100,
        }
        for (name, cells), colour in zip((low, high), (COLOURS[1], COLOURS[0]), strict=True)
    ]
    chart = _chart(book, {"type": "bar"}, title, unit, series)
    _upside_down(chart, unit)
    return chart


def counts(book: Book, title: str, unit: str, names: Range, parts: Sequence[tuple[str, Range, str]]) -> Any:
    """Touching columns, one stack per name: how many times every outcome occurs (name, cells, colour)."""
    series = [
        {
            "name": chart_text(name),
            "values": list(cells),
            "categories": list(names),
            "fill": {"color": colour},
            "border": {"color": "#FFFFFF"},
            "gap": 4,
        }
        for name, cells, colour in parts
    ]
    return _chart(book, {"type": "column", "subtype": "stacked"}, title, unit, series)


def with_spread(book: Book, title: str, unit: str, names: Range, points: Sequence[tuple[str, Range]]) -> Any:
    """A line per name from the lowest to the highest of three points, each with a mark: low, middle, high."""
    looks = (("long_dash", 9, NULL_COLOUR), ("diamond", 10, COLOURS[0]), ("long_dash", 9, NULL_COLOUR))
    series = [
        {
            "name": chart_text(name),
            "values": list(cells),
            "categories": list(names),
            "line": {"none": True},
            "marker": {"type": kind, "size": size, "fill": {"color": colour}, "border": {"color": colour}},
            "data_labels": {"value": True, "position": "right", "font": {"size": 8}},
        }
        for (name, cells), (kind, size, colour) in zip(points, looks, strict=True)
    ]
    chart = _chart(book, {"type": "line"}, title, unit, series)
    chart.set_high_low_lines({"line": {"color": NULL_COLOUR, "width": 2}})
    return chart


def cumulative(book: Book, title: str, unit: str, years: Range, line: tuple[str, Range]) -> Any:
    """One line over the years, with the axis of names below the chart also where it is negative."""
    name, cells = line
    series = {
        "name": chart_text(name),
        "values": list(cells),
        "categories": list(years),
        "line": {"color": ADVICE_COLOUR, "width": 2.5},
    }
    return _chart(book, {"type": "line"}, title, unit, [series])


Part = tuple[str, Range, int]
"""A part of a band: what it is called, how wide it is, and how far it is seen through, in percents."""


def band(
    book: Book,
    title: str,
    unit: str,
    years: Range,
    low: Range,
    parts: Sequence[Part],
    middle: tuple[str, Range],
    colour: str = ADVICE_COLOUR,
    *,
    slanted: bool = False,
) -> Any:
    """A band over the years: parts stacked on an area that is not seen, and a line in the middle.

    The cells of `low` hold where the band begins, those of `parts` how wide each part is above the one
    before; parts of one name have one place in the legend. Years are `slanted` where they would not fit.
    """
    shown = [
        {
            "name": chart_text(name),
            "values": list(cells),
            "fill": {"color": colour, "transparency": through},
            "border": {"none": True},
        }
        for name, cells, through in parts
    ]
    unseen = {"name": " ", "values": list(low), "fill": {"none": True}, "border": {"none": True}}
    series = [{**one, "categories": list(years)} for one in (unseen, *shown)]
    chart = _chart(book, {"type": "area", "subtype": "stacked"}, title, unit, series)
    look = {"color": "#000000", "width": 1.5}
    line = book.workbook.add_chart({"type": "line"})
    own = {"name": chart_text(middle[0]), "values": list(middle[1]), "categories": list(years), "line": look}
    line.add_series(own)
    chart.combine(line)
    chart.set_x_axis(_below(years, slanted=slanted))
    names = [name for name, _, _ in parts]
    again = [place for place, name in enumerate(names, start=1) if name in names[: place - 1]]
    chart.set_legend({"position": "bottom", "font": {"size": 8}, "delete_series": [0, *again]})
    return chart


def _below(years: Range, *, slanted: bool) -> dict[str, Any]:
    """Years below the chart, also where amounts are negative; areas reach to its edges."""
    font, every = {"size": 8, **({"rotation": -45} if slanted else {})}, _every(years)
    look = {"num_font": font, "label_position": "low", "interval_unit": every, "interval_tick": every}
    return {**look, "position_axis": "on_tick"}


def between(chart: Any, unit: str, low: float, high: float) -> Any:
    """The chart with an axis of amounts from one value to another."""
    chart.set_y_axis({**_axis(unit), "min": low, "max": high})
    return chart


def _axis(unit: str) -> dict[str, Any]:
    """The shared looks of an axis with amounts."""
    return {
        "name": chart_text(unit),
        "name_font": {"size": 9, "bold": False},
        "num_font": {"size": 8},
        "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}},
    }


def small(chart: Any) -> Any:
    """The chart for a place where its heading and unit stand beside it: neither is repeated in it."""
    chart.set_title({"none": True})
    return chart
