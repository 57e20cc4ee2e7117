"""Everything that was evaluated, and how it reads for one objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
ALLOWED = 1e-7
"""How far a decision vector may pass a bound or rule, in the unit of the rule: the solver's rounding."""
SLACK_NOISE = 1e-9
"""A scaled slack above a tangent by no more than this is rounding."""


@dataclass
class Archive:
    """Evaluated points with values and exact gradients of every functional; it only grows.

    points (point, decision); values (point, functional); gradients (point, functional, decision).
    Another objective over the same functionals reuses it all.
    """

    problem: Problem
    points: Floats = field(init=False)
    values: Floats = field(init=False)
    gradients: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start empty."""
        size, rows = self.problem.decisions.size, len(self.problem.evaluator.functionals)
        self.points = np.empty((0, size))
        self.values = np.empty((0, rows))
        self.gradients = np.empty((0, rows, size))

    def add(self, points: Floats) -> slice:
        """Evaluate points (point, decision); where they stand from now on."""
        found = self.problem.evaluator.with_gradients(points)
        if found.gradient is None:
            raise AssertionError("with_gradients gave none")
        first = len(self.points)
        self.points = np.concatenate([self.points, points])
        self.values = np.concatenate([self.values, found.value])
        self.gradients = np.concatenate([self.gradients, found.gradient])
        return slice(first, len(self.points))


@dataclass(frozen=True)
class View:
    """The archive's rows read as objective (improvement over the null alternative) and slacks.

    `weights`: functional row -> weight in the objective. Slacks are scaled; at least zero is allowed.
    """

    problem: Problem
    weights: Mapping[int, float]

    def objective(self, values: Floats) -> Floats:
        """Improvement of the objective over the null alternative, (point,), in the objective's unit."""
        null = self.problem.null_values
        return np.asarray(sum(w * (values[:, row] - null[row]) for row, w in self.weights.items()))

    def objective_gradient(self, gradients: Floats) -> Floats:
        """Its gradient, (point, decision)."""
        return np.asarray(sum(w * gradients[:, row] for row, w in self.weights.items()))

    def meets_rules(self, points: Floats) -> NDArray[np.bool_]:
        """Whether points (point, decision) meet bounds and linear rules, up to the solver's tolerance."""
        decisions = self.problem.decisions
        inside = (points >= decisions.lower() - ALLOWED) & (points <= decisions.upper() + ALLOWED)
        rules = self.problem.rules
        if not rules:
            return np.asarray(inside.all(axis=1))
        weights, limits = np.array([r.weights for r in rules]), np.array([r.limit for r in rules])
        return np.asarray(inside.all(axis=1) & (points @ weights.T <= limits + ALLOWED).all(axis=1))

    def slacks(self, values: Floats) -> Floats:
        """Scaled slack of every model constraint, (point, constraint)."""
        return self.problem.slacks(values)

    def slack_gradients(self, gradients: Floats) -> Floats:
        """Their gradients, (point, constraint, decision)."""
        limits = self.problem.constraints
        if not limits:
            return np.zeros((len(gradients), 0, gradients.shape[-1]))
        return np.stack([-c.sign * gradients[:, c.row] / c.scale for c in limits], axis=1)


def tangent_excess(view: View, archive: Archive, points: Floats, values: Floats) -> tuple[float, Floats]:
    """How far points (point, decision) stand above the archive's tangents at most.

    For the objective, and for each constraint's scaled slack (constraint,). Concave functions never
    stand above a tangent, so more than rounding disproves concavity.
    """
    objective, slacks = view.objective(archive.values), view.slacks(archive.values)
    slopes, slack_slopes = view.objective_gradient(archive.gradients), view.slack_gradients(archive.gradients)
    found, found_slacks = view.objective(values), view.slacks(values)
    worst, slack_worst = 0.0, np.zeros(slacks.shape[1])
    for k, centre in enumerate(archive.points):
        step = points - centre
        worst = max(worst, float((found - objective[k] - step @ slopes[k]).max()))
        above = found_slacks - slacks[k] - step @ slack_slopes[k].T
        slack_worst = np.maximum(slack_worst, above.max(axis=0, initial=0.0))
    return worst, slack_worst
