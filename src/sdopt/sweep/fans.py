"""How outputs and the return so far spread over the years: over all scenarios, per allocation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.asked import Asked
from sdopt.sweep.bands import Bands
from sdopt.sweep.findings import SHARES
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import all_rows

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
FanRow = tuple[object, ...]

HELD = 256 * 2**20
"""Bytes of kept values that are held at a time."""


def tables_over_years(asked: Asked, parts: Parts) -> dict[str, DataFrame]:
    """The tables `fan` and `cumulative_band`, without runs that failed; the parts are read once for both.

    fan: allocation, variable, subscript, time, q05, q25, q50, q75, q95, unit
    cumulative_band: see `Bands.table`

    Values are read in turn when all do not fit in memory.
    """
    fan: list[FanRow] = []
    bands = Bands(asked)
    for some in _in_turn(asked.plan, parts):
        fan += _fan_rows(asked, some)
        for number, earned in enumerate(some.earned, start=some.first_series):
            bands.add(number, earned)
    return {"fan": _fan(asked.plan, fan), "cumulative_band": bands.table()}


@dataclass(frozen=True)
class _Some:
    """What is held at a time, each with the number of its first: `kept` (allocation, output, time, scenario)
    of some outputs, and `earned` (series, scenario) of some series: allocation but the first, year.
    """

    first_output: int
    kept: Floats
    first_series: int
    earned: Floats


def _in_turn(plan: Plan, parts: Parts) -> Iterator[_Some]:
    """All outputs and series, so many at a time as may be held."""
    names, outputs, count = len(plan.names), len(plan.outputs), plan.scenarios.count
    series = (names - 1) * len(plan.years)
    needed = 8 * count * (names * len(plan.kept) * outputs + series)
    turns = min(ceil(needed / HELD), max(outputs, series))
    for turn in range(turns):
        some, chosen = (slice(n * turn // turns, n * (turn + 1) // turns) for n in (outputs, series))
        kept = np.empty((names, some.stop - some.start, len(plan.kept), count))
        earned = np.empty((chosen.stop - chosen.start, count))
        for block, rows in all_rows(plan, parts):
            kept[..., block] = rows.kept[:, some]
            earned[:, block] = rows.earned.reshape(series, -1)[chosen]
        yield _Some(some.start, kept, chosen.start, earned)


def _fan_rows(asked: Asked, some: _Some) -> Iterator[FanRow]:
    plan = asked.plan
    for place, name in enumerate(plan.names):
        sound = np.isfinite(asked.outcome.improvement[place])
        points = _points(some.kept[place][..., sound], plan.scenarios.weights[sound])
        for number, of_output in enumerate(points, start=some.first_output):
            variable = plan.problem.system.variables[plan.outputs[number]]
            for time, at in zip(plan.times.tolist(), of_output.tolist(), strict=True):
                yield name, *variable.parts, time, *at, variable.unit


def _fan(plan: Plan, rows: list[FanRow]) -> DataFrame:
    """All rows by allocation."""
    import pandas as pd

    columns = ["allocation", "variable", "subscript", "time", *SHARES, "unit"]
    table = pd.DataFrame(rows, columns=columns)
    order = {name: place for place, name in enumerate(plan.names)}
    return table.sort_values(
        "allocation", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def _points(values: Floats, weights: Floats) -> Floats:
    """Quantiles (output, time, share) of values (output, time, scenario)."""
    shares = list(SHARES.values())
    if not len(weights):
        return np.full((*values.shape[:2], len(shares)), np.nan)
    alike = np.ptp(weights) <= 1e-12 * weights.max()
    found = np.quantile(values, shares, axis=-1, method="inverted_cdf", weights=None if alike else weights)
    return np.moveaxis(found, 0, -1)
