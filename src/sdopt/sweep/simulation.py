"""One block of a sweep: every allocation in some scenarios. All that a worker does, and needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdopt.equations.program import Program
from sdopt.equations.simulate import failures, run
from sdopt.equations.workers import Backend
from sdopt.problem.decisions import Decisions
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Some scenarios in which all allocations `names` are simulated.

    `own` holds those that differ per scenario: name -> decision vectors (scenario, decision).
    """

    number: int
    scenarios: Scenarios
    names: tuple[str, ...]
    own: Mapping[str, Floats]


@dataclass(frozen=True)
class Simulated:
    """What came of a block: `kept` (allocation, output, kept time, scenario), `sums` (allocation, scenario,
    sum), and why a run gave inf or nan, by (allocation, scenario).
    """

    number: int
    kept: Floats
    sums: Floats
    failed: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Simulation:
    """The work of a sweep: simulates blocks.

    `shared` holds the allocations that are the same in all scenarios, as paths (time,) by key; `matrix` the
    weights of all sums on the flattened (output, time) axis; the first `outputs` outputs of the program are
    kept at the grid indices `kept`.
    """

    program: Program
    backend: Backend
    central: Mapping[str, float]
    decisions: Decisions
    shared: Mapping[str, Mapping[str, Floats]]
    matrix: sparse.csr_matrix
    kept: tuple[int, ...]
    outputs: int

    def __call__(self, block: Block) -> Simulated:
        """Simulate every allocation in every scenario of a block; inf and nan are left in."""
        count = block.scenarios.count
        kept = np.empty((len(block.names), self.outputs, len(self.kept), count))
        sums = np.empty((len(block.names), count, self.matrix.shape[0]))
        failed: dict[tuple[int, int], str] = {}
        for place, name in enumerate(block.names):
            result = self._run(block, name)
            kept[place] = result[: self.outputs, list(self.kept)]
            # A sparse product adds up in one order on every machine; a dense one does not.
            sums[place] = (self.matrix @ result.reshape(-1, count)).T
            failed |= {(place, k): why for k, why in failures(self.program, result).items()}
        return Simulated(block.number, kept, sums, failed)

    def _run(self, block: Block, name: str) -> Floats:
        """(output, time, scenario) of one allocation."""
        times = self.program.grid.steps + 1
        constants = block.scenarios.constants(self.central)
        paths = block.scenarios.paths(self.central, times)
        chosen = self.shared.get(name)
        if chosen is None:
            chosen = {k: p.astype(np.float64) for k, p in self.decisions.expand(block.own[name]).items()}
        with np.errstate(all="ignore"):
            return np.asarray(
                run(
                    self.program,
                    constants,
                    {**paths, **chosen},
                    check=False,
                    threads=1,
                    backend=self.backend,
                )
            )
