"""Instructions as Pyomo expressions: linear ones are summed, each other one gets a variable of its own.

A value is a number, a sum of variables (`Affine`), a truth value, or a condition on such sums. Functions
with a case in them (MIN, MAX, IF THEN ELSE, graph functions) become conditional expressions, which are exact;
what an .nl file cannot say is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from sdopt.equations.functions import Function, Table
from sdopt.errors import OptimisationError

MOST_TERMS = 20
"""A sum of more variables than this becomes a variable itself, so that later sums stay short."""


@dataclass(frozen=True)
class Affine:
    """`constant + sum(coefficient * variable)`; terms are (position of the variable, coefficient), sorted."""

    constant: float
    terms: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Condition:
    """A comparison of two values, or "and", "or", "not" of conditions and truth values."""

    function: str
    arguments: tuple[Value, ...]


Value = float | bool | Affine | Condition

_CALLS: Mapping[str, Callable[..., Any]] = {
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "abs": abs,
    "exp": pyo.exp,
    "ln": pyo.log,
    "sqrt": pyo.sqrt,
    "sin": pyo.sin,
    "cos": pyo.cos,
    "tan": pyo.tan,
    "arcsin": pyo.asin,
    "arccos": pyo.acos,
    "arctan": pyo.atan,
    "sinh": pyo.sinh,
    "cosh": pyo.cosh,
    "tanh": pyo.tanh,
    "min": lambda a, b: _if(a <= b, a, b),
    "max": lambda a, b: _if(a >= b, a, b),
    "integer": lambda a: _if(a >= 0, pyo.floor(a), pyo.ceil(a)),
    "remainder": lambda a, b: a - b * pyo.floor(a / b),
}
_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: b < a,
    "greater_equal": lambda a, b: b <= a,
    "equal": lambda a, b: a == b,
}
_COMBINED: Mapping[str, Callable[..., Any]] = {
    "and": lambda choose, yes, no, a, b: choose(a, choose(b, yes, no), no),
    "or": lambda choose, yes, no, a, b: choose(a, yes, choose(b, yes, no)),
    "not": lambda choose, yes, no, a: choose(a, no, yes),
}
_TRUTHS = (*_COMPARED, *_COMBINED, "not_equal", "as_truth")


@dataclass
class Transcriber:
    """Grows `model.state` (variables, in computable order) and `model.definition` (an equation for each)."""

    model: pyo.ConcreteModel
    variables: list[Any]
    names: list[str] = field(default_factory=list)
    linear: bool = True
    known: dict[tuple[Function, tuple[Value, ...]], Value] = field(default_factory=dict)

    def apply(self, function: Function, arguments: tuple[Value, ...], name: str) -> Value:
        """The value of a function; `name` is what a new variable is called in the list of names."""
        if not any(isinstance(one, (Affine, Condition)) for one in arguments):
            return _number(function, arguments)
        if function.name in _TRUTHS:
            return _condition(function.name, arguments)
        summed = _summed(function.name, arguments)
        if summed is not None:
            short = summed if summed.terms else summed.constant
            return short if len(summed.terms) <= MOST_TERMS else self.variable(summed, name)
        if (function, arguments) not in self.known:
            expression = self._expression(function, arguments)
            if not isinstance(expression, (int, float)):
                self.linear = False
            self.known[function, arguments] = self._defined(expression, name)
        return self.known[function, arguments]

    def variable(self, value: Value, name: str) -> Value:
        """A value as a variable by itself; a number, or what is one variable already, stays as it is."""
        if not isinstance(value, Affine) or (
            value.constant == 0 and value.terms[0][1] == 1 == len(value.terms)
        ):
            return value
        return self._defined(self.expression(value), name)

    def expression(self, value: Value) -> Any:
        """A number or a sum for Pyomo.

        Raises
        ------
        OptimisationError
            If it is inf or nan.
        """
        if isinstance(value, Affine):
            variables = [self.variables[k] for k, _ in value.terms]
            coefficients = [c for _, c in value.terms]
            self._check(value.constant, *coefficients)
            if value.constant == 0 and coefficients == [1.0]:
                return variables[0]
            return LinearExpression(constant=value.constant, linear_coefs=coefficients, linear_vars=variables)
        if isinstance(value, Condition):
            return _chosen(value, 1.0, 0.0, self.expression)
        self._check(float(value))
        return float(value)

    def _expression(self, function: Function, arguments: tuple[Value, ...]) -> Any:
        if function.table is not None:
            return _lookup(function.table, self.expression(arguments[0]))
        if function.name == "if_then_else":
            condition, yes, no = arguments
            return _chosen(condition, self.expression(yes), self.expression(no), self.expression)
        if function.name == "as_number":
            return _chosen(arguments[0], 1.0, 0.0, self.expression)
        if function.name not in _CALLS:
            raise OptimisationError(f'"{function.name}" of a decision cannot be written for another solver.')
        return _CALLS[function.name](*(self.expression(one) for one in arguments))

    def _defined(self, expression: Any, name: str) -> Affine:
        variable = self.model.state.add()
        variable.set_value(pyo.value(expression), skip_validation=True)
        self.model.definition.add(variable == expression)
        self.variables.append(variable)
        self.names.append(name)
        return Affine(0.0, ((len(self.variables) - 1, 1.0),))

    @staticmethod
    def _check(*numbers: float) -> None:
        if not all(map(isfinite, numbers)):
            raise OptimisationError(
                "the equations hold inf or nan in a branch that is not taken, which no file for another "
                "solver can say: look for a division by zero inside IF THEN ELSE."
            )


def _number(function: Function, arguments: tuple[Value, ...]) -> float | bool:
    """The value of a function of numbers, as the engine computes it."""
    out = np.empty((1, 1), bool if function.gives_truth else float)
    with np.errstate(all="ignore"):
        function.real(*(np.array([[one]]) for one in arguments), out)
    return bool(out[0, 0]) if function.gives_truth else float(out[0, 0])


def _condition(name: str, arguments: tuple[Value, ...]) -> Value:
    if name in ("and", "or"):
        known = [one for one in arguments if isinstance(one, bool)]
        if any(one != (name == "and") for one in known):
            return name == "or"
        if known:
            return next(one for one in arguments if not isinstance(one, bool))
    return Condition(name, arguments)


def _summed(name: str, arguments: tuple[Value, ...]) -> Affine | None:
    """The outcome of a function that is linear in the variables, or None."""
    parts = [
        one if isinstance(one, Affine) else Affine(float(one), ())
        for one in arguments
        if not isinstance(one, Condition)
    ]
    if len(parts) == len(arguments):
        if name in ("add", "subtract"):
            return _plus(parts[0], parts[1], 1.0 if name == "add" else -1.0)
        if name in ("negative", "multiply", "divide"):
            return _scaled(name, *parts)
    return None


def _scaled(name: str, a: Affine, b: Affine | None = None) -> Affine | None:
    if b is None:
        return _times(a, -1.0)
    if name == "divide":
        if b.terms or b.constant == 0:
            return None
        return Affine(a.constant / b.constant, tuple((k, c / b.constant) for k, c in a.terms))
    if a.terms and b.terms:
        return None
    return _times(b, a.constant) if b.terms else _times(a, b.constant)


def _times(a: Affine, factor: float) -> Affine:
    return Affine(a.constant * factor, tuple((k, c * factor) for k, c in a.terms if c * factor != 0))


def _plus(a: Affine, b: Affine, sign: float) -> Affine:
    terms = dict(a.terms)
    for k, c in b.terms:
        terms[k] = terms.get(k, 0.0) + sign * c
    return Affine(a.constant + sign * b.constant, tuple(sorted((k, c) for k, c in terms.items() if c != 0)))


def _chosen(condition: Value, yes: Any, no: Any, expression: Callable[[Value], Any]) -> Any:
    """`yes` where a condition holds, else `no`."""
    if not isinstance(condition, Condition):
        return yes if condition else no

    def choose(inner: Value, yes: Any, no: Any) -> Any:
        return _chosen(inner, yes, no, expression)

    name, arguments = condition.function, condition.arguments
    if name in _COMBINED:
        return _COMBINED[name](choose, yes, no, *arguments)
    left, right = (expression(one) for one in (*arguments, 0.0)[:2])
    if name in ("as_truth", "not_equal"):
        return _if(left == right, no, yes)
    return _if(_COMPARED[name](left, right), yes, no)


def _lookup(table: Table, x: Any) -> Any:
    """A graph function as conditions that halve its points, down to one piece."""
    points, values = table.x, table.y
    if table.kind == "raw":
        raise OptimisationError("data that exist on their points only cannot follow from a decision.")
    if table.kind in ("interpolate", "extrapolate"):
        return _pieces(points, _linear_pieces(table, x), x, first_at_point=False)
    if table.kind == "hold_backward":
        return _pieces(points, [values[0], *values], x, first_at_point=False)
    return _pieces(points, [*values, values[-1]], x, first_at_point=True)


def _linear_pieces(table: Table, x: Any) -> list[Any]:
    """What holds before the first point, between every two points, and after the last."""
    points, values = table.x, table.y
    slopes = [(q - p) / (b - a) for a, b, p, q in zip(points, points[1:], values, values[1:], strict=False)]
    pieces = [p + slope * (x - a) for a, p, slope in zip(points, values, slopes, strict=False)]
    if table.kind == "extrapolate" and slopes:
        return [pieces[0], *pieces, values[-1] + slopes[-1] * (x - points[-1])]
    return [values[0], *pieces, values[-1]]


def _pieces(points: tuple[float, ...], pieces: list[Any], x: Any, *, first_at_point: bool) -> Any:
    """Piece k holds between points k - 1 and k; the piece before a point holds on it if so said."""
    if len(pieces) == 1:
        return pieces[0]
    middle = (len(points) - 1) // 2
    before = _pieces(points[:middle], pieces[: middle + 1], x, first_at_point=first_at_point)
    after = _pieces(points[middle + 1 :], pieces[middle + 1 :], x, first_at_point=first_at_point)
    return _if(x <= points[middle] if first_at_point else x < points[middle], before, after)


def _if(condition: Any, yes: Any, no: Any) -> Any:
    return pyo.Expr_if(IF=condition, THEN=yes, ELSE=no)
