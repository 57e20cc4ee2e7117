"""Arithmetic with enclosures: polynomials in the decisions, plus bounded errors.

A form is one row of numbers `[constant | low, high | noise, size | linear | quadratic | cubes | errors]`. It
stands for all functions within `noise` of `constant + linear d + quadratic (d, d) + cubes d**3 + errors e` of
the decisions `d`, scaled to [-1, 1], with some `e` in [-1, 1] that may depend on `d`, whose values lie
between `low` and `high`. What a product or a curve has beyond that goes into a new error, which later
operations carry along linearly: errors made early fade and cancel as effects do. `low` and `high` come from
interval arithmetic: they know that a share of something positive is positive, which a polynomial over a large
box forgets. `noise` bounds all that was rounded on the way, `size` the sum of the coefficients: of a small
difference between large numbers it is known how little is left to go by.

After Makino and Berz (2003), Taylor models and other validated functional inclusion methods, with the
errors of affine arithmetic (Stolfi and de Figueiredo 1997) in the place of one interval remainder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, nextafter

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import SdoptError

Form = NDArray[np.float64]


class CannotEncloseError(SdoptError):
    """Over this box a function has no bounds: a divisor may be zero, a logarithm's argument negative.

    `blame` says how much each decision has to do with that, (decision,); `register` is what has no bounds.
    """

    def __init__(self, message: str, blame: Form, register: int = -1) -> None:
        super().__init__(message)
        self.blame, self.register = blame, register


LOW, HIGH, NOISE, SIZE = 1, 2, 3, 4
"""Places in a form of its interval, of what it may be off by rounding, and of how large its terms are."""
FIRST = 5
"""Where the linear part begins."""
MARGIN = 1e-9
"""Every error is made larger by this part."""
ROUNDING = 1e-13
"""Part of the size of its coefficients by which the range of a polynomial is widened."""
ROUNDED = 2.0**-50
"""Part of the size of its terms that one operation on a form is rounded by at most: eight half bits."""
LOUD = 1e-12
"""Noise of a stock above this part of its size becomes an error, so that it can fade."""
FORGOTTEN = 2.0
"""A product is only known by its interval where its errors are larger than this many times the interval."""


@dataclass(frozen=True, eq=False)
class Bend:
    """An error that lines in the argument bound more closely: value = chord + radius * error.

    `argument` is the form bent; `above` and `below` hold lines (slope, height) between which the value lies.
    """

    argument: Form
    slope: float
    middle: float
    above: tuple[tuple[float, float], ...]
    below: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ErrorTerm:
    """One error: its size, the register of the instruction that made it, and the bend it belongs to.

    `blame` says how much of what made it comes from each decision, (decision,).
    """

    radius: float
    register: int
    blame: Form
    bend: Bend | None


@dataclass
class Algebra:
    """Forms in `count` decisions. `errors` grows; `register` is the instruction being worked out."""

    count: int
    errors: list[ErrorTerm] = field(default_factory=list)
    register: int = -1

    def __post_init__(self) -> None:
        self.rows, self.columns = np.triu_indices(self.count)
        self.on_diagonal = self.rows == self.columns
        self.diagonal = np.flatnonzero(self.on_diagonal)
        self.linear = slice(FIRST, FIRST + self.count)
        self.quadratic = slice(self.linear.stop, self.linear.stop + len(self.rows))
        self.size = self.quadratic.stop + self.count
        self.cubes = slice(self.quadratic.stop, self.size)
        self._parts = (self.linear, self.quadratic, self.cubes)

    def line(self, constant: float, slope: Form, noise: float = 0.0) -> Form:
        """`constant + slope d`, with a slope per decision (decision,), but for `noise`."""
        form = np.zeros(self.size)
        form[0], form[NOISE], form[self.linear] = constant, noise, slope
        return self.between(form, -inf, inf)

    def constant(self, value: float) -> Form:
        """A number as a form."""
        form = np.zeros(self.size)
        form[:NOISE], form[SIZE] = value, abs(value)
        return form

    def within(self, low: float, high: float, blame: Form) -> Form:
        """Anything from low to high, by one error; `blame` as for `with_error`."""
        middle = (low + high) / 2
        form = self.noisy(self.constant(middle), ROUNDED * abs(middle))
        form = self.with_error(form, max(high - middle, middle - low), blame)
        form[LOW], form[HIGH] = low, high
        return form

    def scaled(self, form: Form, low: float, high: float) -> tuple[Form, float, float]:
        """A form between low and high scaled to [-1, 1], and the middle and half width that takes."""
        middle = (low + high) / 2
        radius = nextafter(max(high - middle, middle - low), inf)
        scaled = self.affine(form, 1 / radius, -middle / radius)
        scaled[LOW], scaled[HIGH] = -1.0, 1.0
        return scaled, middle, radius

    @staticmethod
    def narrow(low: float, high: float) -> bool:
        """Whether hardly a number lies in between, so that a slope there would be made of rounding."""
        return high - low <= 1e-12 * max(abs(low), abs(high)) + 1e-300

    def noisy(self, form: Form, noise: float) -> Form:
        """The same row (changed in place), off by `noise` more."""
        if noise:
            form[NOISE] += noise
            form[LOW], form[HIGH] = nextafter(form[LOW] - noise, -inf), nextafter(form[HIGH] + noise, inf)
        return form

    def quiet(self, form: Form) -> Form:
        """The form, with an error in the place of its noise where that is loud."""
        if form[NOISE] <= LOUD * form[SIZE]:
            return form
        noise, form = float(form[NOISE]), form.copy()
        form[NOISE] = 0.0
        low, high = form[LOW], form[HIGH]
        form = self.with_error(form, noise, form)
        form[LOW], form[HIGH] = low, high
        return form

    def between(self, form: Form, low: float, high: float) -> Form:
        """The same row (changed in place), known to lie between low and high and its polynomial's bounds."""
        least, most, form[SIZE] = self._extent(form)
        room = 1e-14 * (abs(least) + abs(most))
        low, high = max(low, least - room), min(high, most + room)
        form[LOW], form[HIGH] = min(low, high), max(low, high)
        return form

    def affine(self, form: Form, scale: float, shift: float) -> Form:
        """`scale * form + shift`."""
        low, high = _stretched(form[LOW], form[HIGH], scale, shift)
        noise, size = abs(scale) * form[NOISE], abs(scale) * form[SIZE] + abs(shift)
        result = form * scale
        result[0] += shift
        if shift != 0.0 or scale not in (1.0, -1.0):
            noise += ROUNDED * size
        result[1:FIRST] = low, high, noise, size
        return result

    def plus(self, a: Form, b: Form, weight: float = 1.0) -> Form:
        """`a + weight * b`."""
        low, high = _stretched(b[LOW], b[HIGH], weight, 0.0)
        low, high = nextafter(a[LOW] + low, -inf), nextafter(a[HIGH] + high, inf)
        size = a[SIZE] + abs(weight) * b[SIZE]
        noise = a[NOISE] + abs(weight) * b[NOISE] + ROUNDED * size
        if len(a) >= len(b):
            result = a.copy()
            result[: len(b)] += b if weight == 1.0 else weight * b
        else:
            result = b * weight
            result[: len(a)] += a
        result[1:FIRST] = low, high, noise, size
        return result

    def with_error(self, form: Form, radius: float, blame: Form, bend: Bend | None = None) -> Form:
        """The form, uncertain by `radius` more; `blame` is the form that brings it in, or shares (decision,).

        Raises
        ------
        CannotEncloseError
            When the radius is not finite.
        """
        if radius == 0.0:
            return form
        if not np.isfinite(radius):
            raise CannotEncloseError("what it may be has no bounds", np.ones(self.count))
        place = self.size + len(self.errors)
        result = np.zeros(place + 1)
        result[: len(form)] = form
        result[place] = radius * (1 + MARGIN)
        result[SIZE] += result[place]
        result[LOW] = nextafter(form[LOW] - result[place], -inf)
        result[HIGH] = nextafter(form[HIGH] + result[place], inf)
        share = self.shares(blame) if len(blame) >= self.size else blame
        share = share / share.sum() if share.sum() > 0 else np.full(self.count, 1 / self.count)
        self.errors.append(ErrorTerm(float(result[place]), self.register, share, bend))
        return result

    def shares(self, form: Form) -> Form:
        """How much of what a form varies by comes from each decision, (decision,)."""
        shares = np.abs(form[self.linear])
        errors = np.abs(form[self.size :])
        if errors.sum() > shares.sum():  # else they hardly matter, and take time
            for place in np.flatnonzero(errors):
                shares = shares + errors[place] * self.errors[place].blame
        return shares

    def error(self, form: Form) -> float:
        """The sum of all errors of a form."""
        return float(np.abs(form[self.size :]).sum())

    def range(self, form: Form) -> tuple[float, float]:
        """Lower and upper bound of a form: its interval, and each decision's line and square together."""
        least, most, _ = self._extent(form)
        return max(least, float(form[LOW])), min(most, float(form[HIGH]))

    def _extent(self, form: Form) -> tuple[float, float, float]:
        """Lower and upper bound of a form, but for its interval; and of the sum of its coefficients."""
        quadratic, cubes = form[self.quadratic], float(np.abs(form[self.cubes]).sum())
        slope, square = np.abs(form[self.linear] + 0.75 * form[self.cubes]), quadratic[self.diagonal]
        squares = np.abs(square)
        mixed = float(np.abs(quadratic).sum() - squares.sum() + np.abs(form[self.size :]).sum())
        turning = slope * np.divide(slope, 4 * square, out=np.zeros_like(square), where=square != 0)
        inside = slope < 2 * squares
        high = np.where(inside & (square < 0), -turning, slope + square).sum()
        low = np.where(inside & (square > 0), -turning, square - slope).sum()
        size = float(abs(form[0]) + slope.sum() + squares.sum()) + mixed + 2 * cubes
        rest = mixed + 0.25 * cubes + float(form[NOISE]) + ROUNDING * size
        return float(form[0] + low - rest), float(form[0] + high + rest), size

    def times(self, a: Form, b: Form) -> Form:
        """The product. Powers it cannot keep are economised: `d**4` is `d**2 - 1/8` but for 1/8."""
        result = np.zeros(max(len(a), len(b)))
        result[: len(b)] = a[0] * b
        result[: len(a)] += b[0] * a
        result[0] = a[0] * b[0]
        slope_a, slope_b = a[self.linear], b[self.linear]
        cross = slope_a[self.rows] * slope_b[self.columns]
        other = slope_a[self.columns] * slope_b[self.rows]
        result[self.quadratic] += np.where(self.on_diagonal, cross, cross + other)
        beyond = self._cubes(result, a, b) + self._fourth_powers(result, a, b)
        error_a, error_b = self.error(a), self.error(b)
        size_a, size_b = (float(np.abs(form[FIRST : self.size]).sum()) for form in (a, b))
        if error_a or error_b:
            beyond += self._errors(result, a, b, (size_a, size_b))
        blame = (size_b + error_b) * self.shares(a) + (size_a + error_a) * self.shares(b)
        size_a, size_b = size_a + error_a + abs(a[0]), size_b + error_b + abs(b[0])
        noise = size_a * b[NOISE] + (size_b + b[NOISE]) * a[NOISE] + 8 * ROUNDED * size_a * size_b
        result[1:FIRST] = -inf, inf, noise, size_a * size_b
        result = self.with_error(result, beyond, blame)
        return self.clipped(result, *corners(a, b), blame, FORGOTTEN)

    def _errors(self, result: Form, a: Form, b: Form, sizes: tuple[float, float]) -> float:
        """Carry the errors of a and b along to their product; give a bound on what that leaves.

        With polynomials p, q and errors e, f: `(p + e)(q + f) = p q + (p + e) f + q e`, or with the roles
        changed. Each error is multiplied by the middle of what stands before it; half its width is left.
        `sizes` are those of the polynomials without their constants.
        """
        error_a, error_b = self.error(a), self.error(b)
        middle_a, reach_a = _around(a, sizes[0] + error_a)
        middle_b, reach_b = _around(b, sizes[1] + error_b)
        left, other = reach_a * error_b + sizes[1] * error_a, sizes[0] * error_b + reach_b * error_a
        of_b, of_a = (middle_a, b[0]) if left <= other else (a[0], middle_b)
        result[self.size :] = 0.0
        result[self.size : len(b)] += of_b * b[self.size :]
        result[self.size : len(a)] += of_a * a[self.size :]
        return min(left, other)

    def clipped(self, form: Form, low: float, high: float, blame: Form, patience: float = 1.0) -> Form:
        """A form known to lie between low and high; that alone, where its errors are `patience` times that.

        Errors carried along may cancel later on; one made of a form's width cannot.
        """
        if self.error(form) <= patience * (high - low) / 2:
            return self.between(form, low, high)
        return self.within(low, high, blame)

    def _cubes(self, result: Form, a: Form, b: Form) -> float:
        """Add what can be kept of the products of order three to `result`; give a bound on the rest."""
        rest = 0.0
        mixed = np.zeros((self.count, self.count))
        for one, other in ((a, b), (b, a)):
            if not other[self.quadratic].any():
                continue
            slope, square = one[self.linear], self._matrix(other)
            diagonal = square.diagonal()
            result[self.cubes] += slope * diagonal
            mixed += np.outer(slope, diagonal) + square * slope
            off = np.abs(square).sum(axis=1) - np.abs(diagonal)
            rest += float(np.abs(slope) @ (off.sum() / 2 - off))
        np.fill_diagonal(mixed, 0.0)
        result[self.linear] += 0.5 * mixed.sum(axis=1)
        return rest + float(0.5 * np.abs(mixed).sum())

    def _fourth_powers(self, result: Form, a: Form, b: Form) -> float:
        """Add what can be kept of the products of order four and up to `result`; give a bound on the rest."""
        square_a, square_b = a[self.quadratic][self.diagonal], b[self.quadratic][self.diagonal]
        terms = [square_a * square_b, a[self.linear] * b[self.cubes], a[self.cubes] * b[self.linear]]
        powers = np.sum(terms, axis=0)
        result[self.quadratic][self.diagonal] += powers
        result[0] -= powers.sum() / 8
        size_a, size_b = ([float(np.abs(f[part]).sum()) for part in self._parts] for f in (a, b))
        products = size_a[1] * size_b[1] + size_a[2] * (size_b[0] + size_b[1] + size_b[2])
        products += size_b[2] * (size_a[0] + size_a[1])
        return max(products - float(np.abs(terms).sum()), 0.0) + float(np.abs(powers).sum()) / 8

    def _matrix(self, form: Form) -> Form:
        """Coefficients of the quadratic part; off the diagonal the whole one stands in both places."""
        matrix = np.zeros((self.count, self.count))
        matrix[self.rows, self.columns] = matrix[self.columns, self.rows] = form[self.quadratic]
        return matrix

    def symmetric(self, form: Form) -> Form:
        """The symmetric matrix `H` with which the quadratic part is `d' H d`, (decision, decision)."""
        matrix = self._matrix(form)
        return np.asarray((matrix + np.diag(matrix.diagonal())) / 2)


