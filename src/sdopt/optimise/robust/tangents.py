"""Tangents of the improvement in every scenario, and cuts of a measure that follow from them.

Cuts per scenario would fill a master problem of one row per scenario and point. They are kept here instead,
and added up on demand: for the weights that are worst at a place, one row that is as tight there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.robust.measures import Measure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """`value + slope (u - point)`: at least the function everywhere, if that is concave."""

    value: float
    slope: Floats
    point: Floats

    def at(self, point: Floats) -> float:
        """Its height at a decision vector (decision,)."""
        return self.value + float(self.slope @ (point - self.point))


@dataclass(frozen=True)
class Tangents:
    """Tangents at one point: height there (chosen,) and slope (chosen, decision) per scenario."""

    point: Floats
    chosen: NDArray[np.intp]
    heights: Floats
    slopes: Floats

    def at(self, point: Floats) -> Floats:
        """Their heights (chosen,) at another decision vector (decision,)."""
        return np.asarray(self.heights + self.slopes @ (point - self.point))


@dataclass
class TangentStore:
    """All tangents of the improvement in `count` scenarios; it only grows."""

    count: int
    held: list[Tangents] = field(default_factory=list)

    def model(self, point: Floats) -> tuple[Floats, NDArray[np.intp]]:
        """The lowest tangent of every scenario at a decision vector, (scenario,), and which it is.

        Infinite (and -1) in a scenario without tangents.
        """
        lowest, which = np.full(self.count, np.inf), np.full(self.count, -1, dtype=np.intp)
        for place, tangents in enumerate(self.held):
            heights = tangents.at(point)
            lower = heights < lowest[tangents.chosen]
            rows = tangents.chosen[lower]
            lowest[rows], which[rows] = heights[lower], place
        return lowest, which

    def cut(self, measure: Measure, point: Floats) -> Cut | None:
        """An upper bound on the measure, as tight at a decision vector as the tangents allow.

        None where scenarios without tangents carry weight.
        """
        lowest, which = self.model(point)
        compared = measure.compared(lowest)
        weights = measure.weights(compared)
        carrying = np.flatnonzero(weights > 0)
        if not np.isfinite(compared[carrying]).all():
            return None
        slope = np.zeros(len(point))
        for place in np.unique(which[carrying]):
            tangents = self.held[place]
            rows = carrying[which[carrying] == place]
            slope += weights[rows] @ tangents.slopes[np.searchsorted(tangents.chosen, rows)]
        return Cut(float(weights[carrying] @ compared[carrying]), slope, point)

    def excess(self, point: Floats, improvement: Floats, latest: int = 0) -> Floats:
        """How far improvements (scenario,) at a point pass the tangents from `latest` on, (scenario,)."""
        above = np.zeros(self.count)
        for tangents in self.held[latest:]:
            over = improvement[tangents.chosen] - tangents.at(point)
            above[tangents.chosen] = np.maximum(above[tangents.chosen], over)
        return above
