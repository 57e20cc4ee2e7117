"""What stands out and what needs care, in sentences by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sdopt.export.figures.figure import in_hundred
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd

ALIKE = ("objective", "objective_unit", "horizon", "base_year", "discount_rate")
"""What must be the same for returns to be comparable."""
FINISHED = (Status.OPTIMAL.key, Status.CERTIFIED.key, Status.LOCAL.key)
MOST = 3
"""Decisions that a sentence names."""
NOTHING = 5e-4
"""Amounts that differ by less than this part of the largest are the same."""


def found_lines(result: Result, labels: Labels) -> list[str]:
    """What every advice returns, and where its allocation differs most from the first."""
    runs = result.tables["compared_runs"]
    return [*(_gain(row, labels) for row in runs.to_dict("records")), *_differences(result, labels)]


def _gain(run: dict[str, object], labels: Labels) -> str:
    """One run: improvement, what may be missing, and the chance that it is better."""
    gain, unit = float(str(run["improvement"])), labels.unit(str(run["objective_unit"]))
    if np.isnan(gain):
        return labels("compared.gain_none", run=run["run"], title=run["title"])
    key, amount = ("loss" if gain < 0 else "gain"), labels.number(abs(gain), max(2, _decimals(abs(gain))))
    lines = [labels(f"compared.{key}", run=run["run"], title=run["title"], amount=amount, unit=unit)]
    gap, better = float(str(run["gap"])), float(str(run["better"]))
    if not np.isnan(gap):
        missing = abs(gain) * gap
        lines.append(labels("compared.gap", amount=labels.number(missing, _decimals(missing)), unit=unit))
    else:
        lines.append(labels("report.best.unknown"))
    if not np.isnan(better):
        lines.append(labels("compared.chance", chance=in_hundred(labels, better)))
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
    wide = table.pivot_table(index=["decision", "unit"], columns="run", values="advice", sort=False)
    first = names[0]
    for run in names[1:]:
        if first in wide and run in wide and len(both := wide[[first, run]].dropna()):
            yield _difference(both, first, run, labels)
            if apart := int((wide[first].isna() != wide[run].isna()).sum()):
                yield labels("compared.apart", run=run, first=first, count=labels.number(apart, 0))


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
    if _many(result, "file", "model"):
        lines.append(labels("compared.model"))
    if _many(result, "file", "municipality"):
        lines.append(labels("compared.municipality"))
    if runs["sdopt"].nunique() > 1:
        lines.append(labels("compared.version", values=_values(runs, "sdopt", labels)))
    lines += [
        labels("compared.robust", run=run)
        for run, kind in zip(runs["run"], runs["kind"], strict=True)
        if "robust" in str(kind).split(", ")
    ]
    lines += [
        labels("compared.stopped", run=run, status=labels(f"status.{status}"))
        for run, status in zip(runs["run"], runs["status"], strict=True)
        if status not in FINISHED
    ]
    return [*lines, _inputs(result, labels)]


def _differs(runs: pd.DataFrame, key: str, labels: Labels) -> str:
    """A warning where not all known values are the same."""
    known = runs[runs[key] != ""]
    if known[key].nunique() < 2:
        return ""
    return labels("compared.differs", what=labels(f"compared.{key}"), values=_values(known, key, labels))


def _values(runs: pd.DataFrame, key: str, labels: Labels) -> str:
    pairs = zip(runs["run"], runs[key], strict=True)
    return "; ".join(labels("compared.value", run=run, value=value) for run, value in pairs)


def _many(result: Result, kind: str, place: str) -> bool:
    """Whether the inputs differ at a place."""
    if not has(result, "compared_inputs"):
        return False
    table = result.tables["compared_inputs"]
    return bool(((table["kind"] == kind) & (table["place"] == place)).any())


def _inputs(result: Result, labels: Labels) -> str:
    if not has(result, "compared_inputs"):
        return labels("compared.same_inputs")
    places = result.tables["compared_inputs"][["kind", "place"]].drop_duplicates()
    return labels("compared.inputs", count=labels.number(len(places), 0))
