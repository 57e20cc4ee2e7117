"""How sure one allocation beats another, and what it would be worth to know more before choosing.

Everything here is worked out from improvements (allocation, scenario): no runs of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.config.units import plain_unit
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

EUROS = {"eur": 1.0, "million eur": 1e6}
"""Euros in one unit of money, by unit in plain form."""
WAVES = 20
"""Spline functions of which a regression on one constant is made."""
STIFFNESS = np.geomspace(1e-4, 1e8, 25)
"""Weights of the penalty on bends that are tried."""
SHUFFLES = 200
"""Random orders that show what a constant without any meaning seems to be worth."""
CHANCE = 0.05
"""Probability that such a constant seems to be worth more than `by_chance`."""
CAREFUL = 1.4
"""How much heavier bends count than in plain cross-validation, which now and then follows noise."""
MOST = 5000
"""Draws that are used at most: more take long, and change little."""
ROUNDING = 1e-12
"""Part of the improvements below which a value is rounding."""
FEWEST = 60
"""Draws that are needed to say what knowing a constant is worth."""
WORLD = "external scenario"
"""What the named futures are called among the uncertainties."""


def wilson(share: float, count: int, confidence: float) -> tuple[float, float]:
    """Interval of a probability of which a share was found in a number of independent draws.

    Source: Wilson 1927, doi 10.1080/01621459.1927.10502953.
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Probability:
    """A share of the futures, by weight, with the interval for sampling error."""

    share: float
    low: float
    high: float


def probability(
    yes: NDArray[np.bool_], known: NDArray[np.bool_], weights: Floats, draws: int, confidence: float
) -> Probability:
    """How probable something is that is true in some scenarios `yes`, of those in which it is `known`.

    The unknown may all be true or all be false: that widens the interval. All arrays are (scenario,). `draws`
    is how many scenarios are independent of each other: those in other external scenarios are not.
    """
    if not known.any():
        return Probability(np.nan, 0.0, 1.0)
    weight, missing = weights / weights.sum(), ~known
    surely, perhaps = float(weight @ (yes & known)), float(weight @ missing)
    low = wilson(min(surely, 1.0), draws, confidence)[0]
    high = wilson(min(surely + perhaps, 1.0), draws, confidence)[1]
    return Probability(surely / (1.0 - perhaps), low, high)


def probability_table(
    names: Sequence[str], improvement: Floats, scenarios: Scenarios, unit: str, confidence: float
) -> DataFrame:
    """How probable it is that every allocation beats every other.

    Parameters
    ----------
    names : (allocation,)
    improvement : (allocation, scenario), over the null alternative, in `unit`; nan where a run failed
    confidence : of the intervals

    Returns
    -------
    table with columns allocation, against, probability (that the first gains more), probability_low,
    probability_high (interval for sampling error, and for runs that failed), mean (difference), failed
    (scenarios in which one of both failed), unit.
    """
    import pandas as pd

    rows = []
    draws = len(np.unique(scenarios.draw))
    for k, name in enumerate(names):
        for other in range(len(names)):
            difference = improvement[k] - improvement[other]
            known = np.isfinite(difference)
            if other == k:
                continue
            found = probability(difference > 0, known, scenarios.weights, draws, confidence)
            rows.append({
                "allocation": name, "against": names[other], "probability": found.share,
                "probability_low": found.low, "probability_high": found.high,
                "mean": _mean(difference[known], scenarios.weights[known]),
                "failed": int((~known).sum()), "unit": unit,
            })  # fmt: skip
    return pd.DataFrame(rows)


