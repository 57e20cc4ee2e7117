"""A table as a list on a sheet: header with labels, one style per column, filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.page import Page, Style, number_format
from sdopt.sweep.rounding import quite

if TYPE_CHECKING:
    import pandas as pd

NAME: Style = {"text_wrap": True, "align": "left"}
TEXT: Style = {"text_wrap": True, "align": "left", "indent": 1}
CENTRE: Style = {"align": "center"}
QUIET: Style = {**CENTRE, "font_color": "#999999"}

Styles = Callable[[Mapping[str, Any]], Sequence[Style]]
"""From a row (column -> value) to one style per column."""


def number_style(values: Sequence[Any], *, sign: bool = False) -> Style:
    """The style of cells with numbers of this size."""
    return {"num_format": number_format([value for value in values if is_number(value)], sign=sign)}


def honest(values: Sequence[Any], styles: Sequence[Style]) -> list[Style]:
    """Styles of a row, in which a share that would show as 0 or 100 % and is not, shows that."""
    return [_not_quite(value, style) for value, style in zip(values, styles, strict=True)]


def _not_quite(value: Any, style: Style) -> Style:
    code = str(style.get("num_format", ""))
    if not code.endswith("%") or not is_number(value) or value < 0:
        return style
    side = quite(float(value), len(code.rstrip("%").partition(".")[2]))
    return {**style, "num_format": '">99%"' if side > 0 else '"<1%"'} if side else style


def listed(page: Page, table: pd.DataFrame, columns: Sequence[str], styles: Styles) -> None:
    """A header with the labels of some columns, and their values; `styles` may differ from row to row."""
    records = [dict(zip(columns, row, strict=True)) for row in table[list(columns)].itertuples(index=False)]
    page.header([page.labels(f"column.{column}") for column in columns], styles(records[0]))
    for record in records:
        values = list(record.values())
        page.rows([values], honest(values, styles(record)))


def long_list(page: Page, table: pd.DataFrame, columns: Sequence[str], styles: Styles) -> None:
    """A list with filters, whose header stays in sight."""
    header = page.row
    listed(page, table, columns, styles)
    page.sheet.autofilter(header, 0, page.row - 1, len(columns) - 1)
    page.freeze(header)
    page.finish(len(columns))
