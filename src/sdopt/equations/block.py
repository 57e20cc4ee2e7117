"""Run a program for one block of scenarios.

The steps are a plain list of NumPy calls, bound to their rows before the first step: no allocation and
no look-up by name inside the loop. A row holds one register for all scenarios of the block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import Instruction, Program

Array = NDArray[Any]
Call = tuple[Callable[..., Any], tuple[Array, ...]]

AHEAD = 40_000
"""Largest (time x scenario) array computed before the loop; larger ones would leave the cache."""


CACHE = 512 * 1024
"""Bytes of rows a block may touch in each step: about half of one core's second-level cache."""

NARROW, WIDE = 64, 4096
"""Least and largest number of scenarios in a block: enough to amortise Python, few enough to share out."""


def block_width(program: Program) -> int:
    """Number of scenarios to simulate together, such that what a step touches stays in the cache."""
    rows = live_rows(program)
    width = CACHE // (8 * max(rows, 1))
    return int(min(max(width // NARROW * NARROW, NARROW), WIDE))


def live_rows(program: Program) -> int:
    """About how many rows a step touches: stocks, their changes, inputs and what is alive at once."""
    last_use = {r: k for k, i in enumerate(program.loop) for r in (*i.inputs, i.output)}
    ends = Counter(last_use[i.output] for i in program.loop)
    alive = most = 0
    for k in range(len(program.loop)):
        alive += 1
        most = max(most, alive)
        alive -= ends[k]
    return most + 2 * len(program.stocks) + len(program.inputs)


def run_block(program: Program, given: Mapping[str, Array], result: Array) -> None:
    """Simulate the scenarios of `result` (output, saved, scenario) into it.

    `given` holds the inputs by key, (1 or steps + 1, 1 or scenario).
    """
    values, loop = before_the_loop(program, given)
    rows = _Rows(program, values, loop, result)
    calls = [rows.call(instruction) for instruction in loop]
    updates = rows.updates()
    outputs = rows.outputs(result)
    places = {step: place for place, step in enumerate(program.saved)}
    last = program.saved[-1]
    for step in range(last + 1):
        for buffer, over_time in rows.moving:
            buffer[...] = over_time[step]
        for function, arguments in calls:
            function(*arguments)
        if step in places:
            for target, row in outputs:
                target[places[step]] = row
        if step < last:
            for function, arguments in updates:
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
        shape = np.broadcast_shapes((1, 1), *(a.shape for a in arguments))
        too_large = shape[0] > 1 and shape[1] > 1 and shape[0] * shape[1] > AHEAD
        if too_large or len(arguments) < len(instruction.inputs):
            deferred.append(instruction)
        else:
            values[instruction.output] = _evaluate(instruction, arguments, shape)
    return values, [*deferred, *program.loop]


def _evaluate(instruction: Instruction, arguments: list[Array], shape: tuple[int, ...]) -> Array:
    function = instruction.function
    dtype = np.result_type(np.float64, *(a.dtype for a in arguments))
    if dtype.kind == "c":
        arguments = [a if a.dtype == bool else a.astype(complex) for a in arguments]
    out = np.empty(shape, bool if function.gives_truth else dtype)
    (function.complex if dtype.kind == "c" else function.real)(*arguments, out)
    return out


def _row(values: Array) -> Array:
    """The same memory; one value for all scenarios without an axis, which NumPy broadcasts fastest."""
    return values.reshape(()) if values.size == 1 else values


class _Rows:
    """The row of every register the loop touches, and the calls bound to them.

    `moving` pairs a buffer with its values over time, to be copied in at each step.
    """

    def __init__(
        self, program: Program, values: Mapping[int, Array], loop: list[Instruction], result: Array
    ) -> None:
        self.program, self.values, self.dtype, self.width = program, values, result.dtype, result.shape[2]
        self.rows: dict[int, Array] = {}
        self.moving: list[tuple[Array, Array]] = []
        read = {register for instruction in loop for register in instruction.inputs}
        read |= {stock.source for stock in program.stocks} | {program.time_step}
        self._place_outside(sorted(read & values.keys()))
        self._place_stocks()
        self._place_loop(loop)

    def _type(self, register: int) -> Any:
        return np.dtype(bool) if register in self.program.truths else self.dtype

    def _place_outside(self, registers: Iterable[int]) -> None:
        """Values that stay get a row; values over time get a buffer, grouped so that one copy serves many."""
        groups: dict[tuple[Any, int], list[int]] = {}
        for register in registers:
            value = self.values[register]
            if value.shape[0] == 1:
                self.rows[register] = _row(value[0].astype(self._type(register)))
            else:
                groups.setdefault((self._type(register), value.shape[1]), []).append(register)
        for (dtype, width), members in groups.items():
            buffer = np.empty((len(members), width), dtype)
            self.moving.append((buffer, np.stack([self.values[m] for m in members], axis=1).astype(dtype)))
            self.rows |= {member: _row(row) for member, row in zip(members, buffer, strict=True)}

    def _place_stocks(self) -> None:
        """Integrated stocks first, so that one addition moves them all."""
        stocks = sorted(self.program.stocks, key=lambda stock: stock.assigned)
        self.integrated = sum(not stock.assigned for stock in stocks)
        self.order = stocks
        self.stocks = np.empty((len(stocks), self.width), self.dtype)
        self.changes = np.empty_like(self.stocks)
        for row, stock in zip(self.stocks, stocks, strict=True):
            row[...] = self.values[stock.initial][0]
            self.rows[stock.stock] = row

    def _place_loop(self, loop: list[Instruction]) -> None:
        """Give each instruction a row; a row is used again once nothing reads it any more."""
        last_use = {i.output: position for position, i in enumerate(loop)}
        for position, instruction in enumerate(loop):
            last_use |= dict.fromkeys(instruction.inputs, position)
        kept = {*self.program.output_registers, *(stock.source for stock in self.program.stocks)}
        own = {instruction.output for instruction in loop}
        free: dict[bool, list[Array]] = {True: [], False: []}
        for position, instruction in enumerate(loop):
            register, truth = instruction.output, instruction.function.gives_truth
            self.rows[register] = (
                free[truth].pop() if free[truth] else np.empty(self.width, self._type(register))
            )
            for done in {register, *instruction.inputs}:
                if done in own and done not in kept and last_use[done] == position:
                    free[done in self.program.truths].append(self.rows[done])

    def call(self, instruction: Instruction) -> Call:
        """An instruction bound to its rows."""
        function = instruction.function
        kernel = function.complex if self.dtype == complex else function.real
        return kernel, tuple(self.rows[r] for r in (*instruction.inputs, instruction.output))

    def updates(self) -> list[Call]:
        """The end of a step: a stock grows by its source times the width of the step, or becomes it."""
        width = self.rows[self.program.time_step]
        calls: list[Call] = []
        for stock, change in zip(self.order, self.changes, strict=True):
            source = self.rows[stock.source]
            copied: Call = (np.copyto, (change, source))
            calls.append(copied if stock.assigned else (np.multiply, (source, width, change)))
        grown, added = self.stocks[: self.integrated], self.changes[: self.integrated]
        calls.append((np.add, (grown, added, grown)))
        calls.append((np.copyto, (self.stocks[self.integrated :], self.changes[self.integrated :])))
        return calls

    def outputs(self, result: Array) -> list[tuple[Array, Array]]:
        """Where to write which row at each step; what was known before the loop is written at once."""
        pairs = []
        for target, register in zip(result, self.program.output_registers, strict=True):
            if register in self.values:
                value = self.values[register]
                target[...] = value if len(value) == 1 else value[list(self.program.saved)]
            else:
                pairs.append((target, self.rows[register]))
        return pairs
