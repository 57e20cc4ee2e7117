"""Sweeps and robust allocations from Python: the tables that the commands write, as DataFrames."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Protocol

from sdopt.config.load import LoadedConfig
from sdopt.errors import ExportError
from sdopt.problem.build import Problem
from sdopt.result import Result
from sdopt.source_model.read import SourceModel

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
    def loaded(self) -> LoadedConfig:
        """Its config."""

    @property
    def model(self) -> ModelOf:
        """Its model."""

    @property
    def problem(self) -> Problem:
        """What is asked of it."""


@dataclass(frozen=True, eq=False, repr=False)
class Answered:
    """A question with what was found; `result` is what the command writes."""

    question: Asked
    result: Result

    @property
    def figures(self) -> dict[str, Any]:
        """Objective, improvement, number of runs and the like: plain numbers, text or None."""
        return dict(self.result.figures)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Everything that was found, as tables by name."""
        return dict(self.result.tables)


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Answered):
    """Every allocation in every scenario, kept in a folder that goes with this object.

    `runs` has a row per run, `scenarios` one per scenario, `trajectories` one per value that is kept,
    `allocations` one per decision and year; docs/sweeps.md gives their columns. `tables` holds what follows
    from the runs: distribution, conclusions, tornado, break_even and more; `figures` plain numbers.
    """

    folder: Path

    @property
    def summary(self) -> pd.DataFrame:
        """A row per allocation: mean, low, high, positive and any_broken."""
        return _rows(self.result.figures["allocations"])

    @property
    def limits(self) -> pd.DataFrame:
        """The probability that an allocation breaks a limit."""
        return _rows(self.result.figures["limits"])

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row per run."""
        return self._read("runs")

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """A row per scenario."""
        return self._read("scenarios")

    @cached_property
    def trajectories(self) -> pd.DataFrame:
        """A row per run, output and year; read when it is asked for."""
        return self._read("trajectories")

    @cached_property
    def allocations(self) -> pd.DataFrame:
        """A row per allocation, decision and year."""
        return self._read("allocations")

    def _read(self, name: str) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.read_table(self.folder / f"{name}.parquet", partitioning=None).to_pandas()

    def write(self, folder: str | Path) -> Path:
        """Write the results folder as the command does, a new one under `folder`.

        Raises
        ------
        ExportError
            When it cannot be written.
        """
        from sdopt.export.folder import write_folder
        from sdopt.export.sweep import folder_title

        def copy(target: Path) -> None:
            shutil.copytree(self.folder, target, dirs_exist_ok=True)

        return write_folder(Path(folder), folder_title(self.question.problem), copy)

    def __repr__(self) -> str:
        """One line."""
        runs, names = self.figures["runs"], ", ".join(dict.fromkeys(self.allocations["allocation"]))
        return f"<Sweep {self.result.title!r}: {runs:,} runs of {names}>"


@dataclass(frozen=True, eq=False, repr=False)
class Robust(Answered):
    """The best allocation over all scenarios, by each measure.

    `tables` holds robust_measures, robust_price, robust_proof, robust_allocations and more.
    """

    @property
    def status(self) -> str:
        """How far the weakest of the answers can be trusted."""
        return self.result.status.key

    def allocation(self, measure: str) -> pd.DataFrame:
        """Decision, year, value of the best by a measure: can be given to `sdopt.simulate`.

        Raises
        ------
        KeyError
            When the config does not ask for this measure.
        """
        table = self.result.tables["robust_allocations"]
        if measure not in set(table["allocation"]):
            raise KeyError(f"{measure}: there are {', '.join(dict.fromkeys(table['allocation']))}")
        own = table[table["allocation"] == measure].rename(columns={"period": "year"})
        return own[["decision", "year", "value"]].reset_index(drop=True)

    def write(self, folder: str | Path) -> Path:
        """Write the results folder as the command does, a new one under `folder`.

        Raises
        ------
        ExportError
            When it cannot be written.
        """
        from sdopt.export.robust import write_robust

        return write_robust(self.result, self.question.loaded, Path(folder), datetime.now(UTC))

    def __repr__(self) -> str:
        """One line."""
        measures = ", ".join(self.result.tables["robust_proof"]["measure"])
        return f"<Robust {self.result.title!r}: best by {measures}; {self.status}>"


def sweep(question: Asked, *, workers: int | None = None, backend: str = "numpy") -> Sweep:
    """Run what the config asks for under `sweep`; PySD repeats at least 32 runs.

    `workers` are processes (by default as many as save time); a script that uses several needs
    `if __name__ == "__main__":`. What is unfinished is not kept: for very many runs use the command.

    Raises
    ------
    ConfigError
        When an allocation or an uncertainty does not fit the question.
    OptimisationError, SimulationError
        When no advice can be found, or the model cannot be simulated.
    ReplayError
        When PySD disagrees.
    """
    from sdopt.export.formats import read_results
    from sdopt.export.sweep import Asked as Asking
    from sdopt.export.sweep import run_sweep

    aside = Path(mkdtemp(prefix="sdopt-"))
    try:
        how = Asking(aside, workers=workers, backend=backend)
        done = run_sweep(question.loaded, question.model.source, question.problem, how)
        if done is None:
            raise ExportError("the sweep was stopped; nothing is kept. For very many runs use the command.")
        swept = Sweep(question, read_results(done[2]), done[2])
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    weakref.finalize(swept, shutil.rmtree, aside, ignore_errors=True)
    return swept


def robust(question: Asked, *, scenarios: int | None = None) -> Robust:
    """Find robust allocations as the config asks under `robust`; PySD replays each at central values.

    `scenarios` is the number of draws; that of the config when None.

    Raises
    ------
    ConfigError
        When the section `robust` does not fit the model, or nothing is uncertain.
    OptimisationError
        When no allocation is allowed.
    ReplayError
        When PySD disagrees.
    """
    from sdopt.export.robust import find_robust

    source = question.model.source
    return Robust(question, find_robust(question.loaded, source, question.problem, scenarios))


def _rows(rows: list[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
