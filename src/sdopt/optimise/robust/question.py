"""One question over many scenarios: what is maximised, and which limits must hold in how many of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import Robust, share
from sdopt.optimise.archive import View
from sdopt.optimise.cutting_planes import TOUCHING
from sdopt.optimise.robust.measures import Measure
from sdopt.problem.build import Problem
from sdopt.uncertainty.ensemble import Ensemble

Floats = NDArray[np.float64]
ROUNDING = 1e-12
"""Rounding in a sum of probabilities."""


@dataclass(frozen=True)
class ScenarioLimit:
    """A constraint that may be broken in some scenarios: in a `share` of them, by probability.

    `members` are its positions among the problem's constraints: one per year or step. It holds in a scenario
    where all of them do.
    """

    name: str
    members: tuple[int, ...]
    share: float

    def without(self, left_out: Collection[int]) -> ScenarioLimit | None:
        """What is left of it without some constraints (positions), if anything; it may break as often."""
        kept = tuple(member for member in self.members if member not in left_out)
        return replace(self, members=kept) if kept else None

    def room(self, slacks: Floats) -> Floats:
        """Its smallest slack (scenario,) among scaled slacks (scenario, constraint)."""
        return np.asarray(slacks[:, self.members].min(axis=1))

    def broken(self, slacks: Floats) -> NDArray[np.bool_]:
        """In which scenarios it is broken, (scenario,)."""
        return self.room(slacks) < TOUCHING


@dataclass(frozen=True)
class Question:
    """A measure to maximise; `view` has the limits at central values, `limits` those per scenario.

    `held`: name of a limit -> the scenarios (scenario,) in which it is imposed; other limits are imposed in
    all scenarios if nothing may break them, and else in none, but counted. `central` are the positions of the
    view's constraints in the ensemble's problem.
    """

    ensemble: Ensemble
    view: View
    measure: Measure
    limits: tuple[ScenarioLimit, ...]
    central: tuple[int, ...]
    held: Mapping[str, NDArray[np.bool_]]

    @property
    def problem(self) -> Problem:
        """The problem, with the limits that hold at central values alone."""
        return self.view.problem

    def imposed(self, limit: ScenarioLimit) -> NDArray[np.bool_]:
        """The scenarios (scenario,) in which a limit is imposed."""
        return self.held.get(limit.name, np.full(self.ensemble.count, limit.share == 0.0))

    def free(self) -> tuple[ScenarioLimit, ...]:
        """The limits of which it is not said in which scenarios they are broken."""
        return tuple(limit for limit in self.limits if limit.share > 0 and limit.name not in self.held)

    def broken_share(self, limit: ScenarioLimit, slacks: Floats) -> float:
        """Probability that a limit is broken, from scaled slacks (scenario, constraint)."""
        return float(self.measure.probability @ limit.broken(slacks))

    def least_slack(self, central: Floats, slacks: Floats, left_out: Collection[int]) -> float:
        """The smallest of what is imposed, but for constraints (positions) that are left out.

        From scaled slacks at central values (constraint,) and in scenarios (scenario, constraint).
        """
        counted = [k for k, c in enumerate(self.central) if c not in left_out]
        least = [float(central[counted].min(initial=1.0))]
        for limit in self.limits:
            kept = np.array([c for c in limit.members if c not in left_out], dtype=np.intp)
            least.append(float(slacks[np.ix_(np.flatnonzero(self.imposed(limit)), kept)].min(initial=1.0)))
        return min(least)

    def allows(self, slacks: Floats) -> bool:
        """Whether every limit per scenario is broken as seldom as it must, and only where it may be."""
        held = [
            limit.broken(slacks) & self.imposed(limit) for limit in self.limits if limit.name in self.held
        ]
        return not any(one.any() for one in held) and all(
            self.broken_share(limit, slacks) <= limit.share + ROUNDING for limit in self.limits
        )


def ask(
    ensemble: Ensemble, measure: Measure, robust: Robust, held: Mapping[str, NDArray[np.bool_]] | None = None
) -> Question:
    """The question of a config for one measure over an ensemble."""
    problem = ensemble.problem
    limits = scenario_limits(robust, problem, float(measure.probability.min()))
    names = {limit.name for limit in limits}
    central = tuple(k for k, c in enumerate(problem.constraints) if c.functional.name not in names)
    kept = tuple(problem.constraints[k] for k in central)
    view = View(replace(problem, constraints=kept), problem.objective_rows)
    return Question(ensemble, view, measure, limits, central, held or {})


def scenario_limits(robust: Robust, problem: Problem, least: float) -> tuple[ScenarioLimit, ...]:
    """The limits that a config wants in scenarios instead of at central values.

    A share below `least`, the probability of the least likely scenario, leaves no scenario to break.
    """
    shares = dict.fromkeys(_names(problem), 0.0) if robust.limits == "all" else {}
    shares |= {name: share(part) for name, part in robust.probability_limits.items()}
    return tuple(
        ScenarioLimit(name, tuple(_members(problem, name)), part if part >= least - ROUNDING else 0.0)
        for name, part in shares.items()
    )


def _names(problem: Problem) -> list[str]:
    return list(dict.fromkeys(c.functional.name for c in problem.constraints))


def _members(problem: Problem, name: str) -> list[int]:
    return [k for k, c in enumerate(problem.constraints) if c.functional.name == name]
