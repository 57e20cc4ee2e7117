"""Return and constraints of many decision vectors at once, with exact derivatives on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdopt.equations.program import Program
from sdopt.equations.scenarios import scenario_blocks
from sdopt.equations.simulate import run
from sdopt.problem.decisions import Decisions
from sdopt.problem.functionals import Functional

TINY = 1e-30
"""Complex step: derivatives carry no rounding from differences (Squire and Trapp 1998)."""
CHUNK = 256 * 2**20
"""Bytes of paths and results that are held at a time: bounds the memory of an audit and of many gradients."""


@dataclass(frozen=True)
class Values:
    """Values of every functional: `value` (point, functional); `gradient` (point, functional, decision)."""

    value: NDArray[np.float64]
    gradient: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Evaluator:
    """A compiled model with the functionals that are asked of it.

    `beside` are the paths (time,) by key of constants that change over time, whatever is decided.
    """

    program: Program
    decisions: Decisions
    functionals: tuple[Functional, ...]
    matrix: sparse.csr_matrix
    beside: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def values(self, points: NDArray[np.float64]) -> Values:
        """Every functional at points (point, decision), without derivatives."""
        chunks = scenario_blocks(len(points), self._chunk(np.float64))
        parts = [self._measure(points[chunk]) for chunk in chunks]
        return Values(np.concatenate([self._nothing, *parts]).astype(np.float64, copy=False))

    def with_gradients(self, points: NDArray[np.float64]) -> Values:
        """Every functional at points (point, decision), with derivatives by complex step.

        At a kink (MIN, MAX, IF THEN ELSE, a lookup's point) the derivative is that of the branch
        the equations take there: see `equations.functions`.
        """
        chunks = scenario_blocks(len(points), self._chunk(np.complex128) // points.shape[1])
        measured = np.concatenate([self._moved(points[chunk]) for chunk in chunks])
        return Values(measured[:, 0, :].real.copy(), measured.imag.transpose(0, 2, 1) / TINY)

    def _moved(self, points: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Every functional with each decision moved by itself: (point, decision, functional)."""
        count, size = points.shape
        steps = np.broadcast_to(np.eye(size) * (TINY * 1j), (count, size, size))
        moved = (points[:, None, :] + steps).reshape(count * size, size)
        return self._measure(moved).reshape(count, size, -1)

    def _chunk(self, dtype: type[np.number]) -> int:
        """How many scenarios are simulated in one go."""
        program = self.program
        held = len(program.outputs) * len(program.saved) + 2 * len(program.inputs) * (program.grid.steps + 1)
        return CHUNK // (held * np.dtype(dtype).itemsize)

    @property
    def _nothing(self) -> NDArray[np.float64]:
        """The functionals at no points."""
        return np.empty((0, len(self.functionals)))

    def _measure(self, points: NDArray[Any]) -> NDArray[Any]:
        return self.measure_paths(self.decisions.expand(points))

    def measure_paths(self, paths: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Every functional for decision paths (time, scenario) by key: (scenario, functional)."""
        outputs = run(self.program, paths={**self.beside, **paths})
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
