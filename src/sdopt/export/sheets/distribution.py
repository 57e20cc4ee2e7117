"""How the improvement by the advice is spread over the futures: in points, in counts, and as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.findings_words import ADVICE, external_name
from sdopt.export.lists import NAME, honest
from sdopt.export.page import QUIET, Book, Page, Style
from sdopt.export.precision import decimal_style, own_decimals
from sdopt.export.sheets.answers_sure import improvement_points, point_decimals
from sdopt.export.views import COLOURS, fact, has

if TYPE_CHECKING:
    import pandas as pd

POINTS = ("q10", "q50", "q90", "positive")
MOST_BINS = 14
CHART_HEIGHT = 280
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
TOTAL: Style = {"top": 1, "bold": True}
Bin = tuple[float, float, float]
"""From, to, and of every 100 futures how many are between."""


def fill_histogram(page: Page) -> None:
    """P10, P50 and P90; then of every 100 futures how many fall in every range, with a chart beside it."""
    points = improvement_points(page.book.result)
    if points:
        _points(page, points)
    found = bins_of(page.book.result)
    if found:
        _bins(page, found)


def _points(page: Page, points: Mapping[str, float]) -> None:
    """The advice over all futures, then in every external scenario by itself where there are several."""
    labels, table = page.labels, page.book.result.tables["distribution"]
    page.section(labels("points.title"))
    style = decimal_style(point_decimals(page.book.result), sign=True)
    looks: list[Style] = [NAME, *[style] * 3, {"num_format": "0%"}]
    page.call_next("p10_p50_p90")
    page.header(["", *(labels(f"column.{key}") for key in ("p10", "p50", "p90", "positive"))], looks)
    own = table[table["allocation"] == ADVICE]
    chances = own.loc[own["external"] == "", "positive"].tolist()
    rows = [[labels("word.advice"), *points.values(), *(chances or [None])]]
    worlds = worlds_of(table)
    rows += [
        [labels("points.world", world=external_name(row["external"], labels)), *(row[key] for key in POINTS)]
        for row in worlds.to_dict("records")
    ]
    for row in rows:
        page.rows([row], honest(row, looks))
    page.row += 1


def worlds_of(distribution: pd.DataFrame) -> pd.DataFrame:
    """The rows about the advice in one external scenario, with P10 and P90; none where there is only one."""
    if "q10" not in distribution:  # as earlier versions wrote it
        return distribution.iloc[:0]
    own = distribution[(distribution["allocation"] == ADVICE) & (distribution["external"] != "")]
    known = own[own["q10"].notna()]
    return known if len(known) > 1 else known.iloc[:0]


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
