"""What an allocation has returned up to every year, over all futures: how it spreads, who is paid back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.over_years import stays_above
from sdopt.sweep.asked import CONFIDENCE, Asked
from sdopt.sweep.gains import POINTS
from sdopt.sweep.information import probability
from sdopt.sweep.statistics import quantiles

if TYPE_CHECKING:
    from pandas import DataFrame

    from sdopt.sweep.chances import Sample

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PAID = ("paid_back", "paid_back_low", "paid_back_high")
FIGURES = ("mean", *POINTS, *PAID)
MIDDLE = FIGURES.index("q50")


class Bands:
    """Gets the return so far of one allocation and year after the other, and keeps what the table says."""

    def __init__(self, asked: Asked) -> None:
        """Of a finished sweep, with nothing added yet."""
        self.asked = asked
        shape = (len(asked.compared), len(self._worlds), len(asked.plan.years), len(FIGURES))
        self._found = np.full(shape, np.nan)

    @cached_property
    def _worlds(self) -> tuple[tuple[str, Flags, Sample, int], ...]:
        """Of all scenarios together and of every external one: name, which, sample, independent draws."""
        sample = self.asked.sample
        parts = [(name, inside, sample.part(inside)) for name, inside in self.asked.worlds()]
        return tuple((name, inside, part, part.count) for name, inside, part in parts)

    def add(self, number: int, earned: Floats) -> None:
        """What was earned (scenario,) in allocation and year `number`, counted allocation by allocation."""
        place, year = divmod(number, len(self.asked.plan.years))
        sound = np.isfinite(self.asked.outcome.improvement[place + 1])
        paid = self.asked.outcome.paid_from[place] <= year
        for world, (_, inside, sample, draws) in enumerate(self._worlds):
            known = sound[inside]
            chance = probability(paid[inside], known, sample.weights, draws, CONFIDENCE)
            points = _points(earned[inside][known], sample.weights[known])
            self._found[place, world, year] = *points, chance.share, chance.low, chance.high

    def table(self) -> DataFrame:
        """Per allocation, external scenario ("" for all together) and year, over the same draws of both.

        mean, q10, q50 and q90 of the discounted return over the null alternative up to and including the
        year, without the value at the end; paid_back (probability that it is above zero then, and in every
        later year), with _low and _high (95 % interval); pays_from (first year from which the median is;
        missing when it never is), unit (of the return).
        """
        import pandas as pd

        plan = self.asked.plan
        rows = [
            (name, world, year, *figures.tolist(), since)
            for name, of_name in zip(self.asked.compared, self._found, strict=True)
            for (world, *_), of_world in zip(self._worlds, of_name, strict=True)
            for since in [_since(of_world[:, MIDDLE], plan.years)]
            for year, figures in zip(plan.years, of_world, strict=True)
        ]
        columns = ["allocation", "external", "year", *FIGURES, "pays_from"]
        return pd.DataFrame(rows, columns=columns).assign(unit=plan.year_parts[0].unit)


def _since(middle: Floats, years: tuple[int, ...]) -> float:
    """First year from which a sum so far (year,) stays above zero."""
    stays = np.flatnonzero(stays_above(middle))
    return float(years[stays[0]]) if len(stays) else np.nan


def _points(values: Floats, weights: Floats) -> list[float]:
    """Mean and points of values (scenario,), the points as those of any distribution: see `quantiles`."""
    if not len(values):
        return [np.nan] * (1 + len(POINTS))
    mean = float(np.average(values, weights=weights))
    if np.ptp(weights) > 0:
        return [mean, *quantiles(values, weights, [*POINTS.values()])]
    heaped = np.cumsum(weights)  # of equal weights the order does not matter: no need to sort all
    places = np.searchsorted(heaped, np.array([*POINTS.values()]) * heaped[-1] * (1 - 1e-12))
    places = np.minimum(places, len(values) - 1)
    return [mean, *np.partition(values, places)[places].tolist()]
