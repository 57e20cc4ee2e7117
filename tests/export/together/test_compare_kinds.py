"""An advice, a sweep and robust allocations beside each other: each in its own column, by its own numbers."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import lxml.html
import openpyxl
import pytest
from click.testing import CliRunner
from origin import Origin
from page_numbers import left_over, unseen, wrong_numbers

from sdopt.cli import main
from sdopt.export.compare.page import compare_html
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result


@pytest.fixture(scope="module")
def folder(asked, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    output = tmp_path_factory.mktemp("naast elkaar")
    done = CliRunner().invoke(main, ["compare", *map(str, asked.folders), "--output", str(output)])
    assert done.exit_code == 0, done.output
    (made,) = output.iterdir()
    return made


@pytest.fixture(scope="module")
def kinds(folder: Path) -> Result:
    return read_results(folder)


def test_every_robust_allocation_has_the_numbers_of_its_run(kinds: Result, asked) -> None:  # type: ignore[no-untyped-def]
    own = read_results(asked.robust).tables
    amounts = own["robust_allocations"].query("allocation == 'expected'")
    found = kinds.tables["compared_allocation"].query("run == 'C' and allocation == 'expected'")
    assert sorted(found["value"]) == sorted(amounts["value"])
    measures = own["robust_measures"].set_index("allocation")
    for row in kinds.tables["compared_robust"].to_dict("records"):
        assert row["run"] == "C"
        for measure in ("central", "expected", "cvar", "worst_case", "probability_of_loss"):
            assert row[measure] == measures.at[row["allocation"], measure]


def test_columns_say_which_run_and_which_allocation(kinds: Result) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(kinds)), data_only=True)
    heads = next(row for row in book["Verdeling"].values if row[0] == "Beslissing")
    named = ["A: Advies", "B: Advies", "C: Advies", "C: Beste gemiddeld"]
    differences = [f"Verschil: {name}" for name in named[1:]]
    assert list(heads[:7]) == ["Beslissing", "Eenheid", "Nu (nulalternatief)", *named]
    assert list(heads[7:10]) == differences
    robust = [row[0] for row in book["Robuuste verdelingen"].values]
    assert {"C: Advies", "C: Beste gemiddeld"} <= set(robust)
    page = compare_html(kinds)
    assert all(f">{name}<" in page for name in named)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_number_of_the_page_is_that_of_its_source(kinds: Result, folder: Path, language: str) -> None:
    page, origin = lxml.html.fromstring(compare_html(replace(kinds, language=language))), Origin(folder)
    told = {one.get("data-source").partition(":")[0] for one in page.iter("data")}
    assert told >= {"compared_runs", "compared_robust", "compared_totals", "compared_decisions"}
    assert wrong_numbers(page, origin, language) == []
    assert left_over(page, origin, language) == []
    assert unseen(page) == []


def test_what_a_kind_does_not_know_is_said_once(kinds: Result) -> None:
    labels = Labels("nl")
    care = care_lines(kinds, labels)
    assert "(A: advies; B: onzekerheid (sweep); C: robuust)" in care[0]
    futures = kinds.tables["compared_runs"].set_index("run")["futures"]
    assert str(futures["A"]) == "nan"
    said = [line for line in care if line.startswith("Let op: kansen en gemiddelden")]
    assert said == [
        labels("compared.futures", values=f"B: {futures['B']:g} (seed 1); C: {futures['C']:g} (seed 1)")
    ]
    assert any(
        line.startswith("C, Beste gemiddeld: gemiddeld over de toekomsten")
        for line in found_lines(kinds, labels)
    )
    page = compare_html(kinds)
    assert page.count("Niet in de uitkomst van B, C") == len({"return", "pockets", "perspectives"})
    assert "komt niet voor" not in page
