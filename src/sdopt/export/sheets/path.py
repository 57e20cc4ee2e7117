"""The sheet that shows how the decisions work through: what each adds, and over which variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.causal_path import RouteStory, averaged, means, stories
from sdopt.export.cells import half_of_last_digit, is_number, to_python
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.page import PAPER, QUIET, THIN, Page, Style
from sdopt.export.views import fact

WIDTHS = (46, 15, 15, 15, 26, 20)
TOTAL: Style = {**THIN, "bold": True, "bg_color": PAPER}


def fill_path(page: Page) -> None:
    """All decisions with what they add up to; then the routes of those that matter most."""
    result, labels = page.book.result, page.labels
    page.set_up(WIDTHS)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.path", unit=unit))
    page.across(labels("path.caution"), bold=True, **THIN)
    page.row += 1
    page.section(labels("path.decisions"))
    _decisions(page)
    page.across(labels("path.method"), **QUIET)
    page.row += 1
    told = stories(result, labels)
    for story in told:
        page.section(story.name)
        page.across(story.sentence, **THIN)
        page.row += 1
        for route in story.routes:
            _route(page, route)
        if story.rest:
            page.across(story.rest, **THIN)
        page.row += 1
    if told:
        page.across(means(result, labels), **QUIET)
        page.across(labels("path.steps_note"), **QUIET)
    page.finish(len(WIDTHS))


def _decisions(page: Page) -> None:
    """A row per decision, the largest contribution first; the sums are live."""
    table, labels = page.book.result.tables["causal_decisions"], page.labels
    table = table.iloc[(-table["value"].abs()).argsort(kind="stable")]
    heads = ["decision", "null", "advice", "difference", "unit", "path_value"]
    amount = number_style(table["value"], sign=True)
    styles = [NAME, *[number_style([])] * 3, TEXT, amount]
    page.call_next("causal_decisions")
    page.header([labels(f"column.{key}") for key in heads], styles)
    first = page.row
    level = number_style([*table["null"], *table["advice"]])
    change = {**number_style([*table["null"], *table["advice"]], sign=True), **THIN}
    for row in table.itertuples():
        name = f"{row.variable}{averaged(row.elements, labels)}"
        values = [name, row.null, row.advice, None, labels.unit(str(row.unit))]
        page.rows([[*values, row.value]], [NAME, level, level, change, TEXT, amount], exact=True)
        cells = (cell(page.row - 1, 1), cell(page.row - 1, 2))
        page.difference(page.row - 1, 3, cells, (row.null, row.advice), change)
    missed = _missed(page, float(table["value"].sum()), str(amount["num_format"]))
    if missed is not None:
        row = [labels("path.missed"), None, None, None, "", missed]
        page.rows([row], [NAME, level, level, change, TEXT, amount], exact=True)
    for column, text in enumerate([labels("word.total"), "", "", "", ""]):
        page.write(page.row, column, text, **TOTAL)
    formula = f"=SUM({cell(first, 5)}:{cell(page.row - 1, 5)})"
    total = float(table["value"].sum()) + (missed or 0.0)
    page.formula(page.row, 5, formula, total, **{**amount, **TOTAL})
    page.row += 1


def _missed(page: Page, assigned: float, code: str) -> float | None:
    """What the decisions leave of the improvement, where that can be seen."""
    improvement = to_python(fact(page.book.result, "improvement"))
    if not is_number(improvement) or abs(improvement - assigned) < half_of_last_digit(code):
        return None
    return float(improvement) - assigned


def _route(page: Page, route: RouteStory) -> None:
    """The sentence of a route, and a row per variable on it."""
    labels, steps = page.labels, route.steps
    page.across(route.sentence, bold=True)
    page.call_next("path")
    names = [f"{row.variable}{averaged(row.elements, labels)}" for row in steps.itertuples()]
    table = steps.assign(path_step=names, unit=[labels.unit(str(unit)) for unit in steps["unit"]])
    carried = number_style(steps["branch"], sign=True)
    columns = ["path_step", "null", "advice", "by_decision", "unit", "branch"]
    listed(page, table, columns, lambda row: _styles(row, carried))
    page.row += 1


def _styles(row: Mapping[str, Any], carried: Style) -> list[Style]:
    level = number_style([row["null"], row["advice"]])
    change = number_style([row["null"], row["advice"]], sign=True)
    if abs(row["by_decision"]) < 10 * half_of_last_digit(str(change["num_format"])):
        change = number_style([row["by_decision"]], sign=True)
    return [NAME, level, level, change, TEXT, carried]
