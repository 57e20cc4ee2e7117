"""What allocations give in every scenario: evaluated once, kept, and the tangents that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.differentiate import complex_step
from sdopt.errors import OptimisationError, SimulationError
from sdopt.optimise.robust.tangents import Tangents, TangentStore
from sdopt.optimise.slopes import NUDGE
from sdopt.problem.build import constant_values
from sdopt.uncertainty.ensemble import Ensemble

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What one allocation gives: `improvement` (scenario,) and scaled `slacks` (scenario, constraint)."""

    point: Floats
    improvement: Floats
    slacks: Floats


@dataclass
class Reader:
    """Reads allocations over an ensemble; what was read is not simulated again."""

    ensemble: Ensemble
    store: TangentStore = field(init=False, repr=False)
    known: dict[bytes, Reading] = field(default_factory=dict, repr=False)
    sloped: dict[bytes, list[Tangents]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Start without tangents."""
        self.store = TangentStore(self.ensemble.count)

    def read(self, point: Floats) -> Reading:
        """What a decision vector (decision,) gives.

        Raises
        ------
        SimulationError
            When a scenario in which the null alternative succeeds gives inf or nan.
        """
        key = point.tobytes()
        if key not in self.known:
            values = self.ensemble.values(point)
            reading = Reading(point, self.ensemble.improvement(values), self.ensemble.slacks(values))
            _check_numbers(reading)
            self.known[key] = reading
        return self.known[key]

    def slope(self, reading: Reading, chosen: NDArray[np.intp]) -> None:
        """Add tangents of the improvement in some scenarios, at an allocation that was read, to the store.

        Where a slope is infinite they are those at a point a hair further inside the bounds.
        """
        earlier = self.sloped.setdefault(reading.point.tobytes(), [])
        chosen = chosen[~np.isin(chosen, np.concatenate([[], *(one.chosen for one in earlier)]))]
        if not len(chosen):
            return
        part = part_of(self.ensemble, chosen)
        try:
            point, (heights, slopes) = reading.point, _slopes(part, reading.point)
        except SimulationError:
            point = self._inside(reading.point)
            heights, slopes = _slopes(part, point)
        earlier.append(Tangents(point, chosen, heights, slopes))
        self.store.held.append(earlier[-1])

    def slack_tangents(
        self, reading: Reading, scenarios: NDArray[np.intp], constraints: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """Scaled slacks (scenario, constraint) at an allocation, and slopes (..., decision)."""
        return part_of(self.ensemble, scenarios).slack_slopes(reading.point, constraints)

    def _inside(self, point: Floats) -> Floats:
        decisions = self.ensemble.problem.decisions
        middle = (decisions.lower() + decisions.upper()) / 2
        return np.asarray(point + NUDGE * (middle - point))


def part_of(ensemble: Ensemble, chosen: NDArray[np.intp]) -> Ensemble:
    """The ensemble of some scenarios; what the null alternative gives there is not simulated again."""
    part = replace(ensemble, scenarios=ensemble.scenarios.part(chosen))
    vars(part)["null_values"] = ensemble.null_values[chosen]  # where its cached property looks first
    return part


def _slopes(ensemble: Ensemble, point: Floats) -> tuple[Floats, Floats]:
    """Improvement (scenario,) and its exact slope (scenario, decision); one scenario by complex step."""
    if ensemble.count > 1:
        return ensemble.objective_slopes(point)
    problem, program = ensemble.problem, ensemble.program
    central, times = constant_values(problem.system), program.grid.steps + 1
    constants = {key: float(value[0]) for key, value in ensemble.scenarios.constants(central).items()}
    paths = {key: path[:, 0] for key, path in ensemble.scenarios.paths(central, times).items()}
    chosen = {key: path[:, 0] for key, path in problem.decisions.expand(point[None]).items()}
    columns = np.arange(problem.decisions.size)
    directions = {path.key: path.column[:, None] == columns for path in problem.decisions.paths}
    values, moved = complex_step(program, constants, {**paths, **chosen}, directions)
    rows = list(problem.objective_rows)
    weights = np.tensordot(np.array(list(problem.objective_rows.values())), ensemble.weights[rows], 1)
    improvement = np.array([(weights * values).sum()]) - problem.objective(ensemble.null_values)
    return improvement, np.tensordot(weights, moved, 2)[None]


def without_failed(ensemble: Ensemble) -> Ensemble:
    """The ensemble of the scenarios that count: the null alternative succeeds, and the weight is above zero.

    Raises
    ------
    OptimisationError
        When none is left, with the reason of the first.
    """
    good = ensemble.scenarios.weights > 0
    good[list(ensemble.failed)] = False
    if not good.any():
        why = next(iter(ensemble.failed.values()), "all weights are zero")
        raise OptimisationError(f"the null alternative fails in every scenario: {why}.")
    return ensemble if good.all() else part_of(ensemble, np.flatnonzero(good))


def _check_numbers(reading: Reading) -> None:
    wrong = ~np.isfinite(reading.improvement) | ~np.isfinite(reading.slacks).all(axis=1)
    if wrong.any():
        raise SimulationError(
            f"an allowed allocation gives inf or nan in {int(wrong.sum())} of {len(wrong)} scenarios (first: "
            f"{int(np.argmax(wrong))}), where the null alternative does not. Narrow the bounds "
            "of the decisions or of the uncertain constants."
        )
