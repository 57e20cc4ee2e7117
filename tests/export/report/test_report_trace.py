"""Every number in the report is the number that its source holds, to the last digit that is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lxml.html
import pandas as pd
import pytest

KINDS = ("example", "explained", "sweep", "robust")
Folders = Callable[[str], Path]
Pages = Callable[[str, str], Path]


class Origin:
    """Looks sources up in a results folder, by the csv files that people can open."""

    def __init__(self, folder: Path) -> None:
        self.tables = folder / "tables"
        self.summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        self._read: dict[str, pd.DataFrame] = {}

    def value(self, source: str) -> float:
        """What a source is worth: terms from left to right."""
        first, *rest = re.split(r" ([-/]) ", source)
        worth = self._term(first)
        for operator, term in zip(rest[::2], rest[1::2], strict=True):
            worth = worth - self._term(term) if operator == "-" else worth / self._term(term)
        return worth

    def text(self, source: str) -> str:
        table, column, row = source.split(":")
        return str(self._table(table).at[int(row), column])

    def _table(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            path = self.tables / f"{name}.csv"
            self._read[name] = pd.read_csv(path, keep_default_na=False, na_values=[""])
        return self._read[name]

    def _term(self, term: str) -> float:
        kind, *rest = term.split(":")
        if kind in ("figure", "provenance"):
            found: Any = self.summary if kind == "figure" else self.summary["provenance"]
            for key in rest[0].split("."):
                found = found[key]
            return float(found)
        column, rows, how = (*rest, "sum")[:3]
        cells = self._table(kind)[column].iloc[list(_rows(rows))]
        return float(len(cells) if how == "count" else getattr(cells.astype(float), how)())


def _rows(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def parsed(shown: str, language: str) -> tuple[float, float]:
    """A number as a reader of this language reads it, and half of its last digit."""
    thousands, mark = (".", ",") if language == "nl" else (",", ".")
    text = shown.strip().replace(thousands, "").replace(mark, ".")
    digits, _, power = text.partition("e")
    return float(text), 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_that_of_its_source(folders: Folders, pages: Pages, kind: str, language: str) -> None:
    origin = Origin(folders(kind))
    page = lxml.html.parse(str(pages(kind, language))).getroot()
    numbers = page.findall(".//data")
    assert len(numbers) > 100
    for one in numbers:
        value, source = float(one.get("value")), one.get("data-source")
        assert value == pytest.approx(origin.value(source), rel=1e-9, abs=1e-12), source
        shown, half = parsed(one.text_content(), language)
        meant = value * float(one.get("data-scale", "1"))
        assert abs(shown - meant) <= half * (1 + 1e-9) + 1e-9 * abs(meant), (one.text_content(), source)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_in_tables_outside_charts_all_have_a_source(pages: Pages, kind: str) -> None:
    page = lxml.html.parse(str(pages(kind, "nl"))).getroot()
    for figure in page.find_class("chart"):
        figure.getparent().remove(figure)
    cells = [cell for cell in page.iter("td", "th") if "n" in (cell.get("class") or "").split()]
    untraced = [c.text_content() for c in cells if c.tag == "td" and c.find("data") is None]
    assert {text.strip() for text in untraced} <= {"–", ""}


@pytest.mark.parametrize("kind", ["explained", "sweep"])
def test_sentences_of_a_table_stand_there_as_they_are(folders: Folders, pages: Pages, kind: str) -> None:
    origin = Origin(folders(kind))
    quoted = lxml.html.parse(str(pages(kind, "nl"))).getroot().find_class("quoted")
    assert bool(quoted) == (kind == "sweep")
    for one in quoted:
        assert one.text_content() == origin.text(one.get("data-source"))


def test_the_pockets_add_up_to_the_improvement(folders: Folders, pages: Pages) -> None:
    page = lxml.html.parse(str(pages("example", "nl"))).getroot()
    (section,) = page.xpath("//section[@id='parties']")
    (table,) = (
        one for one in section.iter("table") if one.find_class("total") and one.find(".//data") is not None
    )
    rows = [[float(data.get("value")) for data in row.iter("data")][-1] for row in table.find("tbody")]
    assert sum(rows[:-1]) == pytest.approx(rows[-1], abs=1e-9)
    assert rows[-1] == pytest.approx(Origin(folders("example")).value("figure:improvement"), rel=1e-6)


def test_the_paragraph_with_the_advice_says_what_moves_and_how_sure(pages: Pages) -> None:
    page = lxml.html.parse(str(pages("example", "nl"))).getroot()
    (lead,) = page.find_class("lead")
    said = " ".join(lead.text_content().split())
    assert said.startswith(
        "Het advies levert over de hele horizon 8,75 mln euro meer op dan doorgaan zoals nu"
    )
    assert "meer naar Preventie (+1,03)" in said
    assert "minder naar Sociale basis (-2,02), Re-integratie (-1,16)" in said
    assert "maatschappelijk (+8,75)" in said
    assert "meer dan 800 euro beter" in said
    assert len(lead.findall(".//data")) >= 14
