"""The sheet with the multi-year budget: accounts by year in current prices, with live totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.lists import NAME, TEXT, number_style
from sdopt.export.page import A3, PAPER, THIN, Page, Style

if TYPE_CHECKING:
    import pandas as pd

FIRST_AMOUNT = 4
"""Column of the first amount: account, name, side and term stand before it."""
TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}


def fill_budget(page: Page) -> None:
    """With the advice, then the difference with now: a row per account, totals, and the balance."""
    labels, table = page.labels, page.book.result.tables["multi_year_budget"]
    years = sorted(table["year"].unique())
    page.set_up([9, 44, 11, 12, *[13] * len(years)], paper=A3, pages_high=1)
    unit = ", ".join(labels.unit(unit) for unit in dict.fromkeys(table["unit"]))
    page.heading(page.name, labels("sign.budget", unit=unit))
    for value in ("advice", "difference"):
        page.section(labels(f"column.{value}"))
        _block(page, table, value)
        page.row += 1
    page.finish(len(page.widths))


def _block(page: Page, table: pd.DataFrame, value: str) -> None:
    """Income, then spending, then income less spending."""
    labels = page.labels
    wide = table.pivot_table(
        index=["side", "account", "name", "term"], columns="year", values=value, aggfunc="sum", sort=True
    )
    style = number_style([amount for row in wide.to_numpy() for amount in row], sign=value == "difference")
    heads = [labels(f"column.{name}") for name in ("account", "name", "side", "term")]
    page.header([*heads, *wide.columns], [TEXT, NAME, TEXT, TEXT, *[style] * wide.shape[1]])
    totals = [_side(page, wide.loc[[side]], side, style) for side in ("income", "spending")]
    page.write(page.row, 0, "", **TOTAL)
    page.write(page.row, 1, labels("budget.balance"), **TOTAL)
    for column in (2, 3):
        page.write(page.row, column, "", **TOTAL)
    for place in range(wide.shape[1]):
        at = FIRST_AMOUNT + place
        formula = f"={cell(totals[0][0], at)}-{cell(totals[1][0], at)}"
        worth = totals[0][1][place] - totals[1][1][place] + 0.0
        page.formula(page.row, at, formula, worth, **{**style, **TOTAL})
    page.row += 1


def _side(page: Page, wide: pd.DataFrame, side: str, style: Style) -> tuple[int, list[float]]:
    """The rows of one side and their total: the row it stands on, and its values."""
    labels, first = page.labels, page.row
    for (_, account, name, term), amounts in wide.iterrows():
        words = [account, name, labels(f"budget.{side}"), labels(f"budget.{term}")]
        styles = [TEXT, NAME, TEXT, TEXT, *[style] * len(amounts)]
        page.rows([[*words, *(float(amount) for amount in amounts)]], styles, exact=True)
    page.write(page.row, 0, "", **TOTAL)
    page.write(page.row, 1, f"{labels('word.total')} {labels(f'budget.{side}')}", **TOTAL)
    for column in (2, 3):
        page.write(page.row, column, "", **TOTAL)
    sums = [float(sum(wide[year])) for year in wide.columns]
    for place, value in enumerate(sums):
        at = FIRST_AMOUNT + place
        formula = f"=SUM({cell(first, at)}:{cell(page.row - 1, at)})"
        page.formula(page.row, at, formula, value + 0.0, **{**style, **TOTAL})
    page.row += 1
    return page.row - 1, sums