def regret_table(names: Sequence[str], improvement: Floats, weights: Floats, unit: str) -> DataFrame:
    """What it costs, on average and at worst, not to have chosen the best of these allocations.

    Parameters
    ----------
    names, improvement, unit : as for `probability_table`; `weights` (scenario,)

    Returns
    -------
    table with columns allocation, mean (improvement), expected_regret, largest_regret, best (how probable it
    is that none is better), failed (scenarios left out because a run failed), unit.
    """
    import pandas as pd

    known = np.isfinite(improvement).all(axis=0)
    sound, weight = improvement[:, known], weights[known]
    regret = sound.max(axis=0, initial=-np.inf) - sound
    rows = [
        {
            "allocation": name, "mean": _mean(sound[k], weight), "expected_regret": _mean(regret[k], weight),
            "largest_regret": float(regret[k].max(initial=0.0)) if len(weight) else np.nan,
            "best": _mean((regret[k] <= 0).astype(np.float64), weight),
            "failed": int((~known).sum()), "unit": unit,
        }
        for k, name in enumerate(names)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _mean(values: Floats, weights: Floats) -> float:
    return float(np.average(values, weights=weights)) if len(values) else np.nan


def in_euros(unit: str) -> float:
    """Euros in one unit of money; nan when it is no money."""
    return EUROS.get(plain_unit(unit), np.nan)


def information_table(
    improvement: Floats, scenarios: Scenarios, constants: Sequence[str], unit: str, seed: int
) -> DataFrame:
    """What knowing an uncertainty before choosing is worth: which research is worth paying for.

    The choice is between the allocations given; with others to choose from knowing is worth at least as much,
    so all values are lower bounds. `everything` is the expected value of perfect information; of one constant
    it is found by regression of every improvement, over that of the allocation that is best on average, on it
    (Strong, Oakley and Brennan 2014), with what a constant without meaning would seem to be worth taken off.
    It holds what is learned of others too, where constants are correlated.

    Parameters
    ----------
    improvement : (allocation, scenario), in `unit`; nan where a run failed
    constants : names of the constants that `scenarios` draws, in its order
    seed : of the random orders

    Returns
    -------
    table with columns uncertainty (`everything`, a constant, or `external scenario`), value, error (the
    standard error of what choosing by it gained; 0 where it would never have changed the choice), by_chance
    (a constant without meaning exceeds it in 1 of 20 cases), unit, value_eur (nan when the unit is no money),
    part (of everything), draws, left_out (draws with a failed run), reason: why it is nan, or empty. Sorted:
    everything, then what is worth most.

    Source
    ------
    Values: doi 10.1177/0272989X13505910. `CAREFUL`: Kim and Gu 2004, doi 10.1046/j.1369-7412.2003.05316.x
    """
    import pandas as pd

    learned = _Learned.of(improvement, scenarios, seed)
    rows = [("everything", *learned.everything())]
    if len(scenarios.external) > 1:
        rows.append((WORLD, *learned.world()))
    rows += [(name, *learned.constant(k)) for k, name in enumerate(constants)]
    frame = pd.DataFrame(rows, columns=["uncertainty", "value", "error", "by_chance", "reason"])
    whole, euros = frame["value"].iloc[0], in_euros(unit)
    frame = frame.assign(
        unit=unit,
        value_eur=frame["value"] * euros,
        part=frame["value"] / whole if whole > 0 else np.nan,
        draws=learned.draws,
        left_out=learned.left_out,
    )
    order = frame["value"].iloc[1:].fillna(-1.0).sort_values(ascending=False, kind="stable").index
    columns = [
        "uncertainty",
        "value",
        "error",
        "by_chance",
        "unit",
        "value_eur",
        "part",
        "draws",
        "left_out",
        "reason",
    ]
    return frame.loc[[0, *order], columns].reset_index(drop=True)


Worth = tuple[float, float, float, str]
"""Value, standard error, what chance gives, and why they are nan."""


@dataclass(frozen=True)
class _Learned:
    """Improvements by draw: `per_world` (allocation, draw, world), with `shares` (world,) adding up to one.

    `points` (constant, draw). Draws that failed anywhere are left out; they stand in an order of their own,
    so that the order of the scenarios does not matter.
    """

    per_world: Floats
    shares: Floats
    points: Floats
    left_out: int
    seed: int
    smooths: dict[int, _Smooth] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, improvement: Floats, scenarios: Scenarios, seed: int) -> _Learned:
        draws, first, place = np.unique(scenarios.draw, return_index=True, return_inverse=True)
        shape = (len(improvement), len(draws), len(scenarios.external))
        per_world = np.full(shape, np.nan)
        per_world[:, place, scenarios.world] = improvement
        shares = np.bincount(scenarios.world, scenarios.weights, shape[2]).astype(np.float64)
        sound = np.flatnonzero(np.isfinite(per_world).all(axis=(0, 2)))
        order = sound[
            np.lexsort(per_world[:, sound].transpose(0, 2, 1).reshape(shape[0] * shape[2], len(sound)))
        ]
        if len(order) > MOST:
            order = order[np.sort(np.random.default_rng(seed).permutation(len(order))[:MOST])]
        points = scenarios.values[:, first[order]]
        return cls(per_world[:, order], shares, points, len(draws) - len(sound), seed)

    @property
    def draws(self) -> int:
        """Number of draws that are used."""
        return int(self.per_world.shape[1])

    @cached_property
    def mean(self) -> Floats:
        """Mean over the external scenarios, (draw, allocation)."""
        return np.asarray(np.tensordot(self.per_world, self.shares, 1).T)

    @cached_property
    def over_best(self) -> Floats:
        """The mean over that of the allocation that is best on average, (draw, allocation).

        What all allocations have in common is no ground to choose, and is left out of the noise.
        """
        return np.asarray(self.mean - self.mean[:, [np.argmax(self.mean.mean(axis=0))]])

    def everything(self) -> Worth:
        """Of knowing all: the best allocation of every scenario, less the best for all."""
        if not self.draws:
            return np.nan, np.nan, np.nan, "a run failed in every draw"
        gained = self.per_world.max(axis=0) @ self.shares - self.mean[:, np.argmax(self.mean.mean(axis=0))]
        return float(gained.mean()), _standard_error(gained), 0.0, ""

    @cached_property
    def _whole(self) -> float:
        return self.everything()[0]

    def world(self) -> Worth:
        """Of knowing in which external scenario one lives."""
        if not self.draws:
            return np.nan, np.nan, np.nan, "a run failed in every draw"
        means = self.per_world.mean(axis=1)
        value = means.max(axis=0) @ self.shares - (means @ self.shares).max()
        gained = self.per_world[means.argmax(axis=0), :, np.arange(len(self.shares))].T @ self.shares
        gained = gained - self.mean[:, np.argmax(self.mean.mean(axis=0))]
        return max(float(value), 0.0), _standard_error(gained), 0.0, ""

    def constant(self, k: int) -> Worth:
        """Of knowing one constant."""
        if self.draws < FEWEST:
            return np.nan, np.nan, np.nan, f"{self.draws} draws without a failed run; {FEWEST} are needed"
        different, place = np.unique(self.points[k], return_inverse=True)
        if len(different) == 1:
            return 0.0, 0.0, 0.0, ""
        few = len(different) <= WAVES
        if not few:  # equal values stand in a random order: that of the draws would tell of the answer
            random = np.random.default_rng(self.seed).permutation(self.draws)
            place = np.argsort(np.lexsort((random, place)))
        regress = _group_means if few else self._smoothed
        usual, most = self._chance(_group_means, place) if few else self._by_chance
        fitted = regress(place, self.over_best)
        value = min(max(_best_of(fitted) - usual, 0.0), self._whole)
        gained = np.take_along_axis(self.over_best, fitted.argmax(axis=1)[:, None], axis=1)[:, 0]
        return value, _standard_error(gained), max(most - usual, 0.0), ""

    def _chance(self, regress: Regression, place: NDArray[np.intp]) -> tuple[float, float]:
        """What a constant without meaning seems to be worth: usually, and exceeded with `CHANCE`."""
        random = np.random.default_rng(self.seed)
        found = [_best_of(regress(place, random.permutation(self.over_best))) for _ in range(SHUFFLES)]
        return float(np.mean(found)), float(np.quantile(found, 1 - CHANCE))

    @cached_property
    def _by_chance(self) -> tuple[float, float]:
        """The same for every constant of which all values differ: only their order is used."""
        return self._chance(self._smoothed, np.arange(self.draws))

    def _smoothed(self, place: NDArray[np.intp], values: Floats) -> Floats:
        return self._smooth(len(values)).fit(values[np.argsort(place)])[place]

    def _smooth(self, count: int) -> _Smooth:
        if count not in self.smooths:
            self.smooths[count] = _Smooth.of(count)
        return self.smooths[count]


