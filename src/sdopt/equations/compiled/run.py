"""An optional backend for `simulate.run`: the program as machine code, made with llvmlite in this process.

The answers do not depend on blocks or threads, to the byte: every scenario is computed by the same
operations, whichever vector and place in it it has. They are those of `run_block` within the rounding of
exp, ln, power and the like.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.compiled.code import LANES
from sdopt.equations.compiled.kernel import Kernel
from sdopt.equations.compiled.layout import Layout, Shapes
from sdopt.equations.program import Program
from sdopt.errors import SimulationError

Array = NDArray[Any]
Given = Mapping[str, Array]

_KERNELS: dict[int, dict[Shapes, Kernel]] = {}
"""What has been compiled, per program (by identity; forgotten with the program)."""
_COMPILING = Lock()


def run_compiled(program: Program, given: Given, result: Array) -> None:
    """Simulate the scenarios of `result` (output, saved, scenario) into it, as `block.run_block` does.

    The first call for a program compiles it.

    Raises
    ------
    SdoptError
        When llvmlite is not installed.
    SimulationError
        When the result is complex: derivatives are not for this backend.
    """
    if result.dtype != np.float64:
        raise SimulationError(
            f"the compiled backend gives real numbers (float64), not {result.dtype}; "
            "for derivatives use the NumPy backend (run_block)."
        )
    kernel = _kernel(program, given, result.shape[2])
    beside = result.strides[2] == result.itemsize and result.flags.aligned
    whole = result.shape[2] // LANES * LANES if beside else 0
    if whole:
        kernel.run(_part(given, slice(0, whole)), result[:, :, :whole])
    for first in range(whole, result.shape[2], LANES):
        part = slice(first, first + LANES)
        padded = np.empty((*result.shape[:2], LANES))
        kernel.run(_part(given, part), padded)
        result[:, :, part] = padded[:, :, : result.shape[2] - first]


def _part(given: Given, part: slice) -> dict[str, Array]:
    return {key: values if values.shape[1] == 1 else values[:, part] for key, values in given.items()}


def _kernel(program: Program, given: Given, width: int) -> Kernel:
    """The compiled program for inputs of these shapes; compiled when it is not there yet."""
    moving = frozenset(key for key, values in given.items() if values.shape[0] > 1)
    by_both = frozenset(key for key in moving if given[key].shape[1] > 1)
    shapes = Shapes(by_both, moving - by_both)
    with _COMPILING:
        if id(program) not in _KERNELS:
            _KERNELS[id(program)] = {}
            weakref.finalize(program, _KERNELS.pop, id(program))
        known = _KERNELS[id(program)]
        if width == 1:  # one scenario, perhaps the last of many: what fits many fits it
            shapes = next((s for s in known if s.by_both | s.by_time == moving), shapes)
        if shapes not in known:
            known[shapes] = Kernel(Layout(program, shapes))
        return known[shapes]
