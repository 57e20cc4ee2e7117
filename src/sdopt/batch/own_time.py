"""The times a model asks for itself: its grid, and which of those to keep."""

from __future__ import annotations

import math

import numpy as np

from sdopt.equations.program import TimeGrid
from sdopt.equations.system import TimeAxis
from sdopt.errors import ConfigError

NEAR = 1e-3
"""How far from a multiple a time may be, as a fraction of the step: rounding."""


def own_grid(time: TimeAxis) -> TimeGrid:
    """The grid of the model file; as in Vensim, the last step may pass FINAL TIME when none ends there."""
    if time.times:
        return TimeGrid(time.start, time.times[-1], time.step, time.times)
    steps = (time.end - time.start) / time.step
    if abs(steps - round(steps)) <= NEAR:
        return TimeGrid(time.start, time.end, time.step)
    return TimeGrid(time.start, time.start + math.ceil(steps) * time.step, time.step)


def half_grid(grid: TimeGrid) -> TimeGrid:
    """The same times and one in the middle of each step."""
    if not grid.moments:
        return TimeGrid(grid.start, grid.end, grid.step / 2)
    middles = grid.times[:-1] + grid.widths / 2
    times = np.append(np.column_stack([grid.times[:-1], middles]).ravel(), grid.times[-1])
    return TimeGrid(grid.start, grid.end, grid.step / 2, tuple(times.tolist()))


def kept_steps(time: TimeAxis, grid: TimeGrid, every: float | None = None) -> tuple[int, ...]:
    """Grid indices of the times to keep: each `every` time units (None: SAVEPER), and the end.

    Raises
    ------
    ConfigError
        If `every` is not a whole number of steps.
    """
    if every is None and time.saved:
        kept = np.isin(grid.times, time.saved)
    else:
        every = time.save_step if every is None else _whole_steps(every, grid)
        passed = (grid.times - grid.start) / every
        kept = np.abs(passed - np.round(passed)) * every < grid.step * NEAR
    kept[-1] = True
    return tuple(np.flatnonzero(kept).tolist())


def _whole_steps(every: float, grid: TimeGrid) -> float:
    steps = every / grid.step
    if not (every > 0 and math.isfinite(every) and abs(steps - round(steps)) < NEAR):
        raise ConfigError(
            f"--every {every:g}: the times to keep must be a whole number of steps of {grid.step:g} apart."
        )
    return every
