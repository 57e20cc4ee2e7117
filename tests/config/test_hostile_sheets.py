"""Spreadsheets made to do harm: one clear error, soon, in little memory; nothing is expanded or followed."""

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter

from sdopt.config.observations import read_observations
from sdopt.config.sheets import book_sheet, safe_book
from sdopt.config.sheets.notation import possible_marks
from sdopt.errors import LONGEST_TOLD, ConfigError, did_you_mean

MOST_MEMORY = 300_000_000
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?>%s<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
TEXT = b'<c t="inlineStr"><is><t>%s</t></is></c>'
ROWS = b"<row>" + TEXT % b"a" + b"</row><row><c><v>1</v></c></row><row><c><v>2.5</v></c></row>"
DATA = b"<sheetData>" + ROWS + b"</sheetData>"
ENTITY = b'<!DOCTYPE z [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.fixture(scope="module")
def plain() -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        book.add_worksheet("Een").write_column("A1", ("a", 1, 2.5))
    return held.getvalue()


@pytest.fixture
def little_memory() -> Iterator[None]:
    tracemalloc.start(1)
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def book(plain: bytes, folder: Path, **parts: bytes) -> Path:
    """The plain workbook with other parts; `sheet` is that of the first sheet."""
    path, names = (
        folder / "a.xlsx",
        {"sheet": SHEET, "root": "_rels/.rels", "related": "xl/_rels/workbook.xml.rels"},
    )
    changed = {names.get(key, f"xl/{key}.xml"): content for key, content in parts.items()}
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *changed}:
            new.writestr(name, changed.get(name) or old.read(name))
    return path


def sheet(content: bytes, before: bytes = b"") -> bytes:
    return HEAD % before + content + b"</worksheet>"


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read_observations(path, "a")
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("part", ["sheet", "workbook", "styles", "root", "related"])
def test_no_part_may_declare_an_entity_wherever_it_stands(plain: bytes, tmp_path: Path, part: str) -> None:
    late = b'<?xml version="1.0"?><!--' + b"x" * 20_000 + b"-->" + ENTITY + b"<z>&e;</z>"
    told = refused(book(plain, tmp_path, **{part: late}))
    assert "it declares entities or a document type" in told
    assert "root:" not in told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1", "cp037", "utf-7"])
def test_an_entity_in_another_encoding(plain: bytes, tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{ENTITY.decode()}<worksheet><sheetData/></worksheet>'
    assert "root:" not in refused(book(plain, tmp_path, sheet=text.encode(encoding)))


def test_entities_are_not_expanded(plain: bytes, tmp_path: Path, little_memory: None) -> None:
    steps = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 20}">' for k in range(1, 12))
    laughs = f'<!DOCTYPE z [<!ENTITY a0 "ha">{steps}]>'.encode()
    told = refused(
        book(
            plain,
            tmp_path,
            sheet=sheet(b"<sheetData><row>" + TEXT % b"&a11;" + b"</row></sheetData>", laughs),
        )
    )
    assert "it declares entities" in told


@pytest.mark.parametrize(
    "after",
    [
        b'<dimension ref="A1:XFD1048576"/>' + DATA,
        DATA + b'<hyperlinks><hyperlink ref="A1:XFD1048576" location="x"/></hyperlinks>',
        DATA + b'<drawing xmlns:r="r" r:id="rId9"/><legacyDrawing/><tableParts><tablePart/></tableParts>',
        DATA.replace(b"<v>1", b'<f t="shared" si="0" ref="A2:XFD1048576">%s1</f><v>1' % (b"A1+" * 30_000)),
        DATA.replace(b"<v>1", b"<f>WEBSERVICE(&quot;http://127.0.0.1&quot;)</f><v>1"),
    ],
    ids=["dimension", "hyperlink", "drawing", "shared formula", "web formula"],
)
def test_what_a_table_does_not_need_is_not_looked_at(
    plain: bytes, tmp_path: Path, after: bytes, little_memory: None
) -> None:
    """A link over all 17 billion cells of a sheet would be copied to each of them."""
    assert read_observations(book(plain, tmp_path, sheet=sheet(after)), "a") == (1.0, 2.5)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<z/>" * 8_000_001, "8,000,004 tags; at most 8,000,000 can be read"),
        (b"<z>" * 101, "101 elements, 101 in each other"),
        (b"<z " + b" ".join(b'a%d=""' % k for k in range(100_000)) + b"/>", "a text or name of more than"),
        (b"<z>" + b"1" * 40_000_000 + b"</z>", "a text or name of more than 131,072 bytes"),
        (b'<mergeCells><mergeCell\nref = "a1:xfd1048576"/></mergeCells>', "17,179,869,184 merged cells"),
        (b"<cols>" + b'<col min="1" max="16384" hidden="1"/>' * 3 + b"</cols>", "hides more columns"),
        (b'<sheetData><row><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row></sheetData>', "A1: is there"),
        (b'<sheetData><row><c r="A9999999"><v>1</v></c></row></sheetData>', "or where no cell can be"),
        (b'<sheetData><row><c r="../../x"><v>1</v></c></row></sheetData>', "../../x is no cell"),
        (b"<sheetData><row>" + TEXT % b"&#xD800;" + b"</row></sheetData>", "cannot be read as .xlsx"),
    ],
    ids=["tags", "deep", "attributes", "text", "merged", "hidden", "twice", "outside",
         "no place", "half a pair"],
)  # fmt: skip
def test_what_would_take_all_memory_is_refused(
    plain: bytes, tmp_path: Path, content: bytes, told: str, little_memory: None
) -> None:
    path = book(plain, tmp_path, sheet=sheet(content))
    del content
    assert told in refused(path)


