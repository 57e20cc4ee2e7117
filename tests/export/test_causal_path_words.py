"""The causal path in sentences and on its sheet, read back with openpyxl and recalculated by LibreOffice."""

from __future__ import annotations

import csv
import json
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from sdopt.config.load import load_config
from sdopt.export.causal_path import causal_lines, stories
from sdopt.export.labels import Labels
from sdopt.export.names import array_names, with_shown_names
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

MODEL = """{UTF-8}
social return= 2 * "=1+1" - "<b>z</b>" ~ million EUR/Year ~ |
"=1+1"= Pot / 4 ~ million EUR/Year ~ |
Pot= INTEG( 4 * x - Pot, 4) ~ million EUR ~ |
"<b>z</b>"= 1.5 * x ~ million EUR/Year ~ |
x= 1 ~ million EUR/Year ~ |
INITIAL TIME= 2026 ~ Year ~ |
FINAL TIME= 2032 ~ Year ~ |
TIME STEP= 0.25 ~ Year ~ |
SAVEPER= 1 ~ Year ~ |
"""


def made(folder: Path, model: str = MODEL, point: float = 3.0) -> Result:
    (folder / "m.mdl").write_text(model, encoding="utf-8")
    config = {
        "schema_version": 1,
        "title": "In words",
        "model": {"file": str(folder / "m.mdl")},
        "horizon": {"start": 2026, "end": 2030},
        "decision_years": {"first": 2027, "last": 2028},
        "decisions": {"a": {"variable": "x", "bounds": [0, 9]}},
        "objective": {"maximise": "social return", "discount_rate": 0},
    }
    (folder / "q.yaml").write_text(json.dumps(config), encoding="utf-8")
    problem = build_problem(load_config(folder / "q.yaml"), read_model(folder / "m.mdl").system)
    result = simulate_allocation(problem, np.full(2, point), "run")
    return Result(**{**vars(result), "provenance": {"labels": {"x": "Preventie", "Pot": "Het potje"}}})


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return made(tmp_path_factory.mktemp("words"))


def in_language(result: Result, language: str) -> Result:
    return with_shown_names(Result(**{**vars(result), "language": language}))


def test_the_sentences_in_dutch(result: Result) -> None:
    """From 1 to 3 in 2027 and 2028: 2 * 1.5 * 2 years over z; what the pot gains follows from the table."""
    lines = causal_lines(in_language(result, "nl"), Labels("nl"))
    table = result.tables["causal_path"]
    pot = float(table.loc[table["variable"] == "Pot", "value"].iloc[0])
    assert lines[0] == (
        "Preventie gaat van 1,00 naar 3,00 mln euro per jaar (gemiddeld 2027-2028). "
        f"Dat voegt in dit model {Labels('nl').number(pot - 6, 2)} mln euro toe aan het rendement."
    )
    assert lines[1].startswith(
        f"Weg 1 levert {Labels('nl').number(pot, 2)} mln euro op: via Het potje (nu 4,00 "
    )
    assert ", dan =1+1 (nu 1,00 mln euro per jaar, hierdoor +" in lines[1]
    assert lines[2] == ("Weg 2 kost 6,00 mln euro: via <b>z</b> (nu 1,50 mln euro per jaar, hierdoor +2,00).")
    assert lines[3].startswith("De getallen op de weg zijn gemiddelden over 2027-2029;")
    assert lines[4] == "Zo rekent dit model. Het is geen bewijs dat het in werkelijkheid zo gaat."
    assert len(lines) == 5  # nothing goes another way, so nothing is said of that


def test_the_sentences_in_english_and_one_that_costs(tmp_path: Path) -> None:
    less = in_language(made(tmp_path, point=0.0), "en")
    (story,) = stories(less, Labels("en"))
    assert story.name == "Preventie"
    assert story.sentence.startswith(
        "Preventie goes from 1.00 to 0 million EUR per year (average 2027-2028)."
    )
    assert " takes " in story.sentence
    assert "Route 2 brings 3.00 million EUR: through <b>z</b> (now 1.50 " in story.routes[1].sentence
    assert story.rest == ""
    assert list(story.routes[0].steps["variable"]) == ["Preventie", "Het potje", "=1+1", "social return"]


def test_what_goes_over_other_routes_is_said(result: Result) -> None:
    tables = dict(result.tables)
    tables["causal_path"] = tables["causal_path"][tables["causal_path"]["route"] == 1]
    tables["causal_decisions"] = tables["causal_decisions"].assign(elsewhere=-6.0)
    lines = causal_lines(in_language(Result(**{**vars(result), "tables": tables}), "nl"), Labels("nl"))
    assert "Alle andere wegen van Preventie samen: -6,00 mln euro." in lines


