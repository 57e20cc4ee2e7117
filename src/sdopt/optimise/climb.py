"""One start of the search where concavity is disproved: linear steps, steps over jumps, quadratic steps.

First every start climbs to the neighbourhood of a local optimum (`climb`), and stops as soon as it is on the
hill of one that is known; only the best of them are then brought to its last digits (`finish`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.hills import leads_to
from sdopt.optimise.local_search import LocalOptimum, better, local_search, pulled_inside, scale_of
from sdopt.optimise.pattern import pattern_steps
from sdopt.optimise.polish import polish, unit_of
from sdopt.optimise.stopping import Stop

ROUNDS = 40
"""Most linear steps at a time."""
CYCLES = 2
"""Most turns of linear, quadratic and pattern steps."""
STEP = 0.25
"""The first quadratic step where decisions are many, as part of the distance between the bounds."""
ROUGH, FINE = 1e-3, 1e-7
"""A turn that gains less than this part of the improvement is the last: for all starts, and for the best."""


@dataclass(frozen=True)
class Climber:
    """What every start of one search shares; an allowed point `inside` (decision,) mends broken limits.

    `known` are optima found before: a start that gets onto the hill of one ends there. A start depends on
    nothing but this and its own place: not on the others beside it, nor on who does the work.
    """

    view: View
    inside: Floats
    known: tuple[LocalOptimum, ...] = ()

    def climb(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From a place (decision,) to the neighbourhood of a local optimum."""
        best, top = self._begin(point), self._known_above(point)
        for cycle in range(CYCLES if top is None else 0):
            before, place = best, self._from(best, point)
            unit = unit_of(self._scale, self.view, STEP) or self._size(best)
            end = polish(self.view, place, unit, stop, self._is_on_a_known_hill)
            top = self._known_above(end)
            if top is not None:
                break
            best = better(best, pulled_inside(self.view, end, self.inside))
            if cycle or best.point is None:  # where slopes are smooth, linear steps add little
                best = better(best, self._linear(self._from(best, point), stop))
            if cycle and not self._gained(before, best, ROUGH):  # jumps were tried from here
                break
            best = self._jump(best, ROUGH, stop)
            if not self._gained(before, best, ROUGH) or stop.reason() is not None:
                break
        return best if top is None else better(top, best)

    def polish(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From an allowed point where slopes are smooth towards the local optimum near by."""
        best = self._begin(point)
        end = polish(self.view, point, self._size(best), stop)
        return better(best, pulled_inside(self.view, end, self.inside))

    def finish(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From near a local optimum to its last digits."""
        best = self._begin(point)
        for _ in range(CYCLES):
            before, place = best, self._from(best, point)
            end = polish(self.view, place, self._size(best), stop)
            best = better(best, pulled_inside(self.view, end, self.inside))
            best = self._jump(best, FINE, stop)
            if not self._gained(before, best, FINE) or stop.reason() is not None:
                break
            best = better(best, self._linear(self._from(best, point), stop))
        return best

    def share_a_hill(self, place: LocalOptimum, top: LocalOptimum) -> bool:
        """Whether a place leads straight to a top that returns as much or more."""
        if place.point is None or top.point is None:
            return False
        return leads_to(self.view, place.point, top.point, self._size(top))

    def _is_on_a_known_hill(self, point: Floats) -> bool:
        return self._known_above(point) is not None

    def _known_above(self, point: Floats) -> LocalOptimum | None:
        """The known optimum on whose hill a place (decision,) lies, if any."""
        place = LocalOptimum(point, None)
        return next((top for top in self.known if self.share_a_hill(place, top)), None)

    def _begin(self, point: Floats) -> LocalOptimum:
        """The place itself if it is allowed."""
        values = self.view.problem.evaluator.values(point[None]).value
        allowed = bool((self.view.slacks(values) >= 0).all())
        return (
            LocalOptimum(point, float(self.view.objective(values)[0]))
            if allowed
            else LocalOptimum(None, None)
        )

    def _from(self, best: LocalOptimum, point: Floats) -> Floats:
        return point if best.point is None else best.point

    def _linear(self, point: Floats, stop: Stop) -> LocalOptimum:
        archive = Archive(self.view.problem)
        archive.add(np.vstack([self.view.problem.decisions.null_vector(), self.inside]))
        return local_search(self.view, archive, point[None], ROUNDS, lambda *_: None, stop)[0]

    def _jump(self, best: LocalOptimum, part: float, stop: Stop) -> LocalOptimum:
        if best.point is None:
            return best
        end = pattern_steps(self.view, best.point, part * self._size(best), stop)
        values = self.view.problem.evaluator.values(end[None]).value
        return better(best, LocalOptimum(end, float(self.view.objective(values)[0])))

    @cached_property
    def _scale(self) -> float:
        archive = Archive(self.view.problem)
        archive.add(self.view.problem.decisions.null_vector()[None])
        return scale_of(self.view, archive)

    def _size(self, best: LocalOptimum) -> float:
        """The improvement, once there is one worth the name."""
        return max(abs(best.improvement or 0.0), 1e-3 * self._scale)

    def _gained(self, before: LocalOptimum, after: LocalOptimum, part: float) -> bool:
        if before.improvement is None or after.improvement is None:
            return after.improvement is not None
        return after.improvement - before.improvement > part * self._size(after)
