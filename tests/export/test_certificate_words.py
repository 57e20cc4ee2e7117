"""Sentences about a certificate never round in favour of the advice, and never contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.certainty import certainty_lines
from sdopt.export.labels import Labels
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

DATA = Path(__file__).resolve().parents[1] / "data"
PROOF: dict[str, Any] = {"certified_reached": False, "certified_bound": 10.0, "objective_unit": "million EUR"}


def proved(make_result: Callable[..., Result], status: Status, **figures: Any) -> Result:
    table = make_result().tables["search"].head(0)
    given = Result(**{**vars(make_result()), "status": status}).with_tables(certificate=table)
    return given.with_figures(**PROOF, **figures)


@pytest.mark.parametrize(
    ("amount", "gap", "said"),
    [
        (0.0016121, 0.000041, "meer dan 0,00162 mln euro meer oplevert dan het advies (0,01 % van wat"),
        (4.0, 0.1234501, "meer dan 4,00 mln euro meer oplevert dan het advies (12,35 % van wat"),
        (0.5, 1.0, "meer dan 0,500 mln euro meer oplevert dan het advies; met"),
        (123.4, None, "meer dan 124 mln euro meer oplevert dan het advies; met"),
    ],
)
def test_at_most_is_rounded_up(
    make_result: Callable[..., Result], amount: float, gap: float | None, said: str
) -> None:
    result = proved(make_result, Status.OPTIMAL, certified_gap_amount=amount, certified_gap=gap)
    assert said in " ".join(certainty_lines(result, Labels("nl")))


def test_a_proved_bound_stands_beside_one_that_was_withdrawn(make_result: Callable[..., Result]) -> None:
    figures = {"certified_gap_amount": 2.5, "certified_gap": 0.2, "bound": None, "gap": None}
    result = proved(make_result, Status.LOCAL, **figures)
    text = " ".join(certainty_lines(result, Labels("nl")))
    assert "bovengrens is er niet" not in text and "bewezen" in text
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(result)))["Kerncijfers"]
    found = {row[0].value: row[1].value for row in sheet.iter_rows() if row[0].value}
    assert found["Bovengrens zonder voorwaarde over de vorm"] == pytest.approx(10.0)
    assert found["Idem, min rendement van het advies"] == pytest.approx(2.5)


def test_small_amounts_are_in_euros(make_result: Callable[..., Result]) -> None:
    figures = {"certified_gap_amount": 0.00161203, "certified_gap_euro": 1612.03, "certified_gap": 0.0003}
    text = " ".join(certainty_lines(proved(make_result, Status.OPTIMAL, **figures), Labels("nl")))
    assert "meer dan 1.613 euro meer oplevert dan het advies (0,03 % van wat" in text


def test_what_was_stopped_is_said(tmp_path: Path) -> None:
    asked = ["--explain", "--certify", "5", "--time-limit", "1e-9", "--output", str(tmp_path)]
    done = CliRunner().invoke(main, ["optimise", str(DATA / "optimise" / "quadratic.yaml"), *asked])
    assert done.exit_code == 0, done.output
    assert "explain  none: stopped before it was done" in done.output
    assert "proof    none: the search was stopped before it" in done.output
