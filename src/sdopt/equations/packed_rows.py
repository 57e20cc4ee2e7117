"""The rows of a packing plan for one block of scenarios, and the calls bound to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.packing import GATHERED_NUMBERS, NUMBERS, Plan, Registers, Round, Slab
from sdopt.equations.program import Program, StockRegisters

Array = NDArray[Any]
Call = tuple[Callable[..., Any], tuple[Any, ...]]

COPIED = 512
"""Bytes of a row below which values over time are brought together first, so that one call copies them."""


class PackedRows:
    """Every register has a row of its own. See `block.Rows` for what is asked of it."""

    def __init__(self, program: Program, plan: Plan, values: Mapping[int, Array], result: Array) -> None:
        self.program, self.plan, self.values = program, plan, values
        self.dtype, self.width = result.dtype, result.shape[2]
        types = (self.dtype, np.dtype(bool)) * 2
        self.arrays: list[Array] = [
            np.empty((h, self.width), t) for h, t in zip(plan.heights, types, strict=True)
        ]
        for stock in plan.stocks:
            self._row(stock.stock)[...] = values[stock.initial][0]
        for register in plan.fixed:
            self._row(register)[...] = values[register][0]
        self.moving = [pair for kind in plan.moving for members in kind for pair in self._moving(members)]
        self.pipelines = [self._pipeline(chain) for chain in plan.chains]
        reported = np.empty((len(program.outputs), self.width), self.dtype)
        self.calls = [call for done in plan.rounds for call in self._calls(done)]
        self.calls.append(self._gather(program.output_registers, reported))
        self.outputs = [(result.transpose(1, 0, 2), reported)]
        self.updates = self._updates()

    def _row(self, register: int) -> Array:
        return self.arrays[register in self.plan.truths][self.plan.rows[register], :]

    def _slab(self, slab: Slab) -> Array:
        return self.arrays[slab.array][slab.start : slab.stop]

    def _moving(self, members: Registers) -> Iterator[tuple[Array, Array]]:
        """Rows with their values over time, many in one if that is little to bring together."""
        values = [self.values[register] for register in members]
        if not members or (values[0].shape[1] > 1 and self._row(members[0]).nbytes > COPIED):
            yield from zip(map(self._row, members), values, strict=True)
            return
        start = self.plan.rows[members[0]]
        rows = self.arrays[members[0] in self.plan.truths][start : start + len(members)]
        yield rows, np.stack(values, axis=1, dtype=rows.dtype)

    def _pipeline(self, chain: tuple[StockRegisters, ...]) -> tuple[Array, Array, Array]:
        stored = np.empty((len(chain), self.width), self.dtype)
        stored[...] = self.values[chain[0].initial][0]
        return self._row(chain[0].stock), stored, self._row(chain[-1].source)

    def _calls(self, done: Round) -> Iterator[Call]:
        for array, rows in enumerate(done.gathered):
            if len(rows):
                into = self.arrays[GATHERED_NUMBERS + array][: len(rows)]
                yield self.arrays[array].take, (rows, 0, into, "clip")
        for call in done.calls:
            function, output = call.function, self._slab(call.output)
            kernel = function.complex if self.dtype == complex else function.real
            operands = zip(call.operands, function.truth_arguments, strict=True)
            yield kernel, (*(self._operand(o, truth, output.shape) for o, truth in operands), output)

    def _operand(self, operand: Slab | Registers, truth: bool, shape: tuple[int, ...]) -> Array:
        """Rows of the plan; of what never changes an array of that shape, or one number.

        NumPy is quick with these alone: shapes that it has to broadcast take four times as long.
        """
        if isinstance(operand, Slab):
            return self._slab(operand)
        dtype = np.dtype(bool) if truth else self.dtype
        values: list[Array] = [self.values[register][0] for register in operand]
        if len(values[0]) == 1 and len(set(operand)) == 1:
            return values[0].astype(dtype).reshape(())
        filled = np.empty(shape, dtype)
        for row, value in zip(filled, values, strict=True):
            row[...] = value
        return filled

    def _gather(self, registers: Registers, into: Array) -> Call:
        rows = np.array([self.plan.rows[register] for register in registers], np.intp)
        return self.arrays[NUMBERS].take, (rows, 0, into, "clip")

    def _updates(self) -> list[Call]:
        """The end of a step: a stock grows by its source times the width of the step, or becomes it."""
        stocks, time_step = self.plan.stocks, self.program.time_step
        now, integrated = self.arrays[NUMBERS][: len(stocks)], sum(not stock.assigned for stock in stocks)
        changes = np.empty_like(now)
        grown, added = now[:integrated], changes[:integrated]
        moves = time_step in self.plan.rows
        width = self._row(time_step) if moves else self._operand((time_step,), False, added.shape)
        return [
            self._gather(tuple(stock.source for stock in stocks), changes),
            (np.multiply, (added, width, added)),
            (np.add, (grown, added, grown)),
            (np.copyto, (now[integrated:], changes[integrated:])),
        ]
