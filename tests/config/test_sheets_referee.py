"""Workbooks of many writers and odd ones: every cell as openpyxl reads it, or refused by its place."""

import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.config.observations import read_observations
from sdopt.config.sheets import book_parts
from sdopt.config.sheets.table import read_grid
from sdopt.errors import ConfigError

Cells = list[list[tuple[str, str]]]
PLAIN: Cells = [
    [("naam", "text"), ("waarde", "text")],
    [("2027-01-01", "date"), ("0.05", "percent")],
    [("12.5", "number"), ("één & twee", "text")],
]
FORMATS = ("General", "0.00", "#,##0", "0.0%", "0.00E+00", "@", "dd-mm-yyyy", "[$-413]d\\ mmmm\\ yyyy;@")
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def made(options: Mapping[str, bool] | None = None) -> dict[str, bytes]:
    """The parts of a workbook with a date, a percentage, a number and text."""
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, dict(options or {})) as book:
        sheet = book.add_worksheet("Een")
        sheet.write_row("A1", ["naam", "waarde"])
        sheet.write_datetime("A2", datetime(2027, 1, 1), book.add_format({"num_format": 14}))
        sheet.write("B2", 0.05, book.add_format({"num_format": "0.0%"}))
        sheet.write_row("A3", [12.5, "één & twee"])
    with zipfile.ZipFile(held) as file:
        return {name: file.read(name) for name in file.namelist()}


def written(path: Path, parts: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def cells(path: Path) -> Cells:
    return [[(cell.text, cell.kind) for cell in row] for row in read_grid(path).rows.values()]


def swapped(parts: dict[str, bytes], part: str, old: str, new: str) -> dict[str, bytes]:
    changed = re.sub(old.encode(), new.encode().replace(b"\\", rb"\\"), parts[part], count=1)
    assert changed != parts[part]
    return {**parts, part: changed}


def extended(parts: dict[str, bytes]) -> dict[str, bytes]:
    """As Excel writes it since 2013: an element of the same name, which says nothing of dates."""
    more = '<extLst><ext><x15:workbookPr xmlns:x15="x" chartTrackingRefBase="1"/></ext></extLst></workbook>'
    return swapped(parts, "xl/workbook.xml", "</workbook>", more)


def with_conditional(parts: dict[str, bytes]) -> dict[str, bytes]:
    """As Excel writes a percentage in a conditional format: with the number that dates have in cells."""
    other = '<dxfs count="1"><dxf><numFmt numFmtId="14" formatCode="0.00%"/></dxf></dxfs>'
    return swapped(parts, "xl/styles.xml", '<dxfs count="0"/>', other)


def prefixed(parts: dict[str, bytes]) -> dict[str, bytes]:
    def one(content: bytes) -> bytes:
        return re.sub(rb"<(/?)(?![?!])", rb"<\1x:", content).replace(b"xmlns=", b"xmlns:x=")

    return {name: one(content) if name.startswith("xl/") and name.endswith(".xml") else content
            for name, content in parts.items()}  # fmt: skip


def strict(parts: dict[str, bytes]) -> dict[str, bytes]:
    """ISO 29500 strict: other names of the same elements, and a date as it is."""
    for old, new in (
        ("schemas.openxmlformats.org/spreadsheetml/2006", "purl.oclc.org/ooxml/spreadsheetml"),
        ("schemas.openxmlformats.org/officeDocument/2006", "purl.oclc.org/ooxml/officeDocument"),
    ):
        parts = {name: content.replace(old.encode(), new.encode()) for name, content in parts.items()}
    iso = '<c r="A2" t="d"><v>2027-01-01T00:00:00</v>'
    return swapped(parts, "xl/worksheets/sheet1.xml", r'<c r="A2" s="1"><v>\d+</v>', iso)


def encoded(parts: dict[str, bytes]) -> dict[str, bytes]:
    sheet = parts["xl/worksheets/sheet1.xml"].decode().replace("UTF-8", "UTF-16").encode("utf-16")
    texts = b"\xef\xbb\xbf" + parts["xl/sharedStrings.xml"]
    return {**parts, "xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": texts}


def without_places(parts: dict[str, bytes]) -> dict[str, bytes]:
    part = "xl/worksheets/sheet1.xml"
    return {**parts, part: re.sub(rb' r="[A-Z0-9]+"', b"", parts[part])}


def from_the_root(parts: dict[str, bytes]) -> dict[str, bytes]:
    part = "xl/_rels/workbook.xml.rels"
    return {**parts, part: parts[part].replace(b'Target="', b'Target="/xl/')}


def in_capitals(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace("sheet1", "Sheet1").replace("styles", "Styles"): c for name, c in parts.items()}


def with_backslashes(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace("/", "\\"): content for name, content in parts.items()}


@pytest.mark.parametrize("from_1904", [False, True])
@pytest.mark.parametrize(
    "change",
    [dict, extended, with_conditional, prefixed, strict, encoded, without_places, from_the_root, in_capitals,
     with_backslashes],
)  # fmt: skip
def test_the_same_table_in_every_way_of_writing(
    tmp_path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], from_1904: bool
) -> None:
    assert cells(written(tmp_path / "a.xlsx", change(made({"date_1904": from_1904})))) == PLAIN


