"""An equation system as a flat list of elementary instructions over numbered registers.

Common subexpressions share a register; what no output needs is dropped; what does not follow from a
stock is kept apart ("outside"), because it can be computed before the steps begin. How stocks move
(Euler or Runge-Kutta, pipelines, floors at zero) is written out: see `integration.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sdopt.equations.integration import InputRegisters, Integration, StockRegisters
from sdopt.equations.system import EquationSystem
from sdopt.equations.tape import Instruction
from sdopt.equations.time_grid import CONTROLS, TimeGrid
from sdopt.errors import SimulationError

__all__ = [
    "CONTROLS",
    "InputRegisters",
    "Instruction",
    "Program",
    "StockRegisters",
    "TimeGrid",
    "compile_program",
]


@dataclass(frozen=True, eq=False)
class Program:
    """What `simulate.run` executes. Made by `compile_program`; nothing in it ever changes.

    Only itself is equal to it, so that what is worked out for it can be kept (`packing.once_per_program`).

    `outside` holds instructions that no stock influences, `loop` those that one does; both are in
    a computable order. `names` are the outputs as written in the model file, and `saved` the grid
    indices at which they are kept. `time` and `time_step` are the registers of the time and of the
    width of the step that begins; the latter is in `numbers` when all steps are equally wide.
    """

    grid: TimeGrid
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    output_registers: tuple[int, ...]
    saved: tuple[int, ...]
    numbers: Mapping[int, float]
    time: int
    time_step: int
    inputs: Mapping[str, InputRegisters]
    stocks: tuple[StockRegisters, ...]
    outside: tuple[Instruction, ...]
    loop: tuple[Instruction, ...]
    truths: frozenset[int]


def compile_program(
    system: EquationSystem,
    grid: TimeGrid,
    outputs: Sequence[str],
    inputs: Collection[str] = (),
    saved: Sequence[int] | None = None,
) -> Program:
    """Flatten the equations that `outputs` need, with the integration method of the system.

    Parameters
    ----------
    outputs : keys of the variables to report
    inputs : keys of constants whose values are given to `run`, per scenario or per grid time
    saved : rising grid indices at which to report; None is every grid time

    Raises
    ------
    SimulationError
        If an output is not a variable, an input is not a constant of the model, `saved` is not on the
        grid, or the length of a fixed delay is not known before the run.
    """
    _check_keys(system, outputs, inputs)
    moments = tuple(range(grid.steps + 1)) if saved is None else tuple(int(k) for k in saved)
    _check_saved(moments, grid)
    made = Integration(system, grid, tuple(inputs))
    registers = tuple(made.tape.number(made.now.registers[key]) for key in outputs)
    needed = _needed((*registers, made.time_step), made)
    kept = [i for i in made.tape.instructions.values() if i.output in needed]
    stocks = tuple(stock for stock in made.stocks if stock.stock in needed)
    loop = [i for i in kept if i.output in made.tape.in_loop]
    return Program(
        grid=grid,
        outputs=tuple(outputs),
        names=tuple(system.variables[key].name for key in outputs),
        output_registers=registers,
        saved=moments,
        numbers={register: value for register, value in made.tape.values.items() if register in needed},
        time=made.time,
        time_step=made.time_step,
        inputs=made.inputs,
        stocks=stocks,
        outside=tuple(i for i in kept if i.output not in made.tape.in_loop),
        loop=_just_in_time(loop, [*(stock.source for stock in stocks), *registers]),
        truths=frozenset(made.tape.truths & needed),
    )


def _check_keys(system: EquationSystem, outputs: Sequence[str], inputs: Collection[str]) -> None:
    for key in (*outputs, *inputs):
        if key not in system.variables:
            raise SimulationError(f'the model has no variable "{key}".')
    for key in inputs:
        if system.variables[key].kind != "constant":
            raise SimulationError(
                f'"{system.variables[key].name}" is not a constant, so no value can be given for it.'
            )


def _check_saved(saved: tuple[int, ...], grid: TimeGrid) -> None:
    rising = all(a < b for a, b in pairwise(saved))
    if not saved or not rising or saved[0] < 0 or saved[-1] > grid.steps:
        raise SimulationError(
            f"the moments to report must be rising grid indices from 0 to {grid.steps}, at least one."
        )


def _needed(outputs: Iterable[int], made: Integration) -> set[int]:
    """All registers the outputs follow from, through stocks as well."""
    makers = {i.output: i.inputs for i in made.tape.instructions.values()}
    makers |= {s.stock: (s.source, s.initial) for s in made.stocks}
    found: set[int] = set()
    waiting = list(outputs)
    while waiting:
        register = waiting.pop()
        if register not in found:
            found.add(register)
            waiting.extend(makers.get(register, ()))
    return found


def _just_in_time(loop: Sequence[Instruction], ends: Iterable[int]) -> tuple[Instruction, ...]:
    """Each instruction just before the first that needs it: few values wait at the same time.

    Of what an instruction needs, the longest to work out comes first. A block of scenarios then has about
    half the rows, and more of them stay in the cache.
    """
    left = {i.output: i for i in loop}
    depth: dict[int, int] = {}
    for i in loop:
        depth[i.output] = 1 + max(depth.get(register, 0) for register in i.inputs)
    ordered = []
    waiting = list(reversed([*ends]))
    while waiting:
        instruction = left.get(waiting[-1])
        missing = [r for r in instruction.inputs if r in left] if instruction else []
        if missing:
            waiting += sorted(missing, key=depth.__getitem__)
            continue
        waiting.pop()
        if instruction:
            ordered.append(left.pop(instruction.output))
    return tuple(ordered)
