"""The constants of a question: a table, and a second one with what is different in one municipality."""

from __future__ import annotations

from sdopt.config.constants import Constant, read_constants
from sdopt.config.names import same_name
from sdopt.config.schema import ModelFiles
from sdopt.config.units import plain_unit
from sdopt.errors import Complaints, ConfigError, did_you_mean


def constants_of(files: ModelFiles) -> tuple[Constant, ...]:
    """The rows of `constants`, with those of `municipality` in their place; () without a table.

    Raises
    ------
    ConfigError
        With every fault of the first table that has any, and every row of `municipality` that is not in
        `constants` or has another unit.
    """
    if files.constants is None:
        return ()
    constants = read_constants(files.constants)
    if files.municipality is None:
        return constants
    complaints = Complaints(str(files.municipality), ConfigError)
    rows = {same_name(row.name): row for row in constants}
    local = {same_name(row.name): row for row in read_constants(files.municipality)}
    for name, row in local.items():
        _check(row, rows.get(name), list(constants), files.constants.name, complaints)
    complaints.raise_if_any()
    return tuple(local.get(name, row) for name, row in rows.items())


def _check(
    row: Constant, base: Constant | None, constants: list[Constant], table: str, complaints: Complaints
) -> None:
    """A row replaces one of the table that it changes, in the same unit."""
    if base is None:
        near = did_you_mean(row.name, [other.name for other in constants])
        complaints.add(f'"{row.name}"', f"{table} has no such constant.{near} Mend or remove it")
    elif plain_unit(row.unit) != plain_unit(base.unit):
        complaints.add(
            f'"{row.name}", unit', f'found "{row.unit}", in {table} it is "{base.unit}"; make them equal'
        )
