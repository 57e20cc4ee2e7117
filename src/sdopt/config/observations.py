"""Observations of one constant: a column of a table, the data of an uncertainty."""

from __future__ import annotations

from pathlib import Path

from sdopt.config.csv_table import number, read_table
from sdopt.config.document import plain_value
from sdopt.errors import Complaints, ConfigError, did_you_mean

FEWEST = 2
"""Least number of different observations."""


def read_observations(path: Path, column: str | None) -> tuple[float, ...]:
    """The numbers in a column of a CSV table (UTF-8, commas or semicolons), in the order of its rows.

    Raises
    ------
    ConfigError
        With every cell that is no number; if there is no such column, no name and several columns, or a
        number where its name belongs; and if there are fewer than two different observations.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, (), complaints)
    chosen = column if column is not None else next(iter(table.header), "")
    _check_column(chosen, column is not None, table.header, complaints)
    complaints.raise_if_any()
    cells = {row: cells[chosen] for row, cells in table.rows.items()}
    found = tuple(number(f"row {row}, {chosen}", cell, table.mark, complaints) for row, cell in cells.items())
    complaints.raise_if_any()
    if (different := len(set(found))) < FEWEST:
        complaints.add("", f"{different} different observations; a distribution needs at least {FEWEST}")
    complaints.raise_if_any()
    return found


def _check_column(chosen: str, named: bool, header: tuple[str, ...], complaints: Complaints) -> None:
    if not named and len(header) > 1:
        complaints.add("column", f"the table has several: {', '.join(header)}; name one in the config")
    elif not named and not isinstance(plain_value(chosen.replace(",", ".")), str):
        complaints.add("row 1", f'found "{chosen}"; write the name of the column above the observations')
    elif chosen not in header:
        near = did_you_mean(chosen, header)
        complaints.add("column", f'there is no "{chosen}".{near} There are: {", ".join(header)}')
