"""Distributions of one number: where a share of its values lies below, and which share lies below a value.

Every `quantile` takes shares (any shape) between 0 and 1 and never falls; every `cdf` is its counterpart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TAIL = 0.025
"""Share of a normal or lognormal distribution below its low point, and above its high one."""


class Distribution(Protocol):
    """How likely the values of one number are."""

    def quantile(self, share: Floats) -> Floats:
        """The value below which a share of the distribution lies."""
        ...

    def cdf(self, value: Floats) -> Floats:
        """The share of the distribution at or below a value."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Every value from `low` to `high` is as likely."""

    low: float
    high: float

    def quantile(self, share: Floats) -> Floats:
        """See `Distribution`."""
        return self.low + np.asarray(share) * (self.high - self.low)

    def cdf(self, value: Floats) -> Floats:
        """See `Distribution`."""
        return np.clip((np.asarray(value) - self.low) / (self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True)
class Triangular:
    """Likeliest at `top`, and less so in a straight line down to nothing at `low` and `high`."""

    low: float
    top: float
    high: float

    def quantile(self, share: Floats) -> Floats:
        """See `Distribution`."""
        u, width = np.asarray(share), self.high - self.low
        left, right = self.top - self.low, self.high - self.top
        below = self.low + np.sqrt(u * width * left)
        return np.asarray(np.where(u * width < left, below, self.high - np.sqrt((1 - u) * width * right)))

    def cdf(self, value: Floats) -> Floats:
        """See `Distribution`."""
        x, width = np.clip(np.asarray(value), self.low, self.high), self.high - self.low
        left, right = self.top - self.low, self.high - self.top
        below = (x - self.low) ** 2 / (width * left) if left else np.zeros_like(x)
        above = 1 - (self.high - x) ** 2 / (width * right) if right else np.ones_like(x)
        return np.asarray(np.where(x < self.top, below, above))


@dataclass(frozen=True)
class Normal:
    """Half a normal distribution on either side of `middle`, cut off outside `floor` to `ceiling`.

    Before it is cut, 2.5 % lies below `low` and 2.5 % above `high`; with `middle` half-way between them it
    is the normal distribution. What is cut off is spread over the rest in proportion.
    """

    low: float
    middle: float
    high: float
    floor: float = -inf
    ceiling: float = inf

    def quantile(self, share: Floats) -> Floats:
        """See `Distribution`."""
        from scipy.special import ndtri

        first, last = self._uncut(np.array([self.floor, self.ceiling]))
        score = ndtri(first + np.asarray(share) * (last - first)) / -ndtri(TAIL)
        side = np.where(score < 0, self.middle - self.low, self.high - self.middle)
        return np.asarray(np.clip(self.middle + score * side, self.floor, self.ceiling))

    def cdf(self, value: Floats) -> Floats:
        """See `Distribution`."""
        first, last = self._uncut(np.array([self.floor, self.ceiling]))
        inside = np.clip(np.asarray(value), self.floor, self.ceiling)
        return np.asarray((self._uncut(inside) - first) / (last - first))

    def _uncut(self, value: Floats) -> Floats:
        from scipy.special import ndtr, ndtri

        away = value - self.middle
        side = np.where(away < 0, self.middle - self.low, self.high - self.middle)
        return np.asarray(ndtr(-ndtri(TAIL) * away / side))


@dataclass(frozen=True)
class Lognormal:
    """A number whose logarithm is `Normal`, with the same five points."""

    low: float
    middle: float
    high: float
    floor: float = 0.0
    ceiling: float = inf

    def quantile(self, share: Floats) -> Floats:
        """See `Distribution`."""
        return np.clip(np.exp(self._logarithm.quantile(share)), self.floor, self.ceiling)

    def cdf(self, value: Floats) -> Floats:
        """See `Distribution`."""
        with np.errstate(divide="ignore"):
            return self._logarithm.cdf(np.log(np.maximum(value, 0.0)))

    @property
    def _logarithm(self) -> Normal:
        points = np.array([self.low, self.middle, self.high, max(self.floor, 0.0), self.ceiling])
        with np.errstate(divide="ignore"):
            return Normal(*(float(point) for point in np.log(points)))


@dataclass(frozen=True)
class Listed:
    """One of `values` (rising), of which `below` (the same length) is the share at or below each."""

    values: tuple[float, ...]
    below: tuple[float, ...]

    def quantile(self, share: Floats) -> Floats:
        """See `Distribution`."""
        return np.array(self.values)[np.searchsorted(np.array(self.below), np.asarray(share))]

    def cdf(self, value: Floats) -> Floats:
        """See `Distribution`."""
        return np.array([0.0, *self.below])[np.searchsorted(self.values, np.asarray(value), side="right")]


def listed(values: Sequence[float], weights: Sequence[float] | None = None) -> Listed:
    """The distribution of some values, in any order and perhaps more than once; equal weights when absent."""
    levels, place = np.unique(np.array(values), return_inverse=True)
    sums = np.cumsum(np.bincount(place, weights=weights))
    return Listed(tuple(map(float, levels)), (*map(float, sums[:-1] / sums[-1]), 1.0))
