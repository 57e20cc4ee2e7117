"""Dutch and English numbers are told apart with certainty, or refused: never read as another number."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sdopt.config.observations import read_observations
from sdopt.config.sheets.notation import notation, possible_marks, without_groups
from sdopt.config.sheets.table import Wanted, read_sheet
from sdopt.errors import Complaints, ConfigError

BOTH, DUTCH, ENGLISH, NEITHER = (",", "."), (",",), (".",), ()


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        *[
            (text, BOTH)
            for text in ("0", "-12", "+3", "1234567", "1e5", "1.234", "1,234", "12.345.678", "5%")
        ],
        *[
            (text, DUTCH)
            for text in ("0,5", "1,23", "1,2345", "1.234,5", "0,123", "1234,567", "1,5e3", "-0,1 %")
        ],
        *[(text, ENGLISH) for text in ("0.5", "1.23", "1.2345", "1,234.5", "0.123", "1234.567", "1.234e3")],
        *[(text, NEITHER) for text in ("", "x", "1.23,4", "1,23.4", "12.34.56", "1 234", "€ 5", "1-1-2027")],
        *[
            (text, NEITHER)
            for text in ("TRUE", "#N/B", "1.2,3.4", ",5", "5,", "--1", "0.123.456,7", "½", "٣")
        ],
    ],
)
def test_what_a_number_can_be(text: str, marks: tuple[str, ...]) -> None:
    wrong_thousands = {"12.345.678": DUTCH}
    assert possible_marks(text) == wrong_thousands.get(text, marks)


@pytest.mark.parametrize(
    ("texts", "delimiter", "mark", "unclear"),
    [
        (["1.234", "0,5"], ";", ",", []),
        (["1.234", "0.5"], ";", ".", []),
        (["1.234", "7"], ";", ".", ["1.234"]),
        (["1,234", "7"], ";", ".", ["1,234"]),
        (["1.234", "7"], ",", ".", []),
        (["1,234", "7"], ",", ".", ["1,234"]),
        (["1,234", "0.5"], ",", ".", []),
        (["1.234", "0,5"], ",", ",", []),
        (["1.5", "0,5"], ";", ",", []),
        (["1.5", "0,5"], ",", ".", []),
        (["1.234"], "", ".", ["1.234"]),
        ([], ";", ".", []),
    ],
)
def test_the_notation_of_a_table(texts: list[str], delimiter: str, mark: str, unclear: list[str]) -> None:
    assert notation(iter(texts), delimiter) == (mark, unclear)


@pytest.mark.parametrize(
    ("text", "mark", "plain"),
    [
        ("1.234,5", ",", "1234,5"),
        ("1,234.5", ".", "1234.5"),
        ("1.234.567", ",", "1234567"),
        ("5 %", ",", "0,05"),
        ("12,5%", ",", "0,125"),
        ("-1,200.5%", ".", "-12.005"),
        ("1.5", ",", "1.5"),
        ("much", ".", "much"),
        ("0,1%%", ",", "0,1%%"),
    ],
)
def test_thousands_and_percentages(text: str, mark: str, plain: str) -> None:
    assert without_groups(text, mark) == plain


def written(value: int, decimals: int, grouped: bool, dutch: bool) -> str:
    """A whole number of units in the last decimal, as a spreadsheet of either language shows it."""
    text = f"{value / 10**decimals:{',' if grouped else ''}.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if dutch else text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 5), st.booleans()), min_size=2, max_size=6
    ),
    st.booleans(),
    st.sampled_from([";", ","]),
)
@example([(1234, 3, False), (7, 0, False)], True, ";")
@example([(1234, 0, True), (7, 0, False)], True, ";")
@example([(1234, 0, True), (7, 0, False)], False, ",")
def test_never_another_number(
    tmp_path: Path, numbers: list[tuple[int, int, bool]], dutch: bool, delimiter: str
) -> None:
    """Whatever decimals and thousands a file has: its numbers are read as meant, or it is refused.

    Not Dutch between commas: there a point is a decimal mark, unless a number shows otherwise.
    """
    texts = [written(*number, dutch) for number in numbers]
    if dutch and delimiter == "," and not any(possible_marks(text) == DUTCH for text in texts):
        return
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(
        [["a", "b"], *([t, "x"] for t in texts)]
    )
    path = tmp_path / "numbers.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    complaints = Complaints(str(path), ConfigError)
    try:
        table = read_sheet(path, Wanted(("a",), numbers=("a",)), complaints)
    except ConfigError as refused:
        assert "can be two numbers" in str(refused)
        assert any(len(possible_marks(text)) == 2 for text in texts)
        return
    found = [float(line.cells["a"].replace(table.mark, ".")) for line in table.lines]
    assert found == [value / 10**decimals for value, decimals, _ in numbers]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "a;b\n1.234;x\n2.500;x\n",
            'row 2, a: "1.234" (and 1 more like it) can be two numbers, and nothing else in the '
            "table tells which: "
            'write 1234 if it is that, or 1.2340, with a decimal more, if "." is the decimal '
            "mark; or save it as "
            ".xlsx",
        ),
        ('a,b\n"1,234",x\n7,x\n', 'write 1234 if it is that, or 1.234 if "," is the decimal mark'),
        ("a\n1,234\n2,345\n", 'row 2, a: "1,234" (and 1 more like it)'),
    ],
)
def test_a_doubtful_file_is_refused_once_with_what_to_do(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_observations(path, "a")
    assert told in str(refused.value)
    assert str(refused.value).startswith(f"{path}: 1 error\n")


@pytest.mark.parametrize(
    "content", ["a;b\n1.2340;x\n2.500;x\n", "a;b\n1,2340;x\n2,500;x\n", "a\n1,25\n2,500\n"]
)
def test_what_the_refusal_advises_is_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    assert read_observations(path, "a") == (1.25 if "1,25\n" in content else 1.234, 2.5)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("naam;café\r\nx;1.234,5\r\ny;2\r\n", "utf-8-sig"),
        ("naam;café\r\nx;1.234,5\r\ny;2\r\n", "cp1252"),
        ("naam;café\rx;1234,5\ry;2\r", "utf-8"),
        ("sep=;\r\nnaam;café\r\nx;1.234,5\r\n;\r\n\r\ny;2\r\n", "cp1252"),
        ('naam,café\n"x","1.234,5"\n"y",2\n', "cp1252"),
        ('naam,café\nx,"1,234.5"\ny,2\n', "utf-8"),
        ("naam,café\nx,1234.5\ny,2\n", "utf-8"),
        ("naam;café\n€;1234.5\ny;2\n", "cp1252"),
    ],
)
def test_as_spreadsheet_programs_save(tmp_path: Path, content: str, encoding: str) -> None:
    path = tmp_path / "telling één.csv"
    path.write_bytes(content.encode(encoding))
    assert read_observations(path, "café") == (1234.5, 2.0)


def test_percentages_and_plain_numbers_do_not_stand_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n5%;x\n12,5 %;x\n", encoding="utf-8")
    assert read_observations(path, "a") == (0.05, 0.125)
    path.write_text("a;b\n0,04;x\n5%;x\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match="row 3, a: a percentage among plain numbers; write all of them in one"
    ):
        read_observations(path, "a")
