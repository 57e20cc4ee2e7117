"""How sure the advice is, what would have to be true, and what could go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdopt.export.breach_words import breach_lines
from sdopt.export.cells import is_number
from sdopt.export.certainty import bound_lines, half_step_lines, skipped_lines, status_line
from sdopt.export.explanation import mechanism_lines
from sdopt.export.findings_words import (
    ADVICE,
    allocation_name,
    conclusion_lines,
    design_lines,
    driver_lines,
    external_name,
    failed_line,
    failing_lines,
)
from sdopt.export.limits import limit_lines
from sdopt.export.precision import level_words
from sdopt.export.report.gap import left_lines
from sdopt.export.report.parts import Block, Case, Cell, Fold, Grid, Lines, Quoted, Section
from sdopt.export.report.section_question import concluded
from sdopt.export.report.sources import Traced
from sdopt.export.sheets.break_even import information_lines
from sdopt.export.sheets.distribution import POINTS, worlds_of
from sdopt.export.sheets.worth import contrast_name
from sdopt.export.views import fact, has
from sdopt.export.worth import ADVISED, ordered

if TYPE_CHECKING:
    import pandas as pd

NOTED = 0.005
"""A limit that is broken in fewer futures than this, with the advice and without, has no row."""


def sure(case: Case) -> Section | None:
    """Status and bound, conclusions over all futures; and plainly what is not known without those."""
    labels, result, blocks = case.labels, case.result, list[Block]()
    if case.figure("objective") is not None:
        lines = [status_line(result, labels), *left_lines(case), *bound_lines(result, labels)]
        lines += skipped_lines(result, labels)
        blocks.append(Lines(lines, title=labels("report.title.proof")))
        blocks += _futures(case)
        if half := half_step_lines(result, labels):
            blocks.append(Lines(half, title=labels("report.title.step")))
        if has(result, "end_value"):
            blocks.append(_end_value(case))
    else:
        blocks += _futures(case)
    return Section("sure", labels("report.section.sure"), blocks) if blocks else None


def _futures(case: Case) -> list[Block]:
    """What the sweep concludes by rule; without one, that it is not known."""
    labels, result = case.labels, case.result
    if "drawn" not in result.tables:
        if "robust_measures" in result.tables:
            return []
        return [Lines([_unknown(case)], title=labels("report.title.futures"), how="warning")]
    table = case.table("conclusions")
    quoted = [(str(words), f"conclusions:words:{row}") for row, words in table.get("words", {}).items()]
    told = [line for line in quoted if line not in concluded(case)]
    made = [*design_lines(result, labels), *failed_line(result, labels)]
    lines = Lines([*made, *_hanging(case)], title=labels("report.title.futures"), key="improvement")
    blocks: list[Block] = [lines]
    if has(result, "distribution"):
        blocks += [_distribution(case), *_in_worlds(case)]
    return [*blocks, *([Quoted(told, title=labels("report.title.compared"))] if told else [])]


def _hanging(case: Case) -> list[str]:
    """Conclusions that another convention would change: which one, and the convention."""
    labels, table, lines = case.labels, case.table("conclusions"), []
    for row in table.index:
        names = [allocation_name(str(table.at[row, key]), labels) for key in ("allocation", "against")]
        one = case.result.with_tables(conclusions=table.loc[[row]])
        lines += [labels("report.hangs_on", name=names[0], other=names[1], line=line[:1].lower() + line[1:])
                  for line in conclusion_lines(one, labels)[1:]]  # fmt: skip
    return lines


def _unknown(case: Case) -> str:
    """That what uncertain assumptions do was not computed, and how many there are."""
    labels = case.labels
    table = case.table("assumptions")
    chosen = table[table["uncertain"].astype(bool)] if len(table) else table
    if chosen.empty:
        return labels("report.no_sweep_plain")
    return labels("report.no_sweep", count=case.count("assumptions", "uncertain", chosen),
                  total=case.count("assumptions", "uncertain", table))  # fmt: skip


def _distribution(case: Case) -> Grid:
    """Per allocation what it gives over all futures, all external scenarios together."""
    labels, table = case.labels, case.result.tables["distribution"]
    own = table[table["external"] == ""]
    rows: list[list[Cell]] = []
    for row in own.index:
        amounts = [
            case.cell("distribution", key, row, 1, sign=key == "mean")
            for key in ("mean", "q05", "q50", "q95")
        ]
        chances = [case.cell("distribution", "positive", row, 0, scale=100.0)]
        rows.append([allocation_name(str(own.at[row, "allocation"]), labels), *amounts, *chances])
    heads = [labels("column.allocation"), labels("column.found_mean"), labels("column.q05"),
             labels("column.q50"), labels("column.q95"), labels("report.column.positive")]  # fmt: skip
    return Grid(labels("report.table.distribution"), heads, rows, frozenset(range(1, 6)),
                note=labels("report.note.distribution", unit=case.unit))  # fmt: skip


def _in_worlds(case: Case) -> list[Grid]:
    """P10, P50 and P90 of the advice in every external scenario by itself; none where there is only one."""
    labels, own = case.labels, worlds_of(case.result.tables["distribution"])
    if own.empty:
        return []
    rows: list[list[Cell]] = [
        [
            external_name(str(own.at[row, "external"]), labels),
            *(case.cell("distribution", key, row, 1, sign=True) for key in POINTS[:3]),
            case.cell("distribution", "positive", row, 0, scale=100.0),
        ]
        for row in own.index
    ]
    heads = [labels("column.world"), *(labels(f"column.{key}") for key in ("p10", "p50", "p90"))]
    heads.append(labels("report.column.positive"))
    return [Grid(labels("report.table.in_worlds"), heads, rows, frozenset(range(1, 5)),
                 note=labels("report.note.in_worlds", unit=case.unit))]  # fmt: skip


def _end_value(case: Case) -> Grid:
    """What the advice gives when what is left at the end counts for less or more."""
    labels, table = case.labels, case.result.tables["end_value"]
    keys = [key for key in ("difference", "regret", "regret_at_most") if key in table]
    rows: list[list[Cell]] = []
    for row in table.index:
        amounts = [case.cell("end_value", key, row, 2, sign=key == "difference") for key in keys]
        changes = labels.yes_no(bool(table.at[row, "advice_changes"]))
        rows.append([case.cell("end_value", "weight", row, 0, scale=100.0), *amounts, changes])
    names = {"difference": "improvement"}
    heads = [f"{labels('column.weight')} (%)", *(labels(f"column.{names.get(key, key)}") for key in keys)]
    heads.append(labels("column.advice_changes"))
    return Grid(labels("return.end_value_title"), heads, rows, frozenset(range(len(keys) + 1)),
                note=labels("return.end_value", unit=case.unit))  # fmt: skip


def true(case: Case) -> Section | None:
    """What would have to be true: worth and break-even per decision, what matters most, mechanisms."""
    labels, result, blocks = case.labels, case.result, list[Block]()
    if has(result, "worth_of_decisions"):
        blocks += [_worth(case), *_words(case)]
    elif has(result, "conditions"):
        blocks += _words(case)
    if has(result, "drawn") and (lines := driver_lines(result, labels)):
        blocks.append(Lines(lines, title=labels("report.title.drivers")))
    if has(result, "information") and (lines := information_lines(result.tables["information"], labels)):
        blocks.append(Lines(lines, title=labels("report.title.information")))
    if lines := mechanism_lines(result, labels):
        blocks.append(Lines(lines, title=labels("report.title.mechanisms")))
    return Section("true", labels("report.section.true"), blocks) if blocks else None


def _worth(case: Case) -> Grid:
    """As advised: is every decision worth it, how likely, and which number turns that where."""
    labels, table = case.labels, case.result.tables["worth_of_decisions"]
    own = table[table["contrast"] == ADVISED]
    order = {name: place for place, name in enumerate(ordered(case.table("advised"), table))}
    own = own.sort_values("decision", key=lambda names: names.map(order), kind="stable")
    rows: list[list[Cell]] = []
    for row, found in own.iterrows():
        rows.append(
            [
                str(found["decision"]),
                labels(f"found.kind.{str(found['kind']).replace(' ', '_')}"),
                case.cell("worth_of_decisions", "probability", row, 0, scale=100.0),
                case.cell("worth_of_decisions", "mean", row, 2, sign=True),
                _turning(found, labels),
                _level(case, row, found),
            ]
        )
    keys = ["column.decision", "column.conclusion", "report.column.gain", "column.found_mean",
            "report.column.turns", "column.turns_at"]  # fmt: skip
    return Grid(labels("report.table.worth"), [labels(key) for key in keys], rows, frozenset((2, 3, 5)),
                note=labels("report.note.worth", unit=case.unit))  # fmt: skip


def _turning(row: pd.Series, labels: Any) -> str:
    """Which uncertain number turns a decision round, on which side it is worth it, and its unit."""
    if not row["constant"]:
        return str(labels("report.turns.nothing"))
    said = labels(f"report.turns.{row['worth']}", name=row["constant"])
    return str(labels.with_unit(said, str(row["constant_unit"])))


def _level(case: Case, row: Any, found: pd.Series) -> Cell:
    """The value at which a decision turns."""
    value = found["break_even"]
    if not found["constant"] or not is_number(value):
        return "–"
    ends = float(found["low"]), float(found["high"]), str(found["constant_unit"])
    return Traced(float(value), f"worth_of_decisions:break_even:{row}",
                  level_words(case.plain, float(value), *ends))  # fmt: skip


def _words(case: Case) -> list[Block]:
    """Sentences per decision, as advised: is it worth it, and what would have to be true."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in ("worth_of_decisions", "conditions"):
        table = case.table(name)
        for row in table[table["contrast"] == ADVISED].index if len(table) else ():
            said = found.setdefault(str(table.at[row, "decision"]), [])
            said.append((str(table.at[row, "words"]), f"{name}:words:{row}"))
    heading = case.labels("report.title.worth", contrast=contrast_name(ADVISED, case.labels))
    quoted = [Quoted(lines, title=name) for name, lines in found.items()]
    return [Fold(heading, quoted)] if quoted else []


