"""What is maximised over an ensemble: expectation, CVaR, worst case, or minus the largest regret.

All four are the lowest weighted sum of what the scenarios give, over a set of weights: the probabilities
themselves; those raised at most 1 / tail times; or any weights that add up to one. So all are concave where
the improvement in every scenario is, and the weights at a point give a tangent there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import MeasureName

Floats = NDArray[np.float64]

WIDER = 1.5
"""Scenarios get a tangent when they are among the lowest with this many times the tail together."""
FEWEST = 32
"""So many of the lowest scenarios get a tangent at least."""


@dataclass(frozen=True)
class Measure:
    """A number for improvements (scenario,), to be maximised; `probability` (scenario,) adds up to one.

    `tail` is the share of the worst scenarios of which CVaR is the mean. `best` (scenario,) is what each
    scenario could give, for regret: the measure is then minus the largest regret.
    """

    name: MeasureName
    probability: Floats
    tail: float = 0.1
    best: Floats | None = field(default=None, repr=False)

    def weights(self, values: Floats) -> Floats:
        """The weights (scenario,) with which the sum of `compared` values is lowest."""
        if self.name == "expected":
            return self.probability
        weights = np.zeros(len(values))
        if self.name != "cvar":
            weights[np.argmin(values)] = 1.0
            return weights
        order = np.argsort(values, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(self.probability[order])])
        weights[order] = np.diff(np.minimum(before / self.tail, 1.0))
        return np.asarray(weights / weights.sum())

    def compared(self, improvement: Floats) -> Floats:
        """What is weighed: improvements (..., scenario), less the scenario's best for regret."""
        if self.best is None:
            return improvement
        return np.asarray(improvement - self.best)

    def value(self, improvement: Floats) -> float:
        """The measure for improvements (scenario,)."""
        compared = self.compared(improvement)
        return float(self.weights(compared) @ compared)

    def nearby(self, compared: Floats) -> NDArray[np.intp]:
        """The scenarios that carry weight, and those that soon may."""
        if self.name == "expected":
            return np.arange(len(compared))
        order = np.argsort(compared, kind="stable")
        mass = WIDER * self.tail if self.name == "cvar" else 0.0
        count = int(np.searchsorted(np.cumsum(self.probability[order]), mass)) + 1
        return np.sort(order[: max(count, FEWEST)])


def cvar(improvement: Floats, probability: Floats, tail: float) -> float:
    """Mean of the worst share `tail` of improvements (scenario,)."""
    return Measure("cvar", probability, tail).value(improvement)
