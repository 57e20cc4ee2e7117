"""Runs about one question as one result, and the folder that the command writes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.errors import ExportError
from sdopt.export.formats import read_results
from sdopt.export.kinds import kinds_of
from sdopt.export.together import read_run, together
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

Results = Mapping[str, Result]


@pytest.fixture(scope="module")
def whole(results: Results) -> bytes:
    """The workbook of all three."""
    return workbook_bytes(results["all"])


def contents(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def refused(*results: Result) -> str:
    with pytest.raises(ExportError) as caught:
        together(results)
    return str(caught.value)


def test_all_tables_and_figures_are_there_and_those_of_the_advice_come_first(results: Results) -> None:
    joined = results["all"]
    assert kinds_of(joined) == ("advice", "sweep", "robust")
    for kind in ("advice", "sweep", "robust"):
        for name, table in results[kind].tables.items():
            if sum(name in results[one].tables for one in ("advice", "sweep", "robust")) == 1:
                pd.testing.assert_frame_equal(joined.tables[name], table)
    sources = joined.tables["sources"]  # that all have: every row once, of both configs
    assert len(sources) == len(set(sources["sha256"])) == len(results["advice"].tables["sources"]) + 1
    assert (joined.title, joined.status) == (results["advice"].title, results["advice"].status)
    assert joined.figures["improvement"] == results["advice"].figures["improvement"]
    assert joined.figures["draws"] == 40
    assert joined.figures["scenarios"] == results["robust"].figures["scenarios"]
    assert joined.figures["robust_status"] == results["robust"].status.key
    made = joined.provenance["joined"]
    for kind in ("advice", "sweep", "robust"):
        assert made[kind]["config_hash"] == results[kind].figures["config_hash"]
        assert made[kind]["versions"] == results[kind].figures["versions"]
        assert made[kind]["model_hash"] == joined.provenance["model_hash"]
    assert made["advice"]["config_hash"] != made["sweep"]["config_hash"]


def test_the_order_in_which_they_are_given_does_not_matter(results: Results, whole: bytes) -> None:
    other = together([results[kind] for kind in ("robust", "advice", "sweep")])
    assert workbook_bytes(other) == whole
    step = together([together([results["sweep"], results["robust"]]), results["advice"]])
    assert workbook_bytes(step) == whole


def test_a_single_result_stays_as_it_is(results: Results) -> None:
    for kind in ("advice", "sweep", "robust", "all"):
        assert together([results[kind]]) is results[kind]


def test_two_of_a_kind_are_for_compare(results: Results) -> None:
    for kind in ("advice", "sweep", "robust"):
        said = refused(results["sweep"], results[kind], results[kind])
        assert f"two of the same kind ({kind})" in said
        assert "`sdopt compare` sets two of a kind beside each other" in said


def test_nothing_and_something_else_are_refused(results: Results) -> None:
    assert "nothing to report" in refused()
    said = refused(replace(results["advice"], tables={}))
    assert "result 1: holds no advice, sweep or robust allocations" in said
    with pytest.raises(ExportError, match="mijn map: holds no advice"):
        together([replace(results["advice"], tables={})], ["mijn map"])


@pytest.mark.parametrize("key", ["model_hash", "constants_hash", "horizon", "base_year", "discount_rate"])
def test_what_the_question_is_about_must_be_the_same(results: Results, key: str) -> None:
    sweep = results["sweep"]
    other = replace(sweep, provenance={**sweep.provenance, key: "f" * 64})
    said = refused(results["advice"], other)
    assert f"{key}: " in said
    assert "ffffffff in sweep (result 2)" in said
    assert "in advice (result 1)" in said
    assert together([sweep]) is sweep


def test_the_language_must_be_the_same(results: Results) -> None:
    said = refused(results["advice"], replace(results["sweep"], language="en"))
    assert 'language: "nl" in advice (result 1), "en" in sweep (result 2)' in said


def test_another_amount_is_named_with_its_decision_and_year(results: Results) -> None:
    for kind, name in (("sweep", "swept_allocations"), ("robust", "robust_allocations")):
        table = results[kind].tables[name].copy()
        place = table.index[table["allocation"] == "advice"][1]
        table.loc[place, "value"] += 0.25
        year = table.loc[place, "year" if kind == "sweep" else "period"]
        said = refused(results["advice"], results[kind].with_tables(**{name: table}))
        assert (
            f"advised allocation: differs of advice (result 1) and {kind} (result 2): a in {year}: " in said
        )
        assert f"and {table.loc[place, 'value']:.6g}" in said
        table.loc[place, "value"] -= 0.25 - 1e-9  # what two searches may differ by
        together([results["advice"], results[kind].with_tables(**{name: table})])


def test_other_years_and_decisions_are_named(results: Results) -> None:
    table = results["advice"].tables["decisions"]
    later = results["advice"].with_tables(decisions=table.assign(period=table["period"] + 1))
    said = refused(later, results["sweep"])
    assert (
        "decisions or years are in one of advice (result 1) and sweep (result 2) only: a in 2027; a in 2029"
        in said
    )
    renamed = results["advice"].with_tables(decisions=table.assign(decision="b"))
    assert "a in 2027; a in 2028; b in 2027; and 1 more" in refused(renamed, results["sweep"])


def test_the_same_amounts_with_another_improvement_are_another_question(results: Results) -> None:
    other = results["advice"].with_figures(improvement=results["advice"].figures["improvement"] * 1.01)
    for kind in ("sweep", "robust"):
        said = refused(other, results[kind])
        assert "improvement of the advice: " in said
        assert "The objective or a constant differs" in said


def test_a_sweep_of_an_older_version_that_does_not_say_its_advice(results: Results) -> None:
    tables = {name: table for name, table in results["sweep"].tables.items() if name != "swept_allocations"}
    said = refused(results["advice"], replace(results["sweep"], tables=tables))
    assert "sweep (result 2): its tables do not say what the advice is" in said


def test_a_robust_search_that_was_stopped_says_so_beside_an_advice_that_was_not(results: Results) -> None:
    from sdopt.export.labels import Labels
    from sdopt.export.sheets.robust import price_lines

    stopped = replace(results["robust"], status=Status.TIME_LIMIT)
    joined = together([results["advice"], stopped])
    line = Labels("nl")("robust.stopped")
    assert line in price_lines(joined, Labels("nl"))
    assert line not in price_lines(results["all"], Labels("nl"))


def test_the_command_writes_all_of_it_and_changes_no_input(asked: Any, report: Path, whole: bytes) -> None:
    assert report.name == "report-cmd-c-calc-a1-b-001"
    before = [contents(folder) for folder in asked.folders]
    done = CliRunner().invoke(main, ["report", *map(str, asked.folders), "--output", str(report.parent)])
    assert done.exit_code == 0, done.output
    assert [contents(folder) for folder in asked.folders] == before
    one, two = report, Path(done.output.strip())
    assert two.name == "report-cmd-c-calc-a1-b-002"
    files = contents(one)
    assert {"workbook.xlsx", "report.html", "summary.json", "run.json", "LEESMIJ.txt"} <= files.keys()
    assert {f"configs/{kind}.yaml" for kind in ("advice", "sweep", "robust")} <= files.keys()
    assert sum(name.startswith("pictures/") and name.endswith(".svg") for name in files) >= 8
    same = contents(two)
    assert {name for name in files if files[name] != same[name]} <= {"run.json"}
    assert (one / "configs" / "sweep.yaml").read_bytes() == (asked.sweep / "config.yaml").read_bytes()
    assert (one / "workbook.xlsx").read_bytes() == whole


def test_without_output_it_stands_beside_the_first_results(asked: Any, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(asked.robust)])
    assert done.exit_code == 0, done.output
    folder = Path(done.output.strip())
    assert folder.parent == asked.robust.parent
    assert (folder / "configs" / "robust.yaml").is_file()
    assert kinds_of(read_results(folder)) == ("robust",)


def test_the_folder_is_a_results_folder_too(report: Path, whole: bytes, tmp_path: Path) -> None:
    assert kinds_of(read_results(report)) == ("advice", "sweep", "robust")
    done = CliRunner().invoke(
        main, ["export", str(report), "--format", "xlsx", "--output", str(tmp_path / "a.xlsx")]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a.xlsx").read_bytes() == (report / "workbook.xlsx").read_bytes() == whole
    facts = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    assert facts["kind"] == "report"
    assert set(facts["provenance"]["joined"]) == {"advice", "sweep", "robust"}
    done = CliRunner().invoke(main, ["report", str(report), "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    second = Path(done.output.strip())
    kept = contents(report)
    assert {name for name in kept if contents(second)[name] != kept[name]} <= {"run.json"}


def test_the_sheet_run_tells_how_each_was_made(report: Path, results: Results) -> None:
    sheet = openpyxl.load_workbook(report / "workbook.xlsx")["Run"]
    rows = {row[2]: row[:2] for row in sheet.iter_rows(values_only=True)}
    for kind, name in (("advice", "Advies"), ("sweep", "Sweep"), ("robust", "Robuust")):
        said, value = rows[f"{kind}.config_hash"]
        assert value == results[kind].figures["config_hash"]
        assert str(said).startswith(f"{name}: ")
        assert rows[f"{kind}.title"][1] == results[kind].title
        assert f"{kind}.versions.sdopt" in rows


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("nergens",), "not a complete results folder"),
        (("summary.json",), "is a file. Give the results folder that holds it."),
        ((), "Missing argument 'RESULTS...'"),
    ],
)
def test_the_command_refuses(asked: Any, given: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["report", *(str(asked.advice / name) for name in given)])
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output


def test_read_run_has_the_allocations_of_a_sweep_per_year(asked: Any) -> None:
    table = read_run(asked.sweep).tables["swept_allocations"]
    assert set(table["allocation"]) == {"null", "advice"}
    assert "swept_allocations" not in read_run(asked.advice).tables
