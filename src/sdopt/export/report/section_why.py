"""Why the advice is what it is: limits, room, alternatives, contributions, trade-offs, the causal path."""

from __future__ import annotations

from sdopt.export.causal_path import means, stories
from sdopt.export.explanation import (
    alternative_lines,
    contribution_lines,
    frontier_lines,
    price_lines,
    room_lines,
    sure_lines,
)
from sdopt.export.report.parts import Block, Case, Cell, Fold, Grid, Lines, Section
from sdopt.export.views import has

PARTS = {
    "contributions": contribution_lines,
    "limits": price_lines,
    "room": room_lines,
    "alternatives": alternative_lines,
    "frontier": frontier_lines,
    "sure": sure_lines,
}
"""Key of the heading -> its sentences."""
FIGURES = {"room": "near_optimal"}
"""Key of the heading -> that of its figure, where they differ."""


def why(case: Case) -> Section | None:
    """What the model says of why, never more."""
    labels, blocks = case.labels, _path(case)
    for key, lines in PARTS.items():
        if said := lines(case.result, labels):
            blocks.append(Lines(said, title=labels(f"why.title.{key}"), key=FIGURES.get(key, key)))
        if key == "contributions" and has(case.result, "contributions"):
            blocks.append(_contributions(case))
    return Section("why", labels("report.section.why"), blocks) if blocks else None


def _path(case: Case) -> list[Block]:
    """The causal path behind the main result: per decision what it changes on the way to the return."""
    labels, found = case.labels, stories(case.result, case.labels)
    if not found:
        return []
    told = [
        Lines(
            [one.sentence, *(route.sentence for route in one.routes), *([one.rest] if one.rest else [])],
            one.name,
        )
        for one in found
    ]
    notes = (means(case.result, labels), labels("path.caution"))
    title = labels("report.title.path", name=found[0].name)
    blocks: list[Block] = [Lines([*told[0].lines, *notes], title)]
    names = [one.name for one in found[1:]]
    rows = [row for row, name in enumerate(case.values("causal_decisions", "variable")) if name in names]
    more = labels("report.fold.path", count=labels.count("causal_decisions", "variable", rows))
    return [*blocks, Fold(more, told[1:])] if len(told) > 1 else blocks


def _contributions(case: Case) -> Grid:
    """What every decision adds to the improvement; the parts add up."""
    labels, table = case.labels, case.result.tables["contributions"]
    rows: list[list[Cell]] = []
    for row in table.index[table["share"].argsort(kind="stable")[::-1]]:
        change = case.cell("contributions", "change", row, 2, sign=True)
        share = case.cell("contributions", "share", row, 2, sign=True)
        rows.append([str(table.at[row, "variable"]), change, share])
    total = case.summed("contributions", "share", range(len(table)), 2, sign=True)
    rows.append([labels("word.total"), "", total])
    heads = [labels(f"column.{key}") for key in ("decision", "change", "fair_share")]
    return Grid(labels("report.table.contributions"), heads, rows, frozenset((1, 2)), totals=1,
                note=labels("report.note.contributions", unit=case.unit))  # fmt: skip
