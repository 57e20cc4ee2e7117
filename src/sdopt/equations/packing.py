"""Which instructions of a step become one NumPy call on many rows, for blocks of few scenarios.

There nearly all time goes to Python, per call and not per number. So instructions of one function that do
not need each other are done together; what they read is gathered first, where it does not lie together.
They meet because they are alike: elements of an array, but lone equations as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.functions import Function
from sdopt.equations.pipelines import pipelines
from sdopt.equations.program import Instruction, Program

Array = NDArray[Any]
Answer = TypeVar("Answer")
Registers = tuple[int, ...]

NUMBERS, TRUTHS, GATHERED_NUMBERS, GATHERED_TRUTHS = range(4)
"""Arrays of rows: one per register that is a number or a truth value, and what a round gathers of each."""

FEWEST = 2
"""Calls that gathering must save in a round: it is a call itself, and copies rows."""
CALL = 6500
"""Bytes of rows that are gathered in the time that a call takes."""
LARGEST_ROW, MEMORY = 4096, 64 << 20
"""Bytes of a row, and of all rows, beyond which packing never pays."""


@dataclass(frozen=True, slots=True)
class Slab:
    """Consecutive rows of one of the arrays."""

    array: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PackedCall:
    """One function on slabs of rows; an operand that never changes is given as its registers."""

    function: Function
    operands: tuple[Slab | Registers, ...]
    output: Slab


@dataclass(frozen=True, slots=True)
class Round:
    """Rows to gather, of numbers and of truth values, and then calls in any order."""

    gathered: tuple[Array, Array]
    calls: tuple[PackedCall, ...]


@dataclass(frozen=True)
class Known:
    """What is known before the loop: registers that move over time, alike in all scenarios or not.

    `deferred` are the outputs of instructions that no stock influences, but that are left for the loop.
    """

    narrow: frozenset[int]
    wide: frozenset[int]
    deferred: Registers


class Plan:
    """The rounds of a step, and in which row every register is.

    Attributes
    ----------
    rows : place of registers in the numbers or truth values
    heights : how many rows the four arrays have
    stocks : those that move at the end of a step, integrated stocks first; theirs are the first rows
    chains : pipelines, from end to entrance
    moving : registers to set at every step, in consecutive rows of one array, per array and width
    fixed : registers that have a row and never change
    """

    def __init__(self, program: Program, known: Known, loop: Sequence[Instruction]) -> None:
        self.truths, self.rows, self.heights = program.truths, dict[int, int](), [0, 0, 0, 0]
        self.chains = pipelines(program)
        elsewhere = {stock for chain in self.chains for stock in chain}
        stocks = [stock for stock in program.stocks if stock not in elsewhere]
        self.stocks = sorted(stocks, key=lambda stock: stock.assigned)
        sources = [*(s.source for s in self.stocks), *(chain[-1].source for chain in self.chains)]
        reported = [*sources, *program.output_registers]
        self._place([*(s.stock for s in self.stocks), *(chain[0].stock for chain in self.chains)])
        read = {program.time_step, *reported, *(register for i in loop for register in i.inputs)}
        self.moving = [self._moving(read & kind) for kind in (known.narrow, known.wide)]
        self.changing = {*self.rows, *(i.output for i in loop)}
        self.rounds = [self._round(groups) for groups in _rounds(loop)]
        self._place(reported)
        self.fixed = [register for register in self.rows if register not in self.changing]

    def pays(self, row: int) -> bool:
        """Whether this is faster than one call per instruction, with rows of so many bytes."""
        calls = [call.output for done in self.rounds for call in done.calls]
        saved = sum(output.stop - output.start - 1 for output in calls) - len(self.rounds)
        copied = sum(len(rows) for done in self.rounds for rows in done.gathered)
        return row * copied <= CALL * saved and row * sum(self.heights) <= MEMORY

    def _place(self, registers: Iterable[int]) -> None:
        """Give registers the next rows, unless they have one."""
        for register in registers:
            if register not in self.rows:
                array = int(register in self.truths)
                self.rows[register] = self.heights[array]
                self.heights[array] += 1

    def _moving(self, registers: set[int]) -> tuple[Registers, Registers]:
        self._place(sorted(registers))
        return tuple(sorted(registers - self.truths)), tuple(sorted(registers & self.truths))

    def _round(self, groups: list[list[Instruction]]) -> Round:
        scattered = [group for group in groups if len(group) > 1 and self._is_scattered(group)]
        if sum(len(group) - 1 for group in scattered) < FEWEST:
            groups = [part for g in groups for part in ([[i] for i in g] if g in scattered else [g])]
        gathered: tuple[list[int], list[int]] = ([], [])
        calls = tuple(self._call(group, gathered) for group in groups)
        for array, rows in zip((GATHERED_NUMBERS, GATHERED_TRUTHS), gathered, strict=True):
            self.heights[array] = max(self.heights[array], len(rows))
        numbers, truths = (np.array(rows, np.intp) for rows in gathered)
        return Round((numbers, truths), calls)

    def _is_scattered(self, group: list[Instruction]) -> bool:
        """Whether something that the group reads has to be gathered."""
        operands = zip(*(i.inputs for i in group), strict=True)
        changing = (registers for registers in operands if not self.changing.isdisjoint(registers))
        return any(not _consecutive([self.rows.get(r, -1) for r in registers]) for registers in changing)

    def _call(self, group: list[Instruction], gathered: tuple[list[int], list[int]]) -> PackedCall:
        operands = zip(*(i.inputs for i in group), strict=True)
        slabs = tuple(self._operand(registers, gathered) for registers in operands)
        self._place(i.output for i in group)
        function, start = group[0].function, self.rows[group[0].output]
        return PackedCall(function, slabs, Slab(int(function.gives_truth), start, start + len(group)))

    def _operand(self, registers: Registers, gathered: tuple[list[int], list[int]]) -> Slab | Registers:
        if self.changing.isdisjoint(registers):
            return registers
        self._place(registers)
        array, rows = int(registers[0] in self.truths), [self.rows[register] for register in registers]
        if _consecutive(rows):
            return Slab(array, rows[0], rows[-1] + 1)
        start = len(gathered[array])
        gathered[array].extend(rows)
        return Slab(GATHERED_NUMBERS + array, start, start + len(rows))


def _consecutive(rows: list[int]) -> bool:
    return all(b - a == 1 for a, b in pairwise(rows))


def _rounds(loop: Sequence[Instruction]) -> list[list[list[Instruction]]]:
    """Groups of instructions of one function, in rounds whose groups do not need each other."""
    found: list[list[list[Instruction]]] = []
    made: set[int] = set()
    for group in _groups(loop):
        if not found or any(not made.isdisjoint(i.inputs) for i in group):
            found.append([])
            made = set()
        found[-1].append(group)
        made |= {i.output for i in group}
    return found


def _groups(loop: Sequence[Instruction]) -> Iterator[list[Instruction]]:
    """Instructions of one function that can be done by then, in a computable order.

    Always next is the function of the instruction that has the longest way to go to the end of the step.
    """
    way = _ways(loop)
    made = {i.output for i in loop}
    missing = {i.output: len(made.intersection(i.inputs)) for i in loop}
    readers: dict[int, list[Instruction]] = defaultdict(list)
    for instruction in loop:
        for register in made.intersection(instruction.inputs):
            readers[register].append(instruction)
    ready: dict[Function, list[Instruction]] = {}
    longest: dict[Function, int] = {}

    def add(instruction: Instruction) -> None:
        function = instruction.function
        ready.setdefault(function, []).append(instruction)
        longest[function] = max(longest.get(function, 0), way[instruction.output])

    for instruction in loop:
        if not missing[instruction.output]:
            add(instruction)
    while ready:
        function = max(longest, key=longest.__getitem__)
        group = ready.pop(function)
        del longest[function]
        yield group
        for reader in (reader for i in group for reader in readers[i.output]):
            missing[reader.output] -= 1
            if not missing[reader.output]:
                add(reader)


def _ways(loop: Sequence[Instruction]) -> dict[int, int]:
    """By register, how many instructions follow from it one after another."""
    way: dict[int, int] = {}
    for instruction in reversed(loop):
        further = way.setdefault(instruction.output, 0) + 1
        for register in instruction.inputs:
            way[register] = max(way.get(register, 0), further)
    return way


def once_per_program(work: Callable[[Program], Answer]) -> Callable[[Program], Answer]:
    """Do some work once for each program, and remember the answer for as long as the program is there."""
    answers: WeakKeyDictionary[Program, Answer] = WeakKeyDictionary()

    @wraps(work)
    def remembered(program: Program) -> Answer:
        if program not in answers:
            answers[program] = work(program)
        return answers[program]

    return remembered


@once_per_program
def _plans(_: Program) -> dict[Known, Plan]:
    return {}


def plan_for(
    program: Program, values: Mapping[int, Array], loop: Sequence[Instruction], row: int
) -> Plan | None:
    """The plan of a program of which `values` (1 or steps + 1, 1 or scenario) are known before the loop.

    None if packing does not pay with rows of so many bytes.
    """
    if row > LARGEST_ROW:
        return None
    moving = {register: value.shape[1] for register, value in values.items() if len(value) > 1}
    narrow = frozenset(register for register, width in moving.items() if width == 1)
    deferred = tuple(i.output for i in loop[: len(loop) - len(program.loop)])
    known, plans = Known(narrow, frozenset(moving.keys() - narrow), deferred), _plans(program)
    if known not in plans:
        plans[known] = Plan(program, known, loop)
    return plans[known] if plans[known].pays(row) else None
