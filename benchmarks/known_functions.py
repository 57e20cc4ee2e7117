"""Two functions on the unit cube of which the Sobol indices are known exactly.

Ishigami and Homma 1990, doi 10.1109/ISUMA.1990.151285; g-function: Saltelli and Sobol 1995,
doi 10.1016/0951-8320(95)00099-2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

A, B = 7.0, 0.1
WEIGHTS = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])


@dataclass(frozen=True)
class Known:
    """A function of points (..., factor); mean, variance, first-order and total indices (factor,)."""

    name: str
    size: int
    call: Callable[[Floats], Floats]
    mean: float
    variance: float
    first: Floats
    total: Floats


def ishigami(points: Floats) -> Floats:
    x, y, z = np.moveaxis(np.pi * (2 * points - 1), -1, 0)
    return np.sin(x) + A * np.sin(y) ** 2 + B * z**4 * np.sin(x)


def g_function(points: Floats) -> Floats:
    return np.prod((np.abs(4 * points - 2) + WEIGHTS) / (1 + WEIGHTS), axis=-1)


def _ishigami() -> Known:
    one, two, one_three = (1 + B * np.pi**4 / 5) ** 2 / 2, A**2 / 8, 8 * B**2 * np.pi**8 / 225
    variance = one + two + one_three
    first, total = np.array([one, two, 0]), np.array([one + one_three, two, one_three])
    return Known("Ishigami", 3, ishigami, A / 2, variance, first / variance, total / variance)


def _g_function() -> Known:
    alone = 1 / (3 * (1 + WEIGHTS) ** 2)
    variance = float(np.prod(1 + alone) - 1)
    total = alone * np.prod(1 + alone) / (1 + alone)
    return Known("g-function", 8, g_function, 1.0, variance, alone / variance, total / variance)


KNOWN = (_ishigami(), _g_function())
