"""Units of measure: the texts of a model file as powers of base units, with pint's algebra.

The units of a model are words of its own (Person, million EUR): each is a dimension by itself. So
pint's table of physical units is left out; "million EUR" and "EUR", Month and Year, are different units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import cast

from pint.util import UnitsContainer

from sdopt.config.units import YEAR_WORDS

Unit = UnitsContainer
"""Powers of base units; empty is dimensionless. Instead of it, None is a unit that is not known: fits any."""

DIMENSIONLESS = Unit({}, non_int_type=Fraction)
DIMENSIONLESS_WORDS = ("dmnl", "dimensionless", "unitless", "fraction", "1")
SYNONYMS = (
    YEAR_WORDS,
    ("quarter", "quarters", "kwartaal", "kwartalen"),
    ("month", "months", "maand", "maanden"),
    ("week", "weeks", "weken"),
    ("day", "days", "dag", "dagen"),
    ("hour", "hours", "uur", "uren"),
    ("minute", "minutes", "minuut", "minuten"),
    ("second", "seconds", "seconde", "seconden"),
    ("person", "persons", "people"),
    ("unit", "units"),
    ("$", "dollar", "dollars", "$s"),
)
"""Words that mean the same: Vensim's usual list, and the Dutch words for times."""

_RANGE = re.compile(r"\[[^\]]*\]\s*$")
_PER = re.compile(r"\s+per\s+", re.IGNORECASE)
_PART = re.compile(r"[*/()^]|[^*/()^]+")


class Units:
    """Reads and writes the units of one model; a word is shown as it was first written."""

    def __init__(self, synonyms: Iterable[Sequence[str]] = ()) -> None:
        self._first = {_plain(w): _plain(group[0]) for group in (*SYNONYMS, *synonyms) for w in group}
        self._shown: dict[str, str] = {}
        self._read: dict[str, Unit | None] = {}

    def read(self, text: str) -> Unit | None:
        """The unit of a text such as `EUR/Person/Year`, `1/Year [0,?]` or `Person*Year`; None when blank.

        Raises
        ------
        ValueError
            If the text is no product of words.
        """
        if text not in self._read:
            self._read[text] = self.read_with(text, {})
        return self._read[text]

    def read_with(self, text: str, given: Mapping[str, Unit | None]) -> Unit | None:
        """As `read`, where some words (lower case) stand for units, as the parameters of a macro do."""
        plain = _PER.sub("/", _RANGE.sub("", text)).strip()
        if not plain:
            return None
        parts = [part.strip() for part in _PART.findall(plain)]
        waiting = [part for part in reversed(parts) if part]
        unit = self._product(waiting, given)
        if waiting:
            raise ValueError(text)
        return unit

    def _product(self, waiting: list[str], given: Mapping[str, Unit | None]) -> Unit | None:
        """Factors from the left: a/b/c is a/(b*c), and a/b*c is (a/b)*c; a first / is 1/."""
        unit = DIMENSIONLESS if waiting and waiting[-1] == "/" else self._factor(waiting, given)
        while waiting and waiting[-1] in ("*", "/"):
            combine = times if waiting.pop() == "*" else over
            unit = combine(unit, self._factor(waiting, given))
        return unit

    def _factor(self, waiting: list[str], given: Mapping[str, Unit | None]) -> Unit | None:
        part = waiting.pop() if waiting else ")"
        if part == "(":
            unit = self._product(waiting, given)
            if not waiting or waiting.pop() != ")":
                raise ValueError("a ) is missing")
        elif part in ("*", "/", ")", "^"):
            raise ValueError(f"a unit is missing before {part}")
        else:
            unit = self._word(part, given)
        if waiting and waiting[-1] == "^":
            waiting.pop()
            unit = raised(unit, _exponent(waiting))
        return unit

    def _word(self, word: str, given: Mapping[str, Unit | None]) -> Unit | None:
        plain = _plain(word)
        if plain in given:
            return given[plain]
        if plain in DIMENSIONLESS_WORDS:
            return DIMENSIONLESS
        plain = self._first.get(plain, plain)
        self._shown.setdefault(plain, " ".join(word.split()))
        return Unit({plain: Fraction(1)}, non_int_type=Fraction)

    def word(self, base: str) -> str:
        """A base unit as it was first written."""
        return self._shown[base]

    def show(self, unit: Unit) -> str:
        """The text of a unit: `EUR/Person/Year`, `Dmnl` without any."""
        powers = cast("dict[str, Fraction]", dict(unit))
        words = sorted((self._shown[word], power) for word, power in powers.items())
        above = [_powered(word, power) for word, power in words if power > 0]
        below = ["/" + _powered(word, -power) for word, power in words if power < 0]
        if not words:
            return "Dmnl"
        # Twice per year is written as models do: /Year/Year.
        below = [b.removesuffix("^2") + b.removesuffix("^2") if b.endswith("^2") else b for b in below]
        return ("*".join(above) or "1") + "".join(below)


def times(a: Unit | None, b: Unit | None) -> Unit | None:
    """The unit of a product."""
    return None if a is None or b is None else a * b


def over(a: Unit | None, b: Unit | None) -> Unit | None:
    """The unit of a quotient."""
    return None if a is None or b is None else a / b


def raised(a: Unit | None, power: Fraction) -> Unit | None:
    """The unit of a power."""
    if not power:
        return DIMENSIONLESS
    return None if a is None else a**power


def _exponent(waiting: list[str]) -> Fraction:
    """A number after ^, or a fraction in brackets."""
    try:
        text = waiting.pop()
        return Fraction("".join(iter(waiting.pop, ")")) if text == "(" else text)
    except (IndexError, ZeroDivisionError):
        raise ValueError("a power is a number") from None


def _plain(word: str) -> str:
    return " ".join(word.replace("_", " ").split()).casefold()


def _powered(word: str, power: Fraction) -> str:
    if power == 1:
        return word
    word = f"({word})" if " " in word else word
    return f"{word}^{power}" if power.denominator == 1 else f"{word}^({power})"
