"""The workbook as .ods: read by odfdo (another reader than ours), and by LibreOffice, against the .xlsx."""

import html
import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import odfdo
import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.cell import coordinate_to_tuple

from sdopt.export.labels import Labels
from sdopt.export.opendocument.book import ods_bytes
from sdopt.export.opendocument.cells import open_formula
from sdopt.export.opendocument.formats import data_styles
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

Convert = Callable[[Path, str], Path]
EVIL = ["=1+1", "<b>x</b> & y", "a  b", " begins", "ends ", "tab\there", "two\nlines", "'=1", "&P", "é € 👍"]


def read(content: bytes) -> Any:
    return odfdo.Document(io.BytesIO(content))


def made(result: Result) -> tuple[Any, Any]:
    """The workbook as openpyxl reads its values, and the .ods as odfdo reads it."""
    workbook = workbook_bytes(result)
    values = openpyxl.load_workbook(io.BytesIO(workbook), data_only=True)
    return values, read(ods_bytes(workbook, Labels(result.language)))


def small(write: Callable[[Any, Any], object]) -> bytes:
    """A workbook of one sheet, as .ods."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Blad 1")
        sheet.write_string(0, 0, "first")
        write(book, sheet)
    return ods_bytes(target.getvalue(), Labels("nl"))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_cell_has_the_value_of_the_workbook(make_result: Any, language: str) -> None:
    values, document = made(make_result(language=language))
    tables = {table.name: table for table in document.body.get_tables()}
    assert list(tables) == values.sheetnames
    compared = 0
    for sheet in values:
        found = tables[sheet.title].get_values()
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value in (None, ""):
                    continue
                shown = found[cell.row - 1][cell.column - 1]
                if isinstance(cell.value, (int, float)):
                    assert float(shown) == cell.value, (sheet.title, cell.coordinate)
                elif cell.hyperlink is not None:  # odfdo shows where it goes
                    assert shown.startswith(f"[{cell.value}](#"), (sheet.title, cell.coordinate)
                else:
                    assert shown == cell.value, (sheet.title, cell.coordinate)
                compared += 1
    assert compared > 500


def test_every_formula_is_there_and_live(result: Result) -> None:
    workbook = workbook_bytes(result)
    formulas = {
        (sheet.title, cell.row, cell.column)
        for sheet in openpyxl.load_workbook(io.BytesIO(workbook))
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    found = {
        (table.name, y + 1, x + 1)
        for table in read(ods_bytes(workbook, Labels("nl"))).body.get_tables()
        for y, row in enumerate(table.iter_rows())
        for x, cell in enumerate(row.iter_cells())
        if cell.formula
    }
    assert found == formulas
    assert len(formulas) > 50


def test_names_and_guide(result: Result) -> None:
    values, document = made(result)
    names = {one.name for one in document.body.get_named_ranges()}
    assert names == set(values.defined_names)
    assert {"verdeling_advies", "opbrengst", "aannames"} <= names
    guide = document.body.get_tables()[0].get_values()
    assert guide[-1][0] == "Dit bestand (.ods)"
    assert "grafieken staan alleen daar" in guide[-1][1]
    texts = [
        str(value) for table in document.body.get_tables() for row in table.get_values() for value in row
    ]
    assert any(text.startswith("Grafiek: ") and text.endswith("(staat in workbook.xlsx)") for text in texts)


def test_the_same_workbook_gives_the_same_bytes(result: Result) -> None:
    workbook = workbook_bytes(result)
    first = ods_bytes(workbook, Labels("nl"))
    assert first == ods_bytes(workbook, Labels("nl"))
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        listed = archive.read("META-INF/manifest.xml").decode("utf-8")
        assert all(f'"{name}"' in listed for name in archive.namelist()[1:-1])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUM(B5:B12)", "of:=SUM([.B5:.B12])"),
        ('=IF(ABS(B3-$B$2)<0.005,0,"a,b")', 'of:=IF(ABS([.B3]-[.$B$2])<0.005;0;"a,b")'),
        (
            "='Wie betaalt, wie profiteert'!C4+Run!$A$1:B2",
            "of:=[$'Wie betaalt, wie profiteert'.C4]+[$Run.$A$1:.B2]",
        ),
        ("=SUM(begroting)*50%", "of:=SUM(begroting)*50%"),
        ("=MAX({1,2;3,4})", "of:=MAX({1;2|3;4})"),
        ("=SUM('It''s'!A1)", "of:=SUM([$'It''s'.A1])"),
    ],
)
def test_formulas_in_the_notation_of_opendocument(formula: str, expected: str) -> None:
    assert open_formula(formula) == expected


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))) | st.sampled_from(EVIL))
def test_text_stays_what_it_is(text: str) -> None:
    content = small(lambda _, sheet: sheet.write_string(1, 0, text))
    cell = read(content).body.get_tables()[0].get_cell((0, 1))
    assert cell.formula is None
    assert (cell.value or "") == text


def test_dates_and_general_have_no_style_of_ours() -> None:
    assert [data_styles("N1", code) for code in ("General", "@", "yyyy-mm-dd")] == [[], [], []]


# Code -> what Excel shows for 1234567.891, -0.5 and 0 with the marks of English.
FORMATS = {
    "#,##0": ("1,234,568", "-1", "0"),  # as Excel rounds: away from zero
    "#,##0.00": ("1,234,567.89", "-0.50", "0.00"),
    "+#,##0.0;-#,##0.0;0.0": ("+1,234,567.9", "-0.5", "0.0"),
    "0": ("1234568", "-1", "0"),
    "0.0%": ("123456789.1%", "-50.0%", "0.0%"),
    "+0.0%;-0.0%;0.0%": ("+123456789.1%", "-50.0%", "0.0%"),
    "0.0E+00": ("1.2E+06", "-5.0E-01", "0.0E+00"),
    '"<1%"': ("<1%", "-<1%", "<1%"),
    "#,##0,": ("1,235", "-0", "0"),
    '#,##0.0 "mln"': ("1,234,567.9 mln", "-0.5 mln", "0.0 mln"),
    "0.0##": ("1234567.891", "-0.5", "0.0"),
    "#,##0;[Red]-#,##0": ("1,234,568", "-1", "0"),
    "[>=0.005]#,##0.00;[<=-0.005]-#,##0.00;0.00": ("1,234,567.89", "-0.50", "0.00"),
    '[>=0.5]+#,##0" V";[<=-0.5]-#,##0" N";0': ("+1,234,568 V", "-1 N", "0"),
    "[>=5]0.0;[<=-0.7]-0.0;0.0": ("1234567.9", "0.5", "0.0"),
}


@pytest.mark.desktop
def test_numbers_look_as_in_the_workbook(convert: Convert, tmp_path: Path) -> None:
    """LibreOffice shows the .ods as it shows the .xlsx, and (where it agrees with Excel) as Excel does."""
    numbers, target = (1234567.891, -0.5, 0), io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("a")
        for row, code in enumerate(FORMATS):
            for column, number in enumerate(numbers):
                sheet.write_number(row, column, number, book.add_format({"num_format": code}))
    (tmp_path / "x.xlsx").write_bytes(target.getvalue())
    (tmp_path / "o.ods").write_bytes(ods_bytes(target.getvalue(), Labels("en")))
    ours, theirs = (shown(convert(tmp_path / name, "html")) for name in ("o.ods", "x.xlsx"))
    assert ours == theirs
    excel = [text for row in FORMATS.values() for text in row]
    assert [text for text in ours if text not in excel] == []


def shown(page: Path) -> list[str]:
    """What the cells with numbers show."""
    cells = re.findall(r"<td[^>]*sdval=[^>]*>(.*?)</td>", page.read_text("utf-8"), re.DOTALL)
    return [html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in cells]


@pytest.mark.desktop
@pytest.mark.parametrize("language", ["nl", "en"])
def test_libreoffice_calculates_the_same(
    make_result: Any, convert: Convert, values: Callable[[Path], dict[tuple[str, str], Any]],
    tmp_path: Path, language: str,
) -> None:  # fmt: skip
    workbook = workbook_bytes(make_result(language=language))
    (tmp_path / "w.xlsx").write_bytes(workbook)
    (tmp_path / "o.ods").write_bytes(ods_bytes(workbook, Labels(language)))
    back = convert(tmp_path / "o.ods", "xlsx")
    ours, theirs = values(tmp_path / "w.xlsx"), values(back)
    for place, value in ours.items():
        number = isinstance(value, (int, float))
        assert theirs[place] == (pytest.approx(value, rel=1e-12, abs=1e-9) if number else value), place
    assert not [value for value in theirs.values() if str(value).startswith("#")]
    expected, found = openpyxl.load_workbook(tmp_path / "w.xlsx"), openpyxl.load_workbook(back)
    for sheet in expected:
        other = found[sheet.title]
        grown = sheet is expected.worksheets[0]  # by the line that says where the charts are
        last = sheet.max_row + grown
        assert other.print_area == re.sub(r"\d+$", str(last), sheet.print_area) or not grown
        assert other.print_area == sheet.print_area or grown
        assert links(other) == links(sheet)
        assert other.print_title_rows == sheet.print_title_rows
        assert other.page_setup.orientation == sheet.page_setup.orientation
        assert set(map(str, other.merged_cells.ranges)) >= set(map(str, sheet.merged_cells.ranges))
    assert {name: one.attr_text for name, one in found.defined_names.items()} == {
        name: one.attr_text for name, one in expected.defined_names.items()
    }


def links(sheet: Any) -> dict[str, str]:
    """Where cells go when they are clicked."""
    cells = (cell for row in sheet.iter_rows() for cell in row if cell.hyperlink)
    return {cell.coordinate: cell.hyperlink.location for cell in cells}


MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<script:module xmlns:script="http://openoffice.org/2000/script"
  script:name="Module1" script:language="StarBasic">
Sub Main
  Dim args()
  doc = StarDesktop.loadComponentFromURL({source}, "_blank", 0, args())
  c = doc.getCurrentController()
  f = FreeFile
  Open {target} For Output As #f
  Print #f, c.getActiveSheet().getName()
  For i = 0 To doc.Sheets.Count - 1
    c.setActiveSheet(doc.Sheets(i))
    frozen = c.getSplitColumn() &amp; "|" &amp; c.getSplitRow()
    Print #f, doc.Sheets(i).Name &amp; "|" &amp; frozen &amp; "|" &amp; c.ShowGrid
  Next
  Close #f
  doc.close(True)
End Sub
</script:module>
"""


