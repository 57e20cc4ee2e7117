"""How the variables of a model hang together: what is used nowhere, one-way stocks, feedback loops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sdopt.equations.evaluation_order import references
from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference
from sdopt.equations.system import EquationSystem, Variable


@dataclass(frozen=True)
class Feedback:
    """Loops through stocks: variables in them, groups that are linked in loops, independent loops."""

    variables: int
    groups: int
    loops: int


@dataclass(frozen=True)
class Structure:
    """What was seen; names are those of the model file, an array once when it holds for all elements."""

    unused_constants: tuple[str, ...]
    unused_variables: tuple[str, ...]
    without_inflow: tuple[str, ...]
    without_outflow: tuple[str, ...]
    feedback: Feedback


def check_structure(system: EquationSystem) -> Structure:
    """Look at who uses whom."""
    used = {target for source, target in _uses(system) if source != target} | system.fixed
    unused = [v for v in system.visible.values() if v.kind != "stock" and v.key not in used]
    stocks = system.of_kind("stock")
    ways = {v.key: _ways(v.expression, system.variables) for v in stocks}
    return Structure(
        _names(system, (v for v in unused if v.kind == "constant")),
        _names(system, (v for v in unused if v.kind != "constant")),
        _names(system, (v for v in stocks if "in" not in ways[v.key])),
        _names(system, (v for v in stocks if "out" not in ways[v.key])),
        _feedback(system),
    )


def _uses(system: EquationSystem) -> Iterator[tuple[str, str]]:
    """Who uses whom, at the start or later; hidden variables count as the variable they are part of."""
    for variable in system.variables.values():
        for part in (variable.expression, variable.initial, variable.delay):
            for key in () if part is None else _all_references(part):
                yield system.owner_of(variable.key), system.owner_of(key)


def _all_references(expression: Expression) -> Iterator[str]:
    """Every key in an expression, also of what holds at the start only."""
    waiting = [expression]
    while waiting:
        match waiting.pop():
            case Reference(key):
                yield key
            case Call(_, arguments):
                waiting += arguments
            case Lookup(_, _, argument):
                waiting.append(argument)


def _names(system: EquationSystem, chosen: Iterable[Variable]) -> tuple[str, ...]:
    """Names, with one for all elements of an array that is chosen whole."""
    sizes: dict[str, int] = defaultdict(int)
    for variable in system.visible.values():
        sizes[variable.parts[0]] += 1
    groups: dict[str, list[Variable]] = defaultdict(list)
    for variable in chosen:
        groups[variable.parts[0]].append(variable)
    return tuple(
        name
        for base, found in groups.items()
        for name in ([base] if len(found) == sizes[base] else [v.name for v in found])
    )


def _ways(flow: Expression, variables: Mapping[str, Variable], sign: int = 1) -> set[str]:
    """Whether a net flow goes "in", "out" or both; what may be negative goes both ways."""
    match flow:
        case Number(value):
            return set() if value == 0 else {"in" if sign * value > 0 else "out"}
        case Call("negative", (a,)):
            return _ways(a, variables, -sign)
        case Call("multiply" | "divide" as name, (Call("negative", (a,)), b)):
            return _ways(Call(name, (a, b)), variables, -sign)
        case Call("add" | "subtract" as name, (a, b)):
            second = sign if name == "add" else -sign
            return _ways(a, variables, sign) | _ways(b, variables, second)
    if _may_be_negative(flow, variables):
        return {"in", "out"}
    return {"in" if sign > 0 else "out"}


def _may_be_negative(expression: Expression, variables: Mapping[str, Variable]) -> bool:
    """Whether something is subtracted in it, or it is more than a product of what is not negative.

    Stocks are taken to be at least zero.
    """
    waiting, seen = [expression], set()
    while waiting:
        match waiting.pop():
            case Number(value):
                if value < 0:
                    return True
            case Reference(key):
                variable = variables.get(key)
                if variable is not None and variable.kind != "stock" and key not in seen:
                    seen.add(key)
                    waiting.append(variable.expression)
            case Call("max", (Number(value), _) | (_, Number(value))) if value >= 0:
                continue
            case Call("multiply" | "divide" | "add", arguments):
                waiting += arguments
            case Call("exp" | "sqrt" | "abs", _):
                continue
            case _:
                return True
    return False


def _feedback(system: EquationSystem) -> Feedback:
    """Count loops: in a group of n variables linked in loops by e links, e - n + 1 loops are independent."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = _links(system)
    numbers = {key: i for i, key in enumerate(dict.fromkeys(key for link in links for key in link))}
    rows, columns = ([numbers[link[side]] for link in links] for side in (0, 1))
    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(len(numbers), len(numbers)))
    count, group = connected_components(graph.tocsr(), directed=True, connection="strong")
    inside = np.array(
        [group[row] for row, column in zip(rows, columns, strict=True) if group[row] == group[column]]
    )
    edges, sizes = np.bincount(inside.astype(int), minlength=count), np.bincount(group, minlength=count)
    looped = edges > 0
    loops = edges[looped] - sizes[looped] + 1
    return Feedback(int(sizes[looped].sum()), int(looped.sum()), int(loops.sum()))


def _links(system: EquationSystem) -> list[tuple[str, str]]:
    """Causes and effects, each pair once; a delay's memory of itself is no loop of the model."""
    found: dict[tuple[str, str], None] = {}
    for variable in system.variables.values():
        effect = system.owner_of(variable.key)
        for part in (variable.expression, variable.delay):
            for key in () if part is None else references(part):
                cause = system.owner_of(key)
                if cause != effect or (key == variable.key and not variable.hidden):
                    found[cause, effect] = None
    return list(found)