def _stretched(low: float, high: float, scale: float, shift: float) -> tuple[float, float]:
    """The interval `scale * [low, high] + shift`, rounded outwards."""
    if scale == 0.0:
        return shift, shift
    ends = sorted((float(low) * scale, float(high) * scale))
    if scale not in (1.0, -1.0):
        ends = [_outwards(ends[0], -inf), _outwards(ends[1], inf)]
    if shift == 0.0:
        return ends[0], ends[1]
    return nextafter(ends[0] + shift, -inf), nextafter(ends[1] + shift, inf)


def _around(form: Form, reach: float) -> tuple[float, float]:
    """A number, and how far a form without its noise is from it: its constant and `reach`, or its middle."""
    middle = (form[LOW] + form[HIGH]) / 2
    width = max(form[HIGH] - middle, middle - form[LOW]) + form[NOISE]
    return (float(middle), float(width)) if width < reach else (float(form[0]), reach)


def corners(a: Form, b: Form) -> tuple[float, float]:
    """Lowest and highest product of two intervals, rounded outwards."""
    products = [float(x * y) for x in a[LOW : HIGH + 1] for y in b[LOW : HIGH + 1]]
    if any(product != product for product in products):  # zero times infinity is no number
        return -inf, inf
    return _outwards(min(products), -inf), _outwards(max(products), inf)


def _outwards(value: float, side: float) -> float:
    """The next number on that side; a product that is zero is exactly that."""
    return nextafter(value, side) if value else value
