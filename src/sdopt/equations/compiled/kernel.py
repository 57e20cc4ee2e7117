"""A compiled layout, and the memory it is called with."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.compiled.code import BYTES, LANES
from sdopt.equations.compiled.host import MachineCode
from sdopt.equations.compiled.layout import Layout
from sdopt.equations.compiled.program import module_text
from sdopt.equations.program import Program

Array = NDArray[Any]
Given = Mapping[str, Array]


class Kernel:
    """Machine code for a layout; holds no reference to the program, so that it goes when that goes."""

    def __init__(self, layout: Layout) -> None:
        program = layout.program
        self._code = MachineCode(module_text(layout))
        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self._ahead = self._code.function("ahead", number, pointer, pointer)
        self._run = self._code.function("run", number, number, *[pointer] * 6, number, number, pointer)
        self._inputs = tuple(program.inputs)
        self._paths = tuple(key for key in program.inputs if key in layout.shapes.by_both)
        self._moments = _moments(layout)
        self._tabled = len(layout.table)
        self._working = LANES * (len(layout.stocks) + len(layout.kept))
        self._saved = list(program.saved)
        self._slots = np.full(program.saved[-1] + 1, -1, np.int64)
        self._slots[self._saved] = np.arange(len(self._saved))
        known, table = program.numbers, layout.table
        outputs = list(enumerate(program.output_registers))
        self._fixed = [(place, known[r]) for place, r in outputs if r in known]
        self._columns = [(place, table[r]) for place, r in outputs if r in table]

    def run(self, given: Given, result: Array) -> None:
        """Simulate whole vectors of scenarios; the last axis of `result` is contiguous."""
        width = result.shape[2]
        table = self._table(given)
        self._report_known(table, result)
        paths = [_beside_each_other(_spread(given[key], width)) for key in self._paths]
        addresses = np.array([path.ctypes.data for path in paths], np.uint64)
        strides = np.array([path.strides[0] for path in paths], np.int64)
        constants, working = self._constants(given, width), _aligned(self._working)
        arrays = (constants, addresses, strides, table, self._slots, result)
        self._run(
            width // LANES,
            len(self._slots),
            *(array.ctypes.data for array in arrays),
            *result.strides[:2],
            working.ctypes.data,
        )

    def _report_known(self, table: Array, result: Array) -> None:
        """Write the outputs that are the same for all scenarios."""
        for place, value in self._fixed:
            result[place] = value
        for place, column in self._columns:
            result[place] = table[self._saved, column, np.newaxis]

    def _table(self, given: Given) -> Array:
        """What is the same for all scenarios, (moment, register)."""
        rows = [given[source][:, 0] if isinstance(source, str) else source for source in self._moments]
        moments = np.array([_padded(row) for row in rows])
        made = np.empty((self._tabled, moments.shape[1]))
        self._ahead(moments.shape[1] // LANES, moments.ctypes.data, made.ctypes.data)
        return np.ascontiguousarray(made.T)

    def _constants(self, given: Given, width: int) -> Array:
        """What is the same at all moments, as (vector, input, lane)."""
        constants = np.empty((width // LANES, len(self._inputs), LANES))
        for place, key in enumerate(self._inputs):
            constants[:, place] = _spread(given[key][:1], width).reshape(-1, LANES)
        return constants


def _moments(layout: Layout) -> list[Array | str]:
    """What `ahead` is given, row by row: values over time, or the input that has them."""
    program: Program = layout.program
    grid = program.grid
    sources: dict[int, Array | str] = {registers.now: key for key, registers in program.inputs.items()}
    sources[program.time] = grid.times
    sources[program.time_step] = np.append(grid.widths, grid.widths[-1])
    return [sources[register] for register in layout.moments]


def _padded(row: Array) -> Array:
    """Values over time, the last again to fill a vector."""
    return np.pad(row, (0, -len(row) % LANES), "edge")


def _spread(values: Array, width: int) -> Array:
    """The same with as many scenarios as asked: one for all, or the last again to fill a vector."""
    if values.shape[1] == width:
        return values
    if values.shape[1] == 1:
        return np.broadcast_to(values, (len(values), width))
    return np.pad(values, ((0, 0), (0, width - values.shape[1])), "edge")


def _beside_each_other(values: Array) -> Array:
    """The same, with neighbouring scenarios beside each other in memory."""
    ready = values.strides[1] == values.itemsize and values.flags.aligned and values.dtype == np.float64
    return values if ready else np.ascontiguousarray(values, np.float64)


def _aligned(count: int) -> Array:
    """Memory for numbers, where no vector lies across two lines of the cache."""
    memory = np.empty(count + LANES)
    skip = -memory.ctypes.data % BYTES // memory.itemsize
    return memory[skip : skip + count]
