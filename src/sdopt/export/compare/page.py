"""The comparison as one page, in the form of the report: every number leads to its cell."""

from __future__ import annotations

from collections.abc import Sequence

from sdopt.export.compare.figures import compared_figures
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.report.charts import chart_settings, drawn_figure
from sdopt.export.report.parts import Block, Case, Cell, Grid, Lines, Section, decimals_for
from sdopt.export.report.render import render
from sdopt.export.report.sources import PERCENT, Sources
from sdopt.export.report.traced import TracedLabels
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.compared import MONEY, SHARES, fact_text, known_facts
from sdopt.export.views import has
from sdopt.result import Result

PARTS = (
    ("compared_decisions", "decision", "advice", False),
    ("compared_return", "component", "difference", True),
    ("compared_pockets", "pocket", "difference", True),
    ("compared_perspectives", "perspective", "difference", True),
    ("compared_limits", "limit", "slack", False),
)
"""Table, column of names, column of amounts, and whether these are differences."""
NOTED = ("compared_decisions", "compared_return")
"""Tables of which the page shows less than the workbook, so that their note differs."""
PLACES = {"compared_allocation": "compared_decisions", "compared_pockets": "compared_pockets"}
"""Figure -> the section that holds it."""


def compare_html(result: Result) -> str:
    """The page in the language of the comparison; the same comparison gives the same page."""
    sources = Sources(result)
    case = Case(result, TracedLabels(result.language, sources), sources)
    figures = compared_figures(result, case.plain)
    sections = [_first(case), *(_part(case, *part) for part in PARTS if has(result, part[0]))]
    if has(result, "compared_inputs"):
        sections.append(_inputs(case))
    for figure in figures:
        place = next(n for n, one in enumerate(sections) if one.key == PLACES[figure.key])
        own = sections[place]
        sections[place] = Section(own.key, own.title, [drawn_figure(figure, case), *own.blocks])
    charts = chart_settings(result.language) if figures else None
    return render("compare.html.j2", case.labels, result.title, sources, sections=sections, charts=charts)


def _first(case: Case) -> Section:
    """What stands out, what needs care, and the runs beside each other: in words, then in numbers."""
    labels, result = case.labels, case.result
    facts = list(known_facts(result.tables["compared_runs"]))
    texts = [key for key in facts if key not in (*MONEY, *SHARES)]
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
    if key in MONEY:
        return case.cell("compared_runs", key, row, 2)
    return fact_text(key, table.at[row, key], case.plain)


def _part(case: Case, name: str, key: str, value: str, sign: bool) -> Section:
    """A row per thing, a column per run; a dash where a run does not have it."""
    labels, table = case.labels, case.result.tables[name]
    runs = [str(run) for run in case.result.tables["compared_runs"]["run"]]
    rows: list[list[Cell]] = []
    for (thing, unit), own in table.groupby([key, "unit"], sort=False):
        at = dict(zip(own["run"], own.index, strict=True))
        # A limit in persons and one in millions stand below each other: each row has the decimals it needs.
        decimals = decimals_for(own[value])
        cells = [case.cell(name, value, at[run], decimals, sign=sign) if run in at else "–" for run in runs]
        rows.append([_name(key, str(thing), case), *cells, labels.unit(str(unit))])
    heads = [labels(f"column.{key}"), *runs, labels("column.unit")]
    sheet = "compared_parties" if key in ("pocket", "perspective") else name
    title = (
        labels(f"compared.section.{name.removeprefix('compared_')}")
        if sheet != name
        else labels(f"sheet.{name}")
    )
    numbers = frozenset(range(1, len(runs) + 1))
    note = labels(f"compared.note.{sheet}" if sheet in NOTED else f"sign.{sheet}")
    grid = Grid(labels("compared.caption", part=title), heads, rows, numbers, note=note)
    return Section(name, title, [grid])


def _name(key: str, thing: str, case: Case) -> str:
    if key == "pocket":
        return pocket_name(thing, case.plain)
    return case.plain.find(f"perspective.{thing}", thing) if key == "perspective" else thing


def _inputs(case: Case) -> Section:
    """Every place where the inputs differ, as it stands there."""
    labels, table = case.labels, case.result.tables["compared_inputs"]
    runs = [str(run) for run in case.result.tables["compared_runs"]["run"]]
    rows: list[list[Cell]] = []
    for (kind, place), own in table.groupby(["kind", "place"], sort=False):
        values = dict(zip(own["run"], own["value"], strict=True))
        rows.append([str(place), labels(f"input_kind.{kind}"), *(values.get(run, "") for run in runs)])
    heads: Sequence[str] = [labels("column.place"), labels("column.kind"), *runs]
    title = labels("sheet.compared_inputs")
    caption = labels("compared.caption", part=title)
    grid = Grid(caption, heads, rows, frozenset(), note=labels("sign.compared_inputs"),
                folded=labels("compared.inputs", count=case.plain.number(len(rows), 0)))  # fmt: skip
    return Section("compared_inputs", title, [grid])
