"""The slope of an equation by every variable that is written in it, at every moment of known runs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.expression import Expression
from sdopt.equations.flatten import Flattener, Moment
from sdopt.equations.integration import steps_of_delay
from sdopt.equations.linearise import careful_times
from sdopt.equations.system import EquationSystem, Variable
from sdopt.equations.tape import Instruction, Tape
from sdopt.equations.time_grid import CONTROLS, TimeGrid

Array = NDArray[Any]
Slopes = dict[tuple[str, bool], Array]
"""(key of a cause, whether it is its value at the start) -> slope (1 or moment, 1 or run)."""


class LocalSlopes:
    """Equations on a tape on which every variable is given, so that slopes do not pass through another."""

    def __init__(self, system: EquationSystem, grid: TimeGrid, runs: Mapping[str, Array]) -> None:
        """`runs`: every variable by key, (moment, run)."""
        self.system, self.grid, self.runs, self.tape = system, grid, runs, Tape()
        self.values: dict[int, Array] = {}
        self.leaves: dict[int, tuple[str, bool]] = {}
        self.makers: dict[int, Instruction] = {}
        self.done = 0
        time, width = self._leaf(grid.times[:, np.newaxis]), self._time_step()
        settings = self._settings(width)
        self.start = dict(self._settings(self.tape.constant(float(grid.widths[0]))))
        self.flattener = Flattener(
            self.tape, Moment(self.start, self.tape.constant(float(grid.start)), at_start=True)
        )
        self._start()
        now = {key: self._variable(key, values) for key, values in runs.items()}
        self.now, self.width = Moment({**settings, **now}, time), width

    def start_slopes(self, variable: Variable) -> Slopes:
        """Of the starting value of a variable by what it follows from."""
        return self._slopes(self.flattener.flatten(_at_start(variable), self.flattener.start))

    def slopes(self, variable: Variable) -> Slopes:
        """Of a variable at a moment; of a stock, its value after the step that begins then."""
        register = self.flattener.flatten(variable.expression, self.now)
        return self._slopes(self._next(variable, register) if variable.kind == "stock" else register)

    def delay_in_steps(self, variable: Variable) -> int:
        """After how many steps a stock takes the value that its equation gives: see `integration`."""
        if variable.delay is None:
            return 1
        length = self._value(self.tape.number(self.flattener.flatten(variable.delay, self.flattener.start)))
        return steps_of_delay(float(length.flat[0]), self.grid)

    def _next(self, variable: Variable, register: int) -> int:
        flow = self.tape.number(register)
        if variable.assigned:
            return flow
        call = self.tape.call
        moved = call("add", self.now.registers[variable.key], call("multiply", self.width, flow))
        return call("max", moved, self.tape.constant(0.0)) if variable.non_negative else moved

    def _settings(self, width: int) -> dict[str, int]:
        numbers = (float(self.grid.start), float(self.grid.end))
        return dict(zip(CONTROLS, (*map(self.tape.constant, numbers), width, width), strict=True))

    def _time_step(self) -> int:
        if not self.grid.moments:
            return self.tape.constant(float(self.grid.step))
        widths = self.grid.widths
        return self._leaf(np.append(widths, widths[-1])[:, np.newaxis])

    def _leaf(self, values: Array) -> int:
        register = self.tape.register()
        self.values[register] = values
        return register

    def _variable(self, key: str, values: Array, *, at_start: bool = False) -> int:
        register = self._leaf(values)
        self.leaves[register] = key, at_start
        return register

    def _start(self) -> None:
        """Values at the start one by one, as equations may differ there from those of the first moment."""
        for key in self.system.initial_order:
            variable = self.system.variables[key]
            if variable.kind == "constant":  # also a decision: what it is at the first moment
                value = self.runs[key][:1]
            else:
                value = self._value(self.flattener.flatten(_at_start(variable), self.flattener.start))
            self.start[key] = self._variable(key, value, at_start=True)

    def _value(self, register: int) -> Array:
        """The value of a register, after all instructions that were written since."""
        written = self.tape.instructions
        new = list(islice(reversed(written.values()), len(written) - self.done))
        for instruction in reversed(new):
            self._carry_out(instruction)
        self.done = len(written)
        return self._argument(register)

    def _carry_out(self, instruction: Instruction) -> None:
        arguments = [self._argument(register) for register in instruction.inputs]
        shape = np.broadcast_shapes(*(argument.shape for argument in arguments))
        out = np.empty(shape, bool if instruction.function.gives_truth else float)
        with np.errstate(all="ignore"):
            instruction.function.real(*arguments, out)
        self.values[instruction.output], self.makers[instruction.output] = out, instruction

    def _argument(self, register: int) -> Array:
        """A value that was worked out, or a number."""
        if register not in self.values:
            self.values[register] = np.array([[self.tape.values[register]]])
        return self.values[register]

    def _slopes(self, register: int) -> Slopes:
        """Chain rule from a register down to the variables; a register follows all that it needs."""
        self._value(register)
        with np.errstate(all="ignore"):
            return self._chain(register)

    def _chain(self, register: int) -> Slopes:
        waiting: dict[int, Array] = {register: np.ones((1, 1))}
        found: Slopes = {}
        while waiting:
            top = max(waiting)
            slope = waiting.pop(top)
            if top in self.leaves:
                found[self.leaves[top]] = slope
            elif top in self.makers:
                for below, part in self._partials(self.makers[top]):
                    handed = part * slope
                    if not np.isfinite(handed).all():
                        handed = careful_times(part, slope)
                    waiting[below] = waiting[below] + handed if below in waiting else handed
        return found

    def _partials(self, instruction: Instruction) -> list[tuple[int, Array]]:
        values = [self._argument(register) for register in (*instruction.inputs, instruction.output)]
        pairs = zip(instruction.inputs, instruction.function.partials(*values), strict=True)
        return [(register, np.asarray(part, float)) for register, part in pairs if part is not None]


def _at_start(variable: Variable) -> Expression:
    return variable.expression if variable.initial is None else variable.initial
