"""The model of the social domain as the tests of this folder run it: with switches, steps and draws."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from sdopt.config.constants import Constant, read_constants
from sdopt.equations.program import Program, TimeGrid, compile_program
from sdopt.equations.simulate import run
from sdopt.source_model.read import SourceModel, read_model

Array = NDArray[np.float64]
Run = dict[str, Array]
ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
DECISIONS = (
    *("prevention", "social base", "access", "reablement", "reintegration", "participation"),
    *("organisation", "learning", "earning capacity"),
)
BELOW_ZERO = {
    "General reserve": "a debt is a reserve below zero",
    "Organisation quality": "relative to today: below zero is worse than today",
    "Learning capacity": "relative to today: below zero is worse than today",
}
"""Stocks that may be below zero, and why: none of them counts people, hours or money that is there."""


@cache
def social_model() -> SourceModel:
    """The model, read once."""
    return read_model(MODELS / "social_domain.mdl")


class SocialDomain:
    """Model and table, and runs of 2026-2058; names may be written as in the model file."""

    def __init__(self, end: float = 2058, step: float = 0.125) -> None:
        self.grid = TimeGrid(2026, end, step)

    @cached_property
    def model(self) -> SourceModel:
        return social_model()

    @cached_property
    def table(self) -> dict[str, Constant]:
        """Rows of the table by key of the model."""
        return {self.key(row.name): row for row in read_constants(MODELS / "social_domain.csv")}

    @staticmethod
    def key(name: str) -> str:
        return name.lower().replace(" ", "_")

    def today(self, name: str) -> float:
        return self.table[self.key(name)].value

    def run(
        self, constants: Mapping[str, float | Array] | None = None, paths: Mapping[str, Array] | None = None
    ) -> Run:
        """Every variable by key: (steps + 1,) for one scenario, (steps + 1, scenario) for more."""
        given = {self.key(name): value for name, value in (constants or {}).items()}
        over_time = {self.key(name): value for name, value in (paths or {}).items()}
        given = {name: value for name, value in given.items() if name not in over_time}
        result = run(self._program(tuple(sorted({**given, **over_time}))), given, over_time)
        return dict(zip(self.model.system.variables, np.squeeze(result), strict=True))

    def effect(
        self,
        constants: Mapping[str, float | Array],
        paths: Mapping[str, Array],
        variable: str = "people on bijstand",
    ) -> Array:
        """What the paths change in one variable, with everything else equal."""
        key = self.key(variable)
        return self.run(constants, paths)[key] - self.run(constants)[key]

    def effects(self, constants: Mapping[str, float | Array], paths: Mapping[str, Array]) -> Run:
        """What the paths change in every variable, by key."""
        changed, before = self.run(constants, paths), self.run(constants)
        return {key: changed[key] - before[key] for key in changed}

    @lru_cache(maxsize=64)  # noqa: B019 (there are few instances, and they live as long as the tests)
    def _program(self, inputs: tuple[str, ...]) -> Program:
        return compile_program(self.model.system, self.grid, tuple(self.model.system.variables), inputs)

    def step(self, name: str, factor: float, first: float = 2028, until: float = 2200) -> dict[str, Array]:
        """Today's value of a constant, `factor` times as much from `first` until `until`."""
        return self.hold(name, self.today(name) * factor, first, until)

    def hold(self, name: str, value: float, first: float = 2028, until: float = 2200) -> dict[str, Array]:
        """Today's value of a constant, `value` from `first` until `until`."""
        times = self.grid.times
        return {name: np.where((times >= first) & (times < until), value, self.today(name))}

    def at(self, values: Array, year: float) -> Array:
        """Values at one moment."""
        return values[round((year - self.grid.start) / self.grid.step)]

    def draw(self, scenarios: int, seed: int) -> dict[str, Array]:
        """Every constant drawn evenly from its range, a Latin hypercube; a switch is on or off."""
        random = np.random.default_rng(seed)
        drawn = {}
        for key, row in self.table.items():
            assert row.low is not None
            assert row.high is not None
            strata = (random.permutation(scenarios) + random.uniform(size=scenarios)) / scenarios
            drawn[key] = row.low + (row.high - row.low) * strata
            if key.endswith("_switch"):
                drawn[key] = np.round(drawn[key])
        return drawn

    def from_range(self, *names: str) -> st.SearchStrategy[dict[str, float]]:
        """For hypothesis: one value for each constant, from its range."""
        rows = {name: self.table[self.key(name)] for name in names}
        return st.fixed_dictionaries({name: st.floats(row.low, row.high) for name, row in rows.items()})

    def random_allocation(self, seed: int) -> dict[str, Array]:
        """Nine decisions, each a new value every year, from half to twice today's."""
        random = np.random.default_rng(seed)
        years = (self.grid.times + 1e-9 - self.grid.start).astype(int)
        return {
            f"{name} spending": self.today(f"{name} spending")
            * random.uniform(0.5, 2.0, years[-1] + 1)[years]
            for name in DECISIONS
        }
