"""The command line from end to end on a tiny question: what it says, writes, refuses and leaves behind."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sdopt.cli import main

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
DATA = TESTS / "data" / "optimise"
BROKEN_CONFIGS = (
    *("unknown_key", "missing_section", "text_for_number", "decimal_comma", "duplicate_key", "tab"),
    *(
        "bounds_order",
        "no_model_file",
        "constraint_on_unknown_decision",
        "years_outside_horizon",
        "many_at_once",
    ),
    *("empty", "rate_in_percent"),
)
BROKEN_MODELS = ("circular", "syntax_error", "unsupported")
PLANTED = {
    "unknown variable": (
        "spending a, bounds",
        "spending aa, bounds",
        'no constant "spending aa". Did you mean',
    ),
    "bounds without today": (
        "bounds: [0, 9]}\n  b",
        "bounds: [3, 9]}\n  b",
        "leaves out the null alternative",
    ),
    "limits that clash": ("at_most: 10", "at_most: -1", "total (2027-2028): at most 0 million"),
    "step too long": ("end: 2031}", "end: 2031, time_step: 0.5}", "is above the step of linear.mdl"),
}


def sdopt(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def said(*arguments: str | Path) -> str:
    """What a command that must succeed prints; it says nothing on stderr."""
    result = sdopt(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def refused(*arguments: str | Path) -> str:
    """The one message of a command that must fail: exit code 1, no traceback, nothing on stdout."""
    result = sdopt(*arguments)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
    assert result.stderr.count("Error: ") == 1
    return result.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """The linear question in a folder of its own, with a space and an accent."""
    folder = tmp_path / "mijn vraag één"
    folder.mkdir()
    for name in ("linear.mdl", "linear.yaml"):
        shutil.copy(DATA / name, folder)
    return folder / "linear.yaml"


def test_optimise(question: Path) -> None:
    before = files(question.parent)
    output = question.parent / "uit"
    text = said("optimise", question, "--output", output)
    assert "Linear, two decisions, two years" in text
    assert "return   +11.695 million EUR over the null alternative" in text
    assert "status   optimal" in text
    assert "PySD agrees" in text
    (folder,) = output.iterdir()
    assert str(folder) in text
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["objective"] == pytest.approx(24.948165857803)
    assert {
        name: data for name, data in files(question.parent).items() if not name.startswith("uit/")
    } == before


def test_optimise_twice_gives_the_same_bytes_in_a_new_folder(question: Path) -> None:
    output = question.parent / "uit"
    for _ in range(2):
        said("optimise", question, "--output", output)
    one, two = (files(folder) for folder in sorted(output.iterdir()))
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == ["run.json"]


def test_results_in_another_format(question: Path) -> None:
    output = question.parent / "uit"
    said("optimise", question, "--output", output)
    (folder,) = output.iterdir()
    target = question.parent / "tabellen"
    said("export", folder, "--format", "csv", "--output", target)
    with (target / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))  # as a Dutch spreadsheet wants it
    found = [float(row["value"].replace(",", ".")) for row in rows]
    assert found == pytest.approx([9, 9, 1, 1])


def test_simulate_the_null_alternative(question: Path) -> None:
    text = said("simulate", question)
    assert "breaks: no limit" in text
    assert "PySD" not in text
    assert "PySD agrees" in said("simulate", question, "--engine", "pysd")
    output = question.parent / "null.csv"
    said("simulate", question, "--output", output)
    with output.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["variable"] == "Reserve"]
    assert {row["allocation"] for row in rows} == {"null"}
    assert [float(row["value"]) for row in rows] == [6.0] * 6
    assert "exists already" in refused("simulate", question, "--output", output)


def test_simulate_a_bare_model(question: Path) -> None:
    output = question.parent / "runs.csv"
    for engine in ("batch", "pysd"):
        said("simulate", question.with_suffix(".mdl"), "--engine", engine, "--output", output)
        with output.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["Time"]) for row in rows] == [2026, 2027, 2028, 2029, 2030, 2031, 2032]
        assert {float(row["Reserve"]) for row in rows} == {6.0}
        output.unlink()


ALLOCATION = "decision,year,value\na,2027,9\na,2028,9\nb,2027,1\nb,2028,1\n"


def allocation(question: Path, text: str) -> Path:
    path = question.parent / "verdeling.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_simulate_a_given_allocation(question: Path) -> None:
    text = said("simulate", question, "--allocation", allocation(question, ALLOCATION))
    assert "return +11.695 million EUR over the null alternative" in text
    assert "breaks: no limit" in text
    file = allocation(question, ALLOCATION)
    assert "PySD agrees" in said("simulate", question, "--allocation", file, "--engine", "pysd")
    over = allocation(question, ALLOCATION.replace("b,2028,1", "b,2028,2"))
    assert "breaks: total (2028)" in said("simulate", question, "--allocation", over)
    outside = allocation(question, ALLOCATION.replace("b,2028,1", "b,2028,-1"))
    assert "breaks: b: bounds (2028)" in said("simulate", question, "--allocation", outside)


def test_a_limit_broken_at_many_steps_is_named_once_a_year(question: Path) -> None:
    limit = "  reserve: {variables: {Reserve: 1}, at_least: 100, measure: every_step}\nobjective:"
    text = question.read_text(encoding="utf-8")
    question.write_text(text.replace("objective:", limit), encoding="utf-8")
    assert "breaks: reserve (2027), reserve (2028), reserve (2029)\n" in said("simulate", question)


def test_a_horizon_that_ends_with_the_decision_years(question: Path) -> None:
    """Limits on change hold on the way back to today's value, also when the horizon ends there."""
    text = question.read_text(encoding="utf-8").replace("end: 2031", "end: 2029")
    text = text.replace("a: {", "a: {largest_fall: 7, ").replace("b: {", "b: {period: 2, ")
    question.write_text(text, encoding="utf-8")
    printed = said("optimise", question, "--output", question.parent / "uit")
    assert [float(year) for year in printed.splitlines()[3].split()[-2:]] == [2027, 2028]
    (folder,) = (question.parent / "uit").iterdir()
    with (folder / "tables" / "allocation.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["allocation"] == "advice"]
    found = {(row["variable"], float(row["time"])): float(row["value"]) for row in rows}
    assert sorted({year for _, year in found}) == [2026, 2027, 2028, 2029]
    assert found["spending a", 2028] - found["spending a", 2029] == pytest.approx(7)


def test_units_that_differ_stand_with_each_decision(question: Path) -> None:
    model = question.with_suffix(".mdl")
    text = model.read_text(encoding="utf-8")
    model.write_text(
        text.replace("spending b= 3 ~ million EUR/Year", "spending b= 3 ~ FTE"), encoding="utf-8"
    )
    text = question.read_text(encoding="utf-8")
    question.write_text(text.replace("{a: 1, b: 1}", "{a: 1}"), encoding="utf-8")
    printed = said("optimise", question, "--output", question.parent / "uit")
    assert "\nspending a (million EUR/Year) " in printed
    assert "\nspending b (FTE) " in printed


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("a,2028,9", "a,2028,much", "row 3: year and value must be numbers"),
        (
            "a,2028,9",
            "aa,2028,9",
            'row 3: the config has no decision "aa" that starts in 2028. Did you mean "a"?',
        ),
        ("a,2028,9", "a,2029,9", 'row 3: the config has no decision "a" that starts in 2029.'),
        ("a,2028,9", "a,2028.5,9", 'row 3: the config has no decision "a" that starts in 2028.5.'),
        ("a,2028,9", "a,inf,9", 'row 3: the config has no decision "a" that starts in inf.'),
        ("a,2028,9", "a,2027,9", "row 3: a in 2027 is given twice"),
        ("b,2028,1\n", "", "no value for b in 2028"),
        ("value", "amount", "column value: missing. Needed: decision, year, value"),
        ("a,2028,9", "a,2028,nan", "row 3: a in 2028 is given twice, or is not a finite number"),
    ],
)
def test_a_faulty_allocation_is_refused_by_row(question: Path, good: str, bad: str, expected: str) -> None:
    faulty = allocation(question, ALLOCATION.replace(good, bad))
    before = files(question.parent)
    output = question.parent / "run.csv"
    assert expected in refused("simulate", question, "--allocation", faulty, "--output", output)
    assert files(question.parent) == before