def test_without_a_path_there_is_nothing(result: Result) -> None:
    tables = {k: t for k, t in result.tables.items() if not k.startswith("causal")}
    bare = Result(**{**vars(result), "tables": tables})
    assert causal_lines(bare, Labels("nl")) == []
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(bare)))
    assert "Hoe het doorwerkt" not in book.sheetnames


def test_values_of_an_array_are_said_to_be_averages(result: Result) -> None:
    tables = {k: t.assign(elements=10) if k.startswith("causal") else t for k, t in result.tables.items()}
    whole = Result(**{**vars(result), "tables": tables})
    lines = causal_lines(in_language(whole, "nl"), Labels("nl"))
    assert "naar 3,00 mln euro per jaar, gemiddeld over 10 delen (gemiddeld 2027-2028)" in lines[0]
    assert "Het potje (nu 4,00 mln euro, gemiddeld over 10 delen, hierdoor " in lines[1]
    rows = list(openpyxl.load_workbook(BytesIO(workbook_bytes(whole)))["Hoe het doorwerkt"].values)
    assert "Het potje, gemiddeld over 10 delen" in [row[0] for row in rows]


@pytest.mark.parametrize(("language", "name"), [("nl", "Hoe het doorwerkt"), ("en", "How it works through")])
def test_the_sheet(result: Result, language: str, name: str) -> None:
    content = workbook_bytes(Result(**{**vars(result), "language": language}))
    sheet = openpyxl.load_workbook(BytesIO(content))[name]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    texts = [str(cell.value) for cell in cells]
    assert all(line in texts for line in causal_lines(in_language(result, language), Labels(language))[1:3])
    formulas = [cell for cell in cells if cell.data_type == "f"]
    assert [cell.value.split("(")[0] for cell in formulas] == ["=IF", "=SUM"]
    injected = [cell for cell in cells if cell.value in ("=1+1", "<b>z</b>")]
    assert {cell.data_type for cell in injected} == {"s"} and len(injected) == 2
    shown = openpyxl.load_workbook(BytesIO(content), data_only=True)[name]
    total = shown[formulas[1].coordinate].value
    assert total == pytest.approx(result.figures["improvement"])


def test_what_bends_leave_over_is_a_row_of_its_own(tmp_path: Path) -> None:
    bent = MODEL.replace("1.5 * x", "MAX( 0, x - 1.37)")
    result = made(tmp_path, bent)
    content = workbook_bytes(result)
    rows = list(openpyxl.load_workbook(BytesIO(content), data_only=True)["Hoe het doorwerkt"].values)
    missed = next(row for row in rows if row[0] == "Niet toegewezen: knikken en sprongen in het model")
    total = next(row for row in rows if row[0] == "Totaal")
    assert total[5] == pytest.approx(result.figures["improvement"])
    assigned = result.tables["causal_decisions"]["value"].sum()
    assert missed[5] == pytest.approx(result.figures["improvement"] - assigned)
    assert 0.005 < abs(missed[5]) < 0.02 * abs(result.tables["causal_path"]["value"]).max()


def test_an_array_is_called_by_what_its_elements_have_in_common() -> None:
    shown = {
        "a[Noord]": "Zorg Noord",
        "a[Zuid]": "Zorg Zuid",
        "b[Noord,oud]": "Hulp (Noord, oud)",
        "b[Zuid,oud]": "Hulp (Zuid, oud)",
        "c[Noord]": "Geld Noord",
        "c[Zuid]": "Baten Zuid",
        "d[Noord]": "Noord",
        "e[Noord]": "Het Noorden",
        "f": "Iets",
    }
    assert array_names(shown) == {"a": "Zorg", "b": "Hulp"}


def test_every_word_is_there_in_both_languages_and_nowhere_else() -> None:
    path = Path(__file__).resolve().parents[2] / "src" / "sdopt" / "export" / "labels.csv"
    with path.open(encoding="utf-8", newline="") as text:
        own = [row for row in csv.DictReader(text) if row["key"].startswith("path.")]
    assert len(own) > 10
    assert all(row["nl"] and row["en"] for row in own)


@pytest.mark.desktop
def test_libreoffice_finds_the_same_totals(result: Result, tmp_path: Path) -> None:
    (tmp_path / "w.xlsx").write_bytes(workbook_bytes(result))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    subprocess.run([*command, "--outdir", tmp_path / "out", tmp_path / "w.xlsx"], check=True, timeout=120)
    sheet = openpyxl.load_workbook(tmp_path / "out" / "w.xlsx", data_only=True)["Hoe het doorwerkt"]
    rows = {row[0]: row for row in sheet.values if row[0]}
    assert rows["Totaal"][5] == pytest.approx(result.figures["improvement"])
    assert not any(str(value).startswith("#") for row in sheet.values for value in row)
