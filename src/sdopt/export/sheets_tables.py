"""The sheets that list a table: costs and benefits, constraints, assumptions, search and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.cells import is_number
from sdopt.export.page import CHANGE, MARK, THIN, YEAR, Page, Style, number_format
from sdopt.export.views import fact, has

if TYPE_CHECKING:
    import pandas as pd

NAME: Style = {"text_wrap": True, "align": "left"}
TEXT: Style = {"text_wrap": True, "align": "left", "indent": 1}
CENTRE: Style = {"align": "center"}


def _number(values: Sequence[Any], *, sign: bool = False) -> Style:
    """The style of cells with numbers of this size."""
    return {"num_format": number_format([value for value in values if is_number(value)], sign=sign)}


def _list(
    page: Page,
    table: pd.DataFrame,
    columns: Sequence[str],
    styles: Callable[[Mapping[str, Any]], Sequence[Style]],
) -> None:
    """A header with the labels of some columns, and their values; `styles` may differ from row to row."""
    records = [dict(zip(columns, row, strict=True)) for row in table[list(columns)].itertuples(index=False)]
    page.header([page.labels(f"column.{column}") for column in columns], styles(records[0]))
    for record in records:
        page.rows([list(record.values())], styles(record))


def _long_list(
    page: Page,
    table: pd.DataFrame,
    columns: Sequence[str],
    styles: Callable[[Mapping[str, Any]], Sequence[Style]],
) -> None:
    """A list with filters, whose header stays in sight."""
    header = page.row
    _list(page, table, columns, styles)
    page.sheet.autofilter(header, 0, page.row - 1, len(columns) - 1)
    page.freeze(header)
    page.finish(len(columns))


def fill_return(page: Page) -> None:
    """Present value per component, now against advice, with a bar chart; then the value at the end."""
    table, labels = page.book.result.tables["return"], page.labels
    page.set_up([48, 19, 19, 19, 19, 22])
    page.heading(page.name, labels("sign.return"))
    header = page.row
    _compared(page, table)
    page.freeze(header)
    first, last = header + 1, page.row - 1
    page.row += 1
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    names, values = (page.name, first, 0, last, 0), (page.name, first, 3, last, 3)
    height = 140 + 34 * len(table)
    charts.place(page, charts.bars(page.book, labels("return.chart"), unit, names, values), 0, 1040, height)
    charts.skip(page, height)
    if has(page.book.result, "end_value"):
        _end_value(page, page.book.result.tables["end_value"])
    page.finish(6)


def _compared(page: Page, table: pd.DataFrame) -> None:
    """Components with null and advice, and live formulas for the difference and its share."""
    both, header = [*table["null"], *table["advice"]], page.row
    look = [NAME, _number(both), _number(both), _number(both, sign=True), {"num_format": CHANGE}, TEXT]
    columns = ["component", "null", "advice", "difference", "share", "unit"]
    units = [page.labels.unit(unit) for unit in table["unit"]]
    _list(page, table.assign(share=None, unit=units), columns, lambda _: look)
    for row, (null, advice) in enumerate(zip(table["null"], table["advice"], strict=True), start=header + 1):
        now, difference = cell(row, 1), cell(row, 3)
        page.formula(row, 3, f"={cell(row, 2)}-{now}", advice - null, **look[3], **THIN)
        share = (advice - null) / abs(null) if null else ""
        page.formula(row, 4, f'=IF({now}=0,"",{difference}/ABS({now}))', share, **look[4], **THIN)


def _end_value(page: Page, table: pd.DataFrame) -> None:
    """How the return depends on the value given to what is left at the end."""
    unit = page.labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    page.section(page.labels("return.end_value", unit=unit))
    both = [*table["null"], *table["advice"]]
    look = [
        {"num_format": "0%", "align": "left"},
        _number(both),
        _number(both),
        _number(both, sign=True),
        CENTRE,
    ]
    _list(page, table, ["weight", "null", "advice", "difference", "advice_changes"], lambda _: look)


def fill_constraints(page: Page) -> None:
    """Every limit in every year: value, slack, whether it binds, whether now breaks it, shadow price."""
    labels, table = page.labels, page.book.result.tables["constraints"]
    page.set_up([34, 7, 19, 13, 12, 19, 10, 10, 8, 17, 14, 19])
    page.heading(page.name, labels("sign.constraints"))
    words = {
        column: [labels.find(f"{column}.{value}", str(value)) for value in table[column]]
        for column in ("sense", "measure")
    }
    columns = ["constraint", "year", "measure", "sense", "limit", "null", "advice", "slack", "binding"]
    columns += ["null_breaks", "shadow_price", "unit"]
    units = [labels.unit(unit) for unit in table["unit"]]
    _long_list(page, table.assign(**words, unit=units), columns, _constraint_styles)


def _constraint_styles(row: Mapping[str, Any]) -> list[Style]:
    """Decimals that fit the row; a limit that binds or that now breaks stands out."""
    level = _number([row["limit"], row["null"], row["advice"]])
    mark: Style = {**CENTRE, "bg_color": MARK, "bold": True}
    binding, broken = (mark if row[key] else CENTRE for key in ("binding", "null_breaks"))
    price: Style = {"num_format": "#,##0.000"}
    year: Style = {"num_format": YEAR, "align": "left"}
    return [NAME, year, NAME, NAME, level, level, level, level, binding, broken, price, TEXT]


def fill_assumptions(page: Page) -> None:
    """Every constant with its range, unit, source and how sure it is."""
    labels, table = page.labels, page.book.result.tables["assumptions"]
    page.set_up([36, 10, 10, 10, 18, 10, 13, 28, 48])
    page.heading(page.name, labels("sign.assumptions"))
    units = [labels.unit(unit) if isinstance(unit, str) else None for unit in table["unit"]]
    columns = ["name", "value", "low", "high", "unit", "uncertain", "status", "source", "note"]
    _long_list(page, table.assign(unit=units), columns, _assumption_styles)


def _assumption_styles(row: Mapping[str, Any]) -> list[Style]:
    """Decimals that fit the row; an uncertain number stands out."""
    number = _number([row[key] for key in ("value", "low", "high")])
    uncertain: Style = {**CENTRE, "bg_color": MARK, "bold": True} if row["uncertain"] else CENTRE
    return [NAME, number, number, number, TEXT, uncertain, TEXT, TEXT, TEXT]


_COUNT: Style = {"num_format": "#,##0"}
_MONEY: Style = {"num_format": "#,##0.0000"}
_FIRST: Style = {"num_format": YEAR, "align": "left"}
_EVIDENCE: Mapping[str, Mapping[str, Style]] = {
    "audit": {
        "check": NAME,
        "points": _COUNT,
        "violations": _COUNT,
        "largest_violation": {"num_format": "0.0E+00"},
    },
    "starts": {"start": _FIRST, "objective": _MONEY, "difference": _MONEY},
    "search": {"iteration": _FIRST, "best": _MONEY, "bound": _MONEY, "gap": {"num_format": "0.000%"}},
}


def fill_search(page: Page) -> None:
    """How the answer was found and what proves it: audit of concavity, starts, iterations."""
    result = page.book.result
    page.set_up([74, 24, 24, 24])
    page.heading(page.name, page.labels("sign.search"))
    for name, columns in _EVIDENCE.items():
        if has(result, name):
            page.section(page.labels(f"search.{name}"))
            looks = list(columns.values())
            _list(page, result.tables[name], list(columns), lambda _, looks=looks: looks)  # type: ignore[misc]
            page.row += 1
    if has(result, "search") and len(result.tables["search"]) > 1:
        _search_chart(page, page.row - 1 - len(result.tables["search"]), page.row - 2)
    page.finish(4)


def _search_chart(page: Page, first: int, last: int) -> None:
    """Bound and best per iteration: the two close in on the answer."""
    rows = [
        (page.labels(f"column.{column}"), (page.name, first, place, last, place))
        for column, place in (("bound", 2), ("best", 1))
    ]
    unit = page.labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    chart = charts.lines(page.book, page.labels("search.chart"), unit, (page.name, first, 0, last, 0), rows)
    charts.place(page, chart, 0, 900, 320)
    charts.skip(page, 320)


def fill_run(page: Page) -> None:
    """Versions, seed, hashes, tolerances: what is needed to repeat the outcome."""
    result, labels = page.book.result, page.labels
    page.set_up([52, 94])
    page.heading(page.name, labels("sign.run"))
    page.header([labels("column.property"), labels("column.value")], [NAME, NAME])
    page.freeze(page.row - 1)
    facts = {"status": result.status.key, **_flat(result.provenance), **_flat(result.figures)}
    for name, value in facts.items():
        page.rows([[name, value]], [NAME, NAME])
    page.finish(2)


def _flat(facts: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested facts as one level, sorted, with dots in the names; lists as text with commas."""
    flat: dict[str, Any] = {}
    for key in sorted(facts):
        value = facts[key]
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
    return flat
