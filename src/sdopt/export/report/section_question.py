"""What was asked, what the advice is, and what an alderman needs to know of it first."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from sdopt.export.advice import NOTHING, advice_lines
from sdopt.export.explanation import short
from sdopt.export.figures.bars import NOT_SPLIT
from sdopt.export.findings_words import ADVICE
from sdopt.export.limits import spans
from sdopt.export.report.gap import best_lines, gap_facts
from sdopt.export.report.parts import Block, Case, Cell, Facts, Grid, Lines, Quoted, Section, decimals_for
from sdopt.export.report.sources import Traced, cell_source
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.programmes import programme_lines
from sdopt.export.views import decision_years, fact, full_names, has, units
from sdopt.result import Status

if TYPE_CHECKING:
    import pandas as pd

MOST = 4
"""Decisions named in the paragraph with the advice; the table has them all."""

PARTY = 0.01
"""A party whose difference is below this part of the largest is not named in the paragraph."""


@dataclass(frozen=True)
class Moved:
    """How one decision moves, on average over the decision years."""

    name: str
    unit: str
    null: float
    advice: float
    source: str
    null_source: str
    advice_source: str
    first: int

    @property
    def change(self) -> float:
        """Advice less now."""
        return self.advice - self.null


def question(case: Case) -> Section | None:
    """What is decided, in which years, and what counts; nothing where no table tells."""
    labels, result = case.labels, case.result
    if not any(has(result, table) for table in ("allocation", "advised", "robust_allocations")):
        return None
    names, years = _asked(case)
    lines = [labels("report.question.decide", names=_listed(case, names), years=years)]
    horizon = list(result.provenance.get("horizon") or ())
    key = "report.question.given" if result.status is Status.SIMULATED else "report.question.best"
    lines.append(labels(key, goal=_goal(case)))
    if len(horizon) == 2:
        lines.append(labels("report.question.compared", end=f"{horizon[1]:g}"))
    return Section("question", labels("report.section.question"), [Lines(lines, how="text")])


def _asked(case: Case) -> tuple[list[str], str]:
    """Names of the decisions, and the years in which they may change."""
    tables = case.result.tables
    if has(case.result, "allocation"):
        years = spans(map(int, decision_years(case.result)))
        return list(dict.fromkeys(full_names(tables["allocation"]))), years
    if has(case.result, "advised"):
        table = tables["advised"]
        years = spans(range(int(table["first_year"].min()), int(table["last_year"].max()) + 1))
        return list(dict.fromkeys(table["decision"])), years
    table = tables["robust_allocations"]
    return list(dict.fromkeys(table["variable"])), spans(int(year) for year in table["period"])


def _goal(case: Case) -> str:
    """What is maximised, as readers know it."""
    if has(case.result, "perspective_totals"):
        table = case.result.tables["perspective_totals"]
        chosen = table[table["maximised"].astype(bool)]
        if len(chosen):
            return case.labels("report.goal", name=chosen["perspective"].iloc[0])
    name = fact(case.result, "objective_name")
    return case.labels("report.goal", name=name) if name else case.labels("report.goal_plain")


def _listed(case: Case, names: list[str]) -> str:
    rest = len(names) - 2 * MOST
    shown = ", ".join(names[: 2 * MOST] if rest > 1 else names)
    return f"{shown} {_continued(case, names[2 * MOST :])}" if rest > 1 else shown


def _continued(case: Case, names: list[str]) -> str:
    """That there are more decisions, and how many."""
    table = next(one for one in ("allocation", "advised", "robust_allocations") if has(case.result, one))
    column = "decision" if table == "advised" else "variable"
    frame = case.result.tables[table]
    found = (full_names(frame) if "subscript" in frame else frame[column]).tolist()
    count = case.labels.count(table, column, [found.index(name) for name in names])
    return case.labels("word.continued", count=count)


def advice(case: Case) -> Section | None:
    """The advice in one paragraph by rule, its main numbers, and every decision in a table."""
    blocks: list[Block] = []
    moved = _moved(case)
    if told := _told(case, moved):
        blocks.append(Lines([" ".join(told)], how="lead"))
    if quoted := concluded(case):
        blocks.append(Quoted(quoted))
    if facts := _facts(case):
        blocks.append(Facts(facts))
    if moved:
        blocks += [_table(case, moved), *_by_years(case)]
    elif has(case.result, "advised"):
        blocks.append(_advised(case))
    if lines := programme_lines(case.result, case.labels):
        blocks.append(Lines(lines))
    return Section("advice", case.labels("report.section.advice"), blocks) if blocks else None


def _told(case: Case, moved: list[Moved]) -> list[str]:
    """Sentences of the paragraph: return, changes, who gains, and how sure."""
    labels, result = case.labels, case.result
    return [
        *advice_lines(result, labels)[: 1 if case.figure("objective") is not None else 0],
        *_changes(case, moved),
        *_whole(case, moved),
        *_parties(case),
        *_perspectives(case),
        *best_lines(case),
    ]


def _moved(case: Case) -> list[Moved]:
    """Every decision, the largest change first; each number is known by its source."""
    if not has(case.result, "allocation"):
        return []
    table, years = case.result.tables["allocation"], decision_years(case.result)
    table = table.assign(full=full_names(table))
    table, unit = table[table["time"].isin(years)], units(case.result.tables["allocation"])
    found = []
    for name, rows in table.groupby("full", sort=False):
        parts = {key: rows.loc[rows["allocation"] == key, "value"] for key in ("null", "advice")}
        at = {key: cell_source("allocation", "value", cells.index, "mean") for key, cells in parts.items()}
        null, best = (float(parts[key].mean()) for key in ("null", "advice"))
        source = f"{at['advice']} - {at['null']}"
        found.append(Moved(str(name), unit[name], null, best, source, at["null"], at["advice"],
                           int(rows.index[0])))  # fmt: skip
    return sorted(found, key=lambda one: -abs(one.change))


def _changes(case: Case, moved: list[Moved]) -> list[str]:
    """More to these, less to those; each with its average change a year."""
    labels = case.labels
    least = NOTHING * max((max(abs(one.null), abs(one.advice)) for one in moved), default=0.0)
    sides = {
        "more": [one for one in moved if one.change > least],
        "less": [one for one in moved if one.change < -least],
    }
    if not moved:
        return []
    if not any(sides.values()):
        return [labels("report.advice.same")]
    named = {key: _named(case, side) for key, side in sides.items()}
    key = "both" if all(sides.values()) else "more" if sides["more"] else "less"
    years, unit = _asked(case)[1], labels.unit(moved[0].unit)
    alike = len({one.unit for one in moved}) == 1
    return [labels(f"report.advice.{key}", years=years, **named, unit=f" ({unit})" if alike and unit else "")]


def _named(case: Case, side: list[Moved]) -> str:
    labels = case.labels
    names = []
    for one in side[: MOST if len(side) > MOST + 1 else None]:
        change = Traced(one.change, one.source, short(case.plain, one.change, sign=True))
        names.append(labels("report.advice.one", name=one.name, change=case.sources.mark(change)))
    rest = [one.name for one in side[len(names) :]]
    return f"{', '.join(names)} {_continued(case, rest)}" if rest else ", ".join(names)


def _whole(case: Case, moved: list[Moved]) -> list[str]:
    """What all decisions together get more or less a year, where all are amounts of money."""
    said = {case.labels.unit(one.unit) for one in moved}
    if len(moved) < 2 or len(said) != 1 or "eur" not in moved[0].unit.lower():
        return []
    table = case.result.tables["allocation"]
    table = table[table["time"].isin(decision_years(case.result))]
    rows = {key: table.index[table["allocation"] == key] for key in ("null", "advice")}
    best, null = (cell_source("allocation", "value", rows[key], "sum") for key in ("advice", "null"))
    years = moved[0].null_source.rpartition(":")[0] + ":count"
    change = Traced(fsum(one.change for one in moved), f"{best} - {null} / {years}",
                    short(case.plain, fsum(one.change for one in moved), sign=True))  # fmt: skip
    return [case.labels("report.advice.whole", change=case.sources.mark(change), unit=said.pop())]


def _parties(case: Case) -> list[str]:
    """Who gains and who loses, the largest first; what is next to nothing is left to the table."""
    if not has(case.result, "ledger"):
        return []
    labels, values = case.labels, case.values("ledger", "difference")
    sums = {str(pocket): fsum(values[row] for row in rows)
            for (pocket,), rows in case.rows_by("ledger", "pocket").items()}  # fmt: skip
    least = PARTY * max(map(abs, sums.values()))
    rows = case.rows_by("ledger", "pocket")
    named = {
        pocket: labels("report.advice.one", name=pocket_name(pocket, labels), change=case.sources.mark(one))
        for pocket in sums
        if pocket != NOT_SPLIT
        and isinstance(one := case.summed("ledger", "difference", rows[(pocket,)], 2, sign=True), Traced)
    }
    order = sorted(named, key=lambda pocket: -abs(sums[pocket]))
    sides = {
        "more": ", ".join(named[one] for one in order if sums[one] > least),
        "less": ", ".join(named[one] for one in order if sums[one] < -least),
    }
    key = "both" if all(sides.values()) else "more" if sides["more"] else "less" if sides["less"] else ""
    unit = labels.unit(str(case.values("ledger", "unit")[0]))
    return [labels(f"report.parties.{key}", unit=unit, **sides)] if key else []


def _perspectives(case: Case) -> list[str]:
    """What the advice means from every side, beside each other."""
    if not has(case.result, "perspective_totals"):
        return []
    labels, table = case.labels, case.result.tables["perspective_totals"]
    named = [
        labels("report.advice.one", name=row.perspective, change=labels.number(row.difference, 2, sign=True))
        for row in table.itertuples()
    ]
    unit = labels.unit(str(table["unit"].iloc[0]))
    return [labels("report.advice.sides", names="; ".join(named), unit=unit)]


def concluded(case: Case) -> list[tuple[str, str]]:
    """What a sweep says of the advice by rule, in its own words."""
    if not has(case.result, "conclusions"):
        return []
    table = case.result.tables["conclusions"]
    own = table[(table["allocation"] == ADVICE) & (table["against"] == "null")]
    return [(str(words), f"conclusions:words:{row}") for row, words in own["words"].items()]


def _facts(case: Case) -> list[tuple[str, Cell, str, str]]:
    """Return, distance to the best, chance of a gain, chance that a limit is broken."""
    labels, unit = case.labels, case.unit
    found: list[tuple[str, Cell, str, str]] = []
    gained = case.figure("improvement")
    if gained is not None and case.figure("objective") is not None:
        cell = case.shown(gained, "figure:improvement", decimals_for([gained]), sign=True)
        found.append((labels("report.fact.gain"), cell, unit, labels("report.fact.improvement")))
    for one in ("conclusions", "limits"):
        if has(case.result, one):
            found += _chance(case, one)
    found += _sides(case)
    return [*found, *gap_facts(case)]


def _sides(case: Case) -> list[tuple[str, Cell, str, str]]:
    """The difference from the first perspective that is not the aim: mostly the municipality's money."""
    if not has(case.result, "perspective_totals"):
        return []
    table = case.result.tables["perspective_totals"]
    rows = table.index[~table["maximised"].astype(bool)][:1]
    unit = case.labels.unit(str(table["unit"].iloc[0]))
    return [
        (str(table.at[row, "perspective"]), case.cell("perspective_totals", "difference", row, 2, sign=True),
         unit, case.labels("report.fact.side"))
        for row in rows
    ]  # fmt: skip


