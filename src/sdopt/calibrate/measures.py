"""How far the model is from what was observed: MAPE and Theil's inequality statistics.

Source: H. Theil, Applied Economic Forecasting (1966): U of 1961 (between 0 and 1), and the parts of the
mean squared error by bias, unequal variation and imperfect covariation; J.D. Sterman, Business Dynamics
(2000), chapter 21, uses them for system dynamics models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_POINTS = 5
"""Below this number of points a statistic says nothing that the errors themselves do not say."""


@dataclass(frozen=True)
class Measures:
    """Error of one series.

    `mape` is the mean absolute error as a share of the observed value, NaN where one of these is zero.
    `theil_u` is the root of the mean squared error over the sum of the roots of the mean squares. `bias`,
    `variance` and `covariance` are the parts of the mean squared error, together 1; NaN without any error.
    """

    points: int
    mape: float
    theil_u: float
    bias: float
    variance: float
    covariance: float


def measures(simulated: NDArray[np.float64], observed: NDArray[np.float64]) -> Measures | None:
    """The measures of one series, arrays (point,) in one unit; None below `FEWEST_POINTS` points."""
    if len(observed) < FEWEST_POINTS:
        return None
    errors = simulated - observed
    square = float(np.mean(errors**2))
    scale = float(np.sqrt(np.mean(simulated**2)) + np.sqrt(np.mean(observed**2)))
    mape = float(np.mean(np.abs(errors / observed))) if (observed != 0).all() else np.nan
    parts = (np.nan, np.nan, np.nan)
    if square > 0:
        bias = float(np.mean(errors)) ** 2 / square
        variance = float(simulated.std() - observed.std()) ** 2 / square
        together = np.mean((simulated - simulated.mean()) * (observed - observed.mean()))
        parts = (bias, variance, 2 * float(simulated.std() * observed.std() - together) / square)
    return Measures(len(observed), mape, np.sqrt(square) / scale if scale > 0 else np.nan, *parts)
