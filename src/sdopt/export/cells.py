"""What may go into a cell: input is data, and never becomes a formula, a link or broken XML."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import pandas as pd

LONGEST_TEXT = 32_767
"""Characters in one cell: Excel's own limit."""

# All that XML 1.0 cannot hold, such as control characters and halves of a surrogate pair.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Text that a spreadsheet would run, or that has apostrophes before such text already.
_FORMULA = re.compile("'*[-=+@\t\r\n]")


def plain_text(value: object) -> str:
    """Text that every spreadsheet can hold; what it cannot hold shows as a replacement character."""
    text = _NOT_XML.sub("\ufffd", str(value))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number that may be written as one (a bool is not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_missing(value: object) -> bool:
    """Whether a value is None or a NaN: a missing value stays empty and is never zero."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def half_of_last_digit(code: str) -> float:
    """Half of the last digit that a number format shows; what is smaller is shown as zero."""
    decimals = re.search(r"0(\.0+)?(%?)", code)
    shown = len(decimals[1] or ".") - 1 + 2 * len(decimals[2]) if decimals else 0
    return 0.0 if "E" in code else float(f"5e-{shown + 1}")


def without_minus_zero(value: float, code: object) -> float:
    """The value; zero where its number format would show a minus and nothing but zeros."""
    shown = not isinstance(code, str) or not -half_of_last_digit(code) < value < 0
    return value if shown else 0.0


def without_minus(code: str, value: float) -> str:
    """The number format; one that shows no minus where nothing but zeros would follow it.

    Its sections go by what is shown, so that the format still holds when the number is calculated again.
    """
    if not -half_of_last_digit(code) < value < 0:
        return code
    above, below, zero = (*code.split(";"), "", "")[:3]
    half = f"{half_of_last_digit(code):.12f}".rstrip("0").rstrip(".")
    return f"[>={half}]{above};[<=-{half}]{below or f'-{above}'};{zero or above}"


def to_python(value: Any) -> Any:
    """The plain Python value of a NumPy scalar or a missing value of pandas; others unchanged."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.item() if hasattr(value, "item") else value


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """A copy for .csv in which no text starts a formula: such a cell gets an apostrophe before it.

    Quotes do not protect a .csv cell; Excel would still run it. Text that has apostrophes there already gets
    one more, so that a reader gets the text back by taking one off.
    """
    return table.apply(lambda column: column.map(_defused)).rename(columns=_defused)


def _defused(value: Any) -> Any:
    """The value; text gets an apostrophe when it could run, and line ends that get quoted."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if _FORMULA.match(value) else text
