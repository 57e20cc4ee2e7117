"""No more decimals than are known: numbers rounded by the error of sampling, or by the width of a range."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10

from sdopt.export.cells import is_number
from sdopt.export.labels import Labels
from sdopt.export.lists import number_style
from sdopt.export.page import Style

MOST = 9
"""Most decimals that are shown."""
DIGITS = 2
"""Digits beyond the first that a range of a constant is shown with."""


def known_decimals(error: float) -> int | None:
    """Decimals of which the last is about as large as a standard error; None when that is not known."""
    if not is_number(error) or error < 10.0**-MOST:
        return None
    return min(max(ceil(-log10(error)), 0), MOST)


def range_decimals(low: float, high: float) -> int:
    """Decimals with which a range shows three digits of its width (or of its value, without width)."""
    size = abs(high - low) or abs(high)
    return min(max(DIGITS - floor(log10(size)), 0), MOST) if size and isfinite(size) else DIGITS


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
    """A probability as a percentage inside a sentence."""
    return f"{labels.number(100 * value, decimals)} %"
