"""From one number per decision and period to a path over time, and back to names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from sdopt.config.schema import Config, Decision
from sdopt.equations.system import Variable

NO_COLUMN = -1
ROUNDING = 1e-9
"""Times are compared with this slack, so that 2026.9999999 is 2027."""


@dataclass(frozen=True)
class DecisionPath:
    """One decision over the time grid.

    `column[k]` is the position in the decision vector that holds at grid time k, or `NO_COLUMN`
    where the null alternative holds; `null` is that path, shape (time,), in the model's unit.
    """

    id: str
    key: str
    name: str
    unit: str
    rule: Decision
    first_column: int
    periods: int
    column: NDArray[np.intp]
    null: NDArray[np.float64]
    null_by_year: Mapping[int, float]

    def columns_of_year(self, year: int, first_year: int) -> int:
        """Position in the decision vector that holds in a decision year."""
        return self.first_column + (year - first_year) // self.rule.period


@dataclass(frozen=True)
class Decisions:
    """All decisions; a decision vector has `size` entries, ordered by decision, then period."""

    paths: tuple[DecisionPath, ...]
    first_year: int
    last_year: int

    @property
    def size(self) -> int:
        """Number of values the optimiser chooses."""
        return sum(path.periods for path in self.paths)

    def lower(self) -> NDArray[np.float64]:
        """Lower bounds, shape (decision,)."""
        return np.concatenate([np.full(p.periods, p.rule.bounds[0]) for p in self.paths])

    def upper(self) -> NDArray[np.float64]:
        """Upper bounds, shape (decision,)."""
        return np.concatenate([np.full(p.periods, p.rule.bounds[1]) for p in self.paths])

    def null_vector(self) -> NDArray[np.float64]:
        """The null alternative as a decision vector (the mean over a period of several years)."""
        means = [
            np.mean([p.null_by_year[year] for year in self.years_of(p, period)])
            for p in self.paths
            for period in range(p.periods)
        ]
        return np.array(means, dtype=np.float64)

    def years_of(self, path: DecisionPath, period: int) -> range:
        """Years in which one period of a decision is in force."""
        start = self.first_year + period * path.rule.period
        return range(start, min(start + path.rule.period, self.last_year + 1))

    def labels(self) -> list[tuple[str, int]]:
        """(decision id, first year) of every entry of the decision vector."""
        return [(p.id, self.years_of(p, period)[0]) for p in self.paths for period in range(p.periods)]

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Paths over time: points (scenario, decision) -> key -> (time, scenario)."""
        return {path.key: _expand(path, points) for path in self.paths}

    def null_paths(self) -> dict[str, NDArray[np.float64]]:
        """Paths of the null alternative: key -> (time,)."""
        return {path.key: path.null for path in self.paths}


def _expand(path: DecisionPath, points: NDArray[np.number]) -> NDArray[np.number]:
    chosen = points[:, np.maximum(path.column, 0)].T
    free = (path.column != NO_COLUMN)[:, None]
    return np.where(free, chosen, path.null[:, None])


def lay_out(
    config: Config, chosen: Mapping[str, tuple[Variable, float]], times: Sequence[float]
) -> Decisions:
    """Put every decision on the time grid.

    `chosen`: decision id -> its constant in the model, and today's value; `times`: grid times in years.
    """
    first, last = config.decision_years.first, config.decision_years.last
    years = [floor(time + ROUNDING) for time in times]
    paths: list[DecisionPath] = []
    for decision_id, rule in config.decisions.items():
        variable, today = chosen[decision_id]
        start = sum(path.periods for path in paths)
        periods = ceil((last - first + 1) / rule.period)
        by_year = _null_by_year(today, rule.null_trend, years)
        path = DecisionPath(
            id=decision_id,
            key=variable.key,
            name=variable.name,
            unit=variable.unit,
            rule=rule,
            first_column=start,
            periods=periods,
            column=np.array([_column(y, start, periods, rule, first, last) for y in years], dtype=np.intp),
            null=np.array([by_year[year] for year in years]),
            null_by_year=by_year,
        )
        paths.append(path)
    return Decisions(tuple(paths), first, last)


def _null_by_year(today: float, trend: float, years: Sequence[int]) -> dict[int, float]:
    """Today's value grown along its trend, from the year before the grid to the year after it."""
    return {year: today * (1 + trend) ** (year - years[0]) for year in range(years[0] - 1, years[-1] + 2)}


def _column(year: int, start: int, periods: int, rule: Decision, first: int, last: int) -> int:
    """Position in the decision vector that holds in a year, or `NO_COLUMN`."""
    if year < first or (year > last and rule.after == "null_alternative"):
        return NO_COLUMN
    return start + min((year - first) // rule.period, periods - 1)
