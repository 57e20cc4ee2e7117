"""Designs: which points of the unit cube are drawn, one side of the cube per uncertain constant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import Design
from sdopt.errors import ConfigError
from sdopt.uncertainty.sensitivity.designs import morris_design, saltelli_design

Floats = NDArray[np.float64]

LARGEST = 2**27
"""Most numbers in one design: 1 GiB."""
EDGE = 2.0**-40
"""Closest that a draw comes to 0 or 1, so that every quantile is finite."""
INDEPENDENT: tuple[Design, ...] = ("grid", "morris", "saltelli")
"""Designs whose meaning is lost when constants go together."""


def design_size(design: Design, count: int, size: int, levels: int) -> int:
    """Draws of a design for `size` constants.

    `count` is the number of draws; of `morris` of trajectories (`size` + 1 draws each), of `saltelli` of base
    points (`size` + 2 draws each); a `grid` has `levels` draws to the power `size`.
    """
    each = {"morris": size + 1, "saltelli": size + 2}
    return levels**size if design == "grid" else count * each.get(design, 1)


def unit_design(design: Design, count: int, size: int, seed: int, levels: int = 4, worlds: int = 1) -> Floats:
    """Shares between 0 and 1, (constant, draw); the same seed gives the same numbers.

    Levels of a grid lie in the middle of `levels` equally likely parts, so that every draw counts the same.
    The draws of `morris` and `saltelli` stand in the order that their analysis needs. All will be used in
    `worlds` external scenarios.

    Raises
    ------
    ConfigError
        When the design has too many draws, or `saltelli` a number of base points that it cannot have.
    """
    draws = design_size(design, count, size, levels)
    if draws * size * worlds > LARGEST:
        raise ConfigError(_too_many(design, draws, size, levels, worlds))
    if design == "latin hypercube":
        return _latin_hypercube(count, size, seed)
    if design == "sobol":
        return _sobol(count, size, seed)
    if design == "grid":
        return _grid(levels, size)
    if design == "morris":
        return np.ascontiguousarray(morris_design(count, size, levels, seed).T)
    return np.ascontiguousarray(saltelli_design(count, size, seed).T)


def advice(design: Design, count: int) -> str:
    """What would be a better number of draws and why, in one sentence, or ''."""
    if design != "sobol" or not count & (count - 1):
        return ""
    below = 2 ** (count.bit_length() - 1)
    return (
        f"{count} points of a Sobol sequence do not fill the space evenly, a power of two does: "
        f"take {below} or {2 * below}"
    )


def _too_many(design: Design, draws: int, size: int, levels: int, worlds: int) -> str:
    most = LARGEST // (size * worlds)
    told = f"{draws:,}" if draws < 10**15 else f"{levels}^{size}"
    if design == "grid":
        return (
            f"a grid of {levels} levels for {size} constants has {told} draws; at most {most:,} fit in "
            "memory: list fewer uncertainties, lower `levels`, or choose latin hypercube"
        )
    return f"{told} draws of {size} constants do not fit in memory; at most {most:,} do: ask for fewer"


def _latin_hypercube(count: int, size: int, seed: int) -> Floats:
    """One draw in each of `count` equally likely parts of every constant, in random order."""
    design = np.empty((size, count))
    for row, random in zip(design, np.random.default_rng(seed).spawn(size), strict=True):
        row[:] = (random.permutation(count) + random.random(count)) / count
    return np.clip(design, EDGE, 1 - EDGE, out=design)


def _sobol(count: int, size: int, seed: int) -> Floats:
    """The first points of a scrambled Sobol sequence."""
    from scipy.stats import qmc

    # Drawn up to a power of two, as SciPy warns of any other number; its first points are the same.
    points = qmc.Sobol(size, rng=np.random.default_rng(seed)).random(1 << (count - 1).bit_length())
    design = np.ascontiguousarray(points[:count].T)
    return np.clip(design, EDGE, 1 - EDGE, out=design)


def _grid(levels: int, size: int) -> Floats:
    """Every combination of levels; the last constant changes fastest."""
    middles = (np.arange(levels) + 0.5) / levels
    return np.array(np.meshgrid(*[middles] * size, indexing="ij")).reshape(size, -1)
