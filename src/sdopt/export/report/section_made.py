"""What the model cannot tell, the assumptions it stands on, and the run that gave these numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_missing, is_number, to_python
from sdopt.export.findings_words import ADVICE
from sdopt.export.report.parts import Block, Case, Cell, Grid, Lines, Section, needed_decimals
from sdopt.export.report.sources import Traced
from sdopt.export.sheets.run import shown_facts
from sdopt.export.views import has
from sdopt.result import Status

if TYPE_CHECKING:
    import pandas as pd

JUDGED = ("judgement", "memory")
"""Where a number comes from when no source was read for it."""
WEAK = "D"
MOST = 12
PEOPLE = ("person", "household")
SMALL = 1e-6
"""Numbers below this are shown with a power of ten."""


def cannot(case: Case) -> Section:
    """What applies to this result, by rule; the weakest assumptions in a table."""
    labels, blocks = case.labels, list[Block]()
    blocks.append(Lines([*_judged(case), *_model(case), *_left_out(case)]))
    if grid := _weakest(case):
        blocks.append(grid)
    return Section("cannot", labels("report.section.cannot"), blocks)


def _judged(case: Case) -> list[str]:
    """How much rests on judgement."""
    if not has(case.result, "assumptions"):
        return []
    labels, table = case.labels, case.result.tables["assumptions"]
    judged, weak = table[table["status"].isin(JUDGED)], table[table["confidence"] == WEAK]
    lines = [labels("report.cannot.judgement", total=case.count("assumptions", "status", table),
                    count=case.count("assumptions", "status", judged))] if len(judged) else []  # fmt: skip
    if len(weak):
        lines.append(labels("report.cannot.weak", count=case.count("assumptions", "confidence", weak)))
    if "drawn" not in case.result.tables and bool(table["uncertain"].astype(bool).any()):
        lines.append(labels("report.cannot.no_sweep"))
    return lines


def _model(case: Case) -> list[str]:
    """What no model of this kind can tell; each line only where it applies."""
    labels, result = case.labels, case.result
    proved = result.status in (Status.OPTIMAL, Status.CERTIFIED)
    lines = [labels("report.cannot.proof")] if proved and case.figure("objective") is not None else []
    units = " ".join(str(unit).lower() for unit in case.table("trajectories").get("unit", ()))
    units = units or " ".join(str(unit).lower() for unit in case.table("fan").get("unit", ()))
    lines += [labels("report.cannot.people")] if any(word in units for word in PEOPLE) else []
    horizon = list(result.provenance.get("horizon") or ())
    if len(horizon) == 2:
        lines.append(labels("report.cannot.null", end=f"{horizon[1]:g}"))
    if has(result, "not_valued"):
        lines.append(
            labels("report.cannot.not_valued", names="; ".join(result.tables["not_valued"]["effect"]))
        )
    return [*lines, labels("report.cannot.counted")]


def _left_out(case: Case) -> list[str]:
    """Limits the proof does without, constants that were not drawn, what comes after the end."""
    labels, result = case.labels, case.result
    lines = []
    if names := result.figures.get("bound_leaves_out"):
        lines.append(labels("report.cannot.left_out", names="; ".join(map(str, names))))
    if has(result, "not_drawn"):
        rows = result.tables["not_drawn"].itertuples()
        lines += [labels(f"found.not_drawn.{row.reason}", name=row.constant) for row in rows]
    if has(result, "end_value") and bool(result.tables["end_value"]["advice_changes"].astype(bool).any()):
        lines.append(labels("report.cannot.end"))
    return lines


def _weakest(case: Case) -> Grid | None:
    """Uncertain assumptions with the weakest evidence; in a sweep those that matter most come first."""
    if not has(case.result, "assumptions"):
        return None
    labels, table = case.labels, case.result.tables["assumptions"]
    chosen = table[table["uncertain"].astype(bool) & (table["confidence"] == WEAK)]
    swings = _swings(case)
    order = sorted(chosen.index, key=lambda row: -swings.get(str(chosen.at[row, "name"]), 0.0))[:MOST]
    rows = [[str(chosen.at[row, "name"]), *_levels(case, "assumptions", chosen.loc[row], row),
             labels.unit(str(chosen.at[row, "unit"]))] for row in order]  # fmt: skip
    heads = [labels(f"column.{key}") for key in ("name", "low", "value", "high", "unit")]
    counts = {"shown": labels.count("assumptions", "name", order),
              "count": labels.count("assumptions", "name", chosen.index)}  # fmt: skip
    caption = labels("report.table.weakest", **counts)
    return Grid(caption, heads, rows, frozenset((1, 2, 3))) if rows else None


def _swings(case: Case) -> dict[str, float]:
    """Constant -> how far it moves what the advice gives, where a sweep says so."""
    if not has(case.result, "tornado"):
        return {}
    table = case.result.tables["tornado"]
    own = table[table["allocation"] == ADVICE]
    return {str(name): float(size) for name, size in own.groupby("factor")["swing"].max().items()}


def _levels(
    case: Case, table: str, row: pd.Series, at: Any, columns: Iterable[str] = ("low", "value", "high")
) -> list[Cell]:
    """A value and its range, with as many decimals as the smallest of them needs."""
    keys = list(columns)
    values = [to_python(row[key]) for key in keys]
    calendar = str(row["unit"]).lower() == "year" and all(1900 <= v <= 2200 for v in values if is_number(v))
    decimals = max((needed_decimals(value) for value in values if is_number(value)), default=0)
    return [
        case.shown(value, f"{table}:{key}:{at}", decimals, marks=not calendar)
        for key, value in zip(keys, values, strict=True)
    ]


def assumptions(case: Case) -> Section | None:
    """Every number the model stands on: value, range, unit, source and status."""
    labels, result = case.labels, case.result
    if has(result, "assumptions"):
        return Section("assumptions", labels("report.section.assumptions"),
                       [Lines([labels("sign.assumptions")], how="text"), _assumed(case)])  # fmt: skip
    if has(result, "drawn"):
        return Section("assumptions", labels("report.section.assumptions"),
                       [Lines([labels("found.note.drawn")], how="text"), _drawn(case)])  # fmt: skip
    return None


def _assumed(case: Case) -> Grid:
    labels, table = case.labels, case.result.tables["assumptions"]
    rows: list[list[Cell]] = []
    for at, row in table.iterrows():
        status, unit = str(row["status"]), row["unit"]
        rows.append(
            [
                str(row["name"]),
                *_levels(case, "assumptions", row, at),
                labels.unit(str(unit)) if isinstance(unit, str) else "",
                labels.yes_no(bool(row["uncertain"])),
                labels.find(f"source.{status}", status),
                *(
                    str(row[key]) if isinstance(row[key], str) else ""
                    for key in ("confidence", "source", "note")
                ),
            ]
        )
    keys = ("name", "low", "value", "high", "unit", "uncertain", "status", "confidence", "source", "note")
    return Grid(labels("report.table.assumptions"), [labels(f"column.{key}") for key in keys], rows,
                frozenset((1, 2, 3)), folded=_all(case, "assumptions", "name"))  # fmt: skip


def _all(case: Case, table: str, column: str) -> str:
    """What unfolds a table of all assumptions: how many there are."""
    count = case.labels.count(table, column, range(len(case.result.tables[table])))
    return case.labels("report.fold.assumptions", count=count)


def _drawn(case: Case) -> Grid:
    """The uncertain numbers of a sweep, with their range and distribution."""
    labels, table = case.labels, case.result.tables["drawn"]
    rows: list[list[Cell]] = []
    for at, row in table.iterrows():
        levels = _levels(case, "drawn", row, at, ("low", "central", "high"))
        rows.append([str(row["constant"]), *levels, labels.unit(str(row["unit"])),
                     labels(f"distribution.{row['distribution']}"), str(row["external"] or "")])  # fmt: skip
    keys = ("factor", "factor_low", "used", "factor_high", "unit", "distribution", "fixed_in")
    return Grid(labels("report.table.drawn"), [labels(f"column.{key}") for key in keys], rows,
                frozenset((1, 2, 3)), folded=_all(case, "drawn", "constant"))  # fmt: skip


def run(case: Case) -> Section:
    """Versions, hashes, seed, gap and tolerances: what it takes to repeat this."""
    labels = case.labels
    facts = shown_facts(case.result, labels)
    rows: list[list[Cell]] = [
        [name, _fact(case, key, value)] for key, name, value in facts if not is_missing(to_python(value))
    ]
    heads = [labels("column.property"), labels("column.value")]
    grid = Grid(labels("report.table.run"), heads, rows, frozenset(),
                folded=labels("report.fold.run"))  # fmt: skip
    return Section("run", labels("report.section.run"), [Lines([labels("sign.run")], how="text"), grid])


def _fact(case: Case, key: str, value: Any) -> Cell:
    """A fact as text, in which numbers of a list have their source, or as a number with its source."""
    if isinstance(value, bool):
        return case.labels.yes_no(value)
    joined = "joined." if case.result.provenance.get("joined") else ""
    known = not joined and key.split(".")[0] in case.result.figures
    source = f"{'figure' if known else 'provenance'}:{joined}{key}"
    number = to_python(value)
    if not is_number(number):
        return _listed(case, source, str(value))
    if 0 < abs(number) < SMALL:
        text = f"{number:.1e}"
        return Traced(number, source, text.replace(".", ",") if case.labels.language == "nl" else text)
    return _number(case, number, source)


def _listed(case: Case, source: str, text: str) -> str:
    """A list as text: years and other numbers in it lead to their place; stocks below zero to their year."""
    if source.startswith("figure:negative_stocks."):
        label = f"certain.negative_{source.rpartition('.')[2]}"
        return case.labels.traced(label, "names", text, {})
    group, _, key = source.partition(":")
    found: Any = case.result.figures if group == "figure" else case.result.provenance
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, (list, tuple)) or not all(map(is_number, found)):
        return text
    return "; ".join(case.inside(_number(case, one, f"{source}.{n}")) for n, one in enumerate(found))


def _number(case: Case, value: float, source: str) -> Cell:
    """A number of the run with its source; a year without a mark for thousands."""
    return case.shown(value, source, _decimals_of_fact(value), marks=not 1900 <= value <= 2200)


def _decimals_of_fact(value: float) -> int:
    return 0 if float(value).is_integer() else max(needed_decimals(value), 2)
