"""Exact derivatives of outputs with respect to every value of every input path.

`complex_step` carries directions forward, one column each; `reverse` carries weights backward and costs
about the same however many inputs there are. Both take the same side at a kink; see `functions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.block import before_the_loop
from sdopt.equations.functions import partial_times
from sdopt.equations.program import Instruction, Program
from sdopt.equations.simulate import check_finite, run

Array = NDArray[Any]

STEP = 1e-30
"""Size of the imaginary part: its square vanishes, so the derivative has no truncation error."""


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
    values (output, steps + 1) and derivatives (output, steps + 1, direction)

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
    program: Program, constants: Mapping[str, float], paths: Mapping[str, Array], weights: Array
) -> dict[str, Array]:
    """Gradient of weighted sums of outputs over time.

    Functional f is the sum over outputs and grid times of `weights[f, output, step]` times the output.
    All steps are swept at once through the instructions of one step; what is left over time is a
    small matrix recursion over stocks.

    Parameters
    ----------
    constants, paths : as for `run`, for one scenario: numbers and (steps + 1,)
    weights : (functional, output, steps + 1)

    Returns
    -------
    Per key of `paths` the derivative by the value at each grid time: (functional, steps + 1)

    Raises
    ------
    SimulationError
        As `run`, and if a gradient is inf or nan.
    """
    values = _values(program, constants, paths)
    per_step = _per_step(program, values, weights)
    by_stock = _back_through_time(program, per_step, len(weights))
    gradients = {}
    for key in paths:
        registers = program.inputs[key]
        gradients[key] = _over_steps(program, per_step, by_stock, registers.now)
        # INITIAL( ) keeps what an input was at the start for all steps; stocks start from it too.
        kept = _over_steps(program, per_step, by_stock, registers.start).sum(axis=1)
        gradients[key][:, 0] += kept + _at_start(program, values, by_stock, registers.start)
    return gradients


def _values(program: Program, constants: Mapping[str, float], paths: Mapping[str, Array]) -> dict[int, Array]:
    """Every register of one scenario, (1,) or (steps + 1,)."""
    loop = tuple(i.output for i in program.loop) + tuple(s.stock for s in program.stocks)
    everything = replace(
        program,
        outputs=(*program.outputs, *map(str, loop)),
        output_registers=(*program.output_registers, *loop),
    )
    result = run(everything, constants, paths, check=False)[:, :, 0]
    check_finite(program, result[: len(program.outputs), :, np.newaxis])
    given = {
        key: np.atleast_1d(np.asarray(v, float))[:, np.newaxis]
        for key, v in (*constants.items(), *paths.items())
    }
    with np.errstate(all="ignore"):
        outside, _ = before_the_loop(program, given)
    values = {register: value[:, 0] for register, value in outside.items()}
    for register, value in zip(loop, result[len(program.outputs) :], strict=True):
        values[register] = value != 0 if register in program.truths else value
    return values


def _per_step(program: Program, values: Mapping[int, Array], weights: Array) -> dict[int, Array]:
    """Derivatives within each step, by register: (row, steps + 1).

    The first rows are the weighted sums of outputs, then comes one row per stock: its net flow.
    """
    rows = len(weights) + len(program.stocks)
    seeds: dict[int, Array] = {}
    for output, register in enumerate(program.output_registers):
        seed = seeds.setdefault(register, np.zeros((rows, program.grid.steps + 1)))
        seed[: len(weights)] += weights[:, output]
    for row, stock in enumerate(program.stocks, start=len(weights)):
        seeds.setdefault(stock.net_flow, np.zeros((rows, program.grid.steps + 1)))[row] += 1.0
    return _sweep((*program.outside, *program.loop), values, seeds)


def _sweep(
    instructions: Sequence[Instruction], values: Mapping[int, Array], seeds: dict[int, Array]
) -> dict[int, Array]:
    """Carry derivatives by each output register on to the registers it was computed from."""
    adjoints = dict(seeds)
    with np.errstate(all="ignore"):
        for instruction in reversed(instructions):
            if (adjoint := adjoints.pop(instruction.output, None)) is None:
                continue
            arguments = [values[register] for register in instruction.inputs]
            partials = instruction.function.partials(*arguments, values[instruction.output])
            for register, partial in zip(instruction.inputs, partials, strict=True):
                if partial is not None:
                    change = partial_times(partial, adjoint)
                    adjoints[register] = adjoints[register] + change if register in adjoints else change
    return adjoints


def _back_through_time(program: Program, per_step: Mapping[int, Array], functionals: int) -> Array:
    """Derivative of each functional by each stock at each grid time: (step, functional, stock)."""
    steps, stocks = program.grid.steps + 1, len(program.stocks)
    nothing = np.zeros((functionals + stocks, steps))
    jacobian = np.array([per_step.get(s.stock, nothing).T for s in program.stocks]).reshape(
        stocks, steps, functionals + stocks
    )
    jacobian = jacobian.transpose(1, 2, 0)  # (step, row, stock)
    by_stock = jacobian[:, :functionals].copy()
    for step in range(steps - 2, -1, -1):
        later = by_stock[step + 1]
        by_stock[step] += later + program.grid.step * (later @ jacobian[step, functionals:])
    return by_stock


def _over_steps(program: Program, per_step: Mapping[int, Array], by_stock: Array, register: int) -> Array:
    """Derivative of each functional by a register's value at each grid time: (functional, step)."""
    functionals = by_stock.shape[1]
    if register not in per_step:
        return np.zeros((functionals, program.grid.steps + 1))
    rows = per_step[register]
    gradient = rows[:functionals].copy()
    gradient[:, :-1] += program.grid.step * np.einsum("kfs,sk->fk", by_stock[1:], rows[functionals:, :-1])
    return gradient


def _at_start(program: Program, values: Mapping[int, Array], by_stock: Array, register: int) -> Array:
    """Derivative of each functional by a register, through the starting values of stocks: (functional,)."""
    seeds: dict[int, Array] = {}
    for column, stock in enumerate(program.stocks):
        seeds[stock.initial] = seeds.get(stock.initial, 0.0) + by_stock[0, :, column : column + 1]
    first = {r: value[:1] for r, value in values.items()}
    found = _sweep(program.outside, first, seeds).get(register)
    return np.zeros(by_stock.shape[1]) if found is None else found[:, 0]
