"""Functions over the elements of an array, written out per element: SUM, VMIN, VECTOR SELECT, sorting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import inf, nan
from typing import Any

from sdopt.equations.expression import Expression, Number
from sdopt.source_model.formulas import ONE, ZERO, call
from sdopt.source_model.parse import canonical, pysd_tree
from sdopt.source_model.ranges import Scope, subscript_key
from sdopt.source_model.translator import Translator
from sdopt.source_model.unsupported import UnsupportedError

Arguments = Sequence[Any]
REDUCTIONS = {"sum": "add", "prod": "multiply", "vmin": "min", "vmax": "max"}
XMILE_REDUCTIONS = {"vmin_xmile": "min", "vmax_xmile": "max"}
SELECT_ACTIONS: Mapping[int, tuple[str, str]] = {
    0: ("add", "product"),
    1: ("multiply", "product"),
    2: ("min", "product"),
    3: ("max", "product"),
    4: ("mean", "product"),
    5: ("multiply", "power"),
    6: ("add", "value"),
    7: ("multiply", "value"),
    8: ("min", "value"),
    9: ("max", "value"),
    10: ("mean", "value"),
}
"""VECTOR SELECT's numerical actions: how values are joined, and what of selection and value is joined."""
ERROR = Number(nan)
"""What ends a run with an error that names the variable; PySD raises one."""
NEUTRAL = {"add": ZERO, "multiply": ONE, "min": Number(inf), "max": Number(-inf)}


def _subscripts(node: Any) -> Iterator[str]:
    """Every subscript written in an expression, without what an inner function already runs over."""
    if isinstance(node, pysd_tree.ReferenceStructure):
        yield from node.subscripts.subscripts if node.subscripts else ()
    elif isinstance(node, pysd_tree.CallStructure):
        inner = canonical(node.function.reference) in (*REDUCTIONS, "vector_select")
        for part in (node.function, *node.arguments):
            yield from (s for s in _subscripts(part) if not (inner and s.strip().endswith("!")))
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _subscripts(getattr(node, name))
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _subscripts(part)


def _each(to: Translator, keys: Sequence[str], scope: Scope) -> Iterator[Scope]:
    """The scope once for every combination of elements of some ranges."""
    ranges = []
    for key in keys:
        if key.removesuffix("!") not in to.ranges.elements:
            raise UnsupportedError(f'"{key}" is not a subscript range')
        ranges.append(to.ranges.elements[key.removesuffix("!")])
    for chosen in product(*ranges):
        yield scope.within(dict(zip(keys, chosen, strict=True)))


def _applied(nodes: Arguments) -> list[str]:
    """The ranges marked with ! in some expressions, each once."""
    marked = (subscript_key(s) for s in _subscripts(list(nodes)) if s.strip().endswith("!"))
    return list(dict.fromkeys(marked))


