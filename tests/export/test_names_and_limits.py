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
from sdopt.export.figures import figures_of
from sdopt.export.folder import write_results
from sdopt.export.formats import export_results, read_results
from sdopt.export.labels import Labels
from sdopt.export.limits import limit_lines, shown_limits, spans
from sdopt.export.names import with_shown_names
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
    """All that readers see, the sheets for those who check or repeat the run aside."""
    aside = ("Namen", "Run")
    sheets = [sheet for sheet in openpyxl.load_workbook(io.BytesIO(content)) if sheet.title not in aside]
    return {str(c.value) for sheet in sheets for row in sheet.iter_rows() for c in row if c.value is not None}


def test_workbook_and_picture_show_labels(result: Result, labelled: Result) -> None:
    found = texts(workbook_bytes(labelled))
    assert set(LABELS.values()) <= found
    assert not [text for text in found for name in LABELS if name in text]
    assert "social base budget" in found  # has no label
    names = {row[0] for one in figures_of(labelled, NL) if one.key == "allocation" for row in one.rows}
    assert "Preventie" in names and "prevention budget" not in names


def test_a_sheet_tells_which_name_is_which(result: Result, labelled: Result) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(labelled)))
    _, _, _, header, *rows = book["Namen"].iter_rows(values_only=True, max_col=2)
    assert header == ("Naam", "Modelvariabele")
    assert rows == [  # by the alphabet of what readers see
        ("Inwoners", "inhabitants"),
        ("Mensen in de bijstand", "people on bijstand"),
        ("Preventie", "prevention budget"),
        ("Uitgaven", "programme spending"),
    ]
    assert "Namen" not in openpyxl.load_workbook(io.BytesIO(workbook_bytes(result))).sheetnames


def test_ids_of_decisions_and_their_rules_are_shown_as_their_variables(labelled: Result) -> None:
    """In tables that have nothing but the id; a name that only looks like it stays."""
    named = replace(
        labelled, provenance={**labelled.provenance, "decision_names": {"prevention": "Preventie"}}
    )
    conditions = pd.DataFrame({"decision": ["prevention", "care"], "words": ["a", "b"]})
    limits = pd.DataFrame({"limit": ["F13 afbouw: prevention", "prevention", "F13 afbouw: care", ""]})
    shown = with_shown_names(named.with_tables(conditions=conditions, limits=limits)).tables
    assert list(shown["conditions"]["decision"]) == ["Preventie", "care"]
    assert list(shown["limits"]["limit"]) == ["F13 afbouw: Preventie", "prevention", "F13 afbouw: care", ""]


def test_the_sheet_run_is_in_the_language_of_the_reader(result: Result) -> None:
    """Every fact has a name in words, and beside it the key under which programs find it."""
    facts = {"seed": 7, "design": "latin hypercube", "decide_again_learnt": "people on bijstand"}
    made = replace(
        result,
        figures={**facts, "own figure": 3, "versions": {"numpy": "2.4"}, "gap_reason": "in English"},
        provenance={"labels": LABELS, "horizon": [2026.0, 2040.5], "objective_unit": "million EUR"},
    )
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(made)))
    rows = {row[2]: row[:2] for row in book["Run"].iter_rows(min_row=5, values_only=True)}
    assert rows["seed"] == ("Startgetal van het toeval", 7)
    assert rows["design"] == ("Hoe de toekomsten zijn getrokken", "Latijnse hyperkubus")
    assert rows["decide_again_learnt"] == ("Wat dan bekend is", "Mensen in de bijstand")
    assert rows["versions.numpy"] == ("Versie van numpy", "2.4")
    assert rows["horizon"] == ("Looptijd van het model", "2026; 2040.5")
    assert rows["objective_unit"] == ("Eenheid van het rendement", "mln euro")
    assert rows["own figure"] == ("own figure", 3)  # no words for it: as it is
    assert not {key for key in rows if key.startswith(("labels", "gap_reason"))}  # told elsewhere


def test_every_fact_of_an_advice_has_a_name_in_words() -> None:
    """Of the example in the repository, in both languages."""
    found = read_results(Path(__file__).resolve().parents[2] / "results" / "voorbeeld")
    for language in ("nl", "en"):
        book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(replace(found, language=language))))
        rows = list(book["Run"].iter_rows(min_row=5, values_only=True))
        assert len(rows) > 40
        assert [key for name, _, key in rows if name == key] == []


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


def test_a_limit_that_is_broken_is_not_said_to_bind(result: Result) -> None:
    """Nor does a limit shape an allocation that was given; a breach is more than what a search leaves."""
    table = result.tables["constraints"]
    floor = table["constraint"] == "ondergrens schuldhulp"
    broken = table.assign(binding=True, slack=table["slack"].mask(floor, -0.25))
    lines = limit_lines(result.with_tables(constraints=broken), NL)
    assert lines[0] == "Knelt, en bepaalt dus mee wat het advies is: totaal budget (2027-2030)."
    assert lines[1] == "Let op: deze verdeling overschrijdt: ondergrens schuldhulp (2027-2030)."
    given = replace(result.with_tables(constraints=broken), status=Status.SIMULATED)
    assert limit_lines(given, NL)[0] == "Er is geen ruimte over bij: totaal budget (2027-2030)."
    touched = table.assign(binding=True, slack=-1e-7)
    told = " ".join(limit_lines(result.with_tables(constraints=touched), NL))
    assert "deze verdeling overschrijdt" not in told


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
