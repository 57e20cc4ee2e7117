"""What a compiled program computes when, and where it keeps it.

Three pieces of code follow each other: `ahead` computes what is the same in all scenarios, for every
moment; the opening what is the same at all moments, for the scenarios of a vector; the step the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sdopt.equations.program import Instruction, Program, StockRegisters

BY_TIME, BY_SCENARIO = 1, 2
"""What a value varies by; both bits for what the step computes, none for a number."""
BOTH = BY_TIME | BY_SCENARIO


@dataclass(frozen=True)
class Shapes:
    """How inputs are given: keys over time and scenario, and over time only; the rest are constants."""

    by_both: frozenset[str]
    by_time: frozenset[str]


@dataclass(frozen=True)
class Layout:
    """A program for inputs of certain shapes."""

    program: Program
    shapes: Shapes

    @cached_property
    def varies(self) -> dict[int, int]:
        """What each register varies by."""
        program = self.program
        found = dict.fromkeys(program.numbers, 0) | {program.time: BY_TIME}
        found.setdefault(program.time_step, BY_TIME)
        for key, registers in program.inputs.items():
            found[registers.start] = BY_SCENARIO
            found[registers.now] = BY_SCENARIO
            if key in self.shapes.by_time:
                found[registers.now] = BY_TIME
            elif key in self.shapes.by_both:
                found[registers.now] = BOTH
        found |= {stock.stock: BOTH for stock in program.stocks}
        for instruction in (*program.outside, *program.loop):
            found[instruction.output] = 0
            for register in instruction.inputs:
                found[instruction.output] |= found[register]
        return found

    def _that_vary(self, by: int, instructions: Iterable[Instruction]) -> tuple[Instruction, ...]:
        return tuple(i for i in instructions if self.varies[i.output] == by)

    @cached_property
    def ahead(self) -> tuple[Instruction, ...]:
        """What is computed once for all scenarios."""
        return self._that_vary(BY_TIME, self.program.outside)

    @cached_property
    def opening(self) -> tuple[Instruction, ...]:
        """What is computed once per scenario."""
        return self._that_vary(BY_SCENARIO, self.program.outside)

    @cached_property
    def step(self) -> tuple[Instruction, ...]:
        """What every step computes before its stocks move."""
        needed = {register for stock in self.stocks for register in (stock.source, stock.stock)}
        for instruction in reversed(self._every_step):
            if instruction.output in needed:
                needed.update(instruction.inputs)
        return tuple(i for i in self._every_step if i.output in needed)

    @cached_property
    def report(self) -> tuple[Instruction, ...]:
        """What is computed at saved moments only: no stock needs it."""
        step = {i.output for i in self.step}
        return tuple(i for i in self._every_step if i.output not in step)

    @cached_property
    def _every_step(self) -> tuple[Instruction, ...]:
        program = self.program
        return (*self._that_vary(BOTH, program.outside), *program.loop)

    @property
    def stocks(self) -> tuple[StockRegisters, ...]:
        """All stocks; their place is their number."""
        return self.program.stocks

    @cached_property
    def written(self) -> tuple[tuple[int, int], ...]:
        """Outputs the loop writes: (place among the outputs, register)."""
        pairs = enumerate(self.program.output_registers)
        return tuple((place, register) for place, register in pairs if self.varies[register] & BY_SCENARIO)

    @cached_property
    def table(self) -> dict[int, int]:
        """Registers that vary by time only and are read later, with their place in a moment's row."""
        return self._read_later(BY_TIME, (*self.opening, *self._every_step), self.program.output_registers)

    @cached_property
    def kept(self) -> dict[int, int]:
        """Registers that vary by scenario only and are read in the steps, with their place."""
        outputs = (register for _, register in self.written)
        return self._read_later(BY_SCENARIO, self._every_step, outputs)

    def _read_later(
        self, by: int, instructions: Iterable[Instruction], others: Iterable[int]
    ) -> dict[int, int]:
        read = {register for i in instructions for register in i.inputs} | set(others)
        read |= {stock.source for stock in self.stocks} | {self.program.time_step}
        return {r: place for place, r in enumerate(sorted(r for r in read if self.varies[r] == by))}

    @cached_property
    def columns(self) -> dict[int, int]:
        """Input registers that vary by scenario only: the number of their input among all inputs."""
        pairs = enumerate(self.program.inputs.values())
        found = {r: place for place, registers in pairs for r in (registers.now, registers.start)}
        return {r: place for r, place in found.items() if self.varies[r] == BY_SCENARIO}

    @cached_property
    def paths(self) -> dict[int, int]:
        """Input registers that vary by time and scenario, with the number of their path."""
        keys = (key for key in self.program.inputs if key in self.shapes.by_both)
        return {self.program.inputs[key].now: place for place, key in enumerate(keys)}

    @cached_property
    def moments(self) -> dict[int, int]:
        """What `ahead` is given: registers that vary by time only and that nothing computes."""
        program = self.program
        given = [program.time, program.time_step, *(registers.now for registers in program.inputs.values())]
        by_time = [register for register in dict.fromkeys(given) if self.varies[register] == BY_TIME]
        return {register: place for place, register in enumerate(by_time)}
