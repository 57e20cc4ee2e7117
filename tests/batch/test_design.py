"""A table of runs is read to the last digit, or refused with all that is wrong, by row and column."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.batch.design import Design, read_design
from sdopt.errors import ConfigError
from sdopt.source_model.read import read_model

MODELS = Path(__file__).parents[1] / "models"
SYSTEM = read_model(MODELS / "regions.mdl").system
GOOD = 'room,rate[south],"start[north, old people]"\n500,0.25,7\n600,1e-3,-8.5\n'
KEYS = ("room", "rate[south]", "start[north,old_people]")


def read(tmp_path: Path, content: str | bytes, name: str = "runs.csv") -> Design:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_design(path, SYSTEM)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n500", "\n\n 500 ") + "\n\n",
        'Room;RATE [ South ];"Start[North,Old_People]"\n500;0,25;7\n600;1e-3;-8,5\n',
        "room;rate[south];start[north,old people]\n500;0.25;7\n600;1e-3;-8.5\n",
    ],
)
def test_commas_semicolons_and_other_habits(tmp_path: Path, text: str) -> None:
    design = read(tmp_path, text)
    assert design.keys == KEYS
    assert design.runs == 2
    assert design.constants(1) == dict(zip(KEYS, (600, 0.001, -8.5), strict=True))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    table = {"room": [500, 600], "rate[south]": np.array([0.25, 0.001])}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    design = read_design(path, SYSTEM)
    assert design.keys == KEYS[:2]
    assert design.values.tolist() == [[500, 600], [0.25, 0.001]]
    assert len(design.sha256) == 64


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_every_digit_is_kept(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    text = "room\n" + "".join(f"{value!r}\n" for value in values)
    assert read(tmp_path_factory.mktemp("digits"), text).values[0].tolist() == values


def test_many_rows_come_in_order(tmp_path: Path) -> None:
    """More than are read at once."""
    design = read(tmp_path, "room\n" + "\n".join(map(str, range(45_001))))
    assert design.values[0].tolist() == list(range(45_001))


FAULTS = {
    "unknown name": ("room", "rom", 'column 1 ("rom"): the model has no such constant. Did you mean "room"?'),
    "unknown element": ("rate[south]", "rate[west]", 'no such constant. Did you mean "rate[south]"?'),
    "whole array": ("rate[south]", "rate", 'is an array; give its elements, such as "rate[north]"'),
    "no constant": ("room", "total", '("total"): is of kind auxiliary; only constants can be given.'),
    "part auxiliary": ("rate[south]", "support[south]", "only constants can be given."),
    "time setting": ("room", "TIME STEP", 'column 1 ("TIME STEP"): the model has no such constant.'),
    "twice": ("rate[south]", "Room", 'column 2 ("Room"): is given in column 1 too.'),
    "no name": ("room", "", 'column 1 (""): the model has no such constant.'),
    "text": ("600", "much", "row 3, column \"room\": found 'much'; a finite number is needed."),
    "nan": ("600", "nan", "row 3, column \"room\": found 'nan'; a finite number is needed."),
    "inf": ("600", "-inf", "row 3, column \"room\": found '-inf'; a finite number is needed."),
    "too large": ("600", "1e999", "row 3, column \"room\": found '1e999'"),
    "underscore": ("600", "6_00", "row 3, column \"room\": found '6_00'"),
    "empty": ("600", "", "row 3, column \"room\": found ''"),
    "decimal comma": ("600", '"6,5"', "row 3, column \"room\": found '6,5'"),
    "too few": ("600,", "", "row 3: has 2 cells; the first row has 3."),
    "too many": ("600,", "600,600,", "row 3: has 4 cells; the first row has 3."),
    "open quote": ("600", '"600', "is not CSV"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused(fault: str, tmp_path: Path) -> None:
    good, bad, expected = FAULTS[fault]
    assert GOOD.count(good) == 1
    with pytest.raises(ConfigError) as found:
        read(tmp_path, GOOD.replace(good, bad))
    assert str(found.value).startswith(f"{tmp_path / 'runs.csv'}: 1 error\n")
    assert expected in str(found.value)


def test_all_errors_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        read(tmp_path, "rom,rate[south]\nx,1\n2\n3,inf\n")
    lines = str(found.value).splitlines()
    assert lines[0].endswith("4 errors")
    assert [line.split(":")[0].strip(" *") for line in lines[1:]] == [
        *('column 1 ("rom")', 'row 2, column "rom"', "row 3", 'row 4, column "rate[south]"'),
    ]


def test_of_very_many_errors_the_first_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        read(tmp_path, "room\n" + "x\n" * 30_000)
    lines = str(found.value).splitlines()
    assert len(lines) == 22
    assert lines[-1].strip(" *") == "and 29980 more."


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        ("room;rate[south]\n1.000;2,5\n", "runs.csv", "a decimal comma and a decimal point in one file"),
        ("", "runs.csv", "holds no runs"),
        ("room\n", "runs.csv", "holds no runs"),
        (b"room\n\xff\n", "runs.csv", "is not UTF-8 text"),
        ("room\n1\n", "runs.xlsx", "a table of runs ends in .csv or .parquet"),
        ("room\n1\n", "runs.parquet", "is not a Parquet file"),
    ],
)
def test_a_file_that_is_no_table(content: str | bytes, name: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        read(tmp_path, content, name)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["1", "2"], 'column "room": holds string; numbers are needed.'),
        ([True, False], 'column "room": holds bool; numbers are needed.'),
        ([1.0, None], 'row 2, column "room": found nan; a finite number is needed.'),
        ([np.inf, 1.0], 'row 1, column "room": found inf; a finite number is needed.'),
        ([1, None], 'row 2, column "room": found nan; a finite number is needed.'),
    ],
)
def test_a_faulty_parquet_column(column: list, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"room": column}), path)
    with pytest.raises(ConfigError) as found:
        read_design(path, SYSTEM)
    assert expected in str(found.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_design(tmp_path / "absent.csv", SYSTEM)


def test_what_decides_an_order_cannot_vary(tmp_path: Path) -> None:
    model = tmp_path / "model.mdl"
    model.write_text(
        "{UTF-8}\nstages = 2 ~ ~ |\nx = SMOOTH N(Time, 3, 0, stages) ~ ~ |\nINITIAL TIME = 0 ~ ~ |\n"
        "FINAL TIME = 4 ~ ~ |\nTIME STEP = 1 ~ ~ |\nSAVEPER = 1 ~ ~ |\n",
        encoding="utf-8",
    )
    path = tmp_path / "runs.csv"
    path.write_text("stages\n3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="decides the time settings or the order of a delay"):
        read_design(path, read_model(model).system)
