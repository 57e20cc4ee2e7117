"""A results folder read back, and written in other formats."""

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import odfdo
import openpyxl
import pandas as pd
import pytest

from sdopt.errors import ExportError
from sdopt.export.folder import write_results
from sdopt.export.formats import export_results, read_results
from sdopt.result import Result


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the results are that are written once, and copied for each test."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture
def folder(result: Result, written: Path, tmp_path: Path) -> Path:
    """A results folder as a run writes it, but without trajectories (quicker)."""
    tables = {name: table for name, table in result.tables.items() if name != "trajectories"}
    made = next(written.iterdir(), None) or write_results(
        replace(result, tables=tables), written, "a: 1\n", {}, None
    )
    return Path(shutil.copytree(made, tmp_path / "results" / made.name))


def test_round_trip(result: Result, tmp_path: Path) -> None:
    back = read_results(write_results(result, tmp_path, "a: 1\n", {}, None))
    assert (back.status, back.title, back.language) == (result.status, result.title, result.language)
    assert back.figures == result.figures
    assert back.provenance == result.provenance
    assert back.tables.keys() == result.tables.keys()
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(back.tables[name], table, check_exact=True)


def test_round_trip_of_empty_tables_and_few_figures(result: Result, tmp_path: Path) -> None:
    empty = replace(result, figures={"objective": 1.0}, tables={"search": result.tables["search"].iloc[:0]})
    back = read_results(write_results(empty, tmp_path, "", {}, None))
    assert list(back.tables["search"].columns) == ["iteration", "best", "bound", "gap"]
    assert {key: value for key, value in back.figures.items() if value is not None} == {"objective": 1.0}


def test_workbook_again_has_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = export_results(folder, "xlsx", tmp_path / "again.xlsx")
    assert again.read_bytes() == (folder / "workbook.xlsx").read_bytes()


def test_parquet_copies_are_the_same(folder: Path) -> None:
    copies = export_results(folder, "parquet", None)
    for path in (folder / "tables").glob("*.parquet"):
        assert (copies / path.name).read_bytes() == path.read_bytes()


def test_csv_is_what_dutch_excel_reads(result: Result, folder: Path) -> None:
    copies = export_results(folder, "csv", None)
    text = (copies / "allocation.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfrun;scenario;allocation;variable;")
    assert b";2,1;" in text
    read = pd.read_csv(copies / "allocation.csv", sep=";", decimal=",", encoding="utf-8-sig")
    assert read["value"].tolist() == result.tables["allocation"]["value"].tolist()


EVIL = ["=1+1", "+31 6", "-x", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0;x"]


def test_csv_text_never_starts_a_formula(result: Result, tmp_path: Path) -> None:
    table = pd.DataFrame({"name": EVIL, "low": -0.01, "=header": "plain"})
    root = write_results(replace(result, tables={"evil": table}), tmp_path, "", {}, None)
    text = (export_results(root, "csv", None) / "evil.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    defused = ["'" + evil.replace("\r", "\n") for evil in EVIL]
    assert rows[0] == ["name", "low", "'=header"]
    assert [row[0] for row in rows[1:]] == defused
    assert {row[1] for row in rows[1:]} == {"-0,01"}  # a negative number is no formula
    machine = (root / "tables" / "evil.csv").read_bytes().decode("utf-8")
    assert [row[0] for row in csv.reader(io.StringIO(machine, newline=""))][1:] == defused
    assert read_results(root).tables["evil"]["name"].tolist() == EVIL


def test_ods_is_the_workbook(result: Result, folder: Path) -> None:
    document = odfdo.Document(export_results(folder, "ods", None))
    workbook = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert [table.name for table in document.body.get_tables()] == workbook.sheetnames
    sheet = document.body.get_table(name="Kosten-baten")
    cell = next(cell for row in sheet.iter_rows() for cell in row.iter_cells() if cell.value == "Onderdeel")
    style = document.get_style("table-cell", cell.style)
    assert style.get_properties(area="text")["fo:font-weight"] == "bold"
    shown = {row[0]: row for row in sheet.get_values()}
    part = result.tables["return"].iloc[0]
    assert [float(value) for value in shown[part["component"]][1:3]] == [part["null"], part["advice"]]


def test_ods_formula_text_stays_text(result: Result, tmp_path: Path) -> None:
    table = result.tables["assumptions"].assign(note="=1+1 \x07 <b>")
    tables = {**result.tables, "assumptions": table}
    root = write_results(replace(result, tables=tables), tmp_path, "", {}, None)
    sheet = odfdo.Document(export_results(root, "ods", None)).body.get_table(name="Aannames")
    cells = [cell for row in sheet.iter_rows() for cell in row.iter_cells()]
    evil = [cell for cell in cells if str(cell.value).startswith("=")]
    assert {(cell.value, cell.formula, cell.type) for cell in evil} == {("=1+1 \ufffd <b>", None, "string")}


def test_never_overwrites(folder: Path) -> None:
    for form in ("xlsx", "csv", "csv-nl", "csv-machine", "parquet", "ods"):
        made = export_results(folder, form, None)
        with pytest.raises(ExportError, match="exists already and is never overwritten"):
            export_results(folder, form, None)
        assert made.exists()


def test_unknown_format_and_impossible_target(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match='found "pdf"; allowed: xlsx, ods, csv, csv-nl, csv-machine, parq'):
        export_results(folder, "pdf", None)
    with pytest.raises(ExportError, match="cannot be written"):
        export_results(folder, "xlsx", tmp_path / "no" / "such" / "folder.xlsx")


def test_folders_that_are_no_results(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"it has no summary\.json"):
        read_results(tmp_path)
    (folder / "tables" / "return.parquet").write_bytes(b"not parquet")
    with pytest.raises(ExportError, match="not a complete results folder: ArrowInvalid"):
        read_results(folder)
    (folder / "tables" / "return.parquet").unlink()
    with pytest.raises(ExportError, match=r"tables/return\.parquet is missing"):
        read_results(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "great"}, "not a complete results folder"),
        ({"tables": ["../../secret"]}, "table name '../../secret'"),
        ({"tables": None}, "not a complete results folder"),
        ({"provenance": 3}, "not a complete results folder"),
    ],
)
def test_a_summary_that_is_wrong(folder: Path, change: dict[str, object], message: str) -> None:
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ExportError, match=message):
        read_results(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_summary_that_is_no_json(folder: Path, text: str) -> None:
    (folder / "summary.json").write_text(text, encoding="latin-1")
    with pytest.raises(ExportError, match=r"summary\.json"):
        read_results(folder)
