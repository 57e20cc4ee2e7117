"""A part of an equation reads as it would be written."""

from pathlib import Path

import pytest

from sdopt.checks.wording import LONGEST, part_text
from sdopt.source_model.read import read_model

WRITTEN = [
    "a + b * c",
    "(a + b) * c",
    "a - (b - c)",
    "a / (b * c)",
    "a * b / c",
    "(a / b) ^ c",
    "a ^ (b + c)",
    "-a * -b",
    "-(a + b)",
    "a ^ (-2)",
    "MIN(a, MAX(0, b))",
    "IF THEN ELSE((a > b :AND: a <> 0) :OR: c <= 2, 1.5, -2)",
    "IF THEN ELSE(:NOT: (a = b), EXP(Time), TIME STEP)",
]


@pytest.mark.parametrize("equation", WRITTEN)
def test_what_is_shown_is_what_was_written(equation: str, tmp_path: Path) -> None:
    assert written(equation, tmp_path) == equation


def test_inputs_of_delays_are_written_out_and_lookups_named(tmp_path: Path) -> None:
    assert written("DELAY1(a, b + c)", tmp_path) == "x (delay 2) / (b + c)"
    assert written("WITH LOOKUP(a, ((0,0),(1,1)))", tmp_path) == "lookup(a)"


def test_long_parts_are_cut_in_the_middle(tmp_path: Path) -> None:
    shown = written(" + ".join(["a"] * 100), tmp_path)
    assert len(shown) == LONGEST + len(" ... ")
    assert shown.startswith("a + a")
    assert " ... " in shown


def written(equation: str, folder: Path) -> str:
    path = folder / "model.mdl"
    path.write_text(
        f"{{UTF-8}}\nx = {equation} ~~|\na = 1 ~~|\nb = 2 ~~|\nc = 3 ~~|\nINITIAL TIME = 0 ~~|\n"
        "FINAL TIME = 9 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n",
        encoding="utf-8",
    )
    variables = read_model(path).system.variables
    return part_text(variables["x"].expression, variables)
