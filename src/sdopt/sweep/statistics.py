"""What the runs of a sweep say together, per allocation: weighted by scenario, without runs that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, limit_names

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

LOW, HIGH = 0.05, 0.95
"""Shares of the scenarios whose improvement is below what is shown."""


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value (case,) that, with all below it, has at least this share of the weight."""
    order = np.argsort(values, kind="stable")
    heaped = np.cumsum(weights[order])
    place = np.searchsorted(heaped, share * heaped[-1] * (1 - 1e-12))
    return float(values[order[min(place, len(order) - 1)]])


def allocation_table(plan: Plan, outcome: Outcome) -> pd.DataFrame:
    """A row per allocation but the null alternative.

    allocation, runs, failed, mean, low and high (5 and 95 % point), positive (probability that the
    improvement is above 0), any_broken (probability that some limit is broken), unit
    """
    import pandas as pd

    rows = [_row(plan, outcome, place) for place in range(1, len(plan.names))]
    return pd.DataFrame(rows)


def _row(plan: Plan, outcome: Outcome, place: int) -> dict[str, object]:
    improvement = outcome.improvement[place]
    sound = np.isfinite(improvement)
    values, weights = improvement[sound], plan.scenarios.weights[sound]
    row = {"allocation": plan.names[place], "runs": len(improvement), "failed": int((~sound).sum())}
    if not len(values):
        nothing = dict.fromkeys(("mean", "low", "high", "positive", "any_broken"), np.nan)
        return {**row, **nothing, "unit": plan.problem.objective_unit}
    broken = outcome.broken[place][:, sound].any(axis=0)
    return {
        **row,
        "mean": float(np.average(values, weights=weights)),
        "low": quantile(values, weights, LOW),
        "high": quantile(values, weights, HIGH),
        "positive": float(np.average(values > 0, weights=weights)),
        "any_broken": float(np.average(broken, weights=weights)),
        "unit": plan.problem.objective_unit,
    }


def limit_table(plan: Plan, outcome: Outcome) -> pd.DataFrame:
    """Probability that a named limit is broken: allocation, limit, probability; the null alternative too."""
    import pandas as pd

    rows = []
    for place, name in enumerate(plan.names):
        sound = np.isfinite(outcome.improvement[place])
        weights = plan.scenarios.weights[sound]
        for k, limit in enumerate(limit_names(plan)):
            broken = outcome.broken[place, k, sound]
            share = float(np.average(broken, weights=weights)) if len(weights) else np.nan
            rows.append((name, limit, share))
    return pd.DataFrame(rows, columns=["allocation", "limit", "probability"])
