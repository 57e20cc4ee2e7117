"""What a simpler decision costs: sentences, prices, what each form decides, why one is not possible."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sdopt.export.forms_reasons import BULLET, clash_blocks, reason
from sdopt.export.report.parts import Block, Case, Cell, Fold, Grid, Lines, Section, decimals_for
from sdopt.export.report.sources import PERCENT
from sdopt.export.sheets.forms import FREE, NONE, form_name, forms_lines, rule_lines
from sdopt.export.views import has

AMOUNTS = ("improvement", "price", "price_at_least", "price_at_most")
HEADS = (
    "form",
    "chosen_values",
    "improvement",
    "price",
    "price_at_least",
    "price_at_most",
    "report.column.price",
    "certain",
)


def forms(case: Case) -> Section | None:
    """Every form of decision beside the free path of the advice."""
    if not has(case.result, "forms"):
        return None
    labels = case.labels
    note = Lines([labels("report.forms.note")], how="text")
    blocks: list[Block] = [note, Lines(forms_lines(case.result, labels)), _prices(case)]
    if reasons := _reasons(case):
        blocks.append(Lines(reasons))
    for name, lines in clash_blocks(case.result, labels).items():
        blocks += _refused(labels("form.refused", name=name), lines)
    return Section("forms", labels("report.section.forms"), [*blocks, _decided(case)])


def _prices(case: Case) -> Grid:
    """A row per form; the free path, which is the advice, first."""
    labels, table = case.labels, case.result.tables["forms"]
    decimals = min(decimals_for(table["price"][table["form"] != FREE].dropna()), 3)
    rows: list[list[Cell]] = []
    for row, name, status, certain in table[["form", "status", "certain"]].itertuples():
        numbers = [
            case.cell("forms", "values", row, 0),
            *(case.cell("forms", key, row, decimals) for key in AMOUNTS),
            case.cell("forms", "price_share", row, 2, scale=PERCENT),
        ]
        known = [*numbers, "" if name == FREE else labels.yes_no(bool(certain))]
        rows.append([form_name(name, labels), *(known if status != NONE else ["–"] * len(known))])
    heads = [labels(key if "." in key else f"column.{key}") for key in HEADS]
    return Grid(labels("report.table.forms"), heads, rows, frozenset(range(1, len(HEADS) - 1)),
                note=labels("report.note.forms", unit=case.unit))  # fmt: skip


def _reasons(case: Case) -> list[str]:
    """Why a form has no allocation, or no bound of its own, where that is not a clash of limits."""
    table = case.result.tables["forms"]
    rows = table[~table["reason_key"].isin(["", "clash"])].itertuples()
    return [f"{form_name(row.form, case.labels)}: {reason(case.result, case.labels, row)}" for row in rows]


def _refused(title: str, lines: Sequence[str]) -> list[Block]:
    """Why a form is not possible: sentences, and lists of limits and repairs."""
    blocks: list[Block] = []
    for listed, group in groupby(lines, lambda line: line.startswith(BULLET)):
        said = [line.removeprefix(BULLET) for line in group]
        blocks.append(Lines(said, title="" if blocks else title, how="list" if listed else "text"))
    return blocks


def _decided(case: Case) -> Fold:
    """The amounts of every form by year, and its rules in words."""
    labels, blocks = case.labels, list[Block]()
    found = case.rows_by("forms_allocation", "form", "variable", "unit")
    years = sorted(set(case.values("forms_allocation", "year")))
    for name in dict.fromkeys(key[0] for key in found):
        rows = [[str(variable), *_by_year(case, rows, years), labels.unit(str(unit))]
                for (form, variable, unit), rows in found.items() if form == name]  # fmt: skip
        heads = [
            labels("column.decision"),
            *case.years("forms_allocation", "year", years),
            labels("column.unit"),
        ]
        caption = form_name(str(name), labels)
        blocks.append(Grid(caption, heads, rows, frozenset(range(1, len(years) + 1))))
        if rules := rule_lines(case.result, labels, str(name)):
            blocks.append(Lines(rules))
    return Fold(labels("report.fold.forms"), blocks)


def _by_year(case: Case, rows: Sequence[int], years: Sequence[float]) -> list[Cell]:
    """What holds in every year: an amount stands at the first year of its period."""
    starts = {case.values("forms_allocation", "year")[row]: row for row in rows}
    cells: list[Cell] = []
    for year in years:
        known = [row for start, row in starts.items() if start <= year]
        cells.append(case.cell("forms_allocation", "value", known[-1], 2) if known else "–")
    return cells
