"""What a source of a number is worth, worked out again from the files that people can open."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

SPAN = re.compile(r"\d{4}-\d{4}")
"""A text from year to year, such as a horizon, that a sentence may hold."""
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class Origin:
    """Looks sources up in a results folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        self._read: dict[str, pd.DataFrame] = {}

    def value(self, source: str) -> float:
        """What a source is worth: terms from left to right."""
        first, *rest = re.split(r" ([-+*/]) ", source)
        worth = self._term(first)
        for sign, term in zip(rest[::2], rest[1::2], strict=True):
            worth = OPERATORS[sign](worth, self._term(term))
        return worth

    def text(self, source: str) -> str:
        """A cell with a text."""
        table, column, row = source.split(":")
        return str(self.table(table).at[int(row), column])

    def table(self, name: str) -> pd.DataFrame:
        """A table as a program reads it."""
        if name not in self._read:
            path = self.folder / "tables" / f"{name}.csv"
            self._read[name] = pd.read_csv(path, keep_default_na=False, na_values=[""])
        return self._read[name]

    def has(self, name: str) -> bool:
        """Whether there is such a table, with rows."""
        return (self.folder / "tables" / f"{name}.csv").is_file() and len(self.table(name)) > 0

    @cached_property
    def texts(self) -> tuple[frozenset[str], frozenset[str]]:
        """Texts with a number in them, and those that are nothing but one (an account, a version)."""
        found = set(_texts(self.summary))
        for path in (self.folder / "tables").glob("*.csv"):
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            for column in table:
                cells = table[column].unique()
                written = column == "account" or path.stem == "compared_inputs"
                if written or not all(map(_is_number, cells)):
                    found |= set(cells)
        held = {text for text in found if any(map(str.isdigit, text))}
        alone = {text for text in held if not re.search(r"[^\W\d_]", text) and not SPAN.fullmatch(text)}
        return frozenset(held - alone), frozenset(alone)

    def _term(self, term: str) -> float:
        if _is_number(term):
            return float(term)
        kind, *rest = term.split(":")
        if kind in ("figure", "provenance"):
            found: Any = self.summary if kind == "figure" else self.summary["provenance"]
            for key in rest[0].split("."):
                found = found[int(key)] if isinstance(found, list) else found[key]
            return float(found)
        column, rows, how = (*rest, "sum")[:3]
        cells = self.table(kind)[column].iloc[list(_rows(rows))]
        if how in ("count", "different"):
            return float(len(cells) if how == "count" else cells.nunique())
        return float(getattr(cells.astype(float), how)())


def _rows(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a nested value, and the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _is_number(text: str) -> bool:
    try:
        float(text or "0")
    except ValueError:
        return False
    return True
