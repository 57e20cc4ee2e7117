"""Uncertain constants of a question and draws of them, in every external scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from sdopt.config.correlations import normal_matrix
from sdopt.config.names import same_name
from sdopt.config.observations import read_observations
from sdopt.config.sweep import Design
from sdopt.config.uncertainty import Uncertainty, asked, year_of
from sdopt.equations.system import Variable
from sdopt.errors import Complaints, ConfigError
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.uncertainties import ends, left_out, misfit
from sdopt.uncertainty.correlation import correlated
from sdopt.uncertainty.designs import INDEPENDENT, unit_design
from sdopt.uncertainty.distributions import Distribution, Lognormal, Normal, Triangular, Uniform, listed
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios, central_scenarios

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Uncertain:
    """A constant that is drawn: `central` is the value used, all in `unit`.

    `low` and `high` are the ends of its range; of `kind` normal and lognormal the 2.5 and 97.5 % points.
    """

    key: str
    name: str
    unit: str
    low: float
    central: float
    high: float
    kind: str
    distribution: Distribution

    def quantile(self, share: Floats) -> Floats:
        """The value below which a share lies, any shape."""
        return self.distribution.quantile(share)

    def cdf(self, value: Floats) -> Floats:
        """The share at or below a value, any shape."""
        return self.distribution.cdf(value)


def uncertain_constants(problem: Problem) -> tuple[Uncertain, ...]:
    """What is drawn, in the order of the table and then of the config; without what is chosen or fixed.

    Raises
    ------
    ConfigError
        When a range leaves out the value used, or goes where the model says that it does not hold.
    """
    values, kept = (
        constant_values(problem.system),
        left_out(problem.config, problem.constants, problem.system),
    )
    by_name = {same_name(v.name): v for v in problem.system.of_kind("constant")}
    complaints = Complaints("uncertainties", ConfigError)
    found = [
        _uncertain(one, by_name[name], values[by_name[name].key], complaints)
        for name, one in asked(problem.config.uncertainties, problem.constants).items()
        if name not in kept
    ]
    complaints.raise_if_any()
    return tuple(one for one in found if one is not None)


def external_scenarios(problem: Problem) -> tuple[External, ...]:
    """The external scenarios of the config; the model as it stands when there are none."""
    keys = {same_name(v.name): v.key for v in problem.system.of_kind("constant")}
    found = []
    for title, scenario in problem.config.external_scenarios.items():
        given = {keys[same_name(name)]: value for name, value in scenario.constants.items()}
        constants = {key: value for key, value in given.items() if not isinstance(value, dict)}
        paths = {
            key: _path(value, problem.grid.times) for key, value in given.items() if isinstance(value, dict)
        }
        found.append(External(title, constants, paths, scenario.weight))
    return tuple(found) or (External(CENTRAL, {}, {}),)


def drawn_constants(problem: Problem, external: Sequence[External]) -> tuple[Uncertain, ...]:
    """The uncertain constants that not every external scenario fixes."""
    fixed = [{*one.constants, *one.paths} for one in external]
    everywhere = set.intersection(*fixed) if fixed else set()
    return tuple(one for one in uncertain_constants(problem) if one.key not in everywhere)


def draw_scenarios(
    problem: Problem,
    design: Design,
    count: int,
    seed: int,
    external: tuple[External, ...] | None = None,
    levels: int = 4,
) -> Scenarios:
    """Draws of everything uncertain, each in every external scenario, in the order (draw, external).

    Parameters
    ----------
    design : how the draws lie
    count : number of draws; of trajectories for `morris`, of base points for `saltelli`; a grid ignores it
    seed : the same seed gives the same draws
    external : external scenarios; those of the config when None
    levels : values per constant of `grid` and `morris`

    Returns
    -------
    Scenarios. The central values are not one of the draws. With nothing to draw, one per external scenario.

    Raises
    ------
    ConfigError
        When nothing is uncertain, a design is too large, or a design that needs independent constants is
        asked for with correlations.
    """
    worlds = external_scenarios(problem) if external is None else external
    constants = drawn_constants(problem, worlds)
    if not constants:
        return _nothing_drawn(worlds)
    unit = unit_design(design, count, len(constants), seed, levels, len(worlds))
    names = [same_name(one.name) for one in constants]
    matrix = normal_matrix(names, problem.config.correlations)
    if (matrix != np.eye(len(names))).any():
        _check_independence(design)
        unit = correlated(unit, matrix)
    for row, one in zip(unit, constants, strict=True):
        row[:] = one.quantile(row)
    keys, draws = tuple(one.key for one in constants), np.arange(unit.shape[1])
    values = np.repeat(unit, len(worlds), axis=1) if len(worlds) > 1 else unit
    world = np.tile(np.arange(len(worlds)), len(draws))
    return Scenarios(keys, values, worlds, world, np.repeat(draws, len(worlds)))


def _nothing_drawn(worlds: tuple[External, ...]) -> Scenarios:
    if not any(one.constants or one.paths for one in worlds):
        raise ConfigError(
            "nothing is uncertain: no constant is drawn and no external scenario changes one. List constants "
            "under uncertainties, or use a table of constants in which some have status judgement or memory"
        )
    return central_scenarios(worlds)


def _check_independence(design: Design) -> None:
    if design in INDEPENDENT:
        raise ConfigError(
            f"the design {design} needs constants that are independent, and this config has correlations; "
            "take those out, or choose latin hypercube or sobol"
        )


def _uncertain(
    one: Uncertainty, variable: Variable, central: float, complaints: Complaints
) -> Uncertain | None:
    low, high = ends(one)
    floor = -inf if variable.low is None else variable.low
    ceiling = inf if variable.high is None else variable.high
    wrong = misfit(one.distribution, low, central, high)
    if not floor <= low <= high <= ceiling:
        wrong = (
            f"[{low:g}, {high:g}] goes beyond the range of the model, [{floor:g}, {ceiling:g}] "
            f"{variable.unit}; mend one of the two"
        )
    if wrong:
        complaints.add(f'"{variable.name}"', wrong)
        return None
    distribution = _distribution(one, (low, central, high), (floor, ceiling))
    place = (variable.key, variable.name, variable.unit)
    return Uncertain(*place, low, central, high, one.distribution, distribution)


def _distribution(
    one: Uncertainty, points: tuple[float, float, float], limits: tuple[float, float]
) -> Distribution:
    if one.file is not None:
        return listed(read_observations(one.file, one.column))
    if one.values is not None:
        return listed(one.values, one.weights)
    low, middle, high = points
    if one.distribution == "uniform":
        return Uniform(low, high)
    if one.distribution == "triangular":
        return Triangular(low, min(max(middle, low), high), high)
    return (Normal if one.distribution == "normal" else Lognormal)(*points, *limits)


def _path(given: dict[str, float], times: Iterable[float]) -> Floats:
    """Values at grid times (time,): straight between the years given, level outside them."""
    years = sorted((float(year_of(year) or 0.0), value) for year, value in given.items())
    at, level = zip(*years, strict=True)
    return np.asarray(np.interp(np.asarray(times), np.array(at), np.array(level)))
