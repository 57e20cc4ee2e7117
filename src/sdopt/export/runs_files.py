"""The tables of a job with many runs: written in pieces while it goes on, and read back for the referee."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.job import Job, Outcome
from sdopt.errors import ExportError

if TYPE_CHECKING:
    import pyarrow

Floats = NDArray[np.float64]

PIECE = 1_000_000
"""Rows of a piece of the long table, or those of one run when it has more."""


class Trajectories:
    """The long table: run (from 1), variable, subscript, time, value, unit. Use it in a `with` statement.

    A piece holds a fixed number of runs, so the bytes do not depend on how runs were simulated together.
    """

    def __init__(self, path: Path, job: Job) -> None:
        import pyarrow.parquet

        self.rows_of_run = len(job.outputs) * len(job.kept)
        self.runs_in_piece = min(max(1, PIECE // self.rows_of_run), job.design.runs)
        self.beside = _beside_values(job, self.runs_in_piece)
        self.first, self.waiting = 1, [np.empty((len(job.outputs), len(job.kept), 0))]
        names = ("run", *self.beside.column_names, "value")
        types = (pyarrow.int32(), *self.beside.schema.types, pyarrow.float64())
        self.order = ("run", "variable", "subscript", "time", "value", "unit")
        found = dict(zip(names, types, strict=True))
        self.file = path.open("xb")  # pyarrow itself cannot open every path Python can
        self.writer = pyarrow.parquet.ParquetWriter(
            self.file,
            pyarrow.schema([(name, found[name]) for name in self.order]),
            compression="zstd",
            use_dictionary=["variable", "subscript", "time", "unit"],
            column_encoding={"value": "BYTE_STREAM_SPLIT", "run": "DELTA_BINARY_PACKED"},
        )

    def __enter__(self) -> Trajectories:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, also when a user ends the job, and the end of the file."""
        if kind is None or kind is KeyboardInterrupt:
            self._write(np.concatenate(self.waiting, axis=2))
        self.writer.close()
        self.file.close()

    def add(self, kept: Floats) -> None:
        """Take what is kept of the next runs, (output, kept time, run)."""
        self.waiting.append(kept)
        if sum(part.shape[2] for part in self.waiting) >= self.runs_in_piece:
            together = np.concatenate(self.waiting, axis=2)
            whole = together.shape[2] // self.runs_in_piece * self.runs_in_piece
            self._write(together[:, :, :whole])
            self.waiting = [together[:, :, whole:].copy()]

    def _write(self, kept: Floats) -> None:
        for start in range(0, kept.shape[2], self.runs_in_piece):
            self._write_piece(kept[:, :, start : start + self.runs_in_piece])

    def _write_piece(self, kept: Floats) -> None:
        import pyarrow

        runs = kept.shape[2]
        numbers = np.arange(self.first, self.first + runs, dtype=np.int32)
        piece = self.beside.slice(0, runs * self.rows_of_run)
        piece = piece.append_column("run", pyarrow.array(np.repeat(numbers, self.rows_of_run)))
        values = np.ascontiguousarray(kept.transpose(2, 0, 1)).ravel()
        piece = piece.append_column("value", pyarrow.array(values))
        self.writer.write_table(piece.select(self.order), row_group_size=piece.num_rows)
        self.first += runs


def _beside_values(job: Job, runs: int) -> pyarrow.Table:
    """The columns that are the same in each run: what a value is of, and when."""
    import pyarrow

    variables = [job.model.system.variables[key] for key in job.outputs]
    texts = {
        "variable": [_base_name(v.name) if v.subscripts else v.name for v in variables],
        "subscript": [",".join(v.subscripts) for v in variables],
        "unit": [v.unit for v in variables],
    }
    each = np.tile(np.repeat(np.arange(len(variables), dtype=np.int32), len(job.kept)), runs)
    columns = {name: _as_dictionary(column, each) for name, column in texts.items()}
    return pyarrow.table({**columns, "time": np.tile(job.times, len(variables) * runs)})


def _base_name(name: str) -> str:
    return name.rpartition("[")[0]


def _as_dictionary(texts: Sequence[str], places: NDArray[np.int32]) -> Any:
    """The texts at these places; each is stored once."""
    import pyarrow

    distinct = list(dict.fromkeys(texts))
    numbers = np.array([distinct.index(text) for text in texts], dtype=np.int32)
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(numbers[places]), pyarrow.array(distinct))


def read_back(path: Path, job: Job, runs: Sequence[int]) -> Floats:
    """What the long table holds of some runs (positions): (output, kept time, run).

    Raises
    ------
    ExportError
        If the file does not hold them in full.
    """
    import pyarrow.parquet

    rows = len(job.outputs) * len(job.kept)
    found = np.empty((len(job.outputs), len(job.kept), len(runs)))
    with path.open("rb") as opened:
        file = pyarrow.parquet.ParquetFile(opened)
        in_piece = file.metadata.row_group(0).num_rows // rows
        for place, run in enumerate(runs):
            piece, at = divmod(run, in_piece)
            table = file.read_row_group(piece, columns=["run", "value"]).slice(at * rows, rows)
            if table.num_rows != rows or set(np.unique(table["run"])) != {run + 1}:
                raise ExportError(f"{path}: run {run + 1} is not complete.")
            found[:, :, place] = table["value"].to_numpy().reshape(len(job.outputs), len(job.kept))
    return found


def write_runs(path: Path, job: Job, outcome: Outcome, refereed: Sequence[int]) -> None:
    """The table with a row per run: objective, why it failed, whether PySD repeated it, constants."""
    import pyarrow
    import pyarrow.parquet

    names, runs = job.model.system.variables, job.design.runs
    columns: dict[str, Any] = {"run": np.arange(1, runs + 1, dtype=np.int32)}
    columns["objective"] = outcome.objective
    columns["failure"] = pyarrow.array([outcome.failed.get(run, "") for run in range(runs)], pyarrow.string())
    columns["refereed"] = np.isin(np.arange(runs), list(refereed))
    for key, values in zip(job.design.keys, job.design.values, strict=True):
        columns[f"constant {names[key].name}"] = values
    with path.open("xb") as file:
        pyarrow.parquet.write_table(pyarrow.table(columns), file, compression="zstd")
