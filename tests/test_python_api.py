"""sdopt from Python: the same answers as the command, no file unless asked for, names shown as text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import sdopt
from sdopt.cli import main
from sdopt.equations.expression import Number
from sdopt.errors import ConfigError, ExportError, OptimisationError, ReplayError

TESTS = Path(__file__).resolve().parent
DATA = TESTS / "data" / "optimise"
HEAVY = ("numpy", "pandas", "pysd", "pyomo", "scipy", "pydantic", "yaml", "sdopt.api")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The linear question in a folder of its own; a test ends with the files it began with."""
    for name in ("linear.mdl", "linear.yaml"):
        shutil.copy(DATA / name, tmp_path)
    return tmp_path


@pytest.fixture
def question(folder: Path) -> sdopt.Question:
    return sdopt.load(folder / "linear.yaml")


def test_importing_is_light() -> None:
    code = f"import sys, sdopt; dir(sdopt); print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(TESTS.parent / "src")})  # fmt: skip
    assert done.stdout.split() == []


def test_every_public_name_is_there() -> None:
    assert set(sdopt.__all__) <= set(dir(sdopt))
    assert all(callable(getattr(sdopt, name)) for name in sdopt.__all__)
    with pytest.raises(AttributeError, match="no attribute 'newcomer'"):
        _ = sdopt.newcomer


def test_optimise_is_the_function_and_still_a_room(question: sdopt.Question) -> None:
    """`sdopt.optimise` is also a package: importing from it must not take the function away."""
    from sdopt.optimise import run

    assert run.ADVICE == "advice"
    assert sdopt.optimise(question, verify=False).status == "optimal"


