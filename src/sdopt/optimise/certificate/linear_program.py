"""A linear program in HiGHS whose bounds never rest on what HiGHS says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MARGIN = 1e-11
"""Part of the size of its terms by which a recomputed bound is raised: far more than rounding."""


@dataclass(frozen=True)
class Bounded:
    """Where HiGHS ended (column,), None when it found nothing; and a bound that holds either way."""

    point: Floats | None
    bound: float


class LinearProgram:
    """Rows `weights x <= limit` over a box; rows can be added.

    `lower` and `upper` (column,) hold for every point that is asked about; the columns in `elastic` are zero
    there, but HiGHS may raise them, at a price, so that it always has an answer to give multipliers for.
    """

    def __init__(self, lower: Floats, upper: Floats, elastic: tuple[int, ...] = ()) -> None:
        self.lower, self.upper = lower.copy(), upper.copy()
        self.weights, self.limits = np.zeros((0, len(lower))), np.zeros(0)
        new: Any = highspy.Highs
        self.solver = new()
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("presolve", "off")
        self.solver.setOptionValue("threads", 1)
        self.solver.setOptionValue("random_seed", 0)
        empty = np.zeros(0)
        highest = upper.copy()
        highest[list(elastic)] = highspy.kHighsInf
        count = len(lower)
        starts = np.zeros(count, dtype=np.int32)
        self.solver.addCols(count, np.zeros(count), lower, highest, 0, starts, empty.astype(np.int32), empty)

    def bound_column(self, column: int, lower: float, upper: float) -> None:
        """Other bounds for one column."""
        self.lower[column], self.upper[column] = lower, upper
        self.solver.changeColBounds(column, lower, upper)

    def add(self, weights: Floats, limits: Floats) -> None:
        """Rows (row, column) and their limits (row,)."""
        self.weights = np.vstack([self.weights, weights])
        self.limits = np.append(self.limits, limits)
        rows, columns = np.nonzero(weights)
        starts = np.searchsorted(rows, np.arange(len(weights))).astype(np.int32)
        least = np.full(len(weights), -highspy.kHighsInf)
        values = weights[rows, columns]
        self.solver.addRows(
            len(weights), least, limits, len(values), starts, columns.astype(np.int32), values
        )

    def maximise(self, gains: Floats) -> Bounded:
        """Largest `gains x` over rows and box: an upper bound from the multipliers HiGHS ends with."""
        # HiGHS minimises: a row at its limit then has a multiplier of at most zero.
        self.solver.changeColsCost(len(gains), np.arange(len(gains), dtype=np.int32), -gains)
        self.solver.run()
        answer = self.solver.getSolution()
        multipliers = np.maximum(-np.asarray(answer.row_dual, dtype=float), 0.0)
        if len(multipliers) != len(self.limits) or not np.isfinite(multipliers).all():
            multipliers = np.zeros(len(self.limits))
        done = self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        point = np.asarray(answer.col_value, dtype=float) if done else None
        return Bounded(point, self.bound(gains, multipliers))

    def bound(self, gains: Floats, multipliers: Floats) -> float:
        """Upper bound on `gains x` that any multipliers of at least zero give: weak duality over the box."""
        reduced = gains - multipliers @ self.weights
        over_box = np.maximum(reduced * self.lower, reduced * self.upper)
        terms = multipliers * self.limits
        farthest = np.maximum(np.abs(self.lower), np.abs(self.upper))
        parts = np.abs(gains) + multipliers @ np.abs(self.weights)  # of which `reduced` is what cancels
        size = np.abs(terms).sum() + (parts * farthest).sum()
        return float(terms.sum() + over_box.sum() + MARGIN * size)
