"""The sheet with the proof: the numbers of the tables, in words; a bound that says little is not shown."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sdopt
from sdopt.export.certainty import certainty_lines, says_little
from sdopt.export.console import Progress, print_result
from sdopt.export.labels import Labels
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

DATA = Path(__file__).resolve().parents[1] / "data" / "optimise"
BOUND = "Bovengrens zonder voorwaarde over de vorm"
LITTLE = "zegt nog weinig"


@pytest.fixture(scope="module")
def proved() -> Result:
    """An S-shaped return, certified to the end."""
    return sdopt.optimise(sdopt.load(DATA / "threshold.yaml"), certify=60.0).result


def book(result: Result) -> Any:
    return openpyxl.load_workbook(BytesIO(workbook_bytes(result)))


def rows(result: Result, sheet: str = "Bewijs") -> list[list[Any]]:
    found = [[v for v in row if v is not None] for row in book(result)[sheet].iter_rows(values_only=True)]
    return [row for row in found if row]


def cut_short(result: Result, times: float) -> Result:
    """The same proof, had it stopped at its first box with a bound of so many times the improvement."""
    best = result.figures["improvement"]
    table = result.tables["certificate"].head(1).assign(bound=times * best, gap_amount=(times - 1) * best)
    return result.with_tables(certificate=table).with_figures(
        certified_bound=result.figures["null_objective"] + times * best,
        certified_gap=(times - 1) / times,
        certified_gap_amount=(times - 1) * best,
        certified_gap_euro=None,
        certified_reached=False,
        certified_boxes=1,
        certified_boxes_left=2,
    )


def test_the_sheet_holds_the_tables_of_the_proof(proved: Result) -> None:
    listed = rows(proved)
    table = proved.tables["certificate"]
    course = [row for row in listed if len(row) == 6 and isinstance(row[0], int)]
    assert np.array(course, dtype=float) == pytest.approx(
        table[["box", "improvement", "bound", "gap_amount", "boxes_left", "mean_width"]].to_numpy(float)
    )
    errors = proved.tables["certificate_errors"]
    found = {row[0]: row[1] for row in listed if len(row) == 3 and row[0] in set(errors["variable"])}
    assert found == pytest.approx(dict(zip(errors["variable"], errors["error"], strict=True)))
    figures = {row[0]: row[1] for row in listed if len(row) in (2, 3)}
    assert figures[BOUND] == pytest.approx(proved.figures["certified_bound"])
    assert figures["Gebieden doorgerekend"] == len(table)
    tolerances = [row[1] for row in listed if len(row) == 2 and isinstance(row[1], float) and row[1] < 1e-3]
    assert tolerances == [1e-4, 1e-8, 1e-9, 1e-13, 1e-9, 1e-11, 1e-12]


def test_it_speaks_both_languages_and_names_readers_know(proved: Result) -> None:
    shown = {"social return": "Maatschappelijke winst"}
    named = Result(**{**vars(proved), "provenance": {"labels": shown}})
    assert "Maatschappelijke winst" in {row[0] for row in rows(named)}
    text = "\n".join(str(row[0]) for row in rows(Result(**{**vars(proved), "language": "en"}), "Proof"))
    assert "Nothing is assumed about the shape" in text and "time step of 0.25 year" in text
    assert "tijdstap van 0,25 jaar" in "\n".join(str(row[0]) for row in rows(proved))


def test_the_chart_points_at_bound_and_best(proved: Result) -> None:
    (chart,) = book(proved)["Bewijs"]._charts
    series = [one.val.numRef.f for one in chart.series]
    sheet = book(proved)["Bewijs"]
    for reference, key in zip(series, ("bound", "improvement"), strict=True):
        values = [cell.value for (cell,) in sheet[reference.partition("!")[2].replace("$", "")]]
        assert values == pytest.approx(list(proved.tables["certificate"][key]))


@pytest.mark.parametrize(("times", "little"), [(1.5, False), (2.0, False), (2.1, True), (40.0, True)])
def test_a_bound_far_above_the_advice_is_said_to_say_little(
    proved: Result, times: float, little: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    result = cut_short(proved, times)
    assert (LITTLE in " ".join(certainty_lines(result, Labels("nl")))) == little
    assert (BOUND in {row[0] for row in rows(result, "Kerncijfers")}) != little
    text = {str(row[0]): row[1:] for row in rows(result)}
    assert (text[BOUND][0] == LITTLE) == little
    (course,) = [row for row in rows(result) if len(row) == 6 and row[0] == 1]
    assert (course[2:4] == [LITTLE, LITTLE]) == little
    print_result(result.with_figures(replay_max_relative_difference=0.0), Path("results"))
    (said,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("proof")]
    assert said.startswith("proof    says little yet: more than twice the improvement") == little
    assert said.endswith("2 boxes left when it stopped") and ("%" in said) != little


def test_what_the_bound_of_the_search_says_points_at_no_useless_proof(proved: Result) -> None:
    """The audited bound is withdrawn here; the reader is sent to the proof only where that says something."""
    words = "Zie de bovengrens zonder die voorwaarde"
    assert words in str(rows(proved, "Kerncijfers"))
    assert words not in str(rows(cut_short(proved, 9.0), "Kerncijfers"))


@given(
    improvement=st.floats(1e-6, 1e9), times=st.floats(1.0, 1e6).filter(lambda times: abs(times - 2) > 1e-6)
)
def test_little_is_more_than_twice_the_improvement(improvement: float, times: float) -> None:
    bound = improvement * times
    assert says_little((bound - improvement) / bound) == (times > 2)


def test_without_an_improvement_an_amount_is_said(proved: Result) -> None:
    assert not says_little(1.0) and not says_little(None) and not says_little(float("nan"))


def test_the_line_while_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.shown = True  # as on a terminal
        progress.proof(3.0, 4.2, 7)
        progress.proof(9.0, 0.5, 3)
    first, second = capsys.readouterr().err.strip().split("\r")
    assert "says little yet" in first and "%" not in first
    assert "gap 50.000%" in second


def test_a_long_course_is_thinned_with_both_ends(proved: Result) -> None:
    best, bounds = proved.figures["improvement"], np.linspace(9.0, 1.001, 500)
    course = pd.DataFrame(
        {
            "box": range(1, 501),
            "bound": np.where(bounds > 8, np.inf, bounds * best),
            "improvement": best,
            "gap_amount": np.where(bounds > 8, np.inf, (bounds - 1) * best),
            "boxes_left": 3,
            "mean_width": 0.5,
        }
    )
    shown = [
        row for row in rows(proved.with_tables(certificate=course)) if len(row) == 6 and row[0] != "Gebied"
    ]
    assert (len(shown), shown[0][0], shown[-1][0]) == (60, 1, 500)
    assert shown[0][2] == LITTLE and shown[-1][2] == pytest.approx(1.001 * best)


def test_no_box_done_or_no_proof_asked_for_no_sheet(proved: Result) -> None:
    none = proved.with_tables(certificate=proved.tables["certificate"].head(0))
    assert "Bewijs" not in book(none).sheetnames and "Bewijs" in book(proved).sheetnames
