"""From one number per decision and period to a path over time, and back to names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from sdopt.config.programmes import Programme
from sdopt.config.schema import Config, Decision
from sdopt.equations.system import Variable
from sdopt.problem.programmes import ProgrammePlan, lay_out_programmes

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
    """All decisions; a decision vector has `size` entries, ordered by decision, then period.

    The entries of `whole` are 0 or 1: they come last, one per year in which a programme may start.
    `pattern` (whole entry,), if given, fixes them, and so bounds the amounts of the programmes.
    """

    paths: tuple[DecisionPath, ...]
    first_year: int
    last_year: int
    programmes: tuple[ProgrammePlan, ...] = ()
    pattern: NDArray[np.float64] | None = None

    @cached_property
    def size(self) -> int:
        """Number of values the optimiser chooses."""
        return sum(path.periods for path in self.paths) + sum(len(p.start_years) for p in self.programmes)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all model constants that get a path, as `expand` gives them."""
        more = [key for plan in self.programmes for key in (plan.cost_key, plan.runs_key) if key is not None]
        return tuple(dict.fromkeys([*(path.key for path in self.paths), *more]))

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which entries are whole numbers, 0 or 1, shape (decision,)."""
        return np.arange(self.size) >= sum(path.periods for path in self.paths)

    def lower(self) -> NDArray[np.float64]:
        """Lower bounds, shape (decision,)."""
        return self._bounds[0].copy()

    def upper(self) -> NDArray[np.float64]:
        """Upper bounds, shape (decision,)."""
        return self._bounds[1].copy()

    @cached_property
    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._bound(0), self._bound(1)

    def _bound(self, side: int) -> NDArray[np.float64]:
        entries = self.pattern if self.pattern is not None else np.full(int(self.whole.sum()), float(side))
        bounds = np.concatenate([*(np.full(p.periods, p.rule.bounds[side]) for p in self.paths), entries])
        for plan in self.programmes if self.pattern is not None else ():
            first = next(path.first_column for path in self.paths if path.id == plan.id)
            for place, year in enumerate(plan.decision_years):
                bounds[first + place] = plan.rule.amount[side] * (plan.runs(year, self.size) @ bounds)
        return bounds

    def null_vector(self) -> NDArray[np.float64]:
        """The null alternative as a decision vector (the mean over a period of several years).

        With a `pattern`, the vector with that pattern that comes nearest.
        """
        means = [
            np.mean([p.null_by_year[year] for year in self.years_of(p, period)])
            for p in self.paths
            for period in range(p.periods)
        ]
        null = np.concatenate([np.array(means, dtype=np.float64), np.zeros(int(self.whole.sum()))])
        return null if self.pattern is None else np.clip(null, self.lower(), self.upper())

    def years_of(self, path: DecisionPath, period: int) -> range:
        """Years in which one period of a decision is in force."""
        start = self.first_year + period * path.rule.period
        return range(start, min(start + path.rule.period, self.last_year + 1))

    def labels(self) -> list[tuple[str, int]]:
        """(decision id, first year) of every entry of the decision vector."""
        labels = [(p.id, self.years_of(p, period)[0]) for p in self.paths for period in range(p.periods)]
        return labels + [(plan.start_label, year) for plan in self.programmes for year in plan.start_years]

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Paths over time: points (scenario, decision) -> key -> (time, scenario)."""
        expanded = {path.key: _expand(path, points) for path in self.paths}
        for plan in self.programmes:
            for key, path in plan.expand(points).items():
                expanded[key] = expanded[key] + path if key in expanded else path
        return expanded

    def costs(self, identity: str, year: int) -> NDArray[np.float64]:
        """What a programme costs in a year beside its amount, as weights (decision,); none for a decision."""
        plan = next((plan for plan in self.programmes if plan.id == identity), None)
        return np.zeros(self.size) if plan is None else plan.costs(year, self.size)

    def null_paths(self) -> dict[str, NDArray[np.float64]]:
        """Paths of the null alternative: key -> (time,)."""
        nothing = {key: np.zeros(len(self.paths[0].null)) for key in self.keys}
        return {**nothing, **{path.key: path.null for path in self.paths}}


def _expand(path: DecisionPath, points: NDArray[np.number]) -> NDArray[np.number]:
    chosen = points[:, np.maximum(path.column, 0)].T
    free = (path.column != NO_COLUMN)[:, None]
    return np.where(free, chosen, path.null[:, None])


def lay_out(
    config: Config,
    chosen: Mapping[str, tuple[Variable, float]],
    times: Sequence[float],
    programmes: Mapping[str, Mapping[str, Variable]] | None = None,
) -> Decisions:
    """Put every decision and programme on the time grid.

    `chosen`: decision id -> its constant in the model, and today's value; `times`: grid times in years;
    `programmes`: programme id -> key in the config -> its constant in the model.
    """
    found = programmes or {}
    chosen = {**chosen, **{identity: (variables["variable"], 0.0) for identity, variables in found.items()}}
    rules = {**config.decisions, **{identity: _amount(config.programmes[identity]) for identity in found}}
    first, last = config.decision_years.first, config.decision_years.last
    years = [floor(time + ROUNDING) for time in times]
    paths: list[DecisionPath] = []
    for decision_id, rule in rules.items():
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
    plans = lay_out_programmes(config, found, sum(path.periods for path in paths), times) if found else ()
    return Decisions(tuple(paths), first, last, plans)


def _amount(programme: Programme) -> Decision:
    """The yearly amount of a programme as a decision: from nothing to its largest size."""
    return Decision(variable=programme.variable, bounds=(0.0, programme.amount[1]), after=programme.after)


def _null_by_year(today: float, trend: float, years: Sequence[int]) -> dict[int, float]:
    """Today's value grown along its trend, from the year before the grid to the year after it."""
    return {year: today * (1 + trend) ** (year - years[0]) for year in range(years[0] - 1, years[-1] + 2)}


def _column(year: int, start: int, periods: int, rule: Decision, first: int, last: int) -> int:
    """Position in the decision vector that holds in a year, or `NO_COLUMN`."""
    if year < first or (year > last and rule.after == "null_alternative"):
        return NO_COLUMN
    return start + min((year - first) // rule.period, periods - 1)
