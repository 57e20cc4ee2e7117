"""What the runs of a sweep say together, per allocation: weighted by scenario, without runs that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.chances import NO_SAMPLE
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

LOW, HIGH = 0.05, 0.95
"""Shares of the scenarios whose improvement is below what is shown."""


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value (case,) that, with all below it, has at least this share of the weight."""
    return quantiles(values, weights, [share])[0]


def quantiles(values: Floats, weights: Floats, shares: Sequence[float]) -> list[float]:
    """The same for several shares; nan without values."""
    if not len(values):
        return [np.nan] * len(shares)
    order = np.argsort(values, kind="stable")
    heaped = np.cumsum(weights[order])
    places = np.searchsorted(heaped, np.array(shares) * heaped[-1] * (1 - 1e-12))
    return [float(value) for value in values[order[np.minimum(places, len(order) - 1)]]]


def allocation_table(plan: Plan, outcome: Outcome) -> pd.DataFrame:
    """A row per allocation, the null alternative first.

    allocation, runs, failed, mean, low and high (5 and 95 % point), positive (probability that the
    improvement is above 0), any_broken (probability that some limit is broken), null_broken (the same of the
    null alternative, in the same futures), unit. The null alternative has no improvement. A design that is no
    sample of futures has neither means nor probabilities: of that only the first three columns and the last.
    """
    import pandas as pd

    table = pd.DataFrame([_row(plan, outcome, place) for place in range(len(plan.names))])
    counted = ["allocation", "runs", "failed", "unit"]
    return table[counted] if plan.design in NO_SAMPLE else table


def _row(plan: Plan, outcome: Outcome, place: int) -> dict[str, object]:
    improvement = outcome.improvement[place]
    sound = np.isfinite(improvement)
    values, weights = improvement[sound], plan.scenarios.weights[sound]
    broken = outcome.any_broken[:, sound]
    found = dict.fromkeys(("mean", "low", "high", "positive", "any_broken", "null_broken"), np.nan)
    if len(values) and place > 0:
        found |= {
            "mean": float(np.average(values, weights=weights)),
            **dict(zip(("low", "high"), quantiles(values, weights, [LOW, HIGH]), strict=True)),
            "positive": float(np.average(values > 0, weights=weights)),
        }
    if len(values):
        found["any_broken"] = float(np.average(broken[place], weights=weights))
        found["null_broken"] = float(np.average(broken[0], weights=weights))
    counted = {"runs": len(improvement), "failed": int((~sound).sum())}
    return {"allocation": plan.names[place], **counted, **found, "unit": plan.problem.objective_unit}
