"""Smooth functions of one form: a polynomial through Chebyshev's nodes, with a bound on what it misses.

The polynomial of degree n through Chebyshev's nodes of an interval of half width r misses a function by at
most `r**(n+1) / (2**n (n+1)!)` times its largest derivative of order n + 1 there (Davis 1975, Interpolation
and Approximation, section 3.3). Where one decision is almost all of the argument it is a cubic, else a
quadratic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import ROUNDED, Algebra, CannotEncloseError, Form

DOMINANT = 0.8
"""Part of an argument's linear size that one decision must have for a cubic: cubes of others are not kept."""
CELLS = np.linspace(-1.0, 1.0, 129)
"""Ends of the cells in which is looked what a polynomial misses."""

Values = Callable[[Any], Any]
"""From a number, or an array of numbers, to the value there."""
Derivative = Callable[[float, float], float]
"""From an interval to the largest absolute value of a derivative there, or a bound on it."""


@dataclass(frozen=True)
class Curve:
    """A function, its third and fourth derivatives, the interval it is smooth on, and its lowest and highest.

    Without `ends` it rises or falls throughout, so that it is lowest and highest at the ends of an interval.
    With `closed` it is finite and continuous where its domain begins, though it has no slope there.
    `second` is its second derivative, given only where that rises or falls throughout.
    """

    value: Values
    third: Derivative
    fourth: Derivative
    domain: tuple[float, float] = (-np.inf, np.inf)
    ends: Callable[[float, float], tuple[float, float]] | None = None
    closed: bool = False
    second: Values | None = None

    def extremes(self, low: float, high: float) -> tuple[float, float]:
        """Lowest and highest value on an interval, rounded outwards."""
        least, most = sorted((float(self.value(low)), float(self.value(high))))
        if self.ends is not None:
            least, most = self.ends(least, most)
        room = 1e-14 * (abs(least) + abs(most))
        return least - room, most + room


def _largest(function: Callable[[float], float]) -> Derivative:
    """For a derivative that is largest at an end of the interval."""
    return lambda low, high: max(abs(function(low)), abs(function(high)))


def _always(bound: float) -> Derivative:
    return lambda low, high: bound


def _steepest(low: float, high: float) -> float:
    return float(np.cosh(max(-low, high)))


def _tangent_third(x: float) -> float:
    square = float(np.tan(x)) ** 2
    return 2 * (1 + square) * (1 + 3 * square)


def _tangent_fourth(x: float) -> float:
    tangent = float(np.tan(x))
    return 8 * tangent * (1 + tangent**2) * (2 + 3 * tangent**2)


_ARC = (
    _largest(lambda x: (1 + 2 * x * x) / (1 - x * x) ** 2.5),
    _largest(lambda x: (9 * x + 6 * x**3) / (1 - x * x) ** 3.5),
    (-1.0, 1.0),
)
CURVES = {
    "exp": Curve(np.exp, _largest(np.exp), _largest(np.exp), second=np.exp),
    "ln": Curve(
        np.log,
        _largest(lambda x: 2 / x**3),
        _largest(lambda x: 6 / x**4),
        (0.0, np.inf),
        second=lambda x: -(x**-2.0),
    ),
    "sqrt": Curve(
        np.sqrt,
        _largest(lambda x: 0.375 * x**-2.5),
        _largest(lambda x: 0.9375 * x**-3.5),
        (0.0, np.inf),
        closed=True,
        second=lambda x: -0.25 * x**-1.5,
    ),
    "sin": Curve(np.sin, _always(1.0), _always(1.0), ends=lambda least, most: (-1.0, 1.0)),
    "cos": Curve(np.cos, _always(1.0), _always(1.0), ends=lambda least, most: (-1.0, 1.0)),
    "tan": Curve(np.tan, _largest(_tangent_third), _largest(_tangent_fourth), (-np.pi / 2, np.pi / 2)),
    "arcsin": Curve(np.arcsin, *_ARC),
    "arccos": Curve(np.arccos, *_ARC),
    "arctan": Curve(np.arctan, _always(2.0), _always(4.7)),
    "sinh": Curve(np.sinh, _steepest, _steepest),
    "cosh": Curve(np.cosh, _steepest, _steepest, ends=lambda least, most: (1.0, most)),
    "tanh": Curve(np.tanh, _always(2.0), _always(4.1)),
}


def reciprocal(algebra: Algebra, form: Form) -> Form:
    """One divided by a form that is not zero anywhere."""
    low, _ = algebra.range(form)
    domain = (0.0, np.inf) if low > 0 else (-np.inf, 0.0)
    third, fourth = _largest(lambda x: 6 / x**4), _largest(lambda x: 24 / x**5)
    return bent(algebra, form, Curve(lambda x: 1 / x, third, fourth, domain, second=lambda x: 2 * x**-3.0))


