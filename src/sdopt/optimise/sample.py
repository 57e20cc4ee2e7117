"""Random decision vectors that the linear rules allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
CONCENTRATION = 0.15
"""Dirichlet parameter: below one, mixtures lean to a few vertices, so that the edges are visited too."""
FEWEST = 10
"""Pairs of objectives with which vertices are sought, however few the decisions."""
NEARBY = 0.1
"""Points near the optimum lie within this part of the way to a random point."""


@dataclass(frozen=True)
class Polytope:
    """The set that bounds and rules allow, by vertices (vertex, decision) found with random objectives."""

    vertices: Floats

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Random mixtures of vertices: (count, decision); all allowed, because the set is convex."""
        weights = random.dirichlet(np.full(len(self.vertices), CONCENTRATION), size=count)
        return weights @ self.vertices

    def draw_near(self, centre: Floats, count: int, random: np.random.Generator) -> Floats:
        """Random points between `centre` (decision,) and a random mixture, most of them close."""
        parts = NEARBY * random.random((count, 1))
        return centre + parts * (self.draw(count, random) - centre)


def find_vertices(problem: Problem, random: np.random.Generator) -> Polytope:
    """Vertices of the allowed set: as many random objectives as decisions, and their opposites.

    Raises
    ------
    OptimisationError
        When the rules leave no allowed decision vector.
    """
    from sdopt.optimise.linear import solve_linear

    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    width = np.maximum(upper - lower, 1e-12)
    half = random.standard_normal((max(len(lower), FEWEST), len(lower))) / width
    directions = np.concatenate([half, -half])  # so that no side is left out where decisions are few
    found = [solve_linear(direction, problem.rules, lower, upper).point for direction in directions]
    return Polytope(np.unique(np.round(np.array(found), 12), axis=0))
