"""Programmes from the command to the workbook: replayed by PySD, and read back as others see them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main

DATA = Path(__file__).resolve().parents[1] / "data" / "programmes"


def optimised(folder: Path, language: str) -> tuple[Path, str]:
    """The results of three.yaml when c is too large to be worth it and b can start in 2028 only."""
    data = yaml.safe_load((DATA / "three.yaml").read_text(encoding="utf-8"))
    data["model"]["file"] = str(DATA / "three.mdl")
    data["programmes"]["c"]["amount"] = [2, 3]
    data["programmes"]["b"]["start"] = {"first": 2028, "last": 2028}
    data["choices"] = {"two at most": {"of": ["a", "b", "c"], "at_most": 2}}
    data["output"] = {"language": language}
    path = folder / "question.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    command = ["optimise", str(path), "--output", str(folder / "out")]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (results,) = (one for one in (folder / "out").iterdir() if one.is_dir() and not one.name.startswith("."))
    return results, done.output


@pytest.fixture(scope="module")
def dutch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return optimised(tmp_path_factory.mktemp("nl"), "nl")


def rows(folder: Path, name: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(folder / "workbook.xlsx", data_only=True)
    return [list(row) for row in book[name].iter_rows(values_only=True)]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_starts_is_said_on_the_console_and_replayed(dutch: tuple[Path, str]) -> None:
    assert "programmes a from 2027, b from 2028, c never" in dutch[1]
    assert "PySD agrees" in dutch[1]
    summary = json.loads((dutch[0] / "summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "optimal"
    assert summary["programmes_bound"] == "together"
    assert summary["improvement"] == pytest.approx(3.5 + 0.25, rel=1e-3)


def test_the_tables_hold_what_each_takes_and_adds(dutch: tuple[Path, str]) -> None:
    """A: 3.5 and b: 0.25 by hand (see the optima); each stands by itself, so that is what each adds."""
    a, b, c = table(dutch[0], "programmes")
    assert (a["starts"], b["starts"], c["starts"]) == ("2027", "2028", "")
    assert (a["years"], b["years"], c["years"]) == ("3", "2", "0")
    assert float(a["adds"]) == pytest.approx(3.5, rel=1e-3)
    assert float(b["adds"]) == pytest.approx(0.25, rel=1e-2)
    assert c["adds"] == ""
    assert (float(a["costs"]), float(b["costs"]), float(c["costs"])) == pytest.approx((2.5, 2.0, 0.0))
    years = table(dutch[0], "programme_years")
    assert [(y["start_cost"], y["yearly_cost"]) for y in years if y["programme"] == "b"] == [
        ("0.0", "0.0"),
        ("1.0", "0.5"),
        ("0.0", "0.5"),
    ]


def test_the_sheet_shows_them_in_dutch(dutch: tuple[Path, str]) -> None:
    shown = rows(dutch[0], "Programma's")
    words = [cell for row in shown for cell in row if isinstance(cell, str)]
    assert "Van de 3 programma's starten er 2: a in 2027; b in 2028." in words
    by_name = [row for row in shown if row[0] in ("a", "b", "c")]
    assert [row[1] for row in by_name[:3]] == [2027, 2028, "start niet"]
    total = next(row for row in shown if row[0] == "Totaal")
    outlay = {year: sum(float(y["outlay"]) for y in table(dutch[0], "programme_years") if y["year"] == year)
              for year in ("2027", "2028", "2029")}  # fmt: skip
    assert total[1:4] == pytest.approx(list(outlay.values()))


def test_limits_of_what_does_not_run_are_not_shown(dutch: tuple[Path, str]) -> None:
    limits = {(row[0], row[1]) for row in rows(dutch[0], "Grenzen")}
    assert ("a: grootste bedrag zolang het loopt", 2027) in limits
    assert ("b: kleinste bedrag zolang het loopt", 2028) in limits
    assert not [name for name, _ in limits if str(name).startswith("c:")]
    assert ("b: kleinste bedrag zolang het loopt", 2027) not in limits
    assert ("two at most", 2027) in limits


def test_the_model_with_the_advice_filled_in_holds_the_costs(dutch: tuple[Path, str]) -> None:
    text = (dutch[0] / "allocation.mdl").read_text(encoding="utf-8")
    assert "costs a= WITH LOOKUP" in text.replace("\n", " ").replace("  ", " ") or "costs a=" in text
    assert "1.5" in text.split("costs a=")[1].split("~")[0]
