"""The comparison as one page, in the form of the report: every number leads to its cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sdopt.export.cells import is_number
from sdopt.export.compare.figures import compared_figures
from sdopt.export.compare.grids import table_sections
from sdopt.export.compared_columns import runs_of
from sdopt.export.compared_words import care_lines, found_lines, inputs_line
from sdopt.export.report.charts import chart_settings, drawn_figure
from sdopt.export.report.parts import Block, Case, Cell, Grid, Lines, Section, needed_decimals
from sdopt.export.report.render import render
from sdopt.export.report.sources import PERCENT, Sources, Traced
from sdopt.export.report.traced import TracedLabels
from sdopt.export.sheets.compared import COUNTS, MONEY, SHARES, fact_text, known_facts
from sdopt.export.views import has
from sdopt.result import Result

FEW = 25
"""Inputs of one kind that are shown at once; more are shown on request."""
NUMBERED = ("base_year", "discount_rate", "price_level", "seed")
"""Facts that are a text or a number."""
FIGURES = {
    "compared_allocation": "compared_decisions",
    "compared_years": "compared_decisions",
    "compared_pockets": "compared_pockets",
}
"""Figure -> the section that holds it."""


def compare_html(result: Result) -> str:
    """The page in the language of the comparison; the same comparison gives the same page."""
    sources = Sources(result)
    case = Case(result, TracedLabels(result.language, sources), sources)
    figures = compared_figures(result, case.labels)
    sections = [_first(case), *table_sections(case)]
    if has(result, "compared_inputs"):
        sections.append(_inputs(case))
    sections = [
        replace(
            one, blocks=[*(drawn_figure(f, case) for f in figures if FIGURES[f.key] == one.key), *one.blocks]
        )
        for one in sections
    ]
    charts = chart_settings(result.language) if figures else None
    return render("compare.html.j2", case.labels, result.title, sources, sections=sections, charts=charts)


def _first(case: Case) -> Section:
    """What stands out, what needs care, and the runs beside each other: in words, then in numbers."""
    labels, result = case.labels, case.result
    facts = list(known_facts(result.tables["compared_runs"]))
    texts = [key for key in facts if key not in (*MONEY, *SHARES, *COUNTS)]
    blocks: list[Block] = [
        Lines([labels("sign.compared")], how="text"),
        Lines(found_lines(result, labels)),
        Lines(care_lines(result, labels), title=labels("compared.section.care")),
        _runs(case, "figures", [key for key in facts if key not in texts]),
        _runs(case, "what", texts),
    ]
    return Section("compared", labels("compared.section.found"), blocks)


def _runs(case: Case, part: str, facts: Sequence[str]) -> Grid:
    """A row per fact, a column per run."""
    labels, table = case.labels, case.result.tables["compared_runs"]
    rows: list[list[Cell]] = [
        [_called(key, case), *(_fact(case, key, row) for row in table.index)] for key in facts
    ]
    heads = ["", *map(str, table["run"])]
    numbers = range(1, len(heads)) if part == "figures" else ()
    return Grid(labels(f"compared.section.{part}"), heads, rows, frozenset(numbers))


def _called(key: str, case: Case) -> str:
    name = case.labels(f"compared.row.{key}")
    return f"{name} (%)" if key in SHARES else f"{name} ({case.unit})" if key in MONEY and case.unit else name


def _fact(case: Case, key: str, row: int) -> Cell:
    table = case.result.tables["compared_runs"]
    if key in SHARES:
        return case.cell("compared_runs", key, row, 0 if key == "better" else 2, scale=PERCENT)
    if key in COUNTS:
        return case.cell("compared_runs", key, row, 0)
    if key in MONEY:
        return case.cell("compared_runs", key, row, 2)
    text = fact_text(key, table.at[row, key], case.plain)
    if key not in NUMBERED or not is_number(value := _float(text)):
        return text
    shown = case.plain.number(value, needed_decimals(value), marks=False)
    return Traced(value, f"compared_runs:{key}:{row}", shown)


def _float(text: str) -> float | None:
    """The number that a text is."""
    try:
        return float(text)
    except ValueError:
        return None


def _inputs(case: Case) -> Section:
    """Every place where the inputs differ, as it stands there; a table per kind, folded when it is long."""
    labels, table = case.labels, case.result.tables["compared_inputs"]
    runs = runs_of(case.result)
    heads = [labels("column.place"), *runs]
    blocks: list[Block] = [
        Lines([inputs_line(case.result, labels), labels("sign.compared_inputs")], how="text")
    ]
    for kind, of_kind in table.groupby("kind", sort=False):
        rows: list[list[Cell]] = []
        for place, own in of_kind.groupby("place", sort=False):
            values = dict(zip(own["run"], own["value"], strict=True))
            rows.append([str(place), *(values.get(run, "") for run in runs)])
        places = of_kind["place"].drop_duplicates().index
        title = f"{labels(f'input_kind.{kind}')} ({labels.count('compared_inputs', 'place', places)})"
        blocks.append(Grid(title, heads, rows, frozenset(), folded=title if len(rows) > FEW else ""))
    return Section("compared_inputs", labels("sheet.compared_inputs"), blocks)
