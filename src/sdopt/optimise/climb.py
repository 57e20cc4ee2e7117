"""One start of the search where concavity is disproved: linear steps, steps over jumps, quadratic steps.

First every start climbs to the neighbourhood of a local optimum (`climb`); only the best of them are then
brought to its last digits (`finish`), which takes longest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.local_search import LocalOptimum, local_search, pulled_inside, scale_of
from sdopt.optimise.pattern import pattern_steps
from sdopt.optimise.polish import polish
from sdopt.optimise.stopping import Stop

ROUNDS = 40
"""Most linear steps at a time."""
CYCLES = 2
"""Most turns of linear, quadratic and pattern steps."""
ROUGH, FINE = 1e-3, 1e-7
"""A turn that gains less than this part of the improvement is the last: for all starts, and for the best."""


@dataclass(frozen=True)
class Climber:
    """What every start of one search shares; an allowed point `inside` (decision,) mends broken limits.

    A start depends on nothing but this and its own place: not on the others, nor on who does the work.
    """

    view: View
    inside: Floats

    def climb(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From a place (decision,) to the neighbourhood of a local optimum."""
        archive, best = self._begin(point)
        for cycle in range(CYCLES):
            before = best
            end = polish(self.view, self._from(best, point), self._size(archive, best), stop)
            best = _better(best, pulled_inside(self.view, end, self.inside))
            if cycle or best.point is None:  # where slopes are smooth, linear steps add little
                best = _better(best, self._linear(archive, self._from(best, point), stop))
            best = self._jump(archive, best, ROUGH, stop)
            if not self._gained(archive, before, best, ROUGH) or stop.reason() is not None:
                break
        return best

    def polish(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From an allowed point where slopes are smooth towards the local optimum near by."""
        archive, best = self._begin(point)
        end = polish(self.view, point, self._size(archive, best), stop)
        return _better(best, pulled_inside(self.view, end, self.inside))

    def finish(self, point: Floats, stop: Stop) -> LocalOptimum:
        """From near a local optimum to its last digits."""
        archive, best = self._begin(point)
        for _ in range(CYCLES):
            before, place = best, self._from(best, point)
            end = polish(self.view, place, self._size(archive, best), stop)
            best = _better(best, pulled_inside(self.view, end, self.inside))
            best = self._jump(archive, best, FINE, stop)
            if not self._gained(archive, before, best, FINE) or stop.reason() is not None:
                break
            best = _better(best, self._linear(archive, self._from(best, point), stop))
        return best

    def _begin(self, point: Floats) -> tuple[Archive, LocalOptimum]:
        """An archive of its own, and the place itself if it is allowed."""
        archive = Archive(self.view.problem)
        archive.add(np.vstack([self.view.problem.decisions.null_vector(), self.inside]))
        values = self.view.problem.evaluator.values(point[None]).value
        allowed = bool((self.view.slacks(values) >= 0).all())
        here = LocalOptimum(point, float(self.view.objective(values)[0]))
        return archive, here if allowed else LocalOptimum(None, None)

    def _from(self, best: LocalOptimum, point: Floats) -> Floats:
        return point if best.point is None else best.point

    def _linear(self, archive: Archive, point: Floats, stop: Stop) -> LocalOptimum:
        return local_search(self.view, archive, point[None], ROUNDS, lambda *_: None, stop)[0]

    def _jump(self, archive: Archive, best: LocalOptimum, part: float, stop: Stop) -> LocalOptimum:
        if best.point is None:
            return best
        end = pattern_steps(self.view, best.point, part * self._size(archive, best), stop)
        values = self.view.problem.evaluator.values(end[None]).value
        return _better(best, LocalOptimum(end, float(self.view.objective(values)[0])))

    def _size(self, archive: Archive, best: LocalOptimum) -> float:
        """The improvement, once there is one worth the name."""
        return max(abs(best.improvement or 0.0), 1e-3 * scale_of(self.view, archive))

    def _gained(self, archive: Archive, before: LocalOptimum, after: LocalOptimum, part: float) -> bool:
        if before.improvement is None or after.improvement is None:
            return after.improvement is not None
        return after.improvement - before.improvement > part * self._size(archive, after)


def _better(first: LocalOptimum, second: LocalOptimum) -> LocalOptimum:
    """The one with the higher improvement; the first of equals."""
    if first.improvement is None:
        return second
    return second if second.improvement is not None and second.improvement > first.improvement else first
