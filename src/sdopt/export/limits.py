"""Limits as readers see them: one row per limit and year, and the sentences about those that matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sdopt.export.labels import Labels
from sdopt.export.names import change_limits
from sdopt.export.views import has
from sdopt.result import Result, Status

if TYPE_CHECKING:
    import pandas as pd

SEEN, LEAST = 5e-5, 1e-6
"""A limit that is passed by less than the first part of its size, or by less than the second, is kept."""
Decided = Mapping[tuple[str, str, float], float]
"""(allocation, variable, year) -> value."""


def shown_limits(result: Result, labels: Labels) -> pd.DataFrame:
    """The table of constraints for readers; the config's own limits first, then those on change.

    A limit that holds at every step has one row per year: its tightest moment, with the shadow prices
    of the year together; a year with one moment has that at its start. A limit on change shows the decision
    itself and how far it could go that year.
    """
    import pandas as pd

    table, changes = result.tables["constraints"], change_limits(result, labels)
    own = _tightest(table[~table["constraint"].isin(list(changes))])
    decided = _decided(result)
    change = [
        _of_decision(row, *changes[row["constraint"]], decided)
        for row in table[table["constraint"].isin(list(changes))].to_dict("records")
    ]
    return pd.concat([own, pd.DataFrame(change, columns=table.columns)]) if change else own


def _tightest(table: pd.DataFrame) -> pd.DataFrame:
    """One row per limit, side and year: that with least slack, marked when any of them is."""
    groups = table.groupby(["constraint", "sense", "year"], sort=False)
    rows = table.loc[groups["slack"].idxmin()].reset_index(drop=True)
    for column, how in (("binding", "any"), ("null_breaks", "any"), ("shadow_price", "sum")):
        known = table["shadow_price"].notna().any() or column != "shadow_price"
        rows[column] = groups[column].agg(how).to_numpy() if known else None
    single = (groups.size().to_numpy() == 1) & (rows["measure"] == "every_step")
    return rows.assign(measure=rows["measure"].mask(single, "year_start"))


def _of_decision(row: Mapping[Any, Any], variable: str, kind: str, decided: Decided) -> dict[str, Any]:
    """A limit on change, rewritten from a sum over two years to the decision in its own year."""
    null, advice = (decided[key, variable, row["year"]] for key in ("null", "advice"))
    sign = 1.0 if kind == "rise" else -1.0
    sense = "at_most" if kind == "rise" else "at_least"
    return {**row, "sense": sense, "limit": advice + sign * row["slack"], "null": null, "advice": advice}


def _decided(result: Result) -> Decided:
    """The value of every decision in every year."""
    table = result.tables["allocation"]
    places = zip(table["allocation"], table["variable"], table["time"], strict=True)
    return dict(zip(places, table["value"].tolist(), strict=True))


def limit_lines(result: Result, labels: Labels) -> list[str]:
    """Which limits and bounds hold the advice back, which it breaks, and which going on as now breaks."""
    if not has(result, "constraints"):
        return []
    table, changes = result.tables["constraints"], change_limits(result, labels)
    passed = _passed(table)
    held = table[table["binding"].astype(bool) & ~passed]
    own = held[~held["constraint"].isin(list(changes))]
    slow = dict.fromkeys(changes[name][0] for name in held["constraint"] if name in changes)
    bind = "limits.no_room" if result.status is Status.SIMULATED else "limits.binding"
    found = {
        bind: _with_years(own, "binding", "constraint", "year"),
        "limits.passed": _with_years(table.assign(passed=passed), "passed", "constraint", "year"),
        "limits.change": "; ".join(slow),
        "limits.bounds": _at_bound(result),
        "limits.broken": _with_years(table, "null_breaks", "constraint", "year"),
    }
    none = {bind: labels("limits.binding_none"), "limits.broken": labels("limits.broken_none")}
    lines = [labels(key, names=names) if names else none.get(key, "") for key, names in found.items()]
    return [line for line in lines if line]


def limits_passed(result: Result) -> bool:
    """Whether the allocation breaks a limit."""
    return has(result, "constraints") and bool(_passed(result.tables["constraints"]).any())


def _passed(table: pd.DataFrame) -> pd.Series:
    """Whether a limit is broken, by more than rounding or what a search leaves."""
    size = table[["limit", "null", "advice"]].abs().max(axis=1)
    return table["slack"] < -(SEEN * size).clip(lower=LEAST)


def _at_bound(result: Result) -> str:
    if not has(result, "decisions"):
        return ""
    return _with_years(result.tables["decisions"], "at_bound", "variable", "period")


def _with_years(table: pd.DataFrame, flag: str, name: str, year: str) -> str:
    """Names for which a yes/no column holds, each with the years in which it does."""
    chosen = table[table[flag].astype(bool)]
    years = chosen.groupby(name, sort=False)[year].unique()
    return "; ".join(f"{title} ({spans(map(int, found))})" for title, found in years.items())


def spans(years: Iterable[int]) -> str:
    """Years as text: `2027-2029, 2031`."""
    numbered = enumerate(sorted(set(years)))
    runs = [[year for _, year in run] for _, run in groupby(numbered, lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
