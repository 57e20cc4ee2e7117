"""Run a program for one block of scenarios.

The steps are a plain list of NumPy calls, bound to their rows before the first step: no allocation and
no look-up by name inside the loop. A row holds one register for all scenarios of the block. A wide block
has a call per instruction and few rows, which stay in the cache; a narrow one fewer calls, on many rows
each (`packing.py`). Both give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.packed_rows import Call, PackedRows
from sdopt.equations.packing import once_per_program, plan_for
from sdopt.equations.pipelines import pipelines
from sdopt.equations.program import Instruction, Program, StockRegisters

Array = NDArray[Any]

AHEAD = 40_000
"""Largest (time x scenario) array computed before the loop; larger ones would leave the cache."""

OVERWRITES: Mapping[str, slice] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "negative", "abs", "min", "max"), slice(None)),
    "if_then_else": slice(2, 3),
}
"""Which arguments the real form may write its answer over: a row less to read. Only functions that are
rounded correctly, so that NumPy gives the same bits whichever way it takes."""


CACHE, MEMORY = 8 << 20, 64 << 20
"""Bytes of rows a step should touch, and may touch. (Measured: what Python takes per call weighs more than
the way to the third-level cache, and below 2048 scenarios even more than the way to memory.)"""

NARROWEST, WIDEST = 64, 8192
"""Scenarios in a block of many."""


def block_width(program: Program) -> int:
    """How many scenarios to simulate together: enough to amortise Python, few enough for the cache."""
    one = bytes_of_one(program)
    width = max(CACHE // one, min(2048, MEMORY // one))
    return max(NARROWEST, min(width // NARROWEST * NARROWEST, WIDEST))


@once_per_program
def bytes_of_one(program: Program) -> int:
    """What a step touches for one scenario."""
    return 8 * (_alive_at_once(program) + 2 * len(program.stocks) + len(program.inputs))


def _alive_at_once(program: Program) -> int:
    """The largest number of values in a step that are still needed; at least 1."""
    last_use = {register: place for place, i in enumerate(program.loop) for register in i.inputs}
    ends = Counter(last_use.get(i.output, len(program.loop)) for i in program.loop)
    alive = np.cumsum([1 - ends[place] for place in range(len(program.loop))], dtype=int)
    return int(alive.max(initial=0)) + 1


def run_block(program: Program, given: Mapping[str, Array], result: Array) -> None:
    """Simulate the scenarios of `result` (output, saved, scenario) into it.

    `given` holds the inputs by key, (1 or steps + 1, 1 or scenario).
    """
    values, loop = before_the_loop(program, given)
    plan = plan_for(program, values, loop, result.itemsize * result.shape[2])
    rows = PackedRows(program, plan, values, result) if plan else Rows(program, values, loop, result)
    places = {step: place for place, step in enumerate(program.saved)}
    last = program.saved[-1]
    for step in range(last + 1):
        for row, over_time in rows.moving:
            row[...] = over_time[step]
        for row, stored, _ in rows.pipelines:
            row[...] = stored[step % len(stored)]
        for function, arguments in rows.calls:
            function(*arguments)
        if step in places:
            for target, row in rows.outputs:
                target[places[step]] = row
        if step < last:
            for _, stored, source in rows.pipelines:
                stored[step % len(stored)] = source
            for function, arguments in rows.updates:
                function(*arguments)


def before_the_loop(
    program: Program, given: Mapping[str, Array]
) -> tuple[dict[int, Array], list[Instruction]]:
    """Values (1 or steps + 1, 1 or scenario) no stock influences, and the instructions left for the loop."""
    values = {register: np.array([[value]]) for register, value in program.numbers.items()}
    values[program.time] = program.grid.times[:, np.newaxis]
    if program.time_step not in values:
        widths = program.grid.widths
        values[program.time_step] = np.append(widths, widths[-1])[:, np.newaxis]
    for key, registers in program.inputs.items():
        values[registers.now] = given[key]
        values[registers.start] = given[key][:1]
    deferred: list[Instruction] = []
    for instruction in program.outside:
        arguments = [values[i] for i in instruction.inputs if i in values]
        shape = tuple(max(sizes) for sizes in zip((1, 1), *(a.shape for a in arguments), strict=True))
        too_large = shape[0] > 1 and shape[1] > 1 and shape[0] * shape[1] > AHEAD
        if too_large or len(arguments) < len(instruction.inputs):
            deferred.append(instruction)
        else:
            values[instruction.output] = _evaluate(instruction, arguments, shape)
    return values, [*deferred, *program.loop]


def _evaluate(instruction: Instruction, arguments: list[Array], shape: tuple[int, ...]) -> Array:
    function = instruction.function
    is_complex = any(a.dtype == complex for a in arguments)
    if is_complex:
        arguments = [a if a.dtype == bool else a.astype(complex) for a in arguments]
    out = np.empty(shape, bool if function.gives_truth else complex if is_complex else float)
    (function.complex if is_complex else function.real)(*arguments, out)
    return out


def _row(values: Array) -> Array:
    """The same memory; one value for all scenarios without an axis, which NumPy broadcasts fastest."""
    return values.reshape(()) if values.size == 1 else values


class Rows:
    """The row of every register the loop touches, and the calls bound to them.

    A register has one row object: NumPy is slower when an answer goes over an argument by way of another
    view of it.

    Attributes
    ----------
    moving : rows with their values over time, to be copied in at each step
    pipelines : the row that is the end of each, all its places, and the row that goes in
    calls : those of a step
    outputs : arrays (saved, ...) to write in, with what to write at each step
    updates : calls that lead to the next step
    """

    def __init__(
        self, program: Program, values: Mapping[int, Array], loop: list[Instruction], result: Array
    ) -> None:
        self.program, self.values, self.dtype, self.width = program, values, result.dtype, result.shape[2]
        self.rows: dict[int, Array] = {}
        self.moving: list[tuple[Array, Array]] = []
        self.pipelines: list[tuple[Array, Array, Array]] = []
        read = {register for instruction in loop for register in instruction.inputs}
        read |= {stock.source for stock in program.stocks} | {program.time_step}
        self._place_outside(sorted(read & values.keys()))
        chains = pipelines(program)
        self._place_stocks({instruction.output for instruction in loop}, {s for c in chains for s in c})
        for chain in chains:
            self.rows[chain[0].stock] = np.empty(self.width, self.dtype)
        self._place_loop(loop, {chain[-1].source for chain in chains})
        for chain in chains:
            self._place_pipeline(chain)
        self.calls = [self._call(instruction) for instruction in loop]
        self.outputs = self._outputs(result)
        self.updates = self._updates()

    def _type(self, register: int) -> Any:
        return np.dtype(bool) if register in self.program.truths else self.dtype

    def _place_outside(self, registers: Iterable[int]) -> None:
        """Values that stay get a row; values over time a row to copy them to, one copy for many if narrow."""
        narrow: dict[Any, list[int]] = {}
        for register in registers:
            value, dtype = self.values[register], self._type(register)
            if value.shape[0] == 1:
                self.rows[register] = _row(value[0].astype(dtype))
            elif value.shape[1] == 1:
                narrow.setdefault(dtype, []).append(register)
            else:
                self.rows[register] = np.empty(value.shape[1], dtype)
                self.moving.append((self.rows[register], value))
        for dtype, members in narrow.items():
            buffer = np.empty((len(members), 1), dtype)
            self.moving.append((buffer, np.stack([self.values[m] for m in members], axis=1).astype(dtype)))
            self.rows |= {member: _row(row) for member, row in zip(members, buffer, strict=True)}

    def _place_stocks(self, computed: set[int], elsewhere: set[StockRegisters]) -> None:
        """Rows of stocks and their changes, integrated stocks first, so that one call moves them all.

        A source that is computed in the loop is computed in the row of the change.
        """
        stocks = [stock for stock in self.program.stocks if stock not in elsewhere]
        stocks.sort(key=lambda stock: stock.assigned)
        self.integrated = sum(not stock.assigned for stock in stocks)
        self.stocks = np.empty((len(stocks), self.width), self.dtype)
        self.changes = np.empty_like(self.stocks)
        self.copied: list[tuple[Array, int]] = []
        for row, change, stock in zip(self.stocks, self.changes, stocks, strict=True):
            row[...] = self.values[stock.initial][0]
            self.rows[stock.stock] = row
            if stock.source in computed and stock.source not in self.rows:
                self.rows[stock.source] = change
            else:
                self.copied.append((change, stock.source))

    def _place_pipeline(self, chain: tuple[StockRegisters, ...]) -> None:
        """All places of a pipeline in one array: per step one is read and one written, the same."""
        stored = np.empty((len(chain), self.width), self.dtype)
        stored[...] = self.values[chain[0].initial][0]
        self.pipelines.append((self.rows[chain[0].stock], stored, self.rows[chain[-1].source]))

    def _place_loop(self, loop: list[Instruction], kept: set[int]) -> None:
        """Give each instruction a row; a row is used again once nothing reads it any more."""
        last_use = {i.output: position for position, i in enumerate(loop)}
        for position, instruction in enumerate(loop):
            last_use |= dict.fromkeys(instruction.inputs, position)
        mine = {instruction.output for instruction in loop} - self.rows.keys()
        mine -= {*self.program.output_registers, *(register for _, register in self.copied), *kept}
        free: dict[bool, list[Array]] = {True: [], False: []}
        for position, instruction in enumerate(loop):
            output, truth = instruction.output, instruction.function.gives_truth
            done = [r for r in dict.fromkeys(instruction.inputs) if r in mine and last_use[r] == position]
            if output not in self.rows:
                self._overwrite(instruction, done)
            if output not in self.rows:
                self.rows[output] = free[truth].pop() if free[truth] else self._new(output)
            for register in done:
                free[register in self.program.truths].append(self.rows[register])

    def _new(self, register: int) -> Array:
        return np.empty(self.width, self._type(register))

    def _overwrite(self, instruction: Instruction, done: list[int]) -> None:
        """Put the answer where an argument was that nothing else needs, if the function allows it."""
        if self.dtype != float or self.width == 1 or instruction.function.gives_truth:
            return
        for register in instruction.inputs[OVERWRITES.get(instruction.function.name, slice(0))]:
            if register in done:
                self.rows[instruction.output] = self.rows[register]
                done.remove(register)
                return

    def _call(self, instruction: Instruction) -> Call:
        """An instruction bound to its rows."""
        function = instruction.function
        kernel = function.complex if self.dtype == complex else function.real
        return kernel, tuple(self.rows[r] for r in (*instruction.inputs, instruction.output))

    def _updates(self) -> list[Call]:
        """The end of a step: a stock grows by its source times the width of the step, or becomes it."""
        grown, added = self.stocks[: self.integrated], self.changes[: self.integrated]
        return [
            *((np.copyto, (change, self.rows[source])) for change, source in self.copied),
            (np.multiply, (added, self.rows[self.program.time_step], added)),
            (np.add, (grown, added, grown)),
            (np.copyto, (self.stocks[self.integrated :], self.changes[self.integrated :])),
        ]

    def _outputs(self, result: Array) -> list[tuple[Array, Array]]:
        """Where to write which row at each step; what was known before the loop is written at once."""
        pairs = []
        for target, register in zip(result, self.program.output_registers, strict=True):
            if register in self.values:
                value = self.values[register]
                target[...] = value if len(value) == 1 else value[list(self.program.saved)]
            else:
                pairs.append((target, self.rows[register]))
        return pairs
