"""Every number on a page: what its element says is right, and none is left without."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from origin import Origin

LABELS = Path(__file__).resolve().parents[2] / "src" / "sdopt" / "export" / "labels.csv"
NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*")
DIGITS = re.compile(r"\d+")
MARKS = re.compile("\ue000\\d+\ue001|[\ue000-\ue002]")
SILENT = ("script", "style")


def wrong_numbers(page: Any, origin: Origin, language: str) -> list[str]:
    """Elements of which value, source and text do not agree."""
    return [told for one in page.iter("data") if (told := _wrong(one, origin, language))]


def _wrong(one: Any, origin: Origin, language: str) -> str:
    value, source, shown = float(one.get("value")), one.get("data-source"), one.text_content()
    worth = origin.value(source)
    if value != pytest.approx(worth, rel=1e-9, abs=1e-12):
        return f"{source}: {worth} is not {value}"
    meant = Decimal(f"{value * float(one.get('data-scale', '1')):.15g}")
    if not _says(shown.strip(), meant, one.get("data-rounded", ""), language):
        return f"{source}: {meant} is not shown as {shown}"
    return ""


def _says(shown: str, meant: Decimal, rounded: str, language: str) -> bool:
    """Whether a reader of this language reads the number that is meant, rounded as a spreadsheet does."""
    thousands, mark = (".", ",") if language == "nl" else (",", ".")
    text = shown.replace(thousands, "").replace(mark, ".")
    if text[:1] in "<>":
        near = Decimal(text[1:])
        return 0 < meant < near if text[0] == "<" else near < meant < 100
    digit = Decimal(1).scaleb(Decimal(text).as_tuple().exponent)
    if rounded:
        over = (Decimal(text) - meant) * (1 if rounded == "up" else -1)
        return -digit / 10**6 <= over < digit
    if "e" in text:
        return abs(Decimal(text) - meant) <= digit / 2
    return Decimal(text) == meant.quantize(digit, ROUND_HALF_UP)


def left_over(page: Any, origin: Origin, language: str) -> list[str]:
    """Numbers on a page that no element, label, table, title or fact of the run accounts for."""
    inside, alone = origin.texts
    known = _by_number(inside | _of_labels(language))
    left = []
    for text in map(_plain, _pieces(page)):
        found = list(NUMBER.finditer(text)) if text not in alone else []
        near = {one for number in set(DIGITS.findall(text)) for one in known.get(number, ())} if found else ()
        spans = [at.span() for one in near if one in text for at in re.finditer(re.escape(one), text)]
        left += [
            f"{number[0]} in {text}"
            for number in found
            if not any(first <= number.start() and number.end() <= last for first, last in spans)
        ]
    return left


def unseen(page: Any) -> list[str]:
    """Numbers that only who hears the page is told: those in a text alternative but not beside it."""
    left = []
    for one in page.xpath("//*[@aria-label]"):
        whole = one if one.find(".//table") is not None else next(one.iterancestors("figure"), one)
        seen = NUMBER.findall(whole.text_content())
        left += [number for number in NUMBER.findall(one.get("aria-label")) if number not in seen]
    return left


def _pieces(page: Any) -> Iterator[str]:
    """The texts of a page as they stand between elements, without those of numbers with a source."""
    for one in page.iter():
        if isinstance(one.tag, str) and one.tag not in (*SILENT, "data") and one.text:
            yield one.text
        above = one.getparent()
        if one.tail and above is not None and above.tag not in SILENT:
            yield one.tail


def _plain(text: str) -> str:
    """A text as it is read: what would be a mark in a name has no effect."""
    return " ".join(MARKS.sub("", text).split()).casefold()


@cache
def _by_number(texts: frozenset[str]) -> dict[str, set[str]]:
    """Number -> the texts that hold it."""
    found: dict[str, set[str]] = {}
    for text in map(_plain, texts):
        for number in DIGITS.findall(text):
            found.setdefault(number, set()).add(text)
    return found


@cache
def _of_labels(language: str) -> frozenset[str]:
    """What labels say themselves, between what fills them in, as far as it holds a number."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        texts = [row[language] for row in csv.DictReader(file)]
    parts = (part for text in texts for part in re.split(r"\{[^}]*\}", text))
    return frozenset(part for part in parts if NUMBER.search(part))


def read(path: Path) -> Any:
    """A page."""
    return lxml.html.parse(str(path)).getroot()
