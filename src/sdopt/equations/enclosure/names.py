"""Which variable of the model an instruction of a program belongs to."""

from __future__ import annotations

from collections import deque

from sdopt.equations.integration import Integration
from sdopt.equations.program import Program
from sdopt.equations.system import EquationSystem


def names_of_registers(system: EquationSystem, program: Program) -> dict[int, str]:
    """Register -> name of the variable it holds, or of the first that is worked out from it.

    For every stock and instruction.
    """
    made = Integration(system, program.grid, tuple(program.inputs))
    registers = [*made.start.items(), *made.now.registers.items()]
    names = {register: system.variables[key].name for key, register in registers if key in system.variables}
    users: dict[int, list[int]] = {}
    for instruction in made.tape.instructions.values():
        for register in instruction.inputs:
            users.setdefault(register, []).append(instruction.output)
    for stock in made.stocks:
        users.setdefault(stock.source, []).append(stock.stock)
    return names | {i.output: _nearest(i.output, names, users) for i in made.tape.instructions.values()}


def _nearest(register: int, names: dict[int, str], users: dict[int, list[int]]) -> str:
    waiting, seen = deque([register]), {register}
    while waiting:
        here = waiting.popleft()
        if here in names:
            return names[here]
        new = [user for user in users.get(here, []) if user not in seen]
        seen.update(new)
        waiting.extend(new)
    return ""
