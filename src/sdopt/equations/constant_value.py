"""The number an expression of numbers comes to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference
from sdopt.equations.functions import FUNCTIONS, Function
from sdopt.equations.lookups import lookup_function
from sdopt.errors import ModelError


def constant_value(key: str, expressions: Mapping[str, Expression], path: tuple[str, ...] = ()) -> float:
    """The value of the constant `key`, whose expression may refer to other constants.

    Raises
    ------
    ModelError
        If it depends on something that is not a constant, or on itself.
    """
    if key not in expressions or key in path:
        needing = f" (needed for {path[0]})" if path else ""
        raise ModelError(f'"{key}" is not a constant{needing}; time settings and constants must be numbers.')
    return evaluate(expressions[key], expressions, (*path, key))


def evaluate(
    expression: Expression, expressions: Mapping[str, Expression], path: tuple[str, ...] = ()
) -> float:
    """The value of an expression without time in it; see `constant_value`."""
    match expression:
        case Number(value):
            return value
        case Reference(key):
            return constant_value(key, expressions, path)
        case Call("initial" | "active_initial", (lasting, *_)):
            return evaluate(lasting, expressions, path)
        case Call(name, arguments) if name in FUNCTIONS:
            return _apply(FUNCTIONS[name], [evaluate(a, expressions, path) for a in arguments])
        case Lookup(x, y, argument, kind):
            return _apply(lookup_function(x, y, kind), [evaluate(argument, expressions, path)])
    raise ModelError(f'"{path[0] if path else expression}" must be a number that does not depend on time.')


def _apply(function: Function, arguments: list[float]) -> float:
    out = np.empty(1, bool if function.gives_truth else float)
    typed = [
        np.array([bool(a)]) if truth else np.array([a])
        for a, truth in zip(arguments, function.truth_arguments, strict=True)
    ]
    with np.errstate(all="ignore"):
        function.real(*typed, out)
    return float(out[0])
