"""How a table writes its numbers, 1.234,5 (Dutch) or 1,234.5 (English): told with certainty, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

MARKS = (",", ".")


def _pattern(mark: str, other: str) -> re.Pattern[str]:
    """A number with this decimal mark; the other one may part the thousands."""
    plain = rf"[0-9]+(\{mark}[0-9]+)?([eE][-+]?[0-9]{{1,3}})?"
    grouped = rf"[1-9][0-9]{{0,2}}(\{other}[0-9]{{3}})+(\{mark}[0-9]+)?"
    return re.compile(rf"[-+]?({plain}|{grouped})")


_NUMBER = {",": _pattern(",", "."), ".": _pattern(".", ",")}


def possible_marks(text: str) -> tuple[str, ...]:
    """The decimal marks with which a text is a number; both for `12` and, with two meanings, for `1.234`."""
    bare = _bare(text)
    return tuple(mark for mark in MARKS if _NUMBER[mark].fullmatch(bare))


def notation(texts: Iterable[str], delimiter: str) -> tuple[str, list[str]]:
    """The decimal mark of a table, by what its texts can be and by what parts its cells; and what is unclear.

    Unclear are numbers that would be another one in the other notation, when nothing in the table tells
    which it is. Where cells are parted by commas a point is a decimal mark, unless a number shows otherwise:
    a Dutch LibreOffice parts cells by commas and puts numbers in quotes, as in `"1,5"`.
    """
    found = [(text, possible_marks(text)) for text in texts if not text.isdecimal()]
    certain = {marks for _, marks in found}
    dutch, english = (",",) in certain, (".",) in certain
    mark = "," if dutch and not (english and delimiter == ",") else "."
    two = [text for text, marks in found if len(marks) > 1 and _separated(text)]
    unclear = [text for text in two if delimiter != "," or "," in text]
    return mark, [] if dutch or english else unclear


def without_groups(text: str, mark: str) -> str:
    """A number without separators of thousands, and a percentage as the number that it is (5 % is 0.05).

    What is no number in this notation stays as it is: the reader says so.
    """
    bare = _bare(text)
    if not _NUMBER[mark].fullmatch(bare):
        return text
    plain = bare.replace("." if mark == "," else ",", "")
    if is_percentage(text):
        share = Decimal(plain.replace(",", ".")) / 100
        return format(share, "f").replace(".", mark)
    return plain


def is_percentage(text: str) -> bool:
    """Whether a text ends in a percent sign."""
    return text.endswith("%")


def remedy(text: str, delimiter: str) -> str:
    """How to write either of the two numbers that a doubtful text may be."""
    bare = _bare(text)
    mark = "," if "," in bare else "."
    fraction = bare.replace(",", ".") if delimiter == "," else f"{bare}0, with a decimal more,"
    return f'write {bare.replace(mark, "")} if it is that, or {fraction} if "{mark}" is the decimal mark'


def _bare(text: str) -> str:
    return text[:-1].rstrip() if is_percentage(text) else text


def _separated(text: str) -> bool:
    return "," in text or "." in text
