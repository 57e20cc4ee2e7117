"""Cutting planes: a master LP over exact tangents gives a bound, damped steps give better allocations.

Kelley (1960) with steps damped towards the best point. The bound holds if return and constraints
are concave; every evaluated point is checked against every cut, and one point above a cut disproves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.master import Master, MasterAnswer

STEPS = (0.1, 0.3, 0.6, 1.0)
"""Parts of the way from the best point to the master's answer that are evaluated together."""
NEAR = 0.02
"""Constraints with a scaled slack below this get a cut."""
OBJECTIVE_NOISE = 1e-7
"""Part of the improvement below which a point above a cut is rounding."""
SLACK_NOISE = 1e-9
"""The same for scaled slacks."""

Progress = Callable[[int, float | None, float, float | None], None]
"""Called with iteration, best improvement, bound on it, and gap."""


@dataclass(frozen=True)
class Trace:
    """One round: best improvement so far (None before an allowed point is known), bound and gap."""

    iteration: int
    best: float | None
    bound: float
    gap: float | None


@dataclass
class CuttingPlanes:
    """State of one search. `best` is a position in the archive; objective values are improvements."""

    view: View
    archive: Archive
    master: Master
    scale: float
    used: int = 0
    best: int | None = None
    largest_violation: float = 0.0
    concave: bool = True
    trace: list[Trace] = field(default_factory=list)
    answer: MasterAnswer | None = None

    def run(self, gap: float, iterations: int, progress: Progress) -> bool:
        """Search until the gap is reached; False when iterations ran out or concavity is disproved."""
        for iteration in range(iterations):
            self._take_in()
            if not self.concave:
                return False
            self.answer = self.master.solve()
            step = self._note(iteration)
            progress(iteration, step.best, step.bound, step.gap)
            if step.gap is not None and step.gap <= gap:
                return True
            self.archive.add(self._candidates(self.answer.point))
        return False

    @property
    def bound(self) -> float:
        """Upper bound on the improvement, in the objective's unit."""
        return self.trace[-1].bound

    @property
    def improvement(self) -> float:
        """Best improvement found, in the objective's unit."""
        return float(self.view.objective(self.archive.values[[self._best()]])[0])

    @property
    def point(self) -> Floats:
        """The best allowed decision vector."""
        return self.archive.points[self._best()]

    def _best(self) -> int:
        if self.best is None:
            raise AssertionError("no allowed point is known")
        return self.best

    def _note(self, iteration: int) -> Trace:
        answer = self.answer
        if answer is None:
            raise AssertionError("the master problem was not solved")
        bound = answer.dual_bound * self.scale
        best = None if self.best is None else self.improvement
        gap = None if best is None or bound <= 0 else (bound - best) / bound
        if best is not None and bound - best <= OBJECTIVE_NOISE * max(self.scale, abs(best)):
            gap = 0.0 if gap is None else max(gap, 0.0)
        self.trace.append(Trace(iteration, best, bound, gap))
        return self.trace[-1]

    def _candidates(self, target: Floats) -> Floats:
        centre = self.archive.points[self.best] if self.best is not None else self.archive.points[0]
        return np.array([centre + step * (target - centre) for step in STEPS])

    def _take_in(self) -> None:
        """Cuts, checks and best point from what the archive gained."""
        new = slice(self.used, len(self.archive.points))
        self.used = new.stop
        values, gradients = self.archive.values[new], self.archive.gradients[new]
        objective, slacks = self.view.objective(values), self.view.slacks(values)
        slopes, slack_slopes = self.view.objective_gradient(gradients), self.view.slack_gradients(gradients)
        for k, point in enumerate(self.archive.points[new]):
            self.master.add_objective_cut(objective[k] / self.scale, slopes[k] / self.scale, point)
            for row in np.flatnonzero(slacks[k] < NEAR):
                self.master.add_constraint_cut(int(row), float(slacks[k, row]), slack_slopes[k, row], point)
            if self._allowed(point, slacks[k]) and (self.best is None or objective[k] > self.improvement):
                self.best = new.start + k
        self._check_against_cuts()

    def _allowed(self, point: Floats, slacks: Floats) -> bool:
        return bool((slacks >= 0).all()) and self.master.allows(point)

    def _check_against_cuts(self) -> None:
        """Every point against every tangent: above one by more than rounding, and concavity is disproved."""
        excess = tangent_excess(self.view, self.archive, self.archive.points, self.archive.values)
        noise = OBJECTIVE_NOISE * max(self.scale_of_noise(), 1e-12)
        self.largest_violation = max(self.largest_violation, excess[0])
        self.concave = excess[0] <= noise and excess[1] <= SLACK_NOISE

    def scale_of_noise(self) -> float:
        """What a violation is compared with: the improvement once known, else the master's scale."""
        return self.scale if self.best is None or self.improvement <= 0 else max(self.improvement, 1e-3 * self.scale)


def tangent_excess(view: View, archive: Archive, points: Floats, values: Floats) -> tuple[float, float]:
    """How far points (point, decision) stand above the archive's tangents at most: objective, scaled slack.

    Concave functions never stand above a tangent, so more than rounding disproves concavity.
    """
    worst = [0.0, 0.0]
    objective, slacks = view.objective(archive.values), view.slacks(archive.values)
    slopes, slack_slopes = view.objective_gradient(archive.gradients), view.slack_gradients(archive.gradients)
    found, found_slacks = view.objective(values), view.slacks(values)
    for k, centre in enumerate(archive.points):
        step = points - centre
        worst[0] = max(worst[0], float((found - objective[k] - step @ slopes[k]).max()))
        if slacks.shape[1]:
            above = found_slacks - slacks[k] - step @ slack_slopes[k].T
            worst[1] = max(worst[1], float(above.max()))
    return worst[0], worst[1]


def start_cutting_planes(view: View, archive: Archive) -> CuttingPlanes:
    """A search that uses what the archive holds; the archive must hold at least one point."""
    problem = view.problem
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    slope = np.abs(view.objective_gradient(archive.gradients[:1])[0])
    scale = max(float(slope @ (upper - lower)), 1e-9)
    highest = 1.0 + float(np.abs(view.objective(archive.values[:1])[0])) / scale
    master = Master(lower, upper, problem.rules, highest * 1e3)
    return CuttingPlanes(view, archive, master, scale)
