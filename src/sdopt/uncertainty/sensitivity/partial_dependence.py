"""How an output depends on each factor alone, from any random sample: no runs of its own are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.uncertainty.sensitivity.outputs import is_constant, outputs_of

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

CHANCE = 0.05
"""Probability that a factor without any effect gets a share above `by_chance`."""

FEWEST = 20
"""Scenarios that are needed to say what a factor explains."""


@dataclass(frozen=True)
class _Bins:
    """Scenarios by the size of one factor: `place` (row,) is the bin, `count` (bin,) how many it holds."""

    points: Floats
    place: NDArray[np.intp]
    count: NDArray[np.intp]

    def total(self, values: Floats) -> Floats:
        """Sum of values (row,) in every bin, (bin,)."""
        return np.asarray(np.bincount(self.place, values, len(self.count)), dtype=np.float64)

    def mean(self, values: Floats) -> Floats:
        """Mean of values (row,) in every bin, (bin,)."""
        return self.total(values) / self.count

    @cached_property
    def ends(self) -> dict[str, Floats]:
        """Smallest, largest and mean point of every bin, (bin,)."""
        order, last = np.sort(self.points), np.cumsum(self.count)
        return {
            "low": order[last - self.count],
            "high": order[last - 1],
            "centre": self.mean(self.points),
        }


def partial_dependence(
    points: Floats, values: Floats, factors: Sequence[str], outputs: Sequence[str], bins: int = 10
) -> DataFrame:
    """Mean of every output over bins of every factor, with its standard error.

    Bins hold about equally many scenarios; a factor with few different values has one bin for each. Scenarios
    in which the output is inf or nan are left out.

    Parameters
    ----------
    points : (row, factor) array of a random, Latin hypercube or Sobol sample, in each factor's own unit
    values : (row, output) array
    factors, outputs : names of the columns
    bins : largest number of bins

    Returns
    -------
    table with columns output, factor, bin, low, high (smallest and largest value of the factor), centre (its
    mean), mean (of the output), error (standard error of that mean, nan for a single scenario), scenarios.
    """
    import pandas as pd

    tables = {
        (output, k): {"output": outputs[output], "factor": factors[k], **_dependence(grouped, finite)}
        for output, k, grouped, finite in _binned(points, outputs_of(values, outputs), lambda _: bins)
    }
    return pd.concat(pd.DataFrame(tables[place]) for place in sorted(tables)).reset_index(drop=True)


def explained_shares(
    points: Floats, values: Floats, factors: Sequence[str], outputs: Sequence[str]
) -> DataFrame:
    """Which part of the variance of every output each factor explains alone, from any random sample.

    An estimate of the first-order index: the correlation ratio over about sqrt(n) bins of as many of the n
    scenarios, less what so many bins explain by chance. With correlated factors it holds what a factor
    explains together with those it goes along with. It cannot see what a factor does in interactions only.

    Parameters
    ----------
    points, values, factors, outputs : as for `partial_dependence`

    Returns
    -------
    table with columns output, factor, share (may be slightly negative), by_chance (largest share, in 19 of 20
    cases, of a factor that explains nothing), scenarios (used), left_out, and reason: why the share is nan,
    or empty.

    Source
    ------
    First-order indices from given data: Plischke et al. 2013, doi 10.1016/j.ejor.2012.11.047; correction and
    chance where the spread differs over bins: Brown and Forsythe 1974, doi 10.1080/00401706.1974.10489158.
    """
    import pandas as pd

    rows = {}
    for output, k, grouped, finite in _binned(points, outputs_of(values, outputs), lambda n: round(n**0.5)):
        share, chance, reason = _share(grouped, finite)
        used = len(finite)
        rows[output, k] = outputs[output], factors[k], share, chance, used, len(points) - used, reason
    columns = ["output", "factor", "share", "by_chance", "scenarios", "left_out", "reason"]
    return pd.DataFrame([rows[place] for place in sorted(rows)], columns=columns)


def _binned(
    points: Floats, columns: Floats, bins: Callable[[int], int]
) -> Iterator[tuple[int, int, _Bins, Floats]]:
    """Every output and factor, with the bins and finite values (row,) of columns (output, row).

    Outputs that failed in the same scenarios share their bins, of which there are `bins(scenarios)`.
    """
    finite = np.isfinite(columns)
    for kept in np.unique(finite, axis=0):
        alike = np.flatnonzero((finite == kept).all(axis=1))
        for k, factor in enumerate(points[kept].T):
            grouped = _bins(factor, bins(len(factor)))
            for output in alike:
                yield int(output), k, grouped, columns[output, kept]


def _dependence(grouped: _Bins, values: Floats) -> dict[str, Floats | NDArray[np.intp]]:
    """The columns of one output and one factor, each (bin,), for finite values (row,)."""
    mean = grouped.mean(values)
    squares = grouped.total((values - mean[grouped.place]) ** 2)
    freedom = np.where(grouped.count > 1, grouped.count - 1, np.nan)
    return {
        "bin": np.arange(len(mean)),
        **grouped.ends,
        "mean": mean,
        "error": np.sqrt(squares / freedom / grouped.count),
        "scenarios": grouped.count,
    }


def _share(grouped: _Bins, values: Floats) -> tuple[float, float, str]:
    """Share explained, the largest by chance, and why they are nan, for finite values (row,)."""
    if len(values) < FEWEST:
        return np.nan, np.nan, f"{len(values)} scenarios without a failed run; {FEWEST} are needed"
    if is_constant(values):
        return np.nan, np.nan, "the output is the same in every scenario: there is no variance to explain"
    if len(grouped.count) == 1:
        return np.nan, np.nan, "the factor is the same in every scenario"
    scaled = (values - values.mean()) / np.ptp(values)
    between = np.sum(grouped.count * grouped.mean(scaled) ** 2)
    expected, exceeded = _between_by_chance(scaled, grouped)
    whole = np.sum(scaled**2)
    return float((between - expected) / whole), float((exceeded - expected) / whole), ""


def _between_by_chance(values: Floats, grouped: _Bins) -> tuple[float, float]:
    """Sum of squares between bins of a factor that explains nothing: expected, and exceeded with `CHANCE`."""
    from scipy.stats import f as fisher

    freedom = np.maximum(grouped.count - 1, 1)
    squares = grouped.total((values - grouped.mean(values)[grouped.place]) ** 2)
    pooled = squares.sum() / max(len(values) - len(squares), 1)
    variance = np.where(grouped.count > 1, squares / freedom, pooled)
    parts = (1 - grouped.count / len(values)) * variance
    expected = parts.sum()
    if expected == 0:
        return 0.0, 0.0
    degrees = expected**2 / np.sum(parts**2), expected**2 / np.sum(parts**2 / freedom)
    return float(expected), float(expected * fisher.ppf(1 - CHANCE, *degrees))


def _bins(points: Floats, bins: int) -> _Bins:
    """Points (row,) in at most `bins` bins of about equal numbers, equal points always in the same one."""
    different, place = np.unique(points, return_inverse=True)
    if len(different) > bins:
        edges = np.quantile(points, np.arange(1, bins) / bins)
        _, place = np.unique(np.searchsorted(edges, points), return_inverse=True)
    return _Bins(points, place, np.bincount(place))
