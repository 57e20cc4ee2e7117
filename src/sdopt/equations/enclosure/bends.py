"""Functions made of straight pieces: MIN, MAX, ABS, lookups; and choices that a box does not settle.

A bend is a chord with an error whose lines are kept (`Bend`), so that a linear program can hold the value to
its convex hull; or, where that hull is no help, a quadratic that misses it by less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import ROUNDED, Algebra, Bend, Form

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
    largest: float = 0.0,
) -> Form:
    """A continuous function of straight pieces that meet at `breaks`; `curved` asks for a quadratic.

    `largest` is the size of the numbers that its values are worked out from; zero where none is rounded.
    """
    low, high = algebra.range(form)
    x = np.array([low, *(point for point in breaks if low < point < high), high])
    y = np.asarray(value(x), dtype=float)
    size = float(np.abs(y).max()) + largest
    room = ROUNDED * size if largest else 0.0
    least, most = float(y.min()) - room, float(y.max()) + room
    if algebra.narrow(low, high):
        return algebra.within(least, most, form)
    if len(x) == 2:
        bent = _line(algebra, form, (y[-1] - y[0]) / (high - low), (low, y[0]))
    else:
        bent = _quadratic(algebra, form, x, y) if curved else _chord(algebra, form, x, y, size)
    return algebra.between(algebra.noisy(bent, 4 * ROUNDED * size), least, most)


def _line(algebra: Algebra, form: Form, slope: float, through: Line) -> Form:
    """A form on the line through a point."""
    x, y = through
    line = algebra.affine(form, slope, y - slope * x)
    return algebra.noisy(line, ROUNDED * (abs(y) + abs(slope * x)))


def _chord(algebra: Algebra, form: Form, x: NDArray[np.float64], y: NDArray[np.float64], size: float) -> Form:
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    rest = y - slope * x
    middle, radius = (rest.max() + rest.min()) / 2, (rest.max() - rest.min()) / 2
    size += float(abs(slope) * np.abs(x).max())
    above, below = (_hull(x, y, slope, side, size) for side in (1.0, -1.0))
    bend = Bend(form, slope, middle, above, below)
    bent = algebra.with_error(algebra.affine(form, slope, middle), radius, form, bend)
    return algebra.noisy(bent, 4 * ROUNDED * size)


def _hull(
    x: NDArray[np.float64], y: NDArray[np.float64], chord: float, side: float, size: float
) -> tuple[Line, ...]:
    """Lines of the upper (side 1) or lower (-1) convex hull, but for the one parallel to the chord.

    `size` is that of the numbers in the chord and its error, which are rounded.
    """
    lines: list[Line] = []
    here = 0
    while here < len(x) - 1:
        slopes = (y[here + 1 :] - y[here]) / (x[here + 1 :] - x[here])
        farthest = here + 1 + int(len(slopes) - 1 - np.argmax(side * slopes[::-1]))
        slope = float(slopes[farthest - here - 1])
        if slope != chord:
            # Raised to the farthest point and a little more, so that rounding cannot cut a corner off.
            room = 8 * ROUNDED * (size + abs(slope) * float(np.abs(x).max()))
            lines.append((slope, side * (float((side * (y - slope * x)).max()) + room)))
        here = farthest
    return tuple(lines)


def _quadratic(algebra: Algebra, form: Form, x: NDArray[np.float64], y: NDArray[np.float64]) -> Form:
    scaled, middle, radius = algebra.scaled(form, x[0], x[-1])
    at = (x - middle) / radius
    square, slope, height = np.polyfit(SAMPLES, np.interp(SAMPLES, at, y), 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slopes = np.diff(y) / np.diff(at)
        turns = (slopes - slope) / (2 * square) if square else np.zeros(0)
    inside = [k for k, turn in enumerate(turns) if at[k] < turn < at[k + 1]]
    # At the corners themselves, not read between them: two that coincide once scaled have both their values.
    points = np.concatenate([at, turns[inside]])
    values = np.concatenate([y, y[inside] + slopes[inside] * (turns[inside] - at[inside])])
    missed = values - (square * points**2 + slope * points + height)
    bent = algebra.plus(algebra.affine(scaled, slope, height), algebra.times(scaled, scaled), square)
    bent = algebra.affine(bent, 1.0, (missed.max() + missed.min()) / 2)
    bent = algebra.with_error(bent, float(missed.max() - missed.min()) / 2, form)
    return algebra.noisy(bent, 8 * ROUNDED * float(np.abs(y).max() + np.abs([square, slope, height]).sum()))
