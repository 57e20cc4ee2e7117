"""Designs on the unit cube that Sobol indices and Morris screening need; rows are scenarios, columns factors.

No number is ever 0 or 1, so that every quantile of an unbounded distribution is finite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import ConfigError

Floats = NDArray[np.float64]

REPLICATES = 8
"""Independent scramblings of one Saltelli design; their spread gives the confidence intervals."""

SMALLEST = 8 * REPLICATES
"""Fewest base points of a Saltelli design."""

EDGE = 2.0**-40
"""Closest that a point of a Saltelli design comes to 0 or 1."""

TAIL = 0.01
"""Lowest level of a Morris design; the highest is 1 - TAIL."""


def saltelli_design(count: int, size: int, seed: int) -> Floats:
    """The scenarios from which `sobol.sobol_indices` estimates first-order and total indices.

    Every base point b has `size + 2` rows after each other: `A[b]`; then `A[b]` with factor 0, 1, ... taken
    from `B[b]`; then `B[b]`. (A, B) are 2 x `size` coordinates of scrambled Sobol points: `REPLICATES`
    scramblings, independent of each other, of `count / REPLICATES` points each, one after the other.

    Parameters
    ----------
    count : number of base points (N), a power of two of at least `SMALLEST`
    size : number of factors (k)
    seed : the same seed gives the same design

    Returns
    -------
    (count * (size + 2), size) array, inside the unit cube

    Raises
    ------
    ConfigError
        If `count` is not such a power of two.

    Source
    ------
    Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018 (design); Owen 1997, doi 10.1214/aos/1031594731.
    """
    check_base_points(count)
    first, second = np.split(_scrambled(count, 2 * size, seed), 2, axis=1)
    design = np.repeat(first[:, None], size + 2, axis=1)
    factor = np.arange(size)
    design[:, 1 + factor, factor] = second
    design[:, -1] = second
    return design.reshape(-1, size)


def check_base_points(count: int) -> None:
    """Raise a `ConfigError` when a Saltelli design cannot have `count` base points."""
    if count < SMALLEST or count & (count - 1):
        nearest = max(SMALLEST, 2 ** round(np.log2(max(count, 1))))
        raise ConfigError(
            f"{count} base points for Sobol indices; a power of two of at least {SMALLEST} is needed, "
            f"{nearest} for example"
        )


def morris_design(trajectories: int, size: int, levels: int, seed: int) -> Floats:
    """Random walks in which every factor moves once: the scenarios for `morris.morris_screening`.

    Every trajectory has `size + 1` rows after each other, each differing from the one before in one factor,
    by `levels` / 2 levels up or down, in random order. Levels lie evenly from `TAIL` to 1 - `TAIL`.

    Parameters
    ----------
    trajectories : number of trajectories, at least 2
    size : number of factors
    levels : number of values of each factor, even
    seed : the same seed gives the same design

    Returns
    -------
    (trajectories * (size + 1), size) array, inside the unit cube

    Raises
    ------
    ConfigError
        If there are fewer than two trajectories, or `levels` is odd or less than 2.

    Source
    ------
    Morris 1991, doi 10.1080/00401706.1991.10484804, with levels that keep clear of 0 and 1.
    """
    if trajectories < 2:
        raise ConfigError(f"{trajectories} trajectories for Morris screening; at least 2 are needed")
    if levels < 2 or levels % 2:
        raise ConfigError(f"{levels} levels for Morris screening; an even number of at least 2 is needed")
    random = np.random.default_rng(seed)
    low = random.integers(levels // 2, size=(trajectories, 1, size))
    upwards = random.random((trajectories, 1, size)) < 0.5
    turn = random.permuted(np.tile(np.arange(size), (trajectories, 1)), axis=1)[:, None]
    moved = turn < np.arange(size + 1)[:, None]
    level = low + levels // 2 * (moved == upwards)
    return np.asarray(TAIL + (1 - 2 * TAIL) * level / (levels - 1)).reshape(-1, size)


def _scrambled(count: int, size: int, seed: int) -> Floats:
    """Replicates of scrambled Sobol points below each other: (count, size)."""
    from scipy.stats import qmc

    streams = np.random.default_rng(seed).spawn(REPLICATES)
    parts = [qmc.Sobol(size, rng=stream).random(count // REPLICATES) for stream in streams]
    return np.asarray(np.clip(np.concatenate(parts), EDGE, 1 - EDGE))
