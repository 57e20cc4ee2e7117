"""No more decimals than are known: numbers rounded by the error of sampling, or by the width of a range."""

from __future__ import annotations

from sdopt.export.labels import Labels
from sdopt.export.lists import number_style
from sdopt.export.page import Style
from sdopt.sweep.rounding import (
    apart_decimals,
    is_calendar,
    known_decimals,
    level_decimals,
    own_decimals,
    quite,
    range_decimals,
)

__all__ = [
    "apart_decimals",
    "chance_decimals",
    "chance_style",
    "chance_words",
    "decimal_style",
    "ends_style",
    "error_style",
    "known_decimals",
    "level_style",
    "level_unit",
    "level_words",
    "own_decimals",
    "percent",
    "range_decimals",
]


def decimal_style(decimals: int, *, sign: bool = False) -> Style:
    """The style of cells with so many decimals."""
    zeros = f".{'0' * decimals}" if decimals else ""
    code = f"#,##0{zeros}"
    return {"num_format": f"+{code};-{code};0{zeros}" if sign else code}


def error_style(error: float, value: float, *, sign: bool = False) -> Style:
    """The style of a number with this standard error; by its size when the error is not known."""
    decimals = known_decimals(error)
    return number_style([value], sign=sign) if decimals is None else decimal_style(decimals, sign=sign)


def chance_decimals(low: float, high: float) -> int:
    """Decimals of a percentage of which the 95 % interval is known."""
    return known_decimals(100 * (high - low) / 4) or 0


def chance_style(low: float, high: float) -> Style:
    """The style of a probability with this 95 % interval."""
    decimals = chance_decimals(low, high)
    return {"num_format": f"0{'.' + '0' * decimals if decimals else ''}%"}


def chance_words(labels: Labels, value: float, decimals: int) -> str:
    """A probability as a percentage inside a sentence; never 0 or 100 % for what is not quite so."""
    if (side := quite(value, decimals)) != 0:
        return labels("found.nearly_all" if side > 0 else "found.hardly_any")
    return f"{labels.number(100 * value, decimals)} %"


def percent(share: float) -> str:
    """The same on a terminal, in whole percents; - for what is not known."""
    if share != share:
        return "-"
    return {-1: "<1%", 0: f"{share:.0%}", 1: ">99%"}[quite(share)]


def level_style(low: float, high: float, unit: str, own: float | None = None) -> Style:
    """The style of values of a constant with this range; with `own` of a number that was given."""
    decimals = level_decimals(low, high, unit)
    style = decimal_style(decimals if own is None else own_decimals(own, decimals))
    if not is_calendar(unit, low, high):
        return style
    return {"num_format": str(style["num_format"]).removeprefix("#,##")}


def ends_style(low: float, high: float, unit: str) -> Style:
    """The style of both ends of a range and what lies between; of calendar years as these were given."""
    if not is_calendar(unit, low, high):
        return level_style(low, high, unit)
    return level_style(low, high, unit, max(low, high, key=lambda end: own_decimals(end, 1)))


def level_words(labels: Labels, value: float, low: float, high: float, unit: str) -> str:
    """A value of a constant with this range, inside a sentence."""
    decimals = level_decimals(low, high, unit)
    if is_calendar(unit, low, high):
        return labels.number(value, own_decimals(value, decimals), marks=False)
    return labels.number(value, decimals)


def level_unit(labels: Labels, low: float, high: float, unit: str) -> str:
    """The unit behind such a value; none behind a year of the calendar."""
    return "" if is_calendar(unit, low, high) else labels.unit(unit)
