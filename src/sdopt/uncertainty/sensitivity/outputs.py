"""Outputs as columns: their shape, and whether there is any variance to explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Differences below this part of the largest value are rounding errors."""


def outputs_of(values: Floats, outputs: Sequence[str]) -> Floats:
    """Values (row, output) or, of one output, (row,): as (output, row)."""
    columns = np.asarray(values, dtype=np.float64).reshape(len(values), -1).T
    if len(columns) != len(outputs):
        raise ValueError(f"{len(columns)} columns of values for {len(outputs)} names of outputs")
    return columns


def is_constant(values: Floats) -> bool:
    """Whether finite values of one output differ by no more than rounding."""
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())
