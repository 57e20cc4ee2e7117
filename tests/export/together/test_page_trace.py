"""Every number on the page of three results about one question, and what stands in two places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest
from agreement import apart
from origin import Origin
from page_numbers import left_over, unseen, wrong_numbers

from sdopt.export.formats import read_results
from sdopt.export.report import report_html


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_number_is_that_of_its_source(report: Path, language: str) -> None:
    page = lxml.html.fromstring(report_html(replace(read_results(report), language=language)))
    origin = Origin(report)
    assert len(page.findall(".//data")) > 500
    assert wrong_numbers(page, origin, language) == []
    assert left_over(page, origin, language) == []
    assert unseen(page) == []


def test_what_stands_in_two_places_is_the_same(report: Path) -> None:
    count, different = apart(Origin(report))
    assert count > 20
    assert different == []
