"""The master problem: decision rules exactly, return and constraints by their cuts; an LP in HiGHS.

HiGHS is called directly: a search solves it dozens of times, each time with a few rows more.
`transcription.cuts` gives the same problem in Pyomo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError
from sdopt.problem.rules import Rule

FEASIBILITY = 1e-9
"""Tolerance of HiGHS on rows and reduced costs, in the scaled units of the master problem."""
IGNORED = 1e-9
"""HiGHS takes smaller weights for zero, with a warning; the bound takes every weight for what it is."""
UNKNOWN = -1
"""Place of what HiGHS has no column for."""


class MasterRow(NamedTuple):
    """One row: weights (decision,) times the decisions, plus `theta` times theta, is at most `limit`.

    `columns` are the decisions that HiGHS gets to see.
    """

    columns: NDArray[np.intp]
    weights: NDArray[np.float64]
    limit: float
    theta: float


@dataclass(frozen=True)
class MasterAnswer:
    """Optimum of the master problem. `dual_bound` is recomputed from the multipliers, not read off.

    point: (decision,); multipliers are per rule and per cut, at least zero, in objective units.
    """

    point: NDArray[np.float64]
    value: float
    dual_bound: float
    rule_multipliers: NDArray[np.float64]
    constraint_multipliers: dict[int, float]


class Master:
    """Grows by cuts; every solve starts from the last basis.

    maximise theta, with theta <= value_k + gradient_k (u - u_k) for every objective cut,
    slack_k + gradient_k (u - u_k) >= 0 for every constraint cut, the rules, and the bounds.
    """

    def __init__(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], rules: Sequence[Rule], highest: float
    ) -> None:
        """`highest` bounds theta before there are cuts (scaled objective)."""
        self.lower, self.upper, self.highest = lower, upper, highest
        self.rows: list[MasterRow] = []
        self.constraint_of_row: dict[int, int] = {}
        self.rule_count = len(rules)
        self.places = np.full(len(lower) + 1, UNKNOWN)  # column in HiGHS of every decision, and of theta
        self.solver = _solver()
        for rule in rules:
            self._add(rule.weights, rule.limit, 0.0)
        self._know(np.array([len(lower)]))
        self.solver.changeColCost(int(self.places[-1]), 1.0)

    def add_objective_cut(
        self, value: float, gradient: NDArray[np.float64], point: NDArray[np.float64]
    ) -> None:
        """Theta <= value + gradient (u - point)."""
        self._add(-gradient, value - float(gradient @ point), 1.0)

    def add_constraint_cut(
        self, constraint: int, slack: float, gradient: NDArray[np.float64], point: NDArray[np.float64]
    ) -> None:
        """0 <= slack + gradient (u - point)."""
        self.constraint_of_row[len(self.rows)] = constraint
        self._add(-gradient, slack - float(gradient @ point), 0.0)

    def _add(self, weights: NDArray[np.float64], limit: float, theta: float) -> None:
        row = MasterRow(np.flatnonzero(np.abs(weights) > IGNORED), weights, float(limit), theta)
        self.rows.append(row)
        columns, values = row.columns, weights[row.columns]
        if theta:
            columns, values = np.append(columns, len(self.lower)), np.append(values, theta)
        self._know(columns)
        places = self.places[columns].astype(np.int32)
        self.solver.addRow(-highspy.kHighsInf, row.limit, len(places), places, values.astype(float))

    def _know(self, columns: NDArray[np.intp]) -> None:
        """Give HiGHS a column once a row has it: of equally good answers it takes one by their order."""
        new = columns[self.places[columns] == UNKNOWN]
        self.places[new] = self.solver.getNumCol() + np.arange(len(new))
        lowest, highest = np.append(self.lower, -highspy.kHighsInf), np.append(self.upper, self.highest)
        self.solver.addVars(len(new), lowest[new], highest[new])

    def solve(self) -> MasterAnswer:
        """Solve the LP.

        Raises
        ------
        OptimisationError
            When no decision vector meets rules and constraint cuts, or HiGHS fails.
        """
        self.solver.run()
        status = self.solver.getModelStatus()
        if status in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ):
            raise InfeasibleMasterError
        if status != highspy.HighsModelStatus.kOptimal:
            said = self.solver.modelStatusToString(status)
            raise OptimisationError(f"the master problem ended with {said} in HiGHS.")
        answer = self.solver.getSolution()
        multipliers = np.maximum(answer.row_dual, 0.0)
        return MasterAnswer(
            point=self._point(np.asarray(answer.col_value, dtype=np.float64)),
            value=float(self.solver.getInfo().objective_function_value),
            dual_bound=self._dual_bound(multipliers),
            rule_multipliers=multipliers[: self.rule_count],
            constraint_multipliers=self._by_constraint(multipliers),
        )

    def _point(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The decisions (decision,); one that is in no row at all may have any value."""
        places = self.places[:-1]
        return np.clip(np.where(places == UNKNOWN, self.lower, values[places]), self.lower, self.upper)

    def _dual_bound(self, multipliers: NDArray[np.float64]) -> float:
        """Upper bound that any multipliers >= 0 give over the box: weak duality, whatever HiGHS says.

        Those of the objective cuts are scaled to add up to one, so that theta drops out exactly.
        """
        weights = np.array([row.weights for row in self.rows])
        limits = np.array([row.limit for row in self.rows])
        theta = np.array([row.theta for row in self.rows])
        share = float(multipliers @ theta)
        if share <= 0.0:
            return self.highest
        multipliers = np.where(theta > 0, multipliers / share, multipliers)
        reduced = -(multipliers @ weights)
        over_box = np.where(reduced > 0, reduced * self.upper, reduced * self.lower).sum()
        return min(float(multipliers @ limits + over_box), self.highest)

    def _by_constraint(self, multipliers: NDArray[np.float64]) -> dict[int, float]:
        totals: dict[int, float] = {}
        for row, constraint in self.constraint_of_row.items():
            totals[constraint] = totals.get(constraint, 0.0) + float(multipliers[row])
        return totals


class InfeasibleMasterError(OptimisationError):
    """No decision vector meets the rules and the constraint cuts."""


def _solver() -> Any:
    """A quiet HiGHS that maximises; one thread, fixed seed."""
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
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver
