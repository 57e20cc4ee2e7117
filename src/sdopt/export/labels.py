"""Every word of the outputs in Dutch and English: one table, `labels.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sdopt.errors import ExportError

LANGUAGES = ("nl", "en")
NO_UNIT = "dmnl"
"""What models call the unit of a plain number."""


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

    def number(self, value: float, decimals: int = 1, *, sign: bool = False, marks: bool = True) -> str:
        """A number inside a sentence, with the language's own separators; those of thousands with `marks`."""
        rounded = round(value, decimals) + 0.0  # + 0.0: never "-0.0"
        text = f"{rounded:{'+' if sign and rounded else ''}{',' if marks else ''}.{decimals}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "nl" else text

    def share(self, value: float, *, sign: bool = False) -> str:
        """A share as a percentage inside a sentence."""
        return f"{self.number(100 * value, 2, sign=sign)} %"

    def yes_no(self, value: bool) -> str:
        """Yes or no."""
        return self("word.yes" if value else "word.no")
