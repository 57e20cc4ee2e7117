"""Subscripts, delays and macros: names and keys, and what is wrong with an equation, said in its own words.

That they compute what they should stands in tests/features.
"""

from pathlib import Path

import pytest

from sdopt.equations.program import TimeGrid
from sdopt.equations.simulate import simulate_all
from sdopt.errors import ModelError, ReplayError, SimulationError
from sdopt.source_model.read import read_model
from sdopt.source_model.replay import replay

HEAD = """{UTF-8}
region: North, South ~ ~ |
area: A1, A2, A3 ~ ~ |
Stock[region]= INTEG(in[region], 1) ~ person ~ People in a region. |
in[region]= 2, 3 ~ person/Year ~ |
"""
TAIL = "INITIAL TIME = 0 ~ ~ |\nFINAL TIME = 2 ~ ~ |\nTIME STEP = 1 ~ Year ~ |\nSAVEPER = 1 ~ ~ |\n"


def _write(folder: Path, equations: str, head: str = HEAD) -> Path:
    path = folder / "model.mdl"
    path.write_text(head + equations + TAIL, encoding="utf-8")
    return path


def _with_macro(name: str, equation: str) -> str:
    return HEAD.replace("{UTF-8}", f"{{UTF-8}}\n:MACRO: {name}\n{equation} ~ ~ |\n:END OF MACRO:")


def test_an_element_is_a_variable_with_its_name_unit_and_kind(tmp_path: Path) -> None:
    system = read_model(_write(tmp_path, "")).system
    stock = system.variables["stock[north]"]
    assert (stock.name, stock.subscripts, stock.unit, stock.kind, stock.parts) == (
        *("Stock[North]", ("North",), "person", "stock"),
        ("Stock", "North"),
    )
    assert system.variables["in[south]"].kind == "constant"


def test_what_translation_adds_is_hidden(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "late[region]= DELAY3(Stock[region], 4) ~ ~ |\ndouble= TWICE(in[North]) ~ ~ |\n",
        _with_macro("TWICE(x)", "TWICE = 2 * x"),
    )
    system = read_model(path).system
    assert set(system.visible) == {
        *("stock[north]", "stock[south]", "in[north]", "in[south]"),
        *("late[north]", "late[south]", "double"),
    }
    assert {v.key for v in system.of_kind("stock")} == {"stock[north]", "stock[south]"}
    assert simulate_all(system, TimeGrid(0, 2, 1))["double"].ravel().tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("x = Stock", '"Stock" has 1 subscripts, not 0'),
        ("x = Stock[North, A1]", '"Stock" has 1 subscripts, not 2'),
        ("x = Stock[Nort]", 'there is no subscript "Nort". Did you mean "North"?'),
        ("x = Stock[A1]", 'no equation defines "Stock[A1]"'),
        ("x = Stock[region]", 'the range "region" is not on the left-hand side'),
        ("x[area] = Stock[region]", 'the range "region" is not on the left-hand side'),
        ("x = Stock[region!]", '"region!" stands outside SUM'),
        ("x = SUM(Stock[North])", "SUM needs a range marked with !"),
        ("x[region] = 1, 2, 3", "3 numbers are given for 2 elements"),
        ("x[region, region] = 1", "the same range stands twice"),
        ("x[region] = 1 ~~|\nx[North] = 2", "has two equations"),
        ("x[region] = 1 ~ ~ |\nX = 2", "different numbers of subscripts"),
        ("x[regio] = 1", 'there is no subscript "regio". Did you mean "region"?'),
        ("x = DELAY N(in[North], 2, 0, Stock[North])", "order of a delay or smooth must be a number"),
        ("x = ELMCOUNT(in[North])", "ELMCOUNT needs a subscript range"),
        ("x = VECTOR SELECT(in[region!], in[region!], 0, 11, 0)", "numerical action is 0 to 10, not 11"),
        ("x = VECTOR SELECT(in[region!], in[region!], 0, 0, 4)", "error action is 0 to 3, not 4"),
        ("x[region] = VECTOR RANK(in[North], 1)", "needs an array with a range as its last subscript"),
        ("x = ZIDZ(1)", "ZIDZ takes 2 arguments, not 1"),
        ("x = RANDOM NORMAL(0, 1, 2, 3, 4)", "RANDOM NORMAL is not supported"),
        ("x = PULSE(1, 2 - 2)", "PULSE without width lasts one step in Vensim and none in PySD"),
        ("x = PULSE TRAIN(1, 0, 2, 9)", "PULSE TRAIN without width lasts one step in Vensim"),
        ("x = :NA:", ":NA: is not supported"),
        ("x := ", "a data variable without values in the model"),
        ("x = GET TIME VALUE(2, 0, 1)", "GET TIME VALUE is supported for measure 0"),
    ],
)
def test_what_is_wrong_with_an_array_is_said(tmp_path: Path, equation: str, message: str) -> None:
    with pytest.raises(ModelError) as error:
        read_model(_write(tmp_path, f"{equation} ~ ~ |\n"))
    assert message in str(error.value)
    assert 'variable "x"' in str(error.value)


