"""Every number in the report is the number that its source holds, to the last digit that is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import lxml.html
import pytest
from origin import Origin
from page_numbers import left_over, read, unseen, wrong_numbers

KINDS = ("example", "explained", "sweep", "robust", "forms", "districts")
Folders = Callable[[str], Path]
Pages = Callable[[str, str], Path]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_that_of_its_source(folders: Folders, pages: Pages, kind: str, language: str) -> None:
    page, origin = read(pages(kind, language)), Origin(folders(kind))
    assert len(page.findall(".//data")) > 100
    assert wrong_numbers(page, origin, language) == []
    assert left_over(page, origin, language) == []
    assert unseen(page) == []


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
    assert re.search(r"meer dan (ongeveer )?\S+ (duizend )?euro beter", said)
    assert len(lead.findall(".//data")) >= 14
