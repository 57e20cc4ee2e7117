"""A growing list of elementary instructions over numbered registers.

The same instruction is never written twice, what follows from numbers alone is a number at once, and
what would not change a value in any bit (times one, minus minus) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sdopt.equations.functions import AS_NUMBER, AS_TRUTH, FUNCTIONS, Function
from sdopt.equations.simplify import simpler


@dataclass(frozen=True, slots=True)
class Instruction:
    """One elementary operation: registers in, one register out."""

    function: Function
    inputs: tuple[int, ...]
    output: int


@dataclass
class Tape:
    """Registers while they are handed out.

    `values` are the registers known already; `in_loop` those that follow from a stock; `truths` those
    that hold truth values.
    """

    count: int = 0
    values: dict[int, float | bool] = field(default_factory=dict)
    instructions: dict[tuple[Function, tuple[int, ...]], Instruction] = field(default_factory=dict)
    in_loop: set[int] = field(default_factory=set)
    truths: set[int] = field(default_factory=set)
    _numbers: dict[tuple[bool, str], int] = field(default_factory=dict)
    _makers: dict[int, Instruction] = field(default_factory=dict)

    def register(self) -> int:
        """A new register."""
        self.count += 1
        return self.count - 1

    def constant(self, value: float | bool) -> int:
        """The register of a number or truth value; -0 and 0 differ, as 1/x shows."""
        key = (isinstance(value, bool), float(value).hex())
        if key not in self._numbers:
            register = self._numbers[key] = self.register()
            self.values[register] = value
            if isinstance(value, bool):
                self.truths.add(register)
        return self._numbers[key]

    def call(self, name: str, *arguments: int) -> int:
        """The register of a function's value."""
        return self.apply(FUNCTIONS[name], arguments)

    def apply(self, function: Function, arguments: tuple[int, ...]) -> int:
        """The register of a function's value, truth values and numbers converted where needed."""
        inputs = tuple(
            self.truth(a) if truth else self.number(a)
            for a, truth in zip(arguments, function.truth_arguments, strict=True)
        )
        return self._instruction(function, inputs)

    def number(self, register: int) -> int:
        """The register of a value as a number."""
        return self._instruction(AS_NUMBER, (register,)) if register in self.truths else register

    def truth(self, register: int) -> int:
        """The register of a value as a condition."""
        return register if register in self.truths else self._instruction(AS_TRUTH, (register,))

    def argument_of(self, name: str, register: int) -> int | None:
        """The argument of the function that makes a register, if that is the named one, of one argument."""
        maker = self._makers.get(register)
        return maker.inputs[0] if maker is not None and maker.function.name == name else None

    def _instruction(self, function: Function, inputs: tuple[int, ...]) -> int:
        if function.name in ("add", "multiply"):
            inputs = tuple(sorted(inputs))  # either order gives the same bits
        known = self.instructions.get((function, inputs))
        if known is not None:
            return known.output
        if all(i in self.values for i in inputs):
            return self.constant(self._computed(function, inputs))
        easier = simpler(self, function.name, inputs)
        return self._written(function, inputs) if easier is None else easier

    def _written(self, function: Function, inputs: tuple[int, ...]) -> int:
        output = self.register()
        instruction = Instruction(function, inputs, output)
        self.instructions[function, inputs] = self._makers[output] = instruction
        if function.gives_truth:
            self.truths.add(output)
        if not self.in_loop.isdisjoint(inputs):
            self.in_loop.add(output)
        return output

    def _computed(self, function: Function, inputs: tuple[int, ...]) -> float | bool:
        out = np.empty((1, 1), bool if function.gives_truth else float)
        with np.errstate(all="ignore"):
            function.real(*(np.array([[self.values[i]]]) for i in inputs), out)
        return bool(out[0, 0]) if function.gives_truth else float(out[0, 0])
