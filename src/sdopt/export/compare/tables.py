"""What differs between runs, as long tables: a row per thing and run. The column `run` has its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.compare.inputs import SHORT, inputs
from sdopt.export.compare.runs import Run
from sdopt.export.compared_columns import ADVICE, NULL, RUNS
from sdopt.export.kinds import kinds_of
from sdopt.export.limits import spans
from sdopt.export.measured import PRICES
from sdopt.export.sheets.fiscal import TESTED
from sdopt.export.together import SWEPT
from sdopt.export.views import fact, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

ALL = ""
"""Decision that stands for all of them together."""
WHOLE = ""
"""External scenario that stands for all of them together."""
SPREAD = {
    "futures": "scenarios",
    "expected": "mean",
    "low": "q05",
    "median": "q50",
    "high": "q95",
    "better": "positive",
}
"""What a sweep says of the improvement of the advice -> its column in `distribution`."""
MEASURES = (
    *("central", "expected", "cvar", "worst_case", "largest_regret", "probability_of_loss"),
    *("any_limit_broken", "meets_limits"),
)
"""What a robust run says of an allocation."""
FOUND = ("null_objective", "improvement", "bound", "gap", "certified_gap")
UNKNOWN = float("nan")


def compared(runs: Sequence[Run]) -> dict[str, pd.DataFrame]:
    """The tables of a comparison; those without rows are absent.

    `compared_runs`: run (its letter), title, folder, kind, status, language, objective, objective_unit,
    horizon, base_year, discount_rate, price_level, null_objective, improvement, bound, gap, certified_gap,
    gap_amount (how much better another allocation can be), futures (how many were worked out), expected, low,
    median, high, better (of the advice over them: mean, 5 %, 50 % and 95 % point of the improvement,
    probability that it is above 0), seed, sdopt, config (start of its hash). `compared_inputs`: see `inputs`.
    `compared_allocation`: decision, year, run, allocation (null, advice, and those of a robust run), value,
    unit. `compared_decisions`: the same, on average over the years of a decision. `compared_totals`: the
    sum of these, with decision "". `compared_robust`: run, allocation, the columns of MEASURES, unit.
    `compared_return`: component, run, null, advice, difference, unit. `compared_pockets`: pocket, run,
    difference, unit. `compared_perspectives`: perspective, run, difference, of_which_decision_years, unit.
    `compared_limits`: limit, run, slack (the smallest over the years), binds (years), unit.
    `compared_fiscal`: rule, run, verdict on the advice (kept, broken), years (in which it is broken), unit.
    """
    import pandas as pd

    parts = {
        "compared_allocation": _allocation,
        "compared_robust": _robust,
        "compared_return": _return,
        "compared_pockets": _pockets,
        "compared_perspectives": _perspectives,
        "compared_limits": _limits,
        "compared_fiscal": _fiscal,
    }
    tables = {RUNS: pd.DataFrame([_run(run) for run in runs])}
    if rows := list(inputs(runs)):
        tables["compared_inputs"] = pd.DataFrame(rows)
    for name, part in parts.items():
        found = [
            table.assign(run=run.name) for run in runs if (table := part(run)) is not None and len(table)
        ]
        if found:
            tables[name] = pd.concat(found, ignore_index=True)
    if "compared_allocation" in tables:
        tables |= _per_decision(tables["compared_allocation"])
    return tables


def _per_decision(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All years of a decision beside each other, its average, and what all decisions get together."""
    places = {name: place for place, name in enumerate(dict.fromkeys(table["decision"]))}
    ordered = table.assign(place=table["decision"].map(places)).sort_values(["place", "year"], kind="stable")
    ordered = ordered.drop(columns="place").reset_index(drop=True)
    whose = ["unit", "run", "allocation"]
    means = ordered.groupby(["decision", *whose], sort=False)["value"].mean().reset_index()
    sums = means.groupby(whose, sort=False)["value"].sum().reset_index().assign(decision=ALL)
    return {"compared_allocation": ordered, "compared_decisions": means, "compared_totals": sums}


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
        "price_level": _price_level(result),
        **{key: _number(result, key) for key in FOUND},
        "gap_amount": _gap_amount(result),
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


def _price_level(result: Result) -> str:
    """The year of the prices, by a run itself or by its conventions; "" where neither says."""
    said = fact(result, "price_level")
    if said is None and has(result, "conventions"):
        table = result.tables["conventions"]
        said = next(iter(table.loc[table["convention"] == PRICES, "method"]), None)
    return _plain(said)


