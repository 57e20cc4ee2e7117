"""Morris screening: which factors matter at all, from few runs, and whether their effects interact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.uncertainty.sensitivity.outputs import outputs_of

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Probability that an interval holds the mean absolute effect."""


def morris_screening(
    design: Floats, values: Floats, factors: Sequence[str], outputs: Sequence[str]
) -> DataFrame:
    """Mean, mean size and spread of the elementary effects of every factor on every output.

    An elementary effect is the change of the output over the change of the factor's probability, all other
    factors equal: in the output's unit, as if the factor went through its whole distribution. An effect of
    which a run is inf or nan is left out.

    Parameters
    ----------
    design : (row, factor) array of `designs.morris_design`
    values : (row, output) array
    factors, outputs : names of the columns

    Returns
    -------
    table with columns output, factor, mu (mean effect), mu_star (mean size), mu_star_low, mu_star_high (95 %
    interval), sigma (standard deviation: interactions or bends), effects (used), left_out, and reason: why
    numbers are nan, or empty.

    Source
    ------
    Morris 1991, doi 10.1080/00401706.1991.10484804; mu_star: Campolongo et al. 2007,
    doi 10.1016/j.envsoft.2006.10.004.
    """
    import pandas as pd

    columns = outputs_of(values, outputs)
    tables = [_summary(_effects(design, column)) for column in columns]
    return pd.concat(
        pd.DataFrame({"output": name, "factor": list(factors), **table})
        for name, table in zip(outputs, tables, strict=True)
    ).reset_index(drop=True)


def _effects(design: Floats, values: Floats) -> Floats:
    """Elementary effects (trajectory, factor) of values (row,); nan where a run failed."""
    size = design.shape[1]
    moves = np.diff(design.reshape(-1, size + 1, size), axis=1)
    if not ((moves != 0).sum(axis=2) == 1).all():
        raise ValueError("rows of a trajectory must differ in exactly one factor")
    runs = np.where(np.isfinite(values), values, np.nan).reshape(-1, size + 1)
    moved = np.abs(moves).argmax(axis=2)
    effects = np.empty(moved.shape)
    change = np.diff(runs, axis=1) / np.take_along_axis(moves, moved[:, :, None], axis=2)[:, :, 0]
    np.put_along_axis(effects, moved, change, axis=1)
    return effects


def _summary(effects: Floats) -> dict[str, Floats | NDArray[np.intp] | list[str]]:
    """The columns of one output, each (factor,), of effects (trajectory, factor)."""
    count = np.isfinite(effects).sum(axis=0)
    mean, sigma, _ = _moments(effects, count)
    size, _, half = _moments(np.abs(effects), count)
    return {
        "mu": mean,
        "mu_star": size,
        "mu_star_low": size - half,
        "mu_star_high": size + half,
        "sigma": sigma,
        "effects": count,
        "left_out": len(effects) - count,
        "reason": ["" if n > 1 else f"{n} effects without a failed run; 2 are needed" for n in count],
    }


def _moments(effects: Floats, count: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and half the interval of the mean, each (factor,); nan with fewer than two."""
    from scipy.stats import t as student

    usable = np.where(count > 1, count, np.nan)
    mean = np.nansum(effects, axis=0) / usable
    deviation = np.sqrt(np.nansum((effects - mean) ** 2, axis=0) / (usable - 1))
    half = student.ppf((1 + CONFIDENCE) / 2, usable - 1) * deviation / np.sqrt(usable)
    return mean, deviation, half
