"""Exact derivatives, also at points where one is infinite: those are moved a hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError, SimulationError
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
STEEP = 1e6
"""A slope that would change a value by so many times its size between the bounds may be infinite."""
FALLS = 10.0
"""It is, when it is so many times less a hair further on."""
NUDGE = 1e-9
"""That hair: how far a point moves towards the middle of its bounds to escape an infinite slope."""


def with_finite_slopes(problem: Problem, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Points (point, decision), some moved; values (point, functional); gradients (..., decision).

    A power below one of something that is zero has an infinite slope there, and no tangent. Such a point
    is replaced by one that lies `NUDGE` of the way to the middle of the bounds.

    Raises
    ------
    SimulationError
        When the model gives inf or nan at a point.
    OptimisationError
        When a slope is infinite at the new place as well.
    """
    known = _evaluate(problem, points)
    suspect = np.ones(len(points), dtype=bool) if known is None else _steep(problem, *known)
    if known is not None and not suspect.any():
        return points, *known
    middle = (problem.decisions.lower() + problem.decisions.upper()) / 2
    moved = np.where(suspect[:, None], points + NUDGE * (middle - points), points)
    found = _evaluate(problem, moved)
    if found is None:
        raise OptimisationError(_message(problem, moved[0]))
    if known is not None:
        falls = (np.abs(known[1]) > FALLS * np.abs(found[1]) + _size(problem, known[0])).any(axis=(1, 2))
        if not falls.any():
            return points, *known
    return moved, *found


def _evaluate(problem: Problem, points: Floats) -> tuple[Floats, Floats] | None:
    """Values (point, functional) and gradients (..., decision); None when a slope is no number."""
    try:
        found = problem.evaluator.with_gradients(points)
    except SimulationError:
        problem.evaluator.values(points)  # raises when it is not a slope that is wrong
        return None
    if found.gradient is None:
        raise AssertionError("with_gradients gave none")
    return found.value, found.gradient


def _steep(problem: Problem, values: Floats, gradients: Floats) -> NDArray[np.bool_]:
    """At which points (point,) a slope is so steep that it may be infinite."""
    width = problem.decisions.upper() - problem.decisions.lower()
    return np.asarray((np.abs(gradients) * width > STEEP * _size(problem, values)).any(axis=(1, 2)))


def _size(problem: Problem, values: Floats) -> Floats:
    """What a change is compared with, (point, functional, 1)."""
    return np.maximum(np.abs(values), np.abs(problem.null_values))[:, :, None]


def _message(problem: Problem, point: Floats) -> str:
    listed = ", ".join(
        f"{label} {year} = {value:g}"
        for (label, year), value in zip(problem.decisions.labels(), point, strict=True)
    )
    return (
        f"return or limits change infinitely fast with a decision, at and around {listed}. Keep the bounds "
        "of the decisions away from where an equation of the model has no slope (a power below one of zero)."
    )
