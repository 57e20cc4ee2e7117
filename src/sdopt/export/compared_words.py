"""What stands out and what needs care, in sentences by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from sdopt.export.certainty import rounded_up
from sdopt.export.compared_columns import ADVICE
from sdopt.export.figures.figure import allocation_word, in_hundred
from sdopt.export.labels import Cells, Labels
from sdopt.export.views import has
from sdopt.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd

ALIKE = ("objective", "objective_unit", "price_level", "horizon", "base_year", "discount_rate")
"""What must be the same for returns to be comparable."""
FINISHED = (Status.OPTIMAL.key, Status.CERTIFIED.key, Status.LOCAL.key)
MOST = 3
"""Decisions that a sentence names."""
NOTHING = 5e-4
"""Amounts that differ by less than this part of the largest are the same."""


def found_lines(result: Result, labels: Labels) -> list[str]:
    """What every advice returns, and where its allocation differs most from the first."""
    runs = result.tables["compared_runs"]
    gains = [_gain(row, labels) for row in runs.to_dict("records")]
    return [*gains, *_robust(result, labels), *_differences(result, labels)]


def _robust(result: Result, labels: Labels) -> Iterator[str]:
    """What every robust allocation gives on average, in the worst futures, and if all goes as expected."""
    if not has(result, "compared_robust"):
        return
    for row in result.tables["compared_robust"].to_dict("records"):
        amounts = {key: float(row[key]) for key in ("expected", "cvar", "central")}
        if row["allocation"] != ADVICE and not np.isnan(list(amounts.values())).any():
            said = {
                key: labels.number(value, _decimals(abs(value)), sign=True) for key, value in amounts.items()
            }
            name = allocation_word(str(row["allocation"]), labels)
            unit = labels.unit(str(row["unit"]))
            yield labels("compared.robust_gain", run=row["run"], name=name, unit=unit, **said)


def _gain(run: dict[str, object], labels: Labels) -> str:
    """One run: improvement, what may be missing, and the chance that it is better."""
    gain, unit = float(str(run["improvement"])), labels.unit(str(run["objective_unit"]))
    if np.isnan(gain):
        return labels("compared.gain_none", run=run["run"], title=run["title"])
    key, amount = ("loss" if gain < 0 else "gain"), labels.number(abs(gain), max(2, _decimals(abs(gain))))
    lines = [labels(f"compared.{key}", run=run["run"], title=run["title"], amount=amount, unit=unit)]
    missing, better = float(str(run.get("gap_amount", np.nan))), float(str(run["better"]))
    if not np.isnan(missing):
        digits = _decimals(missing) + (missing > 0)
        most = labels.number(rounded_up(missing, digits), digits)
        lines.append(labels("compared.gap", run=run["run"], amount=most, unit=unit))
    else:
        lines.append(labels("report.best.unknown"))
    if not np.isnan(better):
        lines.append(labels("compared.chance", run=run["run"], chance=in_hundred(labels, better)))
    return " ".join(lines)


def _decimals(value: float) -> int:
    """Enough for the first digit that is not zero, at most six."""
    return 2 if value >= 0.01 or value == 0 else min(6, int(-np.floor(np.log10(value))))


def _differences(result: Result, labels: Labels) -> Iterator[str]:
    """Per later run the decisions that differ most from the first."""
    names = list(result.tables["compared_runs"]["run"])
    if not has(result, "compared_decisions"):
        yield labels("compared.none")
        return
    table = result.tables["compared_decisions"]
    advised = table[table["allocation"] == ADVICE]
    wide = advised.pivot_table(index=["decision", "unit"], columns="run", values="value", sort=False)
    first = names[0]
    for run in names[1:]:
        if first not in wide or run not in wide:
            continue
        both = wide[[first, run]].dropna()
        yield (
            _difference(both, first, run, labels)
            if len(both)
            else labels("compared.none_of", run=run, first=first)
        )
        for own, other in ((first, run), (run, first)):
            if len(both) and (count := int((wide[own].notna() & wide[other].isna()).sum())):
                yield counted("apart", count, labels, run=own, other=other)


def counted(key: str, count: int, labels: Labels, *, of: Cells | None = None, **values: object) -> str:
    """The sentence `compared.many.KEY` about so many things (those `of`), or `compared.one.KEY` about one."""
    if count == 1:
        return labels(f"compared.one.{key}", **values)
    return labels(f"compared.many.{key}", count=labels.number(count, 0, of=of), **values)


def _difference(both: pd.DataFrame, first: str, run: str, labels: Labels) -> str:
    change = both[run] - both[first]
    size = change.abs()
    top = size[size > NOTHING * float(both.abs().to_numpy().max() or 1.0)].sort_values(
        ascending=False, kind="stable"
    )
    if top.empty:
        return labels("compared.same_allocation", run=run, first=first)
    parts = [
        labels(
            "compared.part",
            name=name,
            change=labels.number(change[name, unit], _decimals(abs(change[name, unit])), sign=True),
            unit=labels.unit(unit),
        )
        for name, unit in top.index[:MOST]
    ]
    return labels("compared.allocation", run=run, first=first, parts="; ".join(parts))


def care_lines(result: Result, labels: Labels) -> list[str]:
    """What makes returns hard to compare, what was not finished, and how much of the inputs differs."""
    runs = result.tables["compared_runs"]
    lines = [line for key in ALIKE if (line := _differs(runs, key, labels))]
    if runs["kind"].nunique() > 1:
        lines.append(labels("compared.kinds", values=_values(runs, "kind", labels, kinds_text)))
    lines += _futures(runs, labels)
    if _many(result, "file", "model"):
        lines.append(labels("compared.model"))
    if _many(result, "file", "municipality"):
        lines.append(labels("compared.municipality"))
    if runs["sdopt"].nunique() > 1:
        lines.append(labels("compared.version", values=_values(runs, "sdopt", labels)))
    lines += [
        labels("compared.stopped", run=run, status=labels(f"status.{status}"))
        for run, status in zip(runs["run"], runs["status"], strict=True)
        if status not in FINISHED
    ]
    return [*lines, inputs_line(result, labels)]


def _differs(runs: pd.DataFrame, key: str, labels: Labels) -> str:
    """A warning where not all known values are the same."""
    known = runs[runs[key] != ""]
    if known[key].nunique() < 2:
        return ""
    return labels("compared.differs", what=labels(f"compared.{key}"), values=_values(known, key, labels))


def _values(
    runs: pd.DataFrame, key: str, labels: Labels, said: Callable[[str, Labels], str] = lambda text, _: text
) -> str:
    pairs = [(run, said(str(value), labels)) for run, value in zip(runs["run"], runs[key], strict=True)]
    return "; ".join(labels("compared.value", run=run, value=value) for run, value in pairs)


def kinds_text(kinds: str, labels: Labels) -> str:
    """Which kinds of run a result holds, in words."""
    return ", ".join(labels.find(f"run_kind.{one}", one) for one in kinds.split(", "))


def _futures(runs: pd.DataFrame, labels: Labels) -> Iterator[str]:
    """That chances and means are over other futures, which differ by their number or their seed."""
    known = runs[runs["futures"].notna()]
    if len(known[["futures", "seed"]].drop_duplicates()) > 1:
        counts = [f"{labels.number(count, 0)} (seed {seed})" for count, seed in
                  zip(known["futures"], known["seed"], strict=True)]  # fmt: skip
        yield labels("compared.futures", values=_values(known.assign(futures=counts), "futures", labels))


def _many(result: Result, kind: str, place: str) -> bool:
    """Whether the inputs differ at a place."""
    if not has(result, "compared_inputs"):
        return False
    table = result.tables["compared_inputs"]
    return bool(((table["kind"] == kind) & (table["place"] == place)).any())


def inputs_line(result: Result, labels: Labels) -> str:
    """In how many places the inputs differ, and in which files and parts of the config."""
    if not has(result, "compared_inputs"):
        return labels("compared.same_inputs")
    table = result.tables["compared_inputs"][["kind", "place"]].drop_duplicates()
    parts: dict[str, list[int]] = {}
    for row, kind, place in table.itertuples():
        part = str(place).partition(" > ")[0] if kind == "config" else labels(f"compared.inputs.{kind}")
        parts.setdefault(part, []).append(row)
    said = ", ".join(
        f"{part} ({labels.count('compared_inputs', 'place', rows)})" for part, rows in parts.items()
    )
    of = "compared_inputs", "place", table.index, "count"
    return counted("inputs", len(table), labels, of=of, parts=said)
