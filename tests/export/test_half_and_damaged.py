"""Nothing half is left, nothing that is read is changed, and damaged results give one clear message."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.errors import Complaints, ConfigError
from sdopt.export.folder import write_results
from sdopt.export.formats import FORMATS
from sdopt.export.large import LARGE
from sdopt.export.page import FOOTER
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

SOURCES = Path(__file__).resolve().parents[2] / "src"
CONFIG = "title: één vraag\n"
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from sdopt.cli import main
folder, place, *forms = sys.argv[1:]
for form in forms:
    try:
        main(["export", folder, "--format", form, "--output", f"{place}/copy"])
    except SystemExit as ended:
        print(form, ended.code)
"""
"""Exports that can write no file above 1,000 bytes, as on a full disk; prints each form's exit code."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the results are that are written once, and copied for each test."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture
def folder(result: Result, written: Path, tmp_path: Path) -> Path:
    made = next(written.iterdir(), None) or write_results(result, written, CONFIG, {}, None)
    return Path(shutil.copytree(made, tmp_path / "results" / made.name))


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "PYTHONPATH": str(SOURCES), **environment}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=known, capture_output=True, text=True, check=False
    )


def change(folder: Path, fact: str, value: object) -> None:
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), fact: value}), "utf-8")


def drop_columns(folder: Path, table: str) -> None:
    pd.DataFrame({"zz": [1.0]}).to_parquet(folder / "tables" / f"{table}.parquet")


@pytest.mark.posix
def test_a_full_disk_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """Every form in one process, which starts once."""
    place = tmp_path / "copies"
    place.mkdir()
    forms = [form for form in FORMATS if form not in LARGE]
    done = python("-c", LIMITED, folder, place, *forms)
    assert done.stdout.splitlines() == [f"{form} 1" for form in forms], done.stderr
    assert done.stderr.count("cannot be written") == len(forms)
    assert "Traceback" not in done.stderr
    assert list(place.iterdir()) == []


Damage = Callable[[Path], None]
DAMAGED: dict[str, Damage] = {
    "column": lambda folder: drop_columns(folder, "allocation"),
    "fact": lambda folder: change(folder, "provenance", {"labels": ["x"]}),
    "status": lambda folder: change(folder, "status", ["x"]),
    "language": lambda folder: change(folder, "language", "fr"),
    "deep": lambda folder: (folder / "summary.json").write_text("[" * 100_000) and None,
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_results_are_one_message(folder: Path, tmp_path: Path, damage: Damage) -> None:
    whole = shutil.copytree(folder, tmp_path / "whole")
    damage(folder)
    for command in (
        ("export", folder, "--format", "xlsx", "--output", tmp_path / "copy.xlsx"),
        ("report", folder, "--output", tmp_path / "out"),
        ("compare", whole, folder, "--output", tmp_path / "out"),
    ):
        code, said = run(*command)
        assert code == 1
        assert str(folder) in said
        assert "run it again" in said
    assert not (tmp_path / "copy.xlsx").exists()
    assert not list((tmp_path / "out").glob("*"))


def test_results_that_are_read_are_not_written_in(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    before = sorted(folder.rglob("*"))
    inside = tmp_path / "other" / ".." / "results" / folder.name / "more"
    for command in (("report", folder), ("compare", other, folder)):
        code, said = run(*command, "--output", inside)
        assert code == 1
        assert "only read. Give another --output" in said
    assert sorted(folder.rglob("*")) == before


def test_accents_in_paths_where_the_locale_knows_none(folder: Path, tmp_path: Path) -> None:
    one = folder.rename(tmp_path / "résultaat één")
    two = shutil.copytree(one, tmp_path / "tweedé")
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in (
        ("export", one, "--format", "parquet", "--output", tmp_path / "één"),
        ("compare", one, two, "--output", tmp_path / "naást"),
    ):
        done = python("-m", "sdopt", *command, **bare)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("title", ["😀" * 300, "R&D " * 100, "a" + "&" * 300], ids=["emoji", "and", "ands"])
def test_the_foot_of_a_page_is_what_excel_takes(
    make_result: Callable[..., Result], tmp_path: Path, title: str
) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook_bytes(make_result(title=title)))
    for sheet in openpyxl.load_workbook(path):
        left, right = sheet.oddFooter.left.text or "", sheet.oddFooter.right.text or ""
        assert len(f"&L&8{left}&R&8{right}".encode("utf-16-le")) // 2 <= 255
        assert left.replace("&&", "&") == title[:FOOTER]


def test_very_many_complaints_are_counted_quickly() -> None:
    complaints = Complaints("table", ConfigError)
    for row in range(100_000):
        complaints.add(f"row {row}", "wrong")
    with pytest.raises(ConfigError) as raised:
        complaints.raise_if_any()
    lines = str(raised.value).splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("table: 100000 errors", "  * and 99800 more", 202)
