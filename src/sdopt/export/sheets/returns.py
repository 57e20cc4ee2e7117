"""The sheet with costs and benefits, and how the return hangs on the value given to the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.cells import is_number, to_python
from sdopt.export.explanation import perspective_name
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, listed, number_style
from sdopt.export.page import CHANGE, MARK, PAPER, QUIET, THIN, YEAR, Page, Style
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.views import fact, has

if TYPE_CHECKING:
    import pandas as pd

_Row = tuple[str, float, float, str, Style]
WIDTHS = (42, 20, 14, 14, 18, 18)


def fill_return(page: Page) -> None:
    """Present value per component, now against advice, with a bar chart; then the value at the end."""
    table, labels = page.book.result.tables["return"], page.labels
    page.set_up(WIDTHS, portrait=True)
    page.heading(page.name, labels("sign.return"))
    header = page.row
    _compared(page, table)
    first, last = header + 1, page.row - 1
    page.row += 1
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    names, values = (page.name, first, 0, last, 0), (page.name, first, 3, last, 3)
    height = 120 + 24 * (last - first + 1)
    chart = charts.bars(page.book, labels("return.chart"), unit, names, values)
    charts.place(page, chart, 0, page.pixels, height)
    charts.skip(page, height)
    if has(page.book.result, "ledger"):
        _effects(page, page.book.result.tables["ledger"])
    if has(page.book.result, "not_valued"):
        _not_valued(page, page.book.result.tables["not_valued"])
    if has(page.book.result, "pay_back"):
        _pay_back(page, page.book.result.tables["pay_back"])
    if has(page.book.result, "end_value"):
        unit = labels.unit(str(fact(page.book.result, "objective_unit") or ""))
        page.section(labels("return.end_value_title"))
        page.across(labels("return.end_value", unit=unit), italic=True, font_color="#555555")
        page.call_next("end_value")
        end_value_rows(page, ["weight", "null", "advice", "improvement", "regret", "regret_at_most"])
    page.finish(len(WIDTHS))


def _not_valued(page: Page, table: pd.DataFrame) -> None:
    """Effects without an amount (PM): for whom, which way, and why there is none."""
    labels = page.labels
    page.section(labels("not_valued.title"))
    page.across(labels("not_valued.about"), **QUIET)
    page.call_next("not_valued")
    names = ("effect", "pocket", "direction", "amount", "source")
    page.header([labels(f"column.{name}") for name in names], [NAME, TEXT, TEXT, CENTRE, TEXT])
    for row in table.itertuples():
        words = [row.effect, *not_valued_words(row, labels)]
        page.rows([words], [NAME, TEXT, TEXT, CENTRE, TEXT])
        page.across(row.note, **QUIET)
    page.row += 1


def not_valued_words(row: Any, labels: Labels) -> list[str]:
    """Of an effect without an amount: for whom, which way, PM, and the source."""
    judged = labels(f"source.{row.status}")
    source = labels("not_valued.source", name=row.source, status=judged) if row.source else judged
    return [
        pocket_name(row.pocket, labels),
        labels(f"direction.{row.direction}"),
        labels("not_valued.pm"),
        source,
    ]


def _compared(page: Page, table: pd.DataFrame) -> None:
    """The return as a whole, then its components, with live formulas for the difference and its share."""
    labels, whole = page.labels, _whole(page)
    amount, change = _styles(table["advice"] - table["null"])
    columns = ("component", "null", "advice", "difference", "share", "unit")
    look = [NAME, amount, amount, change, {"num_format": CHANGE}, TEXT]
    page.call_next("return")
    page.header([labels(f"column.{column}") for column in columns], look)
    rows: list[_Row] = [(name, null, advice, unit, {}) for name, null, advice, unit in _values(table)]
    for name, null, advice, unit, more in [*whole, *rows]:
        styles = [{**style, **more} for style in look]
        page.rows([[name, null, advice, None, None, labels.unit(unit)]], styles)
        row, values = page.row - 1, (null, advice)
        cells = (cell(row, 1), cell(row, 2))
        page.difference(row, 3, cells, values, {**styles[3], **THIN})
        page.share(row, 4, cells, values, {**styles[4], **THIN})


def _styles(changes: Iterable[float]) -> tuple[Style, Style]:
    """Styles of amounts and of their differences: the decimals that the differences need."""
    listed = list(changes)
    return number_style(listed), number_style(listed, sign=True)


def _values(table: pd.DataFrame) -> list[tuple[str, float, float, str]]:
    columns = ["component", "null", "advice", "unit"]
    return list(table[columns].itertuples(index=False, name=None))


def _whole(page: Page) -> list[_Row]:
    """The objective, as the first row; nothing when it is not known."""
    keys = ("null_objective", "objective", "objective_unit")
    null, advice, unit = (to_python(fact(page.book.result, key)) for key in keys)
    if not (is_number(null) and is_number(advice)):
        return []
    return [(page.labels("return.whole"), null, advice, str(unit), {"bold": True, "bg_color": PAPER})]


def _effects(page: Page, ledger: pd.DataFrame) -> None:
    """Present value per effect, all parties together: benefits, costs and what only moves, with live sums."""
    labels = page.labels
    sums = (
        ledger.groupby(["effect", "kind"], sort=False)[["null", "advice", "difference"]].sum().reset_index()
    )
    moved = sums["kind"] == "transfer"
    parts = {
        "benefits": sums[~moved & (sums["difference"] > 0)].sort_values("difference", ascending=False),
        "costs": sums[~moved & (sums["difference"] < 0)].sort_values("difference"),
    }
    unit = ", ".join(labels.unit(unit) for unit in dict.fromkeys(ledger["unit"]))
    page.section(labels("effects.title"))
    page.across(labels("effects.about", unit=unit), italic=True, font_color="#555555")
    amount, change = _styles(sums["difference"])
    look = [NAME, TEXT, amount, amount, change]
    page.header([labels(f"column.{key}") for key in ("effect", "kind", "null", "advice", "difference")], look)
    top, totals = page.row - 1, []
    for key, rows in parts.items():
        first = page.row
        for row in rows.itertuples():
            kind = labels.find(f"kind.{row.kind}", row.kind)
            page.rows([[row.effect, kind, row.null, row.advice, None]], look, exact=True)
            cells = (cell(page.row - 1, 2), cell(page.row - 1, 3))
            page.formula(page.row - 1, 4, f"={cells[1]}-{cells[0]}", row.difference, **{**change, **THIN})
        if len(rows):
            value = float(rows["difference"].sum())
            formula = f"=SUM({cell(first, 4)}:{cell(page.row - 1, 4)})"
            totals.append((cell(page.row, 4), value))
            _total(page, labels(f"effects.{key}"), formula, value, change)
    if totals:
        formula = "=" + "+".join(place for place, _ in totals)
        _total(page, labels("effects.balance"), formula, fsum(value for _, value in totals), change)
    page.named("effects", top, page.row - 1, len(look))
    if not has(page.book.result, "not_valued"):
        page.across(labels("effects.not_in_money"), **QUIET)
    page.row += 1


def _total(page: Page, name: str, formula: str, value: float, style: Style) -> None:
    """A line with one live sum, in the column of the differences."""
    look: Style = {**THIN, "bold": True, "bg_color": PAPER}
    for column, text in enumerate((name, "", "", "")):
        page.write(page.row, column, text, **look)
    page.formula(page.row, 4, formula, value + 0.0, **{**style, **look})
    page.row += 1


def _pay_back(page: Page, table: pd.DataFrame) -> None:
    """From which year gains outweigh costs for good, per perspective; never one ratio."""
    labels = page.labels
    page.section(labels("effects.pay_back"))
    page.across(labels("effects.pay_back_about"), italic=True, font_color="#555555")
    amount = number_style([*table["lowest"], *table["total_discounted"]], sign=True)
    year: Style = {"align": "center", "num_format": YEAR}
    keys = (
        "perspective",
        "pay_back_year",
        "pay_back_discounted",
        "lowest",
        "lowest_year",
        "total_discounted",
    )
    styles = [NAME, year, year, amount, year, amount]
    page.call_next("pay_back")
    page.header([labels(f"column.{key}") for key in keys], styles)
    for row in table.itertuples():
        years = [to_python(value) for value in (row.year, row.year_discounted)]
        shown = [int(value) if is_number(value) else labels("effects.never") for value in years]
        name = perspective_name(row.perspective, labels)
        page.rows([[name, *shown, row.lowest, int(row.lowest_year), row.total_discounted]], styles)
    page.row += 1


def end_value_rows(page: Page, columns: Sequence[str]) -> None:
    """Return and regret of the advice for other weights of the value at the end."""
    table = page.book.result.tables["end_value"]
    table = table.assign(improvement=table["difference"])
    amount, gain = _styles(table["improvement"])
    regrets = [value for key in ("regret", "regret_at_most") if key in table for value in table[key]]
    styles: dict[str, Style] = {
        "weight": {"num_format": "0%", "align": "left"},
        "null": amount,
        "advice": amount,
        "improvement": gain,
        "regret": number_style(regrets),
        "regret_at_most": number_style(regrets),
    }
    mark: Style = {**CENTRE, "bg_color": MARK, "bold": True}
    listed(
        page,
        table,
        [column for column in columns if column in table],
        lambda row: [styles.get(c, mark if row.get(c) else CENTRE) for c in columns if c in table],
    )
