"""One problem under many scenarios: return and limits of an allocation in each, with exact slopes.

The allocation is the same in every scenario; the null alternative, and with it every limit that is relative
to it, is that of the scenario itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.block import run_block
from sdopt.equations.differentiate import reverse
from sdopt.equations.program import Program, compile_program
from sdopt.equations.scenarios import cut, scenario_blocks
from sdopt.equations.simulate import failures, run
from sdopt.equations.workers import Backend
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.evaluate import functional_matrix
from sdopt.problem.limits import Listed, listed_constraints
from sdopt.problem.rules import limit_value, sides
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]

HELD = 256 * 2**20
"""Bytes of results that are held at a time."""


@dataclass(frozen=True)
class Ensemble:
    """A problem and the scenarios it is asked under; made by `build_ensemble`.

    `program` takes decisions and uncertain constants as inputs; `matrix_rows` (functional, output, time) are
    the weights of the problem's functionals, followed by those of the sums that limits are relative to.
    """

    problem: Problem
    scenarios: Scenarios
    program: Program
    listed: tuple[Listed, ...]
    weights: Floats
    backend: Backend = run_block

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return self.scenarios.count

    @cached_property
    def null_values(self) -> Floats:
        """Every functional in the null alternative, (scenario, functional)."""
        return self._measure(self._null_paths)[0]

    @cached_property
    def null_objective(self) -> Floats:
        """Objective of the null alternative, (scenario,)."""
        return self.problem.objective(self.null_values)

    @cached_property
    def failed(self) -> dict[int, str]:
        """Scenarios in which the null alternative gives inf or nan, and why."""
        return self._measure(self._null_paths)[1]

    @cached_property
    def limits(self) -> Floats:
        """The limit of every constraint of the problem, (scenario, constraint), in its own unit."""
        return limits_in(self.problem, self.listed, self.null_values)

    def values(self, point: Floats) -> Floats:
        """Every functional, (scenario, functional), for a decision vector; nan where it fails.

        (decision,), or one per scenario: (scenario, decision).
        """
        return self._measure(self._paths(np.atleast_2d(point)))[0]

    def improvement(self, values: Floats) -> Floats:
        """Objective over the null alternative, (scenario,), from values (scenario, functional)."""
        return self.problem.objective(values) - self.null_objective

    def slacks(self, values: Floats) -> Floats:
        """Scaled slack of every constraint, (scenario, constraint); negative is broken.

        Scaled as at central values, so that slacks of different scenarios can be compared.
        """
        return slacks_in(self.problem, self.limits, values)

    def objective_slopes(self, point: Floats) -> tuple[Floats, Floats]:
        """Improvement (scenario,) and its exact slope (scenario, decision) at a decision vector."""
        rows = list(self.problem.objective_rows)
        sums = np.array([[self.problem.objective_rows[row] for row in rows]])
        value, slope = self._slopes(point, np.tensordot(sums, self.weights[rows], 1))
        return value[0] - self.null_objective, slope[0]

    def slack_slopes(self, point: Floats, constraints: Sequence[int]) -> tuple[Floats, Floats]:
        """Scaled slacks (scenario, constraint) of some constraints, and slopes (..., decision)."""
        chosen = [self.problem.constraints[c] for c in constraints]
        value, slope = self._slopes(point, self.weights[[c.row for c in chosen]])
        sizes = np.array([c.sign / c.scale for c in chosen])
        return (self.limits[:, list(constraints)] - value.T) * sizes, -slope.transpose(1, 0, 2) * sizes[
            :, None
        ]

    def _slopes(self, point: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Sums with weights (sum, output, time): (sum, scenario), and slopes (sum, scenario, decision)."""
        decisions = self.problem.decisions
        values = np.empty((len(weights), self.count))
        slopes = np.zeros((len(weights), self.count, decisions.size))
        for block, constants, paths in self._blocks():
            chosen = decisions.expand(point[None])
            wide = {
                key: np.broadcast_to(path, (len(path), block.stop - block.start))
                for key, path in chosen.items()
            }
            values[:, block], found = reverse(self.program, constants, {**paths, **wide}, weights)
            for path in decisions.paths:
                for column in range(path.first_column, path.first_column + path.periods):
                    slopes[:, block, column] += found[path.key][:, path.column == column].sum(axis=1)
        return values, slopes

    @property
    def _null_paths(self) -> dict[str, Floats]:
        return {key: path[:, None] for key, path in self.problem.decisions.null_paths().items()}

    def _paths(self, points: Floats) -> dict[str, Floats]:
        """Paths (time, 1 or scenario) by key of decision vectors (1 or scenario, decision)."""
        expanded = self.problem.decisions.expand(points)
        return {key: np.asarray(path, dtype=np.float64) for key, path in expanded.items()}

    def _measure(self, allocation: dict[str, Floats]) -> tuple[Floats, dict[int, str]]:
        """All sums (scenario, sum) for paths (time, 1 or scenario) by key, and why scenarios failed."""
        measured = np.empty((self.count, len(self.weights)))
        failed: dict[int, str] = {}
        flat = self.weights.reshape(len(self.weights), -1)
        for block, constants, paths in self._blocks():
            given = {**paths, **cut(allocation, block)}
            result = run(self.program, constants, given, check=False, backend=self.backend)
            failed |= {block.start + k: why for k, why in failures(self.program, result).items()}
            with np.errstate(invalid="ignore"):  # of a scenario that failed nothing is a number
                measured[block] = (flat @ result.reshape(flat.shape[1], -1)).T
        return measured, failed

    def _blocks(self) -> Iterator[tuple[slice, dict[str, Floats], dict[str, Floats]]]:
        """Scenarios some at a time, with their constants (scenario,) and paths (time, scenario)."""
        central, times = constant_values(self.problem.system), self.program.grid.steps + 1
        width = max(HELD // (8 * len(self.program.outputs) * times), 1)
        for block in scenario_blocks(self.count, width):
            part = self.scenarios.part(block)
            yield block, part.constants(central), part.paths(central, times)


def limits_in(problem: Problem, listed: Sequence[Listed], null_values: Floats) -> Floats:
    """The limit of every constraint, (scenario, constraint), in its own unit.

    `null_values` (scenario, sum) are the problem's functionals in the null alternative, followed by the sums
    that limits are relative to.
    """
    rows, count = len(problem.evaluator.functionals), len(null_values)
    first, other, columns = rows - len(listed), rows, []
    nothing = np.zeros(count)
    for place, one in enumerate(listed):
        relative = {}
        for sense in one.others:
            relative[sense], other = null_values[:, other], other + 1
        null = null_values[:, first + place]
        columns += [
            np.broadcast_to(limit_value(limit, null, relative.get(sense, nothing)), count)
            for sense, limit, _ in sides(one.constraint)
        ]
    return np.array(columns).reshape(len(columns), count).T


def slacks_in(problem: Problem, limits: Floats, values: Floats) -> Floats:
    """Scaled slack of every constraint, (scenario, constraint), from limits and values (scenario, sum)."""
    asked = problem.constraints
    columns = [c.sign * (limits[:, k] - values[:, c.row]) / c.scale for k, c in enumerate(asked)]
    return np.array(columns).reshape(len(columns), len(values)).T


def build_ensemble(problem: Problem, scenarios: Scenarios, backend: Backend = run_block) -> Ensemble:
    """The same question under scenarios; constants that no scenario changes keep the problem's values."""
    listed = tuple(listed_constraints(problem.config, problem.system, problem.grid))
    others = tuple(functional for one in listed for functional in one.others.values())
    functionals = (*problem.evaluator.functionals, *others)
    outputs = tuple(dict.fromkeys(key for functional in functionals for key in functional.weights))
    central = constant_values(problem.system)
    varied = (*scenarios.part(slice(0, 1)).constants(central), *scenarios.path_keys())
    inputs = tuple(dict.fromkeys((*problem.decisions.keys, *varied)))
    program = compile_program(problem.system, problem.grid, outputs, inputs)
    times = problem.grid.steps + 1
    matrix = functional_matrix(functionals, outputs, times).toarray()
    return Ensemble(problem, scenarios, program, listed, matrix.reshape(-1, len(outputs), times), backend)
