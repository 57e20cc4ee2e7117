"""The advice sounds no more precise than the model's own time step: the larger of proof and step is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.report import report_html
from sdopt.export.sheets.answers import answers
from sdopt.export.within import step_beyond, two_digits
from sdopt.result import Result

Folders = Callable[[str], Path]
STEP = {"improvement": 8.750052564154203, "half_step_improvement": 8.742763097630473}
"""7,289 euro apart, in millions; the proof leaves 800 euro."""


@pytest.fixture(scope="module")
def example(folders: Folders) -> Result:
    found = read_results(folders("example"))
    assert {key: found.figures[key] for key in STEP} == STEP
    return found


def section(result: Result, key: str, kind: str) -> str:
    page = lxml.html.fromstring(report_html(result))
    found = page.xpath(f"//section[@id='{key}']//*[contains(@class, '{kind}')]")
    return " ".join(" ".join(one.text_content() for one in found).split()).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "lead", "part", "proof", "summed"),
    [
        (
            "nl", "meer dan ongeveer 7,3 duizend euro beter zijn", "0,083 %",
            "hoogstens nog 800 euro te winnen (0,009 %", "meer dan ongeveer 7,3 duizend euro extra",
        ),
        (
            "en", "more than about 7.3 thousand EUR better", "0.083 %",
            "The proof leaves at most 800 EUR to gain (0.009 %", "more than about 7.3 thousand EUR extra",
        ),
    ],
)  # fmt: skip
def test_the_step_is_told_first_and_the_proof_where_it_is_explained(
    example: Result, language: str, lead: str, part: str, proof: str, summed: str
) -> None:
    spoken = replace(example, language=language)
    said = section(spoken, "advice", "lead")
    assert lead in said and "800" not in said
    assert part in section(spoken, "advice", "fact")
    assert proof in section(spoken, "sure", "lines")
    summary = " ".join(answers(spoken, Labels(language))["sure"])
    assert summed in summary and " 80" not in summary


def test_a_proof_that_leaves_more_than_the_step_is_told_itself(example: Result) -> None:
    wide = example.with_figures(gap_amount=0.0080018, gap_euro=8001.8, gap=0.000914)
    assert "meer dan 8.002 euro beter zijn" in section(wide, "advice", "lead")
    assert "0,091 %" in section(wide, "advice", "fact")
    assert "hoogstens nog" not in section(wide, "sure", "lines")
    assert "meer dan 8.002 euro extra" in " ".join(answers(wide, Labels("nl"))["sure"])


def test_a_proof_without_conditions_is_no_more_precise_either(example: Result) -> None:
    proved = example.with_figures(
        certified_bound=-1727.1, certified_gap=1e-5, certified_gap_amount=1e-5, certified_gap_euro=10.0,
        certified_reached=True,
    )  # fmt: skip
    said = " ".join(answers(proved, Labels("en"))["sure"])
    assert "proved that no allowed allocation returns more than about 7.3 thousand EUR more" in said


@pytest.mark.parametrize(
    ("whole", "half", "unit", "shown"),
    [
        (8.0, 8.0004, "million EUR", "400 euro"),
        (8.0, 7.85, "Million EUR", "150 duizend euro"),
        (800.0, 788.0, "million EUR", "12 mln euro"),
        (8.0, 8.25, "QALY", "0,25 QALY"),
    ],
)
def test_it_is_told_in_two_digits(example: Result, whole: float, half: float, unit: str, shown: str) -> None:
    said: dict[str, Any] = {"improvement": whole, "half_step_improvement": half, "objective_unit": unit}
    step = step_beyond(example.with_figures(**said), 0.0, Labels("nl"))
    assert step is not None
    assert f"{step.shown} {step.unit}" == shown
    first, second = step.source.split(" - ")
    assert said[first.removeprefix("figure:")] - said[second.removeprefix("figure:")] == step.amount > 0


@pytest.mark.parametrize("gap", [None, 0.01, float("nan")])
def test_nothing_is_told_where_the_proof_leaves_more_or_is_not_there(
    example: Result, gap: float | None
) -> None:
    assert step_beyond(example, gap, Labels("nl")) is None
    assert step_beyond(example.with_figures(half_step_improvement=None), 0.0, Labels("nl")) is None


@pytest.mark.parametrize(("value", "digits"), [(0.0, 0), (0.0833, 3), (7.29, 1), (72.9, 0), (-729.0, 0)])
def test_two_digits(value: float, digits: int) -> None:
    assert two_digits(value) == digits