def wrong(case: Case) -> Section | None:
    """Limits that are broken or tight, what runs out, and the futures in which the advice fails."""
    labels, result, blocks = case.labels, case.result, list[Block]()
    if lines := [*limit_lines(result, labels), *_negative(case)]:
        blocks.append(Lines(lines, title=labels("report.title.limits")))
    if lines := breach_lines(result, labels):
        blocks.append(Lines(lines, title=labels("report.title.breaches")))
    if has(result, "limits") and (grid := _breaches(case)):
        blocks.append(grid)
    if has(result, "failing"):
        blocks += _failing(case)
    return Section("wrong", labels("report.section.wrong"), blocks) if blocks else None


def _negative(case: Case) -> list[str]:
    """Stocks that turn negative, with the advice and without."""
    found = fact(case.result, "negative_stocks") or {}
    keys = {"advice": "certain.negative_advice", "null": "certain.negative_null"}
    return [case.labels(key, names="; ".join(found[run])) for run, key in keys.items() if found.get(run)]


def _breaches(case: Case) -> Grid | None:
    """How often every limit is broken over all futures, with the advice and as it is now."""
    labels, table = case.labels, case.result.tables["limits"]
    own = table[(table["allocation"] == ADVICE) & (table["external"] == "")]
    own = own[own[["broken", "null_broken"]].max(axis=1) >= NOTED]
    rows: list[list[Cell]] = []
    for row, found in own.iterrows():
        chances = [case.cell("limits", key, row, 0, scale=100.0) for key in ("broken", "null_broken")]
        name = str(found["limit"]) or labels("found.limits.any_name")
        rows.append([name, case.span("limits", ("first_year", "last_year"), row), *chances])
    heads = [labels("column.constraint"), labels("column.limit_years"), labels("report.column.broken"),
             labels("report.column.broken_now")]  # fmt: skip
    return Grid(labels("report.table.breaches"), heads, rows, frozenset((2, 3))) if rows else None


