"""Random decision vectors that the linear rules allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import Problem
from sdopt.problem.decisions import DecisionPath

Floats = NDArray[np.float64]
CONCENTRATION = 0.15
"""Dirichlet parameter: below one, mixtures lean to a few vertices, so that the edges are visited too."""
FEWEST = 10
"""Pairs of objectives with which vertices are sought, however few the decisions."""
PURE = 0.1
"""Part of the points that are vertices themselves: a mixture never goes as far."""
NEARBY = 0.1
"""Points near the optimum lie within this part of the way to a random point."""


@dataclass(frozen=True)
class Polytope:
    """The set that bounds and rules allow, by vertices (vertex, decision) found with random objectives."""

    vertices: Floats

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Vertices and random mixtures of them: (count, decision); all allowed, because the set is convex."""
        pure = random.integers(len(self.vertices), size=round(PURE * count))
        size = count - len(pure)
        weights = random.dirichlet(np.full(len(self.vertices), CONCENTRATION), size=size)
        return random.permutation(np.concatenate([self.vertices[pure], weights @ self.vertices]))

    def draw_near(self, centre: Floats, count: int, random: np.random.Generator) -> Floats:
        """Random points between `centre` (decision,) and a random mixture, most of them close."""
        parts = NEARBY * random.random((count, 1))
        return centre + parts * (self.draw(count, random) - centre)


def find_vertices(problem: Problem, random: np.random.Generator) -> Polytope:
    """Vertices of the allowed set: where each decision is highest and lowest in all years, and random ones.

    Random objectives are as many as the values that are chosen; all come with their opposites.

    Raises
    ------
    OptimisationError
        When the rules leave no allowed decision vector.
    """
    from sdopt.optimise.linear import solve_linear

    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    width = np.maximum(upper - lower, 1e-12)
    whole = [columns_of(path, len(lower)) for path in problem.decisions.paths]
    half = np.concatenate([whole, random.standard_normal((max(len(lower), FEWEST), len(lower))) / width])
    directions = np.concatenate([half, -half])  # so that no side is left out where decisions are few
    found = [solve_linear(direction, problem.rules, lower, upper).point for direction in directions]
    return Polytope(np.unique(np.round(np.array(found), 12), axis=0))


def columns_of(path: DecisionPath, size: int) -> Floats:
    """One at the places of a decision in the decision vector, zero elsewhere."""
    places = np.arange(size) - path.first_column
    return ((places >= 0) & (places < path.periods)).astype(float)