def test_an_element_has_its_place_in_the_whole_range_beside_a_copy_and_a_part(tmp_path: Path) -> None:
    """PySD knows no place of an element of a range that has a copy, so it cannot be asked."""
    ranges = "whole: one, two, three ~ ~ |\ncopy <-> whole ~ ~ |\npart: two, three ~ ~ |\n"
    equations = "x[whole]= whole ~ ~ |\ny[part]= part ~ ~ |\nz[copy]= 10 * copy + two ~ ~ |\n"
    places = simulate_all(read_model(_write(tmp_path, ranges + equations)).system, TimeGrid(0, 2, 1))
    assert [places[f"x[{e}]"][0, 0] for e in ("one", "two", "three")] == [1, 2, 3]
    assert [places[f"y[{e}]"][0, 0] for e in ("two", "three")] == [2, 3]
    assert [places[f"z[{e}]"][0, 0] for e in ("one", "two", "three")] == [12, 22, 32]


def test_a_fault_in_all_elements_is_one_complaint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="1 error\n"):
        read_model(_write(tmp_path, "x[region] = in[region] * y ~ ~ |\n"))


@pytest.mark.parametrize(
    ("macro", "use", "message"),
    [
        ("M = M(x)", "M(1)", 'the macro "M" uses itself'),
        ("M = x", "M(1, 2)", 'the macro "M" takes 1 arguments, not 2'),
        ("other = x", "M(1)", 'does not define "M"'),
    ],
)
def test_misuse_of_a_macro(tmp_path: Path, macro: str, use: str, message: str) -> None:
    with pytest.raises(ModelError) as error:
        read_model(_write(tmp_path, f"y = {use} ~ ~ |\n", _with_macro("M(x)", macro)))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ("r: r, s ~ ~ |", 'the subscript range "r" is defined by itself'),
        ("r: s, a ~ ~ |\ns: r, b ~ ~ |", "is defined by itself"),
        ("r <-> q ~ ~ |", "the subscript ranges cannot be read"),
    ],
)
def test_ranges_that_make_no_sense(tmp_path: Path, ranges: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_model(_write(tmp_path, "", f"{{UTF-8}}\n{ranges}\nx = 1 ~ ~ |\n"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("TIME STEP = 1 - Time", "must stay above zero"),
        ("TIME STEP = 0", "steps must be above zero"),
        ("TIME STEP = 1e-9", "more than 1,000,000 steps"),
        ("TIME STEP = Level", '"level" is not a constant'),
    ],
)
def test_time_settings_that_cannot_be_run(tmp_path: Path, settings: str, message: str) -> None:
    path = tmp_path / "model.mdl"
    rest = "Level = INTEG(1, 1) ~ ~ |\n" + TAIL.replace("TIME STEP = 1 ~ Year ~ |\n", f"{settings} ~ ~ |\n")
    path.write_text("{UTF-8}\n" + rest, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_model(path)


def test_what_decided_an_order_or_a_time_setting_is_fixed(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_text(
        "{UTF-8}\nper year = 4 ~ ~ |\nstages = 2 * half ~ ~ |\nhalf = 1 ~ ~ |\nlag = 3 ~ ~ |\n"
        "short = 0.5 ~ ~ |\n"
        "a = SMOOTH N(Time, lag, 0, stages) ~ ~ |\nb = DELAY N(Time, short, 0, 3) ~ ~ |\n"
        "c = DELAY N(Time, lag, 0, 3) ~ ~ |\n" + TAIL.replace("TIME STEP = 1", "TIME STEP = 1 / per year"),
        encoding="utf-8",
    )
    assert read_model(path).system.fixed == {"per_year", "stages", "half", "short"}


@pytest.mark.parametrize(
    ("marks", "action", "expected"),
    [
        ("0, 0", 0, 9),
        ("0, 0", 1, None),
        ("0, 0", 2, 9),
        ("0, 0", 3, None),
        ("0, 1", 3, 3),
        ("1, 1", 1, 5),
        ("1, 1", 2, None),
        ("1, 1", 3, None),
    ],
)
def test_a_selection_that_is_an_error_ends_the_run(
    tmp_path: Path, marks: str, action: int, expected: float | None
) -> None:
    equations = (
        f"m[region] = {marks} ~ ~ |\nx = VECTOR SELECT(m[region!], in[region!], 9, 0, {action}) ~ ~ |\n"
    )
    model = read_model(_write(tmp_path, equations))
    grid = TimeGrid(0, 2, 1)
    if expected is None:
        with pytest.raises(SimulationError, match='"x" is nan at time 0'):
            simulate_all(model.system, grid)
        with pytest.raises(ReplayError, match="FloatingPointError"):
            replay(model, {}, {}, grid)
    else:
        assert simulate_all(model.system, grid)["x"].ravel().tolist() == [expected] * 3
        assert set(replay(model, {}, {}, grid)["x"]) == {expected}
