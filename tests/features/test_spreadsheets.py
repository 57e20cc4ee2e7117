"""Numbers from Excel files, made here: cells, rows, columns and names; read anew each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName

from sdopt.equations.simulate import simulate_all
from sdopt.equations.time_grid import TimeGrid
from sdopt.errors import ModelError
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import REPLAY_TOLERANCE, compare, replay

MODEL = """{UTF-8}
wijk: noord, zuid ~ ~ |
jaar: j1, j2, j3 ~ ~ |
getal = GET DIRECT CONSTANTS( 'cijfers.xlsx', 'Blad 1', 'A6' ) ~ ~ |
rij[wijk] = GET XLS CONSTANTS( 'cijfers.xlsx', 'Blad 1', 'B2' ) ~ ~ |
tabel[jaar, wijk] = GET XLS CONSTANTS( 'cijfers.xlsx', 'Blad 1', 'B2' ) ~ ~ |
genoemd[jaar] = GET XLS CONSTANTS( 'cijfers.xlsx', 'Blad 1', 'noord*' ) ~ ~ |
reeks[wijk] := GET XLS DATA( 'cijfers.xlsx', 'Blad 1', 'A', 'B2' ) ~ ~ |
dwars := GET XLS DATA( 'cijfers.xlsx', 'Blad 1', '8', 'B9' ) ~ ~ |
boog = GET XLS LOOKUPS( 'cijfers.xlsx', 'Blad 1', 'A', 'C2' ) ~ ~ |
gelezen = boog( Time + 0.5 ) ~ ~ |
INITIAL TIME = 0 ~ ~ |
FINAL TIME = 2 ~ ~ |
TIME STEP = 1 ~ ~ |
SAVEPER = 1 ~ ~ |
"""

CONTENT = {
    "getal": [7.5] * 3,
    "rij[noord]": [1.5] * 3,
    "rij[zuid]": [10] * 3,
    "tabel[j1,noord]": [1.5] * 3,
    "tabel[j2,noord]": [2.5] * 3,
    "tabel[j3,noord]": [3.5] * 3,
    "tabel[j1,zuid]": [10] * 3,
    "tabel[j2,zuid]": [20] * 3,
    "tabel[j3,zuid]": [40] * 3,
    "genoemd[j1]": [1.5] * 3,
    "genoemd[j2]": [2.5] * 3,
    "genoemd[j3]": [3.5] * 3,
    "reeks[noord]": [1.5, 2.5, 3.5],
    "reeks[zuid]": [10, 20, 40],
    "dwars": [5, 7, 6],
    "gelezen": [15, 30, 40],
}
"""What the model must read from the sheet that `write` makes."""


def write(folder: Path, number: float = 7.5) -> Path:
    """The model, and a sheet with years down, two districts across, a number, and a series across."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Blad 1"
    rows = [(None, "noord", "zuid"), (0, 1.5, 10), (1, 2.5, 20), (2, 3.5, 40), (), (number,), ()]
    for row in (*rows, (None, 0, 1, 2), (None, 5, 7, 6)):
        sheet.append(row)
    book.defined_names["noord"] = DefinedName("noord", attr_text="'Blad 1'!$B$2:$B$4")
    book.save(folder / "cijfers.xlsx")
    path = folder / "model.mdl"
    path.write_text(MODEL, encoding="utf-8")
    return path


def test_every_place_in_a_spreadsheet(tmp_path: Path) -> None:
    model, grid = read_model(write(tmp_path)), TimeGrid(0, 2, 1)
    ours = simulate_all(model.system, grid)
    assert {key: values[:, 0].tolist() for key, values in ours.items()} == CONTENT
    assert compare(ours, replay(model, {}, {}, grid)).largest <= REPLAY_TOLERANCE
    assert {path.name for path in tmp_path.iterdir()} == {"cijfers.xlsx", "model.mdl"}


def test_a_range_from_a_spreadsheet(tmp_path: Path) -> None:
    path = write(tmp_path)
    source = "GET DIRECT SUBSCRIPT( 'cijfers.xlsx', 'Blad 1', 'B1', 'C1', '' )"
    path.write_text(MODEL.replace("wijk: noord, zuid", f"wijk: {source}"), encoding="utf-8")
    assert set(read_model(path).system.variables) == set(CONTENT)


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    for number in (101.0, 102.0):
        model = read_model(write(tmp_path, number))
        grid = TimeGrid(0, 2, 1)
        ours = simulate_all(model.system, grid)
        assert ours["getal"][0, 0] == number
        assert replay(model, {}, {}, grid)["getal"].iloc[0] == number


def test_a_file_is_read_anew_without_a_replay_in_between(tmp_path: Path) -> None:
    for number in (101.0, 102.0):
        system = read_model(write(tmp_path, number)).system
        assert simulate_all(system, TimeGrid(0, 2, 1))["getal"][0, 0] == number


@pytest.mark.parametrize(
    ("old", "new"),
    [("'A6'", "'A5'"), ("'A6'", "'A60'"), ("'Blad 1', 'A6'", "'Blad 2', 'A6'"), ("'noord*'", "'oost*'")],
)
def test_a_place_that_is_not_there_is_named(tmp_path: Path, old: str, new: str) -> None:
    path = write(tmp_path)
    assert old in MODEL
    path.write_text(MODEL.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot read 'cijfers.xlsx'|a number is missing"):
        read_model(path)
