"""Every function of the registry as an operation on enclosures.

A value is a number, a truth value, a form, or None for a truth that the box does not settle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sdopt.equations.enclosure.algebra import (
    HIGH,
    LOW,
    ROUNDED,
    SIZE,
    Algebra,
    CannotEncloseError,
    Form,
    corners,
)
from sdopt.equations.enclosure.bends import pieces
from sdopt.equations.enclosure.curves import CURVES, bent, power, reciprocal
from sdopt.equations.functions import Function, Table

Value = float | bool | Form | None
ROOM = 1e-12
"""Part of the size of its arguments by which a jump must be away before it is settled."""
MOST_TAKEN = 1e3
"""What a quotient takes apart is at most so many times as large as what is divided."""


def is_form(value: Value) -> bool:
    """Whether a value depends on the decisions."""
    return isinstance(value, np.ndarray)


class Operations:
    """Applies functions to values. `curved` holds the registers whose bends get a quadratic."""

    def __init__(self, algebra: Algebra, curved: frozenset[int]) -> None:
        self.algebra, self.curved = algebra, curved

    def apply(self, function: Function, values: Sequence[Any]) -> Any:
        """The function's value; of known values alone by the function itself.

        Raises
        ------
        CannotEncloseError
            When there are no bounds over this box.
        """
        if not any(value is None or isinstance(value, np.ndarray) for value in values):
            return _known(function, values)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._of_forms(function, values)

    def _of_forms(self, function: Function, values: Sequence[Any]) -> Any:
        if function.gives_truth:
            return self._truth(function.name, values)
        if function.name in ("as_number", "if_then_else"):
            return self._choice(*values)
        if function.table is not None:
            return self._lookup(function, function.table, values[0])
        return self._number(function.name, values)

    def sum(self, a: Any, b: Any, weight: float = 1.0) -> Any:
        """`a + weight * b` for numbers and forms."""
        if is_form(a) and is_form(b):
            return self.algebra.plus(a, b, weight)
        if is_form(a):
            shift = weight * b
            return self.algebra.noisy(self.algebra.affine(a, 1.0, shift), _rounded(shift, weight))
        return self.algebra.affine(b, weight, a) if is_form(b) else a + weight * b

    def product(self, a: Any, b: Any) -> Any:
        """`a * b` for numbers and forms."""
        if is_form(a) and is_form(b):
            return self.algebra.times(a, b)
        if is_form(a):
            return self.algebra.affine(a, b, 0.0)
        return self.algebra.affine(b, a, 0.0) if is_form(b) else a * b

    def narrowed(self, value: Any) -> Any:
        """A number, or a form with its interval cut to the bounds of its polynomial."""
        if not is_form(value):
            return value
        narrow = self.algebra.between(value.copy(), float(value[LOW]), float(value[HIGH]))
        return self.algebra.quiet(narrow)

    def range(self, value: Any) -> tuple[float, float]:
        """Lower and upper bound of a number or a form."""
        return self.algebra.range(value) if is_form(value) else (float(value), float(value))

    def _number(self, name: str, values: Sequence[Any]) -> Any:
        simple: dict[str, Callable[..., Any]] = {
            "add": self.sum,
            "subtract": lambda a, b: self.sum(a, b, -1.0),
            "negative": lambda a: self.algebra.affine(a, -1.0, 0.0),
            "multiply": self.product,
            "divide": self._quotient,
            "power": self._power,
            "max": lambda a, b: self._larger(a, b, 1.0),
            "min": lambda a, b: self._larger(a, b, -1.0),
            "abs": lambda a: self._bend(a, [0.0], np.abs),
        }
        if name in simple:
            return simple[name](*values)
        if name in CURVES:
            return bent(self.algebra, values[0], CURVES[name])
        return self._anything_between(name, values)

    def _quotient(self, a: Any, b: Any) -> Any:
        """`part + (a - part * b) / b`: what a has in common with b does not count twice."""
        if not is_form(b):
            quotient = self.product(a, 1.0 / b)
            return self.algebra.noisy(quotient, ROUNDED * quotient[SIZE])
        inverse = reciprocal(self.algebra, b)
        part = self._in_common(a, b) if is_form(a) else 0.0
        if part == 0.0:
            return self.product(a, inverse)
        quotient = self.sum(self.product(self.sum(a, b, -part), inverse), part)
        low, high = corners(a, inverse)
        return self.algebra.between(quotient, max(low, quotient[LOW]), min(high, quotient[HIGH]))

    def _in_common(self, a: Form, b: Form) -> float:
        """How often the linear part of b goes into that of a; 0 if so often that a drowns in it."""
        linear = self.algebra.linear
        size = float(b[linear] @ b[linear])
        part = float(a[linear] @ b[linear]) / size if size else 0.0
        return part if abs(part) * b[SIZE] <= MOST_TAKEN * a[SIZE] else 0.0

    def _power(self, base: Any, exponent: Any) -> Any:
        if not is_form(exponent):
            return power(self.algebra, base, float(exponent))
        logarithm = bent(self.algebra, base, CURVES["ln"]) if is_form(base) else float(np.log(base))
        return bent(self.algebra, self.product(exponent, logarithm), CURVES["exp"])

    def _larger(self, a: Any, b: Any, sign: float) -> Any:
        """MAX (sign 1) or MIN (-1): b and what a has beyond it."""
        difference = self.sum(a, b, -1.0)
        low, high = self.range(difference)
        if low >= 0 or high <= 0:
            return a if (low >= 0) == (sign > 0) else b
        beyond = self._bend(difference, [0.0], lambda t: sign * np.maximum(sign * t, 0.0))
        return self.sum(beyond, b)

    def _bend(
        self, value: Any, breaks: Sequence[float], function: Callable[[Any], Any], largest: float = 0.0
    ) -> Any:
        curved = self.algebra.register in self.curved
        return pieces(self.algebra, value, breaks, function, curved=curved, largest=largest)

    def _lookup(self, function: Function, table: Table, value: Any) -> Any:
        real = function.real

        def at(x: Any) -> Any:
            out = np.empty((1, np.size(x)))
            real(np.reshape(x, (1, -1)), out)
            return out[0]

        if table.kind in ("interpolate", "extrapolate"):
            return self._bend(value, table.x, at, max(map(abs, table.y)))
        low, high = self._roomy(value)
        inside = [x for x in table.x if low <= x <= high]
        near = [point for x in inside for point in (np.nextafter(x, -np.inf), x, np.nextafter(x, np.inf))]
        return self._between(at(np.array([low, *near, high])), value)

    def _roomy(self, value: Any) -> tuple[float, float]:
        """The range of a form, with room for rounding: a jump must not fall between range and value."""
        low, high = self.range(value)
        room = ROOM * max(abs(low), abs(high))
        return low - room, high + room

    def _between(self, values: Any, blame: Form) -> Form:
        """Anything from the smallest to the largest of some numbers."""
        low, high = float(np.min(values)), float(np.max(values))
        if not np.isfinite([low, high]).all():
            raise CannotEncloseError("its value may be infinite or no number", self.algebra.shares(blame))
        return self.algebra.within(low, high, blame)

    def _anything_between(self, name: str, values: Sequence[Any]) -> Any:
        if name == "integer":
            return self._between(np.trunc(self._roomy(values[0])), values[0])
        low, high = self.range(values[1])
        if name == "remainder" and (low > 0 or high < 0):
            return self._between([min(low, 0.0), max(high, 0.0)], self._one_form(values))
        reason = f"no bounds are known for {name} of these arguments"
        raise CannotEncloseError(reason, self.algebra.shares(self._one_form(values)))

    @staticmethod
    def _one_form(values: Sequence[Any]) -> Any:
        return next(value for value in values if is_form(value))

    def _choice(self, condition: bool | None, yes: Any = 1.0, no: Any = 0.0) -> Any:
        if condition is not None:
            return yes if condition else no
        if not (is_form(yes) or is_form(no)):
            return self.algebra.within(min(yes, no), max(yes, no), np.ones(self.algebra.count))
        half = self.product(self.sum(yes, no, -1.0), 0.5)
        low, high = self.range(half)
        form = self.sum(no, half)
        (least, most), (lower, higher) = self.range(yes), self.range(no)
        uncertain = self.algebra.with_error(form, max(-low, high), form)
        return self.algebra.between(uncertain, min(least, lower), max(most, higher))

    def _truth(self, name: str, values: Sequence[Any]) -> bool | None:
        if name in ("and", "or"):
            decisive = name == "or"
            if decisive in values:
                return decisive
            return None if None in values else not decisive
        if name == "not":
            return None if values[0] is None else not values[0]
        room = ROOM * sum(max(map(abs, self.range(value))) for value in values)
        difference = values[0] if name == "as_truth" else self.sum(values[0], values[1], -1.0)
        low, high = self.range(difference)
        if name == "as_truth":
            return True if low > room or high < -room else None
        return _compared(name, low - room, high + room)


def _rounded(shift: float, weight: float) -> float:
    """What a number times a weight may be off by."""
    return 0.0 if weight in (1.0, -1.0) else ROUNDED * abs(shift)


def _compared(name: str, low: float, high: float) -> bool | None:
    """A comparison of two numbers whose difference lies between low and high; None: not settled."""
    if name in ("greater", "greater_equal"):
        name, low, high = name.replace("greater", "less"), -high, -low
    if name in ("less", "less_equal"):
        always, never = (high < 0, low >= 0) if name == "less" else (high <= 0, low > 0)
    else:
        always, never = False, low > 0 or high < 0
        if name == "not_equal":
            always, never = never, always
    return True if always else False if never else None


def _known(function: Function, values: Sequence[Any]) -> float | bool:
    out = np.empty((1, 1), bool if function.gives_truth else float)
    with np.errstate(all="ignore"):
        function.real(*(np.array([[value]]) for value in values), out)
    return bool(out[0, 0]) if function.gives_truth else float(out[0, 0])
