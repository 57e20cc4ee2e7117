"""The master problem: decision rules exactly, return and constraints by their cuts; an LP in HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.contrib.appsi.base import TerminationCondition
from pyomo.contrib.appsi.solvers import Highs
from pyomo.core.expr.numeric_expr import LinearExpression

from sdopt.errors import OptimisationError
from sdopt.problem.rules import Rule

FEASIBILITY = 1e-9
"""Tolerance of HiGHS on rows and reduced costs, in the scaled units of the master problem."""
IGNORED = 1e-9
"""HiGHS takes smaller weights for zero, with a warning; the bound takes every weight for what it is."""

_UPDATES = (
    "check_for_new_or_removed_constraints",
    "check_for_new_or_removed_vars",
    "check_for_new_or_removed_params",
    "check_for_new_objective",
    "update_constraints",
    "update_vars",
    "update_params",
    "update_named_expressions",
    "update_objective",
)


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
        model = pyo.ConcreteModel()
        model.decision = pyo.Var(range(len(lower)), bounds=lambda _, i: (lower[i], upper[i]))
        model.theta = pyo.Var(bounds=(None, highest))
        model.rules = pyo.ConstraintList()
        model.cuts = pyo.ConstraintList()
        model.objective = pyo.Objective(expr=model.theta, sense=pyo.maximize)
        self.model = model
        self.columns = [model.decision[i] for i in range(len(lower))]
        self.rows: list[tuple[Any, NDArray[np.float64], float, float]] = []
        self.constraint_of_row: dict[int, int] = {}
        self.rule_count = len(rules)
        for rule in rules:
            self._add(model.rules, rule.weights, rule.limit, 0.0)
        self.solver = _solver()
        self.solver.set_instance(model)

    def add_objective_cut(
        self, value: float, gradient: NDArray[np.float64], point: NDArray[np.float64]
    ) -> None:
        """Theta <= value + gradient (u - point)."""
        row = self._add(self.model.cuts, -gradient, value - float(gradient @ point), 1.0)
        self.solver.add_constraints([row])

    def add_constraint_cut(
        self, constraint: int, slack: float, gradient: NDArray[np.float64], point: NDArray[np.float64]
    ) -> None:
        """0 <= slack + gradient (u - point)."""
        self.constraint_of_row[len(self.rows)] = constraint
        row = self._add(self.model.cuts, -gradient, slack - float(gradient @ point), 0.0)
        self.solver.add_constraints([row])

    def _add(self, rows: Any, weights: NDArray[np.float64], limit: float, theta: float) -> Any:
        used = np.flatnonzero(np.abs(weights) > IGNORED)
        variables = [self.columns[i] for i in used]
        coefficients = [float(weights[i]) for i in used]
        if theta:
            variables.append(self.model.theta)
            coefficients.append(theta)
        body = LinearExpression(constant=0.0, linear_coefs=coefficients, linear_vars=variables)
        row = rows.add((None, body, float(limit)))
        self.rows.append((row, weights, float(limit), theta))
        return row

    def solve(self) -> MasterAnswer:
        """Solve the LP.

        Raises
        ------
        OptimisationError
            When no decision vector meets rules and constraint cuts, or HiGHS fails.
        """
        answer = self.solver.solve(self.model)
        if answer.termination_condition in (
            TerminationCondition.infeasible,
            TerminationCondition.infeasibleOrUnbounded,
        ):
            raise InfeasibleMasterError
        if answer.termination_condition != TerminationCondition.optimal:
            raise OptimisationError(
                f"the master problem ended with {answer.termination_condition.name} in HiGHS."
            )
        primal = answer.solution_loader.get_primals()
        duals = answer.solution_loader.get_duals([row for row, *_ in self.rows])
        # A decision in no row at all is unknown to HiGHS: any value will do.
        at = [primal.get(column, low) for column, low in zip(self.columns, self.lower, strict=True)]
        point = np.clip(at, self.lower, self.upper)
        multipliers = np.maximum([duals[row] for row, *_ in self.rows], 0.0)
        return MasterAnswer(
            point=point,
            value=float(answer.best_feasible_objective),
            dual_bound=self._dual_bound(multipliers),
            rule_multipliers=multipliers[: self.rule_count],
            constraint_multipliers=self._by_constraint(multipliers),
        )

    def _dual_bound(self, multipliers: NDArray[np.float64]) -> float:
        """Upper bound that any multipliers >= 0 give over the box: weak duality, whatever HiGHS says.

        Those of the objective cuts are scaled to add up to one, so that theta drops out exactly.
        """
        weights = np.array([row[1] for row in self.rows])
        limits = np.array([row[2] for row in self.rows])
        theta = np.array([row[3] for row in self.rows])
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


def _solver() -> Highs:
    solver = Highs()
    solver.config.load_solution = False
    for name in _UPDATES:
        setattr(solver.update_config, name, False)
    solver.highs_options = {
        "threads": 1,
        "random_seed": 0,
        "primal_feasibility_tolerance": FEASIBILITY,
        "dual_feasibility_tolerance": FEASIBILITY,
    }
    return solver
