"""The sheet with how outputs fan out over the years: charts that point at the cells below them."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.findings_words import allocation_name
from sdopt.export.lists import NAME, TEXT, number_style
from sdopt.export.page import THIN, YEAR, Page, Range, Style
from sdopt.export.views import COLOURS, NULL_COLOUR, full_names

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS, ALLOCATIONS = 4, 3
"""Most outputs and most allocations with a chart."""
POINTS = ("q05", "q25", "q50", "q75", "q95")
BETWEEN = ((4, 5, "q05_q25"), (5, 7, "q25_q75"), (7, 8, "q75_q95"))
"""From which column to which the parts of a band go, and the label of the part."""
CHART_HEIGHT = 220


def fill_fan(page: Page) -> None:
    """A chart per output and allocation, with one axis per output; then the numbers behind them."""
    labels, fan = page.labels, page.book.result.tables["fan"]
    page.set_up([34, 22, 9, 12, *[12] * 8])
    page.heading(page.name, labels("sign.fan"))
    table = fan[fan["q50"].notna()].assign(name=full_names(fan))
    names, kinds = widest(table), list(dict.fromkeys(table["allocation"]))[:ALLOCATIONS]
    if table["name"].nunique() > len(names) or table["allocation"].nunique() > len(kinds):
        page.across(labels("fan.left_out"), **THIN)
    if names:
        _drawn(page, table, names, kinds)
    else:
        page.across(labels("fan.none"), **THIN)
    page.finish(len(page.widths))


def _drawn(page: Page, table: pd.DataFrame, names: list[str], kinds: list[str]) -> None:
    """The charts, a row per output, and the numbers below all of them."""
    top = page.row + 1
    step = CHART_HEIGHT // charts.ROW_PIXELS + 1
    page.row = top + step * len(names)
    page.section(page.labels("fan.numbers"))
    _header(page)
    for line, name in enumerate(names):
        own = table[(table["name"] == name) & table["allocation"].isin(kinds)]
        width = page.pixels // len(kinds)
        for place, kind in enumerate(kinds):
            first, last = _numbers(page, own[own["allocation"] == kind], own)
            colour = NULL_COLOUR if kind == "null" else COLOURS[(place - 1) % len(COLOURS)]
            chart = _chart(page, (name, kind), (first, last), own, colour)
            charts.place(page, chart, place * width, width - 8, CHART_HEIGHT, row=top + line * step)


def widest(table: pd.DataFrame) -> list[str]:
    """The outputs (column `name`) that differ most between scenarios at the end, relative to their size."""
    last = table[(table["time"] == table["time"].max()) & (table["allocation"] == "advice")]
    size = last[["q05", "q95"]].abs().max(axis=1)
    spread = ((last["q95"] - last["q05"]) / size.where(size > 0, 1.0)).fillna(0.0)
    order = spread.sort_values(ascending=False, kind="stable").index
    return list(dict.fromkeys(last.loc[order, "name"]))[:OUTPUTS]


def _header(page: Page) -> None:
    labels = page.labels
    number: Style = {"num_format": "0"}
    names = [*(labels(f"column.{key}") for key in ("variable", "allocation", "year", "unit", *POINTS))]
    names += [labels(f"fan.{key}") for _, _, key in BETWEEN]
    page.header(names, [NAME, TEXT, {"align": "left"}, TEXT, *[number] * (len(POINTS) + len(BETWEEN))])


def _numbers(page: Page, rows: pd.DataFrame, own: pd.DataFrame) -> tuple[int, int]:
    """A row per year of one output and allocation; widths of the band are live. First and last row."""
    labels, first = page.labels, page.row
    style = number_style([*own["q05"], *own["q95"]])
    styles = [NAME, TEXT, {"num_format": YEAR, "align": "left"}, TEXT, *[style] * len(POINTS)]
    for row in rows.to_dict("records"):
        values = [row[key] for key in POINTS]
        said = [allocation_name(row["allocation"], labels), int(row["time"]), labels.unit(str(row["unit"]))]
        page.rows([[row["name"], *said, *values]], styles, exact=True)
        at = page.row - 1
        for column, (low, high, _) in enumerate(BETWEEN, start=4 + len(POINTS)):
            formula = f"={cell(at, high)}-{cell(at, low)}"
            page.formula(at, column, formula, values[high - 4] - values[low - 4], **{**THIN, **style})
    return first, page.row - 1


def _chart(
    page: Page, which: tuple[str, str], rows: tuple[int, int], own: pd.DataFrame, colour: str
) -> object:
    """Nine futures of ten, the middle half and the middle, of one output under one allocation."""
    labels, (name, kind) = page.labels, which

    def column(number: int) -> Range:
        return page.name, rows[0], number, rows[1], number

    shades = (70, 40, 70)
    parts = [
        (labels("fan.nine" if place != 1 else "fan.half"), column(4 + len(POINTS) + place), shade)
        for place, shade in enumerate(shades)
    ]
    chart = charts.band(
        page.book,
        f"{name}: {allocation_name(kind, labels)}",
        labels.unit(str(own["unit"].iloc[0])),
        column(2),
        column(4),
        parts,
        (labels("fan.middle"), column(6)),
        colour,
        slanted=True,
    )
    return charts.between(chart, labels.unit(str(own["unit"].iloc[0])), *_ends(own))


def _ends(own: pd.DataFrame) -> tuple[float, float]:
    """Round ends of an axis that holds all of an output, so that its charts can be compared."""
    low, high = float(own["q05"].min()), float(own["q95"].max())
    size = high - low if high > low else abs(high) or 1.0
    step = 10.0 ** floor(log10(size)) / 2
    low, high = step * floor(low / step), step * ceil(high / step)
    return low, high if high > low else low + step
