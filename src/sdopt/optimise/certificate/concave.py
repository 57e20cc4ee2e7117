"""Concave functions that a form never exceeds, and their tangents."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import NOISE, Algebra, Form

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Concave:
    """`constant + slope d + d' matrix d + cubes d**3 + errors e`, concave for d in [-1, 1].

    There it is at least the form it was made of; `raised` is by how much, at most.
    """

    constant: float
    slope: Floats
    matrix: Floats
    cubes: Floats
    errors: Floats
    raised: float

    def value(self, point: Floats) -> float:
        """Its value at (d, e)."""
        count = len(self.slope)
        d, e = point[:count], point[count : count + len(self.errors)]
        polynomial = self.slope @ d + d @ self.matrix @ d + self.cubes @ d**3
        return float(self.constant + polynomial + self.errors @ e)

    def tangent(self, point: Floats) -> tuple[Floats, float]:
        """Weights on (d, e) and a constant: a plane that is never below it, and touches it at d."""
        d = np.clip(point[: len(self.slope)], -1.0, 1.0)  # the solver may end a hair outside
        slope = self.slope + 2 * self.matrix @ d + 3 * self.cubes * d**2
        return np.concatenate([slope, self.errors]), float(
            self.constant - d @ self.matrix @ d - 2 * self.cubes @ d**3
        )


def concave_above(algebra: Algebra, form: Form, kept: NDArray[np.intp]) -> Concave:
    """The form with the errors at `kept` as they are, all others at their worst, and no upward curvature.

    Squares of decisions are at most one: a diagonal that makes the matrix negative semidefinite costs its
    sum. A cube whose square bends down enough stays; another is three quarters of a line, but for a quarter.
    """
    matrix, cubes = algebra.symmetric(form), form[algebra.cubes]
    stays = 3 * np.abs(cubes) <= -matrix.diagonal()
    best = _lowered(algebra, form, matrix, np.where(stays, cubes, 0.0))
    if stays.any() and best.raised > 0.0:
        best = min(best, _lowered(algebra, form, matrix, 0.0 * cubes), key=lambda concave: concave.raised)
    errors = np.zeros(len(kept))
    known = kept < len(form) - algebra.size
    errors[known] = form[algebra.size + kept[known]]
    worst = algebra.error(form) - float(np.abs(errors).sum()) + float(form[NOISE])
    return replace(best, constant=best.constant + worst, raised=best.raised + worst, errors=errors)


def _lowered(algebra: Algebra, form: Form, matrix: Floats, cubes: Floats) -> Concave:
    """The polynomial of a form without upward curvature, with the given cubes as they are."""
    upwards = _upward_part(matrix + 3 * np.diag(np.abs(cubes)))
    shift = np.abs(upwards).sum(axis=1)  # Gershgorin: upwards - diag(shift) has no positive eigenvalue
    other = form[algebra.cubes] - cubes
    raised = float(shift.sum() + 0.25 * np.abs(other).sum())
    return Concave(
        constant=float(form[0]) + raised,
        slope=form[algebra.linear] + 0.75 * other,
        matrix=matrix - np.diag(shift),
        cubes=cubes,
        errors=np.zeros(0),
        raised=raised,
    )


def _upward_part(matrix: Floats) -> Floats:
    """The positive eigenvalues with their vectors, and as much again as rounding can have hidden."""
    if not matrix.any() or _bends_down(matrix):
        return np.zeros_like(matrix)
    values, vectors = np.linalg.eigh(matrix)
    hidden = 1e-13 * np.abs(values).max(initial=0.0) * len(values)
    positive = np.maximum(values, 0.0)
    upward: Floats = (vectors * positive) @ vectors.T + hidden * np.eye(len(values))
    return upward


def _bends_down(matrix: Floats) -> bool:
    """Whether minus the matrix has a Cholesky factor with room to spare: a quick proof for most matrices."""
    room = 1e-12 * np.abs(matrix).max()
    try:
        np.linalg.cholesky(-matrix - room * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True
