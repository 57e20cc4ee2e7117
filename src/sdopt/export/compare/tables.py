"""What differs between runs, as long tables: a row per thing and run. The column `run` has its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.compare.inputs import SHORT, inputs
from sdopt.export.compare.runs import Run
from sdopt.export.kinds import kinds_of
from sdopt.export.sheets.compared import COMPARED
from sdopt.export.together import SWEPT
from sdopt.export.views import fact, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

WHOLE = ""
"""External scenario that stands for all of them together."""
SPREAD = {"expected": "mean", "low": "q05", "median": "q50", "high": "q95", "better": "positive"}
"""What a sweep says of the improvement of the advice -> its column in `distribution`."""
FOUND = ("null_objective", "improvement", "bound", "gap", "certified_gap")
UNKNOWN = float("nan")


def compared(runs: Sequence[Run]) -> dict[str, pd.DataFrame]:
    """The tables of a comparison; those without rows are absent.

    `compared_runs`: run (its letter), title, folder, kind, status, language, objective, objective_unit,
    horizon, base_year, discount_rate, null_objective, improvement, bound, gap, certified_gap, expected,
    low, median, high, better (over the futures of a sweep: mean, 5 %, 50 % and 95 % point of the improvement,
    probability that it is above 0), seed, sdopt, config (start of its hash).
    `compared_inputs`: see `inputs`. `compared_allocation`: decision, year, run, null, advice, unit.
    `compared_decisions`: the same, on average over the years of a decision.
    `compared_return`: component, run, null, advice, difference, unit. `compared_pockets`: pocket, run,
    difference, unit. `compared_perspectives`: perspective, run, difference, of_which_decision_years, unit.
    `compared_limits`: limit, run, slack (the smallest over the years), binds (years), unit.
    """
    import pandas as pd

    parts = {
        "compared_allocation": _allocation,
        "compared_return": _return,
        "compared_pockets": _pockets,
        "compared_perspectives": _perspectives,
        "compared_limits": _limits,
    }
    tables = {COMPARED: pd.DataFrame([_run(run) for run in runs])}
    if rows := list(inputs(runs)):
        tables["compared_inputs"] = pd.DataFrame(rows)
    for name, part in parts.items():
        found = [
            table.assign(run=run.name) for run in runs if (table := part(run)) is not None and len(table)
        ]
        if found:
            tables[name] = pd.concat(found, ignore_index=True)
    if "compared_allocation" in tables:
        own = tables["compared_allocation"].groupby(["decision", "unit", "run"], sort=False)
        tables["compared_decisions"] = own[["null", "advice"]].mean().reset_index()
    return tables


def _run(run: Run) -> dict[str, Any]:
    """How a run was made, and what it found as a whole."""
    result = run.result
    facts = {key: _plain(fact(result, key)) for key in ("objective_unit", "base_year", "discount_rate")}
    return {
        "run": run.name,
        "title": run.title,
        "folder": run.folder,
        "kind": ", ".join(kinds_of(result)),
        "status": result.status.key,
        "language": result.language,
        "objective": _objective(run),
        "horizon": "-".join(f"{year:g}" for year in fact(result, "horizon") or ()),
        **facts,
        **{
            key: _number(result, key)
            for key in ("null_objective", "improvement", "bound", "gap", "certified_gap")
        },
        **_spread(result),
        "seed": _plain(fact(result, "seed")),
        "sdopt": _plain((fact(result, "versions") or {}).get("sdopt")),
        "config": _plain(fact(result, "config_hash"))[:SHORT],
    }


def _objective(run: Run) -> str:
    """What is maximised, by its name for readers."""
    asked = run.config.get("objective")
    name = asked.get("maximise", "") if isinstance(asked, Mapping) else ""
    return _plain((run.result.provenance.get("labels") or {}).get(name, name))


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _number(result: Result, key: str) -> float:
    """A figure, or what a sweep or robust result says of its advice; nan where there is none."""
    value = to_python(result.figures.get(key, (result.figures.get("advice") or {}).get(key)))
    if value is None and key == "improvement" and has(result, "robust_measures"):
        table = result.tables["robust_measures"]
        value = next(iter(table.loc[table["allocation"] == "advice", "central"]), None)
    return float(value) if is_number(value) else UNKNOWN


def _spread(result: Result) -> dict[str, float]:
    """The improvement of the advice over the futures of a sweep; nan without one."""
    if has(result, "distribution"):
        table = result.tables["distribution"]
        own = table[(table["allocation"] == "advice") & (table["external"].fillna(WHOLE) == WHOLE)]
        if len(own):
            return {name: float(own[column].iloc[0]) for name, column in SPREAD.items()}
    return dict.fromkeys(SPREAD, UNKNOWN)


def _allocation(run: Run) -> pd.DataFrame | None:
    """Amounts now and as advised by decision and year, of whatever kind of run."""
    table = _amounts(run.result)
    if table is None:
        return None
    names = run.result.provenance.get("decision_names") or {}
    wide = table.pivot_table(
        index=["decision", "year", "unit"], columns="allocation", values="value", sort=False
    ).reset_index()
    named = wide.assign(decision=wide["decision"].map(lambda one: names.get(one, one)))
    return named[["decision", "year", "null", "advice", "unit"]]


def _amounts(result: Result) -> pd.DataFrame | None:
    """Columns decision, year, allocation (null, advice), value, unit; None where a run does not say."""
    if has(result, "decisions") and has(result, "allocation"):
        return _advised(result)
    if has(result, SWEPT):
        table = result.tables[SWEPT]
    elif has(result, "robust_allocations"):
        table = result.tables["robust_allocations"].rename(columns={"period": "year"})
    else:
        return None
    return table[table["allocation"].isin(("null", "advice"))]


def _advised(result: Result) -> pd.DataFrame:
    """The same from the tables of an advice, in the years that are decided on."""
    table, decisions = result.tables["allocation"], result.tables["decisions"]
    ids = dict(zip(decisions["variable"], decisions["decision"], strict=True))
    periods = set(zip(decisions["variable"], decisions["period"].astype(float), strict=True))
    own = table.assign(variable=full_names(table)).rename(columns={"time": "year"})
    kept = [pair in periods for pair in zip(own["variable"], own["year"], strict=True)]
    return own[kept].assign(decision=lambda one: one["variable"].map(ids))


def _return(run: Run) -> pd.DataFrame | None:
    return run.shown.tables.get("return")


def _pockets(run: Run) -> pd.DataFrame | None:
    """What every pocket gains, all effects together."""
    table = run.shown.tables.get("ledger")
    return (
        None
        if table is None
        else table.groupby(["pocket", "unit"], sort=False)["difference"].sum().reset_index()
    )


def _perspectives(run: Run) -> pd.DataFrame | None:
    table = run.shown.tables.get("perspective_totals")
    columns = ["perspective", "difference", "of_which_decision_years", "unit"]
    return None if table is None else table[columns]


def _limits(run: Run) -> pd.DataFrame | None:
    """The least that is left of every limit of the council and the fiscal rules, and when it binds."""
    import pandas as pd

    table = run.shown.tables.get("constraints")
    if table is None:
        return None
    rows = [
        {
            "limit": limit,
            "slack": float(own["slack"].min()),
            "binds": ", ".join(f"{year:g}" for year in own.loc[own["binding"].astype(bool), "year"].dropna()),
            "unit": unit,
        }
        for (limit, unit), own in table.groupby(["constraint", "unit"], sort=False)
    ]
    return pd.DataFrame(rows)
