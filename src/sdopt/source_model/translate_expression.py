"""PySD's syntax tree of one equation -> our expression, or a complaint about what is not supported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from sdopt.equations.expression import Call, Expression, Lookup, LookupKind, Number, Reference, Time
from sdopt.equations.functions import FUNCTIONS
from sdopt.equations.program import CONTROLS
from sdopt.errors import did_you_mean
from sdopt.source_model.external import lookup_kind, points, read_constants, read_series
from sdopt.source_model.formulas import DIRECT, FORMULAS, TIME_STEP, call, get_time_value
from sdopt.source_model.hidden import Hidden
from sdopt.source_model.parse import canonical, pysd_tree, unquoted
from sdopt.source_model.ranges import Ranges, Scope, element_key
from sdopt.source_model.stateful import STATEFUL
from sdopt.source_model.unsupported import UnsupportedError, construct
from sdopt.source_model.vectors import VECTORS

TRUTH = {function.name for function in FUNCTIONS.values() if function.gives_truth}
WIDTH = {"pulse": 1, "pulse_train": 2}
"""The place of the width among the arguments, as PySD orders them."""
LONGEST = 50
"""Terms in a row that are kept as one expression."""
Table = tuple[tuple[float, ...], tuple[float, ...], LookupKind]
"""Points x, y and kind of a lookup."""

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


@dataclass
class ExpressionTranslator:
    """Translates the equations of one section: the model, or one use of a macro.

    `names` are all variables by base key (as written), `members` the elements each of them is defined
    for (one empty tuple without subscripts), `tables` the lookups by key with elements, `truths` the keys
    of variables that are a comparison, `units` the texts of units by base key. Keys get `prefix` in front.
    `macro` writes out the use of a macro.
    `evaluate` gives the number an expression of constants comes to, or raises UnsupportedError; its second
    argument says what for, and is empty when the equations do not come to depend on it.
    """

    ranges: Ranges
    folder: Path
    hidden: Hidden
    names: Mapping[str, str]
    members: Mapping[str, Collection[tuple[str, ...]]]
    tables: Mapping[str, Table]
    macros: Collection[str]
    macro: Callable[[str, list[Expression], Scope], Expression]
    evaluate: Callable[[Expression, str], float]
    prefix: str = ""
    truths: Collection[str] = field(default_factory=set)
    units: Mapping[str, str] = field(default_factory=dict)
    _files: dict[tuple[int, Any], Any] = field(default_factory=dict)

    def translate(self, node: Any, scope: Scope) -> Expression:
        """Our expression for a PySD syntax node.

        Raises
        ------
        UnsupportedError
            If a construct, function or name in it is not supported or does not exist.
        """
        match node:
            case bool() | str():
                raise UnsupportedError(f"{node!r} is not supported")
            case int() | float():
                return self._number(float(node))
            case np.ndarray():
                return self._number(self._array_value(node, scope))
            case pysd_tree.ReferenceStructure():
                return self._reference(node, scope)
            case pysd_tree.ArithmeticStructure() | pysd_tree.LogicStructure():
                arguments = [self.translate(argument, scope) for argument in node.arguments]
                combine = self._logic if isinstance(node, pysd_tree.LogicStructure) else self._arithmetic
                return combine(node.operators, arguments, scope)
            case pysd_tree.CallStructure():
                return self._call(node, scope)
            case _:
                return self._structure(node, scope)

    def _structure(self, node: Any, scope: Scope) -> Expression:
        match node:
            case pysd_tree.InlineLookupsStructure(argument, table):
                x, y, kind = self.table(table, scope)
                return Lookup(x, y, self.translate(argument, scope), kind)
            case pysd_tree.InitialStructure(initial):
                return call("initial", self.translate(initial, scope))
            case pysd_tree.GameStructure(expression):
                return self.translate(expression, scope)
            case pysd_tree.GetConstantsStructure():
                values = self._file(node, scope, read_constants)
                return self._number(float(values[scope.position]))
            case pysd_tree.GetDataStructure():
                return self.data(node, scope, None)
        if type(node) in STATEFUL:
            return STATEFUL[type(node)](self, node, scope)
        raise UnsupportedError(f"{construct(node)} is not supported")

    def data(self, node: Any, scope: Scope, keyword: str | None) -> Expression:
        """A data variable: a series read at the current time."""
        x, y, kind = self.table(node, scope, keyword)
        return Lookup(x, y, Time(), kind)

    def table(self, node: Any, scope: Scope, keyword: str | None = None) -> Table:
        """The points of a lookup or data series for the element of `scope`."""
        if isinstance(node, pysd_tree.GetLookupsStructure | pysd_tree.GetDataStructure):
            kind = lookup_kind(keyword)
            x, y = self._file(node, scope, lambda n, c, f: read_series(n, c, f, kind))
            return (*points(x, y[(slice(None), *scope.position)]), kind)
        if not isinstance(node, pysd_tree.LookupsStructure):
            raise UnsupportedError(f"{construct(node)} is not supported")
        return (*points(node.x, node.y), lookup_kind(node.type))

    def _file(self, node: Any, scope: Scope, read: Callable[..., Any]) -> Any:
        """What a file holds for a whole array, read once."""
        key = (id(node), scope.coordinates)
        if key not in self._files:
            self._files[key] = read(node, scope.coordinates, self.folder)
        return self._files[key]

    def _array_value(self, values: Any, scope: Scope) -> float:
        shape = tuple(len(elements) for elements in scope.coordinates)
        if values.size != int(np.prod(shape)):
            raise UnsupportedError(f"{values.size} numbers are given for {int(np.prod(shape))} elements")
        return float(values.reshape(shape)[scope.position])

    def _number(self, value: float) -> Expression:
        if not isfinite(value):
            raise UnsupportedError(":NA: is not supported")
        return Number(value)

    def _reference(self, node: Any, scope: Scope) -> Expression:
        base = canonical(node.reference)
        subscripts = node.subscripts.subscripts if node.subscripts is not None else []
        if base == "time":
            return Time()
        if base not in self.names and base in CONTROLS:
            return Reference(base)
        if base not in self.names and node.reference in self.ranges:
            return Number(float(self.ranges.number(node.reference, scope.elements)))
        key = self._key(base, node.reference, subscripts, scope)
        if key in self.tables:
            raise UnsupportedError(f'the lookup "{self.names[base]}" is used without an argument')
        return Reference(key)

    def _key(self, base: str, written: str, subscripts: Sequence[str], scope: Scope) -> str:
        """The key of the variable, or element of it, that is meant."""
        if base not in self.names:
            known = {canonical(name): name for name in self.names.values()}
            hint = did_you_mean(unquoted(written).replace("_", " "), known.values())
            raise UnsupportedError(f'there is no variable "{unquoted(written).replace("_", " ")}".{hint}')
        elements = tuple(self.ranges.element(s, scope.elements) for s in subscripts)
        if not elements and scope.chosen in self.members[base]:
            elements = scope.chosen  # XMILE: an array in the equation of an array of the same shape
        if elements not in self.members[base]:
            raise UnsupportedError(self._no_element(base, elements))
        return element_key(self.prefix + base, elements)

    def _no_element(self, base: str, elements: tuple[str, ...]) -> str:
        wanted = {len(m) for m in self.members[base]}
        if len(elements) not in wanted:
            counts = " or ".join(str(n) for n in sorted(wanted))
            return f'"{self.names[base]}" has {counts} subscripts, not {len(elements)}'
        shown = ",".join(self.ranges.names.get(e, e) for e in elements)
        return f'no equation defines "{self.names[base]}[{shown}]"'

    def _arithmetic(self, operators: list[str], arguments: list[Expression], scope: Scope) -> Expression:
        if operators == ["negative"]:
            return call("negative", arguments[0])
        if "^" in operators:
            return _power(arguments)
        if set(operators) <= {"+", "-"} and all(self._is_truth(a) for a in arguments):
            raise UnsupportedError(
                "adding or subtracting only comparisons is not supported: use IF THEN ELSE"
            )
        return self._from_the_left(operators, arguments, scope)

    def _from_the_left(self, operators: list[str], arguments: list[Expression], scope: Scope) -> Expression:
        """((a + b) - c) + d, with a hidden variable after `LONGEST` terms: the tree stays shallow."""
        left = arguments[0]
        for count, (operator, right) in enumerate(zip(operators, arguments[1:], strict=True), start=1):
            left = call(OPERATORS[operator], left, right)
            if count % LONGEST == 0:
                left = self.hidden.auxiliary(scope, "part", left)
        return left

    def _is_truth(self, expression: Expression) -> bool:
        match expression:
            case Call(name, _):
                return name in TRUTH
            case Reference(key):
                return key in self.truths
        return False

    def _logic(self, operators: list[str], arguments: list[Expression], scope: Scope) -> Expression:
        operators = [
            operator.upper() if operator.startswith(":") else _xmile(operator) for operator in operators
        ]
        if operators == [":NOT:"]:
            return call("not", arguments[0])
        if len(set(operators)) > 1:
            raise UnsupportedError(":AND: and :OR: side by side are read in different ways: add parentheses")
        return self._from_the_left(operators, arguments, scope)

    def _call(self, node: Any, scope: Scope) -> Expression:
        name = node.function.reference
        key = canonical(name)
        if key in self.macros:
            return self.macro(key, [self.translate(a, scope) for a in node.arguments], scope)
        if key in self.names:
            return self._lookup_call(key, node, scope)
        written = unquoted(name).replace("_", " ").upper()
        if name in VECTORS:
            count, write_out = VECTORS[name]
            _check_count(written, node.arguments, (count,))
            return write_out(self, name, node.arguments, scope)
        if name not in DIRECT and name not in FORMULAS and name != "get_time_value":
            raise UnsupportedError(f"{written} is not supported")
        arguments = [self.translate(a, scope) for a in node.arguments]
        if name == "get_time_value":
            return self._get_time_value(written, arguments)
        allowed = (len(FUNCTIONS[name].truth_arguments),) if name in DIRECT else FORMULAS[name][0]
        _check_count(written, arguments, allowed)
        if name in WIDTH:
            self._refuse_no_width(written, arguments[WIDTH[name]])
        return call(name, *arguments) if name in DIRECT else FORMULAS[name][1](*arguments)

    def _refuse_no_width(self, written: str, width: Expression) -> None:
        try:
            if self.evaluate(width, "") > 0:
                return
        except UnsupportedError:
            return  # it changes over time
        raise UnsupportedError(
            f"{written} without width lasts one step in Vensim and none in PySD: give it the width TIME STEP"
        )

    def _lookup_call(self, base: str, node: Any, scope: Scope) -> Expression:
        reference = node.function
        subscripts = reference.subscripts.subscripts if reference.subscripts is not None else []
        key = self._key(base, reference.reference, subscripts, scope)
        if key not in self.tables:
            raise UnsupportedError(f'"{self.names[base]}" is called as a function but is not a lookup')
        _check_count(f'the lookup "{self.names[base]}"', node.arguments, (1,))
        x, y, kind = self.tables[key]
        return Lookup(x, y, self.translate(node.arguments[0], scope), kind, self.units.get(base, ""))

    def _get_time_value(self, written: str, arguments: list[Expression]) -> Expression:
        _check_count(written, arguments, (3,))
        relative, offset, measure = arguments
        return get_time_value(self.number(relative, written), offset, self.number(measure, written))

    def number(self, expression: Expression, what: str) -> float:
        """The number an expression of constants comes to; `what` says what it is for."""
        return self.evaluate(expression, what)

    def stages(self, order: int, time: Expression) -> int:
        """The order of a DELAY N: lowered, as Vensim and PySD do, until every stage lasts a time step."""
        try:
            delay, step = self.evaluate(time, ""), self.evaluate(TIME_STEP, "")
        except UnsupportedError:
            return order  # it starts from a stock: nothing can be said of it here
        if order * step > delay:
            self.evaluate(time, "a delay shorter than its stages")
        while order > 1 and order * step > delay:
            order -= 1
        return order


def _check_count(written: str, arguments: Sequence[Any], allowed: Sequence[int]) -> None:
    if len(arguments) not in allowed:
        wanted = " or ".join(str(n) for n in allowed)
        raise UnsupportedError(
            f"{written} takes {wanted} argument{'s' * (wanted != '1')}, not {len(arguments)}"
        )


def _xmile(operator: str) -> str:
    """XMILE writes `and`, `or`, `not` where Vensim writes :AND:, :OR:, :NOT:."""
    return f":{operator.upper()}:" if operator.isalpha() else operator


def _power(arguments: list[Expression]) -> Expression:
    """Right to left: a ^ b ^ c is a ^ (b ^ c), and -2 ^ 2 is -(2 ^ 2), in Vensim and PySD alike."""

    def raised(exponent: Expression, base: Expression) -> Expression:
        if isinstance(base, Number) and base.value < 0:
            return call("negative", call("power", Number(-base.value), exponent))
        return call("power", base, exponent)

    return reduce(raised, reversed(arguments))
