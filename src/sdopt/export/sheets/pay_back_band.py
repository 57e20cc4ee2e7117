"""The return up to every year over all futures: as numbers, and as a chart that points at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.lists import number_style
from sdopt.export.page import QUIET, THIN, YEAR, Page, Range, Style
from sdopt.sweep.rounding import quite

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = ("q10", "q50", "q90", "mean")
HEADS = ("year", "p10", "p50", "p90", "found_mean", "paid_back_share")
CHART_HEIGHT = 320


def fill_band(page: Page, band: pd.DataFrame) -> None:
    """A row per year from P10 to P90, the mean, and how many futures have paid back; then the chart."""
    labels = page.labels
    page.row += 1
    page.section(labels("pay_back.band"))
    page.across(labels("pay_back.band_about"), **QUIET)
    first, last = _years(page, band)

    def column(number: int) -> Range:
        return page.name, first, number, last, number

    chart = charts.band(
        page.book,
        labels("pay_back.band_chart"),
        labels.unit(str(band["unit"].iloc[0])),
        column(0),
        column(1),
        [(labels("pay_back.band_nine"), column(len(HEADS)), 60)],
        (labels("pay_back.band_middle"), column(2)),
    )
    page.row += 1
    charts.place(page, chart, 0, page.pixels, CHART_HEIGHT)
    charts.skip(page, CHART_HEIGHT)


def _years(page: Page, band: pd.DataFrame) -> tuple[int, int]:
    """The first and the last row; how wide the band is, which the chart needs, is live."""
    labels = page.labels
    style = number_style([*band["q10"], *band["q90"]], sign=True)
    year: Style = {"num_format": YEAR, "align": "left"}
    amounts = [style] * len(AMOUNTS)
    page.call_next("cumulative_band")
    names = [*(labels(f"column.{key}") for key in HEADS), labels("pay_back.band_width")]
    page.header(names, [year, *amounts, {"num_format": "0%"}, style])
    first, plain = page.row, number_style([*band["q10"], *band["q90"]])
    for row in band.to_dict("records"):
        share = float(row["paid_back"])
        code = {1: '">99%"', -1: '"<1%"', 0: "0%"}[quite(share)]
        values = [int(row["year"]), *(row[key] for key in AMOUNTS), share]
        page.rows([values], [year, *amounts, {"num_format": code}], exact=True)
        at = page.row - 1
        formula = f"={cell(at, 3)}-{cell(at, 1)}"
        page.formula(at, len(HEADS), formula, row["q90"] - row["q10"], **{**THIN, **plain})
    return first, page.row - 1
