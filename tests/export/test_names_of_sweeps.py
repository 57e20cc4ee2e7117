"""With a table of names no sheet, picture or report shows how the model writes them; tables still do."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data"
ASIDE = ("Namen", "Run")
"""Sheets that name the model on purpose: its names, and hashes and the names of files."""


def asked(folder: Path, config: Path, model: Path, **changes: Any) -> Path:
    """A question in a folder of its own, with a Dutch name (Grootheid 1, ...) for all that its model has."""
    shutil.copytree(config.parent, folder / "q" / config.parent.name)
    if model.parent != config.parent:
        shutil.copy(model, folder / "q")
    place = folder / "q" / config.parent.name / config.name
    said = yaml.safe_load(place.read_text(encoding="utf-8")) | changes
    said["output"] = {"language": "nl", "names": "names.csv"}
    place.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    names = [one.name for one in read_model(model).system.visible.values()]
    with (place.parent / "names.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(name, f"Grootheid {number}", "") for number, name in enumerate(names, 1)]
        csv.writer(file).writerows([("variable", "nl", "en"), *rows])
    return place


def run(command: str, config: Path, root: Path, *more: str) -> tuple[Path, str]:
    """The new folder, and what the terminal says."""
    said = CliRunner().invoke(main, [command, str(config), "--output", str(root), *more])
    assert said.exit_code == 0, said.output
    (folder,) = (path for path in root.iterdir() if not path.name.startswith("."))
    return folder, said.output


def texts(folder: Path) -> list[str]:
    """Every text on the sheets that readers see."""
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    sheets = [sheet for sheet in book if sheet.title not in ASIDE]
    return [str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.value]


def of_the_model(texts: list[str], words: list[str]) -> list[tuple[str, str]]:
    """Words of the model, or ids of the config, that stand in a text as a word."""
    whole = [(word, re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")) for word in words]
    return [(word, text) for text in texts for word, pattern in whole if pattern.search(text)]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sweep")
    found = yaml.safe_load((DATA / "sweep" / "zorg.yaml").read_text(encoding="utf-8"))["sweep"]
    given = {**found, "allocations": {"advice": "advies.csv", "anders": "voorkomen.csv"}}
    config = asked(folder, DATA / "sweep" / "zorg.yaml", DATA / "wijk.mdl", sweep=given)
    return run("sweep", config, folder / "uit", "--workers", "1")


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder, found = tmp_path_factory.mktemp("robust"), DATA / "robust"
    changes = {"decide_again": {"year": 2028, "learn": "demand", "groups": 2, "scenarios": 20}}
    years = {"decision_years": {"first": 2027, "last": 2028}}
    given = {"measures": ["expected", "cvar"], "scenarios": 20, **changes}
    config = asked(
        folder, found / "orders.yaml", found / "orders.mdl", title="Bestellen", robust=given, **years
    )
    return run("robust", config, folder / "uit")


def names_of(model: Path) -> list[str]:
    return [one.name for one in read_model(model).system.visible.values()]


def test_a_sweep_shows_readers_their_names(sweep: tuple[Path, str]) -> None:
    folder, said = sweep
    found = texts(folder)
    words = [*names_of(DATA / "wijk.mdl"), "voorkomen", "uitstroom"]
    assert of_the_model(found, words) == []
    assert [text for text in found if "Grootheid" in text]
    assert of_the_model([line for line in said.splitlines() if not line.startswith("results")], words) == []


def test_a_sweep_shows_units_in_words(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    assert [
        text for text in texts(folder) if re.search(r"Dmnl|/Year|/Person|Person/|million EUR", text)
    ] == []


def test_tables_keep_the_names_of_the_model(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    drawn = pd.read_parquet(folder / "tables" / "drawn.parquet")
    assert set(drawn["constant"]) == {"effect of knowing", "price of care", "memory time"}
    assert set(pd.read_csv(folder / "tables" / "break_even.csv")["decision"]) <= {"voorkomen", "uitstroom"}
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    beside = {row[1]: row[0] for row in book["Namen"].iter_rows(min_row=5, values_only=True)}
    assert set(beside) == set(names_of(DATA / "wijk.mdl"))
    assert beside["price of care"].startswith("Grootheid ")


def test_the_table_of_names_is_one_of_what_a_result_is_made_of(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    provenance = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["provenance"]
    assert len(provenance["names_hash"]) == 64
    assert set(provenance["decision_names"]) == {"voorkomen", "uitstroom"}


def test_every_fact_on_the_sheet_run_has_a_name_in_words(
    sweep: tuple[Path, str], robust: tuple[Path, str]
) -> None:
    for folder, _ in (sweep, robust):
        book = openpyxl.load_workbook(folder / "workbook.xlsx")
        rows = list(book["Run"].iter_rows(min_row=5, values_only=True))
        assert len(rows) > 20
        assert [key for name, _, key in rows if name == key] == []


def test_robust_allocations_show_readers_their_names(robust: tuple[Path, str]) -> None:
    folder, said = robust
    words = ["spending a", "spending b", "demand", "social return"]
    report = (folder / "report.txt").read_text(encoding="utf-8")
    assert of_the_model([*texts(folder), report, said.partition("results ")[0]], words) == []
    assert "Later opnieuw besluiten" in report
    assert "Beste gemiddeld: zoals verwacht" in report
    assert "million EUR" not in report
    assert set(pd.read_csv(folder / "tables" / "robust_allocations.csv")["variable"]) == set(words[:2])
