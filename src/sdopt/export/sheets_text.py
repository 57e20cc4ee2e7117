"""The sheets that are read first: the reading guide and the summary."""

from __future__ import annotations

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export import charts
from sdopt.export.advice import advice_lines
from sdopt.export.cells import is_number, to_python
from sdopt.export.page import INK, PAPER, THIN, Page, Style, number_format
from sdopt.export.sheets_years import allocation_chart
from sdopt.export.views import fact

SUMMARY_WIDTHS = (46, 13, 15, 72)
GUIDE = ("about", "order", "units", "sign", "status", "gap", "limits", "cells")
TEXT: Style = {"text_wrap": True, "align": "left", "indent": 1}


def fill_guide(page: Page) -> None:
    """How to read the workbook, in plain words."""
    result, labels = page.book.result, page.labels
    page.set_up([32, 114], pages_high=1)
    page.heading(page.name, result.title)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    for key in GUIDE:
        status = labels(f"meaning.{result.status.key}")
        text = status if key == "status" else labels(f"guide.{key}", unit=unit)
        styles: list[Style] = [{"bold": True, "font_color": INK, "text_wrap": True}, TEXT]
        page.rows([[labels(f"guide.{key}.title"), text]], styles)
    page.finish(2)


def fill_summary(page: Page) -> None:
    """One page: the question, the advice, the key figures and one chart."""
    result, labels = page.book.result, page.labels
    page.set_up(SUMMARY_WIDTHS, pages_high=1)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.summary", unit=unit))
    _block(page, labels("summary.question"), [result.title])
    _block(page, labels("summary.advice"), advice_lines(result, labels))
    status = labels(f"status.{result.status.key}")
    _block(page, labels("summary.status"), [f"{status}. {labels(f'meaning.{result.status.key}')}"])
    _key_figures(page, unit)
    if "allocation" in page.book.ranges:
        charts.place(page, allocation_chart(page.book), 0, 1040, 330)
        charts.skip(page, 330)
    page.finish(len(SUMMARY_WIDTHS))


def _block(page: Page, title: str, lines: list[str]) -> None:
    """A heading, lines across the page, and an empty row."""
    page.section(title)
    for line in lines:
        page.across(line, **THIN)
    page.row += 1


def _key_figures(page: Page, unit: str) -> None:
    """Objective, null, improvement, bound, gap and replay, each with what it says."""
    labels = page.labels
    page.section(labels("summary.figures"))
    names = [labels(f"column.{key}") for key in ("figure", "value", "unit", "meaning")]
    page.header(names, [{}, {"align": "right"}, TEXT, TEXT])
    first = page.row
    for key in ("objective", "null_objective", "improvement", "bound"):
        _figure_row(page, key, _figure(page, key), "#,##0.00", unit)
    gap = _figure(page, "gap_euro")
    _figure_row(page, "gap_euro", gap, number_format([gap]), unit)
    _figure_row(page, "gap", _figure(page, "gap"), "0.00%", "")
    _figure_row(page, "replay", _figure(page, "replay_max_relative_difference"), "0.0E+00", "")
    objective, null = _figure(page, "objective"), _figure(page, "null_objective")
    if is_number(objective) and is_number(null):
        look: Style = {"num_format": "#,##0.00", "bold": True, "bg_color": PAPER, **THIN}
        page.formula(first + 2, 1, f"={cell(first, 1)}-{cell(first + 1, 1)}", objective - null, **look)
    page.row += 1


def _figure(page: Page, key: str) -> float:
    """A figure as a plain number; whatever is not a finite number comes back as it is."""
    value: float = to_python(fact(page.book.result, key))
    return value


def _figure_row(page: Page, key: str, value: float, code: str, unit: str) -> None:
    """One key figure; one that does not exist says so."""
    labels, known = page.labels, is_number(value)
    meaning = labels("meaning.bound_none") if key == "bound" and not known else labels(f"meaning.{key}")
    look: Style = {"bold": True, "bg_color": PAPER} if key == "improvement" else {}
    number: Style = {"num_format": code, **look} if known else {"align": "right", **look}
    values = [
        labels(f"figure.{key}"),
        value if known else labels("word.none"),
        unit if known else "",
        meaning,
    ]
    page.rows([values], [look, number, {**TEXT, **look}, {**TEXT, **look}])
