"""The sheet with forms, its sentences and the lines on the console, from a real run replayed in PySD."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import sdopt.cli
from sdopt.config.load import load_config
from sdopt.export.console import print_result
from sdopt.export.forms_reasons import clash_blocks
from sdopt.export.labels import Labels
from sdopt.export.sheets.forms import forms_lines
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.infeasible.said import FOUND, REPAIRED, ROUNDING, SURE
from sdopt.optimise.run import optimise, verify
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "forms"


@pytest.fixture(scope="module")
def result() -> Result:
    loaded = load_config(DATA / "wijk_vormen.yaml")
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    found = verify(optimise(problem, "run", lambda *_: None), problem, model)
    return Result(**{**vars(found), "provenance": {"labels": dict(loaded.config.output.labels)}})


@pytest.fixture(scope="module")
def rows(result: Result) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(result)))["Vormen"]
    found = [[value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)]
    return [row for row in found if row]


def texts(rows: list[list[Any]]) -> str:
    return "\n".join(str(row[0]) for row in rows)


def test_a_councillor_reads_what_a_form_costs(rows: list[list[Any]]) -> None:
    assert (
        "Een keer kiezen: wie 4 jaar lang hetzelfde bedrag kiest, levert 0,217 mln euro in (8,35 % van de "
        "verbetering). Dat is meer dan de rekenmarge: minstens 0,217 mln euro."
    ) in texts(rows)
    assert "Twee raden: wie alleen in 2027, 2030 een bedrag kiest, levert" in texts(rows)
    assert "Vaste verhouding van nu: wie elk jaar dezelfde verdeling aanhoudt, kan niet binnen" in texts(rows)
    assert "Meebewegen: wie de uitgaven laat meebewegen met Mensen in zorg, levert" in texts(rows)
    assert "PySD heeft de beste verdeling van elke vorm nagerekend" in texts(rows)


def test_the_sheet_has_the_numbers_of_the_tables(result: Result, rows: list[list[Any]]) -> None:
    table = result.tables["forms"]
    written = {row[0]: row for row in rows if len(row) > 8 and isinstance(row[2], float)}
    for one in table[table["status"] != "none"].itertuples():
        name = "Vrij pad (het advies)" if one.form == "free" else one.form
        assert written[name][1] == one.values
        assert written[name][2:5] == pytest.approx([one.improvement, one.bound, one.price])
    heading = rows.index(["Twee raden: bedragen in mln euro per jaar"])
    path = result.tables["forms_allocation"]
    path = path[(path["form"] == "Twee raden") & (path["decision"] == "voorkomen")]
    assert rows[heading + 2][0] == "Voorkomen"
    assert rows[heading + 2][1:] == pytest.approx(list(path["value"]))


def test_a_rule_is_told_in_words(result: Result, rows: list[list[Any]]) -> None:
    table = result.tables["forms_choices"].set_index(["form", "decision", "what"])["value"]
    level, response = (table[("Meebewegen", "voorkomen", what)] for what in ("level", "response"))
    labels = Labels("nl")
    assert (
        f"Voorkomen: {labels.number(level, 2)} mln euro per jaar zolang Mensen in zorg is zoals zonder nieuw "
        f"beleid; voor elke procent meer {labels.number(response, 3, sign=True)}."
    ) in texts(rows)


def changed(result: Result, **values: object) -> Result:
    """The result with other values in the row of `Een keer kiezen`, and no other forms."""
    table = result.tables["forms"]
    table = table[table["form"] == "Een keer kiezen"].assign(**values)
    return result.with_tables(forms=table)


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        ({"price": 0.0, "price_share": 0.0}, "levert niets in."),
        ({"price": -0.3, "price_share": -0.1}, "gevonden vrije pad; dat pad is dus niet het beste."),
        ({"certain": False}, "Dat valt binnen de rekenmarge."),
        ({"certain": False, "status": "local"}, "Meer dan 0,217 mln euro kost hij niet."),
        ({"certain": False, "price_at_most": None}, "levert 0,217 mln euro in (8,35 % van de verbetering)."),
    ],
)
def test_sentences_say_no_more_than_is_proved(result: Result, values: dict[str, object], ending: str) -> None:
    (line,) = forms_lines(changed(result, **values), Labels("nl"))
    assert line.endswith(ending)


def test_english_on_request(result: Result) -> None:
    (line,) = forms_lines(changed(result), Labels("en"))
    assert line.startswith("Een keer kiezen: keeping one amount for 4 years costs 0.217 million EUR (8.35 %")


def test_the_console_has_a_line_per_form(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    print_result(result, Path("results"))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("form ")]
    assert len(lines) == len(result.tables["forms"]) - 1
    assert (
        "Een keer kiezen: costs 0.217 million EUR (8.35% of the improvement), by the bounds 0.21" in lines[0]
    )
    assert lines[2].startswith("form     Vaste verhouding van nu: no allocation: the limits cannot all hold")


def test_why_a_form_cannot_be_is_told_in_the_workbooks_language(rows: list[list[Any]]) -> None:
    start = rows.index(["Vaste verhouding van nu: waarom dat niet kan"])
    assert [row[0] for row in rows[start + 1 : start + 8]] == [
        "Deze 2 grenzen (elk in een jaar) gaan niet samen; met minder grenzen is er geen botsing:",
        "• Mensen in zorg onder het plafond (2031): ten hoogste 195 personen",
        "• Vaste verhouding van nu: de delen samen (2027): ten hoogste 1",
        "Dat is bewezen als de ruimte onder deze grenzen afnemende meeropbrengsten heeft, zoals overal waar "
        "het is geprobeerd: Mensen in zorg onder het plafond.",
        "Elk van deze wijzigingen verhelpt het (nagerekend):",
        "• Mensen in zorg onder het plafond (2029-2031): ten hoogste 195,94 personen (nu 195)",
        "• Vaste verhouding van nu: de delen samen (2027): ten hoogste 1,0372 (nu 1)",
    ]
    text = "\n".join(str(value) for row in rows for value in row)
    assert not any(words in text for words in ("clash", "cannot", "at most", "proved", "repairs"))


def test_the_table_of_clashes_says_what_the_message_says(result: Result) -> None:
    forms, table = result.tables["forms"].set_index("form"), result.tables["forms_clashes"]
    assert set(table["form"]) == set(forms.index[forms["status"] == "none"])
    for form, rows in table.groupby("form"):
        for row in rows.itertuples():
            line = f"{row.entry} ({row.years}): at most {row.limit:.6g} {row.unit}"
            assert line in forms.loc[form, "reason"]
        assert list(rows.loc[rows["repair"] == 0, "now"].isna().unique()) == [True]


@pytest.mark.parametrize(
    ("key", "about", "said"),
    [
        ("no_share", "voorkomen", "Voorkomen: geen vast deel van het totaal blijft elk jaar"),
        ("no_total", "null_alternative", "Nu (nulalternatief): het totaal ligt niet elk jaar boven nul"),
        ("nothing_relative", "People in care", "Mensen in zorg is nul als alles blijft zoals nu"),
        ("not_found", "", "Er is vanuit verschillende beginpunten geen toegestane verdeling"),
        ("not_concave", "", "Het rendement heeft in deze vorm geen afnemende meeropbrengsten"),
        ("other", "", "Melding van de rekenmachine: it failed"),
    ],
)
def test_other_reasons_are_in_words_too(result: Result, key: str, about: str, said: str) -> None:
    table = result.tables["forms"].copy()
    here = table["form"] == "Een keer kiezen"
    table.loc[here, ["reason", "reason_key", "reason_about"]] = ["it failed", key, about]
    other = result.with_tables(forms=table)
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(other)))["Vormen"]
    assert any(str(row[10]).startswith(said) for row in sheet.iter_rows(values_only=True) if len(row) > 10)


def test_every_reason_that_is_raised_has_words() -> None:
    source = Path(sdopt.cli.__file__).parents[1]
    code = "\n".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))
    raised = re.findall(r'FormError\(\s*"(\w+)"', code)
    assert len(raised) == code.count("raise FormError(") > 3
    for language in ("nl", "en"):
        labels = Labels(language)
        assert all(labels(f"form.why.{key}", about="x") for key in (*raised, "clash", "not_concave"))
        assert all(labels(f"form.clash.{key}", count=2) for key in (*FOUND, ROUNDING))
        assert all(labels(f"form.sure.{key}", names="x") for key in SURE)
        assert all(labels(f"form.repair.{key}") for key in REPAIRED)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"entry": "voorkomen: largest rise", "share": "30%"}, "Voorkomen: grootste stijging (2028): ten h"),
        (
            {"entry": "uitstroom: bounds", "sense": "at_least"},
            "onder- en bovengrens (2028): ten minste 4 mln",
        ),
        ({"share": "30%", "more": 1.25}, "Iets (2028): 30% en 1,25 mln euro per jaar"),
        ({"limit": 1234567.0, "now": 1e-7}, "ten hoogste 1.234.570 mln euro per jaar (nu 0,0000001)"),
    ],
)
def test_what_a_limit_asks(result: Result, values: dict[str, object], said: str) -> None:
    line = {"entry": "Iets", "years": "2028", "sense": "at_most", "limit": 4.0, "unit": "million EUR/Year"}
    row = result.tables["forms_clashes"].head(1).assign(**{**line, **values})
    other = result.with_tables(forms_clashes=row)
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(other)))["Vormen"]
    assert any(said in str(cell) for cells in sheet.iter_rows(values_only=True) for cell in cells)


def test_a_clash_by_rounding_alone_is_one_line(result: Result) -> None:
    row = result.tables["forms_clashes"].head(1).assign(found=ROUNDING, sure="", repaired="", entry="")
    (lines,) = clash_blocks(result.with_tables(forms_clashes=row), Labels("nl")).values()
    assert len(lines) == 1 and "afronding" in lines[0]


def test_without_forms_there_is_no_sheet(result: Result) -> None:
    tables = {name: table for name, table in result.tables.items() if not name.startswith("forms")}
    bare = Result(**{**vars(result), "tables": tables})
    assert "Vormen" not in openpyxl.load_workbook(BytesIO(workbook_bytes(bare))).sheetnames
    assert not forms_lines(bare, Labels("nl"))


def test_tables_survive_the_files_they_are_written_to(result: Result, tmp_path: Path) -> None:
    for name in ("forms", "forms_allocation", "forms_choices", "forms_clashes"):
        result.tables[name].to_parquet(tmp_path / "a.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), result.tables[name])
