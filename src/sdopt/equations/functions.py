"""The functions an equation may call: name, NumPy form (real and complex) and partial derivatives.

A kernel takes argument arrays and an `out` array last, as NumPy ufuncs do. The complex form carries a
derivative in the imaginary part: every decision (comparison, MIN, MAX, ABS, IF THEN ELSE, lookup piece)
is taken on the real part. On a kink the derivative is one-sided: MIN and MAX at a tie follow their first
argument, ABS at 0 has slope +1, a lookup at a breakpoint has the slope to its right (0 at its last point),
INTEGER and comparisons have slope 0 everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.expression import LookupKind

Array = NDArray[Any]
Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Table:
    """The points of a graph function; see `Lookup`."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: LookupKind


@dataclass(frozen=True, eq=False)
class Function:
    """One function of the registry.

    `truth_arguments` says per argument whether it is a truth value (a boolean array) or a number;
    `gives_truth` says the same of the answer. `partials(*arguments, value)` gives one array per
    argument, or None where the derivative is zero everywhere. A graph function has a `table`.
    """

    name: str
    truth_arguments: tuple[bool, ...]
    gives_truth: bool
    real: Kernel
    complex: Kernel
    partials: Callable[..., tuple[Array | float | None, ...]]
    table: Table | None = None


def partial_times(partial: Array | float, change: Array) -> Array:
    """`partial * change`, with 0 where nothing changes, even if the slope there is infinite."""
    if np.isfinite(partial).all():
        return np.asarray(partial * change)
    return np.where(change == 0, 0.0, partial * change)


def _dual(real: Kernel, partials: Callable[..., tuple[Array | float | None, ...]]) -> Kernel:
    """The complex form that follows from the real form and its partial derivatives."""

    def kernel(*arguments_and_out: Array) -> None:
        *arguments, out = arguments_and_out
        parts = [a.real for a in arguments]
        real(*parts, out.real)
        slope: Array | float = 0.0
        for argument, partial in zip(arguments, partials(*parts, out.real), strict=True):
            if partial is not None:
                slope = slope + partial_times(partial, argument.imag)
        out.imag = slope

    return kernel


def _select(decide: Kernel) -> Kernel:
    """Complex MIN or MAX: the first argument where `decide(first, second)`, else the second."""

    def kernel(a: Array, b: Array, out: Array) -> None:
        np.copyto(out, b)
        np.copyto(out, a, where=decide(a.real, b.real))

    return kernel


def _minimum(a: Array, b: Array, out: Array) -> None:
    np.minimum(a, b, out=out)  # NumPy refuses `out` by position here


def _maximum(a: Array, b: Array, out: Array) -> None:
    np.maximum(a, b, out=out)


def _if_then_else(condition: Array, yes: Array, no: Array, out: Array) -> None:
    if out is not no:
        np.copyto(out, no)
    np.copyto(out, yes, where=condition)


def _complex_exp(a: Array, out: Array) -> None:
    value = np.exp(a.real, out.real)
    np.multiply(value, a.imag, out.imag)


def _power(a: Array, b: Array, out: Array) -> None:
    # For one exponent (2, 0.5, -1) NumPy goes another way than for an array of exponents, with another
    # last bit: an array always, so that a scenario is the same alone and among others.
    exponents = np.empty(out.shape)
    exponents[...] = b
    np.power(a, exponents, out)


def _power_partials(a: Array, b: Array, value: Array) -> tuple[Array, Array]:
    base = np.where(b == 0, 0.0, b * np.power(a, b - 1))
    return base, np.where(a > 0, value * np.log(a), 0.0)


def _complex_power(a: Array, b: Array, out: Array) -> None:
    base, exponent = a.real, b.real
    value = out.real
    _power(base, exponent, value)
    powers = np.where(exponent == 0, 0.0, exponent * np.power(base, exponent - 1))
    slope = 0.0 + partial_times(powers, a.imag)  # never -0, whatever else is computed in the same call
    if b.imag.any():
        slope = slope + partial_times(np.where(base > 0, value * np.log(base), 0.0), b.imag)
    out.imag = slope


def number_function(
    name: str, arity: int, real: Kernel, partials: Any, complex_form: Kernel | None = None
) -> Function:
    """A function from numbers to a number."""
    return Function(name, (False,) * arity, False, real, complex_form or _dual(real, partials), partials)


