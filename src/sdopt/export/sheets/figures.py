"""The key figures of the search: how good the advice is, how sure, and which limits hold it back."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.advice import advice_lines
from sdopt.export.cells import is_number, to_python
from sdopt.export.certainty import certainty_lines, half_step_lines, proof_tells
from sdopt.export.fiscal import fiscal_lines
from sdopt.export.limits import limit_lines
from sdopt.export.page import PAPER, THIN, Page, Style, number_format
from sdopt.export.sheets.ledger import ledger_lines
from sdopt.export.sheets.programmes import programme_lines
from sdopt.export.sheets.returns import end_value_rows
from sdopt.export.views import fact, has

WIDTHS = (44, 13, 13, 13, 13, 28)
TEXT: Style = {"text_wrap": True, "align": "left", "indent": 1}


def fill_figures(page: Page) -> None:
    """Key figures with their meaning, then the advice, certainty, limits and sensitivity in full."""
    result, labels = page.book.result, page.labels
    page.set_up(WIDTHS, pages_high=1, portrait=True)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.figures", sign=labels("sign.summary", unit=unit)))
    _key_figures(page, unit)
    _block(page, "advice", [*advice_lines(result, labels), *programme_lines(result, labels)])
    _block(page, "ledger", ledger_lines(result, labels))
    _block(page, "certainty", certainty_lines(result, labels))
    _block(page, "limits", [*limit_lines(result, labels), *fiscal_lines(result, labels)])
    _sensitivity(page, unit)
    page.finish(len(WIDTHS))


def _block(page: Page, key: str, lines: Sequence[str]) -> None:
    """A heading, lines across the page, and an empty row; nothing when there is nothing to say."""
    if not lines:
        return
    page.section(page.labels(f"summary.{key}"))
    for line in lines:
        page.across(line, **THIN)
    page.row += 1


def _key_figures(page: Page, unit: str) -> None:
    """Objective, null, improvement, bound, gap and replay, each with what it says."""
    labels = page.labels
    page.section(labels("summary.figures"))
    names = [labels(f"column.{key}") for key in ("figure", "value", "unit", "meaning")]
    page.header([*names, "", ""], [{}, {"align": "right"}, TEXT, TEXT, {}, {}])
    first = page.row
    for key in ("objective", "null_objective", "improvement", "bound"):
        _figure_row(page, key, _figure(page, key), "#,##0.00", unit)
    euros = _figure(page, "gap_euro")
    if is_number(euros):
        _figure_row(page, "gap_amount", euros, "#,##0", labels("unit.eur"))
    else:
        amount = _figure(page, "gap_amount")
        _figure_row(page, "gap_amount", amount, number_format([amount]), unit)
    _figure_row(page, "gap", _figure(page, "gap"), "0.000%", "")
    proved, left = _figure(page, "certified_bound"), _figure(page, "certified_gap_amount")
    if proof_tells(page.book.result):
        _figure_row(page, "certified_bound", proved, "#,##0.00", unit)
        _figure_row(page, "certified_gap_amount", left, number_format([left]), unit)
    _figure_row(page, "replay", _figure(page, "replay_max_relative_difference"), "0.0E+00", "")
    page.named("figures", first - 1, page.row - 1, 4)
    objective, null = _figure(page, "objective"), _figure(page, "null_objective")
    if is_number(objective) and is_number(null):
        look: Style = {"num_format": "#,##0.00", "bold": True, "bg_color": PAPER, **THIN}
        page.difference(first + 2, 1, (cell(first + 1, 1), cell(first, 1)), (null, objective), look)
    page.row += 1


def _figure(page: Page, key: str) -> float:
    """A figure as a plain number; whatever is not a finite number comes back as it is."""
    value: float = to_python(fact(page.book.result, key))
    return value


def _figure_row(page: Page, key: str, value: float, code: str, unit: str) -> None:
    """One key figure; one that does not exist says so."""
    labels, known = page.labels, is_number(value)
    none = "bound_withdrawn" if proof_tells(page.book.result) else "bound_none"
    text = labels(f"meaning.{key}") if known else labels(f"meaning.{none}") if key == "bound" else ""
    look: Style = {**THIN, **({"bold": True, "bg_color": PAPER} if key == "improvement" else {})}
    number: Style = {"num_format": code} if known else {"align": "right"}
    page.write(page.row, 0, labels(f"key_figure.{key}"), **look)
    page.write(page.row, 1, value if known else labels("word.none"), **look, **number)
    page.write(page.row, 2, unit if known else "", **{**look, **TEXT})
    page.sheet.set_row(page.row, page.merged(text, 3, **{**look, **TEXT}))
    page.row += 1


def _sensitivity(page: Page, unit: str) -> None:
    """Whether the advice hangs on what is left at the end, and on the time step."""
    result, labels = page.book.result, page.labels
    half_step = half_step_lines(result, labels)
    if not (half_step or has(result, "end_value")):
        return
    page.section(labels("summary.sensitivity"))
    if has(result, "end_value"):
        page.across(labels("return.end_value", unit=unit), italic=True, font_color="#555555")
        page.call_next("end_value_in_short")
        end_value_rows(page, ["weight", "improvement", "regret", "regret_at_most", "advice_changes"])
    for line in half_step:
        page.across(line, **THIN)
