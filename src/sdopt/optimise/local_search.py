"""When concavity is disproved: trust-region sequential linear programming from several starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.linear import Row, solve_linear
from sdopt.optimise.sample import columns_of
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.rules import Rule

FIRST_RADIUS = 0.25
"""Half width of the first trust region, as part of the distance between the bounds."""
LAST_RADIUS = 1e-6
STEPS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Parts of a step that are tried together."""
GROWTH = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0)
"""What the trust region is multiplied by when such a part is the best."""
LEAST_GAIN = 1e-5
"""A round that gains less than this part of the improvement is idle."""
PATIENCE = 4
"""A start ends after so many idle rounds in a row."""
PENALTY = 2.0
"""Weight of broken constraints (scaled slack) against the return's largest linear change; steers only."""
REPAIRS = 60
"""Halvings when an end point that breaks a constraint by a hair is pulled back to what is allowed."""


@dataclass
class Start:
    """One start: its place in the archive, the size of its trust region, rounds without much gain."""

    position: int
    radius: float = FIRST_RADIUS
    idle: int = 0


@dataclass(frozen=True)
class LocalOptimum:
    """Where one start ended: an allowed decision vector (None: none was found) and its improvement."""

    point: Floats | None
    improvement: float | None


def local_search(
    view: View,
    archive: Archive,
    points: Floats,
    rounds: int,
    progress: Callable[[int, float | None], None],
    stop: Stop = NEVER,
) -> list[LocalOptimum]:
    """Climb from every point (start, decision); all starts move in one batch per round."""
    first = archive.add(points)
    starts = [Start(position) for position in range(first.start, first.stop)]
    searcher = _Searcher(view, archive)
    for round_number in range(rounds):
        moving = [start for start in starts if start.radius > LAST_RADIUS and start.idle < PATIENCE]
        if not moving or stop.reason() is not None:
            break
        searcher.move(moving)
        progress(round_number, max(searcher.merit(start.position) for start in starts))
    return [searcher.repaired(start) for start in starts]


def better(first: LocalOptimum, second: LocalOptimum) -> LocalOptimum:
    """The one with the higher improvement; the first of equals."""
    if first.improvement is None:
        return second
    return second if second.improvement is not None and second.improvement > first.improvement else first


def pulled_inside(view: View, end: Floats, inside: Floats) -> LocalOptimum:
    """A point (decision,), moved towards an allowed point with room as little as rules and limits need."""
    parts = np.concatenate([[0.0], 0.5 ** np.arange(REPAIRS)[::-1]])[:, None]
    tried = end + parts * (inside - end)
    values = view.problem.evaluator.values(tried).value
    allowed = np.flatnonzero(view.meets_rules(tried) & (view.slacks(values) >= 0).all(axis=1))
    if not len(allowed):
        return LocalOptimum(None, None)
    winner = allowed[np.argmax(view.objective(values)[allowed])]
    return LocalOptimum(tried[winner], float(view.objective(values)[winner]))


def merit(view: View, archive: Archive, values: Floats) -> Floats:
    """Improvement less a penalty for broken constraints, (point,), from evaluator values."""
    broken = np.minimum(view.slacks(values), 0.0).sum(axis=1)
    return np.asarray(view.objective(values) + PENALTY * scale_of(view, archive) * broken)


def scale_of(view: View, archive: Archive) -> float:
    """Largest change of the return that its slope at the first point promises between the bounds."""
    decisions = view.problem.decisions
    slope = np.abs(view.objective_gradient(archive.gradients[:1])[0])
    return max(float(slope @ (decisions.upper() - decisions.lower())), 1e-9)


class _Searcher:
    """Trust-region steps over one archive."""

    def __init__(self, view: View, archive: Archive) -> None:
        self.view, self.archive = view, archive
        decisions = view.problem.decisions
        self.lower, self.upper = decisions.lower(), decisions.upper()
        # Parts of a step: all decisions together, and all but one, which may stand at the edge of a jump.
        others = [1.0 - columns_of(path, decisions.size) for path in decisions.paths]
        self.parts = np.concatenate([np.outer(STEPS, np.ones(decisions.size)), others])
        scale = scale_of(view, archive)
        self.size = max(float(np.abs(view.objective(archive.values)).max()), 1e-3 * scale)

    def improvement(self, position: int) -> float:
        return float(self.view.objective(self.archive.values[[position]])[0])

    def merit(self, position: int) -> float:
        return float(self.merits(self.archive.values[[position]])[0])

    def merits(self, values: Floats) -> Floats:
        return merit(self.view, self.archive, values)

    def move(self, starts: list[Start]) -> None:
        """One step of every start: its LP, then the best place on the way, all evaluated together."""
        targets = np.array([self.target(start) for start in starts])
        here = self.archive.points[[start.position for start in starts]]
        tried = here[:, None, :] + self.parts * (targets - here)[:, None, :]
        flat = tried.reshape(-1, tried.shape[-1])
        merits = self.merits(self.view.problem.evaluator.values(flat).value)
        merits = np.where(self.view.meets_rules(flat), merits, -np.inf).reshape(tried.shape[:2])
        winners = merits.argmax(axis=1)
        gains = [m[w] - self.merit(s.position) for m, w, s in zip(merits, winners, starts, strict=True)]
        better = [k for k, gain in enumerate(gains) if gain > 0]
        place = self.archive.add(tried[better, winners[better]]).start if better else 0
        for k, start in enumerate(starts):
            if k in better:
                start.position = place + better.index(k)
                growth = GROWTH[winners[k]] if winners[k] < len(GROWTH) else 1.0
                start.radius = min(start.radius * growth, 1.0)
            else:
                start.radius *= STEPS[0]
            start.idle = 0 if gains[k] > LEAST_GAIN * self.size else start.idle + 1

    def repaired(self, start: Start) -> LocalOptimum:
        """The end point, pulled towards a roomy allowed point as little as its constraints need."""
        here = start.position
        if (self.slacks(here) >= 0).all():
            return LocalOptimum(self.archive.points[here], self.improvement(here))
        anchor = self.anchor()
        if anchor is None:
            return LocalOptimum(None, None)
        return pulled_inside(self.view, self.archive.points[here], self.archive.points[anchor])

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
