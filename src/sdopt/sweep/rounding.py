"""No more decimals than are known: by the error of sampling, or by the width of a range."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import ceil, floor, isfinite, log10

MOST = 9
"""Most decimals that are shown."""
DIGITS = 2
"""Digits beyond the first that a range of a constant is shown with."""
YEARS = frozenset({"year", "years", "jaar", "jaren"})
CALENDAR = 1800.0, 2300.0
"""Numbers of years between these are years of the calendar: no delay lasts so long."""
EXACT = 1e-9
"""A share this close to 0 or 1 is that, and a width below this part of a value is none: it is rounding."""

_ROUND = Context(prec=700, rounding=ROUND_HALF_UP)
"""More digits than a float can have before its point and behind it."""
HELD = 1e15
"""Below this a spreadsheet holds the 15 first digits of a number: what comes after those is of the binary."""


def half_away(value: float, decimals: int) -> Decimal:
    """A finite number with so many decimals, as the cells of a spreadsheet show it: 0.475 becomes 0.48.

    The decimal form of the float is rounded, a half away from zero; it is never -0.
    """
    exact = Decimal(f"{value:.15g}" if abs(value) < HELD else repr(float(value)))
    return _ROUND.plus(_ROUND.quantize(exact, Decimal(1).scaleb(-int(decimals))))


def known_decimals(error: float) -> int | None:
    """Decimals of which the last is about as large as a standard error; None when that is not known."""
    if not isfinite(error) or error < 10.0**-MOST:
        return None
    return min(max(ceil(-log10(error)), 0), MOST)


def range_decimals(low: float, high: float) -> int:
    """Decimals with which a range shows three digits of its width (or of its value, without width)."""
    width, value = abs(high - low), abs(high)
    size = width if width > EXACT * value else value
    return min(max(DIGITS - floor(log10(size)), 0), MOST) if size and isfinite(size) else DIGITS


def own_decimals(value: float, most: int) -> int:
    """Decimals that a given number has itself, at most so many: 0.06 is not shown as 0.0600."""
    return next((count for count in range(most) if round(value, count) == round(value, most)), most)


def apart_decimals(first: float, second: float) -> int:
    """Decimals with which two amounts show that they differ, and each at least two digits."""
    ends = range_decimals(first, second) - DIGITS, range_decimals(0.0, max(abs(first), abs(second))) - 1
    return max(*ends, 0)


def is_calendar(unit: str, *values: float) -> bool:
    """Whether numbers are years of the calendar, like 2028: without a mark for thousands, or a unit."""
    first, last = CALENDAR
    known = [value for value in values if isfinite(value)]
    return unit.strip().casefold() in YEARS and bool(known) and first <= min(known) <= max(known) <= last


def level_decimals(low: float, high: float, unit: str) -> int:
    """Decimals of a value of a constant with this range; of a year of the calendar one at most."""
    decimals = range_decimals(low, high)
    return min(decimals, 1) if is_calendar(unit, low, high) else decimals


def quite(share: float, decimals: int = 0) -> int:
    """1 for a share that shows as 100 % and is less, -1 for one that shows as 0 % and is more, else 0."""
    if share > EXACT and round(100 * share, decimals) <= 0:
        return -1
    return 1 if share < 1 - EXACT and round(100 * share, decimals) >= 100 else 0
