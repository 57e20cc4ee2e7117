"""The report as a page: what is there, what is absent, and what a name can never become."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.report import bundle, report_html
from sdopt.export.report.render import asset, json_script
from sdopt.result import Result, Status

KINDS = ("example", "explained", "sweep", "robust")
SECTIONS = {
    "example": ["question", "advice", "sure", "costs", "parties", "cannot", "assumptions", "run"],
    "explained": ["question", "advice", "sure", "costs", "when", "why", "wrong", "cannot", "run"],
    "sweep": ["question", "advice", "sure", "true", "wrong", "cannot", "assumptions", "run"],
    "robust": ["question", "robust", "cannot", "run"],
}
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
Pages = Callable[[str, str], Path]
Folders = Callable[[str], Path]


def read(pages: Pages, kind: str, language: str = "nl") -> Any:
    return lxml.html.parse(str(pages(kind, language))).getroot()


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_section_that_applies_is_there_once_and_in_the_contents(
    pages: Pages, kind: str, language: str
) -> None:
    page = read(pages, kind, language)
    found = [section.get("id") for section in page.iter("section")]
    assert len(found) == len(set(found))
    assert set(SECTIONS[kind]) <= set(found)
    assert [link.get("href") for link in page.xpath("//nav//a")] == [f"#{key}" for key in found]
    assert page.get("lang") == language
    assert all("".join(section.itertext()).strip() for section in page.iter("section"))


def test_sections_that_do_not_apply_are_absent(pages: Pages) -> None:
    assert "parties" not in SECTIONS["explained"]
    absent = {"example": "robust", "explained": "parties", "sweep": "costs", "robust": "advice"}
    for kind, section in absent.items():
        assert not read(pages, kind).xpath(f"//section[@id='{section}']"), kind


def test_without_a_sweep_it_says_plainly_what_is_not_known(pages: Pages) -> None:
    (section,) = read(pages, "example").xpath("//section[@id='sure']")
    (warning,) = section.find_class("warning")
    assert "Van de 199 aannames zijn er 108 onzeker" in warning.text_content()
    (sweep,) = read(pages, "sweep").xpath("//section[@id='sure']")
    assert not sweep.find_class("warning")


@pytest.mark.parametrize("kind", KINDS)
def test_headings_are_in_order_and_tables_have_captions_and_scopes(pages: Pages, kind: str) -> None:
    page = read(pages, kind)
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in page.iter("table"):
        assert table.find("caption").text_content().strip()
        assert all(head.get("scope") in ("col", "row") for head in table.iter("th"))
        widths = {len(row) for row in table.iter("tr")}
        assert len(widths) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_nothing_of_the_network_and_runs_only_its_own_scripts(pages: Pages, kind: str) -> None:
    text = pages(kind, "nl").read_text(encoding="utf-8")
    page = lxml.html.fromstring(text)
    assert not page.xpath("//link | //iframe | //img | //object | //base | //script[@src] | //*[@style]")
    assert not [
        name for element in page.iter() for name in getattr(element, "attrib", {}) if name.startswith("on")
    ]
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']")[0].get("content")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert len(text.encode()) < 5e6
    own = {asset("vega.js"), asset("report.js"), asset("fit.js", "sdopt.export.figures")}
    scripts = page.xpath("//script[not(@type)]")
    assert {script.text for script in scripts} <= own and scripts
    for script in page.xpath("//script[@type='application/json']"):
        json.loads(script.text)


def test_hostile_names_are_text(pages: Pages) -> None:
    for kind in ("explained", "sweep"):
        text = pages(kind, "nl").read_text(encoding="utf-8")
        assert "<script>window.hacked" not in text and "<img src=x" not in text
        assert "{{7*7}} {% raw %} ${7*7}" in lxml.html.fromstring(text).text_content()
    page = read(pages, "explained")
    assert page.find(".//h1").text.startswith("</script><script>window.hacked = 1</script><!-- {{7*7}}")
    assert "999 zorg" in page.text_content()
    assert not page.xpath("//data[text()='999']")  # marks of a number that a name holds have no effect


def test_json_in_a_script_cannot_end_it() -> None:
    text = json_script({"a": "</script><!-- \u2028\u2029 & '\""})
    assert not re.search("[<>&'\u2028\u2029]", text)
    assert json.loads(text) == {"a": "</script><!-- \u2028\u2029 & '\""}


def test_the_same_result_gives_the_same_page(folders: Folders) -> None:
    result = read_results(folders("example"))
    assert report_html(result) == report_html(result)
    shuffled = Result(**{**vars(result), "tables": dict(reversed(result.tables.items()))})
    assert report_html(shuffled) == report_html(result)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_folder_of_every_command_holds_the_report(folders: Folders, kind: str) -> None:
    folder = folders(kind)
    assert (folder / "report.html").read_bytes() == report_html(read_results(folder)).encode()
    readme = next(
        path for path in folder.iterdir() if path.suffix == ".txt" and path.stem in ("LEESMIJ", "README")
    )
    assert "report.html" in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.COMPARED])
def test_every_status_gives_a_page(make_result: Callable[..., Result], status: Status) -> None:
    for language in ("nl", "en"):
        page = lxml.html.fromstring(report_html(make_result(status=status, language=language)))
        said = page.xpath("//section[@id='sure']")[0].text_content()
        assert Labels(language)(f"status.{status.key}") in said


def test_a_result_without_a_bound_says_that_nothing_is_known_of_it(
    make_result: Callable[..., Result],
) -> None:
    base = make_result()
    figures = {**base.figures, "bound": None, "gap": None, "gap_amount": None, "gap_euro": None}
    page = lxml.html.fromstring(report_html(replace(base, figures=figures, status=Status.LOCAL)))
    assert Labels("nl")("report.best.unknown") in page.find_class("lead")[0].text_content()


def test_vega_is_what_the_bundle_gives_and_comes_with_its_licence() -> None:
    assert bundle.TARGET.read_bytes() == bundle.bundle().encode()
    licence = bundle.TARGET.with_name("vega-licence.txt").read_text(encoding="utf-8")
    assert "Redistribution and use in source and binary forms" in licence


def test_making_a_page_needs_no_drawing_program(folders: Folders) -> None:
    code = (
        "import sys; from pathlib import Path; from sdopt.export.formats import read_results; "
        "from sdopt.export.report import report_html; report_html(read_results(Path(sys.argv[1]))); "
        "print([m for m in ('vl_convert', 'pysd', 'pyomo', 'highspy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folders("example")], capture_output=True, text=True, check=True, env=ENV
    )
    assert done.stdout.strip() == "[]"


def test_the_perspectives_of_the_model_are_told_in_english(pages: Pages) -> None:
    said = read(pages, "example", "en").text_content()
    assert "society" in said and "the municipality's finances" in said
    assert not re.search("fiscaal|maatschappelijk", said.partition("Show all")[0])
    assert "gemeente-fiscaal" in read(pages, "example").text_content()
