"""The table of runs: one row per run, one column per constant, by its name in the model."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from sdopt.batch.names import find_constant
from sdopt.equations.system import EquationSystem
from sdopt.errors import Complaints, ConfigError

Floats = NDArray[np.float64]
Rows = list[tuple[int, list[str]]]
"""Number of the line in the file, and its cells."""

ROWS_AT_ONCE = 20_000
MOST_COMPLAINTS = 20
"""Cells named in one error; the rest is counted."""


@dataclass(frozen=True)
class Design:
    """The constants of every run: `keys`, and values (constant, run) in the model's units.

    `sha256` is of the bytes of the file.
    """

    keys: tuple[str, ...]
    values: Floats
    sha256: str

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(self.values.shape[1])

    def constants(self, run: int) -> dict[str, float]:
        """The constants of one run, by key."""
        return dict(zip(self.keys, self.values[:, run].tolist(), strict=True))


def read_design(path: Path, system: EquationSystem) -> Design:
    """Read a table of runs: .parquet, or .csv with commas or semicolons (then also decimal commas).

    Raises
    ------
    ConfigError
        All that is wrong with it, by row and column.
    """
    complaints = Complaints(str(path), ConfigError)
    read = {".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix.lower())
    if read is None:
        raise ConfigError(f"{path}: a table of runs ends in .csv or .parquet.")
    try:
        sha256 = _hash(path)
        keys, values = read(path, system, complaints)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error}).") from None
    if not complaints.items and not values.size:
        complaints.add("", "holds no runs: give one column per constant and one row per run.")
    complaints.raise_if_any()
    return Design(keys, values, sha256)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keys(names: Sequence[str], system: EquationSystem, complaints: Complaints) -> tuple[str, ...]:
    """The constant of every column, each once."""
    found: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        where = f'column {number} ("{name}")'
        key = find_constant(name, where, system, complaints)
        if key in found:
            complaints.add(where, f"is given in column {found[key]} too.")
        elif key is not None:
            found[key] = number
    return tuple(found)


def _read_csv(path: Path, system: EquationSystem, complaints: Complaints) -> tuple[tuple[str, ...], Floats]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file)
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            names = next(rows, [])
            keys = _keys(names, system, complaints)
            cells = _Cells(names, delimiter == ";", complaints)
            blocks = [cells.numbers(block) for block in _blocks(rows)]
            cells.count_the_rest()
    except UnicodeDecodeError as error:
        complaints.add("", f"is not UTF-8 text ({error.reason}); save it as CSV UTF-8.")
    except csv.Error as error:
        complaints.add(f"row {rows.line_num}", f"is not CSV ({error}).")
    if complaints.items or not blocks:
        return (), np.empty((0, 0))
    return keys, np.concatenate(blocks, axis=1)


def _delimiter(file: TextIO) -> str:
    header = next(csv.reader([file.readline()], delimiter=";"), [])
    file.seek(0)
    return ";" if len(header) > 1 else ","


def _blocks(rows: Any) -> Iterator[Rows]:
    """The rows that are not empty, some at a time."""
    block: Rows = []
    for row in rows:
        if row:
            block.append((rows.line_num, row))
        if len(block) == ROWS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


class _Cells:
    """Turns rows of text into numbers, and complains of the cells that are none."""

    def __init__(self, names: Sequence[str], comma: bool, complaints: Complaints) -> None:
        self.names, self.comma, self.complaints = names, comma, complaints
        self.point_seen = self.comma_seen = False
        self.wrong = 0

    def numbers(self, rows: Rows) -> Floats:
        """Values (constant, run); cells that are not numbers are named in a complaint."""
        table = [row for _, row in rows]
        if self.comma:
            table = [[self._with_point(cell) for cell in row] for row in table]
        if all(len(row) == len(self.names) for row in table):
            try:
                values = np.array(table, dtype=np.float64)
                if np.isfinite(values).all() and not any("_" in cell for row in table for cell in row):
                    return np.ascontiguousarray(values.T)
            except ValueError:
                pass
        for (line, row), cells in zip(rows, table, strict=True):
            self._complain(line, row, cells)
        return np.empty((len(self.names), 0))

    def _with_point(self, cell: str) -> str:
        self.point_seen |= "." in cell
        self.comma_seen |= "," in cell
        # One file, one decimal mark: 1.000 is a thousand to one reader and one to another.
        return "mixed" if self.point_seen and self.comma_seen else cell.replace(",", ".")

    def _complain(self, line: int, row: list[str], cells: list[str]) -> None:
        if len(row) != len(self.names):
            self._add(f"row {line}", f"has {len(row)} cells; the first row has {len(self.names)}.")
            return
        for name, found, cell in zip(self.names, row, cells, strict=True):
            if not _is_number(cell):
                reason = "a decimal comma and a decimal point in one file" if cell == "mixed" else "found"
                self._add(f'row {line}, column "{name}"', f"{reason} {found!r}; a finite number is needed.")

    def _add(self, where: str, message: str) -> None:
        self.wrong += 1
        if self.wrong <= MOST_COMPLAINTS:
            self.complaints.add(where, message)

    def count_the_rest(self) -> None:
        """Say how many more cells are wrong than were named."""
        if self.wrong > MOST_COMPLAINTS:
            self.complaints.add("", f"and {self.wrong - MOST_COMPLAINTS} more.")


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell))) and "_" not in cell
    except ValueError:
        return False


def _read_parquet(
    path: Path, system: EquationSystem, complaints: Complaints
) -> tuple[tuple[str, ...], Floats]:
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            table = pyarrow.parquet.read_table(file)
    except pyarrow.ArrowException as error:
        raise ConfigError(f"{path}: is not a Parquet file ({str(error).splitlines()[0]}).") from None
    keys = _keys(table.column_names, system, complaints)
    columns = [_column(name, table.column(k), complaints) for k, name in enumerate(table.column_names)]
    return keys, np.array(columns) if columns and not complaints.items else np.empty((0, 0))


def _column(name: str, column: Any, complaints: Complaints) -> Floats:
    import pyarrow

    kind = column.type
    if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
        complaints.add(f'column "{name}"', f"holds {kind}; numbers are needed.")
        return np.empty(0)
    values = column.cast(pyarrow.float64(), safe=False).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(values))
    for row in wrong[:MOST_COMPLAINTS]:
        complaints.add(f'row {row + 1}, column "{name}"', f"found {values[row]}; a finite number is needed.")
    if wrong.size > MOST_COMPLAINTS:
        complaints.add(f'column "{name}"', f"and {wrong.size - MOST_COMPLAINTS} more.")
    return np.asarray(values, np.float64)
