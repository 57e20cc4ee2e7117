"""Better allocations where some limits have no cuts: quadratic steps along the cuts of the measure.

Limits at central values cost little to evaluate, scenarios much. So the cuts of the measure stand in for the
scenarios until a place is found that meets the true limits; only there all scenarios are simulated.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sdopt.optimise.cutting_planes import relative_gap
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.readings import Reading
from sdopt.optimise.slopes import with_finite_slopes

Floats = NDArray[np.float64]

ROUNDS = 8
"""Most places that are simulated."""
STEPS = 40
"""Most quadratic steps to such a place."""
PRECISION = 1e-8
SHRINK = 0.5
"""What the reach is multiplied by after a place that is no better."""
SHORTEST = 0.05
ROOM = 0.1
"""Limits per scenario with less room than this (scaled slack) are looked at."""


def finish(planes: RobustPlanes, gap: float) -> None:
    """Add allocations to a search that meet the limits without cuts too, until its gap is closed."""
    radius = 1.0
    while radius > SHORTEST and len(planes.readings) < planes.first_end + ROUNDS:
        value, start = planes.value, planes.best or planes.roomiest
        if planes.stop.reason() is not None:
            return
        if value is not None and relative_gap(value, planes.bound, planes.scale) <= gap:
            return
        point = _Steps(planes, start, radius).place()
        if point is None:
            return
        planes.take_in(point)
        planes.solve_again(gap)
        improved = planes.value is not None and (value is None or planes.value > value)
        radius = radius if improved else radius * SHRINK


class _Steps:
    """The highest place of the cuts within reach, as SLSQP takes it: decisions from 0 to 1, and a height."""

    def __init__(self, planes: RobustPlanes, reading: Reading, radius: float) -> None:
        self.planes, self.view, self.reading = planes, planes.question.view, reading
        master = planes.master
        width = master.upper - master.lower
        self.lower, self.width = master.lower, np.where(width > 0, width, 1.0)
        self.start = np.clip((reading.point - self.lower) / self.width, 0.0, 1.0)
        self.bounds = [
            (max(at - radius, 0.0), min(at + radius, float(wide > 0)))
            for at, wide in zip(self.start, width, strict=True)
        ]
        rows = np.array([np.append(row[1] * self.width, row[3]) for row in master.rows])
        self.rows, self.limits = rows, np.array([row[2] - row[1] @ self.lower for row in master.rows])
        self.known: tuple[bytes, Floats, Floats] = (b"", np.empty(0), np.empty(0))

    def place(self) -> Floats | None:
        """Where the steps end, pulled to where the limits at central values hold; None if they never do."""
        cuts = self.rows[:, -1] > 0
        height = (self.limits - self.rows[:, :-1] @ self.start)[cuts].min()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # of a line search that leaves the bounds by rounding
            answer = minimize(
                lambda z: -z[-1],
                np.append(self.start, height),
                jac=lambda z: -np.eye(1, len(z), len(z) - 1)[0],
                bounds=[*self.bounds, (None, None)],
                constraints=list(self._constraints()),
                method="SLSQP",
                options={"maxiter": STEPS, "ftol": PRECISION},
            )
        end = self._point(answer.x) if np.isfinite(answer.x).all() else self._point(self.start)
        return self.planes.pulled(end, self.planes.full_rooms(), set())

    def _point(self, scaled: Floats) -> Floats:
        size = len(self.width)
        return np.asarray(self.lower + self.width * np.clip(scaled[:size], 0.0, 1.0))

    def _constraints(self) -> Iterator[dict[str, Any]]:
        yield {"type": "ineq", "fun": lambda z: self.limits - self.rows @ z, "jac": lambda _: -self.rows}
        if self.view.problem.constraints:
            yield {"type": "ineq", "fun": lambda z: self._central(z)[1], "jac": lambda z: self._central(z)[2]}
        for slack, slope, point in self._scenario_tangents():
            row = np.append(slope * self.width, 0.0)
            fixed = slack + float(slope @ (self.lower - point))
            yield {"type": "ineq", "fun": lambda z, r=row, c=fixed: r @ z + c, "jac": lambda _, r=row: r}

    def _central(self, scaled: Floats) -> tuple[bytes, Floats, Floats]:
        """Scaled slacks at central values (constraint,), and slopes by scaled decisions and height."""
        point = self._point(scaled)
        if self.known[0] != point.tobytes():
            _, values, gradients = with_finite_slopes(self.view.problem, point[None])
            slopes = self.view.slack_gradients(gradients)[0] * self.width
            wide = np.pad(slopes, ((0, 0), (0, 1)))
            self.known = point.tobytes(), self.view.slacks(values)[0], wide
        return self.known

    def _scenario_tangents(self) -> Iterator[tuple[float, Floats, Floats]]:
        """Limits per scenario without cuts, at the start and at the last place: slack, slope and place."""
        planes = self.planes
        for reading in {id(one): one for one in (self.reading, planes.readings[-1])}.values():
            for one in planes.limit_cuts.at(planes.question, reading, ROOM):
                if one.constraint in planes.left_out:
                    yield one.cut.value, one.cut.slope, one.cut.point
