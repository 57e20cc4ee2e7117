"""One new folder per run: complete or absent, never overwritten, the same bytes each time."""

import json
import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.errors import ExportError
from sdopt.export import folder as folder_module
from sdopt.export.folder import as_json, slug, write_results
from sdopt.result import Result

CONFIG = "title: één vraag\r\nx: 1\n"
MODEL = "{UTF-8}\r\nmodel"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the results are that are written once; tests only read them."""
    return tmp_path_factory.mktemp("één map")


@pytest.fixture
def folder(result: Result, written: Path) -> Path:
    made = next(written.iterdir(), None)
    return made or write_results(result, written, CONFIG, {"host": "here"}, MODEL)


def contents(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_holds_everything(result: Result, folder: Path) -> None:
    files = set(contents(folder))
    tables = {f"tables/{name}.{form}" for name in result.tables for form in ("csv", "parquet")}
    assert files == tables | {
        "summary.json", "run.json", "config.yaml", "workbook.xlsx", "allocation.mdl", "LEESMIJ.txt",
        "report.html", "allocation.png", "allocation.svg", "stocks.png", "stocks.svg",
    }  # fmt: skip
    assert folder.name == "voorbeeld-gemeente-met-100-000-inwoners-001"
    assert (folder / "config.yaml").read_bytes() == CONFIG.encode()
    assert (folder / "allocation.mdl").read_bytes() == b"{UTF-8}\r\nmodel"
    assert "Vensim" in (folder / "LEESMIJ.txt").read_text(encoding="utf-8")


def test_without_model_the_readme_is_silent_about_vensim(
    make_result: Callable[..., Result], tmp_path: Path
) -> None:
    folder = write_results(make_result(language="en"), tmp_path, CONFIG, {}, None)
    assert "Vensim" not in (folder / "README.txt").read_text(encoding="utf-8")
    assert not (folder / "allocation.mdl").exists()


@pytest.mark.parametrize("model", [True, False])
def test_the_readme_names_the_files_that_are_there_and_no_others(
    result: Result, folder: Path, tmp_path: Path, model: bool
) -> None:
    if not model:
        folder = write_results(result, tmp_path, CONFIG, {}, None)
    told = (folder / "LEESMIJ.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"^(\w+(?:\.\w+|(?=/)))\S* {2}", told, re.M))
    there = {path.name for path in folder.iterdir() if path.suffix != ".svg"}  # named beside its .png
    assert named | {"LEESMIJ.txt"} == there


def test_only_run_json_differs_between_runs(result: Result, folder: Path, tmp_path: Path) -> None:
    first = contents(folder)
    second = contents(write_results(result, tmp_path, CONFIG, {"host": "there"}, MODEL))
    assert {name for name in first if first[name] != second[name]} == {"run.json"}
    assert first.keys() == second.keys()


def test_numbers_count_up_and_nothing_is_overwritten(
    make_result: Callable[..., Result], tmp_path: Path
) -> None:
    result = make_result(tables={})
    names = [write_results(result, tmp_path, str(number), {}, None).name[-3:] for number in range(2)]
    (tmp_path / "voorbeeld-gemeente-met-100-000-inwoners-007").mkdir()
    names.append(write_results(result, tmp_path, "2", {}, None).name[-3:])
    assert names == ["001", "002", "008"]
    kept = tmp_path / "voorbeeld-gemeente-met-100-000-inwoners-001" / "config.yaml"
    assert kept.read_text(encoding="utf-8") == "0"


def test_runs_at_the_same_time_do_not_clash(make_result: Callable[..., Result], tmp_path: Path) -> None:
    # Of this table no picture is drawn, so that the runs truly meet at the rename.
    tables = {"search": make_result().tables["search"]}
    result = make_result(tables=tables)
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda number: write_results(result, tmp_path, str(number), {}, None), range(16))
        )
    assert len(set(made)) == 16
    assert sorted((path / "config.yaml").read_text(encoding="utf-8") for path in made) == sorted(
        map(str, range(16))
    )
    assert sorted(tmp_path.iterdir()) == sorted(made)


def test_a_number_taken_meanwhile_is_passed_over(result: Result, tmp_path: Path) -> None:
    taken = tmp_path / "a-001"
    taken.mkdir()
    (taken / "kept").touch()
    finished = tmp_path / ".finished"
    finished.mkdir()
    assert folder_module._put_in_place(finished, tmp_path, "a").name == "a-002"
    assert (taken / "kept").exists()


def test_a_failure_leaves_nothing(result: Result, tmp_path: Path) -> None:
    # A model text that cannot be written fails half-way, after the tables and the workbook.
    with pytest.raises(AttributeError):
        write_results(result, tmp_path, CONFIG, {}, 3)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_is_a_file_is_one_clear_error(result: Result, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=r"results folder .*cannot be written.*output\.directory"):
        write_results(result, tmp_path / "file", CONFIG, {}, None)


def test_summary_has_the_headline_and_no_nan(result: Result, tmp_path: Path) -> None:
    folder = write_results(result.with_figures(bound=math.nan, gap=math.inf), tmp_path, CONFIG, {}, None)
    text = (folder / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in summary.json"))
    assert list(summary) == sorted(summary)
    assert summary["objective"] == result.figures["objective"]
    assert summary["status"] == "optimal"
    assert summary["bound"] is None
    assert summary["gap"] is None
    assert {
        "status_sentence",
        "null_objective",
        "replay_max_relative_difference",
        "seed",
        "versions",
        "config_hash",
    } <= set(summary)


def test_machine_csv_has_all_digits_and_no_formulas(result: Result, tmp_path: Path) -> None:
    table = result.tables["constraints"].assign(constraint="=1+1")
    folder = write_results(result.with_tables(constraints=table), tmp_path, CONFIG, {}, None)
    text = (folder / "tables" / "constraints.csv").read_bytes()
    assert b"\r" not in text
    assert b"'=1+1,2027.0," in text
    read = pd.read_csv(folder / "tables" / "allocation.csv", keep_default_na=False)
    pd.testing.assert_series_equal(read["value"], result.tables["allocation"]["value"], check_exact=True)


@given(st.text(max_size=200))
def test_a_title_cannot_leave_the_folder(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", slug(title))
    assert len(slug(title)) <= 60


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc", "etc"),
        ("Één vraag: 100%!", "een-vraag-100"),
        ("", "run"),
        ("...", "run"),
        ("C:\\x", "c-x"),
    ],
)
def test_slug(title: str, name: str) -> None:
    assert slug(title) == name


def test_json_of_numpy_values() -> None:
    values = pd.Series([1.5, math.nan]).to_numpy()
    assert json.loads(as_json({"b": values[0], "a": [values[1], None, True, 3]})) == {
        "b": 1.5,
        "a": [None, None, True, 3],
    }


def test_folder_is_as_readable_as_any_other(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert folder.stat().st_mode == (tmp_path / "other").stat().st_mode
