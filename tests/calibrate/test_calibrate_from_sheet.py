"""Observed points and constants from one workbook fit as those from .csv, and are kept and recorded."""

import csv
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import openpyxl
import yaml
from click.testing import CliRunner

from sdopt.cli import main

Make = Callable[..., Path]


def fit_of(config: Path) -> Path:
    output = config.parent / f"uit-{config.stem}"
    done = CliRunner().invoke(main, ["calibrate", str(config), "--output", str(output)])
    assert done.exit_code == 0, done.output
    (folder,) = output.iterdir()
    return folder


def test_a_workbook_fits_as_text_does(make: Make, points: Callable[..., list[str]]) -> None:
    config = make(points(), search={"starts": 1})
    said = yaml.safe_load(config.read_text(encoding="utf-8"))
    book = openpyxl.Workbook()
    with (config.parent / said["observed"]["file"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {"series": "reeks", "variable": "variabele", "time": "tijd", "value": "waarde", "unit": "eenheid"}
    book.active.append([names.get(column, column) for column in rows[0]])
    for row in rows:
        numbers = {column: float(row[column]) for column in ("time", "value", "scale")}
        book.active.append(list({**row, **numbers}.values()))
    book.active.title = "Gezien"
    book.save(config.parent / "gezien.xlsx")
    other = config.with_name("other.yaml")
    said["observed"]["file"] = "gezien.xlsx#gezien"
    other.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    before, after = fit_of(config), fit_of(other)
    rounded = [[float(row["value"]) for row in rows_of(folder / "fitted.csv")] for folder in (before, after)]
    assert max(abs(a / b - 1) for a, b in zip(*rounded, strict=True)) < 1e-6
    content = (config.parent / "gezien.xlsx").read_bytes()
    assert (after / "observed.xlsx").read_bytes() == content
    facts = json.loads((after / "run.json").read_text(encoding="utf-8"))
    assert facts["observed_hash"] == sha256(content).hexdigest()
    assert facts["observed_file"] == "gezien.xlsx#gezien"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
