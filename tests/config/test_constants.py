"""The table of constants is read as its spreadsheet meant it, or every faulty cell is named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdopt.config.constants import (
    COLUMNS,
    CONFIDENCES,
    DISTRIBUTIONS,
    OPTIONAL,
    STATUSES,
    Constant,
    read_constants,
)
from sdopt.errors import ConfigError

HEADER = "name,value,low,high,unit,source,status,note\n"
FULL = "name,value,low,high,distribution,unit,source,link,status,confidence,note\n"


def read(folder: Path, text: str, encoding: str = "utf-8") -> tuple[Constant, ...]:
    path = folder / "constanten.csv"
    path.write_bytes(text.encode(encoding))
    return read_constants(path)


def complaints(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(folder, text)
    return [line.removeprefix("  * ") for line in str(refused.value).splitlines()[1:]]


def test_a_table(tmp_path: Path) -> None:
    rows = read(
        tmp_path, HEADER + 'effect,0.5,0.25,1e0,Dmnl,,judgement,"a, b"\n\nexit rate,2,,,1/Year,B01,read,\n'
    )
    assert rows == (
        Constant("effect", 0.5, 0.25, 1.0, "Dmnl", "", "judgement", "a, b"),
        Constant("exit rate", 2.0, None, None, "1/Year", "B01", "read", "", "fixed"),
    )
    assert [row.uncertain for row in rows] == [True, False]


def test_a_table_with_distribution_link_and_confidence(tmp_path: Path) -> None:
    rows = read(tmp_path, FULL + "a,1,0.5,2,lognormal,m,S,14b,read,A-,n\nb,1,,,,m,S,,read,B,\n")
    assert rows == (
        Constant("a", 1.0, 0.5, 2.0, "m", "S", "read", "n", "lognormal", "14b", "A-"),
        Constant("b", 1.0, None, None, "m", "S", "read", "", "fixed", "", "B"),
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("confidence", ["", *CONFIDENCES])
@pytest.mark.parametrize("distribution", ["", *DISTRIBUTIONS])
def test_what_is_uncertain(tmp_path: Path, status: str, confidence: str, distribution: str) -> None:
    """Weak by status or by confidence, and not fixed; triangular where nothing is said."""
    (row,) = read(tmp_path, FULL + f"a,1,0.5,2,{distribution},m,S,3,{status},{confidence},\n")
    weak = status in ("memory", "judgement") or confidence in ("C", "D")
    assert row.uncertain == (weak and distribution != "fixed")
    assert row.distribution == (distribution or ("triangular" if weak else "fixed"))


def test_as_dutch_spreadsheets_save_it(tmp_path: Path) -> None:
    plain = HEADER + "efféct,0.5,0.25,1.5,Dmnl,,judgement,a\n"
    dutch = plain.replace(",", ";").replace(".", ",").replace("\n", "\r\n")
    assert read(tmp_path, dutch, "utf-8-sig") == read(tmp_path, plain)
    assert read(tmp_path, plain.replace(",", ";")) == read(tmp_path, plain)


def test_columns_in_another_order_and_extra_columns(tmp_path: Path) -> None:
    rows = read(tmp_path, "Status,extra,name,unit,value,low,high,note,source\nread,x,a,m,1,0,2,n,S\n")
    assert rows == (Constant("a", 1.0, 0.0, 2.0, "m", "S", "read", "n", "fixed"),)


def test_two_decimal_marks_in_one_table(tmp_path: Path) -> None:
    text = (HEADER + "a,1|5,,,m,S,read,\nb,1.25,,,m,S,read,\n").replace(",", ";").replace("|", ",")
    assert complaints(tmp_path, text) == [
        'row 3, value: expected a number, found "1.25"; this table has the decimal mark ",": write one '
        "such as 1234,5, without words or other signs"
    ]


@pytest.mark.parametrize(
    ("row", "announced"),
    [
        ("a,x,,,m,S,read,", 'row 2, value: expected a number, found "x"'),
        ("a,nan,,,m,S,read,", "row 2, value: expected a number"),
        ("a,1e999,,,m,S,read,", "row 2, value: expected a number"),
        ("a,5%,,,m,S,read,", "row 2, value: expected a number"),
        ("a,,,,m,S,read,", "row 2, value: empty; a missing value is not zero"),
        (",1,,,m,S,read,", "row 2, name: empty"),
        ("a,3,0,2,m,S,read,", "row 2, value: 3 is outside [0, 2]"),
        ("a,1,2,0,m,S,read,", "row 2: low 2 is above high 0; swap them"),
        ("a,1,0,,m,S,read,", "row 2: only one of low and high is given"),
        ("a,1,,,m,S,memory,", "row 2: status memory needs a range"),
        ("a,1,0,2,m,S,reed,", 'row 2, status: found "reed". Did you mean "read"? Allowed: read, derived'),
        ("a,1,0,2,m,,memory,", "row 2, source: empty; name the source"),
        ("a,1,0,2,m,S,read", "row 2: 7 cells where the first row has 8"),
        ("a,1,0,2,m,S,read,x,y", 'row 2: 9 cells where the first row has 8; put text that contains ","'),
        (
            "Effect of_x,1,,,m,S,read,\n\neffect OF X,1,,,m,S,read,",
            'row 4: "effect OF X" is on row 2 already',
        ),
    ],
)
def test_a_faulty_row(tmp_path: Path, row: str, announced: str) -> None:
    (complaint,) = complaints(tmp_path, HEADER + row + "\n")
    assert complaint.startswith(announced)


@pytest.mark.parametrize(
    ("row", "announced"),
    [
        (
            "a,1,0,2,normaal,m,S,3,read,A,",
            'row 2, distribution: found "normaal". Did you mean "normal"? '
            "Allowed: fixed, uniform, triangular, normal, lognormal",
        ),
        (
            "a,1,0,2,Uniform,m,S,3,read,A,",
            'row 2, distribution: found "Uniform". Did you mean "uniform"? Allowed: fixed, uniform',
        ),
        ("a,1,,,gamma,m,S,3,read,A,", 'row 2, distribution: found "gamma".'),
        (
            "a,1,0,2,uniform,m,S,3,read,E,",
            'row 2, confidence: found "E". Allowed: nothing, A, A-, B, C, D',
        ),
        ("a,1,,,,m,S,3,read,C,", "row 2: confidence C needs a range; fill in low and high"),
        ("a,1,,,,m,S,3,read,D,", "row 2: confidence D needs a range; fill in low and high"),
        ("a,1,,,,m,S,3,memory,A,", "row 2: status memory needs a range; fill in low and high"),
        ("a,1,,,uniform,m,S,,read,,", "row 2: distribution uniform needs a range; fill in low and high"),
        (
            "a,1,0,2,lognormal,m,S,,read,,",
            "row 2, low: lognormal has positive values only, low is 0; raise it or choose another",
        ),
    ],
)
def test_a_faulty_row_of_the_full_table(tmp_path: Path, row: str, announced: str) -> None:
    (complaint,) = complaints(tmp_path, FULL + row + "\n")
    assert complaint.startswith(announced)


def test_a_fixed_row_needs_no_range(tmp_path: Path) -> None:
    (row,) = read(tmp_path, FULL + "a,1,,,fixed,m,,3,judgement,D,\n")
    assert not row.uncertain


def test_all_faults_at_once(tmp_path: Path) -> None:
    assert (
        len(complaints(tmp_path, HEADER + "a,x,,,m,S,read,\nb,1,0,2,m,,reed,\nc,9,0,2,m,,read,\nd,1\n")) == 5
    )


@pytest.mark.parametrize("text", ["", "\n", "names;value\n"])
def test_missing_columns(tmp_path: Path, text: str) -> None:
    found = complaints(tmp_path, text)
    missing = [
        column for column in COLUMNS if column not in text.split(";")[1:] + ["value"] * ("value" in text)
    ]
    assert len(found) == len(missing)
    assert all(": missing." in line and "Needed: name, value, low" in line for line in found)


def test_column_given_twice(tmp_path: Path) -> None:
    assert complaints(tmp_path, "name," + HEADER)[0].startswith("column name: given twice")
    assert complaints(tmp_path, "link," + FULL)[0].startswith("column link: given twice")


def test_file_that_is_no_table(tmp_path: Path) -> None:
    for content in (HEADER.encode() + b'a,"open', HEADER.encode() + b"\x81", HEADER.encode() + b'"a"b,1'):
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="save the table as CSV UTF-8"):
            read_constants(path)


TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)
NUMBERS = st.floats(-1e9, 1e9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            lambda name, numbers, *texts: Constant(
                name, sorted(numbers)[1], sorted(numbers)[0], sorted(numbers)[2], *texts
            ),
            TEXT, st.tuples(NUMBERS, NUMBERS, NUMBERS), TEXT, TEXT, st.sampled_from(STATUSES), TEXT,
            st.sampled_from(DISTRIBUTIONS[:-1]), TEXT, st.sampled_from(["", *CONFIDENCES]),
        ),
        unique_by=lambda constant: constant.name.replace("_", "").replace('"', "").casefold(),
        max_size=4,
    ),
    st.booleans(),
)  # fmt: skip
def test_a_table_written_by_the_csv_module_is_read_back(
    tmp_path: Path, constants: list[Constant], dutch: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";" if dutch else ",")
    writer.writerow((*COLUMNS, *OPTIONAL))
    for row in constants:
        numbers = [
            repr(number).replace(".", "," if dutch else ".") for number in (row.value, row.low, row.high)
        ]
        texts = [row.unit, row.source, row.status, row.note, row.distribution, row.link, row.confidence]
        writer.writerow([row.name, *numbers, *texts])
    assert read(tmp_path, file.getvalue()) == tuple(constants)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    for content in (text, HEADER + text):
        path = tmp_path / "any.csv"
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        try:
            read_constants(path)
        except ConfigError as error:
            assert str(path) in str(error)
