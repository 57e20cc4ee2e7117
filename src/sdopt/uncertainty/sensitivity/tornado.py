"""Tornado: every factor at its low and its high value, one at a time, all others central."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.uncertainty.sensitivity.outputs import outputs_of

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]


def tornado_design(low: Floats, central: Floats, high: Floats) -> Floats:
    """The scenarios for `tornado`: all central, then for each factor one with its low and one with its high.

    Parameters
    ----------
    low, central, high : (factor,) arrays, in each factor's own unit

    Returns
    -------
    (2 * factor + 1, factor) array, in each factor's own unit
    """
    size = len(central)
    design = np.tile(np.asarray(central, dtype=np.float64), (2 * size + 1, 1))
    factor = np.arange(size)
    design[1 + 2 * factor, factor] = low
    design[2 + 2 * factor, factor] = high
    return design


def tornado(values: Floats, factors: Sequence[str], outputs: Sequence[str]) -> DataFrame:
    """What every output is at the low and the high value of each factor, largest swing first.

    Parameters
    ----------
    values : (row, output) array in the row order of `tornado_design`
    factors, outputs : names

    Returns
    -------
    table with columns output, factor, central, at_low, at_high (each in the output's unit), swing (largest
    less smallest of these three, so that a factor for which both ends are on one side counts in full), and
    reason: why the swing is nan, or empty. Within an output sorted by swing; what failed comes last.
    """
    import pandas as pd

    tables = []
    for name, runs in zip(outputs, outputs_of(values, outputs), strict=True):
        three = np.array([np.full(len(factors), runs[0]), runs[1::2], runs[2::2]])
        swing = np.ptp(np.where(np.isfinite(three), three, np.nan), axis=0)
        table = {"central": three[0], "at_low": three[1], "at_high": three[2], "swing": swing}
        reason = np.where(np.isnan(swing), "a run failed: the output is inf or nan", "")
        tables.append(pd.DataFrame({"output": name, "factor": list(factors), **table, "reason": reason}))
    return pd.concat(
        table.sort_values("swing", ascending=False, kind="stable", na_position="last") for table in tables
    ).reset_index(drop=True)