def _failing(case: Case) -> list[Block]:
    """Per external scenario in how many futures the advice fails; where, as far as that is known."""
    labels, result = case.labels, case.result
    table = result.tables["failing"]
    rows: list[list[Cell]] = []
    for row, found in table.iterrows():
        counts = [case.cell("failing", key, row, 0) for key in ("failures", "scenarios")]
        world = external_name(str(found["external"]), labels)
        rows.append([labels(f"found.failing.{found['failure']}"), world, *counts])
    heads = [labels(f"report.column.{key}") for key in ("failure", "world", "failures", "futures")]
    blocks: list[Block] = [Grid(labels("report.table.failing"), heads, rows, frozenset((2, 3)))]
    known = table[table["boxes"] > 0] if "boxes" in table else table.head(0)
    if len(known):
        lines = failing_lines(result.with_tables(failing=known), labels)
        blocks.append(Lines(lines, title=labels("report.title.where")))
    return blocks


def robust(case: Case) -> Section | None:
    """One allocation for all futures: every allocation by every measure, what it costs, deciding again."""
    if not has(case.result, "robust_measures"):
        return None
    from sdopt.export.decide_again import again_lines
    from sdopt.export.robust_report import proof_lines
    from sdopt.export.sheets.robust import missing_lines, price_lines

    labels, result = case.labels, case.result
    count = case.figure("scenarios")
    drawn = [labels("report.robust.futures", count=labels.number(count, 0))] if count else []
    blocks: list[Block] = [Lines([*drawn, *missing_lines(result, labels), *price_lines(result, labels)])]
    blocks.append(_measures(case))
    if has(result, "robust_proof"):
        blocks.append(Lines(list(proof_lines(result, labels)), title=labels("robust.title.robust_proof")))
    if has(result, "robust_adaptive"):
        blocks.append(Lines(again_lines(result, labels), title=labels("robust.title.robust_adaptive")))
    return Section("robust", labels("report.section.robust"), [*blocks, _amounts(case)])


