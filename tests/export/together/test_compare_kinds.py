"""An advice, a sweep and robust allocations beside each other: each in its own column, by its own numbers."""

from __future__ import annotations

import re
from io import BytesIO

import openpyxl
import pytest

from sdopt.export.compare.page import compare_html
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import read_runs
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result


@pytest.fixture(scope="module")
def kinds(asked) -> Result:  # type: ignore[no-untyped-def]
    return comparison(read_runs([asked.advice, asked.sweep, asked.robust]))


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


def test_every_number_of_the_page_has_its_cell(kinds: Result) -> None:
    found = re.findall(r'<data value="([^"]+)" data-source="(\w+):(\w+):(\d+)"', compare_html(kinds))
    assert {table for _, table, _, _ in found} >= {"compared_robust", "compared_totals", "compared_decisions"}
    for value, table, column, row in found:
        assert float(value) == kinds.tables[table].at[int(row), column]


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
