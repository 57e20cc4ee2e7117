"""A finished sweep with what is known of it: what every table of its findings starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.backends import find_backend
from sdopt.config.sweep import Design
from sdopt.config.thresholds import thresholds
from sdopt.equations.workers import Backend
from sdopt.problem.build import Problem
from sdopt.sweep.chances import Sample, sample_of
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome
from sdopt.uncertainty.sample import Uncertain, drawn_constants
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONFIDENCE = 0.95
"""Of the intervals for what other draws, or the runs that failed, could have given."""
TOGETHER = ""
"""Name, in tables, of all external scenarios together."""
RANDOM: tuple[Design, ...] = ("latin hypercube", "sobol")


@dataclass(frozen=True)
class Asked:
    """A finished sweep and what is known of it."""

    plan: Plan
    outcome: Outcome

    @property
    def problem(self) -> Problem:
        """The question."""
        return self.plan.problem

    @property
    def backend(self) -> Backend:
        """Who simulates what is run beside."""
        return find_backend(self.plan.backend)[1]

    @cached_property
    def sample(self) -> Sample:
        """All scenarios."""
        return sample_of(self.plan.scenarios, self.plan.design)

    @property
    def numbers(self) -> Mapping[str, float]:
        """The thresholds that hold here."""
        return thresholds(self.problem.config.sweep.thresholds)

    @cached_property
    def drawn(self) -> tuple[Uncertain, ...]:
        """The constants that are drawn, in the order of the scenarios' keys."""
        return drawn_constants(self.problem, self.plan.scenarios.external)

    @property
    def compared(self) -> tuple[str, ...]:
        """The allocations beside the null alternative."""
        return self.plan.names[1:]

    @cached_property
    def apart(self) -> NDArray[np.intp]:
        """Positions of scenarios drawn independently: of `saltelli` the first row of every base point.

        Its other rows repeat all values but one, and would pass for knowledge.
        """
        scenarios = self.plan.scenarios
        rows = len(scenarios.keys) + 2 if self.plan.design == "saltelli" else 1
        return np.flatnonzero(scenarios.draw % rows == 0)

    @property
    def everything(self) -> tuple[tuple[str, ...], Floats, Scenarios, str]:
        """Names and improvements (allocation, scenario), the scenarios drawn independently, and the unit."""
        unit = self.problem.objective_unit
        improvement = self.outcome.improvement[:, self.apart]
        return self.plan.names, improvement, self.plan.scenarios.part(self.apart), unit

    def improvement(self, name: str) -> Floats:
        """Of an allocation, (scenario,)."""
        return np.asarray(self.outcome.improvement[self.plan.names.index(name)])

    def breaks(self, name: str) -> Flags:
        """Where an allocation breaks some limit, (scenario,)."""
        return np.asarray(self.outcome.broken[self.plan.names.index(name)].any(axis=0))

    def first(self, draws: int) -> NDArray[np.intp]:
        """Positions of the scenarios of the first draws of a random design; all of any other."""
        few = self.plan.scenarios.draw < draws
        return np.flatnonzero(few | (self.plan.design not in RANDOM))

    def worlds(self) -> Iterator[tuple[str, Flags]]:
        """All scenarios together, then every external scenario if there are several, as (scenario,)."""
        scenarios = self.plan.scenarios
        yield TOGETHER, np.ones(scenarios.count, dtype=np.bool_)
        if len(scenarios.external) > 1:
            for place, one in enumerate(scenarios.external):
                yield one.name, scenarios.world == place
