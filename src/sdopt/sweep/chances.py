"""Means and probabilities over scenarios, with what drawing other scenarios would change in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import Design
from sdopt.sweep.information import Probability, probability
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NO_SAMPLE: tuple[Design, ...] = ("morris",)
"""Designs that do not hold futures as often as they are likely: of these there are no probabilities."""


@dataclass(frozen=True)
class Sample:
    """Scenarios as a sample: their `weights` (scenario,), and `group` (scenario,) of those drawn together.

    One draw in every external scenario is one group, as are the rows of a base point of `saltelli`. Errors
    are those of independent draws; designs that spread draws evenly have smaller ones.
    """

    weights: Floats
    group: NDArray[np.intp]

    def part(self, chosen: Flags | NDArray[np.intp]) -> Sample:
        """Some of the scenarios, by flags or by position."""
        return Sample(self.weights[chosen], self.group[chosen])

    def mean(self, values: Floats) -> tuple[float, float]:
        """Weighted mean of values (scenario,), and its standard error; nan where it cannot be told."""
        if not len(values):
            return np.nan, np.nan
        mean = float(np.average(values, weights=self.weights))
        _, place = np.unique(self.group, return_inverse=True)
        sums = np.bincount(place, self.weights * (values - mean))
        if len(sums) < 2:
            return mean, np.nan
        squares = len(sums) / (len(sums) - 1) * np.sum(sums**2)
        return mean, float(np.sqrt(squares) / self.weights.sum())

    @property
    def count(self) -> int:
        """Number of groups: scenarios that are independent of each other."""
        return len(np.unique(self.group))

    def probability(self, yes: Flags, known: Flags, confidence: float) -> Probability:
        """How probable something is that is true in scenarios `yes`, of those in which it is `known`."""
        return probability(yes, known, self.weights, self.count, confidence)


def sample_of(scenarios: Scenarios, design: str) -> Sample:
    """Scenarios of a design as a sample."""
    rows = len(scenarios.keys) + 2 if design == "saltelli" else 1
    return Sample(scenarios.weights, scenarios.draw // rows)