def test_optimise_gives_what_the_command_writes(question: sdopt.Question, folder: Path) -> None:
    before = sorted(folder.iterdir())
    answer = sdopt.optimise(question)
    assert sorted(folder.iterdir()) == before
    assert list(answer.allocation.columns) == ["decision", "year", "value"]
    assert answer.allocation["value"].tolist() == pytest.approx([9, 9, 1, 1])
    assert answer.figures["objective"] == pytest.approx(24.948165857803)
    assert answer.figures["replay_max_relative_difference"] < 1e-9
    done = CliRunner().invoke(main, ["optimise", str(folder / "linear.yaml"), "--output", str(folder / "a")])
    assert done.exit_code == 0, done.output
    written = answer.write(folder / "b")
    theirs = folder / "a" / written.name
    names = sorted(path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    differing = [str(n) for n in names if (theirs / n).read_bytes() != (written / n).read_bytes()]
    assert differing == ["run.json"]


def test_progress_is_told(question: sdopt.Question) -> None:
    told = []
    answer = sdopt.optimise(question, progress=lambda *step: told.append(step), verify=False)
    assert len(told) == len(answer.tables["search"])


def test_simulate_an_allocation_of_ones_own(question: sdopt.Question) -> None:
    mine = question.null.assign(value=[9.0, 9.0, 1.0, 1.0])
    answer = sdopt.simulate(question, mine.sample(frac=1, random_state=1))
    assert answer.status == "simulated"
    assert answer.figures["objective"] == pytest.approx(24.948165857803)
    pd.testing.assert_frame_equal(answer.allocation, mine)
    again = sdopt.simulate(question, answer, verify=False)
    assert again.figures["objective"] == answer.figures["objective"]
    assert sdopt.simulate(question).figures["improvement"] == 0


def test_a_null_alternative_is_not_written(question: sdopt.Question, folder: Path) -> None:
    with pytest.raises(ExportError, match="simulate an allocation"):
        sdopt.simulate(question).write(folder / "results")
    assert not (folder / "results").exists()


def test_what_was_not_verified_is_before_it_is_written(question: sdopt.Question, folder: Path) -> None:
    written = sdopt.optimise(question, verify=False).write(folder / "results")
    summary = json.loads((written / "summary.json").read_text(encoding="utf-8"))
    assert summary["replay_max_relative_difference"] < 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="value"), "lacks the columns value"),
        (lambda table: table.iloc[1:], "no value for a in 2027"),
        (lambda table: table.assign(decision="aa"), 'no decision "aa" that starts in 2027. Did you mean "a"'),
        (lambda table: table.assign(value="much"), "must be numbers"),
        (lambda table: pd.concat([table, table]), "given twice"),
        (lambda table: table.assign(value=float("nan")), "not a finite number"),
    ],
)
def test_an_allocation_that_does_not_fit(question: sdopt.Question, change: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sdopt.simulate(question, change(question.null))


def test_changes_of_config_and_constants(question: sdopt.Question) -> None:
    """A cap of 8 leaves a = 8, b = 0; an effect of b of 3 turns it around, as (3-1) is more than (2-1)."""
    lower = question.with_changes({"constraints.total.at_most": 8})
    assert sdopt.optimise(lower, verify=False).allocation["value"].tolist() == pytest.approx([8, 8, 0, 0])
    turned = lower.with_changes({("model", "changes", "effect b"): 3})
    assert sdopt.optimise(turned).allocation["value"].tolist() == pytest.approx([0, 0, 8, 8])
    assert question.limits["limit"].tolist() == [10, 10]
    assert lower.with_changes({"constraints": None}).limits.empty


def test_a_changed_question_is_written_as_it_was_asked(question: sdopt.Question, folder: Path) -> None:
    changed = question.with_changes({"constraints.total.at_most": 8, "title": "Acht: =1+1"})
    written = sdopt.optimise(changed).write(folder / "results")
    asked = yaml.safe_load((written / "config.yaml").read_text(encoding="utf-8"))
    assert asked["constraints"]["total"]["at_most"] == 8
    shutil.copy(written / "config.yaml", folder / "again.yaml")
    again = sdopt.load(folder / "again.yaml")
    assert again.title == "Acht: =1+1"
    assert again.loaded.sha256 == changed.loaded.sha256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constraints.total.at_mist": 8}, "at_mist"),
        ({"horizon.end": "later"}, "horizon.end"),
        ({"title.of.the.question": 1}, "cannot be changed"),
        ({"model.changes.effect z": 1}, 'no constant "effect z"'),
    ],
)
def test_changes_that_do_not_fit(question: sdopt.Question, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        question.with_changes(changes)


def test_a_bare_model(folder: Path) -> None:
    """Reserve: 6, with 5 in and 2 + 3 out a year; with an income of 7 it rises by 2."""
    model = sdopt.load_model(folder / "linear.mdl")
    table = sdopt.simulate_model(model)
    assert table.index.tolist() == [2026, 2027, 2028, 2029, 2030, 2031, 2032]
    assert table["Reserve"].tolist() == pytest.approx([6] * 7)
    more = sdopt.simulate_model(model, constants={"Income": 7})
    assert more["Reserve"].tolist() == pytest.approx([6, 8, 10, 12, 14, 16, 18])
    with pytest.raises(ConfigError, match="no constant of this name"):
        sdopt.simulate_model(model, constants={"Reserve": 7})
    assert set(model.variables["kind"]) == {"stock", "auxiliary", "constant"}


def test_pysd_has_a_say(question: sdopt.Question) -> None:
    """Equations that differ from those of the file are found out by the replay, unless it is turned off."""
    source = question.model.source
    reserve = replace(source.system.variables["reserve"], initial=Number(7.0))
    system = replace(source.system, variables={**source.system.variables, "reserve": reserve})
    wrong = sdopt.Model(replace(source, system=system))
    with pytest.raises(ReplayError, match='PySD disagrees on "Reserve"'):
        sdopt.simulate_model(wrong)
    assert sdopt.simulate_model(wrong, verify=False)["Reserve"].iloc[0] == 7


def test_limits_that_clash(question: sdopt.Question) -> None:
    with pytest.raises(OptimisationError, match="the limits cannot all hold"):
        sdopt.optimise(question.with_changes({"constraints.total.at_most": -1}))


def test_names_are_never_html(folder: Path) -> None:
    hostile = "<script>alert(1)</script>"
    changes = {
        "title": hostile,
        "decisions": {hostile: {"variable": "spending a", "bounds": [0, 9]}},
        "constraints": None,
    }
    question = sdopt.load(folder / "linear.yaml", changes)
    answer = sdopt.optimise(question, verify=False)
    for shown in (question._repr_html_(), answer._repr_html_()):
        assert "<script" not in shown
        assert "&lt;script&gt;" in shown
    assert repr(answer).startswith("<Answer '<script>")


def test_a_pyomo_model(question: sdopt.Question) -> None:
    model = sdopt.pyomo_model(question)
    assert len(model.decision) == 4
    assert model.words["decision"] == ["a (2027)", "a (2028)", "b (2027)", "b (2028)"]


def test_an_answer_with_proof_and_explanation(question: sdopt.Question) -> None:
    """A linear question: the proof ends at the optimum, and the explanation has its tables."""
    plain, answer = sdopt.optimise(question), sdopt.optimise(question, explain=True, certify=30.0)
    assert answer.status == "certified"
    assert answer.figures["improvement"] == pytest.approx(plain.figures["improvement"], rel=1e-6)
    assert answer.figures["certified_gap"] <= 1.01e-4
    assert {"certificate", "shadow_prices", "near_optimal"} <= answer.tables.keys()
    assert "certificate" not in plain.tables


def test_robust_gives_what_the_command_writes(tmp_path: Path) -> None:
    for name in ("orders.mdl", "orders.yaml"):
        shutil.copy(TESTS / "data" / "robust" / name, tmp_path)
    question = sdopt.load(tmp_path / "orders.yaml", {"robust.measures": ["expected", "cvar"]})
    found = sdopt.robust(question, scenarios=25)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.mdl", "orders.yaml"]
    assert repr(found).startswith(
        "<Robust 'How much to order when demand is not known': best by expected, cvar"
    )
    measures = found.tables["robust_measures"].set_index("allocation")
    assert measures.loc["cvar", "cvar"] > measures.loc["advice", "cvar"]
    simulated = sdopt.simulate(question, found.allocation("cvar"), verify=False)
    assert simulated.figures["improvement"] == pytest.approx(measures.loc["cvar", "central"])
    with pytest.raises(KeyError, match="there are null, advice, expected, cvar"):
        found.allocation("regret")
    folder = found.write(tmp_path / "results")
    assert (folder / "workbook.xlsx").is_file()
    table = pd.read_parquet(folder / "tables" / "robust_measures.parquet")
    pd.testing.assert_frame_equal(table, found.tables["robust_measures"])
