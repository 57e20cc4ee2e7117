"""Every word of the outputs in Dutch and English: one table, `labels.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import TypeAlias

from sdopt.errors import ExportError
from sdopt.sweep.rounding import half_away

LANGUAGES = ("nl", "en")
NO_UNIT = "dmnl"
"""What models call the unit of a plain number."""


_DUTCH = str.maketrans(",.", ".,")


Cells: TypeAlias = tuple[str, str, Iterable[int], str]
"""Table, column, rows (their labels in the table), and how they become one number: sum, mean, count."""


@cache
def _table() -> dict[str, dict[str, str]]:
    """Label key -> language -> text."""
    text = files("sdopt.export").joinpath("labels.csv").read_text(encoding="utf-8")
    return {row["key"]: row for row in csv.DictReader(text.splitlines(keepends=True))}


@dataclass(frozen=True)
class Labels:
    """Words and numbers in one language (`nl` or `en`)."""

    language: str

    def __post_init__(self) -> None:
        """Refuse a language that has no column in the table."""
        if self.language not in LANGUAGES:
            raise ExportError(f'language: found "{self.language}"; allowed: {", ".join(LANGUAGES)}')

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, with `values` filled in; values are data and are never expanded again."""
        return _table()[key][self.language].format(**values)

    def find(self, key: str, otherwise: str, **values: object) -> str:
        """The text of `key`, or `otherwise` for words that come from the model and have no label."""
        return self(key, **values) if key in _table() else otherwise

    def unit(self, unit: str) -> str:
        """A unit in words (`million EUR/Year` becomes `mln euro per jaar`), or as the model writes it.

        A number without a unit (`Dmnl`) has no word for it: "".
        """
        plain = " ".join(unit.lower().split())
        return "" if plain == NO_UNIT else self.find(f"unit.{plain}", unit)

    def with_unit(self, text: str, unit: str) -> str:
        """A name or an amount, and its unit in brackets where it has one."""
        said = self.unit(unit)
        return f"{text} ({said})" if said else text

    def number(
        self, value: float, decimals: int = 1, *, sign: bool = False, marks: bool = True,
        of: Cells | None = None,
    ) -> str:  # fmt: skip
        """A number inside a sentence, with the language's own separators; those of thousands with `marks`.

        It is rounded as in the cells of a spreadsheet (`half_away`). On the page of the report every number
        that comes from here, or that fills in a label, leads to its cell: `export.report.rules` finds it by
        the label. Only a number that is made of chosen rows must say so itself, by `of`.
        """
        rounded = half_away(value, decimals) if isfinite(value) else value
        text = f"{rounded:{'+' if sign and rounded else ''}{',' if marks else ''}.{decimals}f}"
        return text.translate(_DUTCH) if self.language == "nl" else text

    def count(self, table: str, column: str, rows: Iterable[int]) -> str:
        """How many rows of a table, inside a sentence."""
        rows = list(rows)
        return self.number(len(rows), 0, of=(table, column, rows, "count"))

    def group(self, name: str, members: Iterable[str]) -> str:
        """A name for several things of the tables (`variable`) that are taken together."""
        return name

    def shown(self, value: float, text: str) -> str:
        """The text, which says this number in another way than rounded (`<1` for 0.3)."""
        return text

    def share(self, value: float, *, sign: bool = False) -> str:
        """A share as a percentage inside a sentence."""
        return f"{self.number(100 * value, 2, sign=sign)} %"

    def yes_no(self, value: bool) -> str:
        """Yes or no."""
        return self("word.yes" if value else "word.no")
