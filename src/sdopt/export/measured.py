"""What the improvement of a sweep measures: of what, from when to when, at which rate, in whose prices."""

from __future__ import annotations

from typing import Any

from sdopt.config.discount import rate_steps
from sdopt.config.load import LoadedConfig
from sdopt.config.valuation import chosen_methods
from sdopt.equations.system import EquationSystem
from sdopt.export.labels import Labels
from sdopt.export.views import fact
from sdopt.problem.meaning import resolve
from sdopt.result import Result

PRICES = "price level"
"""The convention of valuation that says in whose prices the model reckons."""


def measured_facts(loaded: LoadedConfig, system: EquationSystem) -> dict[str, Any]:
    """For `Result.figures`: the objective, the years that count, the rates, and what else is known."""
    config = loaded.config
    objective, first = config.objective, config.decision_years.first
    found = resolve(objective.maximise, system)
    base = objective.base_year or first
    steps = [
        step for step in rate_steps(objective.discount_rate) if base + step.from_year < config.horizon.end
    ]
    prices = [row.method for row in chosen_methods(loaded) if row.convention == PRICES]
    return {
        "objective_name": objective.maximise if found is None else found.name,
        "counted_years": [first, config.horizon.end],
        "discount_rates": [step.rate for step in steps],
        "end_value_counts": objective.end_value is not None,
        "price_level": prices[0] if prices else None,
    }


def measured_line(result: Result, labels: Labels) -> str:
    """The same in one sentence; "" where it is not known."""
    name, years, rates = (fact(result, key) for key in ("objective_name", "counted_years", "discount_rates"))
    if not (name and years and rates):
        return ""
    shown = dict(result.provenance.get("labels") or {})
    prices = fact(result, "price_level")
    decimals = [1 if round(1000 * rate, 9) % 1 == 0 else 2 for rate in rates]
    said = [f"{labels.number(100 * rate, d)} %" for rate, d in zip(rates, decimals, strict=True)]
    return labels(
        "found.measured",
        name=shown.get(name, name),
        unit=labels.unit(str(fact(result, "objective_unit") or "")),
        prices=labels("found.measured.prices", year=prices) if prices else "",
        first=f"{years[0]:g}",
        last=f"{years[1]:g}",
        end=labels("found.measured.end") if fact(result, "end_value_counts") else "",
        base=fact(result, "base_year"),
        rates=labels("found.measured.later").join(said),
    )
