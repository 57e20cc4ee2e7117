"""Run a program for many scenarios at once: explicit Euler, every output at every grid time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.block import run_block
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.system import EquationSystem
from sdopt.errors import SimulationError

Array = NDArray[Any]

BLOCK = 2048
"""Scenarios simulated together: enough to amortise Python, few enough to bound memory and share threads."""


def run(
    program: Program,
    constants: Mapping[str, float | Array] | None = None,
    paths: Mapping[str, Array] | None = None,
    *,
    check: bool = True,
    threads: int = 1,
) -> Array:
    """Simulate.

    Parameters
    ----------
    constants : value of inputs that stay the same: a number, or an array (scenario,); model units
    paths : values of inputs over time: (steps + 1,), or (steps + 1, scenario); model units
    check : raise when an output is inf or nan
    threads : blocks of scenarios run at the same time; the answer does not depend on it

    Returns
    -------
    (output, steps + 1, scenario), complex128 when any input is complex, else float64

    Raises
    ------
    SimulationError
        If an input is missing, unknown or of a wrong shape; if an output is inf or nan.
    """
    given = _as_grid_arrays(program, constants or {}, paths or {})
    width = max((values.shape[1] for values in given.values()), default=1)
    dtype = np.result_type(np.float64, *(values.dtype for values in given.values()))
    result = np.empty((len(program.outputs), program.grid.steps + 1, width), dtype)

    def run_from(first: int) -> None:
        block = slice(first, first + BLOCK)
        part = {key: v if v.shape[1] == 1 else v[:, block] for key, v in given.items()}
        with np.errstate(all="ignore"):  # inf and nan are found by `check`
            run_block(program, part, result[:, :, block])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run_from, range(0, width, BLOCK)))
    if check:
        check_finite(program, result)
    return result


def simulate_all(
    system: EquationSystem,
    grid: TimeGrid,
    constants: Mapping[str, float | Array] | None = None,
    paths: Mapping[str, Array] | None = None,
    *,
    check: bool = True,
) -> dict[str, Array]:
    """Every variable of the model, by key: arrays (steps + 1, scenario). See `run`."""
    keys = tuple(system.variables)
    program = compile_program(system, grid, keys, (*(constants or {}), *(paths or {})))
    return dict(zip(keys, run(program, constants, paths, check=check), strict=True))


def _as_grid_arrays(
    program: Program, constants: Mapping[str, float | Array], paths: Mapping[str, Array]
) -> dict[str, Array]:
    """Inputs as arrays (1 or steps + 1, 1 or scenario)."""
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


def check_finite(program: Program, result: Array) -> None:
    """Raise for the earliest inf or nan."""
    if np.isfinite(result).all():
        return
    output, step, scenario = np.argwhere(~np.isfinite(result)).T
    first = int(np.argmin(step))
    raise SimulationError(
        f'"{program.names[output[first]]}" is {result[output[first], step[first], scenario[first]]} '
        f"at time {program.grid.times[step[first]]:g} (scenario {scenario[first]}). "
        "Look for a division by zero, a logarithm or root of a negative number, or a step that is too long."
    )
