"""Prices of limits and optimality conditions, against duals derived by hand and the optimum's own slope."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.explanation.certainty import stationarity
from sdopt.optimise.explanation.limits import list_limits
from sdopt.optimise.explanation.relaxation import limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem
from sdopt.result import Result

Ask = Callable[..., Problem]


def explain(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None, explain=True)


def w(year: int, rate: float = 0.03) -> float:
    """Present value in 2027 of one euro a year during a year, at steps of a quarter."""
    return sum(0.25 * (1 + rate) ** -(year + k / 4 - 2027) for k in range(4))


def row(result: Result, limit: str, year: int, kind: str = "rule") -> pd.Series:
    table = result.tables["shadow_prices"]
    chosen = table[(table["limit"] == limit) & (table["year"] == year) & (table["kind"] == kind)]
    assert len(chosen) == 1
    return chosen.iloc[0]


@pytest.fixture(scope="module")
def linear(ask: Ask) -> Result:
    """Maximise a + 0.5 b a year, a + b <= 10, 0 <= a, b <= 9: a = 9, b = 1."""
    return explain(ask("linear"))


@pytest.fixture(scope="module")
def root(ask: Ask) -> Result:
    """2*3 sqrt(a) + 2*2 sqrt(b), a + b <= 13: a = 9, b = 4; the price of the cap is 1."""
    return explain(ask("root"))


def test_duals_of_a_linear_problem(linear: Result) -> None:
    """The cap is worth b's 0.5, the bound on a what a has over b: 0.5; both sides are alike."""
    for year in (2027, 2028):
        for found in (row(linear, "total", year), row(linear, "a", year, "upper")):
            expected = 0.5 * w(year)
            assert found["price"] == pytest.approx(expected)
            assert found["looser"] == pytest.approx(expected, rel=1e-3)
            assert found["tighter"] == pytest.approx(expected, rel=1e-3)
            assert found["binds"] == "yes"
            assert found["verdict"] == "agrees"


def test_limits_that_do_not_bind_have_price_zero_and_moving_them_changes_nothing(linear: Result) -> None:
    table = linear.tables["shadow_prices"]
    free = table[table["binds"] == "no"]
    assert len(free) == 6  # the three other bounds in two years
    assert (free["price"] == 0).all()
    tried = free[free["verdict"] != "far"]
    assert len(tried) > 0
    assert tried["looser"].to_numpy(float) == pytest.approx(0, abs=1e-4)
    assert tried["tighter"].to_numpy(float) == pytest.approx(0, abs=1e-4)


def test_the_first_move_of_a_limit_of_zero_is_said(ask: Ask) -> None:
    """A is at least b: limit 0, moved by 1 % of what stands against it. With b worth more, a = b = 5."""
    rule = {"decisions": {"a": 1, "b": -1}, "at_least": 0}
    changes = {"model.changes": {"effect a": 1.2}, "constraints.order": rule}
    found = row(explain(ask("linear", changes)), "order", 2027)
    assert found["from_zero"]
    assert found["moved"] == pytest.approx(0.05)
    # One unit of room moves half a unit from a (0.2) to b (0.5).
    assert found["price"] == pytest.approx(0.15 * w(2027))
    assert found["looser"] == pytest.approx(0.15 * w(2027), rel=1e-3)


def test_a_concave_return_has_the_price_of_its_first_order_condition(root: Result) -> None:
    for year in (2027, 2028):
        found = row(root, "total", year)
        assert found["price"] == pytest.approx(w(year), rel=2e-3)
        exact = {s: 2 * 13**0.5 * ((13 + s * 0.13) ** 0.5 - 13**0.5) / (s * 0.13) * w(year) for s in (1, -1)}
        assert found["looser"] == pytest.approx(exact[1], rel=2e-3)
        assert found["tighter"] == pytest.approx(exact[-1], rel=2e-3)
        assert found["looser"] <= found["price"] + found["uncertainty"]
        assert found["price"] <= found["tighter"] + found["uncertainty"]
        assert found["verdict"] == "agrees"
        assert found["price_at_most"] >= exact[1] * (1 - 1e-9)
        assert found["price_unit"] == "million EUR per million EUR/Year"


def test_the_price_of_a_constraint_on_the_model(ask: Ask) -> None:
    """The reserve after 2028 is 6 + 5*3 - 2 (1 + 1) + ... : one euro less of it is one euro more to spend."""
    reserve = {"variables": {"Reserve": 1}, "at_least": 2, "measure": "year_end"}
    result = explain(ask("root", {"constraints": {"left": reserve}}))
    found = row(result, "left", 2028, "constraint")
    spent = result.tables["decisions"]["value"].sum()
    assert 6 + 3 + 10 - spent == pytest.approx(2, abs=1e-6)
    # Spending x a year returns 2 sqrt(13 x): the price is sqrt(13 / x) w in either year.
    table = result.tables["decisions"]
    later = float(table["value"][table["period"] == 2028].sum())
    assert found["price"] == pytest.approx((13 / later) ** 0.5 * w(2028), rel=0.01)
    assert found["binds"] == "yes"
    assert found["verdict"] in ("agrees", "curved")
    assert found["looser"] <= found["tighter"]


