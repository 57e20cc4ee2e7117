"""What a sweep runs: every allocation in every scenario, cut in blocks that do not depend on who works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.backends import find_backend
from sdopt.config.sweep import NULL
from sdopt.equations.program import Program, compile_program
from sdopt.equations.scenarios import scenario_blocks
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.evaluate import functional_matrix
from sdopt.problem.functionals import Functional
from sdopt.problem.limits import Listed, listed_constraints
from sdopt.problem.meaning import elements
from sdopt.problem.over_years import year_functionals
from sdopt.sweep.parties import Party, entry_sums, parties_of
from sdopt.sweep.simulation import Block, Simulation
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]

HELD = 64 * 2**20
"""Bytes that the results of one allocation in a block may take."""
WORK = 4e9
"""Instructions times steps times runs of a block: some seconds, which is what a kill may cost."""
NARROWEST, WIDEST = 64, 2048
"""Scenarios in a block."""


@dataclass(frozen=True)
class Plan:
    """A sweep with everything known: `allocations` by name, (decision,) or per scenario (scenario, decision).

    The first is the null alternative, which is its own path (`Decisions.null_paths`), whatever the vector.
    `outputs` are the keys that are kept, at the grid indices `kept`. Runs are numbered from 1: those of the
    first scenario in the order of the allocations, then those of the second.
    """

    problem: Problem
    design: str
    scenarios: Scenarios
    allocations: Mapping[str, Floats]
    outputs: tuple[str, ...]
    backend: str
    part: str = "block"
    """What the parts with its blocks are called by."""
    before: int = 0
    """How many runs are numbered before these."""
    known_as: NDArray[np.intp] | None = None
    """Numbers of its scenarios, (scenario,), where they do not just count up from 1."""

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """What every scenario is called by, (scenario,)."""
        counted = np.arange(1, self.scenarios.count + 1)
        return (counted if self.known_as is None else self.known_as).astype(np.int32)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.scenarios.count * len(self.allocations)

    @property
    def names(self) -> tuple[str, ...]:
        """The allocations."""
        return tuple(self.allocations)

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Grid indices of the year starts, the end included when it is one."""
        grid = self.problem.grid
        return tuple(k for k, t in enumerate(grid.times) if abs(t - round(t)) < grid.step / 1e6)

    @property
    def times(self) -> Floats:
        """The kept times, whole years."""
        return np.round(self.problem.grid.times[list(self.kept)])

    @cached_property
    def listed(self) -> tuple[Listed, ...]:
        """Every constraint on model variables per year or step, as in the problem."""
        return tuple(listed_constraints(self.problem.config, self.problem.system, self.problem.grid))

    @cached_property
    def parties(self) -> tuple[Party, ...]:
        """Whose gains are kept: pockets and perspectives of the ledger; none without a ledger."""
        return parties_of(self.problem.ledger)

    @cached_property
    def year_parts(self) -> tuple[Functional, ...]:
        """The return of every year by itself, discounted."""
        return year_functionals(self.problem)

    @property
    def years(self) -> tuple[int, ...]:
        """The years that return something: from the first decision to the end of the horizon."""
        return tuple(part.year for part in self.year_parts if part.year is not None)

    @cached_property
    def functionals(self) -> tuple[Functional, ...]:
        """The sums of every run: the problem's functionals, what limits are relative to, the return per year,
        and the ledger.

        Components, which a sweep does not report, are left empty, so that rows are as in the problem.
        """
        asked = set(range(len(self.problem.evaluator.functionals))) - set(self.problem.component_rows)
        own = [
            functional if row in asked else Functional(functional.name, None, {}, functional.unit)
            for row, functional in enumerate(self.problem.evaluator.functionals)
        ]
        others = [functional for one in self.listed for functional in one.others.values()]
        return (*own, *others, *self.year_parts, *entry_sums(self.problem.ledger))

    @cached_property
    def program(self) -> Program:
        """The model with decisions and all that differs between scenarios as inputs."""
        system = self.problem.system
        summed = (key for functional in self.functionals for key in functional.weights)
        few = self.scenarios.part(slice(0, 1))
        varied = (*few.constants(constant_values(system)), *few.path_keys())
        inputs = tuple(dict.fromkeys((*self.problem.decisions.keys, *varied)))
        return compile_program(
            system, self.problem.grid, tuple(dict.fromkeys((*self.outputs, *summed))), inputs
        )

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """All scenarios in order, some at a time."""
        program = self.program
        held = HELD // (8 * len(program.outputs) * (program.grid.steps + 1))
        work = WORK / ((len(program.loop) + 1) * program.grid.steps * len(self.allocations))
        width = max(NARROWEST, int(min(WIDEST, held, work)) // NARROWEST * NARROWEST)
        return tuple(scenario_blocks(self.scenarios.count, width))

    def simulation(self) -> Simulation:
        """The work of every block, for whoever does it."""
        decisions = self.problem.decisions
        shared = {n: _paths(decisions.expand(p[None])) for n, p in self.allocations.items() if p.ndim == 1}
        matrix = functional_matrix(self.functionals, self.program.outputs, self.problem.grid.steps + 1)
        return Simulation(
            program=self.program,
            backend=find_backend(self.backend)[1],
            central=constant_values(self.problem.system),
            decisions=decisions,
            shared={**shared, NULL: decisions.null_paths()},
            matrix=matrix,
            kept=self.kept,
            outputs=len(self.outputs),
        )

    def block(self, number: int) -> Block:
        """What a worker needs to know of one block."""
        part = self.blocks[number]
        own = {name: points[part] for name, points in self.allocations.items() if points.ndim == 2}
        return Block(number, self.scenarios.part(part), self.names, own)

    @cached_property
    def digest(self) -> str:
        """A hash of what is run, beside the model: scenarios, allocations, outputs and blocks."""
        parts: list[object] = [self.outputs, self.names, self.blocks, self.backend, self.scenarios.keys]
        parts += [self.years]
        parts += [self.scenarios.values, self.scenarios.world, *self.allocations.values()]
        for one in self.scenarios.external:
            parts += [one.name, one.weight, sorted(one.constants.items()), *one.paths, *one.paths.values()]
        said = sha256()
        for part in parts:
            array = isinstance(part, np.ndarray)
            said.update(np.ascontiguousarray(part).tobytes() if array else repr(part).encode())
        return said.hexdigest()


def _paths(expanded: Mapping[str, NDArray[np.number]]) -> dict[str, Floats]:
    return {key: np.asarray(path[:, 0], dtype=np.float64) for key, path in expanded.items()}


def outputs_of(problem: Problem) -> tuple[str, ...]:
    """Keys of what a checked config wants to keep: its own list, what it shows, or all stocks."""
    config, system = problem.config, problem.system
    names = config.sweep.outputs or config.output.show
    keys = [variable.key for name in names for variable in elements(name, system)]
    return tuple(dict.fromkeys(keys or [v.key for v in system.of_kind("stock")]))
