"""Percentages: of which quantities one can be told what it means."""

from __future__ import annotations

from collections.abc import Iterable

from sdopt.config.sheets.table import Line
from sdopt.config.units import plain_unit
from sdopt.errors import Complaints

_PURE = ("", "1", "dmnl", "dimensionless", "fraction", "share")


def is_share(unit: str) -> bool:
    """Whether 5 % of this unit can only be 0.05: a number without unit, or such a number per something."""
    return plain_unit(unit).partition("/")[0] in _PURE


def check_percentage(line: Line, columns: Iterable[str], unit: str, complaints: Complaints) -> None:
    """Complain about each percentage in columns of another unit, in which it may be any number."""
    for column in columns:
        if column in line.percents and not is_share(unit):
            complaints.add(line.at(column), f'expected a number, found a percentage; the unit is "{unit}": '
                           "write the number in that unit, without percent sign or format")  # fmt: skip
