"""Results and configs of another version: read as they are, or refused by one clear message.

tests/data/results/first-version is a folder as the first version of sdopt wrote it, without its large files.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.calibrate.load import load_calibration
from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.errors import ConfigError, ExportError
from sdopt.export.formats import read_results
from sdopt.export.older import ADDED, RESULTS_VERSION

ROOT = Path(__file__).resolve().parents[2]
OLD = ROOT / "tests" / "data" / "results" / "first-version"
EXAMPLE = ROOT / "results" / "voorbeeld"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy, as some formats are written beside the tables."""
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path / "old"


def with_summary(folder: Path, **changes: Any) -> None:
    """Change summary.json of a folder."""
    path = folder / "summary.json"
    said = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(said), encoding="utf-8")


def test_it_is_older_than_this_version() -> None:
    """Otherwise the tests below prove nothing."""
    assert "results_version" not in json.loads((OLD / "summary.json").read_text(encoding="utf-8"))
    for table, columns in ADDED.items():
        assert not set(columns) & set(pd.read_parquet(OLD / "tables" / f"{table}.parquet").columns)


def test_every_number_is_read_and_what_came_later_is_empty(old: Path) -> None:
    result = read_results(old)
    assert result.figures["improvement"] == pytest.approx(8.631160316713)
    for name, table in result.tables.items():
        written = pd.read_parquet(old / "tables" / f"{name}.parquet")
        pd.testing.assert_frame_equal(table[list(written.columns)], written)
        assert table.drop(columns=written.columns).isna().all(axis=None)
        assert set(ADDED.get(name, ())) <= set(table.columns)


@pytest.mark.parametrize("form", ["xlsx", "ods", "csv-nl", "csv-machine", "parquet", "pictures"])
def test_an_older_folder_is_exported(form: str, old: Path) -> None:
    done = CliRunner().invoke(main, ["export", str(old), "--format", form])
    assert done.exit_code == 0, done.output
    assert Path(done.output.strip()).exists()


def test_the_workbook_of_an_older_folder_has_its_numbers(old: Path) -> None:
    target = old.parent / "old.xlsx"
    done = CliRunner().invoke(main, ["export", str(old), "--format", "xlsx", "--output", str(target)])
    assert done.exit_code == 0, done.output
    cells = {
        cell
        for sheet in openpyxl.load_workbook(target)
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if isinstance(cell, float)
    }
    allocation = pd.read_parquet(old / "tables" / "allocation.parquet")
    advice = allocation[(allocation["allocation"] == "advice") & allocation["time"].between(2027, 2030)]
    assert len(advice) == 24
    assert [v for v in advice["value"] if not any(abs(v - cell) < 1e-9 for cell in cells)] == []


@pytest.mark.parametrize("command", ["report", "compare"])
def test_an_older_folder_is_reported_and_compared(command: str, old: Path) -> None:
    folders = [str(old)] if command == "report" else [str(old), str(EXAMPLE)]
    done = CliRunner().invoke(main, [command, *folders, "--output", str(old.parent / "out")])
    assert done.exit_code == 0, done.output
    assert list((old.parent / "out").rglob("report.html"))


def test_the_example_in_the_repository_is_read() -> None:
    assert read_results(EXAMPLE).figures["improvement"] > 0


@pytest.mark.parametrize("found", [RESULTS_VERSION + 1, 0, "1", 1.0, True, None])
def test_a_newer_folder_is_refused(found: object, old: Path) -> None:
    with_summary(old, results_version=found, versions={"sdopt": "9.1"})
    with pytest.raises(ExportError) as refused:
        read_results(old)
    assert f"found results_version {found!r} in summary.json, of sdopt 9.1" in str(refused.value)
    assert "run its config.yaml with this one" in str(refused.value)


def test_a_folder_without_a_table_is_refused(old: Path) -> None:
    (old / "tables" / "allocation.parquet").unlink()
    with pytest.raises(ExportError, match=r"not a complete results folder: .*allocation\.parquet is missing"):
        read_results(old)


def test_the_config_of_an_older_folder_has_the_shape_of_today(tmp_path: Path) -> None:
    """Keys are only added: a config of schema version 1 stays one."""
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "configs").mkdir()
    loaded = load_config(Path(shutil.copy(OLD / "config.yaml", tmp_path / "configs")))
    assert loaded.config.decision_years.first == 2027


@pytest.mark.parametrize("found", ["0", "2", "'1'", "1.0", "true"])
@pytest.mark.parametrize("load", [load_config, load_calibration])
def test_a_config_of_another_version_gets_one_message(load: Any, found: str, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(f"schema_version: {found}\nkeys of another version: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert "schema_version (line 1): found" in str(refused.value)
    assert "this sdopt reads version 1" in str(refused.value)
    assert "keys of another version" not in str(refused.value)