def power(algebra: Algebra, form: Form, exponent: float) -> Form:
    """A form to a given power; a base that may be below zero needs a whole exponent of at least zero."""
    whole = exponent >= 0 and float(exponent).is_integer()

    def derivative(order: int) -> Derivative:
        factor = float(np.prod([exponent - k for k in range(order)]))
        left = exponent - order
        return _largest(lambda x: factor * x**left) if factor else _always(0.0)

    low, high = algebra.range(form)
    turns = whole and exponent % 2 == 0 and low < 0 < high
    curve = Curve(
        lambda x: x**exponent,
        derivative(3),
        derivative(4),
        (-np.inf if whole else 0.0, np.inf),
        (lambda least, most: (0.0, most)) if turns else None,
        closed=not whole and exponent > 0,
        second=(lambda x: exponent * (exponent - 1) * x ** (exponent - 2)) if low > 0 else None,
    )
    return bent(algebra, form, curve)


def bent(algebra: Algebra, form: Form, curve: Curve) -> Form:
    """A curve of a form.

    Raises
    ------
    CannotEncloseError
        When the form may leave the interval on which the curve is smooth.
    """
    low, high = algebra.range(form)
    if curve.closed and low == curve.domain[0] and np.isfinite(high) and high < curve.domain[1]:
        # At the edge its slopes are infinite, its values are not.
        return algebra.within(*curve.extremes(low, high), form)
    if not (curve.domain[0] < low and high < curve.domain[1] and np.isfinite(high - low)):
        reason = f"its argument may be anything from {low:.6g} to {high:.6g}"
        raise CannotEncloseError(reason, algebra.shares(form))
    if algebra.narrow(low, high):
        return algebra.within(*curve.extremes(low, high), form)
    slopes = np.abs(form[algebra.linear])
    degree = 3 if slopes.max() > DOMINANT * slopes.sum() else 2
    scaled, middle, radius = algebra.scaled(form, low, high)
    coefficients = _through_nodes(lambda t: curve.value(middle + radius * t), degree)
    derivative = curve.third if degree == 2 else curve.fourth
    missed = derivative(low, high) * radius ** (degree + 1) / (2**degree * factorial(degree + 1))
    if curve.second is not None:
        shift, at_most = _missed(curve.value, curve.second, (middle, radius), coefficients)
        if at_most < missed:
            coefficients[-1], missed = coefficients[-1] + shift, at_most
    rounded = np.abs(coefficients).sum() + (np.abs(coefficients[:-1]) * abs(middle / radius)).sum()
    result = algebra.noisy(_polynomial(algebra, scaled, coefficients), 8 * ROUNDED * float(rounded))
    return algebra.clipped(algebra.with_error(result, missed, form), *curve.extremes(low, high), form)


def _through_nodes(value: Callable[[float], float], degree: int) -> NDArray[np.float64]:
    """The polynomial through Chebyshev's nodes of [-1, 1]: (degree + 1,), the highest power first."""
    nodes = np.cos((2 * np.arange(degree + 1) + 1) * np.pi / (2 * degree + 2))
    return np.polyfit(nodes, [float(value(node)) for node in nodes], degree)


def _missed(
    value: Values, second: Values, interval: tuple[float, float], coefficients: NDArray[np.float64]
) -> tuple[float, float]:
    """What to add to a polynomial of [-1, 1], and by how much the value then differs from it at most.

    `interval` is the middle and half the width of the argument; `second` is the second derivative.
    In a cell of width `h` a function exceeds the larger of its ends by at most `h**2 / 8` times its largest
    second derivative there; that of the curve lies between those at the cell's ends, for it is monotone.
    """
    middle, radius = interval
    x, last, width = middle + radius * CELLS, len(CELLS) - 1, CELLS[1] - CELLS[0]
    values = value(x)
    off = values - np.polyval(coefficients, CELLS)
    curved, bend = radius**2 * second(x), np.polyval(np.polyder(coefficients, 2), CELLS)
    ends = [np.abs(curved[i : last + i] - bend[j : last + j]) for i in (0, 1) for j in (0, 1)]
    room = width**2 / 8 * np.max(ends, axis=0)
    high = float((np.maximum(off[1:], off[:-1]) + room).max())
    low = float((np.minimum(off[1:], off[:-1]) - room).min())
    steepest = np.abs(np.diff(values)).max() / (width * radius)  # what rounding of the argument does
    size = np.abs(values).max() + np.abs(coefficients).sum() + steepest * np.abs(x).max()
    rounding = 1e-14 * float(size)
    return (high + low) / 2, (high - low) / 2 + rounding


def _polynomial(algebra: Algebra, scaled: Form, coefficients: NDArray[np.float64]) -> Form:
    """A polynomial, the highest power first, of a form in [-1, 1]."""
    *higher, slope, height = map(float, coefficients)
    result, power_of = algebra.affine(scaled, slope, height), scaled
    for coefficient in reversed(higher):
        power_of = algebra.times(power_of, scaled)
        result = algebra.plus(result, power_of, coefficient)
    return result
