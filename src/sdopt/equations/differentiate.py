"""Exact derivatives of outputs with respect to every value of every input.

`complex_step` carries directions forward, one column each; `reverse` carries weights backward and costs
the same however many inputs or directions there are. Both take the same side at a kink; see `functions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.backward import Backward
from sdopt.equations.program import Program
from sdopt.equations.scenarios import (
    as_grid_arrays,
    cut,
    in_blocks,
    scenario_blocks,
    scenarios_of,
    shared_width,
    usable_cores,
)
from sdopt.equations.simulate import run
from sdopt.errors import SimulationError

Array = NDArray[Any]

STEP = 2.0**-664
"""Size of the imaginary part: its square is zero in floating point, so that real parts stay as they are even
where they are zero, and the derivative has no truncation error."""


def complex_step(
    program: Program,
    constants: Mapping[str, float],
    paths: Mapping[str, Array],
    directions: Mapping[str, Array],
) -> tuple[Array, Array]:
    """Outputs of one scenario, and their derivative along each direction.

    Parameters
    ----------
    constants, paths : as for `run`, for one scenario: numbers and (steps + 1,)
    directions : change per input path: (steps + 1, direction); an input that is absent stays as it is

    Returns
    -------
    values (output, saved) and derivatives (output, saved, direction)

    Raises
    ------
    SimulationError
        As `run`, and if a derivative is inf or nan.
    """
    moved = {key: np.asarray(path, dtype=float).reshape(-1, 1) for key, path in paths.items()}
    moved |= {key: moved[key] + 1j * STEP * np.asarray(change) for key, change in directions.items()}
    result = run(program, constants, moved)
    return result.real[:, :, 0].copy(), result.imag / STEP


def reverse(
    program: Program,
    constants: Mapping[str, float | Array],
    paths: Mapping[str, Array],
    weights: Array,
    *,
    threads: int | None = None,
) -> tuple[Array, dict[str, Array]]:
    """Weighted sums of outputs over time, and their gradients by every value of every input.

    Functional f is the sum over outputs and saved times of `weights[f, output, saved]` times the output.

    Parameters
    ----------
    constants, paths : as for `run`, for one or many scenarios; real numbers
    weights : (functional, output, saved)
    threads : as for `run`; the answer does not depend on it

    Returns
    -------
    values (functional, scenario), and gradients by key: for a path the derivative by its value at each
    grid time, (functional, steps + 1, scenario); for a constant (functional, scenario)

    Raises
    ------
    SimulationError
        As `run`, if the weights have another shape, and if a gradient is inf or nan; names the input
        and the time.
    """
    weights = np.asarray(weights, dtype=float)
    if weights.shape[1:] != (len(program.outputs), len(program.saved)):
        raise SimulationError(
            f"the weights have shape {weights.shape}; expected "
            f"(functional, {len(program.outputs)} outputs, {len(program.saved)} saved times)."
        )
    given = as_grid_arrays(program, constants, paths)
    count, width = len(weights), scenarios_of(given)
    values = np.empty((count, width))
    gradients = {key: np.empty((count, width)) for key in constants}
    gradients |= {key: np.zeros((count, program.grid.steps + 1, width)) for key in paths}
    backward = Backward(program, given, constants, weights)

    def differentiate(block: slice) -> None:
        part = cut(given, block)
        values[:, block], stocks = backward.values(part, block.start)
        backward.gradients(part, stocks, {key: gradient[..., block] for key, gradient in gradients.items()})

    workers = threads or usable_cores()
    in_blocks(differentiate, scenario_blocks(width, shared_width(width, backward.width, workers)), workers)
    _check_gradients(program, gradients)
    return values, gradients


def _check_gradients(program: Program, gradients: Mapping[str, Array]) -> None:
    for key, gradient in gradients.items():
        broken = np.argwhere(~np.isfinite(gradient))
        if len(broken):
            functional, *step, scenario = broken[0]
            when = f" at time {program.grid.times[step[0]]:g}" if step else ""
            raise SimulationError(
                f'the derivative of functional {functional} by "{key}"{when} is '
                f"{gradient[tuple(broken[0])]} (scenario {scenario}). Look for a root or a power at zero, or "
                "a division by a number that comes near zero."
            )
