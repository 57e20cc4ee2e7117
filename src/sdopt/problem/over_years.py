"""The return year by year: the parts of its present value, and from when it has paid back."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import Problem
from sdopt.problem.functionals import Functional

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Part of the largest sum below which a sum is nothing."""


def year_ends(problem: Problem) -> list[tuple[int, int]]:
    """Every year from the first decision, and the last grid position that belongs to it."""
    years = np.array([floor(time + 1e-9) for time in problem.grid.times])
    first, last = problem.config.decision_years.first, ceil(problem.config.horizon.end) - 1
    return [
        (year, int(np.flatnonzero(years == year)[-1])) for year in range(first, last + 1) if year in years
    ]


def year_functionals(problem: Problem) -> tuple[Functional, ...]:
    """The present value of the variable that is maximised, cut in years: they add up to it.

    What is left at the end of the horizon belongs to no year.
    """
    main = problem.evaluator.functionals[0]
    ends = year_ends(problem)
    after = [-1, *(position for _, position in ends[:-1])]
    places = np.arange(len(problem.grid.times))
    return tuple(
        Functional(
            main.name,
            year,
            {key: np.where((places > last) & (places <= end), w, 0.0) for key, w in main.weights.items()},
            main.unit,
        )
        for last, (year, end) in zip(after, ends, strict=True)
    )


def stays_above(sums: Floats) -> NDArray[np.bool_]:
    """Whether sums so far (..., year) are above zero at the end of a year, and of every later one."""
    above = sums > ROUNDING * np.abs(sums).max(axis=-1, keepdims=True)
    return np.asarray(np.logical_and.accumulate(above[..., ::-1], axis=-1)[..., ::-1])
