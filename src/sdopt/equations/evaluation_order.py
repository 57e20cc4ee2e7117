"""In which order variables can be computed; a loop without a stock in it is an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from sdopt.equations.expression import Call, Expression, Lookup, Reference
from sdopt.equations.system import Variable
from sdopt.errors import ModelError


def references(expression: Expression, *, at_start: bool = False) -> Iterator[str]:
    """Keys an expression needs now, each as often as it is written.

    What stands inside INITIAL( ) is needed at the start only: it is left out, unless `at_start`. Of
    ACTIVE INITIAL( ) one argument is needed at the start and the other from then on.
    """
    waiting = [expression]
    while waiting:  # without recursion: a sum over a long array is as deep as it is long
        match waiting.pop():
            case Reference(key):
                yield key
            case Call("initial", _) if not at_start:
                continue
            case Call("active_initial", (later, start)):
                waiting.append(start if at_start else later)
            case Call(_, arguments):
                waiting += reversed(arguments)
            case Lookup(_, _, argument):
                waiting.append(argument)


def _initial_calls(expression: Expression) -> Iterator[Call]:
    """The INITIAL( ) calls in an expression, outermost first."""
    waiting = [expression]
    while waiting:
        match waiting.pop():
            case Call("initial", _) as call:
                yield call
            case Call("active_initial", (later, _)):
                waiting.append(later)
            case Call(_, arguments):
                waiting += reversed(arguments)
            case Lookup(_, _, argument):
                waiting.append(argument)


def calculation_order(variables: Mapping[str, Variable]) -> tuple[str, ...]:
    """All non-stock keys, each after what it needs at the same moment.

    Raises
    ------
    ModelError
        If variables define each other in a circle without a stock; names all of them.
    """
    needs = {
        key: tuple(
            k for k in references(variable.expression) if k in variables and variables[k].kind != "stock"
        )
        for key, variable in variables.items()
        if variable.kind != "stock"
    }
    return _sorted(needs, needs.__getitem__, variables, "circular definition")


def starting_order(variables: Mapping[str, Variable]) -> tuple[str, ...]:
    """Stock keys and what starts them, every INITIAL( ) and every delay, in a computable order.

    Raises
    ------
    ModelError
        If starting values need each other in a circle; names all of them.
    """

    def needs(key: str) -> Iterator[str]:
        variable = variables[key]
        expression = variable.expression if variable.initial is None else variable.initial
        return (k for k in references(expression, at_start=True) if k in variables)

    roots = [key for key, variable in variables.items() if variable.kind == "stock"]
    for variable in variables.values():
        at_start: list[Expression] = list(_initial_calls(variable.expression))
        if variable.delay is not None:
            at_start.append(variable.delay)
        for expression in at_start:
            roots += [key for key in references(expression, at_start=True) if key in variables]
    return _sorted(roots, needs, variables, "circular starting values")


def _sorted(
    roots: Iterable[str],
    needs: Callable[[str], Iterable[str]],
    variables: Mapping[str, Variable],
    complaint: str,
) -> tuple[str, ...]:
    """Depth-first order, without recursion so that long chains are no problem."""
    done: dict[str, None] = {}
    for root in roots:
        path: dict[str, Iterator[str]] = {} if root in done else {root: iter(needs(root))}
        while path:
            key, waiting = next(reversed(path.items()))
            child = next((k for k in waiting if k not in done), None)
            if child is None:
                done[key] = None
                del path[key]
            elif child in path:
                raise ModelError(_circle(list(path), child, variables, complaint))
            else:
                path[child] = iter(needs(child))
    return tuple(done)


def _circle(path: list[str], child: str, variables: Mapping[str, Variable], complaint: str) -> str:
    loop = path[path.index(child) :]
    start = loop.index(min(loop))  # the same message whatever the order of the file
    names = [f'"{variables[key].name}"' for key in [*loop[start:], *loop[:start], loop[start]]]
    return (
        f"{complaint}: {' needs '.join(names)}. Rewrite one of these equations, or put a stock in the loop."
    )
