"""The question as a general optimiser sees it: variables from 0 to 1, one improvement, many slacks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import View
from sdopt.optimise.linear import stack
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
TOLERANCE = 1e-6
"""A scaled slack above minus this is allowed."""
PULLS = np.r_[0.0, 0.5 ** np.arange(30.0, -1.0, -1.0)]
"""Parts of the way back to an allowed point that are tried when an end point is not allowed."""


@dataclass(frozen=True)
class Question:
    """A problem with its decisions scaled to [0, 1] by their bounds.

    An outcome is one array: the improvement over the null alternative (in the objective's unit), then
    the scaled slack of every model constraint; at least zero is allowed.
    """

    problem: Problem

    @cached_property
    def view(self) -> View:
        return View(self.problem, self.problem.objective_rows)

    @cached_property
    def lower(self) -> Floats:
        return self.problem.decisions.lower()

    @cached_property
    def width(self) -> Floats:
        return np.maximum(self.problem.decisions.upper() - self.lower, 1e-12)

    @cached_property
    def null(self) -> Floats:
        """The null alternative, scaled."""
        return self.scaled(self.problem.decisions.null_vector())

    def scaled(self, points: Floats) -> Floats:
        return np.asarray(np.clip((points - self.lower) / self.width, 0.0, 1.0))

    def decisions(self, x: Floats) -> Floats:
        """Decision vectors in the model's unit."""
        return np.asarray(self.lower + x * self.width)

    @cached_property
    def rules(self) -> tuple[Floats, Floats]:
        """Linear rules as `rows @ x <= limits`; the largest entry of every row is one."""
        weights, limits = stack(self.problem.rules, len(self.lower))
        size = np.abs(weights * self.width).max(axis=1, initial=1e-12)
        return weights * self.width / size[:, None], (limits - weights @ self.lower) / size

    def rule_slacks(self, x: Floats) -> Floats:
        """Scaled slack of every linear rule at points (..., decision)."""
        rows, limits = self.rules
        return np.asarray(limits - x @ rows.T)

    def outcomes(self, values: Floats) -> Floats:
        """Evaluator values (point, functional) as outcomes (point, 1 + constraint)."""
        return np.column_stack([self.view.objective(values), self.view.slacks(values)])

    def slopes(self, gradients: Floats) -> Floats:
        """Evaluator gradients (point, functional, decision) as those of outcomes by x."""
        objective = self.view.objective_gradient(gradients)[:, None, :]
        return np.concatenate([objective, self.view.slack_gradients(gradients)], axis=1) * self.width

    @cached_property
    def size(self) -> float:
        """The largest slope of the improvement at the null alternative: what optimisers scale it by."""
        gradient = self.problem.evaluator.with_gradients(self.decisions(self.null)[None]).gradient
        return float(np.abs(self.slopes(gradient)[0, 0]).max()) or 1.0

    def room(self, x: Floats, outcomes: Floats) -> Floats:
        """The smallest scaled slack of rules, model constraints and whole numbers, (point,)."""
        parts = -np.abs(x - np.round(x))[:, self.whole]
        slacks = np.column_stack([self.rule_slacks(x), outcomes[:, 1:], parts])
        return np.asarray(slacks.min(axis=1, initial=np.inf))

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """Which decisions are 0 or 1, (decision,)."""
        return self.problem.decisions.whole

    @cached_property
    def inputs(self) -> dict[str, tuple[Floats, Floats]]:
        """Every input of the model as `fixed + weights @ x` over time: key -> (time,), (time, decision)."""
        decisions = self.problem.decisions
        fixed = decisions.expand(self.lower[None])
        moved = decisions.expand(self.lower + np.diag(self.width))
        return {key: (path[:, 0], moved[key] - path) for key, path in fixed.items()}

    def batch(self, x: Floats) -> Floats:
        """Outcomes of points (point, decision) in our own engine."""
        return self.outcomes(self.problem.evaluator.values(self.decisions(x)).value)

    def best_allowed(self, places: Floats, inside: Floats) -> tuple[Floats, float, float]:
        """The best of `places` (point, decision), each pulled towards `inside` until it is allowed.

        Returns the point, its improvement and its room, all from our own engine; `inside` if none is better.
        """
        x = np.concatenate([inside + (1 - part) * (places - inside) for part in PULLS])
        outcomes = self.batch(x)
        room = self.room(x, outcomes)
        winner = int(np.argmax(np.where(room >= -TOLERANCE, outcomes[:, 0], -np.inf)))
        return x[winner], float(outcomes[winner, 0]), float(room[winner])
