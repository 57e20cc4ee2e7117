"""Explanations of answers with programmes: a programme's start and costs go with its amount."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.export.explanation import sure_lines
from sdopt.export.labels import Labels
from sdopt.optimise.explanation.contributions import decision_contributions
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem
from sdopt.result import Result

Ask = Callable[..., Problem]
DATA = Path(__file__).resolve().parents[1] / "data" / "programmes"


@pytest.fixture(scope="module")
def three(ask: Ask) -> Result:
    return optimise(ask("three", base=DATA), "run", lambda *_: None, explain=True)


def test_shares_add_up_to_the_improvement_and_carry_the_costs(ask: Ask) -> None:
    """By hand: a returns 2x - x^2/2 a year, so 3 * 2 at x = 2, less 1 to start and 0.5 a year."""
    problem = ask("three", base=DATA)
    decisions, point = problem.decisions, problem.decisions.null_vector()
    for identity, amount in (("a", 2.0), ("c", 1.0)):
        path = next(path for path in decisions.paths if path.id == identity)
        point[path.first_column : path.first_column + path.periods] = amount
        point[next(plan for plan in decisions.programmes if plan.id == identity).first_column] = 1.0
    table = decision_contributions(problem, point, 1).set_index("decision")
    improvement = float(problem.objective(problem.evaluator.values(point[None]).value)[0])
    assert table["share"].sum() == pytest.approx(improvement - problem.null_objective)
    assert table["share"].to_dict() == pytest.approx({"a": 3.5, "b": 0.0, "c": 0.9, "d": 0.0}, abs=1e-9)
    assert np.allclose(table["alone"], table["put_back"])  # they do not interact


def test_what_programmes_do_is_no_limit_with_a_price(three: Result) -> None:
    table = three.tables["shadow_prices"]
    assert not table["limit"].str.contains("starts at most once").any()
    assert (table["unit"] != "programmes").all()
    assert three.tables["contributions"]["share"].sum() == pytest.approx(three.figures["improvement"])


@pytest.mark.parametrize(("language", "said"), [("nl", "deze keuze van programma's"), ("en", "this choice")])
def test_ranges_are_said_to_be_for_the_chosen_programmes(three: Result, language: str, said: str) -> None:
    assert any(said in line for line in sure_lines(three, Labels(language)))


@pytest.mark.parametrize("name", ["threshold", "quadratic", "root"])
def test_no_alternative_lies_outside_the_ranges_found(ask: Ask, name: str) -> None:
    result = optimise(ask(name), "run", lambda *_: None, explain=True)
    ranges = result.tables["near_optimal"]
    ranges = ranges[ranges["year"] == 0].set_index(["within", "decision"])
    shown = result.tables["alternatives"].groupby(["within", "number", "decision"])["value"].mean()
    assert len(shown)
    for (within, _, decision), value in shown.items():
        row = ranges.loc[(within, decision)]
        assert row["inner_low"] - 1e-9 <= value <= row["inner_high"] + 1e-9
