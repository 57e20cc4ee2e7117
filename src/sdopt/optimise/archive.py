"""Everything that was evaluated, and how it reads for one objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.memory import Memory
from sdopt.optimise.slopes import with_finite_slopes
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
ALLOWED = 1e-8
"""How far a decision vector may pass a bound or rule, as part of its size: the solver's rounding."""
SLACK_NOISE = 1e-9
"""A scaled slack above a tangent by no more than this is rounding."""


@dataclass
class Archive:
    """Evaluated points with values and exact gradients of every functional; it only grows.

    points (point, decision); values (point, functional); gradients (point, functional, decision).
    Another objective over the same functionals reuses it all. What `memory` holds is not evaluated again.
    """

    problem: Problem
    memory: Memory = field(default_factory=Memory, repr=False)
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
        """Evaluate points (point, decision); where they stand from now on.

        A point where a slope is infinite is replaced by one a hair further inside its bounds.

        Raises
        ------
        SimulationError
            When the model gives inf or nan at a point.
        OptimisationError
            When a slope is infinite inside the bounds as well (names the decision).
        """
        known = self.memory.recall("evaluated", points)
        if known is None:
            moved, values, gradients = with_finite_slopes(self.problem, points)
            known = {"points": moved, "values": values, "gradients": gradients}
            self.memory.keep("evaluated", points, known)
        first = len(self.points)
        self.points = np.concatenate([self.points, known["points"]])
        self.values = np.concatenate([self.values, known["values"]])
        self.gradients = np.concatenate([self.gradients, known["gradients"]])
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
        lower, upper = self.problem.decisions.lower(), self.problem.decisions.upper()
        sizes = np.maximum(np.abs(lower), np.abs(upper))
        inside = (points >= lower - ALLOWED * sizes) & (points <= upper + ALLOWED * sizes)
        rules = self.problem.rules
        if not rules:
            return np.asarray(inside.all(axis=1))
        weights, limits = np.array([r.weights for r in rules]), np.array([r.limit for r in rules])
        passed = ALLOWED * (np.abs(limits) + np.abs(weights) @ sizes)
        return np.asarray(inside.all(axis=1) & (points @ weights.T <= limits + passed).all(axis=1))

    def slacks(self, values: Floats) -> Floats:
        """Scaled slack of every model constraint, (point, constraint)."""
        return self.problem.slacks(values)

    def slack_gradients(self, gradients: Floats) -> Floats:
        """Their gradients, (point, constraint, decision)."""
        limits = self.problem.constraints
        if not limits:
            return np.zeros((len(gradients), 0, gradients.shape[-1]))
        return np.stack([-c.sign * gradients[:, c.row] / c.scale for c in limits], axis=1)


def tangent_excess(
    view: View, archive: Archive, points: Floats, values: Floats, tangents: slice = slice(None)
) -> tuple[float, Floats]:
    """How far points (point, decision) stand above the archive's tangents (some of them) at most.

    For the objective, and for each constraint's scaled slack (constraint,). Concave functions never
    stand above a tangent, so more than rounding disproves concavity.
    """
    objective, slacks = view.objective(archive.values[tangents]), view.slacks(archive.values[tangents])
    gradients = archive.gradients[tangents]
    slopes, slack_slopes = view.objective_gradient(gradients), view.slack_gradients(gradients)
    found, found_slacks = view.objective(values), view.slacks(values)
    worst, slack_worst = 0.0, np.zeros(slacks.shape[1])
    for k, centre in enumerate(archive.points[tangents]):
        step = points - centre
        worst = max(worst, float((found - objective[k] - step @ slopes[k]).max(initial=0.0)))
        above = found_slacks - slacks[k] - step @ slack_slopes[k].T
        slack_worst = np.maximum(slack_worst, above.max(axis=0, initial=0.0))
    return worst, slack_worst
