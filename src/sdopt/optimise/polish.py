"""The last digits where slopes are smooth: sequential quadratic programming (SciPy's SLSQP).

Linear steps alone zigzag when the optimum lies between the corners. Exact values and derivatives; variables
scaled by the distance between their bounds. What it ends with is only taken when it is allowed and better.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.optimize import minimize

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.moves import Allowed
from sdopt.optimise.slopes import with_finite_slopes
from sdopt.optimise.stopping import Stop

MANY = 100
"""From so many decisions on the loss is measured by what one of them can bring: see `unit_of`."""
ITERATIONS = 60
"""Most quadratic programs."""
PRECISION = 1e-9
"""A step that gains less than this part of the scale ends it."""


def polish(
    view: View,
    point: Floats,
    scale: float,
    stop: Stop,
    enough: Callable[[Floats], bool] | None = None,
    *,
    precision: float = PRECISION,
    archive: Archive | None = None,
) -> Floats:
    """A point (decision,) near a local optimum; constraints may be broken by rounding.

    `scale` is the size of an objective that is worth while, in its unit: the smaller, the longer the first
    steps. Where `enough` says so of a place (decision,) on the way, it ends there. An `archive` keeps every
    place that the rules allow where slopes were worked out: elsewhere the return may have another shape.
    """
    smooth = _Smooth(view, point, scale, archive)
    bounds = [(0.0, float(width > 0)) for width in smooth.allowed.upper - smooth.allowed.lower]

    def note(scaled: Floats) -> None:
        smooth.last = np.array(scaled)
        if stop.reason() is not None or (enough is not None and enough(smooth.plain(smooth.last))):
            raise _Stopped

    with warnings.catch_warnings(), suppress(_Stopped):
        warnings.simplefilter("ignore", RuntimeWarning)  # of a line search that leaves the bounds by rounding
        answer = minimize(
            smooth.loss,
            smooth.last,
            jac=smooth.loss_slope,
            bounds=bounds,
            constraints=smooth.constraints(),
            method="SLSQP",
            callback=note,
            options={"maxiter": ITERATIONS, "ftol": precision},
        )
        smooth.last = answer.x if np.isfinite(answer.x).all() else smooth.last
    end = smooth.plain(smooth.last)
    if view.meets_rules(end[None])[0]:  # by rounding a rule may be passed by a hair: no reason to stay behind
        return end
    return np.asarray(smooth.allowed.towards(point[None], end[None])[0])


def unit_of(scale: float, view: View, step: float) -> float | None:
    """What to measure the loss by where decisions are many; None where they are few.

    SLSQP takes the loss to curve by one at first. `scale` is what the return changes over all bounds by its
    slope. Divided over the decisions, it makes the first step change a usual one by the part `step` of the
    distance between its bounds.
    """
    size = view.problem.decisions.size
    return scale / (step * size) if size >= MANY else None


class _Stopped(Exception):  # noqa: N818
    """Time is up, or it is enough: what SLSQP has is taken."""


class _Smooth:
    """The problem as SLSQP takes it: minimise a loss, constraints at least zero, decisions from 0 to 1."""

    def __init__(self, view: View, point: Floats, scale: float, archive: Archive | None) -> None:
        self.view, self.scale, self.archive = view, scale, archive
        self.allowed = Allowed(view.problem)
        width = self.allowed.upper - self.allowed.lower
        self.width = np.where(width > 0, width, 1.0)
        self.last = np.clip((point - self.allowed.lower) / self.width, 0.0, 1.0)
        self.last_values: tuple[bytes, Floats] = (b"", np.empty(0))
        self.last_gradients = self.last_values

    def plain(self, scaled: Floats) -> Floats:
        point = self.allowed.lower + self.width * scaled
        return np.asarray(np.clip(point, self.allowed.lower, self.allowed.upper))

    def loss(self, scaled: Floats) -> float:
        return -float(self.view.objective(self._values(scaled))[0]) / self.scale

    def loss_slope(self, scaled: Floats) -> Floats:
        slope = self.view.objective_gradient(self._gradients(scaled))[0]
        return np.asarray(-slope * self.width / self.scale)

    def constraints(self) -> list[dict[str, Any]]:
        weights = self.allowed.weights * self.width
        limits = self.allowed.limits - self.allowed.weights @ self.allowed.lower
        listed: list[dict[str, Any]] = []
        if len(limits):
            rules = {"fun": lambda x: limits - weights @ x, "jac": lambda _: -weights}
            listed.append({"type": "ineq", **rules})
        if self.view.problem.constraints:
            listed.append({"type": "ineq", "fun": self._slacks, "jac": self._slack_slopes})
        return listed

    def _slacks(self, scaled: Floats) -> Floats:
        return np.asarray(self.view.slacks(self._values(scaled))[0])

    def _slack_slopes(self, scaled: Floats) -> Floats:
        return np.asarray(self.view.slack_gradients(self._gradients(scaled))[0] * self.width)

    def _values(self, scaled: Floats) -> Floats:
        """Values (1, functional): SLSQP asks for them one after the other at one place."""
        key = scaled.tobytes()
        if self.last_values[0] != key:
            self.last_values = key, self.view.problem.evaluator.values(self.plain(scaled)[None]).value
        return self.last_values[1]

    def _gradients(self, scaled: Floats) -> Floats:
        key = scaled.tobytes()
        if self.last_gradients[0] != key:
            self.last_gradients = key, self._slopes(self.plain(scaled)[None])
        return self.last_gradients[1]

    def _slopes(self, points: Floats) -> Floats:
        if self.archive is None or not self.view.meets_rules(points)[0]:
            return with_finite_slopes(self.view.problem, points)[2]
        added = self.archive.add(points)
        return self.archive.gradients[added]