def _reduction(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    keys = _applied(arguments)
    if not keys:
        raise UnsupportedError(f"{name.upper()} needs a range marked with !, such as x[region!]")
    return _joined(REDUCTIONS[name], [to.translate(arguments[0], inner) for inner in _each(to, keys, scope)])


def _joined(function: str, values: list[Expression]) -> Expression:
    """All values joined by a function of two, in pairs: a sum of thousands is no deep tree."""
    while len(values) > 1:
        pairs = [call(function, a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = [*pairs, *values[2 * len(pairs) :]]
    return values[0]


def _xmile_reduction(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    """MIN or MAX of one argument: over every range of it that the left-hand side does not fix."""
    free = [canonical(s) for s in _subscripts(arguments[0])]
    keys = [k for k in dict.fromkeys(free) if k in to.ranges.elements and k not in scope.elements]
    values = [to.translate(arguments[0], inner) for inner in _each(to, keys, scope)]
    return _joined(XMILE_REDUCTIONS[name], values)


def _vector_select(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    selection, expression, missing, action, error = arguments
    join, what = SELECT_ACTIONS[_choice(to, action, "numerical action", 10, scope)]
    mistakes = _choice(to, error, "error action", 3, scope)
    chosen, values = [], []
    for inner in _each(to, _applied([selection, expression]), scope):
        mark, value = to.translate(selection, inner), to.translate(expression, inner)
        chosen.append(call("not_equal", mark, ZERO))
        values.append(_selected(what, mark, value))
    none = ERROR if mistakes in (1, 3) else to.translate(missing, scope)
    found = call("if_then_else", _joined("or", chosen), _join_selected(join, chosen, values), none)
    if mistakes < 2:
        return found
    return call("if_then_else", call("greater", _count(chosen), ONE), ERROR, found)


def _choice(to: Translator, node: Any, what: str, most: int, scope: Scope) -> int:
    """A whole number from 0 that says what VECTOR SELECT does."""
    number = to.number(to.translate(node, scope), f"VECTOR SELECT's {what}")
    if number not in range(most + 1):
        raise UnsupportedError(f"VECTOR SELECT's {what} is 0 to {most}, not {number:g}")
    return int(number)


def _count(chosen: list[Expression]) -> Expression:
    """How many conditions hold."""
    return _joined("add", [call("if_then_else", c, ONE, ZERO) for c in chosen])


def _selected(what: str, mark: Expression, value: Expression) -> Expression:
    if what == "product":
        return call("multiply", mark, value)
    return call("power", value, mark) if what == "power" else value


def _join_selected(join: str, chosen: list[Expression], values: list[Expression]) -> Expression:
    """The sum, product, minimum, maximum or mean of the values that are chosen."""
    neutral = NEUTRAL["add" if join == "mean" else join]
    kept = [call("if_then_else", c, v, neutral) for c, v in zip(chosen, values, strict=True)]
    if join != "mean":
        return _joined(join, kept)
    return call("divide", _joined("add", kept), call("max", _count(chosen), ONE))


def _vector(to: Translator, name: str, node: Any, scope: Scope) -> tuple[list[Expression], int]:
    """All values of an array along its last subscript, and the place of this equation's element in it."""
    subscripts = (
        node.subscripts.subscripts
        if isinstance(node, pysd_tree.ReferenceStructure) and node.subscripts
        else []
    )
    key = canonical(subscripts[-1]) if subscripts else ""
    if key not in to.ranges.elements:
        raise UnsupportedError(f"{name} needs an array with a range as its last subscript")
    here = to.ranges.elements[key].index(to.ranges.element(key, scope.elements))
    return [to.translate(node, inner) for inner in _each(to, [key], scope)], here


def _places(values: list[Expression]) -> list[Expression]:
    """The place of each value from small to large, counted from 0; equal values in their own order."""
    places = []
    for i, value in enumerate(values):
        smaller = [
            call("less_equal" if j < i else "less", other, value) for j, other in enumerate(values) if j != i
        ]
        places.append(_joined("add", [ZERO, *(call("if_then_else", s, ONE, ZERO) for s in smaller)]))
    return places


def _sorting(
    to: Translator, arguments: Arguments, name: str, scope: Scope
) -> tuple[list[Expression], int, bool]:
    values, here = _vector(to, name, arguments[0], scope)
    rising = to.number(to.translate(arguments[1], scope), f"{name}'s direction") > 0
    return _places(values), here, rising


def _vector_sort_order(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    """The number (from 0) of the element that comes at this place."""
    places, here, rising = _sorting(to, arguments, "VECTOR SORT ORDER", scope)
    wanted = Number(float(here if rising else len(places) - 1 - here))
    return _pick(places, wanted, [Number(float(i)) for i in range(len(places))])


def _vector_rank(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    """The place (from 1) of this element."""
    places, here, rising = _sorting(to, arguments, "VECTOR RANK", scope)
    if rising:
        return call("add", places[here], ONE)
    return call("subtract", Number(float(len(places))), places[here])


def _vector_reorder(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    """The value of the element whose number the second argument gives."""
    values, _ = _vector(to, "VECTOR REORDER", arguments[0], scope)
    wanted = to.translate(arguments[1], scope)
    return _pick([Number(float(i)) for i in range(len(values))], wanted, values)


def _pick(keys: list[Expression], wanted: Expression, values: list[Expression]) -> Expression:
    """The value whose key is the wanted one."""
    terms = [
        call("if_then_else", call("equal", k, wanted), v, ZERO) for k, v in zip(keys, values, strict=True)
    ]
    return _joined("add", terms)


def _elmcount(to: Translator, name: str, arguments: Arguments, scope: Scope) -> Expression:
    key = canonical(arguments[0].reference) if isinstance(arguments[0], pysd_tree.ReferenceStructure) else ""
    if key not in to.ranges.elements:
        raise UnsupportedError("ELMCOUNT needs a subscript range")
    return Number(float(len(to.ranges.elements[key])))


VECTORS: Mapping[str, tuple[int, Callable[[Translator, str, Arguments, Scope], Expression]]] = {
    **dict.fromkeys(REDUCTIONS, (1, _reduction)),
    **dict.fromkeys(XMILE_REDUCTIONS, (1, _xmile_reduction)),
    "vector_select": (5, _vector_select),
    "vector_sort_order": (2, _vector_sort_order),
    "vector_rank": (2, _vector_rank),
    "vector_reorder": (2, _vector_reorder),
    "elmcount": (1, _elmcount),
}
"""Functions over arrays: their number of arguments, and what writes them out."""