def test_very_many_empty_cells_rows_and_others(
    plain: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With smaller limits, because a million takes seconds to make; also below them nothing is kept."""
    monkeypatch.setattr(book_sheet, "MOST_CELLS", 5_000)
    monkeypatch.setattr(book_sheet, "LAST_ROW", 5_000)
    monkeypatch.setattr(safe_book, "MOST_ELEMENTS", 5_000)
    for content, told in (
        (b"<row>" + b'<c s="1"/>' * 5_001, "more than 5,000 cells, with empty ones that have a format"),
        (b'<row ht="1"/>' * 5_001, "more rows than a sheet has"),
        (b"<z/>" * 5_000, "5,001 elements, 3 in each other, most not of a table"),
    ):
        assert told in refused(book(plain, tmp_path, sheet=sheet(b"<sheetData>" + content)))
    few = DATA.replace(b"</row>", b"<z/>" * 20 + b'<c s="1"/></row>')
    assert read_observations(book(plain, tmp_path, sheet=sheet(few)), "a") == (1.0, 2.5)


def test_a_long_list_of_parts_is_not_read(tmp_path: Path, little_memory: None) -> None:
    """Each entry of the list is written by hand: the end of the file need not say how many there are."""
    entry = b"PK\x01\x02" + bytes(24) + b"\x01\x00" + bytes(16) + b"a"
    listed = entry * 500_000
    end = (
        b"PK\x05\x06"
        + bytes(4)
        + b"\x01\x00\x01\x00"
        + len(listed).to_bytes(4, "little")
        + b"\x04"
        + bytes(5)
    )
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04" + listed + end)
    assert "500,000 parts; at most 2,000 can be read" in refused(path)


def test_a_part_packed_to_take_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("_rels/.rels", b"<Relationships/>")
    assert "packed in a way that no spreadsheet program uses" in refused(path)


def test_a_sheet_is_not_taken_for_another(plain: bytes, tmp_path: Path) -> None:
    """Nor is anything outside of the file, wherever a part says that a sheet is."""
    up = b'<z><Relationship Id="rId1" Type="x/worksheet" Target="../../../../etc/passwd"/></z>'
    assert "the sheet Een is not in it" in refused(book(plain, tmp_path, related=up))
    name = b"x" * 256
    long = b'<workbook xmlns:r="r"><sheets><sheet name="%s" r:id="rId1"/></sheets></workbook>' % name
    assert "a name of 256 characters" in refused(book(plain, tmp_path, workbook=long))


def test_text_stays_text(plain: bytes, tmp_path: Path) -> None:
    """Pieces of one text belong together, how to pronounce it does not; half a character stays as written."""
    texts = (
        b"<sst><si><r><t>../</t></r><r><rPr><b/></rPr><t>=cmd</t></r><rPh><t>kana</t></rPh></si>"
        b"<si><t>_x005F_xD800__xD800_</t></si></sst>"
    )
    rows = b'<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>' + ROWS.partition(b"</row>")[2]
    path = book(plain, tmp_path, sheet=sheet(b"<sheetData>" + rows + b"</sheetData>"), sharedStrings=texts)
    told = refused(path)
    assert "There are: ../=cmd, _xD800__xD800_" in told
    assert read_observations(path, "../=cmd") == (1.0, 2.5)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"a\n1\x00\n2\n",
            "(line 2): not UTF-8 text, but with NUL in it (UTF-16?); save the table as CSV UTF-8",
        ),
        ("a\n1\n2\n".encode("utf-16-le"), "with NUL in it"),
        ("a\n1\n2\n".encode("utf-32"), "not UTF-8 text"),
        (b"a" + b";" * 20_000_000, "about 20,000,000 cells; at most 500,000 can be read"),
        (b"a" + b"\n" * 20_000_000, "about 20,000,000 cells"),
        (b"a\n" + b"1" * 20_000_000, "field larger than field limit"),
        (b"a;b\n1,2\n3;4\n5\t6\n", "row 2: 1 cells where the first row has 2"),
        (b"a\n1e9999999%\n1\n", 'found "1e9999999%"'),
    ],
    ids=["nul", "utf-16", "utf-32", "wide", "long", "line", "mixed", "percentage"],
)
def test_text_that_is_no_table(tmp_path: Path, content: bytes, told: str, little_memory: None) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert told in refused(path)


def test_an_error_is_as_long_as_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x" * 100_000 + "\n1\n2\n", encoding="utf-8")
    assert len(refused(path)) < LONGEST_TOLD + 200
    assert did_you_mean("x" * 100_000, ["x" * 99_999]) == ""


def test_a_number_with_an_exponent_that_no_number_has() -> None:
    assert possible_marks("1e999") == (",", ".")
    assert possible_marks("1e1000") == ()
