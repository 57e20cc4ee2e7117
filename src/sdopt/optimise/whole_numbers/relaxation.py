"""The master problem with whole numbers: its linear relaxation over any box, and its MILP, both in HiGHS.

Every row may be broken at a price, so the relaxation always has an optimum with multipliers, and one
formula gives a proved bound for boxes with and without an allowed point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]
FEASIBILITY = 1e-9
"""Tolerance of HiGHS on rows and reduced costs, in the scaled units of this problem."""
PRICE = 1e4
"""Price of breaking a scaled row by one, where the return is about one: the bound holds for any price."""
ROUNDING = 1e-15
"""Rounding of one product in a sum, as part of it."""
IGNORED = 1e-9
"""HiGHS takes smaller weights for zero; the bound takes every weight for what it is."""
SURELY = 1e-7
"""A box is empty only if its rows clash by more than this (scaled)."""


@dataclass(frozen=True)
class Node:
    """Optimum of the relaxation over a box: point (decision,) and multipliers (row,), at least zero."""

    point: Floats
    multipliers: Floats


class Relaxation:
    """Maximise theta under rules and cuts, over boxes inside the bounds; it only grows.

    Columns are scaled to run from 0 to 1 between the bounds, rules and constraint cuts to a largest
    weight of 1. `whole` (decision,) says which entries are 0 or 1.
    """

    def __init__(
        self, lower: Floats, upper: Floats, whole: NDArray[np.bool_], rules: Sequence[Rule], highest: float
    ) -> None:
        """`highest` bounds theta before there are cuts (scaled objective)."""
        self.lower, self.width, self.highest = lower, upper - lower, highest
        self.whole = np.flatnonzero(whole)
        self.constraint_of_row: dict[int, int] = {}
        self._weights: list[Floats] = []
        self._limits: list[float] = []
        self._theta: list[float] = []
        self._stacked: tuple[Floats, Floats, Floats] | None = None
        self._linear, self._mixed = _solver(len(lower), highest), _solver(len(lower), highest)
        kind = highspy.HighsVarType.kInteger
        for column in self.whole:
            self._mixed.changeColIntegrality(int(column), kind)
        for rule in rules:
            self._add(rule.weights, rule.limit, 0.0)

    @property
    def size(self) -> int:
        """Number of decisions."""
        return len(self.lower)

    def add_objective_cut(self, value: float, gradient: Floats, point: Floats) -> None:
        """Theta <= value + gradient (u - point)."""
        self._add(-gradient, value - float(gradient @ point), 1.0)

    def add_constraint_cut(self, constraint: int, slack: float, gradient: Floats, point: Floats) -> None:
        """0 <= slack + gradient (u - point)."""
        self.constraint_of_row[len(self._limits)] = constraint
        self._add(-gradient, slack - float(gradient @ point), 0.0)

    def solve(self, lower: Floats, upper: Floats) -> Node:
        """The relaxation over the box between `lower` and `upper` (decision,).

        Raises
        ------
        OptimisationError
            When HiGHS gives no numbers at all; that they are right is nowhere assumed.
        """
        low, high = self._scaled(lower), self._scaled(upper)
        self._linear.changeColsBounds(self.size, np.arange(self.size, dtype=np.int32), low, high)
        self._linear.run()
        solution = self._linear.getSolution()
        duals = np.array(solution.row_dual)
        if len(duals) != len(self._limits) or not np.isfinite(duals).all():
            raise OptimisationError("the relaxed master problem gave no multipliers in HiGHS.")
        point = np.clip(np.array(solution.col_value)[: self.size], low, high)
        return Node(self.lower + self.width * point, np.maximum(duals, 0.0))

    def bound(self, multipliers: Floats, lower: Floats, upper: Floats) -> float:
        """Upper bound on theta over a box, for any multipliers at least zero: weak duality.

        Those of the objective cuts are scaled to add up to one, so that theta drops out exactly; a
        margin covers rounding. Without any, the highest theta there is.
        """
        theta = self._rows()[2]
        share = float(multipliers @ theta)
        if share <= 0.0:
            return self.highest
        return min(
            self._over_box(np.where(theta > 0, multipliers / share, multipliers), lower, upper), self.highest
        )

    def proves_empty(self, multipliers: Floats, lower: Floats, upper: Floats) -> bool:
        """Whether the rows without theta, so weighed, allow no point of the box: a certificate of Farkas."""
        theta = self._rows()[2]
        rules = np.where(theta > 0, 0.0, multipliers)
        size = float(rules.sum())
        return size > 0.0 and self._over_box(rules / size, lower, upper) < -SURELY

    def mixed(self, gap: float) -> Floats | None:
        """The point (decision,) that HiGHS finds best with whole numbers; None where it finds none.

        It only says where to look next; nothing is concluded from it.
        """
        self._mixed.setOptionValue("mip_rel_gap", gap)
        self._mixed.run()
        if self._mixed.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        point = np.clip(np.array(self._mixed.getSolution().col_value)[: self.size], 0.0, 1.0)
        point[self.whole] = np.round(point[self.whole])
        return np.asarray(self.lower + self.width * point)

    def carriers(self, multipliers: Floats) -> frozenset[int]:
        """Constraints whose cuts have a multiplier above zero."""
        return frozenset(c for row, c in self.constraint_of_row.items() if multipliers[row] > 0)

    def _scaled(self, point: Floats) -> Floats:
        width = np.where(self.width > 0, self.width, 1.0)
        return np.asarray(np.clip((point - self.lower) / width, 0.0, np.where(self.width > 0, 1.0, 0.0)))

    def _rows(self) -> tuple[Floats, Floats, Floats]:
        """Scaled weights (row, decision), limits (row,) and weights of theta (row,)."""
        if self._stacked is None or len(self._stacked[1]) < len(self._limits):
            weights = np.array(self._weights).reshape(-1, self.size)
            self._stacked = weights, np.array(self._limits), np.array(self._theta)
        return self._stacked

    def _over_box(self, multipliers: Floats, lower: Floats, upper: Floats) -> float:
        """Most that `multipliers @ (limits - weights z)` can be over the box, and a margin for rounding."""
        weights, limits, _ = self._rows()
        low, high = self._scaled(lower), self._scaled(upper)
        reduced = -(multipliers @ weights)
        most = float(multipliers @ limits + np.where(reduced > 0, reduced * high, reduced * low).sum())
        size = float(multipliers @ (np.abs(limits) + np.abs(weights).sum(axis=1)))
        return most + ROUNDING * (len(limits) + len(reduced)) * size

    def _add(self, weights: Floats, limit: float, theta: float) -> None:
        limit = limit - float(weights @ self.lower)
        weights = weights * self.width
        if not theta:
            scale = float(np.abs(weights).max(initial=0.0)) or 1.0
            weights, limit = weights / scale, limit / scale
        self._weights.append(weights)
        self._limits.append(limit)
        self._theta.append(theta)
        for solver in (self._linear, self._mixed):
            _add_row(solver, weights, limit, theta, elastic=solver is self._linear and not theta)


def _add_row(solver: Any, weights: Floats, limit: float, theta: float, *, elastic: bool) -> None:
    """A row `weights z + theta <= limit`; when elastic, one that a new column lets give way at a price."""
    used = np.flatnonzero(np.abs(weights) > IGNORED)
    columns, values = [int(k) for k in used], [float(weights[k]) for k in used]
    if theta:
        columns.append(len(weights))
        values.append(theta)
    row = solver.getNumRow()
    solver.addRow(
        -highspy.kHighsInf, limit, len(columns), np.array(columns, dtype=np.int32), np.array(values)
    )
    if elastic:
        solver.addCol(-PRICE, 0.0, highspy.kHighsInf, 1, np.array([row], dtype=np.int32), np.array([-1.0]))


def _solver(size: int, highest: float) -> Any:
    """A quiet HiGHS with columns from 0 to 1 and theta, which it maximises; one thread, fixed seed."""
    make: Any = highspy.Highs  # ships no types
    solver = make()
    options = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "primal_feasibility_tolerance": FEASIBILITY,
        "dual_feasibility_tolerance": FEASIBILITY,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    nothing = np.array([], dtype=np.int32)
    for _ in range(size):
        solver.addCol(0.0, 0.0, 1.0, 0, nothing, np.array([]))
    solver.addCol(1.0, -highspy.kHighsInf, highest, 0, nothing, np.array([]))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver
