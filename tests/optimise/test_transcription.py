"""The problem in Pyomo and in files: the same numbers as ours, and the same optimum by other solvers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import casadi
import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.cli import main
from sdopt.equations.functions import FUNCTIONS, number_function
from sdopt.errors import OptimisationError
from sdopt.optimise.run import optimise
from sdopt.optimise.transcription.files import problem_file
from sdopt.optimise.transcription.nodes import Affine, Transcriber
from sdopt.optimise.transcription.problem import set_decisions, transcribe
from sdopt.problem.build import Problem

Ask = Callable[..., Problem]
TESTS = Path(__file__).resolve().parents[1]
QUESTIONS = {
    **{name: TESTS / "data" / "optimise" for name in ("linear", "root", "curved", "threshold", "functions")},
    **{name: TESTS / "data" for name in ("wijk", "wijken", "drempel")},
    "three": TESTS / "data" / "programmes",
}


def silent(*_: Any) -> None:
    pass


def differences(problem: Problem, model: Any, point: Any) -> list[float]:
    """Relative differences of objective and limits at a decision vector."""
    set_decisions(model, point)
    values = problem.evaluator.values(point[None]).value
    ours = float(problem.objective(values)[0])
    found = [abs(pyo.value(model.objective) - ours) / max(abs(ours), 1)]
    for one, limit in zip(problem.constraints, model.limit.values(), strict=True):
        found.append(abs(pyo.value(limit.body) - values[0, one.row]) / max(one.scale, 1))
    for rule, row in zip(problem.rules, model.rule.values(), strict=True):
        found.append(abs(pyo.value(row.body) - rule.weights @ point))
    return found


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_same_numbers_at_any_decision_vector(ask: Ask, name: str) -> None:
    problem = ask(name, base=QUESTIONS[name])
    model = transcribe(problem)
    decisions = problem.decisions
    assert pyo.value(model.objective) == pytest.approx(problem.null_objective, rel=1e-12)
    random = np.random.default_rng(1)
    width = decisions.upper() - decisions.lower()
    points = decisions.lower() + random.random((20, decisions.size)) * width
    for point in [*points, decisions.lower(), decisions.upper(), *np.round(points[:5])]:
        assert max(differences(problem, model, point)) < 1e-9


@settings(max_examples=60)
@given(st.lists(st.integers(0, 20), min_size=4, max_size=4))
def test_every_function_on_and_between_its_kinks(ask: Ask, halves: list[int]) -> None:
    """Halves are where graph functions bend, conditions change and whole numbers jump."""
    problem = ask("functions")
    if not MODELS:
        MODELS.append(transcribe(problem))
    assert max(differences(problem, MODELS[0], np.array(halves) / 2)) < 1e-9


MODELS: list[Any] = []


def test_every_function_of_the_registry_can_be_written() -> None:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(initialize=0.5)
    model.state, model.definition = pyo.VarList(), pyo.ConstraintList()
    writer = Transcriber(model, [model.x])
    x = Affine(0.0, ((0, 1.0),))
    for function in FUNCTIONS.values():
        truth = writer.apply(FUNCTIONS["less"], (x, 2.0), "truth")
        given = tuple(truth if wants else x for wants in function.truth_arguments)
        writer.apply(function, given, function.name)
    with pytest.raises(OptimisationError, match='"newcomer" of a decision cannot be written'):
        writer.apply(number_function("newcomer", 1, np.cbrt, None), (x,), "new")


def test_a_branch_without_a_number_is_refused(ask: Ask, tmp_path: Path) -> None:
    text = (TESTS / "data" / "optimise" / "linear.mdl").read_text(encoding="utf-8")
    broken = "IF THEN ELSE ( spending a > 100 , 1 / ( effect a - 2 ) , 0 ) - spending a - spending b"
    (tmp_path / "linear.mdl").write_text(
        text.replace("- spending a - spending b\n", f"+ {broken}\n", 1), encoding="utf-8"
    )
    (tmp_path / "linear.yaml").write_bytes((TESTS / "data" / "optimise" / "linear.yaml").read_bytes())
    with pytest.raises(OptimisationError, match="inf or nan in a branch"):
        transcribe(ask("linear", base=tmp_path))


def ipopt(text: str, folder: Path) -> float:
    """Optimum of an .nl file by IPOPT, which reads nothing of ours but the file."""
    file = folder / "problem.nl"
    file.write_text(text, encoding="utf-8")
    read = casadi.NlpBuilder()
    read.import_nl(str(file))
    problem = {"x": casadi.vertcat(*read.x), "f": read.f, "g": casadi.vertcat(*read.g)}
    quiet = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-10}
    solver = casadi.nlpsol("solver", "ipopt", problem, quiet)
    found = solver(x0=read.x_init, lbx=read.x_lb, ubx=read.x_ub, lbg=read.g_lb, ubg=read.g_ub)
    assert solver.stats()["success"]
    return -float(found["f"])


@pytest.mark.parametrize("name", ["linear", "root", "wijk"])
def test_another_solver_finds_the_same_optimum(ask: Ask, name: str, tmp_path: Path) -> None:
    """IPOPT's optimum lies between our best and our bound, but for its own tolerance."""
    problem = ask(name, base=QUESTIONS[name])
    theirs = ipopt(problem_file(problem, ".nl", silent).text, tmp_path)
    figures = optimise(problem, "run", silent).figures
    rounding = 1e-7 * abs(theirs)
    assert figures["objective"] - rounding <= theirs <= figures["bound"] + rounding


def highs(text: str, form: str, folder: Path) -> tuple[float, dict[str, float]]:
    """Optimum of an .lp or .mps file by HiGHS, with the values by their names in the file."""
    file = folder / f"problem{form}"
    file.write_text(text, encoding="utf-8")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(file)) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    names = solver.getLp().col_names_
    return solver.getObjectiveValue(), dict(zip(names, solver.getSolution().col_value, strict=True))


@pytest.mark.parametrize("form", [".lp", ".mps"])
def test_a_linear_problem_in_a_file(ask: Ask, form: str, tmp_path: Path) -> None:
    """The hand-derived optimum a = 9, b = 1 in both years; the .csv says which column is which."""
    made = problem_file(ask("linear"), form, silent)
    assert made.holds == "the whole problem"
    optimum, values = highs(made.text, form, tmp_path)
    assert optimum == pytest.approx(24.948165857803)
    chosen = {
        meaning: values[name] for name, kind, part, meaning in made.names if part.startswith("decision")
    }
    assert chosen == pytest.approx({"a (2027)": 9, "a (2028)": 9, "b (2027)": 1, "b (2028)": 1})


@pytest.mark.parametrize("form", [".lp", ".mps"])
@pytest.mark.parametrize("name", ["root", "wijk"])
def test_a_problem_that_is_not_linear_gives_its_final_master(
    ask: Ask, name: str, form: str, tmp_path: Path
) -> None:
    """Whose optimum is the bound, and above the optimum of the problem itself; it is called what it is."""
    problem = ask(name, base=QUESTIONS[name])
    made = problem_file(problem, form, silent)
    assert made.holds.startswith("the final linear master, not the problem itself")
    optimum, _ = highs(made.text, form, tmp_path)
    figures = optimise(problem, "run", silent).figures
    assert optimum == pytest.approx(figures["bound"], rel=1e-8)
    assert optimum >= figures["objective"]
    assert any(meaning == "tangent of the return" for *_, meaning in made.names)


@pytest.mark.parametrize("form", [".lp", ".mps"])
def test_every_name_in_the_list_stands_in_the_file(ask: Ask, form: str) -> None:
    for name in ("linear", "root"):
        made = problem_file(ask(name), form, silent)
        words = set(made.text.replace(":", " ").split())
        assert {row[0] for row in made.names} <= words
        assert {"variable", "constraint"} == {row[1] for row in made.names}


def test_no_linear_file_where_tangents_bound_nothing(ask: Ask) -> None:
    with pytest.raises(OptimisationError, match="no linear problem"):
        problem_file(ask("curved", {"model.changes": {"bend": 0.1}}), ".lp", silent)


def test_a_user_may_extend_the_model(ask: Ask) -> None:
    """One limit more, in Pyomo: the reserve at the end is at least 3. Its price is known by hand.

    Both years spend 10; the reserve ends at 6 + 25 - 20 - 5 - 5 - 5 = -4 (today's 5 in the other years). So 7
    less is spent, on what pays least per euro: b (0.5), 1 a year, then a (1.0) for the other 5, in 2028.
    """
    problem = ask("linear")
    model = transcribe(problem)
    model.more = pyo.Constraint(expr=model.amount["Reserve", 2031.0] >= 3)
    solver = pyo.SolverFactory("appsi_highs")
    solver.solve(model)
    values = [pyo.value(model.decision[k]) for k in range(4)]
    assert values == pytest.approx([9, 4, 0, 0])
    assert pyo.value(model.amount["Reserve", 2031.0]) == pytest.approx(3)


def test_names_are_data(tmp_path: Path) -> None:
    """A decision called like a formula is not one in the .csv, and stands nowhere in the file itself."""
    folder = TESTS / "data" / "optimise"
    data = yaml.safe_load((folder / "linear.yaml").read_text(encoding="utf-8"))
    data["model"]["file"] = str(folder / "linear.mdl")
    data["decisions"] = {"=1+1|x": data["decisions"]["a"], "b\nmax: <b>": data["decisions"]["b"]}
    data["constraints"]["total"]["decisions"] = dict.fromkeys(data["decisions"], 1)
    config = tmp_path / "vraag.yaml"
    config.write_text(json.dumps(data), encoding="utf-8")
    file = tmp_path / "probleem één.lp"
    done = CliRunner().invoke(main, ["export", str(config), "--to", str(file)])
    assert done.exit_code == 0, done.output
    text = file.read_text(encoding="utf-8")
    assert "1+1" not in text
    assert "<b>" not in text
    table = Path(f"{file}.csv").read_text(encoding="utf-8")
    meanings = [row["meaning"] for row in csv.DictReader(io.StringIO(table))]
    assert "'=1+1|x (2027)" in meanings
    again = CliRunner().invoke(main, ["export", str(config), "--to", str(file)])
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "x.gms"], "is none of .nl, .lp, .mps"),
        (["--to", "x.nl", "--format", "csv"], "goes without"),
        ([], "give --format"),
    ],
)
def test_export_refuses(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(main, ["export", str(TESTS / "data" / "wijk.yaml"), *arguments])
    assert done.exit_code != 0
    assert message in done.output


def test_twice_the_same_bytes(ask: Ask) -> None:
    for form in (".nl", ".lp", ".mps"):
        one, two = (problem_file(ask("root"), form, silent) for _ in range(2))
        assert one == two
