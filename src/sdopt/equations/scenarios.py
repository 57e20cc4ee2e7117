"""The scenarios of a run: their inputs as arrays of one shape, and the blocks they are simulated in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import Program
from sdopt.errors import SimulationError

Array = NDArray[Any]

SHARE = 512
"""Fewer scenarios than this are not worth a thread: NumPy would not let another one run beside it."""


def usable_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def scenario_blocks(count: int, width: int) -> list[slice]:
    """All scenarios in order, in blocks of `width`; none of one scenario, unless there is only one.

    NumPy may round a single number in another way than a row of them.
    """
    starts = list(range(0, count, max(width, 2)))
    if count > 1 and count - starts[-1] == 1:
        starts.pop()
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], count], strict=False)]


def shared_width(count: int, width: int, threads: int) -> int:
    """At most `width`, and narrow enough that every thread has a block, if that is worth it."""
    return min(width, max(SHARE, -(-count // threads)))


def in_blocks(work: Callable[[slice], None], blocks: Sequence[slice], threads: int) -> None:
    """Do the work of all blocks, some at the same time; raises what the earliest block that failed raised."""
    if len(blocks) == 1:
        work(blocks[0])
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, blocks):
            pass


def scenarios_of(given: Mapping[str, Array]) -> int:
    """Number of scenarios of inputs (1 or steps + 1, 1 or scenario)."""
    return max((values.shape[1] for values in given.values()), default=1)


def cut(given: Mapping[str, Array], block: slice) -> dict[str, Array]:
    """The inputs of some scenarios."""
    return {key: values if values.shape[1] == 1 else values[:, block] for key, values in given.items()}


def as_grid_arrays(
    program: Program, constants: Mapping[str, float | Array], paths: Mapping[str, Array]
) -> dict[str, Array]:
    """Inputs as arrays (1 or steps + 1, 1 or scenario).

    Raises
    ------
    SimulationError
        If an input is missing, unknown or of a wrong shape.
    """
    _check_inputs(program, constants, paths)
    steps = program.grid.steps
    given = {key: np.atleast_1d(np.asarray(value))[np.newaxis] for key, value in constants.items()}
    for key, value in paths.items():
        given[key] = np.asarray(value).reshape(-1, 1) if np.ndim(value) == 1 else np.asarray(value)
    widths = {values.shape[-1] for values in given.values()} - {1}
    for key, values in given.items():
        rows = steps + 1 if key in paths else 1
        if values.ndim != 2 or values.shape[0] != rows or len(widths) > 1:
            wanted = f"(steps + 1 = {rows}, scenario)" if key in paths else "(scenario,)"
            found = np.shape(paths[key] if key in paths else constants[key])
            raise SimulationError(
                f'input "{key}" has shape {found}; expected '
                f"{wanted}, with one number of scenarios for all inputs (found: {sorted(widths)})."
            )
    return {key: np.asarray(v, np.result_type(np.float64, v.dtype)) for key, v in given.items()}


def _check_inputs(program: Program, constants: Mapping[str, object], paths: Mapping[str, object]) -> None:
    given = [*constants, *paths]
    for key in program.inputs:
        if given.count(key) != 1:
            raise SimulationError(f'input "{key}" must be given once, as a constant or as a path.')
    for key in given:
        if key not in program.inputs:
            raise SimulationError(
                f'"{key}" is not an input of this program (inputs: {sorted(program.inputs)}).'
            )
