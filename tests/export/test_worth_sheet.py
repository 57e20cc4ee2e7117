"""The sheet Omslagpunten begins with what may be said by rule, and which way the advice goes."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.config.thresholds import thresholds
from sdopt.export.findings import sweep_result
from sdopt.export.labels import Labels
from sdopt.export.precision import apart_decimals, own_decimals
from sdopt.export.sheets.break_even import information_lines
from sdopt.export.workbook import workbook_bytes
from sdopt.export.worth import advised_line, ordered, worth_said
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import outcome_of
from sdopt.sweep.run import plan_sweep, run_blocks

DATA = Path(__file__).resolve().parents[1] / "data"
Row = list[Any]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worth")
    shutil.copytree(DATA / "sweep", folder / "sweep")
    shutil.copy(DATA / "wijk.mdl", folder)
    return folder / "sweep" / "zorg.yaml"


@pytest.fixture(scope="module")
def result(config: Path) -> Result:
    loaded = load_config(config, {"output.language": "nl"})
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    with Parts(config.parent, "parts", resume=False) as parts:
        run_blocks(plan, parts, in_this_process, lambda *_: None)
        return sweep_result(loaded, model, plan, outcome_of(plan, parts), advice, parts)


def sheet(result: Result, name: str = "Omslagpunten") -> list[Row]:
    pictures = dict.fromkeys(("stocks", "frontier"), _dot())
    # read_only: of all sheets this one alone is read
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result, pictures)), read_only=True)
    return [[cell.value for cell in row] for row in book[name].iter_rows()]


def _dot() -> bytes:
    from PIL import Image

    target = BytesIO()
    Image.new("L", (1, 1)).save(target, "png")
    return target.getvalue()


def block(rows: list[Row], title: str) -> list[Row]:
    """The rows below a small heading, to the next row without anything."""
    start = next(k for k, row in enumerate(rows) if row[0] == title) + 1
    end = next((k for k in range(start, len(rows)) if not any(rows[k])), len(rows))
    return rows[start:end]


def test_the_words_of_every_decision_come_first_with_the_way_the_advice_goes(result: Result) -> None:
    rows = sheet(result)
    heads = [row[0] for row in rows]
    assert heads.index("Loont elke beslissing?") < 5
    said = [str(row[0]) for row in block(rows, "Loont elke beslissing?")]
    assert any(
        line.startswith("Bovenaan staat") and "200 toekomsten (100 trekkingen" in line for line in said
    )
    assert any(line.startswith("Iets meer = 10 % meer dan nu") for line in said)
    worth, conditions = result.tables["worth_of_decisions"], result.tables["conditions"]
    advised = result.tables["advised"].set_index("decision")
    for name in ("voorkomen", "uitstroom"):
        way = "verhoogt" if advised.loc[name, "advised"] > advised.loc[name, "today"] else "verlaagt"
        place = next(k for k, line in enumerate(said) if line.startswith(f"Het advies {way} {name} van"))
        for step, contrast in ((1, "a little more"), (3, "as advised")):
            words, condition = (
                table.set_index(["decision", "contrast"]).loc[(name, contrast), "words"]
                for table in (worth, conditions)
            )
            assert said[place + step : place + step + 2] == [words, condition]
            spent = worth.set_index(["decision", "contrast"]).loc[(name, contrast), "spent"]
            assert ("meer nodig" if spent > 0 else "komt") in words


STARTS = {
    "clearly better": "is duidelijk beter dan",
    "roughly equal": "zijn ongeveer gelijk",
    "uncertain": "Het is onzeker of",
    "clearly worse": "is duidelijk slechter dan",
}


@pytest.mark.parametrize("kind", STARTS)
def test_other_gains_give_other_words_on_the_sheet(result: Result, kind: str) -> None:
    labels, worth = Labels("nl"), result.tables["worth_of_decisions"]
    other = worth_said(worth.drop(columns="words").assign(kind=kind), thresholds(), labels, {})
    rows = sheet(result.with_tables(worth_of_decisions=other))
    start = STARTS[kind]
    lines = [str(row[0]) for row in block(rows, "Loont elke beslissing?")]
    assert sum(start in line for line in lines) == len(worth)


def test_figures_on_the_sheet_are_those_of_the_table(result: Result) -> None:
    rows = sheet(result)
    start = next(k for k, row in enumerate(rows) if "Kans op winst" in row)
    head = rows[start]
    shown = pd.DataFrame(rows[start + 1 : start + 5], columns=head)
    worth = result.tables["worth_of_decisions"]
    order = ordered(result.tables["advised"], worth)
    own = pd.concat([worth[worth["decision"] == name] for name in order])
    assert shown["Beslissing"].tolist() == own["decision"].tolist()
    for column, key in (("Kans op winst", "probability"), ("Gemiddeld", "mean"),
                        ("Geld erbij (contant)", "spent"), ("Verschoven geld", "size"),
                        ("Meeste toekomsten, tot", "to")):  # fmt: skip
        assert shown[column].tolist() == pytest.approx(own[key].tolist())
    sizes = own[own["contrast"] == "as advised"]["size"].tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_the_compared_allocations_have_their_words_there_too(result: Result) -> None:
    lines = [str(row[0]) for row in block(sheet(result), "Wat is vergeleken")]
    assert lines[0].startswith("Nu (nulalternatief); Advies; Alles voorkomen.")
    table = result.tables["conclusions"]
    assert list(zip(table["allocation"], table["against"], strict=True)) == [
        ("advice", "null"), ("Alles voorkomen", "null"), ("advice", "Alles voorkomen")
    ]  # fmt: skip
    assert set(table["words"]) <= set(lines)
    mean = result.tables["distribution"].query("external == ''").set_index("allocation")["mean"]
    against = table.set_index(["allocation", "against"])["mean"]
    both = mean["advice"] - mean["Alles voorkomen"]
    assert against["advice", "Alles voorkomen"] == pytest.approx(both, rel=0.05)


def test_the_rule_and_its_numbers_stand_on_the_sheet(config: Path, result: Result) -> None:
    rows = block(sheet(result), "De regel achter de woorden")
    said = "\n".join(str(row[0]) for row in rows)
    assert "in minstens 90 van de 100 toekomsten levert het meer op" in said
    assert "minder dan 10 % van het geld dat verschuift" in said
    table = result.tables["thresholds"]
    start = next(k for k, row in enumerate(rows) if row[0] == "Afspraak")
    assert [row[1] for row in rows[start + 1 :]] == table["value"].tolist()
    assert [row[3] for row in rows[start + 1 :]] == table["usual"].tolist()
    stricter = table.assign(value=table["value"].where(table["name"] != "clearly", 0.95))
    other = block(sheet(result.with_tables(thresholds=stricter)), "De regel achter de woorden")
    assert any("in minstens 95 van de 100" in str(row[0]) for row in other)


def test_constants_that_the_question_names_are_listed_also_when_they_turn_nothing(result: Result) -> None:
    title = "Getallen die de vraag noemt, of waarvan weinig bekend is"
    rows = {row[0]: row for row in block(sheet(result), title)[2:]}
    assert set(rows) == {"effect of knowing", "price of care", "memory time"}
    turns = result.tables["break_even"].query("inside")
    for name, row in rows.items():
        assert row[1] == "in de vraag"
        own = turns[turns["constant"] == name]
        assert row[2].count("kantelt bij") == own["break_even"].notna().sum()
    quiet = result.tables["break_even"].assign(inside=False)
    for row in block(sheet(result.with_tables(break_even=quiet)), title)[2:]:
        assert row[2].startswith("gekeken, kantelt niets binnen de bandbreedte")
    drawn = result.tables["drawn"].assign(looked_at=False)
    for row in block(sheet(result.with_tables(drawn=drawn)), title)[2:]:
        assert row[2] == "niet gekeken: dat zou te lang duren"


def test_a_screening_says_what_would_have_to_be_true_and_no_more(result: Result) -> None:
    tables = {name: table for name, table in result.tables.items() if name not in
              ("worth_of_decisions", "conclusions", "distribution")}  # fmt: skip
    rows = sheet(Result(**{**vars(result), "tables": tables}))
    lines = [str(row[0]) for row in block(rows, "Loont elke beslissing?")]
    assert any(line.startswith("Iets meer. Wat er waar") for line in lines)
    assert not any("toekomsten" in line for line in lines)


@pytest.mark.parametrize(
    ("today", "advised", "said"),
    [
        (6.1, 5.43, "lowers care from 6.1 to 5.4 million EUR per year (mean of 2027-2030)."),
        (0.4, 0.1, "lowers care from 0.40 to 0.10 million"),
        (0.3, 0.452, "raises care from 0.30 to 0.45 million"),
        (2.0, 2.0, "leaves care at 2.0 million EUR per year on average (2027-2030)."),
    ],
)
def test_which_way_the_advice_goes_in_words(today: float, advised: float, said: str) -> None:
    row = {"today": today, "advised": advised, "unit": "million EUR/Year", "first_year": 2027,
           "last_year": 2030}  # fmt: skip
    assert f"The advice {said}" in advised_line(row, "care", Labels("en"))


def test_numbers_show_no_more_than_was_given_or_is_known() -> None:
    assert [own_decimals(one, 4) for one in (0.0, 0.06, 0.15, 160.0, 0.123456)] == [0, 2, 2, 0, 4]
    assert [apart_decimals(*one) for one in ((6.1, 5.4), (2.341, 2.310), (250.0, 300.0))] == [1, 2, 0]


def test_what_knowing_is_worth_has_no_digits_below_its_error() -> None:
    row = {"uncertainty": "everything", "value": 0.0639754, "error": 0.0391539, "by_chance": 0.0,
           "unit": "million EUR", "value_eur": 63975.4, "part": 1.0, "reason": ""}  # fmt: skip
    rounding = {**row, "uncertainty": "price", "value": 1.8e-15, "error": 8.9e-17, "part": 3e-14}
    lines = information_lines(pd.DataFrame([row, rounding]), Labels("nl"))
    assert "is gemiddeld 0,06 mln euro waard" in lines[0]
    assert lines[1:] == [Labels("nl")("found.worth_nothing")]


def test_the_terminal_and_summary_json_say_it_too(config: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["sweep", str(config), "--output", str(tmp_path / "uit"), "--workers", "1"]
    )
    assert done.exit_code == 0, done.output
    (folder,) = (one for one in (tmp_path / "uit").iterdir() if not one.name.startswith("."))
    worth = pd.read_parquet(folder / "tables" / "worth_of_decisions.parquet")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert [one["kind"] for one in summary["worth_of_decisions"]] == worth["kind"].tolist()
    assert [one["words"] for one in summary["worth_of_decisions"]] == worth["words"].tolist()
    assert {"allocation", "against", "kind", "words"} <= set(summary["conclusions"][0])
    for row in worth.itertuples():
        line = f"         {row.contrast}: {row.kind}, gains in {100 * row.probability:.0f} of 100 futures"
        assert line in done.output
    assert "worth    The advice raises uitstroom from" in done.output
    assert np.isfinite(worth["mean"]).all()


def test_nothing_that_turns_gives_no_empty_list(result: Result) -> None:
    table = result.tables["break_even"].assign(worth="always", break_even=np.nan, inside=False)
    still = table.assign(gain_low=table["gain_central"], gain_high=table["gain_central"])
    lines = [str(row[0]) for row in block(sheet(result.with_tables(break_even=still)), "Alle omslagpunten")]
    assert lines == [Labels("nl")("found.more", count=len(table), table="break_even")]
