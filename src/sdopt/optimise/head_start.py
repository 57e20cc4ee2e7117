"""With many decisions quadratic steps go first; their tangents are the cuts that close the gap.

Cuts alone need rounds in proportion to the number of decisions, quadratic steps some twenty in all. And at an
optimum the tangents of the return, and of the limits that bind, say that it is one: the conditions of Karush,
Kuhn and Tucker are those of the master problem too, so its bound is the return there.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from sdopt.errors import OptimisationError, SimulationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.cutting_planes import TOUCHING, Progress
from sdopt.optimise.interior import find_interior, roomiest
from sdopt.optimise.local_search import LocalOptimum, better, pulled_inside, scale_of
from sdopt.optimise.polish import polish, unit_of
from sdopt.optimise.stopping import Stop

STEP = 1.0
"""The first step, as part of the distance between the bounds."""
PRECISION = 1e-7
"""A step that gains less than this part of what one decision can bring ends it: cuts do the rest."""
ENOUGH = 0.1
"""The part of the most room on the limits that is enough to put right what a step breaks of them."""
SHOWN = 3
"""Every so many steps it is said what has been found."""


def head_start(view: View, archive: Archive, stop: Stop, progress: Progress) -> None:
    """Where decisions are many: add the way to a local optimum, and its end, to the archive.

    The archive must hold at least one point. When it is time to stop, or the model gives no number on the
    way, the end is the best by then.

    Raises
    ------
    OptimisationError
        When the limits clash (named), or no allowed point is found.
    """
    unit = unit_of(scale_of(view, archive), view, STEP)
    if unit is None or stop.reason() is not None:
        return
    find_interior(view, archive, TOUCHING, ENOUGH)
    begin, inside = archive.points[_best(view, archive)], archive.points[roomiest(view, archive)]
    told = _Told(view, inside, progress)
    with suppress(SimulationError, OptimisationError):  # outside the rules, where cuts never go
        told.keep(polish(view, begin, unit, stop, told, precision=PRECISION, archive=archive))
        told.keep(told.last)
    if told.best.point is not None:
        archive.add(told.best.point[None])


class _Told:
    """Keeps the best allowed place on the way, and says now and then how good it is."""

    def __init__(self, view: View, inside: Floats, progress: Progress) -> None:
        self.view, self.inside, self.progress = view, inside, progress
        self.steps, self.last, self.best = 0, inside, LocalOptimum(None, None)

    def __call__(self, place: Floats) -> bool:
        """Note a place (decision,); it is never enough."""
        self.steps, self.last = self.steps + 1, place
        if self.steps % SHOWN == 0:
            self.keep(place)
            self.progress(0, self.best.improvement, float("nan"), None)
        return False

    def keep(self, place: Floats) -> None:
        """Take a place (decision,), drawn inside, when it is better than the best by now."""
        self.best = better(self.best, pulled_inside(self.view, place, self.inside))


def _best(view: View, archive: Archive) -> int:
    """Position of the allowed point that returns most."""
    allowed = view.meets_rules(archive.points) & (view.slacks(archive.values) >= TOUCHING).all(axis=1)
    return int(np.argmax(np.where(allowed, view.objective(archive.values), -np.inf)))
