"""`optimise --explain` from the command line, and explanations where something is special."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sdopt.cli import main
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.explanation.relaxation import limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.problem.mechanisms import mechanisms_of
from sdopt.result import Result

Ask = Callable[..., Problem]
DATA = Path(__file__).resolve().parents[1] / "data" / "optimise"


def explain(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None, explain=True)


def test_the_command_explains_only_when_asked_and_advises_the_same(tmp_path: Path) -> None:
    for file in ("linear.mdl", "linear.yaml"):
        shutil.copy(DATA / file, tmp_path)
    folders = []
    for more in ([], ["--explain"]):
        arguments = ["optimise", str(tmp_path / "linear.yaml"), "--output", str(tmp_path / "out"), *more]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        folders.append(Path(done.output.split("results  ")[1].strip()))
    plain, explained = (json.loads((f / "summary.json").read_text(encoding="utf-8")) for f in folders)
    assert "shadow_prices" not in plain["tables"]
    assert {"shadow_prices", "near_optimal", "contributions"} <= set(explained["tables"])
    assert plain["objective"] == explained["objective"]
    first, second = ((f / "tables" / "decisions.csv").read_bytes() for f in folders)
    assert first == second


def test_an_explanation_that_is_stopped_leaves_nothing_of_it(ask: Ask) -> None:
    from sdopt.optimise.explanation.run import explained
    from sdopt.optimise.search import search

    problem = ask("linear")
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(view, archive, problem.config.search, lambda *_: None)
    result = optimise(problem, "run", lambda *_: None)
    stopped = explained(result, found, lambda *_: None, Stop(interrupted=True))
    assert stopped.tables.keys() == result.tables.keys()
    assert stopped.figures["explanation_stopped"] is True


def test_a_table_of_mechanisms_beside_the_model_is_used(ask: Ask, tmp_path: Path) -> None:
    shutil.copy(DATA / "linear.mdl", tmp_path)
    shutil.copy(DATA / "linear.yaml", tmp_path)
    rows = [("M1", "A works", "A werkt", "effect a=0"), ("M2", "Elsewhere", "Elders", "sign of the limit=0")]
    table = pd.DataFrame(rows, columns=["id", "claim", "claim_nl", "off"])
    table.to_csv(tmp_path / "mechanisms.csv", index=False)
    problem = ask("linear", base=tmp_path)
    first, second = mechanisms_of(problem.config, problem.system)
    assert (first.name, dict(first.changes), len(first.keys)) == ("M1 A werkt", {"effect a": 0.0}, 1)
    assert second.keys == {}
    found = explain(problem).tables["mechanisms"]
    assert found["known"].to_list() == [True, False]
    assert np.isnan(found["without"].iloc[1])
    (tmp_path / "mechanisms.csv").write_text("id,claim\nM1,x\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"mechanisms\.csv: cannot be read"):
        mechanisms_of(problem.config, problem.system)


def test_a_loss_is_explained_too(ask: Ask) -> None:
    """The cap forces spending below today's: margins are parts of the loss's size, and prices are high."""
    result = explain(ask("root", {"constraints.total.at_most": 1.5}))
    assert result.figures["explained_improvement"] < 0
    table = result.tables["near_optimal"]
    assert (table["inner_low"] <= table["value"] + 1e-9).all()
    assert (table["outer_high"] >= table["inner_high"] - 1e-9).all()
    prices = result.tables["shadow_prices"].set_index(["kind", "limit", "year"])
    assert prices.loc[("rule", "total", 2027), "price"] > 1


def test_when_nothing_is_better_than_today_there_is_nothing_to_give_up(ask: Ask) -> None:
    result = explain(ask("quadratic", {"model.changes": {"slope a": 1.5, "slope b": 1.5}}))
    assert result.figures["explained_improvement"] == pytest.approx(0, abs=1e-9)
    assert len(result.tables["near_optimal"]) in (0, 4)
    assert result.tables["contributions"]["share"].to_numpy() == pytest.approx(0, abs=1e-6)


def test_a_limit_on_the_model_that_is_not_concave_is_left_out_of_the_proof(ask: Ask) -> None:
    """The return must stay below a level: a concave function from above is no concave limit."""
    rule = {"variables": {"social return": 1}, "at_most": 20}
    result = explain(ask("root", {"constraints.ceiling": rule, "constraints.total.at_most": 13}))
    assert result.figures["explanation_left_out"] == ["ceiling"]
    near = result.tables["near_optimal"]
    if result.figures["explanation_proved"]:
        assert (near["outer_low"] <= near["inner_low"] + 1e-9).all()
    chosen = result.tables["alternatives"].pivot_table(
        index=["within", "number"], columns=["decision", "year"], values="value"
    )
    for point in chosen.to_numpy():
        a, b = point[:2], point[2:]
        assert (6 * a**0.5 + 4 * b**0.5 <= 20 + 1e-6).all()


@settings(max_examples=15)
@given(
    st.lists(st.floats(0.5, 3.0), min_size=2, max_size=2),
    st.floats(4.0, 16.0),
    st.integers(0, 3),
)
def test_bounds_and_multipliers_of_a_linear_program_are_those_of_another_solver(
    ask: Ask, effects: list[float], cap: float, column: int
) -> None:
    """The same linear program in SciPy, without tangents: best, prices, and the furthest within a level."""
    changes = {"effect a": effects[0] + 1, "effect b": effects[1] + 1}
    problem = ask("linear", {"model.changes": changes, "constraints.total.at_most": cap})
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    desk = Desk(view, archive, frozenset(), True, 1.0)
    question = Question(limits_of(view), None)
    desk.answer([question], 10, lambda: None)
    slope = view.objective_gradient(archive.gradients[:1])[0]
    weights, limit = np.array([r.weights for r in problem.rules]), np.array([r.limit for r in problem.rules])
    theirs = linprog(-slope, weights, limit, bounds=[(0, 9)] * 4, method="highs")
    offset = float(view.objective(archive.values[:1])[0] - slope @ archive.points[0])
    assert desk.bound(question) == pytest.approx(offset - theirs.fun)
    assert question.value == pytest.approx(offset - theirs.fun)
    level = question.value - 0.1 * abs(question.value) - 0.1  # below the best, also where that is a loss
    direction = np.eye(4)[column]
    far = desk.relaxation.furthest(direction, question.limits, level)
    rows, ends = np.vstack([weights, -slope]), np.append(limit, offset - level)
    other = linprog(-direction, rows, ends, bounds=[(0, 9)] * 4, method="highs")
    assert far is not None
    assert far.bound == pytest.approx(-other.fun, abs=1e-7)
