"""P10, P50 and P90 of the advice: over all futures and in every external scenario by itself."""

from __future__ import annotations

import io
from collections.abc import Mapping

import openpyxl
import pytest

from sdopt.export.report.page import report_html
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result


def test_points_over_all_futures_are_those_of_the_conclusion(results: Mapping[str, Result]) -> None:
    tables = results["sweep"].tables
    whole = tables["distribution"].query("allocation == 'advice' and external == ''").iloc[0]
    said = tables["conclusions"].query("allocation == 'advice' and against == 'null'").iloc[0]
    assert whole[["q10", "q90"]].tolist() == pytest.approx(said[["q10", "q90"]].tolist(), rel=1e-12)
    points = tables["distribution"][["q05", "q10", "q25", "q50", "q75", "q90", "q95"]]
    assert (points.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_the_sheet_has_a_row_per_external_scenario(results: Mapping[str, Result]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(results["sweep"])))
    rows = [list(row[:5]) for row in book["Onzekerheid"].iter_rows(values_only=True)]
    first = next(place for place, row in enumerate(rows) if row[1:4] == ["P10", "P50", "P90"])
    table = results["sweep"].tables["distribution"].query("allocation == 'advice'").set_index("external")
    keys = ["q10", "q50", "q90", "positive"]
    names = {"Advies": "", "waarvan in as now": "as now", "waarvan in dear": "dear"}
    assert [row[0] for row in rows[first + 1 : first + 4]] == list(names)
    for row in rows[first + 1 : first + 4]:
        assert row[1:] == pytest.approx(table.loc[names[row[0]], keys].tolist(), rel=1e-12)
    assert rows[first + 4][0] is None


def test_one_scenario_and_older_results_have_the_whole_only(results: Mapping[str, Result]) -> None:
    table = results["sweep"].tables["distribution"]
    for shown in (table[table["external"].isin(["", "dear"])], table.drop(columns=["q10", "q90"])):
        result = results["sweep"].with_tables(distribution=shown)
        book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(result)))
        names = [row[0] for row in book["Onzekerheid"].iter_rows(values_only=True)]
        assert not [name for name in names if str(name).startswith("waarvan in")]
        assert "per scenario van buiten" not in report_html(result)


def test_the_report_has_them_too(results: Mapping[str, Result]) -> None:
    html = report_html(results["sweep"])
    assert "Verbetering door het advies per scenario van buiten" in html
