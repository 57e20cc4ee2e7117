"""The sheet with programmes: which start and when, what they cost, and what each adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.cells import to_python
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, QUIET, TEXT, listed, number_style
from sdopt.export.page import PAPER, THIN, YEAR, Page, Style
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("programme", "starts", "last_year", "smallest", "largest", "amount", "costs", "outlay"),
    *("adds", "unit"),
)
TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}


def programme_lines(result: Result, labels: Labels) -> list[str]:
    """One sentence: how many programmes start, which, and when; none where there are no programmes."""
    if not has(result, "programmes"):
        return []
    table = result.tables["programmes"]
    started = [
        labels("programmes.from", name=row.programme, year=f"{row.starts:g}")
        for row in table.itertuples()
        if to_python(row.starts) is not None
    ]
    if not started:
        return [labels("programmes.none")]
    return [labels("programmes.starting", total=len(table), count=len(started), names="; ".join(started))]


def fill_programmes(page: Page) -> None:
    """A row per programme, then outlay by year with live totals."""
    labels, result = page.labels, page.book.result
    table, years = result.tables["programmes"], result.tables["programme_years"]
    count = years["year"].nunique()
    page.set_up([32, 13, 11, 12, 12, 12, 12, 12, 12, 18, *[12] * max(0, count - 9)], pages_high=1)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.programmes", unit=unit))
    for line in [*programme_lines(result, labels), labels("programmes.prices")]:
        page.across(line, **THIN)
    page.row += 1
    never, yearly = labels("programmes.never"), [labels.unit(unit) for unit in dict.fromkeys(years["unit"])]
    starts = [never if to_python(year) is None else int(year) for year in table["starts"]]
    units = [labels.unit(unit) for unit in table["unit"]]
    shown = table.assign(starts=starts, unit=units).astype({"starts": object, "last_year": object})
    page.call_next("programmes")
    listed(page, shown, COLUMNS, lambda row: _styles(row, never))
    page.row += 1
    page.section(labels("programmes.years", unit=", ".join(yearly)))
    _by_year(page, years)
    page.finish(len(page.widths))


def _styles(row: Mapping[str, Any], never: str) -> list[Style]:
    """Decimals that fit the row; a programme that does not start is quiet."""
    runs = row["starts"] != never
    level = number_style([row["outlay"], row["largest"], 1.0])
    adds = number_style([row["adds"]], sign=True)
    year: Style = {"num_format": YEAR, "align": "center"}
    name: Style = {**NAME, "bold": True} if runs else {**NAME, "font_color": "#999999"}
    return [name, {**year, "bold": True} if runs else QUIET, {**CENTRE, **year}, *[level] * 5, adds, TEXT]


def _by_year(page: Page, years: pd.DataFrame) -> None:
    """A row per programme and a column per year, with the total of each year as a live formula."""
    labels = page.labels
    wide = years.pivot_table(index="programme", columns="year", values="outlay", aggfunc="sum", sort=False)
    style = number_style([*years["outlay"], 1.0])
    page.call_next("programme_years")
    page.header(
        [labels("column.programme"), *(int(year) for year in wide.columns)], [NAME, *[style] * wide.shape[1]]
    )
    first = page.row
    for name, values in zip(wide.index, wide.to_numpy(), strict=True):
        page.rows([[name, *(value or None for value in values)]], [NAME, *[style] * len(values)], exact=True)
    page.write(page.row, 0, labels("word.total"), **TOTAL)
    for place, total in enumerate(wide.to_numpy().sum(axis=0), start=1):
        formula = f"=SUM({cell(first, place)}:{cell(page.row - 1, place)})"
        page.formula(page.row, place, formula, float(total), **{**style, **TOTAL})
    page.row += 1
