"""Observations of one constant: a column of a table, the data of an uncertainty."""

from __future__ import annotations

from pathlib import Path

from sdopt.config.csv_table import number
from sdopt.config.document import plain_value
from sdopt.config.sheets.table import Wanted, header_of, read_grid, table_of
from sdopt.errors import Complaints, ConfigError, did_you_mean

FEWEST = 2
"""Least number of different observations."""


def read_observations(path: Path, column: str | None) -> tuple[float, ...]:
    """The numbers in a column of a table (.xlsx, or .csv in Dutch or English notation), in row order.

    Raises
    ------
    ConfigError
        With every cell that is no number; if there is no such column, no name and several columns, or a
        number where its name belongs; and if there are fewer than two different observations.
    """
    complaints = Complaints(str(path), ConfigError)
    grid = read_grid(path)
    asked = (column,) if column is not None else ()
    _, names = header_of(grid, Wanted(asked))
    header = tuple(name for name in names if name)
    chosen = column if column is not None else next(iter(header), "")
    _check_column(chosen, column is not None, header, complaints)
    complaints.raise_if_any()
    table = table_of(grid, Wanted((chosen,), numbers=(chosen,)), complaints)
    found = tuple(number(line.at(chosen), line.cells[chosen], table.mark, complaints) for line in table.lines)
    shares = [line.at(chosen) for line in table.lines if chosen in line.percents]
    if 0 < len(shares) < len(found):
        complaints.add(shares[0], "a percentage among plain numbers; write all of them in one way")
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
