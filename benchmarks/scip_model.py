"""The equations of a question as constraints of SCIP: a pass over the program per step, with a known run.

What is linear stays an expression; what is not becomes a variable with one constraint. Beside every
expression goes its value in one run of the model, so that SCIP can be given that run as its first solution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyscipopt as scip

from question import Floats, Question
from sdopt.equations.functions import Function, Table
from sdopt.equations.program import Program

LONGEST = 12
"""Terms of a linear expression beyond which it becomes a variable."""


class Term(NamedTuple):
    """An expression of SCIP (or a number), and what it is in the known run."""

    expression: Any
    value: float

    @property
    def known(self) -> bool:
        return isinstance(self.expression, float)


def number(value: float) -> Term:
    return Term(float(value), float(value))


LINEAR: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "negative": lambda a: -a,
    "as_number": lambda a: a,
}
NONLINEAR: Mapping[str, Callable[..., Any]] = {
    "multiply": lambda a, b: a * b,
    "power": lambda a, b: a**b,
    "min": lambda a, b: 0.5 * (a + b - abs(a - b)),
    "max": lambda a, b: 0.5 * (a + b + abs(a - b)),
    "abs": abs,
    "exp": scip.exp,
    "ln": scip.log,
    "sqrt": scip.sqrt,
    "sin": scip.sin,
    "cos": scip.cos,
    "and": lambda a, b: a * b,
    "or": lambda a, b: a + b - a * b,
    "not": lambda a: 1 - a,
    "if_then_else": lambda condition, yes, no: no + condition * (yes - no),
}
ORDER = {"less": 1.0, "less_equal": 1.0, "greater": -1.0, "greater_equal": -1.0}
"""Comparisons of what is not known: a binary; strict or not is the same (at equality it may be either)."""


@dataclass
class ScipModel:
    """SCIP with the equations of a question; `x` are the scaled decisions, `solution` the known run.

    `start` (decision,) scaled is the allocation of the known run.
    """

    question: Question
    start: Floats
    model: Any = field(default_factory=scip.Model)
    x: list[Any] = field(default_factory=list)
    solution: list[tuple[Any, float]] = field(default_factory=list)
    _worked_out: dict[Any, tuple[list[Term], Term]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program = self.question.problem.evaluator.program
        kinds = np.where(self.question.whole, "B", "C")
        self.x = [
            self._variable(v, lb=0.0, ub=1.0, vtype=str(k)) for v, k in zip(self.start, kinds, strict=True)
        ]
        rows, limits = self.question.rules
        for row, limit in zip(rows, limits, strict=True):
            self.model.addCons(scip.quicksum(w * v for w, v in zip(row, self.x, strict=True) if w) <= limit)
        self._ask(self._outputs(program))

    def first_solution(self) -> bool:
        """Give SCIP the known run; whether it accepts it."""
        given = self.model.createSol()
        for variable, value in self.solution:
            self.model.setSolVal(given, variable, value)
        return bool(self.model.addSol(given))

    def _variable(self, value: float, **bounds: Any) -> Any:
        variable = self.model.addVar(**({"lb": None, "ub": None} | bounds))
        self.solution.append((variable, float(value)))
        return variable

    def _outputs(self, program: Program) -> list[list[Term]]:
        """Outputs as terms, [time][output]."""
        grid, inputs = program.grid, self._inputs(program)
        values = self._before_the_steps(program, grid.start, inputs, 0)
        stocks = {s.stock: self._held(values[s.initial]) for s in program.stocks}
        outputs = []
        for k, time in enumerate(grid.times):
            values = self._before_the_steps(program, float(time), inputs, k) | stocks
            for i in program.loop:
                values[i.output] = self._applied(i.function, [values[register] for register in i.inputs])
            outputs.append([values[register] for register in program.output_registers])
            stocks = (
                {s.stock: self._moved(s, values, grid.step) for s in program.stocks} if k < grid.steps else {}
            )
        return outputs

    def _moved(self, stock: Any, values: Mapping[int, Term], width: float) -> Term:
        source, now = values[stock.source], values[stock.stock]
        if stock.assigned:
            return self._held(source)
        return self._held(Term(now.expression + width * source.expression, now.value + width * source.value))

    def _before_the_steps(
        self, program: Program, time: float, inputs: Mapping[str, list[Term]], k: int
    ) -> dict[int, Term]:
        """What no stock influences, at grid time k."""
        values = {register: number(float(value)) for register, value in program.numbers.items()}
        values[program.time] = number(time)
        for key, registers in program.inputs.items():
            values[registers.now], values[registers.start] = inputs[key][k], inputs[key][0]
        for i in program.outside:
            values[i.output] = self._applied(i.function, [values[register] for register in i.inputs])
        return values

    def _inputs(self, program: Program) -> dict[str, list[Term]]:
        """Every input over time; the same expression in every step in which the same decision holds."""
        made: dict[Any, Term] = {}
        found = {}
        for key in program.inputs:
            fixed, weights = self.question.inputs[key]
            rows = [(float(f), tuple(w)) for f, w in zip(fixed, weights, strict=True)]
            made |= {row: self._affine(*row) for row in dict.fromkeys(rows) if row not in made}
            found[key] = [made[row] for row in rows]
        return found

    def _affine(self, fixed: float, weights: tuple[float, ...]) -> Term:
        if not any(weights):
            return number(fixed)
        terms = [w * x for w, x in zip(weights, self.x, strict=True) if w]
        return Term(fixed + scip.quicksum(terms), fixed + float(np.dot(weights, self.start)))

    def _applied(self, function: Function, terms: list[Term]) -> Term:
        value = self._value(function, [term.value for term in terms])
        if all(term.known for term in terms):
            return number(value)
        name, parts = function.name, [term.expression for term in terms]
        if function.table is None and (name in LINEAR or _is_scaling(name, terms)):
            made = Term(LINEAR[name](*parts) if name in LINEAR else _scaled(name, parts), value)
            return self._held(made) if _length(made.expression) > LONGEST else made
        key = (function, tuple(map(id, parts)))
        if key not in self._worked_out:
            # The terms are kept too: another expression could get the address of one that is gone.
            self._worked_out[key] = terms, self._nonlinear(function, terms, value)
        return self._worked_out[key][1]

    def _value(self, function: Function, values: list[float]) -> float:
        out = np.empty((1, 1), bool if function.gives_truth else float)
        arrays = [
            np.array([[v]]) != 0 if truth else np.array([[v]])
            for v, truth in zip(values, function.truth_arguments, strict=True)
        ]
        with np.errstate(all="ignore"):
            function.real(*arrays, out)
        return float(out[0, 0])

    def _nonlinear(self, function: Function, terms: list[Term], value: float) -> Term:
        name, parts = function.name, [self._held(term).expression for term in terms]
        if name == "as_truth":
            raise NotImplementedError("no SCIP form of a number as a condition")
        if name in ORDER:
            return self._compared(ORDER[name], parts, value)
        if name == "if_then_else" and terms[0].known:
            return terms[1] if terms[0].value else terms[2]
        result = self._variable(value)
        if function.table is not None:
            self.model.addCons(result == _graph(function.table, parts[0]))
        elif name == "divide":
            self.model.addCons(result * parts[1] == parts[0])
        elif name == "power" and not terms[1].known:
            self.model.addCons(result == scip.exp(parts[1] * scip.log(parts[0])))
        elif name in NONLINEAR:
            self.model.addCons(result == NONLINEAR[name](*parts))
        else:
            raise NotImplementedError(f"no SCIP form of {name}")
        return Term(result, value)

    def _compared(self, sign: float, parts: list[Any], value: float) -> Term:
        holds = self._variable(value, lb=0, ub=1, vtype="B")
        not_holds = self._variable(1 - value, lb=0, ub=1, vtype="B")
        self.model.addCons(holds + not_holds == 1)
        self.model.addConsIndicator(sign * (parts[0] - parts[1]) <= 0, binvar=holds)
        self.model.addConsIndicator(sign * (parts[1] - parts[0]) <= 0, binvar=not_holds)
        return Term(holds, value)

    def _held(self, term: Term) -> Term:
        """The same as a number or as one variable."""
        if term.known or isinstance(term.expression, scip.Variable):
            return term
        variable = self._variable(term.value)
        self.model.addCons(variable == term.expression)
        return Term(variable, term.value)

    def _ask(self, outputs: list[list[Term]]) -> None:
        """The improvement is maximised; constraints hold."""
        problem = self.question.problem
        matrix, times = problem.evaluator.matrix, len(outputs)

        def functional(row: int) -> Any:
            part = matrix.getrow(row)
            return scip.quicksum(
                w * outputs[place % times][place // times].expression
                for place, w in zip(part.indices, part.data, strict=True)
            )

        for c in problem.constraints:
            self.model.addCons(c.sign * (c.limit - functional(c.row)) / c.scale >= 0)
        improvement = scip.quicksum(
            w * (functional(row) - float(problem.null_values[row]))
            for row, w in problem.objective_rows.items()
        )
        self.model.setObjective(improvement, "maximize")


def _is_scaling(name: str, terms: list[Term]) -> bool:
    """Whether a product or quotient is linear."""
    return (name == "multiply" and any(t.known for t in terms)) or (name == "divide" and terms[1].known)


def _scaled(name: str, parts: list[Any]) -> Any:
    return parts[0] * parts[1] if name == "multiply" else parts[0] * (1.0 / parts[1])


def _length(expression: Any) -> int:
    return len(expression.terms) if isinstance(expression, scip.Expr) else 1


def _graph(table: Table, argument: Any) -> Any:
    """A graph as a sum of bends: the slope changes at every point."""
    if table.kind != "interpolate":
        raise NotImplementedError(f"no SCIP form of a graph that reads {table.kind}")
    slopes = np.r_[0.0, np.diff(table.y) / np.diff(table.x), 0.0]
    bends = zip(table.x, np.diff(slopes), strict=True)
    return table.y[0] + scip.quicksum(
        0.5 * float(b) * (argument - x + abs(argument - x)) for x, b in bends if b
    )
