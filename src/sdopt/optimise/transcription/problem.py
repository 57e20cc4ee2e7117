"""The whole discretised problem in Pyomo, for a user to extend or to write for another solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr.numeric_expr import LinearExpression
from pyomo.environ import ConcreteModel

from sdopt.equations.program import Instruction, Program, compile_program
from sdopt.errors import OptimisationError
from sdopt.optimise.transcription.nodes import Affine, Condition, Transcriber, Value
from sdopt.problem.build import Problem

__all__ = ["ConcreteModel", "set_decisions", "transcribe"]

Floats = NDArray[np.float64]
Runs = Mapping[str, list[Value]]
"""key -> value at every grid time."""
DIGITS = 9
"""Times are rounded to so many digits where they are names."""


def transcribe(problem: Problem) -> ConcreteModel:
    """The problem as a Pyomo model; its values are those of the null alternative.

    decision[k] : the decision vector, with its bounds
    state[j] : stocks at every step and terms that are not linear, each defined by definition[j]
    amount[name, time] : expressions for stocks and all that the objective and the limits are made of
    rule[j], limit[j] : rules between decisions, and limits on the model
    objective : what is maximised, in the objective's unit

    `words` says for each of these parts, in its order, what its members are; `is_linear` whether all of it is
    linear. Values of `state` after a change of `decision`: `set_decisions`.

    Raises
    ------
    OptimisationError
        When a decision goes through something that cannot be written exactly.
    """
    decisions = problem.decisions
    lower, upper, null, whole = decisions.lower(), decisions.upper(), decisions.null_vector(), decisions.whole
    model = pyo.ConcreteModel()
    model.decision = pyo.Var(
        range(decisions.size),
        domain=lambda _, k: pyo.Binary if whole[k] else pyo.Reals,
        bounds=lambda _, k: (lower[k], upper[k]),
        initialize=lambda _, k: null[k],
    )
    model.state, model.definition = pyo.VarList(), pyo.ConstraintList()
    writer = Transcriber(model, [model.decision[k] for k in range(decisions.size)])
    runs = _runs(problem, writer)
    _amounts(problem, writer, runs)
    _limits(problem, writer, runs)
    objective: Value = Affine(0.0, ())
    for row, weight in problem.objective_rows.items():
        objective = _sum([(1.0, objective), (weight, _functional(problem, runs, row))])
    model.objective = pyo.Objective(expr=writer.expression(objective), sense=pyo.maximize)
    model.is_linear = writer.linear
    model.words = {
        "decision": [f"{name} ({year})" for name, year in decisions.labels()],
        "state": writer.names,
        "definition": [f"definition of {name}" for name in writer.names],
        "rule": [f"{rule.name} ({rule.year})" for rule in problem.rules],
        "limit": [f"{one.functional.name} ({one.functional.year})" for one in problem.constraints],
    }
    return model


def set_decisions(model: ConcreteModel, point: Floats) -> None:
    """Give a decision vector (decision,) and all states that follow from it, in computable order."""
    for variable, value in zip(model.decision.values(), point, strict=True):
        variable.set_value(float(value), skip_validation=True)
    for variable, definition in zip(model.state.values(), model.definition.values(), strict=True):
        variable.set_value(pyo.value(definition.expr.args[1]), skip_validation=True)


def _runs(problem: Problem, writer: Transcriber) -> Runs:
    """Every output of the model at every grid time."""
    asked = problem.evaluator.program.outputs
    stocks = [variable.key for variable in problem.system.of_kind("stock")]
    keys = tuple(dict.fromkeys((*stocks, *asked)))
    program = compile_program(problem.system, problem.grid, keys, problem.decisions.keys)
    paths = _paths(problem)
    names = dict(zip(program.output_registers, program.names, strict=True))
    found: dict[str, list[Value]] = {key: [] for key in keys}
    stock_values: dict[int, Value] = {}
    for k in range(program.grid.steps + 1):
        values = _step(program, writer, paths, stock_values, names, k)
        for key, register in zip(keys, program.output_registers, strict=True):
            found[key].append(values[register])
        if k < program.grid.steps:
            stock_values = _moved(program, writer, values, names, k + 1)
    return found


def _step(
    program: Program,
    writer: Transcriber,
    paths: Mapping[str, list[Value]],
    stocks: Mapping[int, Value],
    names: Mapping[int, str],
    k: int,
) -> dict[int, Value]:
    """Every register at one grid time; `stocks` are empty at the start."""
    time = float(program.grid.times[k])
    values: dict[int, Value] = {**program.numbers, program.time: time}
    for key, registers in program.inputs.items():
        values[registers.now], values[registers.start] = paths[key][k], paths[key][0]
    for i in program.outside:
        values[i.output] = _applied(writer, i, values, names, time)
    values |= stocks or {stock.stock: values[stock.initial] for stock in program.stocks}
    for i in program.loop:
        values[i.output] = _applied(writer, i, values, names, time)
    return values


def _applied(
    writer: Transcriber,
    instruction: Instruction,
    values: Mapping[int, Value],
    names: Mapping[int, str],
    time: float,
) -> Value:
    name = names.get(instruction.output, instruction.function.name)
    arguments = tuple(values[register] for register in instruction.inputs)
    return writer.apply(instruction.function, arguments, f"{name} ({time:g})")


def _moved(
    program: Program, writer: Transcriber, values: Mapping[int, Value], names: Mapping[int, str], k: int
) -> dict[int, Value]:
    """The stocks at the next grid time, each a variable by itself."""
    width, time = float(program.grid.widths[k - 1]), float(program.grid.times[k])
    moved: dict[int, Value] = {}
    for stock in program.stocks:
        value = values[stock.source]
        if not stock.assigned:
            value = _sum([(1.0, values[stock.stock]), (width, value)])
        moved[stock.stock] = writer.variable(value, f"{names.get(stock.stock, 'memory')} ({time:g})")
    return moved


def _paths(problem: Problem) -> dict[str, list[Value]]:
    """Paths of all inputs, as sums of decisions.

    Raises
    ------
    OptimisationError
        When they are not linear in what is chosen.
    """
    size = problem.decisions.size
    points = np.vstack([np.zeros(size), np.eye(size), np.full(size, 2.0)])
    paths: dict[str, list[Value]] = {}
    for key, values in problem.decisions.expand(points).items():
        rows = np.broadcast_to(values, (len(values), len(points)))
        slopes = rows[:, 1:-1] - rows[:, :1]
        if not np.allclose(rows[:, 0] + 2.0 * slopes.sum(axis=1), rows[:, -1]):
            raise OptimisationError("a form of decision that is not linear cannot be written.")
        paths[key] = [_affine(float(first), slope) for first, slope in zip(rows[:, 0], slopes, strict=True)]
    return paths


def _affine(constant: float, weights: Floats) -> Value:
    terms = tuple((int(k), float(weights[k])) for k in np.flatnonzero(weights))
    return Affine(constant, terms) if terms else constant


def _sum(parts: list[tuple[float, Value]]) -> Value:
    """`sum(weight * value)`."""
    constant = 0.0
    terms: dict[int, float] = {}
    for weight, value in parts:
        if isinstance(value, Affine):
            constant += weight * value.constant
            for k, coefficient in value.terms:
                terms[k] = terms.get(k, 0.0) + weight * coefficient
        else:
            constant += weight * _as_float(value)
    kept = tuple(sorted((k, c) for k, c in terms.items() if c != 0))
    return Affine(constant, kept) if kept else constant


def _as_float(value: Value) -> float:
    """A number that no decision moves; conditions are numbers by the time they come here."""
    if isinstance(value, (Affine, Condition)):
        raise TypeError(f"{value} is not a number")
    return float(value)


def _functional(problem: Problem, runs: Runs, row: int) -> Value:
    weights = problem.evaluator.functionals[row].weights
    return _sum([(float(ws[k]), runs[key][k]) for key, ws in weights.items() for k in np.flatnonzero(ws)])


def _amounts(problem: Problem, writer: Transcriber, runs: Runs) -> None:
    names = {key: problem.system.variables[key].name for key in runs}
    times = [round(float(time), DIGITS) for time in problem.grid.times]
    writer.model.amount = pyo.Expression(
        [(names[key], time) for key in runs for time in times],
        initialize={
            (names[key], time): writer.expression(value)
            for key, values in runs.items()
            for time, value in zip(times, values, strict=True)
        },
    )


def _limits(problem: Problem, writer: Transcriber, runs: Runs) -> None:
    model = writer.model
    model.rule, model.limit = pyo.ConstraintList(), pyo.ConstraintList()
    for rule in problem.rules:
        model.rule.add((None, _body(writer, _affine(0.0, rule.weights)), rule.limit))
    for one in problem.constraints:
        value = _body(writer, _functional(problem, runs, one.row))
        model.limit.add((None, value, one.limit) if one.sign > 0 else (one.limit, value, None))


def _body(writer: Transcriber, value: Value) -> Any:
    """The left side of a limit; Pyomo takes no plain number: what no decision moves gets zero times one."""
    expression = writer.expression(value)
    if not isinstance(expression, float):
        return expression
    return LinearExpression(constant=expression, linear_coefs=[0.0], linear_vars=writer.variables[:1])
