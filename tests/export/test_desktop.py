"""The workbook in a real spreadsheet program: LibreOffice calculates everything again and prints it."""

import re
import subprocess
from collections.abc import Callable
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

Convert = Callable[[Path, str], Path]
Values = Callable[[Path], dict[tuple[str, str], Any]]


def test_libreoffice_really_recalculates(convert: Convert, values: Values, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "wrong.xlsx") as book:
        book.add_worksheet("a").write_formula(0, 0, "=1+1", None, 999)
    assert values(tmp_path / "wrong.xlsx") == {("a", "A1"): 999}
    assert values(convert(tmp_path / "wrong.xlsx", "xlsx")) == {("a", "A1"): 2}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_recalculated_values_equal_the_stored_ones(
    check_recalculated: Callable[[Path], int], make_result: Any, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "een map" / "werkboek.xlsx"
    path.parent.mkdir()
    path.write_bytes(workbook_bytes(make_result(language=language)))
    assert check_recalculated(path) > 500


def test_prints_without_error_on_few_pages(convert: Convert, result: Result, tmp_path: Path) -> None:
    path = tmp_path / "workbook.xlsx"
    path.write_bytes(workbook_bytes(result))
    pdf = convert(path, "pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type ?/Page[^s]", pdf))
    sheets = len(openpyxl.load_workbook(path).sheetnames)
    assert sheets <= pages <= sheets + 3


def test_ods_opens_with_the_same_numbers(
    convert: Convert, values: Values, result: Result, tmp_path: Path
) -> None:
    folder = write_results(result, tmp_path, "", {}, None)
    again = values(convert(export_results(folder, "ods", tmp_path / "all.ods"), "xlsx"))
    for place, value in values(folder / "workbook.xlsx").items():
        number = isinstance(value, (int, float))
        assert again[place] == (pytest.approx(value, rel=1e-12, abs=1e-9) if number else value), place


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
