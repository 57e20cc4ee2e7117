"""A sweep whose allocations and observations come from one workbook: as from .csv, to the last byte."""

import csv
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.errors import ConfigError

PlaceIn = Callable[..., Path]
TABLES = {"Advies": "advies.csv", "Alles voorkomen": "voorkomen.csv"}


def workbook(folder: Path) -> Path:
    """The tables of a folder as sheets of one workbook."""
    book = openpyxl.Workbook()
    book.active.title = "Leeswijzer"
    for title, name in TABLES.items():
        page = book.create_sheet(title)
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for cells in csv.reader(file):
                page.append([float(cell) if cell[:1].isdigit() else cell for cell in cells])
    book.save(folder / "plannen.xlsx")
    return folder / "plannen.xlsx"


def swept(config: Path, output: Path) -> Path:
    done = CliRunner().invoke(main, ["sweep", str(config), "--output", str(output)])
    assert done.exit_code == 0, done.output
    (folder,) = output.iterdir()
    return folder


def test_the_same_results_as_from_text(place_in: PlaceIn, tmp_path: Path) -> None:
    few: dict[str, Any] = {"scenarios": 10}
    config = place_in(tmp_path / "csv", **few)
    allocations = {"advice": "plannen.xlsx#Advies", "Alles voorkomen": "plannen.xlsx#alles voorkomen"}
    other = place_in(tmp_path / "xlsx", **few, allocations=allocations)
    book = workbook(other.parent)
    before, after = swept(config, tmp_path / "a"), swept(other, tmp_path / "b")
    for name in ("trajectories.parquet", "scenarios.parquet"):
        one, two = (next(folder.rglob(name)).read_bytes() for folder in (before, after))
        assert sha256(one).hexdigest() == sha256(two).hexdigest(), name
    design = json.loads(next(after.rglob("design.json")).read_text(encoding="utf-8"))
    digest = sha256(book.read_bytes()).hexdigest()
    assert design["allocation_hashes"] == {"advice": digest, "Alles voorkomen": digest}


def test_what_is_no_table_is_refused_in_the_config(place_in: PlaceIn, tmp_path: Path) -> None:
    config = place_in(tmp_path, allocations={"plan": "plan.ods", "ander": "weg.xlsx#Blad"})
    (config.parent / "plan.ods").write_bytes(b"PK")
    with pytest.raises(ConfigError) as refused:
        load_config(config)
    assert (
        "plan.ods is no table of an allocation; give a table (.csv or .xlsx: decision, year, value)"
        in str(refused.value)
    )
    assert "there is no weg.xlsx#Blad in the folder of this config" in str(refused.value)