@pytest.mark.desktop
def test_libreoffice_keeps_the_same_cells_in_sight(result: Result, tmp_path: Path) -> None:
    """Only a program with a view knows what is frozen, so it is asked: a macro opens the file."""
    workbook = workbook_bytes(result)
    (tmp_path / "o.ods").write_bytes(ods_bytes(workbook, Labels("nl")))
    profile, told = tmp_path / "profile", tmp_path / "told.txt"
    start = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    subprocess.run([*start, "--terminate_after_init"], capture_output=True, timeout=180, check=True)
    places = {"source": f'"{(tmp_path / "o.ods").as_uri()}"', "target": f'"{told}"'}
    module = profile / "user" / "basic" / "Standard" / "Module1.xba"
    module.write_text(MODULE.format(**places), encoding="utf-8")
    macro = "macro:///Standard.Module1.Main"
    subprocess.run([*start, macro], capture_output=True, timeout=180, check=True)
    active, *lines = told.read_text(encoding="utf-8").splitlines()
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    assert active == book.active.title
    assert lines == [f"{sheet.title}|{frozen(sheet)}|False" for sheet in book]


def frozen(sheet: Any) -> str:
    """How many columns and rows stay in sight."""
    row, column = coordinate_to_tuple(sheet.freeze_panes or "A1")
    return f"{column - 1}|{row - 1}"
