"""The final linear master of a search: rules exactly, the rest by tangents; its optimum is the bound."""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression
from pyomo.environ import ConcreteModel

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.master import Master, MasterRow
from sdopt.optimise.search import search
from sdopt.problem.build import Problem


def final_master(problem: Problem, progress: Progress) -> tuple[ConcreteModel, str]:
    """Search, and give the linear master it ended with, in the objective's unit; and what it is in words.

    Raises
    ------
    OptimisationError
        When the return is not concave, so that tangents bound nothing; or with programmes, which need
        whole numbers beside the tangents; or when no allocation is allowed.
    """
    if problem.decisions.whole.any():
        raise OptimisationError("a problem with programmes that is not linear can be written as .nl only.")
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(view, archive, problem.config.search, progress)
    if found.bound is None:
        raise OptimisationError(
            "the return is not concave, so tangents bound nothing: there is no linear problem; write .nl."
        )
    model = in_pyomo(found.planes.master)
    model.objective.set_value(problem.null_objective + found.planes.scale * model.theta)
    model.words = {
        "decision": [f"{name} ({year})" for name, year in problem.decisions.labels()],
        "theta": [
            f"improvement over the null alternative, in {found.planes.scale!r} {problem.objective_unit}"
        ],
        "rules": [f"{rule.name} ({rule.year})" for rule in problem.rules],
        "cuts": _cuts(problem, found.planes.master),
    }
    bound = problem.null_objective + found.bound
    return model, (
        f"the final linear master, not the problem itself: the rules, and {len(model.cuts)} tangents of "
        f"return and limits. Its optimum, {bound:.9g} {problem.objective_unit}, is a bound if concave"
    )


def in_pyomo(master: Master) -> ConcreteModel:
    """The master as it stands, in Pyomo: variables `decision` and `theta`, rows `rules` and `cuts`."""
    model = ConcreteModel()
    bounds = list(zip(master.lower.tolist(), master.upper.tolist(), strict=True))
    model.decision = pyo.Var(range(len(bounds)), bounds=lambda _, i: bounds[i])
    model.theta = pyo.Var(bounds=(None, master.highest))
    model.rules, model.cuts = pyo.ConstraintList(), pyo.ConstraintList()
    model.objective = pyo.Objective(expr=model.theta, sense=pyo.maximize)
    for number, row in enumerate(master.rows):
        rows = model.rules if number < master.rule_count else model.cuts
        rows.add((None, _left_side(model, row), row.limit))
    return model


def _left_side(model: ConcreteModel, row: MasterRow) -> LinearExpression:
    variables = [model.decision[int(i)] for i in row.columns]
    weights = [float(row.weights[i]) for i in row.columns]
    if row.theta:
        variables, weights = [*variables, model.theta], [*weights, row.theta]
    return LinearExpression(constant=0.0, linear_coefs=weights, linear_vars=variables)


def _cuts(problem: Problem, master: Master) -> list[str]:
    """What every tangent is of: the return, or a limit on the model."""
    words = []
    for number in range(master.rule_count, len(master.rows)):
        position = master.constraint_of_row.get(number)
        one = None if position is None else problem.constraints[position].functional
        words.append("tangent of the return" if one is None else f"tangent of {one.name} ({one.year})")
    return words
