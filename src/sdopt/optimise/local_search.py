"""When concavity is disproved: trust-region sequential linear programming from several starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.linear import Row, solve_linear

FIRST_RADIUS = 0.25
"""Half width of the first trust region, as part of the distance between the bounds."""
LAST_RADIUS = 1e-6
STEPS = (0.25, 0.5, 1.0)
"""Parts of a step that are tried together."""
PENALTY = 1e3
"""Weight of broken constraints, in units of the largest gradient; only steers, never decides."""


@dataclass
class Start:
    """One start: where it stands, the size of its trust region, and the best allowed place it saw."""

    position: int
    radius: float = FIRST_RADIUS
    best: int | None = None


@dataclass(frozen=True)
class LocalOptimum:
    """Where one start ended: archive position (None: nothing allowed was found) and improvement."""

    position: int | None
    improvement: float | None


def local_search(
    view: View, archive: Archive, points: Floats, rounds: int, progress: Callable[[int, float | None], None]
) -> list[LocalOptimum]:
    """Climb from every point (start, decision); all starts move in one batch per round."""
    first = archive.add(points)
    starts = [Start(position) for position in range(first.start, first.stop)]
    searcher = _Searcher(view, archive)
    for start in starts:
        searcher.note(start, start.position)
    for round_number in range(rounds):
        moving = [start for start in starts if start.radius > LAST_RADIUS]
        if not moving:
            break
        searcher.move(moving)
        known = [searcher.improvement(s.best) for s in starts if s.best is not None]
        progress(round_number, max(known, default=None))
    return [
        LocalOptimum(start.best, None if start.best is None else searcher.improvement(start.best))
        for start in starts
    ]


class _Searcher:
    """Trust-region steps over one archive."""

    def __init__(self, view: View, archive: Archive) -> None:
        self.view, self.archive = view, archive
        decisions = view.problem.decisions
        self.lower, self.upper = decisions.lower(), decisions.upper()
        slope = np.abs(view.objective_gradient(archive.gradients[:1])[0])
        self.penalty = PENALTY * max(float(slope @ (self.upper - self.lower)), 1e-9)

    def improvement(self, position: int) -> float:
        return float(self.view.objective(self.archive.values[[position]])[0])

    def merit(self, position: int) -> float:
        """Improvement less a penalty for broken constraints."""
        slacks = self.view.slacks(self.archive.values[[position]])[0]
        return self.improvement(position) + self.penalty * float(np.minimum(slacks, 0.0).sum())

    def note(self, start: Start, position: int) -> None:
        """Keep a place as best when it is allowed and better."""
        slacks = self.view.slacks(self.archive.values[[position]])[0]
        allowed = bool((slacks >= 0).all())
        if allowed and (start.best is None or self.improvement(position) > self.improvement(start.best)):
            start.best = position

    def move(self, starts: list[Start]) -> None:
        """One step of every start: its LP, then its candidates, all evaluated together."""
        targets = [self.target(start) for start in starts]
        candidates = [
            self.archive.points[start.position] + step * (target - self.archive.points[start.position])
            for start, target in zip(starts, targets, strict=True)
            for step in STEPS
        ]
        place = self.archive.add(np.array(candidates)).start
        for start in starts:
            self.settle(start, range(place, place + len(STEPS)))
            place += len(STEPS)

    def settle(self, start: Start, positions: range) -> None:
        """Go to the best candidate, or stay and shrink the region."""
        for position in positions:
            self.note(start, position)
        merits = [self.merit(position) for position in positions]
        here = self.merit(start.position)
        winner = int(np.argmax(merits))
        if merits[winner] <= here + 1e-12 * abs(here):
            start.radius *= STEPS[0] / 2
            return
        start.position = positions[winner]
        start.radius *= 2.0 if winner == len(STEPS) - 1 else STEPS[winner]
        start.radius = min(start.radius, 1.0)

    def target(self, start: Start) -> Floats:
        """Optimum of the linearised problem inside the trust region."""
        k = start.position
        point, width = self.archive.points[k], start.radius * (self.upper - self.lower)
        lower, upper = np.maximum(self.lower, point - width), np.minimum(self.upper, point + width)
        slope = self.view.objective_gradient(self.archive.gradients[[k]])[0]
        rows = [*self.view.problem.rules, *self._linear_constraints(k, point)]
        try:
            return solve_linear(slope, rows, lower, upper).point
        except OptimisationError:
            return self._towards_allowed(k, point, lower, upper)

    def _linear_constraints(self, k: int, point: Floats) -> list[Row]:
        slacks = self.view.slacks(self.archive.values[[k]])[0]
        slopes = self.view.slack_gradients(self.archive.gradients[[k]])[0]
        return [
            Row("linearised", -slope, float(slack - slope @ point))
            for slack, slope in zip(slacks, slopes, strict=True)
        ]

    def _towards_allowed(self, k: int, point: Floats, lower: Floats, upper: Floats) -> Floats:
        """Where the linearised constraints cannot be met nearby: lessen the worst of them."""
        slacks = self.view.slacks(self.archive.values[[k]])[0]
        slopes = self.view.slack_gradients(self.archive.gradients[[k]])[0]
        slope = slopes[slacks < 0].sum(axis=0) if (slacks < 0).any() else np.zeros_like(point)
        return solve_linear(slope, self.view.problem.rules, lower, upper).point
