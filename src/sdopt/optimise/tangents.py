"""Tangents of return and limits, from what an archive holds, as cuts of a master problem."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View

NEAR = 1e-3
"""Constraints with a scaled slack below this get a cut."""


class TakesCuts(Protocol):
    """A master problem over decisions u and theta, the scaled return."""

    def add_objective_cut(self, value: float, gradient: Floats, point: Floats) -> None:
        """Theta <= value + gradient (u - point)."""

    def add_constraint_cut(self, constraint: int, slack: float, gradient: Floats, point: Floats) -> None:
        """0 <= slack + gradient (u - point)."""


def add_tangents(
    master: TakesCuts, view: View, archive: Archive, new: slice, scale: float, left_out: Collection[int]
) -> None:
    """Give a master the tangents at some of the archive's points.

    The return, divided by `scale`, gets one at each; a constraint where it is nearly met or broken, unless it
    is in `left_out`.
    """
    values, gradients = archive.values[new], archive.gradients[new]
    objective, slacks = view.objective(values), view.slacks(values)
    slopes, slack_slopes = view.objective_gradient(gradients), view.slack_gradients(gradients)
    for k, point in enumerate(archive.points[new]):
        master.add_objective_cut(objective[k] / scale, slopes[k] / scale, point)
        for row in map(int, np.flatnonzero(slacks[k] < NEAR)):
            if row not in left_out:
                master.add_constraint_cut(row, float(slacks[k, row]), slack_slopes[k, row], point)


def scale_and_height(view: View, archive: Archive) -> tuple[float, float]:
    """What the return changes over all bounds by its first slope, and a bound on it before there are cuts.

    The second in units of the first.
    """
    decisions = view.problem.decisions
    slope = np.abs(view.objective_gradient(archive.gradients[:1])[0])
    scale = max(float(slope @ (decisions.upper() - decisions.lower())), 1e-9)
    return scale, 1e3 * (1.0 + float(np.abs(view.objective(archive.values[:1])[0])) / scale)
