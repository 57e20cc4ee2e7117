"""Sobol indices: which part of an output's variance each factor explains, alone and with all interactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.uncertainty.sensitivity.designs import REPLICATES, check_base_points
from sdopt.uncertainty.sensitivity.outputs import is_constant, outputs_of

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Probability that an interval holds the true index."""


def sobol_indices(values: Floats, factors: Sequence[str], outputs: Sequence[str]) -> DataFrame:
    """First-order and total indices with 95 % confidence intervals, of many outputs at once.

    A base point with a row that is inf or nan is left out whole, and counted: what failed is no random part
    of the futures, so that indices with many left out describe the futures that did not fail.

    Parameters
    ----------
    values : (row, output) array in the row order of `designs.saltelli_design`
    factors : names of the design's columns
    outputs : names of the columns of `values`

    Returns
    -------
    table with columns output, factor, first, first_low, first_high, total, total_low, total_high (parts of
    the variance), base_points (used), left_out (base points), and reason: why indices are nan, or empty.
    Bounds of an interval may be below 0 or above 1.

    Source
    ------
    Estimators: Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018, table 2 (b) and (f). Intervals: Student's
    t over independent scramblings (Owen 1997, doi 10.1214/aos/1031594731).
    """
    import pandas as pd

    tables = [_output_table(column, len(factors)) for column in outputs_of(values, outputs)]
    return pd.concat(
        pd.DataFrame({"output": name, "factor": list(factors), **table})
        for name, table in zip(outputs, tables, strict=True)
    ).reset_index(drop=True)


def _output_table(values: Floats, size: int) -> dict[str, Floats | int | str]:
    """The columns of one output, for values (row,): arrays (factor,) or one value for all."""
    points = _base_points(values, size)
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=2))
    used = int(kept.sum())
    reason = _why_undefined(points, kept)
    if reason:
        first = total = np.full((3, size), np.nan)
    else:
        first, total = _indices(points, kept)
    parts = {"first": first, "total": total}
    columns = {f"{name}{end}": part[k] for name, part in parts.items() for k, end in enumerate(_ENDS)}
    return {**columns, "base_points": used, "left_out": kept.size - used, "reason": reason}


_ENDS = ("", "_low", "_high")


def _base_points(values: Floats, size: int) -> Floats:
    """Values (row,) as (replicate, point, row of the point)."""
    count, rest = divmod(len(values), size + 2)
    if rest:
        raise ValueError(f"{len(values)} rows are no whole number of base points of {size + 2} rows")
    check_base_points(count)
    return values.reshape(REPLICATES, -1, size + 2)


def _why_undefined(points: Floats, kept: NDArray[np.bool_]) -> str:
    """Why indices of points (replicate, point, row) cannot be given, or ''."""
    replicates = int(kept.any(axis=1).sum())
    if replicates < 2:
        return f"too few base points without a failed run ({int(kept.sum())} of {kept.size})"
    if is_constant(points[kept][:, [0, -1]]):
        return "the output is the same in every scenario: there is no variance to explain"
    return ""


def _indices(points: Floats, kept: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """First-order and total indices (estimate, low, high; factor) of points (replicate, point, row)."""
    # Any shift and scale gives the same indices; this one keeps errors and squares small.
    centre, scale = points[kept].mean(), np.ptp(points[kept])
    scaled = np.where(kept[:, :, None], (points - centre) / scale, 0.0)
    base, mixed, other = scaled[:, :, :1], scaled[:, :, 1:-1], scaled[:, :, -1:]
    first = np.sum(other * (mixed - base), axis=1)
    total = np.sum((base - mixed) ** 2, axis=1) / 2
    ends = scaled[:, :, [0, -1]]
    spread = (ends - ends[kept].mean()) ** 2 * kept[:, :, None]
    variance = spread.sum(axis=(1, 2)) / 2
    present = kept.any(axis=1)
    return _ratio(first[present], variance[present]), _ratio(total[present], variance[present])


def _ratio(parts: Floats, whole: Floats) -> Floats:
    """Sum of parts (replicate, factor) over sum of wholes (replicate,): (estimate, low, high; factor).

    The ratio is of sums over replicates, which has less bias than the mean of ratios.
    """
    from scipy.stats import t as student

    count = len(whole)
    estimate = parts.sum(axis=0) / whole.sum()
    residuals = parts - estimate * whole[:, None]
    error = np.sqrt(count / (count - 1) * np.sum(residuals**2, axis=0)) / whole.sum()
    half = student.ppf((1 + CONFIDENCE) / 2, count - 1) * error
    return np.array([estimate, estimate - half, estimate + half])
