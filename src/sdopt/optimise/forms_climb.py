"""Local searches for a form whose path is not linear in what it chooses: sequential linear programs.

Every point on the way is allowed, so a search may stop anywhere and never ends below where it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdopt.errors import FormError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.linear import InfeasibleError, Row, solve_linear
from sdopt.optimise.sample import find_vertices
from sdopt.problem.build import Problem
from sdopt.problem.forms import FormProblem
from sdopt.problem.rules import Rule

ROUNDS = 60
"""Most steps from one start."""
FIRST_RADIUS, LAST_RADIUS = 0.2, 1e-5
"""Half width of the first trust region, and of one that is not worth a step, as parts of the ranges."""
WIDER, NARROWER = 2.0, 0.25
"""What the trust region is multiplied with after a step that gains, and after one that does not."""
LEAST_GAIN = 1e-6
"""A step that gains less than this part of the improvement is idle."""
PATIENCE = 3
"""A start ends after so many idle steps in a row."""
TIMES = 5
"""Most Newton steps with which one point is moved to where every limit holds."""
MARGIN = 1e-9
"""Scaled room that is asked for, so that rounding breaks no limit."""
SMALLEST = 1e-9
"""A range narrower than this is a fixed value."""


def climb(asked: FormProblem, path: Floats, progress: Progress) -> Floats:
    """The best choice (choice,) that is found: from `path` (decision,), the form's own starts, and elsewhere.

    Raises
    ------
    OptimisationError
        When no start can be moved to where every limit holds.
    """
    problem, settings = asked.problem, asked.base.config.search
    searcher = _Searcher(View(problem, problem.objective_rows), Archive(problem))
    starts = allowed_starts(problem, np.vstack([asked.decisions.fitted(path), asked.starts]))
    others = _between(problem, starts[0], settings.starts // 2 - len(starts), settings.seed)
    ends: list[int] = []
    for number, start in enumerate(np.vstack([starts, others])):
        position = searcher.mended(start)
        if position is not None:
            ends.append(searcher.climbed(position))
            progress(number, max(map(searcher.improvement, ends)), float("nan"), None)
    if not ends:
        message = "no allowed allocation of this form was found, from several starts."
        raise FormError("not_found", "", message)
    return np.asarray(searcher.archive.points[max(ends, key=searcher.improvement)])


def _between(problem: Problem, first: Floats, count: int, seed: int) -> Floats:
    """Places (place, choice) on the way from `first` (choice,) to random ones that the rules allow."""
    random = np.random.default_rng(seed)
    drawn = find_vertices(problem, random).draw(max(count, 0), random)
    parts = np.linspace(0.0, 1.0, len(drawn) + 1)[1:, None]
    return np.asarray(first + parts * (drawn - first))


@dataclass(frozen=True)
class _Searcher:
    """Steps from one allowed point to a better one; positions are those in the archive."""

    view: View
    archive: Archive

    def improvement(self, position: int) -> float:
        """Improvement of a point over the null alternative."""
        return float(self.view.objective(self.archive.values[[position]])[0])

    def climbed(self, position: int) -> int:
        """Where sequential linear programs lead: every step is mended, and taken only if it gains."""
        radius, idle = FIRST_RADIUS, 0
        for _ in range(ROUNDS):
            if radius < LAST_RADIUS or idle >= PATIENCE:
                break
            tried = self.mended(self._target(position, radius))
            gain = -1.0 if tried is None else self.improvement(tried) - self.improvement(position)
            if tried is None or gain <= 0.0:
                radius *= NARROWER
                continue
            idle = 0 if gain > LEAST_GAIN * abs(self.improvement(tried)) else idle + 1
            position, radius = tried, min(WIDER * radius, 1.0)
        return position

    def mended(self, point: Floats) -> int | None:
        """The position of `point` (choice,), or of an allowed one nearby by Newton steps, or None."""
        position = self._added(point)
        for _ in range(TIMES):
            if (self.view.slacks(self.archive.values[[position]]) >= 0.0).all():
                return position
            rows = self._rows(position, MARGIN)
            try:
                nearest = _nearest(self.view.problem, self.archive.points[position], rows)
            except InfeasibleError:
                return None
            position = self._added(nearest)
        return None

    def _target(self, position: int, radius: float) -> Floats:
        """The optimum of the problem made linear at an allowed point, inside the trust region."""
        decisions, point = self.view.problem.decisions, self.archive.points[position]
        low, high = decisions.lower(), decisions.upper()
        width = radius * (high - low)
        slope = self.view.objective_gradient(self.archive.gradients[[position]])[0]
        rows = self._rows(position, 0.0)
        return solve_linear(
            slope, rows, np.maximum(low, point - width), np.minimum(high, point + width)
        ).point

    def _added(self, point: Floats) -> int:
        return int(self.archive.add(point[None]).start)

    def _rows(self, position: int, margin: float) -> list[Rule | Row]:
        """The rules, and every constraint made linear at a point, with room of `margin`."""
        slacks = self.view.slacks(self.archive.values[[position]])[0]
        slopes = self.view.slack_gradients(self.archive.gradients[[position]])[0]
        point = self.archive.points[position]
        linear = [
            Row("linearised", -slope, float(slack - slope @ point) - margin)
            for slack, slope in zip(slacks, slopes, strict=True)
        ]
        return [*self.view.problem.rules, *linear]


def allowed_starts(problem: Problem, starts: Floats) -> Floats:
    """Places to begin (start, choice), moved to what the rules allow: a tangent elsewhere proves nothing.

    Where they allow nothing, as they are: a search then says which limits clash.
    """
    try:
        return np.array([_nearest(problem, start, problem.rules) for start in starts])
    except InfeasibleError:
        return starts


def _nearest(problem: Problem, start: Floats, rules: Sequence[Rule | Row]) -> Floats:
    """The allowed choice (choice,) with the smallest sum of distances, as parts of the ranges."""
    low, high = problem.decisions.lower(), problem.decisions.upper()
    size, width = len(start), np.maximum(high - low, SMALLEST)
    rows = [Row(rule.name, np.r_[rule.weights, np.zeros(size)], rule.limit) for rule in rules]
    for sign in (1.0, -1.0):
        sides = np.hstack([sign * np.eye(size), -np.diag(width)])
        rows += [Row("distance", side, sign * at) for side, at in zip(sides, start, strict=True)]
    away = np.r_[np.zeros(size), -np.ones(size)]
    found = solve_linear(away, rows, np.r_[low, np.zeros(size)], np.r_[high, np.ones(size)])
    return found.point[:size]
