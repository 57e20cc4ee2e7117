"""Run a program for a whole box of decision vectors at once: enclosures instead of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import copysign
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdopt.equations.enclosure.algebra import ROUNDED, Algebra, CannotEncloseError, Form
from sdopt.equations.enclosure.operations import Operations, is_form
from sdopt.equations.program import Program
from sdopt.equations.tape import Instruction


@dataclass(frozen=True, eq=False)
class StraightPath:
    """An input over time that is linear in the decisions: `constant` (time,), `weights` (time, decision)."""

    constant: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Box:
    """Decision vectors between `lower` and `upper`, (decision,), and the path of every input they give."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    paths: Mapping[str, StraightPath]

    @property
    def middle(self) -> NDArray[np.float64]:
        """The decision vector in the middle."""
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> NDArray[np.float64]:
        """Half the width of every decision, and no less: both ends are within it of the middle."""
        reach = np.maximum(self.upper - self.middle, self.middle - self.lower)
        return np.where(self.upper > self.lower, np.nextafter(reach, np.inf), 0.0)


@dataclass(frozen=True, eq=False)
class Enclosures:
    """What weighted sums of the outputs can be: forms in the decisions scaled to [-1, 1], or numbers."""

    algebra: Algebra
    values: tuple[Form | float, ...]


def enclose(
    program: Program, box: Box, weights: sparse.csr_matrix, curved: frozenset[int] = frozenset()
) -> Enclosures:
    """Enclose `weights` (sum, output x time) times the outputs at all grid times, over a box.

    Raises
    ------
    CannotEncloseError
        When a function has no bounds over this box.
    """
    run = _Run(program, box, curved)
    columns = weights.tocsc()
    sums: list[Any] = [0.0] * weights.shape[0]
    numbers = np.zeros(weights.shape[0])
    for moment in range(program.grid.steps + 1):
        run.step(moment)
        for output, register in enumerate(program.output_registers):
            place = output * (program.grid.steps + 1) + moment
            for k in range(columns.indptr[place], columns.indptr[place + 1]):
                row = columns.indices[k]
                value = run.values[register]
                sums[row] = run.operations.sum(sums[row], value, columns.data[k])
                numbers[row] += 0.0 if is_form(value) else abs(value * columns.data[k])
    rounded = ROUNDED * (program.grid.steps + 1) * numbers
    for total, noise in zip(sums, rounded, strict=True):
        if is_form(total):
            run.algebra.noisy(total, float(noise))
    return Enclosures(run.algebra, tuple(sums))


class _Run:
    """The registers at one moment, and what made them, so that what stays the same is worked out once."""

    def __init__(self, program: Program, box: Box, curved: frozenset[int]) -> None:
        self.program, self.box = program, box
        self.algebra = Algebra(len(box.lower))
        self.operations = Operations(self.algebra, curved)
        self.values: dict[int, Any] = dict(program.numbers)
        self.made: dict[int, tuple[Sequence[Any], Any]] = {}
        self.chosen: dict[tuple[float, bytes], Any] = {}

    def step(self, moment: int) -> None:
        """Every register at one grid time; moments come in order, from 0."""
        program, values = self.program, self.values
        moved = self._moved(moment - 1) if moment else None
        widths = program.grid.widths
        values[program.time] = float(program.grid.times[moment])
        values[program.time_step] = float(widths[min(moment, len(widths) - 1)])
        for key, registers in program.inputs.items():
            values[registers.now] = self._input(key, moment)
            values[registers.start] = self._input(key, 0)
        self._work_out(program.outside)
        for stock in program.stocks:
            values[stock.stock] = values[stock.initial] if moved is None else moved[stock.stock]
        self._work_out(program.loop)

    def _input(self, key: str, moment: int) -> Any:
        """An input at one moment: the same object as before where the same decisions hold."""
        path = self.box.paths[key]
        constant, weights = float(path.constant[moment]), path.weights[moment]
        known = constant, weights.tobytes()
        if known not in self.chosen:
            middle, slope = constant + float(weights @ self.box.middle), weights * self.box.radius
            noise = _rounded([constant, *(weights * self.box.middle)], weights)
            self.chosen[known] = self.algebra.line(middle, slope, noise) if slope.any() else middle
        return self.chosen[known]

    def _moved(self, moment: int) -> dict[int, Any]:
        """Stocks after the step that begins at a moment."""
        values, width = self.values, float(self.program.grid.widths[moment])
        moved = {}
        for stock in self.program.stocks:
            moved[stock.stock] = values[stock.source]
            if not stock.assigned:
                self.algebra.register = stock.stock  # to which what it is rounded by belongs
                grown = self.operations.sum(values[stock.stock], values[stock.source], width)
                moved[stock.stock] = self.operations.narrowed(grown)
        return moved

    def _work_out(self, instructions: Sequence[Instruction]) -> None:
        for instruction in instructions:
            arguments = [self.values[register] for register in instruction.inputs]
            known = self.made.get(instruction.output)
            if known is None or not _same(known[0], arguments):
                known = arguments, self._applied(instruction, arguments)
                self.made[instruction.output] = known
            self.values[instruction.output] = known[1]

    def _applied(self, instruction: Instruction, arguments: Sequence[Any]) -> Any:
        self.algebra.register = instruction.output
        try:
            return self.operations.apply(instruction.function, arguments)
        except CannotEncloseError as error:
            raise CannotEncloseError(str(error), error.blame, instruction.output) from None
        except (ZeroDivisionError, OverflowError, np.linalg.LinAlgError):
            everyone = np.ones(self.algebra.count)
            raise CannotEncloseError("its value is not finite", everyone, instruction.output) from None


def _rounded(terms: Sequence[float], weights: NDArray[np.float64]) -> float:
    """What a sum may be off by; one decision as it is, is not."""
    if set(weights) <= {0.0, 1.0} and np.count_nonzero(weights) == 1 and terms[0] == 0.0:
        return 0.0
    return len(terms) * ROUNDED * float(np.abs(terms).sum())


def _equal(a: float, b: float) -> bool:
    """Whether two numbers are the same; -0 and 0 are not, as 1/x shows."""
    return a == b and copysign(1.0, a) == copysign(1.0, b)


def _same(before: Sequence[Any], now: Sequence[Any]) -> bool:
    """Whether arguments are what they were. A truth that is not settled is never the same as another."""
    return all(
        a is not None and b is not None and (a is b or (not is_form(a) and not is_form(b) and _equal(a, b)))
        for a, b in zip(before, now, strict=True)
    )
