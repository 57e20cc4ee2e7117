"""Cutting planes: a master LP over exact tangents gives a bound, damped steps give better allocations.

Kelley (1960) with steps damped towards the best point. The bound holds if return and constraints
are concave; every evaluated point is checked against every cut, and one point above a cut disproves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, Floats, View, tangent_excess
from sdopt.optimise.interior import find_interior, roomiest
from sdopt.optimise.master import Master, MasterAnswer
from sdopt.optimise.tangents import add_tangents, scale_and_height

STEPS = (0.1, 0.3, 0.6, 1.0)
"""Parts of the way from the best point to the master's answer that are evaluated together."""
PULLS = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3)
"""How far such a point is pulled towards the roomiest allowed point until no constraint is broken."""
TANGENTS = 1
"""Of those points, the best so many get a tangent, beside the master's answer."""
TOUCHING = -1e-12
"""A scaled slack below zero by no more than this is rounding: the limit is met."""
OBJECTIVE_NOISE = 1e-7
"""Part of the improvement below which a point above a cut is rounding."""

Progress = Callable[[int, float | None, float, float | None], None]
"""Called with iteration, best improvement, bound on it, and gap."""


@dataclass(frozen=True)
class Trace:
    """One round: best improvement so far (None before an allowed point is known), bound and gap.

    `left` is what more rounds can still take off the gap: less than all of it where constraints are left out.
    """

    iteration: int
    best: float | None
    bound: float
    gap: float | None
    left: float | None = None


