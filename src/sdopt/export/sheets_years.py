"""The sheets with years across: the allocation and the stocks, now against advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.page import A3, A4, CHANGE, INK, PAPER, THIN, Book, Page, Style, number_format
from sdopt.export.views import by_year, main_stocks, shown_variables, units

if TYPE_CHECKING:
    import pandas as pd

MANY_YEARS = 14
"""More years than this are printed on A3."""

Formula = Callable[[int, int], str | None]
"""Row within a block and column -> live formula, or None for a plain number."""


def fill_allocation(page: Page) -> None:
    """Decision by year: now, advice, difference and difference in percent; totals are live formulas."""
    table, labels = page.book.result.tables["allocation"], page.labels
    null, advice = by_year(table, "null"), by_year(table, "advice")
    unit, years = _one_unit(table), len(null.columns)
    page.set_up([34, *[10] * years, 11], paper=_paper(years))
    page.heading(page.name, labels("sign.allocation", unit=labels.unit(unit or labels("allocation.units"))))
    names, right = [*null.index, *([labels("word.total")] if unit else [])], {"align": "right"}
    page.header(
        [labels("column.decision"), *null.columns, labels("word.total")], [{}, *[right] * (years + 1)]
    )
    page.freeze(page.row - 1)
    page.book.ranges["years"] = (page.name, page.row - 1, 1, page.row - 1, years)
    now, then = _with_totals(null, bool(unit)), _with_totals(advice, bool(unit))
    first_advice = _blocks(page, names, len(null), now, then)
    page.book.ranges["allocation"] = (page.name, first_advice, 1, first_advice + len(null) - 1, years)
    if not unit:
        page.across(labels("allocation.no_total"), italic=True)
    page.row += 1
    charts.place(page, allocation_chart(page.book), 0, 1040, 340)
    charts.skip(page, 340)
    page.finish(years + 2)


def allocation_chart(book: Book) -> object:
    """The advised allocation per year, stacked, pointing at the cells of its own sheet."""
    unit = _one_unit(book.result.tables["allocation"]) or ""
    ranges, title = book.ranges, book.labels("allocation.chart")
    return charts.columns_stacked(book, title, book.labels.unit(unit), ranges["years"], ranges["allocation"])


def _one_unit(table: pd.DataFrame) -> str | None:
    """The unit all decisions share, or None: different units have no total."""
    found = set(table["unit"])
    return str(found.pop()) if len(found) == 1 else None


def _paper(years: int) -> int:
    """A4, or A3 when there are many years."""
    return A3 if years > MANY_YEARS else A4


def _with_totals(wide: pd.DataFrame, with_row: bool) -> list[list[float]]:
    """The numbers of a block: a total to the right and, when units agree, one below."""
    rows = [[*values, sum(values)] for values in wide.to_numpy().tolist()]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]] if with_row else rows


def _blocks(
    page: Page, names: Sequence[str], decisions: int, now: list[list[float]], advice: list[list[float]]
) -> int:
    """Four blocks under each other; returns the first row of the block with the advice."""
    labels = page.labels
    first_now, first_advice, first_change = (page.row + 1 + (len(names) + 1) * block for block in range(3))
    # Rounded far below a cent, so that equal totals differ by zero and not by rounding noise.
    change = [
        [round(b - a, 9) + 0.0 for a, b in zip(*rows, strict=True)] for rows in zip(now, advice, strict=True)
    ]
    share = [
        [c / a if a else "" for a, c in zip(*rows, strict=True)] for rows in zip(now, change, strict=True)
    ]

    def minus(row: int, column: int) -> str:
        return f"=ROUND({cell(first_advice + row, column)}-{cell(first_now + row, column)},9)"

    def divided(row: int, column: int) -> str:
        null = cell(first_now + row, column)
        return f'=IF({null}=0,"",{cell(first_change + row, column)}/{null})'

    sizes = [value for row in now[:decisions] + advice[:decisions] for value in row[:-1]]
    money, signed = number_format(sizes), number_format(sizes, sign=True)
    _block(page, labels("word.null"), names, now, _sums(first_now, decisions, len(now[0])), money)
    _block(page, labels("word.advice"), names, advice, _sums(first_advice, decisions, len(now[0])), money)
    _block(page, labels("word.difference"), names, change, minus, signed)
    _block(page, labels("word.difference_share"), names, share, divided, CHANGE)
    return first_advice


def _sums(first: int, decisions: int, last: int) -> Formula:
    """Live sums in the last column and in the row below the decisions."""

    def formula(row: int, column: int) -> str | None:
        if column == last:
            return f"=SUM({cell(first + row, 1)}:{cell(first + row, last - 1)})"
        return f"=SUM({cell(first, column)}:{cell(first + row - 1, column)})" if row == decisions else None

    return formula


def _block(
    page: Page,
    title: str,
    names: Sequence[str],
    values: Sequence[Sequence[float | str]],
    formula: Formula,
    code: str,
) -> None:
    """A shaded line with the block's name, and its rows; the last one bold when it is the total."""
    for column in range(len(values[0]) + 1):
        page.write(page.row, column, None if column else title, bold=True, bg_color=PAPER, font_color=INK)
    page.row += 1
    for row, (name, numbers) in enumerate(zip(names, values, strict=True)):
        look: Style = {"top": 1, "bold": True} if name == page.labels("word.total") else THIN
        page.write(page.row, 0, name, **look)
        for column, value in enumerate(numbers, start=1):
            page.number(column, value, formula(row, column), {**look, "num_format": code})
        page.row += 1


