"""Run a program for any number of scenarios; outputs at the saved times.

Scenarios are simulated in blocks. The answer, to the byte, does not depend on how wide the blocks are or
on how many threads work on them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.block import MEMORY, block_width, bytes_of_one, run_block
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.scenarios import (
    as_grid_arrays,
    cut,
    in_blocks,
    scenario_blocks,
    scenarios_of,
    shared_width,
    usable_cores,
)
from sdopt.equations.system import EquationSystem
from sdopt.equations.workers import (
    Backend,
    empty_result,
    process_pool,
    simulate_block,
    simulate_into,
    simulate_known,
)
from sdopt.errors import SimulationError

Array = NDArray[Any]
Drawn = Callable[[slice], Array]
"""From a slice of scenarios to the values of an input, so that not all need to exist at once."""

STREAMED = 64 * 2**20
"""Bytes that inputs and results of one block of a stream may take."""

SHARED = 16384
"""Scenarios in a block of `run_block` while another thread runs another block, if that fits in memory. A call
of NumPy then takes some ten microseconds. After each, threads hand Python's lock to each other, which takes
almost as long: with blocks that fit the cache two threads were slower than one."""


def run(
    program: Program,
    constants: Mapping[str, float | Array] | None = None,
    paths: Mapping[str, Array] | None = None,
    *,
    check: bool = True,
    threads: int | None = None,
    backend: Backend = run_block,
) -> Array:
    """Simulate, and keep every result.

    Parameters
    ----------
    constants : value of inputs that stay the same: a number, or an array (scenario,); model units
    paths : values of inputs over time: (steps + 1,), or (steps + 1, scenario); model units
    check : raise when an output is inf or nan
    threads : blocks of scenarios run at the same time; None is as many as there are cores
    backend : what simulates one block

    Returns
    -------
    (output, saved, scenario), complex128 when any input is complex, else float64

    Raises
    ------
    SimulationError
        If an input is missing, unknown or of a wrong shape; if an output is inf or nan.
    """
    given = as_grid_arrays(program, constants or {}, paths or {})
    width, workers = scenarios_of(given), threads or usable_cores()
    result = empty_result(program, given, width)

    def run_one(block: slice) -> None:
        simulate_into(result[:, :, block], program, cut(given, block), backend)

    in_block, workers = _shares(program, width, workers, backend)
    in_blocks(run_one, scenario_blocks(width, in_block), workers)
    if check:
        check_finite(program, result)
    return result


def stream(
    program: Program,
    constants: Mapping[str, float | Array | Drawn] | None = None,
    paths: Mapping[str, Array | Drawn] | None = None,
    *,
    scenarios: int,
    threads: int | None = None,
    processes: int = 1,
    backend: Backend = run_block,
) -> Iterator[tuple[slice, Array]]:
    """Simulate block by block; memory does not grow with the number of scenarios.

    Inf and nan are left in the results: `failures` says which scenarios failed, and why.

    Parameters
    ----------
    constants, paths : as for `run`; or per input a function from a slice of scenarios to their values,
        which is called once per block, in order, by the thread that takes the results
    scenarios : how many
    threads, backend : as for `run`; but None is one thread with `run_block`, which gains nothing from more
    processes : more than 1 simulates in processes instead of threads; see `worthwhile_processes`

    Yields
    ------
    which scenarios, in order, and their results (output, saved, scenario)

    Raises
    ------
    SimulationError
        If an input is missing, unknown or of a wrong shape.
    """
    workers = processes if processes > 1 else threads or (1 if backend is run_block else usable_cores())
    waiting: deque[tuple[slice, Future[Array]]] = deque()
    pool: Executor
    if processes > 1:
        pool, work = process_pool(program, backend, processes), simulate_known
    else:
        pool, work = ThreadPoolExecutor(workers), partial(simulate_block, program, backend)
    with pool:
        for block in scenario_blocks(scenarios, _stream_width(program, scenarios, workers, len(paths or {}))):
            given = _draw(program, constants or {}, paths or {}, block, scenarios)
            waiting.append((block, pool.submit(work, given, block.stop - block.start)))
            if len(waiting) > workers:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


def failures(program: Program, result: Array) -> dict[int, str]:
    """Why scenarios of a result (output, saved, scenario) failed, by position: the first inf or nan."""
    found: dict[int, str] = {}
    for scenario in np.flatnonzero(~np.isfinite(result).all(axis=(0, 1))):
        values = result[:, :, scenario]
        place, output = np.argwhere(~np.isfinite(values.T))[0]
        time = program.grid.times[program.saved[place]]
        found[int(scenario)] = f'"{program.names[output]}" is {values[output, place]} at time {time:g}'
    return found


def check_finite(program: Program, result: Array, first: int = 0) -> None:
    """Raise for the earliest inf or nan of a result (output, saved, scenario), of scenarios from `first`."""
    if np.isfinite(result).all():
        return
    _, scenario, _ = np.argwhere(~np.isfinite(result.transpose(1, 2, 0)))[0]
    raise SimulationError(
        f"{failures(program, result[:, :, [scenario]])[0]} (scenario {first + scenario}). "
        "Look for a division by zero, a logarithm or root of a negative number, or a step that is too long."
    )


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


def _shares(program: Program, scenarios: int, threads: int, backend: Backend) -> tuple[int, int]:
    """How many scenarios to simulate in a block, and how many blocks at the same time."""
    if backend is not run_block:
        return shared_width(scenarios, block_width(program), threads), threads
    threads = min(threads, scenarios // SHARED) if SHARED * bytes_of_one(program) <= MEMORY else 1
    if threads < 2:
        return block_width(program), 1
    return -(-scenarios // (threads * round(scenarios / (threads * SHARED)))), threads


def _stream_width(program: Program, scenarios: int, threads: int, paths: int) -> int:
    results = len(program.outputs) * len(program.saved)
    inputs = len(program.inputs) + paths * program.grid.steps
    fitting = STREAMED // (8 * (results + inputs))
    return shared_width(scenarios, min(block_width(program), fitting), threads)


def _draw(
    program: Program,
    constants: Mapping[str, float | Array | Drawn],
    paths: Mapping[str, Array | Drawn],
    block: slice,
    scenarios: int,
) -> dict[str, Array]:
    """The inputs of one block, drawn or cut from arrays that hold all scenarios."""

    def of_block(key: str, value: float | Array | Drawn, axes: int) -> Any:
        if callable(value):
            return value(block)
        if np.ndim(value) < axes or np.shape(value)[-1] == 1:
            return value
        if np.shape(value)[-1] != scenarios:
            raise SimulationError(
                f'input "{key}" holds {np.shape(value)[-1]} scenarios, but {scenarios} are asked for.'
            )
        return np.asarray(value)[..., block]

    drawn = as_grid_arrays(
        program,
        {key: of_block(key, value, 1) for key, value in constants.items()},
        {key: of_block(key, value, 2) for key, value in paths.items()},
    )
    if scenarios_of(drawn) not in (1, block.stop - block.start):
        raise SimulationError(
            f"the inputs drawn for scenarios {block.start} to {block.stop - 1} hold {scenarios_of(drawn)}."
        )
    return drawn
