"""Limits at central values that are nearly concave: tangents, raised by what is seen to stand above them.

Leaving such a limit out keeps a bound valid, and makes it loose where the limit binds. A tangent that is
raised enough is passed by no allowed allocation. How much is enough is seen in a sample, not proved: the
bound then assumes that nothing stands above a tangent by more than `MARGIN` times what the sample shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import SLACK_NOISE, Archive, View
from sdopt.optimise.audit import Audit
from sdopt.optimise.master import Master

Floats = NDArray[np.float64]

MARGIN = 2.0
"""A tangent is raised by so many times what any allocation that was tried stands above it."""


@dataclass(frozen=True)
class Bends:
    """Allocations (point, decision) and their scaled slacks (point, constraint of the view)."""

    points: Floats
    slacks: Floats

    def lift(self, constraint: int, slack: float, slope: Floats, point: Floats) -> float:
        """What a tangent (its height at `point`, and slope) of a constraint of the view is raised by."""
        above = self.slacks[:, constraint] - slack - (self.points - point) @ slope
        return MARGIN * max(float(above.max(initial=0.0)), SLACK_NOISE)


def passed(bends: Bends, master: Master, place: Mapping[int, int]) -> bool:
    """Whether an allocation stands above a raised cut of a master.

    `place` has, per constraint of the master that has raised cuts, its place in the view.
    """
    for row, constraint in master.constraint_of_row.items():
        if constraint in place:
            height = master.rows[row].limit - bends.points @ master.rows[row].weights
            if (bends.slacks[:, place[constraint]] > height + SLACK_NOISE).any():
                return True
    return False


def seen_bends(view: View, archive: Archive, audited: Audit) -> Bends:
    """All that is known at central values: the archive, and the audit's sample."""
    sample = audited.sample
    if sample is None:
        return Bends(archive.points, view.slacks(archive.values))
    between = sample.points + sample.parts[:, None] * (sample.points[sample.partner] - sample.points)
    slacks = [view.slacks(values) for values in (sample.ends, sample.middle, archive.values)]
    return Bends(np.concatenate([sample.points, between, archive.points]), np.concatenate(slacks))
