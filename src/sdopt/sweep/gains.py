"""Who wins and who pays: the gain of every pocket and perspective of the ledger over all scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.sweep.asked import CONFIDENCE, Asked
from sdopt.sweep.information import probability
from sdopt.sweep.statistics import quantiles

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

POINTS = {"q10": 0.1, "q50": 0.5, "q90": 0.9}
"""Points of the distribution of a gain."""
NOTHING = 1e-9
"""A gain below this part of the largest of anybody is rounding: neither a gain nor a payment."""


def gain_table(asked: Asked) -> DataFrame:
    """What every pocket and perspective gains over the null alternative of the same scenario.

    allocation, kind (`pocket`: together they are everything in the ledger, once; `perspective`: these
    overlap), party, mean, error (standard error of the mean), q10, q50, q90, wins and pays (probability of a
    gain and of a loss), each with _low and _high (95 % interval), unit
    """
    import pandas as pd

    rows = [
        {"allocation": name, "kind": party.kind, "party": party.name, "unit": party.unit} | gain
        for place, name in enumerate(asked.compared, 1)
        for party, gain in zip(asked.plan.parties, _gains(asked, place), strict=True)
    ]
    ends = [f"{name}{end}" for name in ("wins", "pays") for end in ("", "_low", "_high")]
    return pd.DataFrame(
        rows, columns=["allocation", "kind", "party", "mean", "error", *POINTS, *ends, "unit"]
    )


def _gains(asked: Asked, place: int) -> Iterator[dict[str, float]]:
    """Of every party under one allocation."""
    sample, known = asked.sample, np.isfinite(asked.outcome.improvement[place])
    gains, sound, draws = asked.outcome.gains[place], sample.part(known), sample.count
    nothing = NOTHING * float(np.abs(gains[:, known]).max(initial=0.0))
    for own in gains:
        mean, error = sound.mean(own[known])
        points = quantiles(own[known], sound.weights, [*POINTS.values()])
        found = {"mean": mean, "error": error, **dict(zip(POINTS, points, strict=True))}
        for name, yes in (("wins", own > nothing), ("pays", own < -nothing)):
            chance = probability(yes, known, sample.weights, draws, CONFIDENCE)
            found |= {name: chance.share, f"{name}_low": chance.low, f"{name}_high": chance.high}
        yield found