def _chance(case: Case, table: str) -> list[tuple[str, Cell, str, str]]:
    """One chance of a sweep: that the advice gives more, or that it breaks a limit."""
    rows = case.result.tables[table]
    rows = rows[rows["allocation"] == ADVICE]
    if table == "conclusions":
        rows, column, key = rows[rows["against"] == "null"], "probability", "chance"
    else:
        rows, column, key = rows[(rows["external"] == "") & (rows["limit"] == "")], "broken", "broken"
    # A limit may break as often without the advice: that chance stands in the same words.
    return [
        (case.labels(f"report.fact.{key}"), case.cell(table, column, row, 0, scale=100.0), "%",
         case.labels(f"report.fact.{key}_says", **({"now": _now(case, row)} if key == "broken" else {})))
        for row in rows.index[:1]
    ]  # fmt: skip


def _now(case: Case, row: int) -> str:
    """The chance that a limit breaks in the null alternative, inside a sentence."""
    cell = case.cell("limits", "null_broken", row, 0, scale=100.0)
    return case.sources.mark(cell) if isinstance(cell, Traced) else cell


def _table(case: Case, moved: list[Moved]) -> Grid:
    """Now, advice and difference of every decision, on average a year."""
    labels = case.labels
    decimals = min(decimals_for([one.change for one in moved]), 2)
    heads = [labels("column.decision"), labels("answer.now")]
    heads += [labels(f"column.{key}") for key in ("advice", "difference", "share")]
    said = list(dict.fromkeys(labels.unit(one.unit) for one in moved))
    rows: list[list[Cell]] = []
    for one in moved:
        share = one.change / one.null if one.null else None
        source = f"{one.source} / {one.null_source}"
        rows.append(
            [
                one.name,
                case.shown(one.null, one.null_source, decimals),
                case.shown(one.advice, one.advice_source, decimals),
                case.shown(one.change, one.source, decimals, sign=True),
                case.shown(share, source, 0, sign=True, scale=100.0),
                *([labels.unit(one.unit)] if len(said) > 1 else []),
            ]
        )
    caption = labels("report.table.allocation", years=_asked(case)[1])
    folded = _all(case, "allocation", [one.first for one in moved])
    heads += [labels("column.unit")] if len(said) > 1 else []
    note = labels("report.note.unit", unit=said[0]) if len(said) == 1 else ""
    return Grid(caption, heads, rows, frozenset((1, 2, 3, 4)), note=note, folded=folded)


