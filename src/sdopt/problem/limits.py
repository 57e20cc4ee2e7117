"""Limits on model variables: what is measured in each year or step, and what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdopt.config.schema import Config, Constraint
from sdopt.equations.program import TimeGrid
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import ConfigError
from sdopt.problem.functionals import Functional, constraint_functionals
from sdopt.problem.meaning import resolve
from sdopt.problem.rules import limit_value, other_weights, sides

SMALLEST_SCALE = 1e-9
"""A limit and a null value both below this are zero: their slack is then measured in plain units."""


@dataclass(frozen=True)
class ModelConstraint:
    """`sign * (limit - value) >= 0` for the functional at position `row` of the evaluator.

    `scale` (same unit) makes slacks of different constraints comparable.
    """

    functional: Functional
    measure: str
    row: int
    sense: str
    limit: float
    sign: float
    scale: float


def find_variable(name: str, system: EquationSystem) -> Variable:
    """The variable of this name.

    Raises
    ------
    ConfigError
        When the model has none.
    """
    variable = resolve(name, system)
    if variable is None:
        raise ConfigError(f'the model has no variable "{name}".')
    return variable


@dataclass(frozen=True)
class Listed:
    """A constraint in one year or step; `others`: sense -> the other sum that limit is relative to."""

    constraint: Constraint
    functional: Functional
    others: Mapping[str, Functional]


def listed_constraints(config: Config, system: EquationSystem, grid: TimeGrid) -> list[Listed]:
    """Every constraint on model variables, in the order of the config: one per year or step."""
    listed = []
    for name, constraint in config.constraints.items():
        if constraint.variables is None:
            continue

        def measured(
            weights: dict[str, float], name: str = name, like: Constraint = constraint
        ) -> list[Functional]:
            return sum_over_time(name, like.model_copy(update={"variables": weights}), config, system, grid)

        weighed = {sense: other_weights(limit) for sense, limit, _ in sides(constraint)}
        others = {sense: measured(weights) for sense, weights in weighed.items() if weights}
        for k, functional in enumerate(measured(constraint.variables)):
            listed.append(Listed(constraint, functional, {sense: fs[k] for sense, fs in others.items()}))
    return listed


def sum_over_time(
    name: str, constraint: Constraint, config: Config, system: EquationSystem, grid: TimeGrid
) -> list[Functional]:
    """A constraint's weighted sum of model variables as one functional per year, or per step."""
    found = {variable: find_variable(variable, system) for variable in constraint.variables or ()}
    keys = {variable: f.key for variable, f in found.items()}
    unit = next(iter(found.values())).unit
    return constraint_functionals(name, constraint, keys, config, grid.times, unit)


def limits_of(one: Listed, row: int, null_value: float, others: Mapping[str, float]) -> list[ModelConstraint]:
    """The limits of one constraint, given what the null alternative has; `row` is that of the evaluator."""
    limits = []
    for sense, limit, sign in sides(one.constraint):
        value = limit_value(limit, null_value, others.get(sense, 0.0))
        size = max(abs(value), abs(null_value))
        scale = size if size > SMALLEST_SCALE else 1.0
        limits.append(ModelConstraint(one.functional, one.constraint.measure, row, sense, value, sign, scale))
    return limits
