"""How kept outputs spread over the years: quantiles over all scenarios, per allocation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.findings import SHARES
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome, all_rows

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

HELD = 256 * 2**20
"""Bytes of kept values that are held at a time."""


def fan_table(plan: Plan, outcome: Outcome, parts: Parts) -> DataFrame:
    """allocation, variable, subscript, time, q05, q25, q50, q75, q95, unit; without runs that failed.

    Outputs are read in turn when all do not fit in memory.
    """
    import pandas as pd

    rows = []
    for first, kept in _some_outputs(plan, parts):
        for place, name in enumerate(plan.names):
            sound = np.isfinite(outcome.improvement[place])
            points = _points(kept[place][..., sound], plan.scenarios.weights[sound])
            for number, of_output in enumerate(points):
                variable = plan.problem.system.variables[plan.outputs[first + number]]
                before = (name, variable.parts[0], variable.parts[1])
                rows += [
                    (*before, time, *at, variable.unit)
                    for time, at in zip(plan.times.tolist(), of_output.tolist(), strict=True)
                ]
    columns = ["allocation", "variable", "subscript", "time", *SHARES, "unit"]
    table = pd.DataFrame(rows, columns=columns)
    order = {name: place for place, name in enumerate(plan.names)}
    return table.sort_values(
        "allocation", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def _some_outputs(plan: Plan, parts: Parts) -> Iterator[tuple[int, Floats]]:
    """Position of the first of some outputs, and kept values (allocation, output, time, scenario)."""
    names, times = len(plan.names), len(plan.kept)
    width = max(HELD // (8 * names * times * plan.scenarios.count), 1)
    for first in range(0, len(plan.outputs), width):
        chosen = slice(first, min(first + width, len(plan.outputs)))
        kept = np.empty((names, chosen.stop - first, times, plan.scenarios.count))
        for block, rows in all_rows(plan, parts):
            kept[..., block] = rows.kept[:, chosen]
        yield first, kept


def _points(values: Floats, weights: Floats) -> Floats:
    """Quantiles (output, time, share) of values (output, time, scenario)."""
    shares = list(SHARES.values())
    if not len(weights):
        return np.full((*values.shape[:2], len(shares)), np.nan)
    alike = np.ptp(weights) <= 1e-12 * weights.max()
    found = np.quantile(values, shares, axis=-1, method="inverted_cdf", weights=None if alike else weights)
    return np.moveaxis(found, 0, -1)
