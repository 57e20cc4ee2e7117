"""What may stand in the cells of a sheet: read as it is shown, or refused by its cell, all at once."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.formula import ArrayFormula

from sdopt.calibrate.observed import read_observed
from sdopt.config.constants import Constant, read_constants
from sdopt.config.sheets.cells import letters
from sdopt.config.sheets.table import Table, Wanted, read_sheet
from sdopt.errors import Complaints, ConfigError

LONG = Wanted(
    ("decision", "year", "value"), numbers=("year", "value"), across=("year", "value"), years=("year",)
)
Change = Callable[[Any], None]
HEADER = ("besluit", "jaar", "waarde")


def write(
    path: Path, rows: list[tuple[Any, ...]], change: Change | None = None, sheet: str = "Verdeling"
) -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(list(row))
    if change:
        change(book.active)
    book.save(path)
    return path


def with_text(path: Path, text: str, other: str) -> Path:
    """A copy in which a piece of the file's own text is another."""
    spoiled = path.with_name("b.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(spoiled, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(text.encode(), other.encode()))
    return spoiled


def read(path: Path, wanted: Wanted = LONG) -> Table:
    complaints = Complaints(str(path), ConfigError)
    table = read_sheet(path, wanted, complaints)
    complaints.raise_if_any()
    return table


def told(path: Path, wanted: Wanted = LONG) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(path, wanted)
    heading, *items = str(refused.value).splitlines()
    assert heading == f"{path}: {len(items)} error" + ("s" if len(items) > 1 else "")
    return [item.removeprefix("  * ") for item in items]


def values(table: Table) -> list[tuple[str, float, float]]:
    return [
        (line.cells["decision"], *(float(line.cells[c].replace(table.mark, ".")) for c in ("year", "value")))
        for line in table.lines
    ]


EXPECTED = [("a", 2027.0, 1234.5), ("b", 2028.0, 0.25)]


@pytest.mark.parametrize(
    "header", [HEADER, ("Decision", "YEAR", " Value "), ("beslissing", "jaar", "Waarde (mln euro)")]
)
@pytest.mark.parametrize("above", [[], [("Verdeling 2027", None, None), (None, 12.5), ()]])
def test_a_header_in_either_language_below_a_title(
    tmp_path: Path, header: tuple[str, ...], above: list[Any]
) -> None:
    rows = [*above, header, ("a", 2027, 1234.5), (None, None, None), ("b", 2028, 0.25), ("", " ", None)]
    path = write(tmp_path / "a.xlsx", rows)
    assert values(read(path)) == EXPECTED


def test_the_same_table_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Verdeling;;\n;;\nBesluit;Jaar;Waarde\na;2027;1.234,5\n;;\nb;2028;0,25\n;;\n", encoding="cp1252"
    )
    assert values(read(path)) == EXPECTED


def test_years_across(tmp_path: Path) -> None:
    rows = [
        ("Besluit", "eenheid", 2027, "2028", datetime(2029, 1, 1)),
        ("a", "mln", 1.5, 2, None),
        ("b", "", 3, "4,5", 5),
    ]
    table = read(write(tmp_path / "a.xlsx", rows))
    assert table.wide
    assert [tuple(line.cells[c] for c in ("decision", "year", "value")) for line in table.lines] == [
        ("a", "2027", "1,5"), ("a", "2028", "2"), ("a", "2029", ""),
        ("b", "2027", "3"), ("b", "2028", "4,5"), ("b", "2029", "5"),
    ]  # fmt: skip
    assert table.lines[4].at("value") == "a.xlsx, sheet Verdeling, cell D3 (2028)"
    assert table.lines[4].at("decision") == "a.xlsx, sheet Verdeling, cell A3 (decision)"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (0.1 + 0.2, 0.1 + 0.2),
        (1e-7, 1e-7),
        (-1e300, -1e300),
        (123456789012345678, 123456789012345680.0),
        (0, 0.0),
    ],
)
def test_a_number_keeps_its_digits(tmp_path: Path, cell: float, expected: float) -> None:
    """Exactly what stands in the file, whatever writes it: 17 digits here."""
    path = write(tmp_path / "a.xlsx", [HEADER, ("a", 2027, 77)])
    assert values(read(with_text(path, "<v>77</v>", f"<v>{cell!r}</v>"))) == [("a", 2027.0, expected)]