def _number(result: Result, key: str) -> float:
    """A figure, or what a sweep or robust result says of its advice; nan where there is none."""
    value = to_python(result.figures.get(key, (result.figures.get("advice") or {}).get(key)))
    if value is None and key == "improvement":
        return _robust_advice(result, "central")
    return float(value) if is_number(value) else UNKNOWN


def _gap_amount(result: Result) -> float:
    """How much better another allocation can be: by itself, or from its part of what could be gained."""
    known, gap = (_number(result, key) for key in ("gap_amount", "gap"))
    if is_number(known) or gap == 1:
        return known
    return _number(result, "improvement") * gap / (1 - gap)


def _robust_advice(result: Result, measure: str) -> float:
    """What a robust result says of the advice by a measure."""
    if not has(result, "robust_measures"):
        return UNKNOWN
    table = result.tables["robust_measures"]
    value = to_python(next(iter(table.loc[table["allocation"] == ADVICE, measure]), None))
    return float(value) if is_number(value) else UNKNOWN


def _spread(result: Result) -> dict[str, float]:
    """The advice over the futures of a sweep, or of a robust result (its mean only); nan without any."""
    if has(result, "distribution"):
        table = result.tables["distribution"]
        own = table[(table["allocation"] == ADVICE) & (table["external"].fillna(WHOLE) == WHOLE)]
        if len(own):
            return {name: float(own[column].iloc[0]) for name, column in SPREAD.items()}
    known = {"futures": _number(result, "scenarios"), "expected": _robust_advice(result, "expected")}
    return {**dict.fromkeys(SPREAD, UNKNOWN), **known}


def _allocation(run: Run) -> pd.DataFrame | None:
    """Amounts by decision and year, of whatever kind of run: now, advised, and robust."""
    import pandas as pd

    found = [part for part in (_amounts(run.result), _robust_amounts(run.result)) if part is not None]
    if not found:
        return None
    names = run.result.provenance.get("decision_names") or {}
    table = pd.concat(found, ignore_index=True)
    named = table.assign(decision=table["decision"].map(lambda one: names.get(one, one)))
    return named[["decision", "year", "allocation", "value", "unit"]].astype({"year": float})


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
    return table[table["allocation"].isin((NULL, ADVICE))]


def _robust_amounts(result: Result) -> pd.DataFrame | None:
    """The same of the allocations that a robust run found."""
    if not has(result, "robust_allocations"):
        return None
    table = result.tables["robust_allocations"].rename(columns={"period": "year"})
    return table[~table["allocation"].isin((NULL, ADVICE))]


def _advised(result: Result) -> pd.DataFrame:
    """The same from the tables of an advice, in the years that are decided on."""
    table, decisions = result.tables["allocation"], result.tables["decisions"]
    ids = dict(zip(decisions["variable"], decisions["decision"], strict=True))
    periods = set(zip(decisions["variable"], decisions["period"].astype(float), strict=True))
    own = table.assign(variable=full_names(table)).rename(columns={"time": "year"})
    kept = [pair in periods for pair in zip(own["variable"], own["year"], strict=True)]
    return own[kept].assign(decision=lambda one: one["variable"].map(ids))


def _robust(run: Run) -> pd.DataFrame | None:
    """Every allocation of a robust run by every measure."""
    table = run.result.tables.get("robust_measures")
    if table is None:
        return None
    return table[table["allocation"] != NULL].reindex(columns=["allocation", *MEASURES, "unit"])


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
    return None if table is None else table.reindex(columns=columns)


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
            "binds": spans(map(int, own.loc[own["binding"].astype(bool), "year"].dropna())),
            "unit": unit,
        }
        for (limit, unit), own in table.groupby(["constraint", "unit"], sort=False)
    ]
    return pd.DataFrame(rows)


def _fiscal(run: Run) -> pd.DataFrame | None:
    """Every fiscal rule that was tested, and in which years the advice does not keep it."""
    import pandas as pd

    table, (kept, broken) = run.shown.tables.get("fiscal_rules"), TESTED
    if table is None:
        return None
    tested = table[table["chosen"].astype(bool) & table["verdict"].isin(TESTED)]
    rows = []
    for (rule, title), own in tested.groupby(["id", "title"], sort=False):
        failed = own[own["verdict"] == broken]
        years = spans(map(int, failed["year"].dropna()))
        verdict = broken if len(failed) else kept
        rows.append({"rule": f"{rule} {title}", "verdict": verdict, "years": years, "unit": ""})
    return pd.DataFrame(rows)
