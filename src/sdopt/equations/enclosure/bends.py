"""Functions made of straight pieces: MIN, MAX, ABS, lookups; and choices that a box does not settle.

A bend is a chord with an error whose lines are kept (`Bend`), so that a linear program can hold the value to
its convex hull; or, where that hull is no help, a quadratic that misses it by less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import Algebra, Bend, Form

SAMPLES = np.linspace(-1.0, 1.0, 33)
"""Where the quadratic is fitted; what it misses is worked out exactly."""

Line = tuple[float, float]


def pieces(
    algebra: Algebra,
    form: Form,
    breaks: Sequence[float],
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    curved: bool,
) -> Form:
    """A continuous function of straight pieces that meet at `breaks`; `curved` asks for a quadratic."""
    low, high = algebra.range(form)
    x = np.array([low, *(point for point in breaks if low < point < high), high])
    y = np.asarray(value(x), dtype=float)
    if len(x) == 2 or high - low <= 1e-12 * max(1.0, abs(low)):
        slope = (y[-1] - y[0]) / (high - low) if high > low else 0.0
        line = algebra.affine(form, slope, y[0] - slope * low)
        return line if len(x) == 2 else algebra.with_error(line, float(np.ptp(y)), form)
    bent = _quadratic(algebra, form, x, y) if curved else _chord(algebra, form, x, y)
    room = 1e-14 * float(np.abs(y).max())
    return algebra.between(bent, float(y.min()) - room, float(y.max()) + room)


def _chord(algebra: Algebra, form: Form, x: NDArray[np.float64], y: NDArray[np.float64]) -> Form:
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    rest = y - slope * x
    middle, radius = (rest.max() + rest.min()) / 2, (rest.max() - rest.min()) / 2
    above, below = _hull(x, y, slope, 1.0), _hull(x, y, slope, -1.0)
    bend = Bend(form, slope, middle, above, below)
    return algebra.with_error(algebra.affine(form, slope, middle), radius, form, bend)


def _hull(x: NDArray[np.float64], y: NDArray[np.float64], chord: float, side: float) -> tuple[Line, ...]:
    """Lines of the upper (side 1) or lower (-1) convex hull, but for the one parallel to the chord."""
    lines: list[Line] = []
    here = 0
    while here < len(x) - 1:
        slopes = (y[here + 1 :] - y[here]) / (x[here + 1 :] - x[here])
        farthest = here + 1 + int(len(slopes) - 1 - np.argmax(side * slopes[::-1]))
        slope = float(slopes[farthest - here - 1])
        if slope != chord:
            # Raised to the farthest point, so that rounding cannot cut a corner off.
            lines.append((slope, float(side * (side * (y - slope * x)).max())))
        here = farthest
    return tuple(lines)


def _quadratic(algebra: Algebra, form: Form, x: NDArray[np.float64], y: NDArray[np.float64]) -> Form:
    middle, radius = (x[0] + x[-1]) / 2, (x[-1] - x[0]) / 2
    at = (x - middle) / radius
    square, slope, height = np.polyfit(SAMPLES, np.interp(SAMPLES, at, y), 2)
    corners = np.array(at)
    slopes = np.diff(y) / np.diff(at)
    turns = (slopes - slope) / (2 * square) if square else np.zeros(0)
    inside = [t for t, low, high in zip(turns, at[:-1], at[1:], strict=False) if low < t < high]
    points = np.concatenate([corners, inside])
    missed = np.interp(points, at, y) - (square * points**2 + slope * points + height)
    scaled = algebra.affine(form, 1 / radius, -middle / radius)
    result = algebra.plus(algebra.affine(scaled, slope, 0.0), algebra.times(scaled, scaled), square)
    result[0] += height + (missed.max() + missed.min()) / 2
    return algebra.with_error(result, float(missed.max() - missed.min()) / 2, form)
