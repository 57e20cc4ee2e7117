"""The tables of the page of a comparison: a column per run and allocation, what not all have folded below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdopt.export.compared_columns import Column, Rows, columns_of, in_all, rows_of, runs_of
from sdopt.export.compared_words import counted
from sdopt.export.figures.figure import allocation_word
from sdopt.export.report.parts import Block, Case, Cell, Grid, Lines, Section, decimals_for
from sdopt.export.report.sources import PERCENT
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.compared import CHANCES, binding_rows, fiscal_rows
from sdopt.export.sheets.robust import MEASURES
from sdopt.export.views import has


@dataclass(frozen=True)
class _Part:
    """A table, its column of names and of amounts, whether these are differences, and its note."""

    table: str
    key: str
    value: str
    sign: bool
    note: str


DECISIONS = _Part("compared_decisions", "decision", "value", False, "compared.note.compared_decisions")
TOTALS = _Part("compared_totals", "decision", "value", False, "compared.note.totals")
LIMITS = _Part("compared_limits", "limit", "slack", False, "sign.compared_limits")
OTHERS = (
    _Part("compared_return", "component", "difference", True, "compared.note.compared_return"),
    _Part("compared_pockets", "pocket", "difference", True, "sign.compared_parties"),
    _Part("compared_perspectives", "perspective", "difference", True, "sign.compared_parties"),
)


def table_sections(case: Case) -> Iterator[Section]:
    """A section per table that the comparison has."""
    labels, result = case.labels, case.result
    if has(result, "compared_decisions"):
        title = labels("compared.section.totals")
        blocks = [*_grids(case, DECISIONS, labels("sheet.compared_decisions")), *_grids(case, TOTALS, title)]
        yield Section("compared_decisions", labels("sheet.compared_decisions"), blocks)
    if has(result, "compared_robust"):
        yield Section("compared_robust", labels("sheet.compared_robust"), [_robust(case)])
    for part in OTHERS:
        if has(result, part.table):
            of_parties = part.key in ("pocket", "perspective")
            name = part.table.removeprefix("compared_")
            title = labels(f"compared.section.{name}") if of_parties else labels(f"sheet.{part.table}")
            yield Section(part.table, title, [*_grids(case, part, title), *_missing(case, part)])
    if has(result, "compared_limits"):
        title = labels("sheet.compared_limits")
        blocks = [*_fiscal(case), *_binding(case), *_grids(case, LIMITS, title), *_missing(case, LIMITS)]
        yield Section("compared_limits", title, blocks)


def _grids(case: Case, part: _Part, title: str) -> Iterator[Block]:
    """The things that all columns have, and on request the others."""
    labels = case.labels
    columns = columns_of(case.result, part.table, labels)
    whole, apart = in_all(rows_of(case.result.tables[part.table], [part.key], columns))
    caption, note = labels("compared.caption", part=title), labels(part.note)
    if whole:
        yield _grid(case, part, columns, whole, (caption, note, ""))
    if apart:
        first = [next(row for row in places if row is not None) for places in apart.values()]
        folded = counted("fold", len(apart), labels, of=(part.table, part.key, first, "count"))
        yield _grid(case, part, columns, apart, (labels("compared.section.apart"), note, folded))


def _grid(
    case: Case, part: _Part, columns: Sequence[Column], rows: Rows, words: tuple[str, str, str]
) -> Grid:
    """A row per thing; `words` are caption, note, and what folds it."""
    labels, values = case.labels, case.values(part.table, part.value)
    cells: list[list[Cell]] = []
    for key, places in rows.items():
        # A limit in persons and one in millions stand below each other: each row has the decimals it needs.
        decimals = decimals_for(values[place] for place in places if place is not None)
        shown: list[Cell] = [
            labels("compared.absent") if place is None
            else case.cell(part.table, part.value, place, decimals, sign=part.sign)
            for place in places
        ]  # fmt: skip
        cells.append([_name(part.key, str(key[0]), case), *shown, labels.unit(str(key[-1]))])
    heads = [labels(f"column.{part.key}"), *(column.name for column in columns), labels("column.unit")]
    caption, note, folded = words
    if len(units := {key[-1] for key in rows}) == 1:  # once above the table, in stead of in every row
        caption = labels.with_unit(caption, str(units.pop()))
        heads, cells = heads[:-1], [row[:-1] for row in cells]
    return Grid(caption, heads, cells, frozenset(range(1, len(columns) + 1)), note=note, folded=folded)


def _name(key: str, thing: str, case: Case) -> str:
    if key == "pocket":
        return pocket_name(thing, case.plain)
    if key == "perspective":
        return case.plain.find(f"perspective.{thing}", thing)
    return thing or case.labels("compared.all")


def _missing(case: Case, part: _Part) -> Iterator[Lines]:
    """Which runs have nothing of this."""
    known = set(case.result.tables[part.table]["run"])
    if without := [run for run in runs_of(case.result) if run not in known]:
        yield Lines([case.labels("compared.missing", runs=", ".join(without))], how="text")


def _fiscal(case: Case) -> Iterator[Grid]:
    """Whether the advice of every run keeps every fiscal rule that was tested."""
    if has(case.result, "compared_fiscal"):
        columns = columns_of(case.result, "compared_fiscal", case.labels)
        heads = [case.labels("column.rule"), *(column.name for column in columns)]
        rows = fiscal_rows(case.result.tables["compared_fiscal"], columns, case.plain)
        yield Grid(case.labels("compared.section.fiscal"), heads, rows, frozenset())


def _binding(case: Case) -> Iterator[Grid]:
    """Every limit that binds in some run, and when; those that not all runs have on request."""
    columns = columns_of(case.result, "compared_limits", case.labels)
    heads = [case.labels("column.limit"), *(column.name for column in columns)]
    title = case.labels("compared.section.binds")
    for place, rows in enumerate(binding_rows(case.result.tables["compared_limits"], columns, case.plain)):
        if rows:
            folded = counted("fold_binds", len(rows), case.plain) if place else ""
            yield Grid(title, heads, rows, frozenset(), folded=folded)


def _robust(case: Case) -> Grid:
    """Every allocation of a robust run by every measure."""
    labels, table = case.labels, "compared_robust"
    names = zip(case.values(table, "run"), case.values(table, "allocation"), strict=True)
    rows: list[list[Cell]] = []
    for row, (run, allocation) in enumerate(names):
        name = labels("compared.column", run=run, allocation=allocation_word(allocation, case.plain))
        amounts = [case.cell(table, key, row, 2, sign=True) for key in MEASURES]
        shares = [case.cell(table, key, row, 1, scale=PERCENT) for key in CHANCES]
        rows.append([name, *amounts, *shares, labels.unit(str(case.values(table, "unit")[row]))])
    measures = [f"column.by_{name}" for name in MEASURES]
    heads = ["column.allocation", *measures, "report.column.loss", "report.column.any_broken", "column.unit"]
    shown = [labels(key) for key in heads]
    caption = labels("compared.caption", part=labels("sheet.compared_robust"))
    numbers = frozenset(range(1, len(heads) - 1))
    return Grid(caption, shown, rows, numbers, note=labels("sign.compared_robust"))