def test_dates_are_years_on_the_first_of_january(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [HEADER, ("a", date(2027, 1, 1), 1), ("b", datetime(2028, 1, 1), 2)])
    assert values(read(path)) == [("a", 2027.0, 1.0), ("b", 2028.0, 2.0)]
    rows = [
        HEADER,
        ("a", date(2027, 7, 1), 1),
        ("b", 2028, date(2028, 1, 1)),
        ("c", datetime(2029, 1, 1, 12), time(3)),
    ]
    assert told(write(tmp_path / "b.xlsx", rows)) == [
        "b.xlsx, sheet Verdeling, cell B2 (year): holds a date or time (2027-07-01); write the "
        "year as a number",
        "b.xlsx, sheet Verdeling, cell C3 (value): holds a date or time (2028-01-01); write a number",
        "b.xlsx, sheet Verdeling, cell B4 (year): holds a date or time (2029-01-01 12:00:00); "
        "write the year as "
        "a number",
        "b.xlsx, sheet Verdeling, cell C4 (value): holds a date or time (03:00:00); write a number",
    ]


def test_a_year_that_is_shown_as_a_date_by_mistake(tmp_path: Path) -> None:
    def as_date(sheet: Any) -> None:
        sheet["B2"].number_format = "dd-mm-yyyy"

    (complaint,) = told(write(tmp_path / "a.xlsx", [HEADER, ("a", 2027, 1)], as_date))
    assert "cell B2 (year): holds a date or time (1905-07-19); write the year as a number" in complaint


def test_formulas_give_the_value_that_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Verdeling")
        for row, cells in enumerate([HEADER, ("a", 2027), ("b",)]):
            sheet.write_row(row, 0, cells)
        sheet.write_formula("C2", "=1000+234.5", None, 1234.5)
        sheet.write_formula("B3", "=B2+1", None, 2028)
        sheet.write_array_formula("C3:C3", "{=SUM(1/4)}", None, 0.25)
        sheet.write_formula("A4", '=IF(1,"","x")', None, "nothing")
    # A formula that gives an empty text, as Excel and LibreOffice store it, is an empty cell.
    assert values(read(with_text(path, "<v>nothing</v>", "<v></v>"))) == EXPECTED


def test_formulas_without_a_value_and_errors_are_refused_by_cell(tmp_path: Path) -> None:
    rows = [
        HEADER,
        ("a", 2027, "=1+1"),
        ("b", "#N/A", 1),
        ("c", 2028, "#DIV/0!"),
        ("=A1", 2028, 1),
        ("d", 2029, 1),
    ]

    def array(sheet: Any) -> None:
        sheet["C6"] = ArrayFormula("C6:C6", "=SUM(A1:A2)")

    where = "a.xlsx, sheet Verdeling, cell"
    stale = (
        "holds a formula without a stored value; open the file in a spreadsheet program and save it there, "
        "or write the value itself"
    )
    assert told(write(tmp_path / "a.xlsx", rows, array)) == [
        f"{where} C2 (value): {stale}",
        f"{where} B3 (year): shows #N/A; mend the formula, or write the value itself",
        f"{where} C4 (value): shows #DIV/0!; mend the formula, or write the value itself",
        f"{where} A5 (decision): {stale}",
        f"{where} C6 (value): {stale}",
    ]


@pytest.mark.parametrize("code", ["#,##0,", "0.0,,", '€ #,##0.0," mln"', "#,##0,;-#,##0,"])
def test_a_number_that_is_shown_divided_is_refused(tmp_path: Path, code: str) -> None:
    def divide(sheet: Any) -> None:
        sheet["C2"].number_format = code

    (complaint,) = told(write(tmp_path / "a.xlsx", [HEADER, ("a", 2027, 1_500_000)], divide))
    assert "cell C2 (value): is shown divided by thousands" in complaint


@pytest.mark.parametrize("code", ["#,##0", "#,##0.00;[Red]-#,##0.00", '0.0" x,"', "General", "0,000", "@"])
def test_other_formats_do_not_matter(tmp_path: Path, code: str) -> None:
    def shape(sheet: Any) -> None:
        sheet["C2"].number_format = code

    assert values(read(write(tmp_path / "a.xlsx", [HEADER, ("a", 2027, 1234.5)], shape))) == EXPECTED[:1]


