"""Programmes on the decision vector: one entry, 0 or 1, per year in which one may start.

Whether a programme runs in a year, and what it costs then, are sums of these entries; its yearly amount is
an ordinary decision path beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor

import numpy as np
from numpy.typing import NDArray

from sdopt.config.document import Place
from sdopt.config.names import same_name
from sdopt.config.programme_rules import constants_of_programme
from sdopt.config.programmes import Programme
from sdopt.config.schema import Config
from sdopt.config.units import amount_per_year, plain_unit
from sdopt.equations.system import Variable

ROUNDING = 1e-9
"""Times are compared with this slack, so that 2026.9999999 is 2027."""
NO_UNIT = ("", "1", "dmnl", "dimensionless", "fraction")
"""Units of a number that is 0 or 1."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProgrammePlan:
    """One programme: its entries are `first_column` and on, one per year of `start_years`.

    `cost_key` and `runs_key` are the model constants that get its costs and whether it runs, if any;
    `years` is the calendar year of every grid time, `decision_years` the years that are decided on.
    """

    id: str
    rule: Programme
    name: str
    unit: str
    first_column: int
    start_years: range
    decision_years: range
    years: tuple[int, ...]
    cost_key: str | None
    runs_key: str | None

    @property
    def start_label(self) -> str:
        """What its entries are called, in tables and in a file with an allocation."""
        return f"{self.id}: start"

    def columns(self) -> range:
        """Positions of its entries in the decision vector."""
        return range(self.first_column, self.first_column + len(self.start_years))

    def starts(self, year: int, size: int) -> Floats:
        """Whether it starts in a year, as weights on the decision vector (decision,)."""
        return self._placed(self._starts(year), size)

    def runs(self, year: int, size: int) -> Floats:
        """Whether it runs in a year, as weights on the decision vector (decision,)."""
        return self._placed(self._runs(year), size)

    def costs(self, year: int, size: int) -> Floats:
        """What it costs in a year beside its amount, as weights on the decision vector (decision,)."""
        return self._placed(self._costs(year), size)

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Paths of costs and of running: points (scenario, decision) -> key -> (time, scenario)."""
        mine = points[:, self.first_column : self.first_column + len(self.start_years)].T
        return {key: (weights @ mine)[self._place] for key, weights in self._by_year.items()}

    @cached_property
    def _by_year(self) -> dict[str, Floats]:
        """Key -> weights (distinct year, own entry) of the path that a model constant gets."""
        wanted = ((self.cost_key, self._costs), (self.runs_key, self._runs))
        years = np.unique(self.years).tolist()
        return {key: np.array([of(year) for year in years]) for key, of in wanted if key is not None}

    @cached_property
    def _place(self) -> NDArray[np.intp]:
        """Which of the distinct years every grid time is in."""
        return np.asarray(np.unique(self.years, return_inverse=True)[1])

    def _starts(self, year: int) -> Floats:
        return np.array([float(start == year) for start in self.start_years])

    def _runs(self, year: int) -> Floats:
        last, lasts = self.decision_years[-1], self.rule.lasts or len(self.decision_years)
        if year > last and self.rule.after == "null_alternative":
            return np.zeros(len(self.start_years))
        year = min(year, last)
        return np.array([float(start <= year < start + lasts) for start in self.start_years])

    def _costs(self, year: int) -> Floats:
        return self.rule.start_cost * self._starts(year) + self.rule.yearly_cost * self._runs(year)

    def _placed(self, own: Floats, size: int) -> Floats:
        weights = np.zeros(size)
        weights[self.first_column : self.first_column + len(own)] = own
        return weights

    def started(self, point: Floats) -> int | None:
        """The year in which it starts in a decision vector (decision,), or None for never."""
        chosen = point[self.first_column : self.first_column + len(self.start_years)]
        return self.start_years[int(np.argmax(chosen))] if chosen.max() > 0.5 else None


def lay_out_programmes(
    config: Config, found: Mapping[str, Mapping[str, Variable]], first_column: int, times: Sequence[float]
) -> tuple[ProgrammePlan, ...]:
    """Put every programme on the decision vector, from `first_column` on.

    `found`: programme id -> key in the config (such as `cost_variable`) -> variable of the model.
    """
    plans: list[ProgrammePlan] = []
    decided = range(config.decision_years.first, config.decision_years.last + 1)
    for identity, rule in config.programmes.items():
        variables = found[identity]
        plan = ProgrammePlan(
            id=identity,
            rule=rule,
            name=variables["variable"].name,
            unit=variables["variable"].unit,
            first_column=first_column,
            start_years=_start_years(rule, decided),
            decision_years=decided,
            years=tuple(floor(time + ROUNDING) for time in times),
            cost_key=_key(variables.get("cost_variable")),
            runs_key=_key(variables.get("runs_variable")),
        )
        first_column += len(plan.start_years)
        plans.append(plan)
    return tuple(plans)


def _key(variable: Variable | None) -> str | None:
    return None if variable is None else variable.key


def _start_years(rule: Programme, decided: range) -> range:
    if rule.start is not None:
        return range(rule.start.first, rule.start.last + 1)
    return range(decided[0], decided[-1] + 2 - (rule.lasts or 1))


def decided_names(config: Config) -> Iterator[tuple[str, str]]:
    """Every model constant that gets its path from a decision or programme, and which one that is."""
    for identity, decision in config.decisions.items():
        yield decision.variable, f"decision {identity}"
    for identity, programme in config.programmes.items():
        for _, name in constants_of_programme(programme):
            yield name, f"programme {identity}"


Find = Callable[[Place, str], Variable | None]
"""The constant that a name means, or None after a complaint."""
Outside = Callable[[Variable, float], str]
"""What is wrong when a value goes where the model says that it does not hold, else ''."""


def check_programme_meaning(
    config: Config,
    find: Find,
    outside: Outside,
    values: Mapping[str, float],
    complain: Callable[[Place, str], None],
) -> None:
    """Complain about what is no constant, has another unit, too narrow a range, or a value today."""
    for identity, programme in config.programmes.items():
        place: Place = ("programmes", identity)
        found = {
            key: variable
            for key, name in constants_of_programme(programme)
            if (variable := find((*place, key), name)) is not None
        }
        for key, variable in found.items():
            if values[variable.key] != 0:
                complain(
                    (*place, key),
                    f"{variable.name} is {values[variable.key]:g} today; in the null alternative a programme "
                    "is not there yet: make it 0 in the table or model, or make it a decision",
                )
            for value in _extremes(config, programme, key):
                if message := outside(variable, value):
                    complain((*place, key), message)
        _check_units(place, programme, found, complain)


def _extremes(config: Config, programme: Programme, key: str) -> tuple[float, ...]:
    """The values that a constant can get, at most; programmes that share one for their costs all at once."""
    if key != "cost_variable":
        return tuple(dict.fromkeys(programme.amount)) if key == "variable" else (1.0,)
    name = same_name(programme.cost_variable or "")
    sharing = [p for p in config.programmes.values() if same_name(p.cost_variable or "") == name]
    return (sum(p.start_cost + p.yearly_cost for p in sharing),)


def _check_units(
    place: Place, programme: Programme, found: Mapping[str, Variable], complain: Callable[[Place, str], None]
) -> None:
    spending, costs, runs = (found.get(key) for key in ("variable", "cost_variable", "runs_variable"))
    if spending is not None and costs is not None and plain_unit(costs.unit) != plain_unit(spending.unit):
        complain(
            (*place, "cost_variable"),
            f'unit "{costs.unit}" of {costs.name} differs from "{spending.unit}" of {spending.name}; '
            "costs and spending are added up, so make them equal",
        )
    if spending is not None and programme.start_cost > 0 and amount_per_year(spending.unit) is None:
        complain(
            (*place, "start_cost"),
            f'unit "{spending.unit}" of {spending.name} is not an amount per year, so a cost paid once has '
            'no place in it; choose a variable whose unit ends with "/Year"',
        )
    if runs is not None and plain_unit(runs.unit) not in NO_UNIT:
        complain(
            (*place, "runs_variable"),
            f'unit "{runs.unit}" of {runs.name} does not fit a number that is 0 or 1; give it the unit Dmnl',
        )
