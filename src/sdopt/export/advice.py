"""The advice in a few sentences, built by rule from the tables; no sentence without a number behind it."""

from __future__ import annotations

from collections.abc import Iterable

from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.views import by_year, decision_years, fact, has, units
from sdopt.result import Result, Status

NOTHING = 5e-4
"""A change smaller than this share of the largest budget is called unchanged."""
EQUAL = 1e-9
"""Returns that differ by less than this share of their size differ by rounding alone."""
MOST_NAMES = 5
"""Names listed in one sentence."""


def advice_lines(result: Result, labels: Labels) -> list[str]:
    """The return, and the change per decision."""
    return [*return_line(result, labels), *_changes(result, labels)]


def return_line(result: Result, labels: Labels) -> list[str]:
    """What the advice returns against going on as now."""
    objective, null = (to_python(fact(result, key)) for key in ("objective", "null_objective"))
    if not (is_number(objective) and is_number(null)):
        return []
    change = objective - null
    same = abs(change) <= EQUAL * max(abs(objective), abs(null))
    decimals = 2 if same else _decimals(change)
    numbers = {
        "objective": labels.number(objective, decimals),
        "null": labels.number(null, decimals),
        "improvement": labels.number(change, decimals),
        "loss": labels.number(-change, decimals),
        "unit": labels.unit(str(fact(result, "objective_unit") or "")),
    }
    if same:
        return [labels("advice.not_better", **numbers)]
    forced = result.status is not Status.SIMULATED and _null_breaks(result)
    key = "better" if change > 0 else "must_change" if forced else "worse"
    return [labels(f"advice.{key}", **numbers)]


def _null_breaks(result: Result) -> bool:
    """Whether going on as now breaks a constraint."""
    return has(result, "constraints") and bool(result.tables["constraints"]["null_breaks"].any())


def _decimals(size: float) -> int:
    """Decimals that leave three digits to see."""
    return sum(abs(size) < limit for limit in (100, 10, 1, 0.1))


def _changes(result: Result, labels: Labels) -> list[str]:
    """More or less per decision, largest change first; what stays the same in one sentence."""
    if not has(result, "allocation"):
        return []
    table, years = result.tables["allocation"], decision_years(result)
    null, advice = (by_year(table, key)[years].mean(axis=1) for key in ("null", "advice"))
    change, unit = advice - null, units(table)
    least = NOTHING * float(max(null.abs().max(), advice.abs().max()))
    moved = [
        name
        for name in change.abs().sort_values(ascending=False, kind="stable").index
        if abs(change[name]) > least
    ]
    span = f"{years[0]:g}-{years[-1]:g}" if len(years) > 1 else f"{years[0]:g}"
    lines = [_change(labels, name, change[name], null[name], unit[name], span) for name in moved]
    same = [name for name in change.index if name not in moved]
    return [*lines, *([labels("advice.same", names=_listed(same, labels))] if same else [])]


def _change(labels: Labels, name: str, change: float, null: float, unit: str, years: str) -> str:
    """One sentence about one decision."""
    share = f"{labels.number(100 * change / null, 0, sign=True)} %" if null else ""
    return labels(
        "advice.more" if change > 0 else "advice.less",
        name=name,
        change=labels.number(change, _decimals(change), sign=True),
        unit=labels.unit(unit),
        years=years,
        share=labels("advice.share", share=share) if share else "",
    )


def _listed(names: Iterable[str], labels: Labels) -> str:
    """Names with commas; after a handful only how many more there are."""
    names = list(names)
    rest = len(names) - MOST_NAMES
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} {labels('word.continued', count=rest)}" if rest > 0 else shown