def fill_stocks(page: Page) -> None:
    """Three rows per variable (now, advice, difference), then charts of those that change most."""
    table, labels = page.book.result.tables["trajectories"], page.labels
    null, advice, unit = by_year(table, "null"), by_year(table, "advice"), units(table)
    years = len(null.columns)
    page.set_up([32, 19, 15, *[8.5] * years], paper=_paper(years))
    page.heading(page.name, labels("sign.stocks"))
    right: list[Style] = [{"align": "right"}] * years
    page.header([labels("column.variable"), "", labels("word.unit"), *null.columns], [{}, {}, {}, *right])
    header = page.row - 1
    page.freeze(header, columns=2)
    first = {
        name: _stock(page, name, null.loc[name].tolist(), advice.loc[name].tolist(), labels.unit(unit[name]))
        for name in shown_variables(page.book.result)
    }
    page.row += 1
    for number, name in enumerate(main_stocks(page.book.result, 4)):
        chart = _stock_chart(page, name, labels.unit(unit[name]), header, first[name], years)
        if number and number % 2 == 0:
            charts.skip(page, 300)
        charts.place(page, chart, 520 * (number % 2), 510, 300)
    charts.skip(page, 300)
    page.finish(years + 3)


def _stock(page: Page, name: str, null: list[float], advice: list[float], unit: str) -> int:
    """Now, advice and difference of one variable; returns the first row."""
    first, labels = page.row, page.labels
    code, signed = (number_format([*null, *advice], sign=sign) for sign in (False, True))
    rows: list[tuple[str | None, str, str | None, list[float], str, Style]] = [
        (name, "null", unit, null, code, {}),
        (None, "advice", None, advice, code, {}),
        (
            None,
            "difference",
            None,
            [b - a for a, b in zip(null, advice, strict=True)],
            signed,
            {**THIN, "italic": True},
        ),
    ]
    for title, key, unit_text, values, number, look in rows:
        for column, text in enumerate((title, labels(f"word.{key}"), unit_text)):
            page.write(page.row, column, text, **look, bold=column == 0)
        for column, value in enumerate(values, start=3):
            minus = f"={cell(first + 1, column)}-{cell(first, column)}" if key == "difference" else None
            page.number(column, value, minus, {**look, "num_format": number})
        page.row += 1
    return first


def _stock_chart(page: Page, name: str, unit: str, header: int, first: int, years: int) -> object:
    """Null alternative against advice of one variable."""
    rows = [
        (page.labels(f"word.{key}"), (page.name, first + offset, 3, first + offset, years + 2))
        for offset, key in enumerate(("null", "advice"))
    ]
    return charts.lines(page.book, name, unit, (page.name, header, 3, header, years + 2), rows)