def test_check_variables_and_schema(question: Path) -> None:
    before = files(question.parent)
    assert "Linear, two decisions, two years" in said("check", question)
    listed = said("variables", question, "--kind", "stock")
    assert "Reserve" in listed
    assert "spending a" not in listed
    assert said("variables", question.with_suffix(".mdl"), "--kind", "stock") == listed
    assert said("schema") == (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert files(question.parent) == before


def test_check_a_model(question: Path) -> None:
    model = question.with_suffix(".mdl")
    before = files(question.parent)
    text = said("check", model)
    assert text.startswith(f"{model}\nvariables    1 stock, 0 flows, 1 auxiliary, 6 constants\n")
    assert "equations: 2, all consistent" in text
    assert files(question.parent) == before
    model.write_text(
        model.read_text(encoding="utf-8").replace("income= 5 ~ million EUR/Year", "income= 5 ~ EUR"),
        encoding="utf-8",
    )
    result = sdopt("check", model)
    assert result.exit_code == 1
    assert "equations: 2, errors: 1" in result.stdout
    assert result.stderr == (
        f'Error: {model}: units: 1 error\n  * variable "Reserve": "income" is in EUR, expected '
        "million EUR/Year: correct a unit, or multiply by a constant in million EUR/EUR/Year.\n"
    )


def test_init_writes_a_start_and_overwrites_nothing(question: Path) -> None:
    output = question.parent / "nieuw.yaml"
    said("init", question.with_suffix(".mdl"), "--output", output)
    text = output.read_text(encoding="utf-8")
    assert "spending a" in text
    assert "linear.mdl" in text
    assert "exists already" in refused("init", question.with_suffix(".mdl"), "--output", output)
    assert output.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", BROKEN_CONFIGS)
def test_a_broken_config(name: str, tmp_path: Path) -> None:
    config = TESTS / "config" / "broken" / f"{name}.yaml"
    for command in (("optimise", config, "--output", tmp_path / "uit"), ("check", config)):
        message = refused(*command)
        assert f"{name}.yaml: " in message
        assert "\n  * " in message
    assert not files(tmp_path)
    assert not (tmp_path / "uit").exists()


@pytest.mark.parametrize("name", PLANTED)
def test_a_config_that_does_not_fit_its_model(name: str, question: Path) -> None:
    good, bad, expected = PLANTED[name]
    text = question.read_text(encoding="utf-8")
    assert text.count(good) == 1
    question.write_text(text.replace(good, bad), encoding="utf-8")
    before = files(question.parent)
    assert expected in refused("optimise", question, "--output", question.parent / "uit")
    assert files(question.parent) == before
    assert not (question.parent / "uit").exists()


@pytest.mark.parametrize("name", BROKEN_MODELS)
def test_a_broken_model(name: str, question: Path) -> None:
    model = question.parent / f"{name}.mdl"
    shutil.copy(TESTS / "models" / model.name, model)
    text = question.read_text(encoding="utf-8")
    question.write_text(text.replace("linear.mdl", model.name), encoding="utf-8")
    before = files(question.parent)
    output = question.parent / "uit"
    for command in (
        ("optimise", question, "--output", output),
        ("simulate", model, "--output", output),
        ("check", model),
        ("variables", model),
        ("init", model, "--output", output),
    ):
        assert model.name in refused(*command)
    assert files(question.parent) == before
    assert not output.exists()


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for command in ("optimise", "simulate", "check", "variables", "init"):
        assert "absent" in refused(command, tmp_path / "absent.yaml")
    assert not files(tmp_path)


def test_output_that_cannot_be_a_folder(question: Path) -> None:
    taken = question.parent / "uit"
    taken.write_text("kept", encoding="utf-8")
    assert "cannot be written" in refused("optimise", question, "--output", taken)
    assert taken.read_text(encoding="utf-8") == "kept"


INTERRUPT = """
import signal, sys, threading, time
from sdopt.cli import main

def interrupt():
    while "sdopt.source_model.read" not in sys.modules:
        time.sleep(0.01)
    time.sleep(0.1)
    signal.raise_signal(signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
main(sys.argv[1:])
"""


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while the model is being read: there is nothing to give yet."""
    output = tmp_path / "uit"
    config = ROOT / "configs" / "vrij-pad-20-jaar.yaml"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPT, "optimise", str(config), "--output", str(output)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "results" not in done.stdout
    assert "Aborted!" in done.stderr
    assert "Traceback" not in done.stderr
    assert not files(tmp_path)
    assert not output.exists()