def test_styles_that_are_not_there_are_not_passed_over(tmp_path: Path) -> None:
    """Without them a date would be a number."""
    parts = made()
    del parts["xl/styles.xml"]
    with pytest.raises(ConfigError, match=r"its part xl/styles\.xml is not in it"):
        read_grid(written(tmp_path / "a.xlsx", parts))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("<v>0.1<!-- x -->5</v>", ("0.15", "number")),
        ("<v><![CDATA[3.5]]></v>", ("3.5", "number")),
        ('t="b"><v>1</v>', ("TRUE", "text")),
        ('t="str"><f>A1</f><v>a_x0009_b_x005F_x0009_</v>', ("a\tb_x0009_", "text")),
        ('t="inlineStr"><is><r><t xml:space="preserve">a </t></r><r><t>b</t></r><rPh><t>c</t></rPh></is>',
         ("a b", "text")),
    ],
)  # fmt: skip
def test_odd_cells(tmp_path: Path, cell: str, expected: tuple[str, str]) -> None:
    new = f'<c r="A3" {cell}</c>' if cell.startswith("t=") else f'<c r="A3">{cell}</c>'
    parts = swapped(made(), "xl/worksheets/sheet1.xml", '<c r="A3">.*?</c>', new)
    assert cells(written(tmp_path / "a.xlsx", parts))[2][0] == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [("n", "1,5"), ("n", "1_000"), ("s", "-1"), ("s", "99"), ("b", "2"), ("d", "2027"), ("x", "7")],
)
def test_what_is_no_value_is_refused_by_its_cell(tmp_path: Path, kind: str, value: str) -> None:
    new = f'<c r="A3" t="{kind}"><v>{value}</v></c>'
    parts = swapped(made(), "xl/worksheets/sheet1.xml", '<c r="A3">.*?</c>', new)
    path = written(tmp_path / "a.xlsx", parts)
    with pytest.raises(ConfigError) as error:
        read_observations(path, "naam")
    said = f'a.xlsx, sheet Een, cell A3 (naam): holds "{value}", which cannot be in a cell of its type; write'
    assert said in str(error.value)


def test_a_formula_that_was_never_calculated_is_no_zero(tmp_path: Path) -> None:
    """A program that only writes gives 0 for every formula, and asks for calculation when it is opened."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", ["a"])
        sheet.write_formula("A2", "=1+1")
        sheet.write_formula("A3", "=1+2", None, 3)
    assert [row[0][1] for row in cells(path)] == ["text", "fault", "number"]
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    calculated = swapped(parts, "xl/workbook.xml", ' fullCalcOnLoad="1"', "")
    assert cells(written(path, calculated))[1] == [("0", "number")]


def test_cells_are_not_counted_as_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_parts, "MOST_CELLS", 4)
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:  # texts stand in their cells
        book.add_worksheet().write_column("A1", ["a", 1, 2, 3, 4, "x"])
    assert cells(path)[5] == [("x", "text")]
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_column("A1", ["a", "b", "c", "d", "e"])
    with pytest.raises(ConfigError, match=r"more than 4 texts; no more can be read. Copy the table alone"):
        read_grid(path)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
VALUES = TEXTS | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES |= st.booleans() | st.dates(date(1905, 1, 1), date(2199, 1, 1))


def same(text: str, kind: str, value: object) -> bool:
    """Whether a cell says what openpyxl found there."""
    if isinstance(value, bool):
        return text == str(value).upper()
    if isinstance(value, datetime):
        return kind == "date" and DATE.fullmatch(text) is not None and text == value.date().isoformat()
    if isinstance(value, (int, float)):
        return kind in ("number", "percent") and float(text) == value
    return kind == "text" and text == str(value or "").strip()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(VALUES, st.sampled_from(FORMATS)), max_size=4), max_size=4), st.booleans())
def test_what_is_written_is_read_as_openpyxl_reads_it(
    rows: list[list[tuple[object, str]]], from_1904: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.xlsx")
        with xlsxwriter.Workbook(path, {"date_1904": from_1904}) as book:
            sheet = book.add_worksheet()
            for r, row in enumerate(rows):
                for c, (value, code) in enumerate(row):
                    dated = "yyyy" in code
                    shown = code if isinstance(value, date) == dated else ("d/m/yy" if not dated else "0")
                    form = book.add_format({"num_format": shown})
                    put = sheet.write_string if isinstance(value, str) else sheet.write
                    put(r, c, value, form)
        found = read_grid(path).rows
        expected = openpyxl.load_workbook(path).worksheets[0]
        for row in expected.iter_rows():
            for cell in row:
                ours = found.get(cell.row, ())
                text, kind = ours[cell.column - 1][:2] if cell.column <= len(ours) else ("", "text")
                assert same(text, kind, cell.value), (cell.coordinate, text, kind, cell.value)
