"""The sheet with the proof without assumptions on shapes: what it says, rests on, and leaves open."""

from __future__ import annotations

from typing import Any

import numpy as np

from sdopt.export import charts
from sdopt.export.cells import is_number, to_python
from sdopt.export.certainty import certified_lines, says_little
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.page import THIN, YEAR, Page, Style, number_format
from sdopt.export.views import fact, has

SHOWN = 60
"""Most rows of the course of the proof: the others are in the folder tables."""
CHART_HEIGHT = 260
LEANS = ("shapes", "limits", "arithmetic", "equations", "truth")
TOLERANCES = ("certified_tolerance", "certified_allowance", "replay_tolerance")
MARGINS = ("range", "error", "bound", "jump")
SMALL: Style = {"num_format": "0E+00"}


def fill_proof(page: Page) -> None:
    """What was proved, what that rests on, what holds the bound up, and the bound box after box."""
    labels, result = page.labels, page.book.result
    page.set_up([58, 17, 17, 17, 15, 17], portrait=True)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.proof", unit=unit))
    for line in certified_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    _figures(page, unit)
    chart = page.row
    course = _course(page)
    told = _first_told(course)
    if len(course) - told > 1:
        charts.skip(page, CHART_HEIGHT)
    _leans(page)
    _owed(page, unit)
    first = _steps(page, course)
    if len(course) - told > 1:
        _chart(page, chart, first + told, page.row - 1, unit)
    page.finish(len(page.widths))


def _figures(page: Page, unit: str) -> None:
    """The figures of the proof; a bound that says little is not shown as if it were of use."""
    labels, result = page.labels, page.book.result
    bound, left, gap = (to_python(fact(result, f"certified_{key}")) for key in ("bound", "gap_amount", "gap"))
    word = labels("proof.little") if says_little(gap) else None if is_number(bound) else labels("proof.none")
    rows: list[tuple[str, Any, str, str]] = [
        ("objective", fact(result, "objective"), "#,##0.00", unit),
        ("certified_bound", word or bound, "#,##0.00", "" if word else unit),
        ("certified_gap_amount", word or left, number_format([left]), "" if word else unit),
        ("certified_boxes", fact(result, "certified_boxes"), "#,##0", ""),
        ("certified_boxes_left", fact(result, "certified_boxes_left"), "#,##0", ""),
    ]
    names = [labels(f"column.{key}") for key in ("figure", "value", "unit")]
    page.call_next("proof")
    page.header(names, [NAME, {"align": "right"}, TEXT])
    for key, value, code, shown in rows:
        page.rows([[labels(f"key_figure.{key}"), value, shown]], [NAME, _number(value, code), TEXT])
    page.row += 1


def _number(value: Any, code: str) -> Style:
    return {"num_format": code} if is_number(to_python(value)) else {"align": "right", "text_wrap": True}


def _leans(page: Page) -> None:
    """What the proof assumes, in sentences, and its tolerances as numbers."""
    labels, result = page.labels, page.book.result
    page.section(labels("proof.leans"))
    step = float(fact(result, "time_step"))
    shown = labels.number(step, len(f"{step:g}".partition(".")[2]))
    for key in LEANS:
        page.across(labels(f"proof.leans.{key}", step=shown), **THIN)
    if not fact(result, "certified_reached"):
        page.across(labels("proof.leans.time"), **THIN)
    margins = fact(result, "certified_margins") or {}
    found = [(f"tolerance.{key}", fact(result, key)) for key in TOLERANCES]
    found += [(f"tolerance.margin_{key}", margins.get(key)) for key in MARGINS]
    page.row += 1
    page.call_next("tolerances")
    page.header([labels("proof.tolerances"), labels("column.value")], [NAME, SMALL])
    page.rows([[labels(key), value] for key, value in found if value is not None], [NAME, SMALL])
    page.row += 1


def _owed(page: Page, unit: str) -> None:
    """The quantities to which the bound of the last open box owes most."""
    labels, result = page.labels, page.book.result
    if not has(result, "certificate_errors"):
        return
    page.section(labels("proof.owed"))
    note = "proof.owed.done" if fact(result, "certified_reached") else "proof.owed.note"
    page.across(labels(note, unit=unit), italic=True, font_color="#555555")
    table = result.tables["certificate_errors"]
    names = [name or labels("proof.owed.unnamed") for name in table["variable"]]
    shown = table.assign(owing=names, part_of_listed=table["error"] / table["error"].sum())
    styles = [NAME, number_style(list(table["error"])), {"num_format": "0%"}]
    page.call_next("certificate_errors")
    listed(page, shown, ["owing", "error", "part_of_listed"], lambda _: styles)
    page.row += 1


def _course(page: Page) -> Any:
    """The rows of the table that are shown: all, or some evenly apart, always with the last."""
    table = page.book.result.tables["certificate"]
    kept = np.unique(np.linspace(0, len(table) - 1, min(len(table), SHOWN)).round().astype(int))
    return table.iloc[kept].reset_index(drop=True)


def _little(row: Any) -> bool:
    """Whether the bound of a row said little, or there was none yet."""
    return not is_number(to_python(row.bound)) or says_little(
        row.gap_amount / row.bound if row.bound > 0 else None
    )


def _first_told(course: Any) -> int:
    """The first row from which on the bound says something."""
    return next((k for k, row in enumerate(course.itertuples()) if not _little(row)), len(course))


def _steps(page: Page, course: Any) -> int:
    """The bound after every box shown; the row of the first."""
    labels, count = page.labels, len(page.book.result.tables["certificate"])
    page.section(labels("proof.course"))
    page.across(
        labels("proof.course.note", shown=len(course), count=count), italic=True, font_color="#555555"
    )
    told = course[[not _little(row) for row in course.itertuples()]]
    money: Style = {**number_style(list(told["bound"])), "align": "right", "text_wrap": True}
    counted: Style = {"num_format": YEAR, "align": "left"}
    after: list[Style] = [{"num_format": "#,##0"}, {"num_format": "0.0000%"}]
    columns = ("box", "certified_best", "certified_most", "gap_amount", "boxes_left", "mean_width")
    page.call_next("certificate")
    page.header([labels(f"column.{key}") for key in columns], [counted, money, money, money, *after])
    first, word = page.row, labels("proof.little")
    for row in course.itertuples():
        bound, gap = (word, word) if _little(row) else (row.bound, row.gap_amount)
        left: Style = {**money, **number_style([row.gap_amount])}
        values = [row.box, row.improvement, bound, gap, row.boxes_left, row.mean_width]
        page.rows([values], [counted, money, money, left, *after])
    return first


def _chart(page: Page, row: int, first: int, last: int, unit: str) -> None:
    """Bound and best against the number of boxes done: seconds differ from computer to computer."""
    labels = page.labels
    rows = [
        (labels(f"column.{key}"), (page.name, first, place, last, place))
        for key, place in (("certified_most", 2), ("certified_best", 1))
    ]
    boxes = (page.name, first, 0, last, 0)
    chart = charts.lines(page.book, labels("proof.chart"), unit, boxes, rows)
    charts.place(page, chart, 0, page.pixels, CHART_HEIGHT, row=row)
