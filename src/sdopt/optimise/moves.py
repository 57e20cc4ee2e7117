"""Steps that keep to bounds and linear rules: how far a direction may be followed."""

from __future__ import annotations

import numpy as np

from sdopt.optimise.archive import Floats
from sdopt.optimise.linear import stack
from sdopt.problem.build import Problem

ROUNDING = 1e-12
"""A rule that a direction touches by less than this part of its own size does not stop it."""


class Allowed:
    """The set that bounds and rules of a problem allow, for steps within it."""

    def __init__(self, problem: Problem) -> None:
        self.lower, self.upper = problem.decisions.lower(), problem.decisions.upper()
        weights, self.limits = stack(problem.rules, len(self.lower))
        self.weights = weights.reshape(len(self.limits), len(self.lower))

    def longest(self, points: Floats, directions: Floats) -> Floats:
        """How many times each direction (move, decision) can be added to its point (move, decision)."""
        steps = np.full(len(directions), np.inf)
        for room, pace in (
            (self.upper - points, directions),
            (points - self.lower, -directions),
            (self.limits - points @ self.weights.T, directions @ self.weights.T),
        ):
            size = np.abs(pace).max(axis=1, keepdims=True, initial=0.0)
            blocks = pace > ROUNDING * np.maximum(size, ROUNDING)
            ratio = np.where(blocks, np.maximum(room, 0.0) / np.where(blocks, pace, 1.0), np.inf)
            steps = np.minimum(steps, ratio.min(axis=1, initial=np.inf))
        return np.where(np.isfinite(steps), steps, 0.0)

    def towards(self, points: Floats, targets: Floats) -> Floats:
        """As far from points (move, decision) to targets as the rules allow; bounds are cut off first."""
        inside = np.clip(targets, self.lower, self.upper) - points
        return np.asarray(points + np.minimum(self.longest(points, inside), 1.0)[:, None] * inside)
