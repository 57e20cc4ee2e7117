"""The fiscal rules of a real run on disk, as other readers see them; nothing of them without a library."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main

DATA = Path(__file__).resolve().parents[1] / "data" / "fiscal"
APPLY = {
    "balance": {"when": "last year"},
    "resilience": {"as": "check"},
    "growth limit": {"decisions": ["prevention"]},
    "grant": {"share": "10%"},
    "horizon": {},
}
LABELS = {"prevention spending": "Preventie"}


def optimised(folder: Path, language: str, rules: dict[str, Any] | None) -> tuple[Path, str]:
    """The results folder of the question with these rules, and what the command printed."""
    data = yaml.safe_load((DATA / "treasury.yaml").read_text(encoding="utf-8"))
    data["model"]["file"] = str(DATA / "treasury.mdl")
    data["output"] = {"language": language, "labels": LABELS}
    data["fiscal_rules"] = {"file": str(DATA / "rules.yaml"), "apply": rules}
    if rules is None:
        del data["fiscal_rules"]
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    done = CliRunner().invoke(
        main, ["optimise", str(path), "--output", str(folder / "out")], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    (results,) = (folder / "out").iterdir()
    return results, done.output


@pytest.fixture(scope="module")
def dutch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return optimised(tmp_path_factory.mktemp("nl"), "nl", APPLY)


def sheet(folder: Path, name: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(folder / "workbook.xlsx", data_only=True)
    return [list(row) for row in book[name].iter_rows(values_only=True)]


def test_every_rule_is_in_the_csv_at_least_once(dutch: tuple[Path, str]) -> None:
    with (dutch[0] / "tables" / "fiscal_rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["id"] for row in rows)) == [f"T{k}" for k in range(1, 11)]
    chosen = {row["rule"] for row in rows if row["chosen"] == "True"}
    assert chosen == set(APPLY)
    assert {row["verdict"] for row in rows if row["rule"] == "reserve floor"} == {"not_chosen"}
    assert {row["title"] for row in rows if row["id"] == "T3"} == {"ondergrens"}
    assert {row["year"] for row in rows if row["id"] == "T1"} == {"2027", "2028"}
    assert {row["year"] for row in rows if row["id"] == "T9"} == {""}


def test_the_exact_table_is_the_same(dutch: tuple[Path, str]) -> None:
    table = pd.read_parquet(dutch[0] / "tables" / "fiscal_rules.parquet")
    binding = table[table["imposed"] & (table["binds"] == "yes")]
    assert set(zip(binding["id"], binding["year"], strict=True)) == {("T1", 2028), ("T6", 2027), ("T6", 2028)}
    constraints = pd.read_parquet(dutch[0] / "tables" / "constraints.parquet")
    same = constraints[constraints["constraint"] == "T1 evenwicht"].iloc[0]
    mine = table[(table["id"] == "T1") & (table["part"] == "") & (table["year"] == 2028)].iloc[0]
    assert same["advice"] == pytest.approx(mine["advice"], abs=1e-12)
    assert bool(same["binding"])


def test_years_stay_whole_numbers_when_exported_again(dutch: tuple[Path, str], tmp_path: Path) -> None:
    target = tmp_path / "again"
    done = CliRunner().invoke(
        main,
        ["export", str(dutch[0]), "--format", "csv", "--output", str(target)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    with (target / "fiscal_rules.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["year"] for row in csv.DictReader(file, delimiter=";")} == {"", "2027", "2028", "2029"}


def test_check_lists_the_rules(tmp_path: Path) -> None:
    optimised(tmp_path, "en", APPLY)
    done = CliRunner().invoke(main, ["check", str(tmp_path / "question.yaml")], catch_exceptions=False)
    assert "fiscal rules T1, T4 (check), T6, T8 (check), T9 (check)\n" in done.output
    assert "limits       3 between decisions, 1 on the model\n" in done.output


def test_the_sheet_in_dutch(dutch: tuple[Path, str]) -> None:
    rows = sheet(dutch[0], "Begrotingsregels")
    header = next(k for k, row in enumerate(rows) if row[0] == "Nr.")
    names = [str(cell) for cell in rows[header]]
    listed = [dict(zip(names, row, strict=False)) for row in rows[header + 1 :]]
    balance = [row for row in listed if row["Nr."] == "T1" and not row["Onderdeel"]]
    assert [(row["Jaar"], row["Opgelegd"], row["Knelt"]) for row in balance] == [
        (2027, "nee", "n.v.t."),
        (2028, "ja", "ja"),
    ]
    assert {row["Prijzen"] for row in balance} == {"reëel"}
    assert {row["Prijzen"] for row in listed if row["Onderdeel"] == "in lopende prijzen"} == {"lopend"}
    assert {row["Onderdeel"] for row in listed if row["Nr."] == "T6"} == {"Preventie"}
    assert {row["Klasse nu"] for row in listed if row["Nr."] == "T4"} <= set("ABCDEF")
    assert [row["Oordeel over advies"] for row in listed if row["Nr."] == "T3"] == ["niet gekozen"]
    assert [row["Gekozen"] for row in listed if row["Nr."] == "T3"] == ["nee"]
    text = " ".join(str(cell) for row in rows[:header] for cell in row if cell)
    assert "Begrotingsregels die knellen: T1 evenwicht (2028); T6 groeigrens (2027-2028)." in text
    assert "voldoet het advies in die jaren niet (de kolom Opgelegd zegt of dat moest): T1" in text
    assert "Regels die het model uitvoert en die doorwerken: T8 uitkering (2027-2028)." in text
    summary = " ".join(str(cell) for row in sheet(dutch[0], "Kerncijfers") for cell in row if cell)
    assert "T6 groeigrens (2027-2028)" in summary


def test_the_console_says_what_binds(dutch: tuple[Path, str]) -> None:
    (line,) = [line for line in dutch[1].splitlines() if line.startswith("fiscal ")]
    assert line.startswith("fiscal   binding: T1 evenwicht (2028); T6 groeigrens (2027-2028); not kept: ")
    assert "T9 horizon" in line
    assert line.endswith("bites: T8 uitkering (2027-2028)")


def test_in_english_with_nothing_that_binds(tmp_path: Path) -> None:
    folder, said = optimised(tmp_path, "en", {"balance": {"smallest balance": -6}})
    assert "fiscal   binding: none; not kept: " not in said
    assert "fiscal   binding: none" in said
    rows = sheet(folder, "Fiscal rules")
    text = " ".join(str(cell) for row in rows for cell in row if cell)
    assert "No imposed fiscal rule binds." in text
    assert "not chosen: the model decides" in text
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["provenance"]["fiscal_rules_hash"]) == 64


def test_without_a_library_there_is_no_trace_of_it(tmp_path: Path) -> None:
    folder, said = optimised(tmp_path, "en", None)
    assert not (folder / "tables" / "fiscal_rules.csv").exists()
    assert not [line for line in said.splitlines() if line.startswith("fiscal ")]
    assert "fiscal_" not in (folder / "summary.json").read_text(encoding="utf-8")
    assert "Fiscal rules" not in openpyxl.load_workbook(folder / "workbook.xlsx").sheetnames
