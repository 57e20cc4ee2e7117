"""A sweep from Python: the same tables as the command writes, as DataFrames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from sdopt.errors import ReplayError
from sdopt.optimise.memory import Memory
from sdopt.problem.build import Problem
from sdopt.source_model.read import SourceModel
from sdopt.sweep.allocations import find_advice, given_advice
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.referee import choose_runs, disagreement, referee
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import local_workers, plan_sweep, run_blocks
from sdopt.sweep.statistics import allocation_table, limit_table
from sdopt.sweep.tables import write_tables

if TYPE_CHECKING:
    import pandas as pd


class ModelOf(Protocol):
    """The model of a question."""

    @property
    def source(self) -> SourceModel:
        """Its equations."""


class Asked(Protocol):
    """A question, as `sdopt.load` gives it."""

    @property
    def model(self) -> ModelOf:
        """Its model."""

    @property
    def problem(self) -> Problem:
        """What is asked of it."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """Every allocation in every scenario; see docs/sweeps.md for the columns.

    `summary` has a row per allocation (mean, low, high, positive, ...), `limits` the probability that each
    limit is broken; `runs` a row per run, `scenarios` one per scenario, `trajectories` one per value that is
    kept, `allocations` one per decision and year. `plan` is what was run.
    """

    plan: Plan
    summary: pd.DataFrame
    limits: pd.DataFrame
    runs: pd.DataFrame
    scenarios: pd.DataFrame
    trajectories: pd.DataFrame
    allocations: pd.DataFrame

    def __repr__(self) -> str:
        """One line."""
        names = ", ".join(self.plan.names)
        return f"<Sweep {self.plan.problem.config.title!r}: {self.plan.runs:,} runs of {names}>"


def sweep(
    question: Asked, *, workers: int | None = None, backend: str = "numpy", verify: bool = True
) -> Sweep:
    """Run what the config asks for under `sweep`; PySD repeats at least 32 runs, unless `verify` is off.

    `workers` are processes (by default as many as save time); a script that uses several needs
    `if __name__ == "__main__":`. Nothing is kept for a later run: for very many runs use the command.

    Raises
    ------
    ConfigError
        When an allocation or an uncertainty does not fit the question.
    OptimisationError, SimulationError
        When no advice can be found, or the model cannot be simulated.
    ReplayError
        When PySD disagrees.
    """
    from sdopt.optimise.crew import Crew

    problem = question.problem
    with TemporaryDirectory(prefix="sdopt-") as folder:
        aside = Path(folder)
        with Parts(aside, "frames", resume=False) as parts:
            advice = given_advice(problem) or find_advice(problem, parts, Memory(), Crew(), lambda *_: None)
            plan = plan_sweep(problem, advice, backend)
            run_blocks(plan, parts, local_workers(plan, workers), lambda *_: None)
            outcome = outcome_of(plan, parts)
            chosen = choose_runs(plan, outcome) if verify else ()
            if verify:
                _check(plan, parts, question.model.source, chosen)
            write_tables(plan, parts, chosen, aside)
            parts.finished = True
        names = ("runs", "scenarios", "trajectories", "allocations")
        tables = {name: _read(aside / f"{name}.parquet") for name in names}
    return Sweep(plan, allocation_table(plan, outcome), limit_table(plan, outcome), **tables)


def _check(plan: Plan, parts: Parts, model: SourceModel, chosen: tuple[int, ...]) -> None:
    verdict = referee(plan, parts, model, chosen)
    if not verdict.agrees:
        raise ReplayError(str(disagreement(plan, verdict)))


def _read(path: Path) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path, partitioning=None).to_pandas()