@dataclass
class CuttingPlanes:
    """State of one search. `best` is a position in the archive; objective values are improvements.

    Constraints in `left_out` get no cuts: the bound then does not lean on them (leaving a limit out
    can only raise it), while every allocation is still held to them. `centre` is the best point that meets
    the others; without `left_out` it is `best`. Of equally good points the first found stays the best.
    """

    view: View
    archive: Archive
    master: Master
    scale: float
    left_out: frozenset[int]
    used: int = 0
    best: int | None = None
    centre: int | None = None
    disproved: set[int] = field(default_factory=set)
    return_violation: float = 0.0
    slack_violation: Floats | None = None
    trace: list[Trace] = field(default_factory=list)
    answer: MasterAnswer | None = None

    def run(self, enough: Callable[[Trace], bool], iterations: int, progress: Progress) -> bool:
        """Search until a round is `enough`; False when iterations ran out or concavity is disproved."""
        find_interior(self.view, self.archive, TOUCHING)
        for iteration in range(iterations):
            self._take_in()
            if self.disproved or not self.return_is_concave:
                return False
            step = self._solve(iteration)
            progress(iteration, step.best, step.bound, step.gap)
            if enough(step):
                return True
            self.archive.add(self._candidates(self._answer().point))
        self._take_in()
        return False

    @property
    def bound(self) -> float:
        """Upper bound on the improvement, in the objective's unit."""
        return self.trace[-1].bound

    @property
    def improvement(self) -> float:
        """Best improvement found, in the objective's unit."""
        return self._objective(self._best())

    @property
    def point(self) -> Floats:
        """The best allowed decision vector, (decision,)."""
        return np.asarray(self.archive.points[self._best()])

    @property
    def roomiest(self) -> Floats:
        """The allowed point with most room on its constraints, (decision,)."""
        return np.asarray(self.archive.points[self._anchor()])

    @property
    def return_is_concave(self) -> bool:
        """Whether no evaluated point stands above a tangent of the return by more than rounding."""
        return self.return_violation <= OBJECTIVE_NOISE * self._size()

    def carriers(self) -> set[int]:
        """Constraints that the bound leans on: those whose cuts have a multiplier (none before a bound)."""
        prices = {} if self.answer is None else self.answer.constraint_multipliers
        return {c for c, price in prices.items() if price > 0}

    def _best(self) -> int:
        if self.best is None:
            raise OptimisationError("no allowed allocation was found: relax a constraint or a bound.")
        return self.best

    def _centre(self) -> int:
        return self._best() if self.centre is None else self.centre

    def _objective(self, position: int) -> float:
        return float(self.view.objective(self.archive.values[[position]])[0])

    def _answer(self) -> MasterAnswer:
        if self.answer is None:
            raise AssertionError("the master problem was not solved")
        return self.answer

    def _size(self) -> float:
        """What a violation is compared with: the improvement, once one is known."""
        known = self.best is not None and self.improvement > 0
        return max(self.improvement, 1e-3 * self.scale) if known else self.scale

    def _solve(self, iteration: int) -> Trace:
        self.answer = self.master.solve()
        bound = self.answer.dual_bound * self.scale
        best = None if self.best is None else self.improvement
        gap = None if best is None else relative_gap(best, bound, self.scale)
        left = None if best is None else relative_gap(self._objective(self._centre()), bound, self.scale)
        self.trace.append(Trace(iteration, best, bound, gap, left))
        return self.trace[-1]

    def _candidates(self, target: Floats) -> Floats:
        """The master's answer, and the best allowed points on the way to it."""
        centre, anchor = self.archive.points[self._centre()], self.archive.points[self._anchor()]
        steps = centre + np.array(STEPS)[:, None] * (target - centre)
        pulled = steps[:, None, :] + np.array(PULLS)[:, None] * (anchor - steps)[:, None, :]
        values = self.view.problem.evaluator.values(pulled.reshape(-1, len(target))).value
        allowed = self._meets_kept(self.view.slacks(values)).reshape(pulled.shape[:2])
        objective = self.view.objective(values).reshape(pulled.shape[:2])
        first = np.argmax(allowed, axis=1)
        rows = [k for k in range(len(STEPS)) if allowed[k, first[k]]]
        rows.sort(key=lambda k: -objective[k, first[k]])
        return np.array([target, *(pulled[k, first[k]] for k in rows[:TANGENTS])])

    def _meets_kept(self, slacks: Floats) -> NDArray[np.bool_]:
        """Whether slacks (point, constraint) are allowed where constraints are not left out."""
        kept = [c for c in range(slacks.shape[1]) if c not in self.left_out]
        return np.asarray((slacks[:, kept] >= TOUCHING).all(axis=1))

    def _anchor(self) -> int:
        """The allowed point of the archive with most room."""
        return roomiest(self.view, self.archive)

    def _take_in(self) -> None:
        """Cuts, checks and best point from what the archive gained."""
        new = slice(self.used, len(self.archive.points))
        self.used = new.stop
        add_tangents(self.master, self.view, self.archive, new, self.scale, self.left_out)
        self._note_best(new)
        self._check_against_cuts(new)

    def _note_best(self, new: slice) -> None:
        """Is one of the new points (point,) the best so far, of all or of those that meet what is kept?"""
        values, rules = self.archive.values[new], self.view.meets_rules(self.archive.points[new])
        objective, slacks = self.view.objective(values), self.view.slacks(values)
        kept, all_met = rules & self._meets_kept(slacks), rules & (slacks >= TOUCHING).all(axis=1)
        for k in np.flatnonzero(kept):
            if self.centre is None or objective[k] > self._objective(self.centre):
                self.centre = new.start + int(k)
            if all_met[k] and (self.best is None or objective[k] > self.improvement):
                self.best = new.start + int(k)

    def _check_against_cuts(self, new: slice) -> None:
        """Every point against every tangent: above one by more than rounding, and concavity is disproved."""
        points, values = self.archive.points, self.archive.values
        pairs = [
            tangent_excess(self.view, self.archive, points[new], values[new]),
            tangent_excess(self.view, self.archive, points[: new.start], values[: new.start], new),
        ]
        known = np.zeros(len(self.view.problem.constraints))
        known = known if self.slack_violation is None else self.slack_violation
        self.return_violation = max(self.return_violation, *(above for above, _ in pairs))
        self.slack_violation = np.maximum.reduce([known, *(slack_above for _, slack_above in pairs)])
        broken = {int(c) for c in np.flatnonzero(self.slack_violation > SLACK_NOISE)}
        self.disproved = broken & set(self.master.constraint_of_row.values())


def relative_gap(best: float, bound: float, scale: float) -> float:
    """(bound - best) / bound for improvements, and / -best for losses; 0 where the difference is rounding."""
    if bound - best <= OBJECTIVE_NOISE * max(scale * 1e-3, abs(best)):
        return 0.0
    return (bound - best) / max(abs(bound), abs(best))


def start_cutting_planes(
    view: View, archive: Archive, left_out: frozenset[int] = frozenset()
) -> CuttingPlanes:
    """A search that uses what the archive holds; the archive must hold at least one point."""
    problem = view.problem
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    scale, highest = scale_and_height(view, archive)
    return CuttingPlanes(view, archive, Master(lower, upper, problem.rules, highest), scale, left_out)
