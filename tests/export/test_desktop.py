"""The workbook in a real spreadsheet program: LibreOffice calculates everything again and prints it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import odfdo
import openpyxl
import pytest
import xlsxwriter

from sdopt.export.folder import write_results
from sdopt.export.formats import export_results
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

pytestmark = pytest.mark.desktop

# Without this LibreOffice trusts the stored values of .xlsx and checks nothing.
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LibreOffice profile of our own."""
    if shutil.which("soffice") is None:
        pytest.fail("LibreOffice is absent. apt-get install --no-install-recommends libreoffice-calc")
    folder = tmp_path_factory.mktemp("profile")
    (folder / "user").mkdir()
    (folder / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    return folder


def converted(profile: Path, source: Path, form: str) -> Path:
    """A file as LibreOffice saves it in another format, in a folder beside it."""
    target = source.parent / "converted"
    options = ["--headless", "--norestore", "--convert-to", form, "--outdir", str(target), str(source)]
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    assert "Error" not in done.stdout + done.stderr
    return target / f"{source.stem}.{form}"


def values(path: Path) -> dict[tuple[str, str], Any]:
    """Sheet and cell -> stored value, of every cell that holds something."""
    book = openpyxl.load_workbook(path, data_only=True)
    cells = (cell for sheet in book for row in sheet.iter_rows() for cell in row)
    return {(c.parent.title, c.coordinate): c.value for c in cells if c.value not in (None, "")}


def test_libreoffice_really_recalculates(profile: Path, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "wrong.xlsx") as book:
        book.add_worksheet("a").write_formula(0, 0, "=1+1", None, 999)
    assert values(tmp_path / "wrong.xlsx") == {("a", "A1"): 999}
    assert values(converted(profile, tmp_path / "wrong.xlsx", "xlsx")) == {("a", "A1"): 2}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_recalculated_values_equal_the_stored_ones(
    profile: Path, make_result: Any, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "een map" / "werkboek.xlsx"
    path.parent.mkdir()
    path.write_bytes(workbook_bytes(make_result(language=language)))
    stored, recalculated = values(path), values(converted(profile, path, "xlsx"))
    assert stored.keys() == recalculated.keys()
    assert len(stored) > 500
    for place, value in stored.items():
        expected = pytest.approx(value, rel=1e-12, abs=1e-9) if isinstance(value, (int, float)) else value
        assert recalculated[place] == expected, place
    assert not [value for value in recalculated.values() if str(value).startswith("#")]


def test_prints_without_error_on_few_pages(profile: Path, result: Result, tmp_path: Path) -> None:
    path = tmp_path / "workbook.xlsx"
    path.write_bytes(workbook_bytes(result))
    pdf = converted(profile, path, "pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type/Page/") + pdf.count(b"/Type/Page\n") + pdf.count(b"/Type /Page ") == 9


def test_ods_opens_with_the_same_numbers(profile: Path, result: Result, tmp_path: Path) -> None:
    folder = write_results(result, tmp_path, "", {}, None)
    again = converted(profile, export_results(folder, "ods", tmp_path / "all.ods"), "xlsx")
    rows = openpyxl.load_workbook(again, data_only=True)["allocation"].iter_rows(min_row=2, values_only=True)
    assert [row[7 - 1] for row in rows] == pytest.approx(
        result.tables["allocation"]["value"].tolist(), rel=1e-14
    )


def test_dutch_csv_opens_with_dutch_settings(profile: Path, result: Result, tmp_path: Path) -> None:
    folder = write_results(result, tmp_path, "", {}, None)
    source = export_results(folder, "csv", tmp_path / "csv") / "return.csv"
    # 59 = semicolon, 34 = quote, 76 = UTF-8, 1 = first line, 1043 = Dutch (decimal comma)
    options = [
        "--headless",
        "--infilter=CSV:59,34,76,1,,1043",
        "--convert-to",
        "ods",
        "--outdir",
        str(tmp_path),
    ]
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", *options, str(source)]
    subprocess.run(command, capture_output=True, timeout=180, check=True)
    sheet = odfdo.Document(tmp_path / "return.ods").body.get_tables()[0]
    found = [float(sheet.get_cell((1, row)).value) for row in range(1, 5)]
    assert found == pytest.approx(result.tables["return"]["null"].tolist())
