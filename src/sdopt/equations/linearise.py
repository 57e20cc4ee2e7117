"""The steps of a program as a sparse linear map between few registers, for a stretch of time at once.

Derivatives are worked out in bulk: one NumPy call serves many moments and scenarios. A register that hands
its derivative on to one register only, or that has one register below it, is taken out of the map by the
chain rule; that never makes the map larger. What is left is for the sweep over the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.program import Instruction, Program

Array = NDArray[Any]
Slope = Array | float
Times = Callable[..., Any]
"""A product, called as `np.multiply` is."""
Edge = tuple[int, int]
"""Two registers; the slope of an edge is the derivative of the first by the second."""


def careful_times(a: Slope, b: Slope, out: Array | None = None) -> Array:
    """`a * b`, where nothing times infinity (or times what is no number) is nothing."""
    product = np.multiply(a, b)
    lost = ~np.isfinite(product) & (np.equal(a, 0.0) | np.equal(b, 0.0))
    return np.positive(np.where(lost, 0.0, product), out)


class Linearisation:
    """Slopes of the edges of a program, for `length` moments and a block of scenarios at a time.

    Every array and every NumPy call on it is fixed when it is made; `work_out` makes the calls.

    Attributes
    ----------
    edges : slopes of a step, from outputs and sources of stocks down to stocks and inputs: numbers, or
        arrays (1 or moment, 1 or scenario); an edge comes after all that lead to its first register
    start_edges : likewise from the starting values of stocks down to inputs at the start
    """

    def __init__(self, program: Program, given: Mapping[str, Array], length: int, times: Times) -> None:
        self.program, self.times = program, times
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.values = self._leaves(given, length)
        for instruction in (*program.outside, *program.loop):
            arguments = [self.values[register] for register in instruction.inputs]
            dtype = bool if instruction.function.gives_truth else np.float64
            self.values[instruction.output] = self._call(instruction.function.real, *arguments, dtype=dtype)
        stocks, inputs = program.stocks, program.inputs.values()
        starts = [registers.start for registers in inputs]
        leaves = [*(stock.stock for stock in stocks), *(registers.now for registers in inputs), *starts]
        tops = {*program.output_registers, *(stock.source for stock in stocks)}
        with np.errstate(all="ignore"):
            self.edges = self._edges((*program.outside, *program.loop), tops, leaves)
            self.start_edges = self._edges(program.outside, {stock.initial for stock in stocks}, starts)

    def _leaves(self, given: Mapping[str, Array], length: int) -> dict[int, Array]:
        """Registers that no instruction makes: numbers now, others to be filled per stretch."""
        program = self.program
        width = max((values.shape[1] for values in given.values()), default=1)
        values = {register: np.array([[value]]) for register, value in program.numbers.items()}
        values |= {stock.stock: np.ones((length, width)) for stock in program.stocks}
        for register in {program.time, program.time_step} - values.keys():
            values[register] = np.ones((length, 1))
        for key, registers in program.inputs.items():
            rows, columns = given[key].shape
            values[registers.now] = np.ones((length if rows > 1 else 1, columns))
            values[registers.start] = np.ones((1, columns))
        return values

    def work_out(self, given: Mapping[str, Array], stocks: Mapping[int, Array], moments: slice) -> None:
        """Fill the slopes for `length` moments.

        `given`: inputs by key, (1 or steps + 1, 1 or scenario); `stocks` by register, (moment, scenario).
        """
        program, values = self.program, self.values
        for register, over_time in stocks.items():
            values[register][...] = over_time[moments]
        values[program.time][...] = program.grid.times[moments, np.newaxis]
        if program.time_step not in program.numbers:
            widths = program.grid.widths
            values[program.time_step][...] = np.append(widths, widths[-1])[moments, np.newaxis]
        for key, registers in program.inputs.items():
            values[registers.now][...] = given[key] if len(given[key]) == 1 else given[key][moments]
            values[registers.start][...] = given[key][:1]
        for function, arguments in self.calls:
            function(*arguments)

    def _call(self, function: Callable[..., Any], *arguments: Slope, dtype: Any = np.float64) -> Array:
        """The array in which the value of a function will be."""
        out = np.ones(np.broadcast_shapes(*(np.shape(a) for a in arguments)), dtype)
        self.calls.append((function, (*arguments, out)))
        return out

    def _edges(
        self, instructions: Sequence[Instruction], tops: Collection[int], leaves: Sequence[int]
    ) -> dict[Edge, Slope]:
        active = _followers(instructions, leaves)
        above: dict[int, dict[int, Slope]] = {}
        edges: dict[Edge, Slope] = {}
        for instruction in reversed(instructions):
            output = instruction.output
            below = active.intersection(instruction.inputs) if output in active else set()
            terms = above.pop(output, {})
            if output in tops or (len(terms) > 1 and len(below) > 1):
                edges |= {(top, output): slope for top, slope in terms.items()}
                terms = {output: 1.0}
            if terms and below:
                self._hand_down(instruction, below, terms, above)
        for leaf in leaves:
            edges |= {(top, leaf): slope for top, slope in above.pop(leaf, {}).items()}
        return edges

    def _hand_down(
        self,
        instruction: Instruction,
        below: Collection[int],
        terms: Mapping[int, Slope],
        above: dict[int, dict[int, Slope]],
    ) -> None:
        """Give an instruction's derivatives on to its inputs: the chain rule."""
        for register, partial in zip(instruction.inputs, self._partials(instruction, below), strict=True):
            if partial is None:
                continue
            found = above.setdefault(register, {})
            for top, slope in terms.items():
                change = self._product(partial, slope)
                found[top] = self._sum(found[top], change) if top in found else change

    def _partials(self, instruction: Instruction, wanted: Collection[int]) -> list[Slope | None]:
        """One per input; None where it is zero everywhere or not wanted."""
        values = [self.values[register] for register in (*instruction.inputs, instruction.output)]
        partials = instruction.function.partials(*values)
        slopes: list[Slope | None] = []
        filled: list[Array | None] = []
        for register, partial in zip(instruction.inputs, partials, strict=True):
            known = partial is None or isinstance(partial, float) or any(partial is value for value in values)
            filled.append(None if known or register not in wanted else np.ones_like(partial))
            slopes.append(partial if known and register in wanted else filled[-1])
        if any(slope is not None for slope in filled):
            self.calls.append((_fill, (filled, instruction.function.partials, values)))
        return slopes

    def _product(self, partial: Slope, slope: Slope) -> Slope:
        if isinstance(slope, float) and slope == 1.0:
            return partial
        if isinstance(partial, float) and partial == 1.0:
            return slope
        if isinstance(partial, float) and isinstance(slope, float):
            return partial * slope
        return self._call(self.times, partial, slope)

    def _sum(self, a: Slope, b: Slope) -> Slope:
        return a + b if isinstance(a, float) and isinstance(b, float) else self._call(np.add, a, b)


def _fill(targets: Sequence[Array | None], partials: Callable[..., Any], values: Sequence[Array]) -> None:
    for target, partial in zip(targets, partials(*values), strict=True):
        if target is not None:
            target[...] = partial


def _followers(instructions: Sequence[Instruction], leaves: Collection[int]) -> set[int]:
    """The leaves, and every number that follows from one."""
    found = set(leaves)
    for instruction in instructions:
        if not instruction.function.gives_truth and not found.isdisjoint(instruction.inputs):
            found.add(instruction.output)
    return found