Regression = Callable[[NDArray[np.intp], Floats], Floats]
"""Expectations (draw, allocation) from the rank of a constant's value (draw,), and values like them."""


def _standard_error(gained: Floats) -> float:
    """Of the mean of what every draw gained, (draw,)."""
    return float(gained.std(ddof=1) / np.sqrt(len(gained))) if len(gained) > 1 else np.nan


def _best_of(fitted: Floats) -> float:
    """What choosing at every place gains over choosing once, from expectations (draw, allocation)."""
    gained = float(fitted.max(axis=1).mean() - fitted.mean(axis=0).max())
    return gained if gained > ROUNDING * float(np.abs(fitted).max()) else 0.0


def _group_means(place: NDArray[np.intp], values: Floats) -> Floats:
    """For a constant with few values: the mean of the draws that have the same."""
    held = np.maximum(np.bincount(place), 1)
    sums = np.array([np.bincount(place, column) for column in values.T])
    return np.asarray((sums / held).T[place])


@dataclass(frozen=True)
class _Smooth:
    """Penalised cubic splines over the order of a constant's values, with knots that are denser at both ends.

    `waves` (draw, wave) are orthonormal, from straight to ever more bent; `bends` (wave,) is the penalty of
    each. Its weight is chosen by generalised cross-validation, for every allocation by itself.
    """

    waves: Floats
    bends: Floats

    @classmethod
    def of(cls, count: int) -> _Smooth:
        from scipy.interpolate import BSpline

        middle = (np.arange(count) + 0.5) / count
        at = 2 / np.pi * np.arcsin(np.sqrt(middle))
        knots = np.concatenate([[0.0] * 3, np.linspace(0.0, 1.0, WAVES - 2), [1.0] * 3])
        basis, triangle = np.linalg.qr(BSpline.design_matrix(at, knots, 3).toarray())
        second = np.diff(np.eye(WAVES), 2, axis=0) @ np.linalg.inv(triangle)
        bends, turn = np.linalg.eigh(second.T @ second)
        return cls(basis @ turn, np.maximum(bends / max(float(bends.max()), 1e-300), 0.0))

    def fit(self, values: Floats) -> Floats:
        """Expectations (draw, allocation) from values (draw, allocation) in rising order of the constant."""
        count, heights = len(values), self.waves.T @ values
        outside = (values**2).sum(axis=0) - (heights**2).sum(axis=0)
        kept = 1 / (1 + STIFFNESS[:, None] * self.bends)
        left = np.maximum(outside, 0.0) + ((1 - kept) ** 2) @ heights**2
        score = left / np.maximum(count - CAREFUL * kept.sum(axis=1)[:, None], 1.0) ** 2
        chosen = kept[np.argmin(score, axis=0)].T
        return np.asarray(self.waves @ (chosen * heights))