def test_what_cannot_be_seen_is_refused(tmp_path: Path) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = sheet.row_dimensions[6].hidden = (
            True
        )

    rows = [HEADER, *[(name, 2027, 1) for name in "abcd"]]
    assert told(write(tmp_path / "a.xlsx", rows, hide)) == [
        "a.xlsx, sheet Verdeling, rows 3, 4: hidden, by hand or by a filter; show what is to be "
        "read, and remove the "
        "rest"
    ]

    def hide_column(sheet: Any) -> None:
        sheet.column_dimensions.group("C", "E", hidden=True)

    wide = [("besluit", 2027, 2028, "los", "nog"), ("a", 1, 2, 3, 4)]
    assert told(write(tmp_path / "b.xlsx", wide, hide_column)) == [
        "b.xlsx, sheet Verdeling, column C: hidden; show the column, or empty it"
    ]


def test_a_hidden_sheet_is_not_the_first_and_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [HEADER, ("a", 2027, 1)], sheet="Oud")
    book = openpyxl.load_workbook(path)
    book["Oud"].sheet_state = "veryHidden"
    shown = book.create_sheet("Nieuw")
    for row in (HEADER, ("b", 2028, 2)):
        shown.append(row)
    book.save(path)
    assert values(read(path)) == [("b", 2028.0, 2.0)]
    with pytest.raises(ConfigError, match="the sheet Oud is hidden; show it"):
        read(Path(f"{path}#oud"))


def test_merged_cells_are_refused_in_the_table_and_not_in_a_title(tmp_path: Path) -> None:
    rows = [("Titel", None, None), HEADER, ("a", 2027, 1), (None, 2028, 2)]
    path = write(tmp_path / "a.xlsx", rows, lambda sheet: sheet.merge_cells("A1:C1"))
    assert values(read(path)) == [("a", 2027.0, 1.0), ("", 2028.0, 2.0)]

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A1:C1")
        sheet.merge_cells("A3:A4")

    assert told(write(path, rows, merge)) == [
        "a.xlsx, sheet Verdeling, cells A3:A4: merged into one; unmerge them and fill in each"
    ]


def test_numbers_that_are_text_and_words(tmp_path: Path) -> None:
    """A text among numbers follows the notation of the other texts of its sheet; one alone cannot."""
    table = read(
        write(tmp_path / "a.xlsx", [HEADER, ("a", "2027", "1.234,5"), ("b", "'2028".strip("'"), 0.25)])
    )
    assert values(table) == EXPECTED
    (complaint,) = told(write(tmp_path / "b.xlsx", [HEADER, ("a", 2027, "1.234"), ("b", 2028, 0.25)]))
    assert complaint.startswith('b.xlsx, sheet Verdeling, cell C2 (value): "1.234" can be two numbers')
    read_as_text = read(write(tmp_path / "c.xlsx", [HEADER, ("=a".strip("="), True, "much")]))
    assert read_as_text.lines[0].cells == {"decision": "a", "year": "TRUE", "value": "much"}


def test_a_sheet_without_the_columns_names_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [("Leeswijzer",), ("Vul in",)], sheet="Uitleg")
    book = openpyxl.load_workbook(path)
    book.create_sheet("Verdeling").append(HEADER)
    book.create_sheet("Weg").sheet_state = "hidden"
    book.save(path)
    assert told(path)[0] == (
        "a.xlsx, sheet Uitleg, column decision: missing. Needed: decision, year, value, or a "
        "column per year in place "
        "of the last two. Other sheets: a.xlsx#Verdeling"
    )
    assert len(told(path)) == 3
    twice = write(tmp_path / "b.xlsx", [("besluit", "beslissing", 2027, 2027), ("a", "a", 1, 1)])
    assert told(twice) == [
        f"b.xlsx, sheet Verdeling, column {name}: given twice. Needed: decision, year, value, or "
        "a column per year in "
        "place of the last two" for name in ("decision", "2027")
    ]  # fmt: skip
    assert told(write(tmp_path / "c.xlsx", []))[0].startswith(
        "c.xlsx, sheet Verdeling, column decision: missing"
    )


def test_letters() -> None:
    assert [letters(k) for k in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
        "XFD",
    ]


CONSTANTS = ("Naam", "Waarde", "Laag", "Hoog", "Eenheid", "Kansverdeling", "Bron", "Status", "Opmerking")


def percent(*places: str) -> Change:
    def change(sheet: Any) -> None:
        for place in places:
            sheet[place].number_format = "0.0%"

    return change


