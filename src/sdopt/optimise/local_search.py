"""When concavity is disproved: trust-region sequential linear programming from several starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.linear import Row, solve_linear
from sdopt.problem.rules import Rule

FIRST_RADIUS = 0.25
"""Half width of the first trust region, as part of the distance between the bounds."""
LAST_RADIUS = 1e-6
STEPS = (0.25, 0.5, 1.0)
"""Parts of a step that are tried together."""
PENALTY = 2.0
"""Weight of broken constraints (scaled slack) against the return's largest linear change; steers only."""
REPAIRS = 60
"""Halvings when an end point that breaks a constraint by a hair is pulled back to what is allowed."""


@dataclass
class Start:
    """One start: where it stands in the archive, and the size of its trust region."""

    position: int
    radius: float = FIRST_RADIUS


@dataclass(frozen=True)
class LocalOptimum:
    """Where one start ended: an allowed decision vector (None: none was found) and its improvement."""

    point: Floats | None
    improvement: float | None


def local_search(
    view: View, archive: Archive, points: Floats, rounds: int, progress: Callable[[int, float | None], None]
) -> list[LocalOptimum]:
    """Climb from every point (start, decision); all starts move in one batch per round."""
    first = archive.add(points)
    starts = [Start(position) for position in range(first.start, first.stop)]
    searcher = _Searcher(view, archive)
    for round_number in range(rounds):
        moving = [start for start in starts if start.radius > LAST_RADIUS]
        if not moving:
            break
        searcher.move(moving)
        progress(round_number, max(searcher.merit(start.position) for start in starts))
    return [searcher.repaired(start) for start in starts]


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
        merits = [self.merit(position) for position in positions]
        here = self.merit(start.position)
        winner = int(np.argmax(merits))
        if merits[winner] <= here + 1e-12 * abs(here):
            start.radius *= STEPS[0] / 2
            return
        start.position = positions[winner]
        start.radius *= 2.0 if winner == len(STEPS) - 1 else STEPS[winner]
        start.radius = min(start.radius, 1.0)

    def repaired(self, start: Start) -> LocalOptimum:
        """The end point, pulled towards a roomy allowed point as little as its constraints need."""
        here = start.position
        if (self.slacks(here) >= 0).all():
            return LocalOptimum(self.archive.points[here], self.improvement(here))
        anchor = self.anchor()
        if anchor is None:
            return LocalOptimum(None, None)
        end, inside = self.archive.points[here], self.archive.points[anchor]
        parts = 0.5 ** np.arange(REPAIRS)[:, None]
        tried = end + parts * (inside - end)
        values = self.view.problem.evaluator.values(tried).value
        allowed = np.flatnonzero((self.view.slacks(values) >= 0).all(axis=1))
        if not len(allowed):
            return LocalOptimum(None, None)
        winner = allowed[np.argmax(self.view.objective(values)[allowed])]
        return LocalOptimum(tried[winner], float(self.view.objective(values)[winner]))

    def anchor(self) -> int | None:
        """The archive's allowed point with most room, or None."""
        room = self.view.slacks(self.archive.values).min(axis=1, initial=np.inf)
        room = np.where(self.view.meets_rules(self.archive.points), room, -np.inf)
        return int(np.argmax(room)) if room.max() >= 0 else None

    def slacks(self, position: int) -> Floats:
        return np.asarray(self.view.slacks(self.archive.values[[position]])[0])

    def target(self, start: Start) -> Floats:
        """Optimum of the linearised problem inside the trust region."""
        k = start.position
        point, width = self.archive.points[k], start.radius * (self.upper - self.lower)
        lower, upper = np.maximum(self.lower, point - width), np.minimum(self.upper, point + width)
        slope = self.view.objective_gradient(self.archive.gradients[[k]])[0]
        rows: list[Rule | Row] = [*self.view.problem.rules, *self._linear_constraints(k, point)]
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
