"""An equation system as a flat list of elementary instructions over numbered registers.

Common subexpressions share a register; what no output needs is dropped; what does not follow from a
stock is kept apart ("outside"), because it can be computed before the steps begin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.expression import Call, Expression, Lookup, Number, Reference, Time
from sdopt.equations.functions import AS_NUMBER, AS_TRUTH, FUNCTIONS, Function, lookup_function
from sdopt.equations.system import EquationSystem
from sdopt.errors import SimulationError

CONTROLS = ("initial_time", "final_time", "time_step", "saveper")
"""Keys an expression may refer to without a variable: the simulation grid answers them."""


@dataclass(frozen=True)
class TimeGrid:
    """Start, end and step of a simulation, in the model's time unit."""

    start: float
    end: float
    step: float

    def __post_init__(self) -> None:
        """Raise SimulationError unless a positive whole number of steps leads from start to end."""
        steps = (self.end - self.start) / self.step if self.step > 0 else 0.0
        if self.steps < 1 or abs(steps - self.steps) > 1e-6:
            raise SimulationError(
                f"time: from {self.start:g} to {self.end:g} is not a whole number of steps of {self.step:g}. "
                "Choose a step that divides the horizon, such as 0.25 or 0.125."
            )

    @property
    def steps(self) -> int:
        """Number of steps."""
        return round((self.end - self.start) / self.step) if self.step > 0 else 0

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Every grid time, shape (steps + 1,); summed step by step, as PySD does."""
        return np.add.accumulate(np.r_[self.start, np.full(self.steps, self.step)])


@dataclass(frozen=True, slots=True)
class Instruction:
    """One elementary operation: registers in, one register out."""

    function: Function
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True, slots=True)
class StockRegisters:
    """Where one stock, its net flow and its starting value are."""

    stock: int
    net_flow: int
    initial: int


@dataclass(frozen=True, slots=True)
class InputRegisters:
    """Where the values of one input are: at each step, and at the start."""

    now: int
    start: int


@dataclass(frozen=True)
class Program:
    """What `simulate.run` executes. Made by `compile_program`; nothing in it ever changes.

    `outside` holds instructions that no stock influences, `loop` those that one does; both are in
    a computable order. `names` are the outputs as written in the model file.
    """

    grid: TimeGrid
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    output_registers: tuple[int, ...]
    numbers: Mapping[int, float]
    time: int
    inputs: Mapping[str, InputRegisters]
    stocks: tuple[StockRegisters, ...]
    outside: tuple[Instruction, ...]
    loop: tuple[Instruction, ...]
    truths: frozenset[int]


def compile_program(
    system: EquationSystem, grid: TimeGrid, outputs: Sequence[str], inputs: Collection[str] = ()
) -> Program:
    """Flatten the equations that `outputs` need.

    Parameters
    ----------
    outputs : keys of the variables to report at every grid time
    inputs : keys of constants whose values are given to `run`, per scenario or per grid time

    Raises
    ------
    SimulationError
        If an output is not a variable or an input is not a constant of the model.
    """
    _check_keys(system, outputs, inputs)
    builder = _Builder(system, grid, inputs)
    builder.build()
    return builder.program(tuple(outputs))


def _check_keys(system: EquationSystem, outputs: Sequence[str], inputs: Collection[str]) -> None:
    for key in (*outputs, *inputs):
        if key not in system.variables:
            raise SimulationError(f'the model has no variable "{key}".')
    for key in inputs:
        if system.variables[key].kind != "constant":
            raise SimulationError(
                f'"{system.variables[key].name}" is not a constant, so no value can be given for it.'
            )


@dataclass
class _Builder:
    """Registers while they are handed out. `now` and `start` say where a variable's value is."""

    system: EquationSystem
    grid: TimeGrid
    input_keys: Collection[str]
    count: int = 0
    numbers: dict[float, int] = field(default_factory=dict)
    inputs: dict[str, InputRegisters] = field(default_factory=dict)
    stocks: dict[int, StockRegisters] = field(default_factory=dict)
    now: dict[str, int] = field(default_factory=dict)
    start: dict[str, int] = field(default_factory=dict)
    instructions: dict[tuple[object, tuple[int, ...]], Instruction] = field(default_factory=dict)
    in_loop: set[int] = field(default_factory=set)
    truths: set[int] = field(default_factory=set)
    lookups: dict[tuple[tuple[float, ...], tuple[float, ...]], Function] = field(default_factory=dict)

    def build(self) -> None:
        """Give every variable its registers: leaves first, then starting values, then the steps."""
        self.time = self.register()
        for key in self.input_keys:
            self.inputs[key] = InputRegisters(self.register(), self.register())
        variables = self.system.variables
        for key in self.system.initial_order:
            variable = variables[key]
            expression = variable.expression if variable.initial is None else variable.initial
            self.start[key] = self.value_of(key, expression, at_start=True)
        stocks = [variable.key for variable in self.system.of_kind("stock")]
        self.now = {key: self.register() for key in stocks}
        self.in_loop.update(self.now.values())
        for key in self.system.order:
            self.now[key] = self.value_of(key, variables[key].expression, at_start=False)
        for key in stocks:
            flow = self.number(self.flatten(variables[key].expression, at_start=False))
            self.stocks[self.now[key]] = StockRegisters(self.now[key], flow, self.start[key])

    def register(self) -> int:
        """A new register number."""
        self.count += 1
        return self.count - 1

    def value_of(self, key: str, expression: Expression, *, at_start: bool) -> int:
        """The register of a variable's value; for an input, the register it is given in."""
        if key in self.inputs:
            return self.inputs[key].start if at_start else self.inputs[key].now
        register = self.flatten(expression, at_start=at_start)
        return self.number(register) if self.system.variables[key].kind == "stock" else register

    def flatten(self, expression: Expression, *, at_start: bool) -> int:
        """The register that holds the value of an expression."""
        match expression:
            case Number(value):
                return self.constant(value)
            case Time():
                return self.constant(self.grid.start) if at_start else self.time
            case Reference(key):
                known = self.start if at_start else self.now
                return known[key] if key in known else self.constant(self.control(key))
            case Call("initial", (argument,)):
                return self.flatten(argument, at_start=True)
            case Call(name, arguments):
                return self.call(FUNCTIONS[name], [self.flatten(a, at_start=at_start) for a in arguments])
            case Lookup(x, y, argument):
                function = self.lookups.setdefault((x, y), lookup_function(x, y))
                return self.call(function, [self.flatten(argument, at_start=at_start)])

    def control(self, key: str) -> float:
        """What the grid says of a control variable; every step is saved."""
        grid = self.grid
        return dict(zip(CONTROLS, (grid.start, grid.end, grid.step, grid.step), strict=True))[key]

    def constant(self, value: float) -> int:
        """The register of a number."""
        if value not in self.numbers:
            self.numbers[value] = self.register()
        return self.numbers[value]

    def call(self, function: Function, arguments: list[int]) -> int:
        """The register of a function's value, truth values and numbers converted where needed."""
        inputs = tuple(
            self.truth(a) if truth else self.number(a)
            for a, truth in zip(arguments, function.truth_arguments, strict=True)
        )
        return self.instruction(function, inputs)

    def instruction(self, function: Function, inputs: tuple[int, ...]) -> int:
        """The register of an instruction; the same instruction is never written twice."""
        known = self.instructions.get((function, inputs))
        if known is not None:
            return known.output
        output = self.register()
        self.instructions[function, inputs] = Instruction(function, inputs, output)
        if function.gives_truth:
            self.truths.add(output)
        if not self.in_loop.isdisjoint(inputs):
            self.in_loop.add(output)
        return output

    def number(self, register: int) -> int:
        """The register of a value as a number."""
        return self.instruction(AS_NUMBER, (register,)) if register in self.truths else register

    def truth(self, register: int) -> int:
        """The register of a value as a condition."""
        return register if register in self.truths else self.instruction(AS_TRUTH, (register,))

    def program(self, outputs: tuple[str, ...]) -> Program:
        """What the outputs need of all that was built."""
        registers = tuple(self.number(self.now[key]) for key in outputs)
        needed = self.needed(registers)
        kept = [i for i in self.instructions.values() if i.output in needed]
        return Program(
            grid=self.grid,
            outputs=outputs,
            names=tuple(self.system.variables[key].name for key in outputs),
            output_registers=registers,
            numbers={register: value for value, register in self.numbers.items() if register in needed},
            time=self.time,
            inputs=self.inputs,
            stocks=tuple(stock for register, stock in self.stocks.items() if register in needed),
            outside=tuple(i for i in kept if i.output not in self.in_loop),
            loop=tuple(i for i in kept if i.output in self.in_loop),
            truths=frozenset(self.truths),
        )

    def needed(self, outputs: tuple[int, ...]) -> set[int]:
        """All registers the outputs follow from, through stocks as well."""
        makers = {instruction.output: instruction.inputs for instruction in self.instructions.values()}
        makers |= {s.stock: (s.net_flow, s.initial) for s in self.stocks.values()}
        found: set[int] = set()
        waiting = list(outputs)
        while waiting:
            register = waiting.pop()
            if register not in found:
                found.add(register)
                waiting.extend(makers.get(register, ()))
        return found
