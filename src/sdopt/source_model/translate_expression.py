"""PySD's syntax tree of one equation -> our expression, or a complaint about what is not supported.

Functions that PySD defines by a formula (ZIDZ, STEP, PULSE, ...) are written out as that formula, so
that they agree with the referee to the last step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from math import isfinite, pi
from typing import Any

from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.program import CONTROLS
from sdopt.errors import did_you_mean
from sdopt.source_model.parse import canonical, pysd_tree, unquoted

SMALL = Number(1e-6)
"""What PySD and Vensim take for zero in ZIDZ, XIDZ, QUANTUM, MODULO, RAMP and PULSE."""
TIME_STEP = Reference("time_step")
TRUTH = {function.name for function in FUNCTIONS.values() if function.gives_truth}

OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "^": "power",
    "negative": "negative",
    "=": "equal",
    "<>": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    ":AND:": "and",
    ":OR:": "or",
    ":NOT:": "not",
}

NOT_SUPPORTED = {
    "GameStructure": "GAME",
    "AllocateAvailableStructure": "ALLOCATE AVAILABLE",
    "AllocateByPriorityStructure": "ALLOCATE BY PRIORITY",
    "DelayFixedStructure": "DELAY FIXED",
    "DelayNStructure": "DELAY N",
    "SmoothNStructure": "SMOOTH N",
    "TrendStructure": "TREND",
    "ForecastStructure": "FORECAST",
    "SampleIfTrueStructure": "SAMPLE IF TRUE",
    "DataStructure": "a data variable",
    "GetLookupsStructure": "GET XLS/DIRECT LOOKUPS",
    "GetDataStructure": "GET XLS/DIRECT DATA",
    "GetConstantsStructure": "GET XLS/DIRECT CONSTANTS",
    "ndarray": "an array of numbers",
}


class UnsupportedError(Exception):
    """Something in one equation that cannot be translated; the message names it."""


def call(function: str, *arguments: Expression) -> Call:
    """A `Call` node."""
    return Call(function, arguments)


def _quantum(a: Expression, b: Expression) -> Expression:
    whole = call("multiply", b, call("integer", call("divide", a, b)))
    return call("if_then_else", call("less", b, SMALL), a, whole)


def _xidz(a: Expression, b: Expression, x: Expression) -> Expression:
    return call("if_then_else", call("less", call("abs", b), SMALL), x, call("divide", a, b))


def _step(height: Expression, start: Expression) -> Expression:
    now = call("add", Time(), call("divide", TIME_STEP, Number(2.0)))
    return call("multiply", height, call("greater", now, start))


def _ramp(slope: Expression, start: Expression, end: Expression | None = None) -> Expression:
    started = call("greater", call("add", Time(), SMALL), start)
    until: Expression = Time() if end is None else call("min", end, Time())
    return call("multiply", call("multiply", started, slope), call("subtract", until, start))


def _pulse(start: Expression, width: Expression) -> Expression:
    begun = call("less_equal", call("subtract", start, SMALL), Time())
    return call(
        "if_then_else", call("and", begun, call("less", Time(), call("add", start, width))), ONE, ZERO
    )


def _pulse_train(start: Expression, interval: Expression, width: Expression, end: Expression) -> Expression:
    within = call("and", call("less_equal", start, Time()), call("less", Time(), end))
    since = call("remainder", call("add", call("subtract", Time(), start), SMALL), interval)
    train = call("if_then_else", call("and", within, call("less", since, width)), ONE, ZERO)
    return call("if_then_else", call("equal", interval, ZERO), _pulse(start, width), train)


def _xmile_pulse(start: Expression, magnitude: Expression) -> Expression:
    width = call("multiply", Number(0.5), TIME_STEP)
    begun = call("less_equal", call("subtract", start, SMALL), Time())
    inside = call("and", begun, call("less", Time(), call("add", start, width)))
    return call("if_then_else", inside, call("divide", magnitude, TIME_STEP), ZERO)


ZERO, ONE = Number(0.0), Number(1.0)

FORMULAS: Mapping[str, tuple[tuple[int, ...], Callable[..., Expression]]] = {
    "log": ((2,), lambda x, base: call("divide", call("ln", x), call("ln", base))),
    "pi": ((0,), lambda: Number(pi)),
    "quantum": ((2,), _quantum),
    "modulo": ((2,), lambda x, m: call("subtract", x, _quantum(x, m))),
    "zidz": ((2,), lambda a, b: _xidz(a, b, ZERO)),
    "xidz": ((3,), _xidz),
    "step": ((2,), _step),
    "ramp": ((2, 3), _ramp),
    "Xramp": ((2,), _ramp),
    "pulse": ((2,), _pulse),
    "pulse_train": ((4,), _pulse_train),
    "Xpulse": ((2,), _xmile_pulse),
}
"""Functions written out as PySD computes them: allowed numbers of arguments, and the formula."""

DIRECT = {
    *("min", "max", "abs", "exp", "ln", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "integer", "power", "if_then_else"),
}
"""Functions of the registry a model may call by their own name."""


@dataclass
class ExpressionTranslator:
    """Translates the equations of one model.

    `names` are all variables by key (as written); `lookups` the graph functions by key; `truths` the
    keys of variables that are a comparison.
    """

    names: Mapping[str, str]
    lookups: Mapping[str, pysd_tree.LookupsStructure]
    truths: Collection[str] = field(default_factory=set)

    def translate(self, node: Any) -> Expression:
        """Our expression for a PySD syntax node.

        Raises
        ------
        UnsupportedError
            If a construct, function or name in it is not supported or does not exist.
        """
        match node:
            case bool():
                raise UnsupportedError(f"{node} is not supported")
            case int() | float():
                return self._number(float(node))
            case pysd_tree.ReferenceStructure():
                return self._reference(node)
            case pysd_tree.ArithmeticStructure() | pysd_tree.LogicStructure():
                arguments = [self.translate(argument) for argument in node.arguments]
                combine = self._logic if isinstance(node, pysd_tree.LogicStructure) else self._arithmetic
                return combine(node.operators, arguments)
            case pysd_tree.CallStructure():
                return self._call(node)
            case pysd_tree.InlineLookupsStructure(argument, table):
                return self._lookup(table, self.translate(argument))
            case pysd_tree.InitialStructure(initial):
                return call("initial", self.translate(initial))
        raise UnsupportedError(f"{construct(node)} is not supported yet")

    def _number(self, value: float) -> Expression:
        if not isfinite(value):
            raise UnsupportedError(":NA: is not supported yet")
        return Number(value)

    def _reference(self, node: pysd_tree.ReferenceStructure) -> Expression:
        key = canonical(node.reference)
        if node.subscripts is not None:
            raise UnsupportedError("a subscript is not supported yet")
        if key == "time":
            return Time()
        if key in self.lookups:
            raise UnsupportedError(f'the lookup "{self.names[key]}" is used without an argument')
        if key not in self.names and key not in CONTROLS:
            known = {canonical(name): name for name in self.names.values()}
            hint = did_you_mean(unquoted(node.reference).replace("_", " "), known.values())
            raise UnsupportedError(
                f'there is no variable "{unquoted(node.reference).replace("_", " ")}".{hint}'
            )
        return Reference(key)

    def _arithmetic(self, operators: list[str], arguments: list[Expression]) -> Expression:
        if operators == ["negative"]:
            return call("negative", arguments[0])
        if "^" in operators:
            _check_power(operators, arguments)
        elif set(operators) <= {"+", "-"} and all(self._is_truth(a) for a in arguments):
            raise UnsupportedError(
                "adding or subtracting only comparisons is not supported: use IF THEN ELSE"
            )
        return _from_the_left(operators, arguments)

    def _is_truth(self, expression: Expression) -> bool:
        match expression:
            case Call(name, _):
                return name in TRUTH
            case Reference(key):
                return key in self.truths
        return False

    def _logic(self, operators: list[str], arguments: list[Expression]) -> Expression:
        operators = [
            operator.upper() if operator.startswith(":") else _xmile(operator) for operator in operators
        ]
        if operators == [":NOT:"]:
            return call("not", arguments[0])
        if len(set(operators)) > 1:
            raise UnsupportedError(":AND: and :OR: side by side are read in different ways: add parentheses")
        return _from_the_left(operators, arguments)

    def _call(self, node: pysd_tree.CallStructure) -> Expression:
        name = node.function.reference
        key = canonical(name)
        written = unquoted(name).replace("_", " ").upper()
        if key in self.lookups:
            arguments = [self.translate(a) for a in node.arguments]
            if len(arguments) != 1:
                raise UnsupportedError(
                    f'the lookup "{self.names[key]}" takes 1 argument, not {len(arguments)}'
                )
            return self._lookup(self.lookups[key], arguments[0])
        if key in self.names:
            raise UnsupportedError(f'"{self.names[key]}" is called as a function but is not a lookup')
        if name not in DIRECT and name not in FORMULAS:
            raise UnsupportedError(f"{written} is not supported yet")
        return self._function(name, written, [self.translate(a) for a in node.arguments])

    def _function(self, name: str, written: str, arguments: list[Expression]) -> Expression:
        allowed = (len(FUNCTIONS[name].truth_arguments),) if name in DIRECT else FORMULAS[name][0]
        if len(arguments) not in allowed:
            wanted = " or ".join(str(n) for n in allowed)
            raise UnsupportedError(f"{written} takes {wanted} arguments, not {len(arguments)}")
        return call(name, *arguments) if name in DIRECT else FORMULAS[name][1](*arguments)

    def _lookup(self, table: Any, argument: Expression) -> Expression:
        if not isinstance(table, pysd_tree.LookupsStructure):
            raise UnsupportedError(f"{construct(table)} is not supported yet")
        if table.type != "interpolate":
            raise UnsupportedError(
                f"a lookup of type {table.type} is not supported: only linear with flat ends"
            )
        x, y = (tuple(float(v) for v in values) for values in (table.x, table.y))
        if len(x) < 2 or any(b <= a for a, b in pairwise(x)):
            raise UnsupportedError("a lookup needs two or more points with different x")
        return Lookup(x, y, argument)


def construct(node: Any) -> str:
    """The name of a construct as a modeller knows it."""
    kind = type(node).__name__
    if kind in ("DelayStructure", "SmoothStructure"):
        word = kind.removesuffix("Structure").upper()
        return f"{word}{node.order}" if word == "DELAY" or node.order != 1 else word
    return NOT_SUPPORTED.get(kind, kind.removesuffix("Structure").upper())


def _xmile(operator: str) -> str:
    """XMILE writes `and`, `or`, `not` where Vensim writes :AND:, :OR:, :NOT:."""
    return f":{operator.upper()}:" if operator.isalpha() else operator


def _check_power(operators: list[str], arguments: list[Expression]) -> None:
    if len(operators) > 1:
        raise UnsupportedError("a ^ b ^ c is read in different ways: add parentheses")
    if isinstance(arguments[0], Number) and arguments[0].value < 0:
        raise UnsupportedError(
            "a negative number to a power is read in different ways: write it as a variable"
        )


def _from_the_left(operators: list[str], arguments: list[Expression]) -> Expression:
    first, *rest = arguments
    pairs = zip(operators, rest, strict=True)
    return reduce(lambda left, pair: call(OPERATORS[pair[0]], left, pair[1]), pairs, first)
