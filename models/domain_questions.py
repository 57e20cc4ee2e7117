"""The shipped question asked in other ways: the runs behind `write_domain_checks.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sdopt.config.load import LoadedConfig, load_config
from sdopt.export.console import Progress
from sdopt.optimise.run import optimise
from sdopt.optimise.tables import simulate
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel, read_model

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
FIRST = 2027
Floats = NDArray[np.float64]


@lru_cache
def model(path: Path) -> SourceModel:
    """The model of a config, read once."""
    return read_model(path)


@dataclass(frozen=True)
class Question:
    """A shipped config with some of its keys changed."""

    loaded: LoadedConfig

    def problem(self) -> Problem:
        """The same, compiled."""
        return build_problem(self.loaded, model(self.loaded.config.model.file).system)

    def answer(self) -> Result:
        """The best allocation."""
        with Progress() as progress:
            return optimise(self.problem(), "check", progress)

    def with_changes(self, **keys: object) -> Question:
        """Another value for some keys of the config (validated ones)."""
        config = self.loaded.config.model_copy(update=keys)
        return Question(replace(self.loaded, config=config))

    def with_constants(self, constants: Mapping[str, float]) -> Question:
        """Other numbers for some constants of the model."""
        files = self.loaded.config.model
        return self.with_changes(model=files.model_copy(update={"changes": {**files.changes, **constants}}))

    def until(self, end: float, *, end_value: bool = True) -> Question:
        """Another horizon, with or without the value of the stocks left."""
        config = self.loaded.config
        objective = config.objective if end_value else config.objective.model_copy(update={"end_value": None})
        return self.with_changes(horizon=config.horizon.model_copy(update={"end": end}), objective=objective)

    def maximising(self, variable: str) -> Question:
        """Another objective; the value of stocks left belongs to the social return only."""
        objective = self.loaded.config.objective
        return self.with_changes(
            objective=objective.model_copy(update={"maximise": variable, "end_value": None})
        )


def question(name: str) -> Question:
    """A shipped config by file name."""
    return Question(load_config(CONFIGS / f"{name}.yaml"))


def improvement(result: Result) -> float:
    """Return over the null alternative, in million EUR."""
    return float(result.figures["improvement"])


def shifts(result: Result) -> dict[str, float]:
    """Decision -> mean of the decision years less the null alternative, in million EUR a year."""
    table = result.tables["allocation"]
    years = result.tables["decisions"]["period"]
    within = table[table["time"].between(years.min(), years.max())]
    means = within.pivot_table(index="variable", columns="allocation", values="value")
    return {str(name): float(row["advice"] - row["null"]) for name, row in means.iterrows()}


def centre(result: Result, variable: str) -> float | None:
    """Mean year of what is spent beyond the null alternative; None where nothing is."""
    table = result.tables["allocation"]
    rows = table[(table["variable"] == variable) & (table["time"] >= FIRST)]
    wide = rows.pivot_table(index="time", columns="allocation", values="value")
    extra = (wide["advice"] - wide["null"]).clip(lower=0)
    return float((extra.index * extra).sum() / extra.sum()) if extra.sum() > 0 else None


def raised(problem: Problem, spending: str, share: float, *, until: float = np.inf) -> dict[str, Floats]:
    """What a lasting rise of one kind of spending changes in every variable, by key: (time,)."""
    times = problem.grid.times
    paths = problem.decisions.null_paths()
    key = next(path.key for path in problem.decisions.paths if path.name == spending)
    factor = np.where((times >= FIRST) & (times < until), 1 + share, 1.0)
    before, after = simulate(problem, paths), simulate(problem, {**paths, key: paths[key] * factor})
    return {name: after[name] - before[name] for name in before}


def at(problem: Problem, values: Floats, year: float) -> float:
    """Value at one moment."""
    return float(values[np.argmin(np.abs(problem.grid.times - year))])
