"""The sheets that explain the advice: why, prices, room, alternatives, contributions, trade-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.explanation import (
    alternative_name,
    difference_words,
    limit_names,
    perspective_name,
    why_blocks,
)
from sdopt.export.lists import CENTRE, NAME, TEXT, listed, long_list, number_style
from sdopt.export.page import MARK, THIN, YEAR, Page, Style
from sdopt.export.views import has

if TYPE_CHECKING:
    import pandas as pd

YEARS: Style = {"num_format": YEAR, "align": "left"}
PERCENT: Style = {"num_format": "0.0%"}
PART = 0.42
"""Of the 1920 by 1080 dots of a picture: 23 rows high."""


def fill_why(page: Page) -> None:
    """The explanation in sentences, and the optimality conditions."""
    labels, result = page.labels, page.book.result
    page.set_up([44, 16, 18, 12, 40], portrait=True, pages_high=1)
    page.heading(page.name, labels("sign.why"))
    for key, lines in why_blocks(result, labels).items():
        page.section(labels(f"why.title.{key}"))
        for line in lines:
            page.across(line, **THIN)
        page.row += 1
    if has(result, "optimality"):
        page.section(labels("why.title.optimality"))
        table = result.tables["optimality"]
        words = {
            "condition": [labels(f"optimality.{key}") for key in table["condition"]],
            "relative_to": [labels(f"optimality.of.{key}") for key in table["relative_to"]],
        }
        small: Style = {"num_format": "0.0E+00"}
        page.call_next("optimality")
        listed(page, table.assign(**words), ["condition", "value", "relative_to", "holds"],
               lambda _: [NAME, small, TEXT, CENTRE])  # fmt: skip
    page.finish(len(page.widths))


def fill_prices(page: Page) -> None:
    """Every limit and year: price, what moving it by 1 % did, and whether they agree."""
    labels, result = page.labels, page.book.result
    table = result.tables["shadow_prices"]
    page.set_up([42, 7, 11, 18, 11, 10, 12, 12, 12, 12, 12, 16, 26])
    page.heading(page.name, labels("sign.prices"))
    table = table.assign(
        constraint=limit_names(result, labels),
        binds=[labels(f"binds_now.{key}") for key in table["binds"]],
        checked=[labels(f"price_verdict.{key}") for key in table["verdict"]],
        unit=[labels.unit(unit) for unit in table["unit"]],
        price_unit=[_price_unit(text, labels) for text in table["price_unit"]],
        limit=table["value"],
    )
    order = table["slack"].where(table["price"].fillna(0.0) <= 0, -1.0).argsort(kind="stable")
    columns = ["constraint", "year", "limit", "unit", "slack", "binds", "price", "looser", "tighter"]
    columns += ["moved", "uncertainty", "checked", "price_unit"]
    binding = labels("binds_now.yes")
    long_list(page, table.iloc[order], columns, lambda row: _price_styles(row, binding))


def _price_unit(text: str, labels: Any) -> str:
    """`A per B` with both in words."""
    whole, _, part = text.partition(" per ")
    said = labels.unit(part)
    return str(labels("price.per" if said else "price.per_one", whole=labels.unit(whole), part=said))


def _price_styles(row: Mapping[str, Any], binding: str) -> list[Style]:
    level = number_style([row["limit"], row["slack"]])
    price = {"num_format": "#,##0.000"}
    mark: Style = {**CENTRE, "bg_color": MARK} if row["binds"] == binding else CENTRE
    moved: Style = {"num_format": "#,##0.0000"}
    return [NAME, YEARS, level, TEXT, level, mark, price, price, price, moved, price, TEXT, TEXT]


def fill_room(page: Page) -> None:
    """Near-optimal ranges: within 1 % and 5 %, found and proved."""
    labels, result = page.labels, page.book.result
    page.set_up([36, 14, 9, 12, 13, 13, 13, 13, 20])
    page.heading(page.name, labels("sign.room"))
    if has(result, "programmes"):
        page.across(labels("why.programmes"), **THIN)
    table = result.tables["near_optimal"]
    table = table.assign(
        unit=[labels.unit(unit) for unit in table["unit"]],
        year_or_average=[labels("room.average") if year == 0 else year for year in table["year"]],
        advised=table["value"],
        decision=table["variable"],
    )
    columns = ["decision", "year_or_average", "within", "advised", "outer_low", "inner_low", "inner_high"]
    amount: Style = {"num_format": "#,##0.00"}
    styles = [NAME, {**YEARS, "indent": 1}, {"num_format": "0%"}, *[amount] * 5, TEXT]
    long_list(page, table, [*columns, "outer_high", "unit"], lambda _: styles)


def fill_alternatives(page: Page) -> None:
    """What else is nearly as good: return, words, and the values per year."""
    labels, result = page.labels, page.book.result
    returns = result.tables["alternative_returns"]
    page.set_up([34, 9, *[14] * max(len(returns) + 1, 6)], pages_high=1)
    page.heading(page.name, labels("sign.alternatives"))
    names = [alternative_name(row, labels) for row in returns.itertuples()]
    for name, row in zip(names, returns.itertuples(), strict=True):
        page.across(f"{name}: {difference_words(result, labels, row.within, row.number)}.", **THIN)
    page.row += 1
    table = result.tables["alternatives"]
    first = table[(table["within"] == returns["within"].iloc[0]) & (table["number"] == 1)]
    amount: Style = {"num_format": "#,##0.00"}
    styles: list[Style] = [NAME, YEARS, *[amount] * (len(names) + 1)]
    heads = [labels("column.decision"), labels("column.year"), labels("alternatives.best"), *names]
    page.header(heads, styles)
    given_up = [0.0, *returns["given_up"]]
    page.rows([[labels("column.given_up"), "", *given_up]], [NAME, TEXT, *[PERCENT] * len(given_up)])
    columns = [
        table[(table["within"] == row.within) & (table["number"] == row.number)]["value"].to_numpy()
        for row in returns.itertuples()
    ]
    for place, row in enumerate(first.itertuples()):
        page.rows([[row.variable, row.year, row.best, *(column[place] for column in columns)]], styles)
    page.finish(len(styles))


def fill_contributions(page: Page) -> None:
    """Decisions, mechanisms and the pay-back year."""
    labels, result = page.labels, page.book.result
    page.set_up([62, 15, 15, 15, 15, 30])
    page.heading(page.name, labels("sign.contributions"))
    if has(result, "contributions"):
        table = result.tables["contributions"]
        amount = number_style(table["share"], sign=True)
        columns = ["decision", "change", "fair_share", "alone", "put_back", "standard_error"]
        table = table.assign(decision=table["variable"], fair_share=table["share"])
        change: Style = {"num_format": "+#,##0.00;-#,##0.00;0.00"}
        styles: list[Style] = [NAME, change, *[amount] * 3, number_style(table["share"])]
        page.section(labels("contributions.decisions"))
        page.call_next("contributions")
        first = page.row + 1
        listed(page, table, columns, lambda _: styles)
        page.rows([[labels("word.total"), ""]], [NAME, TEXT])
        formula = f"=SUM({cell(first, 2)}:{cell(page.row - 2, 2)})"
        page.formula(page.row - 1, 2, formula, float(table["share"].sum()), **THIN, **amount)
        page.row += 1
    if has(result, "mechanisms"):
        _mechanisms(page, result.tables["mechanisms"])
    if has(result, "pay_back"):
        _pay_back(page, result.tables["pay_back"])
    page.finish(len(page.widths))


def _mechanisms(page: Page, table: pd.DataFrame) -> None:
    known = table[table["known"].astype(bool)]
    page.section(page.labels("contributions.mechanisms"))
    page.across(page.labels("contributions.mechanisms_note"), italic=True, font_color="#555555")
    if len(known):
        amount = number_style(known["with_mechanism"], sign=True)
        styles: list[Style] = [NAME, amount, amount, amount, CENTRE, TEXT]
        columns = ["mechanism", "with_mechanism", "without", "difference", "beats_null", "changes"]
        page.call_next("mechanisms")
        listed(page, known, columns, lambda _: styles)
    left = list(table.loc[~table["known"].astype(bool), "mechanism"])
    if left:
        page.across(page.labels("contributions.unknown", names="; ".join(left)), **THIN)
    page.row += 1


def _pay_back(page: Page, table: pd.DataFrame) -> None:
    labels = page.labels
    page.section(labels("why.title.pay_back"))
    page.across(labels("contributions.pay_back_note"), italic=True, font_color="#555555")
    shown = table.assign(
        perspective=[perspective_name(name, labels) for name in table["perspective"]],
        pay_back_year=table["year"],
        pay_back_discounted=table["year_discounted"],
    )
    amount = number_style(table["total"], sign=True)
    styles: list[Style] = [NAME, YEARS, YEARS, amount, YEARS, amount]
    columns = ["perspective", "pay_back_year", "pay_back_discounted", "lowest", "lowest_year"]
    page.call_next("pay_back")
    listed(page, shown, [*columns, "total_discounted"], lambda _: styles)


def fill_frontier(page: Page) -> None:
    """Return against other aims, with a picture and the decisions of every point."""
    labels, result = page.labels, page.book.result
    table = result.tables["frontier"]
    decisions = result.tables["frontier_decisions"]
    names = list(dict.fromkeys(decisions["variable"]))
    page.set_up([34, 7, 15, 15, 15, 12, 12, *[11] * len(names)], pages_high=1)
    page.heading(page.name, labels("sign.frontier"))
    _picture(page)
    wide = decisions.pivot_table(index=["aim", "point"], columns="variable", values="average", sort=False)
    for aim, rows in table.groupby("aim", sort=False):
        unit = labels.unit(str(rows["value_unit"].iloc[0]))
        page.section(f"{aim} ({unit})")
        _frontier_rows(page, rows, wide.loc[aim], names)
        page.row += 1
    page.finish(len(page.widths))


def _picture(page: Page) -> None:
    """The figure at the writing position: no chart of a spreadsheet leaves out what others dominate."""
    from sdopt.export.figures.pictures import picture_of

    drawn = page.book.pictures.get("frontier") or picture_of("frontier", page.book.result, page.labels)
    if drawn is not None:
        options = {"image_data": BytesIO(drawn), "x_scale": PART, "y_scale": PART}
        page.sheet.insert_image(page.row, 0, "frontier.png", options)
        page.row += 24


def _frontier_rows(page: Page, rows: pd.DataFrame, decisions: pd.DataFrame, names: Sequence[str]) -> None:
    labels = page.labels
    value, gain = number_style(rows["value"], sign=True), number_style(rows["improvement"], sign=True)
    styles: list[Style] = [NAME, YEARS, value, gain, gain, PERCENT, CENTRE]
    styles += [{"num_format": "#,##0.00"}] * len(names)
    heads = [labels(f"column.{key}") for key in ("aim", "point", "aim_value", "improvement", "bound", "gap")]
    page.call_next("frontier")
    page.header([*heads, labels("column.dominated"), *names], styles)
    for row in rows.itertuples():
        values = [decisions.loc[row.point, name] for name in names]
        head = [row.aim, row.point, row.value, row.improvement, row.bound, row.gap, bool(row.dominated)]
        page.rows([[*head, *values]], styles)
