"""The sheet with costs and benefits, and how the return hangs on the value given to the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.cells import is_number, to_python
from sdopt.export.lists import CENTRE, NAME, TEXT, listed, number_style
from sdopt.export.page import CHANGE, MARK, PAPER, THIN, Page, Style
from sdopt.export.views import fact, has

if TYPE_CHECKING:
    import pandas as pd

_Row = tuple[str, float, float, str, Style]
WIDTHS = (42, 20, 14, 14, 18, 18)


def fill_return(page: Page) -> None:
    """Present value per component, now against advice, with a bar chart; then the value at the end."""
    table, labels = page.book.result.tables["return"], page.labels
    page.set_up(WIDTHS, pages_high=1, portrait=True)
    page.heading(page.name, labels("sign.return"))
    header = page.row
    _compared(page, table)
    page.freeze(header)
    first, last = header + 1, page.row - 1
    page.row += 1
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    names, values = (page.name, first, 0, last, 0), (page.name, first, 3, last, 3)
    height = 120 + 24 * (last - first + 1)
    chart = charts.bars(page.book, labels("return.chart"), unit, names, values)
    charts.place(page, chart, 0, page.pixels, height)
    charts.skip(page, height)
    if has(page.book.result, "end_value"):
        unit = labels.unit(str(fact(page.book.result, "objective_unit") or ""))
        page.section(labels("return.end_value_title"))
        page.across(labels("return.end_value", unit=unit), italic=True, font_color="#555555")
        end_value_rows(page, ["weight", "null", "advice", "improvement", "regret", "regret_at_most"])
    page.finish(len(WIDTHS))


def _compared(page: Page, table: pd.DataFrame) -> None:
    """The return as a whole, then its components, with live formulas for the difference and its share."""
    labels, whole = page.labels, _whole(page)
    amount, change = _styles(table["advice"] - table["null"])
    columns = ("component", "null", "advice", "difference", "share", "unit")
    look = [NAME, amount, amount, change, {"num_format": CHANGE}, TEXT]
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
