"""The sheet with forms, its sentences and the lines on the console, from a real run replayed in PySD."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from sdopt.config.load import load_config
from sdopt.export.console import print_result
from sdopt.export.labels import Labels
from sdopt.export.sheets_forms import forms_lines
from sdopt.export.workbook import workbook_bytes
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


def test_without_forms_there_is_no_sheet(result: Result) -> None:
    tables = {name: table for name, table in result.tables.items() if not name.startswith("forms")}
    bare = Result(**{**vars(result), "tables": tables})
    assert "Vormen" not in openpyxl.load_workbook(BytesIO(workbook_bytes(bare))).sheetnames
    assert not forms_lines(bare, Labels("nl"))


def test_tables_survive_the_files_they_are_written_to(result: Result, tmp_path: Path) -> None:
    for name in ("forms", "forms_allocation", "forms_choices"):
        result.tables[name].to_parquet(tmp_path / "a.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), result.tables[name])
