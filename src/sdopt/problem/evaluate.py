"""Return and constraints of many decision vectors at once, with exact derivatives on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdopt.equations.program import Program
from sdopt.equations.simulate import run
from sdopt.problem.decisions import Decisions
from sdopt.problem.functionals import Functional

TINY = 1e-30
"""Complex step: derivatives carry no rounding from differences (Squire and Trapp 1998)."""
THREADS = 2
CHUNK = 4096
"""Vectors simulated in one go: bounds the memory of an audit."""


@dataclass(frozen=True)
class Values:
    """Values of every functional: `value` (point, functional); `gradient` (point, functional, decision)."""

    value: NDArray[np.float64]
    gradient: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Evaluator:
    """A compiled model with the functionals that are asked of it."""

    program: Program
    decisions: Decisions
    functionals: tuple[Functional, ...]
    matrix: sparse.csr_matrix

    def values(self, points: NDArray[np.float64]) -> Values:
        """Every functional at points (point, decision), without derivatives."""
        parts = [self._measure(points[k : k + CHUNK]) for k in range(0, len(points), CHUNK)]
        return Values(np.concatenate(parts).astype(np.float64, copy=False))

    def with_gradients(self, points: NDArray[np.float64]) -> Values:
        """Every functional at points (point, decision), with derivatives by complex step.

        At a kink (MIN, MAX, IF THEN ELSE, a lookup's point) the derivative is that of the branch
        the equations take there: see `equations.functions`.
        """
        count, size = points.shape
        steps = np.broadcast_to(np.eye(size) * (TINY * 1j), (count, size, size))
        moved = (points[:, None, :] + steps).reshape(count * size, size)
        measured = self._measure(moved).reshape(count, size, -1)
        return Values(measured[:, 0, :].real.copy(), measured.imag.transpose(0, 2, 1) / TINY)

    def _measure(self, points: NDArray[Any]) -> NDArray[Any]:
        return self.measure_paths(self.decisions.expand(points))

    def measure_paths(self, paths: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Every functional for decision paths (time, scenario) by key: (scenario, functional)."""
        outputs = run(self.program, paths=paths, threads=THREADS)
        flat = outputs.reshape(-1, outputs.shape[-1])
        return np.asarray(self.matrix @ flat).T


def functional_matrix(
    functionals: tuple[Functional, ...], keys: tuple[str, ...], times: int
) -> sparse.csr_matrix:
    """Weights of every functional on the flattened (output, time) axis."""
    rows = np.zeros((len(functionals), len(keys) * times))
    for row, functional in enumerate(functionals):
        for key, weights in functional.weights.items():
            start = keys.index(key) * times
            rows[row, start : start + times] += weights
    return sparse.csr_matrix(rows)
