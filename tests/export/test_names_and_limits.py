"""Readers see labels, limits in one row per year, and sentences about how sure the answer is."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from sdopt.export.certainty import certainty_lines, half_step_lines
from sdopt.export.folder import write_results
from sdopt.export.formats import export_results
from sdopt.export.labels import Labels
from sdopt.export.limits import limit_lines, shown_limits, spans
from sdopt.export.names import with_shown_names
from sdopt.export.picture import picture_bytes
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

NL = Labels("nl")
LABELS = {
    "prevention budget": "Preventie",
    "people on bijstand": "Mensen in de bijstand",
    "programme spending": "Uitgaven",
    "inhabitants": "Inwoners",
}


@pytest.fixture
def labelled(result: Result) -> Result:
    """The result with labels for some names."""
    return replace(result, provenance={**result.provenance, "labels": LABELS})


def texts(content: bytes) -> set[str]:
    """All that readers see, the sheet for those who repeat the run aside."""
    sheets = [sheet for sheet in openpyxl.load_workbook(io.BytesIO(content)) if sheet.title != "Run"]
    return {str(c.value) for sheet in sheets for row in sheet.iter_rows() for c in row if c.value is not None}


def test_workbook_and_picture_show_labels(result: Result, labelled: Result) -> None:
    found = texts(workbook_bytes(labelled))
    assert set(LABELS.values()) <= found
    assert not [text for text in found for name in LABELS if name in text]
    assert "social base budget" in found  # has no label
    assert picture_bytes(labelled, "svg") != picture_bytes(result, "svg")


def test_the_sheet_run_tells_which_name_is_which(labelled: Result) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(labelled)))
    rows = {row[0]: row[1] for row in book["Run"].iter_rows(values_only=True)}
    assert {name: rows[f"labels.{name}"] for name in LABELS} == LABELS


def test_only_dutch_csv_shows_labels(labelled: Result, tmp_path: Path) -> None:
    folder = write_results(labelled, tmp_path / "results", "", {}, None)
    machine = pd.read_csv(folder / "tables" / "allocation.csv")
    dutch = pd.read_csv(export_results(folder, "csv", tmp_path / "csv") / "allocation.csv", sep=";")
    assert "prevention budget" in set(machine["variable"])
    assert "Preventie" in set(dutch["variable"])
    parquet = export_results(folder, "parquet", tmp_path / "parquet") / "allocation.parquet"
    assert "prevention budget" in set(pd.read_parquet(parquet)["variable"])
    assert (folder / "workbook.xlsx").read_bytes() == export_results(folder, "xlsx", None).read_bytes()


def change_rows() -> pd.DataFrame:
    """2028: 3 may become at most 1.25 times 2.6 (0.25 to spare); and at least 0.5 times 2.6."""
    rows = [("largest rise", -0.25, 0.25), ("largest fall", -1.7, 1.7)]
    return pd.DataFrame(
        [
            (f"prevention: {kind}", 2028, "decisions", "at_most", 0.0, -0.5, value, slack, False, False, 0.0)
            for kind, value, slack in rows
        ],
        columns=list("abcdefghijk"),
    )


def test_a_limit_on_change_is_shown_as_the_decision_itself(labelled: Result) -> None:
    table = labelled.tables["constraints"]
    rows = change_rows().set_axis(table.columns[:-1], axis=1).assign(unit="million EUR/Year")
    shown = with_shown_names(labelled.with_tables(constraints=pd.concat([rows, table])))
    limits = shown_limits(shown, NL)
    rise, fall = limits.tail(2).to_dict("records")
    allocation = labelled.tables["allocation"].set_index(["allocation", "variable", "time"])["value"]
    advice = allocation["advice", "prevention budget", 2028.0]
    assert (rise["constraint"], rise["sense"]) == ("Preventie: grootste stijging", "at_most")
    assert (fall["constraint"], fall["sense"]) == ("Preventie: grootste daling", "at_least")
    assert rise["advice"] == fall["advice"] == advice
    assert rise["limit"] == pytest.approx(advice + 0.25)
    assert fall["limit"] == pytest.approx(advice - 1.7)
    assert rise["null"] == allocation["null", "prevention budget", 2028.0]
    assert "Preventie: grootste stijging" in texts(workbook_bytes(shown))


def test_every_step_is_shown_once_a_year_at_its_tightest(result: Result) -> None:
    row = result.tables["constraints"].iloc[0]
    steps = [
        {**row, "constraint": "zorg", "year": year, "measure": "every_step", "slack": slack,
         "binding": slack == 0, "null_breaks": slack == 3, "shadow_price": price}
        for year, slack, price in [(2027, 2.0, 0.0), (2027, 0.0, 0.5), (2027, 3.0, 0.25), (2028, 1.0, 0.0)]
    ]  # fmt: skip
    shown = shown_limits(result.with_tables(constraints=pd.DataFrame(steps)), NL)
    assert shown["year"].tolist() == [2027, 2028]
    assert shown["slack"].tolist() == [0.0, 1.0]
    assert shown["binding"].tolist() == [True, False]
    assert shown["null_breaks"].tolist() == [True, False]
    assert shown["shadow_price"].tolist() == [0.75, 0.0]
    without = pd.DataFrame(steps).assign(shadow_price=None)
    assert shown_limits(result.with_tables(constraints=without), NL)["shadow_price"].isna().all()


def test_sentences_about_limits(result: Result) -> None:
    decisions = result.tables["decisions"]
    at_bound = decisions.assign(at_bound=decisions["period"].isin([2027, 2028, 2030]) & (decisions.index < 4))
    assert limit_lines(result.with_tables(decisions=at_bound), NL) == [
        "Knelt, en bepaalt dus mee wat het advies is: totaal budget (2027-2030); "
        "ondergrens schuldhulp (2027).",
        "Op de eigen onder- of bovengrens: prevention budget (2027-2028, 2030).",
        "Let op: doorgaan zoals nu overschrijdt: ondergrens schuldhulp (2027-2030).",
    ]
    free = result.tables["constraints"].assign(binding=False, null_breaks=False)
    assert limit_lines(result.with_tables(constraints=free), NL) == [
        "Geen enkele grens uit de vraag knelt.",
        "Doorgaan zoals nu overschrijdt geen enkele grens.",
    ]


def test_spans() -> None:
    assert spans([2030, 2027, 2028, 2027]) == "2027-2028, 2030"
    assert spans([]) == ""


def test_certainty_with_a_bound(result: Result) -> None:
    sure = result.with_figures(
        bound_leans_on=["totaal budget"],
        decisions=24,
        decisions_between_bounds=20,
        model_constraints_binding=4,
        negative_stocks={"null": [], "advice": ["people on bijstand (from 2034.5)"]},
    )
    lines = certainty_lines(with_shown_names(replace(sure, provenance={"labels": LABELS})), NL)
    assert lines[1:] == [
        "De bovengrens geldt als het rendement afnemende meeropbrengsten heeft, en als deze grenzen dezelfde "
        "vorm hebben: totaal budget.",
        "Dat is met 20.000 steekproeven gecontroleerd: 3 spreken het tegen.",
        "20 van de 24 gekozen bedragen liggen tussen hun eigen onder- en bovengrens; 4 keer (per grens en "
        "jaar) knelt een grens die aan het model is gesteld.",
        "Onzekere aannames: 1 van de 3; kijk daar eerst naar (blad Aannames).",
        "Let op: met dit advies komen onder nul: Mensen in de bijstand (vanaf 2034).",
    ]


@pytest.mark.parametrize(
    ("inside", "binding", "corner"), [(11, 0, True), (12, 0, False), (11, 1, False), (0, 0, True)]
)
def test_a_corner_is_said_in_words(result: Result, inside: int, binding: int, corner: bool) -> None:
    figures = {"decisions": 24, "decisions_between_bounds": inside, "model_constraints_binding": binding}
    lines = certainty_lines(result.with_figures(**figures), NL)
    assert any("niet uit een afweging" in line for line in lines) == corner


def test_certainty_without_a_bound(result: Result, make_result: Callable[..., Result]) -> None:
    starts = pd.DataFrame({"start": [0, 1], "objective": [2.0, 1.5], "difference": [0.0, -0.5]})
    local = replace(result.with_tables(starts=starts), status=Status.LOCAL).with_figures(starts_spread=0.25)
    with_bound, without = (
        certainty_lines(one, NL) for one in (local, local.with_figures(bound=None, gap=None))
    )
    assert "zonder die grens berekend" in with_bound[0]
    assert "De bovengrens geldt" in with_bound[1]
    assert "een bovengrens is er niet" in without[0]
    assert without[1] == (
        "2 zoektochten vanuit verschillende verdelingen: de slechtste blijft 25,00 % van de verbetering "
        "achter bij de beste."
    )
    none = certainty_lines(result.with_figures(gap=None), NL)
    assert any(line.startswith("Geen enkele verdeling is beter") for line in none)


def test_half_step(result: Result) -> None:
    figures: dict[str, Any] = {"half_step": 0.0625, "half_step_return_change": -0.000519}
    assert half_step_lines(result, NL) == []
    known = result.with_figures(**figures, half_step_regret_at_most=np.float64(0.0004))
    assert half_step_lines(known, NL) == [
        "Een half zo grote tijdstap (0,0625 jaar) verandert de verbetering met -0,05 %; een advies dat "
        "daarmee is gemaakt, wint hoogstens 0,04 % van de verbetering."
    ]
    unknown = result.with_figures(**figures, half_step_regret_at_most=None, half_step_smallest_slack=-1e-5)
    assert half_step_lines(unknown, NL) == [
        "Een half zo grote tijdstap (0,0625 jaar) verandert de verbetering met -0,05 %."
    ]
    passed = half_step_lines(result.with_figures(**figures, half_step_smallest_slack=-0.0123), NL)
    assert passed[1:] == [
        "Bij die tijdstap gaat het advies over een grens heen, met hoogstens 1,23 % daarvan."
    ]
