"""An allocation as rows (decision, year, value), to and from a decision vector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.config.csv_table import number
from sdopt.config.sheets.share import check_percentage
from sdopt.config.sheets.table import Line, Table, Wanted, read_sheet
from sdopt.errors import Complaints, ConfigError, did_you_mean
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
COLUMNS = ("decision", "year", "value")
SHOWN_YEARS = 8
MOST_MISSING = 20
"""Missing values that are told one by one."""
SHEET = Wanted(COLUMNS, numbers=("year", "value"), across=("year", "value"), years=("year",), ragged=True)
"""Of a file with an allocation: a row per decision and year, or a row per decision with a column per year."""


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
    complaints.raise_if_any()
    missing = [label for label, k in wanted.items() if np.isnan(point[k])]
    for decision, year in missing[:MOST_MISSING]:
        complaints.add("", f"no value for {decision} in {year:g}.")
    if len(missing) > MOST_MISSING:
        complaints.add("", f"no value for {len(missing) - MOST_MISSING} more.")
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
        hint = _hint(row["decision"], wanted)
        complaints.add(
            where, f'the config has no decision "{row["decision"]}" that starts in {year:g}.{hint}'
        )
    elif not np.isfinite(value) or not np.isnan(point[position]):
        complaints.add(where, f"{row['decision']} in {year:g} is given twice, or is not a finite number.")
    else:
        point[position] = value


def _hint(decision: object, wanted: Mapping[tuple[str, float], int]) -> str:
    """The years of a decision that there is, or else the one that it looks like."""
    years = [year for known, year in wanted if known == decision]
    if not years:
        return did_you_mean(str(decision), [known for known, _ in wanted])
    more = ", ..." if len(years) > SHOWN_YEARS else ""
    return f" Its years: {', '.join(f'{year:g}' for year in years[:SHOWN_YEARS])}{more}."


def read_allocation(path: Path, problem: Problem) -> Floats:
    """A decision vector (decision,) from a file: .xlsx (also `FILE.xlsx#SHEET`), or .csv in either notation.

    It has the columns decision, year and value, or decision and a column per year. `decision` is an id of
    the config; every decision and first year of a period must be given once.

    Raises
    ------
    ConfigError
        All that is wrong with the file, by row or by cell.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_sheet(path, SHEET, complaints)
    units = {path.id: path.unit for path in problem.decisions.paths}
    lines = [line for line in table.lines if not _unused(line, table, problem)]
    for line in lines:
        check_percentage(line, ("year", "value"), units.get(line.cells["decision"], ""), complaints)
    return decision_vector(list(_rows(table, lines, complaints)), problem, complaints)


def _unused(line: Line, table: Table, problem: Problem) -> bool:
    """Whether it is the empty cell of a year in which a decision does not start."""
    if not table.wide or line.cells["value"]:
        return False
    label = (line.cells["decision"], int(line.cells["year"]))
    return not label[0] or (label not in problem.decisions.labels() and _known(label[0], problem))


def _known(decision: str, problem: Problem) -> bool:
    return any(decision == known for known, _ in problem.decisions.labels())


def _rows(
    table: Table, lines: Iterable[Line], complaints: Complaints
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every row with its place; numbers of a sheet, or with a decimal comma, are looked at cell by cell."""
    for line in lines:
        if not table.workbook and table.mark == ".":
            yield line.at(), line.cells
            continue
        before = len(complaints.items)
        found = {
            column: number(line.at(column), line.cells[column], table.mark, complaints)
            for column in ("year", "value")
        }
        if len(complaints.items) == before:
            yield line.at("value" if table.workbook else ""), {**line.cells, **found}
