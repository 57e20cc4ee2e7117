"""Units as text: when two are the same, and what an amount per year is an amount of."""

from __future__ import annotations

import re

YEAR_WORDS = ("year", "years", "yr", "yrs", "jaar", "jaren")


def plain_unit(unit: str) -> str:
    """What units are compared by: case and spaces around operators make no difference."""
    return re.sub(r"\s*([*/()])\s*", r"\1", " ".join(unit.split())).casefold()


def amount_per_year(unit: str) -> str | None:
    """The unit of an amount from its unit per year (`EUR` for `EUR/Year`), or None if it is not per year."""
    amount, _, per = unit.rpartition("/")
    return amount.strip() if amount.strip() and plain_unit(per) in YEAR_WORDS else None
