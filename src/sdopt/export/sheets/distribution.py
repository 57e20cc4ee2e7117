"""How the improvement by the advice is spread over the futures: in points, in counts, and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.findings_words import ADVICE
from sdopt.export.lists import NAME
from sdopt.export.page import QUIET, Book, Page, Style
from sdopt.export.precision import decimal_style, own_decimals
from sdopt.export.sheets.answers_sure import improvement_points, point_decimals
from sdopt.export.views import COLOURS, fact, has

MOST_BINS = 14
CHART_HEIGHT = 280
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
TOTAL: Style = {"top": 1, "bold": True}
Bin = tuple[float, float, float]
"""From, to, and of every 100 futures how many are between."""


def fill_histogram(page: Page) -> None:
    """P10, P50 and P90; then of every 100 futures how many fall in every range, with a chart beside it."""
    labels = page.labels
    points = improvement_points(page.book.result)
    if points:
        page.section(labels("points.title"))
        style = decimal_style(point_decimals(page.book.result), sign=True)
        chance = _chance(page)
        page.call_next("p10_p50_p90")
        page.header(
            ["", *(labels(f"column.{key}") for key in ("p10", "p50", "p90", "positive"))],
            [NAME, style, style, style, {"num_format": "0%"}],
        )
        page.rows(
            [[labels("word.advice"), *points.values(), chance]], [NAME, *[style] * 3, {"num_format": "0%"}]
        )
        page.row += 1
    found = bins_of(page.book.result)
    if found:
        _bins(page, found)


def _chance(page: Page) -> float | None:
    table = page.book.result.tables["distribution"]
    own = table[(table["allocation"] == ADVICE) & (table["external"] == "")]
    return float(own["positive"].iloc[0]) if len(own) else None


def bins_of(result: Any) -> list[Bin]:
    """Ranges of equal and round width, of which one begins at zero, with their part of the futures."""
    if not has(result, "curve"):
        return []
    curve = result.tables["curve"]
    values = sorted(float(value) for value in curve.loc[curve["allocation"] == ADVICE, "value"])
    if not values or values[0] == values[-1]:
        return []
    width = _round_up((values[-1] - values[0]) / (MOST_BINS - 2))
    first, last = floor(values[0] / width), floor(values[-1] / width)
    each = 100.0 / len(values)
    counts = dict.fromkeys(range(first, last + 1), 0.0)
    for value in values:
        counts[floor(value / width)] += each
    return [(place * width, (place + 1) * width, count) for place, count in counts.items()]


def _round_up(width: float) -> float:
    size = 10.0 ** floor(log10(width))
    return next(part * size for part in ROUND if part * size >= width * (1 - 1e-9))


def _bins(page: Page, found: Sequence[Bin]) -> None:
    """A row per range, those below zero in a column of their own; the total is live."""
    labels, top = page.labels, page.row
    page.section(labels("histogram.title"))
    page.across(labels("histogram.note"), **QUIET)
    ends = decimal_style(own_decimals(found[0][1] - found[0][0], 6))
    count: Style = {"num_format": "0"}
    keys = ("range_of", "range_from", "range_to", "futures_worse", "futures_better")
    page.call_next("histogram")
    page.header([labels(f"column.{key}") for key in keys], [NAME, ends, ends, count, count])
    first, decimals = page.row, own_decimals(found[0][1] - found[0][0], 6)
    for low, high, futures in found:
        name = labels(
            "histogram.between", low=labels.number(low, decimals), high=labels.number(high, decimals)
        )
        worse = [futures, None] if low < 0 else [None, futures]
        page.rows([[name, low, high, *worse]], [NAME, ends, ends, count, count])
    last = page.row - 1
    page.write(page.row, 0, labels("word.total"), **TOTAL)
    for column, below in ((3, True), (4, False)):
        total = sum(futures for low, _, futures in found if (low < 0) == below)
        formula = f"=SUM({cell(first, column)}:{cell(last, column)})"
        page.formula(page.row, column, formula, total, **TOTAL, **count)
    for column in (1, 2):
        page.write(page.row, column, "", **TOTAL)
    page.row += 1
    for key, column in (("names", 0), ("worse", 3), ("better", 4)):
        page.book.ranges[f"histogram {key}"] = (page.name, first, column, last, column)
    left = int(sum(7 * width + 5 for width in page.widths[:6]))
    charts.place(
        page, distribution_chart(page.book), left, min(page.pixels - left, 640), CHART_HEIGHT, row=top
    )
    page.row = max(page.row, top + CHART_HEIGHT // charts.ROW_PIXELS + 1) + 1


def distribution_chart(book: Book) -> Any:
    """Of every 100 futures how many fall in every range, worse and better than now in other colours."""
    ranges, labels = book.ranges, book.labels
    unit = labels.unit(str(fact(book.result, "objective_unit") or ""))
    parts = [
        (labels(f"column.futures_{key}"), ranges[f"histogram {key}"], colour)
        for key, colour in (("worse", COLOURS[5]), ("better", COLOURS[0]))
    ]
    title = f"{labels('histogram.chart')} ({unit})"
    return charts.counts(book, title, "", ranges["histogram names"], parts)