def _measures(case: Case) -> Grid:
    """A row per allocation, a column per measure."""
    from sdopt.export.sheets.robust import MEASURES, robust_name

    labels, table = case.labels, case.result.tables["robust_measures"]
    measures = [key for key in MEASURES if table[key].notna().any()]
    rows: list[list[Cell]] = []
    for row in table.index:
        amounts = [case.cell("robust_measures", key, row, 2, sign=True) for key in measures]
        chances = [
            case.cell("robust_measures", key, row, 1, scale=100.0)
            for key in ("probability_of_loss", "any_limit_broken")
        ]
        rows.append([robust_name(str(table.at[row, "allocation"]), labels), *amounts, *chances])
    heads = [labels("column.allocation"), *(labels(f"column.by_{key}") for key in measures),
             labels("report.column.loss"), labels("report.column.any_broken")]  # fmt: skip
    return Grid(labels("robust.title.robust_measures"), heads, rows, frozenset(range(1, len(heads))),
                note=labels("report.note.robust", unit=case.unit))  # fmt: skip


def _amounts(case: Case) -> Grid:
    """The average amount a year of every decision, a column per allocation."""
    from sdopt.export.sheets.robust import robust_name

    labels, table = case.labels, case.result.tables["robust_allocations"]
    names = list(dict.fromkeys(table["allocation"]))
    found = case.rows_by("robust_allocations", "variable", "unit", "allocation")
    rows: list[list[Cell]] = []
    for variable, unit in dict.fromkeys(key[:2] for key in found):
        cells = [
            case.summed("robust_allocations", "value", found.get((variable, unit, name), ()), 2, how="mean")
            for name in names
        ]
        rows.append([str(variable), *cells, labels.unit(str(unit))])
    heads = [labels("column.decision"), *(robust_name(str(name), labels) for name in names)]
    return Grid(labels("report.table.robust"), [*heads, labels("column.unit")], rows,
                frozenset(range(1, len(heads))))  # fmt: skip
