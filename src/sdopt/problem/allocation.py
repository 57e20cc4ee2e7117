"""An allocation as rows (decision, year, value), to and from a decision vector."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
COLUMNS = ("decision", "year", "value")


def allocation_rows(problem: Problem, point: Floats) -> list[tuple[str, int, float]]:
    """Decision, first year of the period and value of every entry of a decision vector (decision,)."""
    return [(*label, float(value)) for label, value in zip(problem.decisions.labels(), point, strict=True)]


def decision_vector(
    rows: Iterable[tuple[str, Mapping[str, Any]]], problem: Problem, complaints: Complaints
) -> Floats:
    """The decision vector (decision,) that rows say; each comes with its place in words.

    `decision` is an id of the config; every decision and first year of a period must be given once.

    Raises
    ------
    The error of `complaints`
        All that is wrong, by row.
    """
    wanted = {(label, float(year)): k for k, (label, year) in enumerate(problem.decisions.labels())}
    point = np.full(problem.decisions.size, np.nan)
    for where, row in rows:
        _place(row, where, wanted, point, complaints)
    for (decision, year), k in wanted.items():
        if np.isnan(point[k]) and not complaints.items:
            complaints.add("", f"no value for {decision} in {year:g}.")
    complaints.raise_if_any()
    return point


def _place(
    row: Mapping[str, Any],
    where: str,
    wanted: Mapping[tuple[str, float], int],
    point: Floats,
    complaints: Complaints,
) -> None:
    try:
        year, value = float(row["year"]), float(row["value"])
    except (TypeError, ValueError):
        complaints.add(where, f"year and value must be numbers; found {row['year']!r} and {row['value']!r}.")
        return
    position = wanted.get((row["decision"], year))
    if position is None:
        hint = did_you_mean(str(row["decision"]), [decision for decision, _ in wanted])
        complaints.add(
            where, f'the config has no decision "{row["decision"]}" that starts in {year:g}.{hint}'
        )
    elif not np.isfinite(value) or not np.isnan(point[position]):
        complaints.add(where, f"{row['decision']} in {year:g} is given twice, or is not a finite number.")
    else:
        point[position] = value


def read_allocation(path: Path, problem: Problem) -> Floats:
    """A decision vector (decision,) from a CSV with the columns decision, year, value.

    `decision` is an id of the config; every decision and first year of a period must be given once.

    Raises
    ------
    ConfigError
        All that is wrong with the file, by row.
    """
    complaints = Complaints(str(path), ConfigError)
    rows = [(f"row {number}", row) for number, row in _rows(path, complaints)]
    return decision_vector(rows, problem, complaints)


def _rows(path: Path, complaints: Complaints) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        complaints.add(
            "", f"cannot be read ({error}). Give a CSV file with the columns decision, year, value."
        )
        return []
    missing = set(COLUMNS) - set(rows[0] if rows else {})
    if missing:
        complaints.add(
            "", f"lacks the columns {', '.join(sorted(missing))}; needed are decision, year, value."
        )
        return []
    return list(enumerate(rows, start=2))
