"""What is no table is refused before it is opened: other formats, bombs, files that are not what they say."""

import shutil
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from sdopt.config.observations import read_observations
from sdopt.config.sheets.source import Source, is_table, names_table, source_of
from sdopt.errors import ConfigError


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read_observations(path, "a")
    return str(error.value)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    made.active.title = "Eerste"
    for value in ("a", 1, 2.5):
        made.active.append([value])
    other = made.create_sheet("Tweede blad")
    for value in ("a", 3, 4):
        other.append([value])
    path = tmp_path / "een map" / "cijfers één.xlsx"
    path.parent.mkdir()
    made.save(path)
    return path


def repacked(source: Path, changed: dict[str, bytes]) -> Path:
    """A copy of a workbook with other or more parts."""
    target = source.with_name("spoiled.xlsx")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, content in changed.items():
            new.writestr(name, content)
    return target


def test_the_first_sheet_or_one_by_name(book: Path) -> None:
    assert read_observations(book, "a") == (1.0, 2.5)
    assert read_observations(Path(f"{book}#Eerste"), "a") == (1.0, 2.5)
    assert read_observations(Path(f"{book}#tweede BLAD"), None) == (3.0, 4.0)


@pytest.mark.parametrize(
    ("name", "file", "sheet"),
    [
        ("a.xlsx", "a.xlsx", None),
        ("a.XLSX#Blad 1", "a.XLSX", "Blad 1"),
        ("a.xlsx#B#2", "a.xlsx", "B#2"),
        ("a#b.csv", "a#b.csv", None),
        ("map#1/a.xlsx#B", "map#1/a.xlsx", "B"),
        ("a.xlsx#", "a.xlsx", ""),
    ],
)
def test_what_a_path_names(name: str, file: str, sheet: str | None) -> None:
    assert source_of(Path(name)) == Source(Path(file), sheet)


def test_a_file_that_is_called_so_goes_first(book: Path) -> None:
    odd = book.with_name("a.xlsx#b.xlsx")
    shutil.copy(book, odd)
    assert source_of(odd) == Source(odd)
    assert read_observations(odd, "a") == (1.0, 2.5)


def test_which_paths_are_tables(book: Path) -> None:
    assert is_table(book)
    assert is_table(Path(f"{book}#Nergens"))
    assert not is_table(book.with_name("weg.xlsx#Blad"))
    assert [names_table(name) for name in ("a.csv", "a.XLSX", "a.xlsx#b", "a.ods", "a")] == [
        *[True] * 3,
        False,
        False,
    ]


def test_no_such_sheet_or_file(book: Path) -> None:
    told = refused(Path(f"{book}#Twede blad"))
    assert (
        'there is no sheet "Twede blad". Did you mean "Tweede blad"? There are: Eerste, Tweede blad.' in told
    )
    assert 'no sheet ""' in refused(Path(f"{book}#"))
    assert 'there is no such file. Did you mean "cijfers één.xlsx"?' in refused(
        book.with_name("cijfers een.xlsx")
    )


@pytest.mark.parametrize(
    ("suffix", "remedy"),
    [
        (".xls", "open it in a spreadsheet program and save it as .xlsx"),
        (".xlsb", "open it in Excel and save it as .xlsx"),
        (".xlsm", "its macros are never run: save it as .xlsx, without macros"),
        (".ods", "open it in LibreOffice and save it as .xlsx"),
        (".ods#Blad", "open it in LibreOffice and save it as .xlsx"),
    ],
)
def test_other_formats_are_refused_with_what_to_do(book: Path, suffix: str, remedy: str) -> None:
    path = book.with_name("tabel" + suffix)
    shutil.copy(book, book.with_name(path.name.partition("#")[0]))
    assert remedy in refused(path)


def test_a_file_that_is_not_what_its_name_says(book: Path) -> None:
    for name, content, told in (
        ("a.csv", book.read_bytes(), "holds a workbook; give it a name that ends in .xlsx"),
        ("a.xlsx", b"a;b\n1;2\n", "is no .xlsx file; open it and save it as .xlsx again"),
        ("a.xlsx", b"", "is no .xlsx file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0rest", "an old .xls file, or one with a password"),
        ("a.xlsx", b"PK\x03\x04 and no more", "cannot be read as .xlsx"),
        ("a.csv", "a;b\n1;2\n".encode("utf-16"), "save the table as CSV UTF-8"),
        ("a.csv", b'a\n"1', "not a CSV table"),
    ):
        path = book.with_name(name)
        path.write_bytes(content)
        assert told in refused(path), name


def test_a_damaged_workbook(book: Path) -> None:
    content = book.read_bytes()
    path = book.with_name("damaged.xlsx")
    for place in range(40, len(content), len(content) // 12):
        path.write_bytes(content[:place] + bytes(8) + content[place + 8 :])
        try:
            assert read_observations(path, "a") == (1.0, 2.5)
        except ConfigError as error:
            assert str(error).startswith(str(path))
    sheet = repacked(book, {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row></worksheet>"})
    assert "cannot be read as .xlsx" in refused(sheet)
    assert "no sheet in it can be seen" in refused(repacked(book, {"xl/workbook.xml": b"<html/>"}))


def test_bombs_are_refused_before_they_are_unpacked(book: Path) -> None:
    started = time.perf_counter()
    large = repacked(book, {"xl/worksheets/sheet1.xml": b"<worksheet>" + bytes(120_000_000)})
    assert large.stat().st_size < 1_000_000
    assert "120 MB in " in refused(large)
    many = repacked(book, {f"xl/media/{number}.png": b"" for number in range(2_001)})
    assert "Copy the table alone, as values, into a new workbook" in refused(many)
    lol = b'<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    assert "it declares entities" in refused(repacked(book, {"xl/worksheets/sheet1.xml": lol}))
    merged = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/>'
        b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    )
    assert "17,179,869,184 merged cells" in refused(repacked(book, {"xl/worksheets/sheet1.xml": merged}))
    assert time.perf_counter() - started < 20


def test_a_part_that_lies_about_its_size(book: Path) -> None:
    """The size in the list of parts is what may be unpacked, whatever there is."""
    path = repacked(book, {"xl/worksheets/sheet1.xml": b"<worksheet>" + b"<!-- -->" * 1_000_000})
    content = bytearray(path.read_bytes())
    real = (8_000_011).to_bytes(4, "little")
    assert content.count(real) == 2
    path.write_bytes(bytes(content).replace(real, (400).to_bytes(4, "little")))
    assert "cannot be read as .xlsx" in refused(path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    assert "50 MB; at most 50 MB can be read. Keep only the table in it" in refused(path)


def test_a_sheet_that_is_too_wide(book: Path) -> None:
    made = openpyxl.load_workbook(book)
    for row in range(1, 401):
        made["Eerste"].cell(row, 16_384, "x")
    made.save(book)
    said = "sheet Eerste: 6,553,600 cells with the gaps in its rows; at most 2,000,000 can be read"
    assert said in refused(book)


def test_a_stray_cell_at_the_far_end_is_no_problem(book: Path) -> None:
    made = openpyxl.load_workbook(book)
    made["Eerste"]["XFD1048576"] = "x"
    made.save(book)
    started = time.perf_counter()
    assert read_observations(book, "a") == (1.0, 2.5)
    assert time.perf_counter() - started < 2
