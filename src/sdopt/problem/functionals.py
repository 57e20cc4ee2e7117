"""Objective and constraints as weighted sums of model variables over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.config.discount import discount_factors
from sdopt.config.schema import Config, Constraint

SLACK = 1e-9


@dataclass(frozen=True)
class Functional:
    """A weighted sum: `weights[key]` has shape (time,); the value is the sum over keys and times."""

    name: str
    year: int | None
    weights: dict[str, NDArray[np.float64]]
    unit: str


def present_value(name: str, key: str, config: Config, times: NDArray[np.float64], unit: str) -> Functional:
    """Present value of a yearly amount from the first decision year to the end of the horizon.

    Each grid time stands for the step that begins there, as in Euler integration; the discount
    factor is that of the time itself. `unit` is the unit of the amount times a year.
    """
    step = float(times[1] - times[0])
    counted = (times >= config.decision_years.first - SLACK) & (times < config.horizon.end - SLACK)
    return Functional(name, None, {key: np.where(counted, _factors(config, times) * step, 0.0)}, unit)


def end_value(name: str, key: str, config: Config, times: NDArray[np.float64], unit: str) -> Functional:
    """Discounted value of a variable at the end of the horizon."""
    weights = np.zeros(len(times))
    weights[-1] = _factors(config, times)[-1]
    return Functional(name, None, {key: weights}, unit)


def _factors(config: Config, times: NDArray[np.float64]) -> NDArray[np.float64]:
    base = config.objective.base_year or config.decision_years.first
    return np.array(discount_factors(config.objective.discount_rate, [float(time) - base for time in times]))


def constraint_functionals(
    name: str,
    constraint: Constraint,
    keys: dict[str, str],
    config: Config,
    times: NDArray[np.float64],
    unit: str,
) -> list[Functional]:
    """One functional per year, or per step, for a constraint on model variables.

    `keys`: variable as written in the config -> key. `every_step` covers all grid times from the
    start of the first year to the end of the last.
    """
    years = constraint.years or config.decision_years
    span = range(years.first, years.last + 1)
    if constraint.measure == "every_step":
        inside = np.flatnonzero((times >= years.first - SLACK) & (times <= years.last + 1 + SLACK))
        spots: list[tuple[int, Sequence[int]]] = [(int(np.floor(times[k] + SLACK)), [int(k)]) for k in inside]
    else:
        spots = [(year, _times_of_year(year, constraint.measure, times)) for year in span]
    variables = constraint.variables or {}
    totals: dict[str, float] = {}
    for variable, weight in variables.items():  # one variable may be written in two ways
        totals[keys[variable]] = totals.get(keys[variable], 0.0) + weight
    return [
        Functional(name, year, {key: w * _mean_over(ks, len(times)) for key, w in totals.items()}, unit)
        for year, ks in spots
    ]


def _times_of_year(year: int, measure: str, times: NDArray[np.float64]) -> Sequence[int]:
    if measure == "year_start":
        return [_nearest(year, times)]
    if measure == "year_end":
        return [_nearest(year + 1, times)]
    return [int(k) for k in np.flatnonzero((times >= year - SLACK) & (times < year + 1 - SLACK))]


def _nearest(time: float, times: NDArray[np.float64]) -> int:
    return int(np.argmin(np.abs(times - time)))


def _mean_over(positions: Sequence[int], count: int) -> NDArray[np.float64]:
    weights = np.zeros(count)
    weights[list(positions)] = 1.0 / len(positions)
    return weights
