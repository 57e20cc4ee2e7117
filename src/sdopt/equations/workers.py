"""Processes that simulate blocks of scenarios beside each other.

NumPy's calls on a row that fits the cache last a few microseconds; handing Python's lock to another
thread takes longer than that, so threads gain nothing. Processes do, once the work outlasts their start.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import Program
from sdopt.equations.scenarios import usable_cores

Array = NDArray[Any]
Backend = Callable[[Program, Mapping[str, Array], Array], None]
"""Simulates the scenarios of a result (output, saved, scenario) into it, as `run_block` does."""

WORTHWHILE = 3e9
"""Instructions times steps times scenarios (half a nanosecond each) from which processes save time."""

_given: tuple[Program, Backend]
"""In a process of the pool: what it simulates, and how."""


def worthwhile_processes(program: Program, scenarios: int) -> int:
    """How many processes to use for a job: all cores, or 1 when it is done before they have started."""
    work = (len(program.loop) + 1.0) * program.grid.steps * scenarios
    return usable_cores() if work > WORTHWHILE else 1


def empty_result(program: Program, given: Mapping[str, Array], width: int) -> Array:
    """Room for results (output, saved, scenario), complex128 when an input is."""
    dtype = np.result_type(np.float64, *(values.dtype for values in given.values()))
    return np.empty((len(program.outputs), len(program.saved), width), dtype)


def simulate_into(result: Array, program: Program, given: Mapping[str, Array], backend: Backend) -> None:
    """Fill a result; inf and nan are left for others to find."""
    with np.errstate(all="ignore"):
        backend(program, given, result)


def simulate_block(program: Program, backend: Backend, given: Mapping[str, Array], width: int) -> Array:
    """Results (output, saved, scenario) of one block."""
    result = empty_result(program, given, width)
    simulate_into(result, program, given, backend)
    return result


def process_pool(program: Program, backend: Backend, processes: int) -> ProcessPoolExecutor:
    """Processes that know the program; `simulate_known` is what to submit.

    They are spawned, as on Windows: a script that uses them needs `if __name__ == "__main__":`.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, context, _take, (program, backend))


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which the terminal sends to all processes, to the one that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _take(program: Program, backend: Backend) -> None:
    global _given  # noqa: PLW0603  a process is told once what it works on
    ignore_interrupts()
    _given = program, backend


def simulate_known(given: Mapping[str, Array], width: int) -> Array:
    """`simulate_block` of the program this process knows."""
    return simulate_block(*_given, given, width)
