"""The equations of a question as CasADi expressions: a pass over the program, for IPOPT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import casadi as ca

from question import Floats, Question
from sdopt.equations.functions import Function, Table
from sdopt.equations.program import Program

OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "power": lambda a, b: a**b,
    "min": ca.fmin,
    "max": ca.fmax,
    "abs": ca.fabs,
    "exp": ca.exp,
    "ln": ca.log,
    "sqrt": ca.sqrt,
    "sin": ca.sin,
    "cos": ca.cos,
    "tan": ca.tan,
    "tanh": ca.tanh,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": ca.eq,
    "not_equal": ca.ne,
    "and": ca.logic_and,
    "or": ca.logic_or,
    "not": ca.logic_not,
    "as_number": lambda a: a,
    "as_truth": lambda a: ca.ne(a, 0),
    "if_then_else": ca.if_else,
}
"""What a function of the registry is in CasADi; what is not here is refused by name."""


def applied(function: Function, arguments: list[Any]) -> Any:
    """A function of the program, of CasADi expressions."""
    if function.table is not None:
        return _graph(function.table, arguments[0])
    if function.name not in OPERATIONS:
        raise NotImplementedError(f"no CasADi form of {function.name}")
    return OPERATIONS[function.name](*arguments)


def _graph(table: Table, argument: Any) -> Any:
    if table.kind == "interpolate":
        argument = ca.fmin(ca.fmax(argument, table.x[0]), table.x[-1])
    elif table.kind != "extrapolate":
        raise NotImplementedError(f"no CasADi form of a graph that reads {table.kind}")
    return ca.pw_lin(argument, ca.DM(table.x), ca.DM(table.y))


@dataclass(frozen=True)
class Transcription:
    """The question with CasADi's expressions; all of `question`'s scalings hold here too.

    `step(stocks, inputs, time) -> (next stocks, outputs)` and `start(inputs) -> stocks` are CasADi functions.
    """

    question: Question

    @property
    def program(self) -> Program:
        return self.question.problem.evaluator.program

    @property
    def steps(self) -> int:
        return self.program.grid.steps

    @cached_property
    def step(self) -> ca.Function:
        program = self.program
        stocks = ca.SX.sym("stocks", len(program.stocks))
        given, time = ca.SX.sym("inputs", len(program.inputs)), ca.SX.sym("time")
        values = self._registers(given, time)
        values |= {s.stock: stocks[k] for k, s in enumerate(program.stocks)}
        for i in program.loop:
            values[i.output] = applied(i.function, [values[register] for register in i.inputs])
        width = program.grid.step
        moved = [
            values[s.source] if s.assigned else stocks[k] + width * values[s.source]
            for k, s in enumerate(program.stocks)
        ]
        outputs = [values[register] for register in program.output_registers]
        return ca.Function("step", [stocks, given, time], [ca.vertcat(*moved), ca.vertcat(*outputs)])

    @cached_property
    def start(self) -> ca.Function:
        """What stocks start from, given the inputs at the start."""
        given = ca.SX.sym("inputs", len(self.program.inputs))
        values = self._registers(given, ca.SX(self.program.grid.start))
        return ca.Function("start", [given], [ca.vertcat(*(values[s.initial] for s in self.program.stocks))])

    def _registers(self, given: Any, time: Any) -> dict[int, Any]:
        """What no stock influences."""
        program = self.program
        values: dict[int, Any] = {k: ca.SX(float(value)) for k, value in program.numbers.items()}
        values[program.time] = time
        for k, registers in enumerate(program.inputs.values()):
            values[registers.now] = values[registers.start] = given[k]
        for i in program.outside:
            values[i.output] = applied(i.function, [values[register] for register in i.inputs])
        return values

    def inputs(self, x: Any) -> Any:
        """Inputs at every grid time (input, time) for scaled decisions x, an expression."""
        rows = []
        for key in self.program.inputs:
            fixed, weights = self.question.inputs[key]
            rows.append((ca.DM(fixed) + ca.mtimes(ca.sparsify(ca.DM(weights)), x)).T)
        return ca.vertcat(*rows)

    def outcome(self, outputs: Any) -> tuple[Any, Any]:
        """Improvement and scaled slacks from outputs (output, time)."""
        problem = self.question.problem
        values = ca.mtimes(_sparse(problem.evaluator.matrix), ca.vec(outputs.T))
        improvement = sum(
            w * (values[row] - problem.null_values[row]) for row, w in problem.objective_rows.items()
        )
        slacks = [c.sign * (c.limit - values[c.row]) / c.scale for c in problem.constraints]
        return improvement, ca.vertcat(*slacks)

    @cached_property
    def times(self) -> Floats:
        return self.program.grid.times

    def trajectories(self, x: Any) -> tuple[Any, Any]:
        """Stocks and outputs (…, time) by single shooting, of scaled decisions x."""
        inputs = self.inputs(x)
        begin = self.start(inputs[:, 0])
        stocks, outputs = self.step.mapaccum(self.steps)(begin, inputs[:, :-1], ca.DM(self.times[:-1]).T)
        last = self.step(stocks[:, -1], inputs[:, -1], self.times[-1])[1]
        return ca.horzcat(begin, stocks), ca.horzcat(outputs, last)


def _sparse(matrix: Any) -> ca.DM:
    return ca.sparsify(ca.DM(matrix.toarray()))