def _all(case: Case, table: str, rows: list[int]) -> str:
    """What unfolds a long table: how many decisions it has, by a row of each."""
    count = case.labels.count(table, "variable", rows)
    return case.labels("report.fold.allocation", count=count) if len(rows) > 4 * MOST else ""


def _advised(case: Case) -> Grid:
    """Today and the advice of every decision, as a sweep knows them."""
    labels, table = case.labels, case.result.tables["advised"]
    rows: list[list[Cell]] = []
    for row, found in table.iterrows():
        source = f"advised:advised:{row} - advised:today:{row}"
        change = case.shown(found["advised"] - found["today"], source, 2, sign=True)
        amounts = [case.cell("advised", key, row, 2) for key in ("today", "advised")]
        rows.append([str(found["decision"]), *amounts, change, labels.unit(str(found["unit"]))])
    heads = [labels("column.decision"), labels("answer.now")]
    heads += [labels(f"column.{key}") for key in ("advice", "difference", "unit")]
    caption = labels("report.table.allocation", years=_asked(case)[1])
    folded = _all(case, "advised", list(table.index))
    return Grid(caption, heads, rows, frozenset((1, 2, 3)), folded=folded)


def _by_years(case: Case) -> list[Grid]:
    """The advised amount of every decision in every year, and what it is now."""
    labels, years = case.labels, decision_years(case.result)
    table = case.result.tables["allocation"]
    table = table.assign(full=full_names(table))
    unit, rows = units(case.result.tables["allocation"]), []
    for name, own in table[table["time"].isin(years)].groupby("full", sort=False):
        decimals = min(decimals_for(own["value"]), 2)
        rows.append([str(name), *(_by_year(case, own, years, decimals)), labels.unit(unit[name])])
    heads = [labels("column.decision"), labels("answer.now"), *case.years("allocation", "time", years)]
    numbers = frozenset(range(1, len(years) + 2))
    caption = labels("report.table.years")
    return [Grid(caption, [*heads, labels("column.unit")], rows, numbers, folded=labels("report.fold.years"))]


def _by_year(case: Case, rows: pd.DataFrame, years: list[float], decimals: int) -> list[Cell]:
    """What it is now in the first year, then the advice by year."""
    first = [
        case.cell("allocation", "value", row, decimals)
        for row in rows.index[(rows["allocation"] == "null") & (rows["time"] == years[0])]
    ]
    return [
        *first,
        *(
            case.cell("allocation", "value", row, decimals)
            for year in years
            for row in rows.index[(rows["allocation"] == "advice") & (rows["time"] == year)]
        ),
    ]