def _comparison(name: str, real: Kernel) -> Function:
    """A function from two numbers to a truth value; the complex form looks at real parts."""

    def complex_form(a: Array, b: Array, out: Array) -> None:
        real(a.real, b.real, out)

    return Function(name, (False, False), True, real, complex_form, lambda a, b, value: (None, None))


def _logic(name: str, arity: int, kernel: Kernel) -> Function:
    """A function from truth values to a truth value."""
    return Function(name, (True,) * arity, True, kernel, kernel, lambda *_: (None,) * arity)


def _if_partials(condition: Array, yes: Array, no: Array, value: Array) -> tuple[Array | None, ...]:
    chosen = np.where(condition, 1.0, 0.0)
    return None, chosen, 1.0 - chosen


def _as_number(truth: Array, out: Array) -> None:
    np.copyto(out, truth)


AS_NUMBER = Function("as_number", (True,), False, _as_number, _as_number, lambda t, value: (None,))
"""A truth value as 0 or 1."""
AS_TRUTH = Function(
    "as_truth",
    (False,),
    True,
    lambda a, out: np.not_equal(a, 0.0, out),
    lambda a, out: np.not_equal(a.real, 0.0, out),
    lambda a, value: (None,),
)
"""A number as a condition: everything but 0 is true."""

_ALL = (
    number_function("add", 2, np.add, lambda a, b, v: (1.0, 1.0), np.add),
    number_function("subtract", 2, np.subtract, lambda a, b, v: (1.0, -1.0), np.subtract),
    number_function("multiply", 2, np.multiply, lambda a, b, v: (b, a), np.multiply),
    number_function("divide", 2, np.divide, lambda a, b, v: (1.0 / b, -v / b), np.divide),
    number_function("negative", 1, np.negative, lambda a, v: (-1.0,), np.negative),
    number_function("power", 2, _power, _power_partials, _complex_power),
    number_function(
        "min",
        2,
        _minimum,
        lambda a, b, v: (np.where(a <= b, 1.0, 0.0), np.where(a <= b, 0.0, 1.0)),
        _select(np.less_equal),
    ),
    number_function(
        "max",
        2,
        _maximum,
        lambda a, b, v: (np.where(a >= b, 1.0, 0.0), np.where(a >= b, 0.0, 1.0)),
        _select(np.greater_equal),
    ),
    number_function("abs", 1, np.abs, lambda a, v: (np.where(a >= 0, 1.0, -1.0),)),
    number_function("exp", 1, np.exp, lambda a, v: (v,), _complex_exp),
    number_function("ln", 1, np.log, lambda a, v: (1.0 / a,)),
    number_function("sqrt", 1, np.sqrt, lambda a, v: (0.5 / v,)),
    number_function("sin", 1, np.sin, lambda a, v: (np.cos(a),)),
    number_function("cos", 1, np.cos, lambda a, v: (-np.sin(a),)),
    number_function("tan", 1, np.tan, lambda a, v: (1.0 + v * v,)),
    number_function("arcsin", 1, np.arcsin, lambda a, v: (1.0 / np.sqrt(1.0 - a * a),)),
    number_function("arccos", 1, np.arccos, lambda a, v: (-1.0 / np.sqrt(1.0 - a * a),)),
    number_function("arctan", 1, np.arctan, lambda a, v: (1.0 / (1.0 + a * a),)),
    number_function("sinh", 1, np.sinh, lambda a, v: (np.cosh(a),)),
    number_function("cosh", 1, np.cosh, lambda a, v: (np.sinh(a),)),
    number_function("tanh", 1, np.tanh, lambda a, v: (1.0 - v * v,)),
    number_function("integer", 1, np.trunc, lambda a, v: (None,)),
    # The remainder with the sign of the divisor, as Python's %: only PULSE TRAIN uses it.
    number_function("remainder", 2, np.mod, lambda a, b, v: (1.0, -np.floor(a / b))),
    _comparison("less", np.less),
    _comparison("less_equal", np.less_equal),
    _comparison("greater", np.greater),
    _comparison("greater_equal", np.greater_equal),
    _comparison("equal", np.equal),
    _comparison("not_equal", np.not_equal),
    _logic("and", 2, np.logical_and),
    _logic("or", 2, np.logical_or),
    _logic("not", 1, np.logical_not),
    Function("if_then_else", (True, False, False), False, _if_then_else, _if_then_else, _if_partials),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}
"""Every function a `Call` may name, besides "initial" and "active_initial", which the compiler resolves."""