def test_coinciding_limits_make_a_kink(ask: Ask) -> None:
    """Two equal caps: widening one alone gains nothing, tightening it costs the whole price."""
    changes = {"constraints.same": {"decisions": {"a": 1, "b": 1}, "at_most": 10}}
    result = explain(ask("linear", changes))
    found = [row(result, name, 2027) for name in ("total", "same")]
    assert sum(one["price"] for one in found) == pytest.approx(0.5 * w(2027))
    for one in found:
        assert one["looser"] == pytest.approx(0, abs=1e-3)
        assert one["tighter"] == pytest.approx(0.5 * w(2027), rel=1e-2)
        assert one["verdict"] == "kink"


def test_a_limit_that_cannot_be_tighter_says_so(ask: Ask) -> None:
    """A floor and a cap of 10 together leave one total: neither can move inwards."""
    result = explain(ask("linear", {"constraints.floor": {"decisions": {"a": 1, "b": 1}, "at_least": 10}}))
    found = row(result, "total", 2027)
    assert found["verdict"] == "not_possible"
    assert np.isnan(found["tighter"])


def test_without_concavity_there_is_a_trial_and_no_multiplier(ask: Ask) -> None:
    result = explain(ask("threshold"))
    table = result.tables["shadow_prices"]
    assert table["price"].isna().all()
    assert set(table["verdict"]) <= {"no_multiplier", "far"}
    assert result.figures["explanation_proved"] is False
    assert result.tables["near_optimal"]["outer_low"].isna().all()


@pytest.mark.parametrize("name", ["linear", "root", "quadratic"])
def test_optimality_conditions_hold_at_the_answer(ask: Ask, name: str) -> None:
    table = explain(ask(name)).tables["optimality"].set_index("condition")
    assert list(table.index) == ["rules", "constraints", "stationarity", "complementarity", "gap"]
    assert table["holds"].all()
    assert (table["value"] >= 0).all()


def test_stationarity_fails_away_from_the_optimum(ask: Ask) -> None:
    """Negative control: at a = b = 6.5 the slopes differ, so no price of the cap explains both."""
    problem = ask("root")
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    desk = Desk(view, archive, frozenset(), True, 1.0)
    assert stationarity(desk, np.array([9.0, 9.0, 4.0, 4.0])) == pytest.approx(0, abs=1e-9)
    # Slopes (3, 2) / sqrt(6.5): (1, 1) leaves 0.5 sqrt 2 / sqrt 6.5; in the null alternative they are (3, 2).
    assert stationarity(desk, np.full(4, 6.5)) == pytest.approx((0.5 / 6.5 / 13) ** 0.5, rel=1e-6)
    assert stationarity(desk, np.full(4, 1.0)) == pytest.approx(1.0)  # nothing binds there


def test_a_price_of_the_wrong_sign_is_impossible_and_a_wrong_multiplier_is_found(ask: Ask) -> None:
    """Negative control: the bound from halved multipliers stays valid, so it can only be higher."""
    problem = ask("linear")
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(np.array([problem.decisions.null_vector(), [9.0, 9.0, 1.0, 1.0]]))
    desk = Desk(view, archive, frozenset(), True, 1.0)
    found = desk.relaxation.best(limits_of(view))
    assert found is not None
    exact = float(view.objective(archive.values[[1]])[0])
    assert found.bound == pytest.approx(exact)
    for part in (found.rules, found.constraints, found.lower, found.upper):
        assert (part >= 0).all()
    rows = desk.relaxation.rows
    lower, upper = np.append(problem.decisions.lower(), -1e4), np.append(problem.decisions.upper(), 1e4)
    for seed in range(20):  # any multipliers at all give a bound that holds
        prices = np.random.default_rng(seed).random(len(rows.limit))
        gain = np.append(np.zeros(4), 1.0)
        wrong = desk.relaxation._extreme(found.point, prices, rows, gain, lower, upper)
        assert wrong.bound >= exact - 1e-9


def test_every_limit_is_listed_once_per_year(ask: Ask) -> None:
    reserve = {"variables": {"Reserve": 1}, "at_least": 2, "measure": "every_step"}
    problem = ask("root", {"constraints.left": reserve})
    view = View(problem, problem.objective_rows)
    listed = list_limits(view, problem.decisions.null_vector())
    assert len({(one.kind, one.name, one.year, one.sense) for one in listed}) == len(listed)
    steps = [one for one in listed if one.kind == "constraint"]
    assert sum(len(one.rows) for one in steps) == len(problem.constraints)


def test_a_question_is_answered_from_nothing_but_the_null_alternative(ask: Ask) -> None:
    problem = ask("root")
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    desk = Desk(view, archive, frozenset(), True, 10.0)
    question = Question(limits_of(view), None)
    desk.answer([question], 60, lambda: None)
    assert question.point is not None
    assert question.point == pytest.approx([9, 9, 4, 4], abs=0.05)
    assert desk.bound(question) >= question.value