def test_constants_in_dutch_with_percentages(tmp_path: Path) -> None:
    rows = [CONSTANTS, ("prijs", 1234.5, "1.000,5", 2000, "EUR/Person", "uniform", "G1", "read", 12),
            ("kans", 0.05, 0.01, 0.1, "1/Year", "", "", "judgement", None)]  # fmt: skip
    path = write(tmp_path / "a.xlsx", rows, percent("B3", "C3"), sheet="Constanten")
    assert read_constants(path) == (
        Constant("prijs", 1234.5, 1000.5, 2000.0, "EUR/Person", "G1", "read", "12", "uniform"),
        Constant("kans", 0.05, 0.01, 0.1, "1/Year", "", "judgement", ""),
    )
    text = tmp_path / "a.csv"
    header = "naam;waarde;laag;hoog;eenheid;bron;status;opmerking"
    text.write_text(f"{header}\nkans;5,0%;1%;10 %;1/Year;;judgement;\n", encoding="utf-8")
    assert read_constants(text) == (Constant("kans", 0.05, 0.01, 0.1, "1/Year", "", "judgement", ""),)


def test_faulty_constants_are_reported_by_cell_all_at_once(tmp_path: Path) -> None:
    rows = [
        CONSTANTS,
        ("a", True, 1, 2, "m", "gamma", "G", "read", ""),
        ("b", 3, 4, 2, "m", "uniform", "G", "read", ""),
        ("a", 5, None, None, "", "", "G", "read", "#N/A"),
        ("c", 0.5, 0, 1, "EUR", "uniform", "", "reed", ""),
        ("d", None, None, None, "m", "", "G", "read", ""),
    ]
    path = write(tmp_path / "k.xlsx", rows, percent("B5"), sheet="K")
    with pytest.raises(ConfigError) as refused:
        read_constants(Path(f"{path}#k"))
    assert [line.removeprefix("  * k.xlsx, sheet K, ") for line in str(refused.value).splitlines()[1:]] == [
        "cell I4 (note): shows #N/A; mend the formula, or write the value itself",
        'cell B2 (value): expected a number, found "TRUE"; this table has the decimal mark ".": '
        "write one such as "
        "1234.5, without words or other signs",
        'cell F2 (distribution): found "gamma". Allowed: fixed, uniform, triangular, normal, lognormal',
        "row 3: low 4 is above high 2; swap them",
        'cell B5 (value): expected a number, found a percentage; the unit is "EUR": write the '
        "number in that unit, "
        "without percent sign or format",
        'cell H5 (status): found "reed". Did you mean "read"? Allowed: read, derived, memory, judgement',
        "cell B6 (value): empty; a missing value is not zero: fill it in",
    ]


OBSERVED = ("reeks", "variabele", "eenheid", "schaal", "meetwijze", "bron", "gebruik", "opmerking")


def test_observations_with_the_years_across(tmp_path: Path) -> None:
    """The same points as a row each: what is not observed is left empty."""
    row = ("bijstand", "people on bijstand", "Person", 179.4, "moment", "CBS", "fit", "")
    across = write(tmp_path / "wide.xlsx", [(*OBSERVED, 2021, 2022, 2023), (*row, 100, None, 90.5)])
    down = write(
        tmp_path / "long.xlsx",
        [(*OBSERVED, "tijd", "waarde"), (*row, 2021, 100), (*row, date(2023, 1, 1), 90.5)],
    )
    wide = read_observed(across)
    assert [(p.time, p.value, p.scale) for p in wide] == [(2021.0, 100.0, 179.4), (2023.0, 90.5, 179.4)]
    assert [(p.time, p.value) for p in read_observed(down)] == [(2021.0, 100.0), (2023.0, 90.5)]
    assert wide[1].at("value") == "wide.xlsx, sheet Verdeling, cell K2 (2023)"
    assert wide[1].at() == "wide.xlsx, sheet Verdeling, row 2"


def test_faulty_observations_are_reported_by_cell(tmp_path: Path) -> None:
    rows = [(*OBSERVED, 2021, 2022), ("a", "x", "Person", 1, "moment", "", "fit", "", "veel", 0.1),
            ("a", "x", "m", 0, "moment", "S", "fit", "", 1, None)]  # fmt: skip
    path = write(tmp_path / "o.xlsx", rows, percent("J2"), sheet="O")
    with pytest.raises(ConfigError) as refused:
        read_observed(path)
    found = str(refused.value).replace("o.xlsx, sheet O, ", "").splitlines()[1:]
    assert [line.removeprefix("  * ") for line in found] == [
        "cell F2 (source): empty; an observed point needs the row or page it was read in",
        "cell I2 (2021): found \"veel\"; a number is needed, with decimal mark '.', without "
        "words or other signs",
        'cell J2 (2022): expected a number, found a percentage; the unit is "Person": write the '
        "number in that unit, "
        "without percent sign or format",
        "cell D3 (scale): 0; the value is divided by it: above zero",
    ]
