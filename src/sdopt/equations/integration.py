"""From one grid time to the next: how every stock moves, written out as instructions.

What remains for a backend are two updates at the end of a step, both from the values before it:
stock += width * source, or stock = source. A pipeline is a row of stocks that hand on their value,
a floor at zero is a MAX, and the four stages of Runge-Kutta follow each other on the tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdopt.equations.expression import Expression
from sdopt.equations.flatten import Flattener, Moment
from sdopt.equations.system import EquationSystem, Variable
from sdopt.equations.tape import Tape
from sdopt.equations.time_grid import CONTROLS, TimeGrid
from sdopt.errors import SimulationError


@dataclass(frozen=True, slots=True)
class StockRegisters:
    """Where one stock, what it changes by and its starting value are.

    At the end of a step the stock grows by the width of the step times `source`; with `assigned` it
    becomes `source`.
    """

    stock: int
    source: int
    initial: int
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class InputRegisters:
    """Where the values of one input are: at each step, and at the start."""

    now: int
    start: int


class Integration:
    """Every variable with its register: at the start, and `now` at any grid time."""

    def __init__(self, system: EquationSystem, grid: TimeGrid, inputs: tuple[str, ...]) -> None:
        self.system, self.grid, self.tape = system, grid, Tape()
        self.variables = system.variables
        self.time = self.tape.register()
        even = not grid.moments
        self.time_step = self.tape.constant(float(grid.step)) if even else self.tape.register()
        self.inputs = {key: InputRegisters(self.tape.register(), self.tape.register()) for key in inputs}
        self.stock_variables = [v for v in self.variables.values() if v.kind == "stock"]
        self.start: dict[str, int] = {}
        self.flattener = Flattener(self.tape, self._moment_at_start())
        self._start()
        registers = {v.key: self._stock_register() for v in self.stock_variables}
        self.now = self._variables_at(registers, self.time)
        self.stocks = self._stocks()

    def _moment_at_start(self) -> Moment:
        """The start: a moment at which variables are added one by one."""
        constant = self.tape.constant
        self.start |= self._settings(constant(float(self.grid.widths[0])))
        return Moment(self.start, constant(float(self.grid.start)), at_start=True)

    def _settings(self, time_step: int) -> dict[str, int]:
        """What the grid says of the time settings; every step is saved."""
        numbers = (float(self.grid.start), float(self.grid.end))
        return dict(zip(CONTROLS, (*map(self.tape.constant, numbers), time_step, time_step), strict=True))

    def _start(self) -> None:
        for key in self.system.initial_order:
            variable = self.variables[key]
            expression = variable.expression if variable.initial is None else variable.initial
            if key in self.inputs:
                self.start[key] = self.inputs[key].start
            else:
                register = self.flattener.flatten(expression, self.flattener.start)
                self.start[key] = self.tape.number(register) if variable.kind == "stock" else register

    def _stock_register(self) -> int:
        register = self.tape.register()
        self.tape.in_loop.add(register)
        return register

    def _variables_at(self, stocks: Mapping[str, int], time: int) -> Moment:
        """All variables at a moment at which stocks and time are known."""
        registers = {**self._settings(self.time_step), **stocks}
        moment = Moment(registers, time)
        for key in self.system.order:
            if key in self.inputs:
                registers[key] = self.inputs[key].now
            else:
                registers[key] = self.flattener.flatten(self.variables[key].expression, moment)
        return moment

    def _stocks(self) -> list[StockRegisters]:
        stocks: list[StockRegisters] = []
        integrated = [v for v in self.stock_variables if not v.assigned]
        flows = self._runge_kutta(integrated) if self.system.time.method == "rk4" else None
        for variable in self.stock_variables:
            if variable.delay is not None:
                stocks += self._pipeline(variable, variable.delay)
            elif variable.assigned:
                stocks.append(self._stock(variable, self._value(variable, self.now), assigned=True))
            else:
                flow = flows[variable.key] if flows else self._value(variable, self.now)
                stocks.append(self._integrated(variable, flow))
        return stocks

    def _value(self, variable: Variable, at: Moment) -> int:
        return self.tape.number(self.flattener.flatten(variable.expression, at))

    def _stock(self, variable: Variable, source: int, *, assigned: bool) -> StockRegisters:
        return StockRegisters(self.now.registers[variable.key], source, self.start[variable.key], assigned)

    def _integrated(self, variable: Variable, flow: int) -> StockRegisters:
        if not variable.non_negative:
            return self._stock(variable, flow, assigned=False)
        return self._stock(variable, self._moved(variable, flow, self.time_step), assigned=True)

    def _moved(self, variable: Variable, flow: int, width: int) -> int:
        """A stock after a while with one net flow."""
        call = self.tape.call
        moved = call("add", self.now.registers[variable.key], call("multiply", width, flow))
        return call("max", moved, self.tape.constant(0.0)) if variable.non_negative else moved

    def _runge_kutta(self, stocks: list[Variable]) -> dict[str, int]:
        """Net flows of the classical method of order four: (k1 + 2 k2 + 2 k3 + k4) / 6.

        Stocks that are assigned hold during the step, as do inputs.
        """
        call, constant, width = self.tape.call, self.tape.constant, self.time_step
        half = call("multiply", constant(0.5), width)
        stages = [{v.key: self._value(v, self.now) for v in stocks}]
        for part in (half, half, width):
            moved = {v.key: self._moved(v, stages[-1][v.key], part) for v in stocks}
            held = {v.key: self.now.registers[v.key] for v in self.stock_variables}
            at = self._variables_at({**held, **moved}, call("add", self.time, part))
            stages.append({v.key: self._value(v, at) for v in stocks})
        flows = {}
        for key, first in stages[0].items():
            middle = call("multiply", constant(2.0), call("add", stages[1][key], stages[2][key]))
            ends = call("add", first, stages[3][key])
            flows[key] = call("divide", call("add", ends, middle), constant(6.0))
        return flows

    def _pipeline(self, variable: Variable, delay: Expression) -> list[StockRegisters]:
        """A row of stocks that hand on their value each step; the variable is the last of the row."""
        places = self._places(variable, delay)
        row = [self.now.registers[variable.key], *(self._stock_register() for _ in range(places - 1))]
        sources = [*row[1:], self._value(variable, self.now)]
        start = self.start[variable.key]
        return [StockRegisters(s, f, start, assigned=True) for s, f in zip(row, sources, strict=True)]

    def _places(self, variable: Variable, delay: Expression) -> int:
        """How many stocks a fixed delay is a row of."""
        register = self.tape.number(self.flattener.flatten(delay, self.flattener.start))
        length = self.tape.values.get(register)
        if length is None or not abs(length) < float("inf"):
            found = "depends on what is given to the run" if length is None else f"is {length}"
            raise SimulationError(
                f'"{variable.name}": the length of its fixed delay {found}. It must be a number that is '
                "known before the run: take the constants it follows from out of the inputs "
                "(decisions, uncertainties), or use DELAY3, whose length may vary."
            )
        places = steps_of_delay(length, self.grid)
        return min(places, self.grid.steps + 1)  # more places are not reached before the end


def steps_of_delay(length: float, grid: TimeGrid) -> int:
    """How many steps a fixed delay (time units) takes, at least one, rounded as PySD does."""
    return round(max(length / float(grid.widths[0]), 1.0) + 1e-6)
