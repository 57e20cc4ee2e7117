"""Contributions of decisions and mechanisms and pay-back years, against sums done by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from sdopt.optimise import tables
from sdopt.optimise.explanation import contributions
from sdopt.optimise.explanation.contributions import decision_contributions, mechanism_contributions
from sdopt.optimise.explanation.pay_back import pay_back
from sdopt.problem.build import Problem
from sdopt.problem.mechanisms import mechanisms_of

Ask = Callable[..., Problem]
LEDGER = Path(__file__).resolve().parents[1] / "data" / "ledger"


def improvement(problem: Problem, point: list[float]) -> float:
    value = problem.evaluator.values(np.array([point])).value
    return float(problem.objective(value)[0]) - problem.null_objective


def test_shapley_by_hand_of_two_that_hinder_each_other(ask: Ask) -> None:
    """3a + 2b - (a^2 + b^2)/2 - ab/2, from (1, 1) to (3, 2), one year.

    Worth: nothing 3.5; a alone 9 + 2 - 5 - 1.5 = 4.5; b alone 3 + 4 - 2.5 - 1 = 3.5; both 13 - 6.5 - 3 = 3.5.
    """
    problem = ask("quadratic")
    table = decision_contributions(problem, np.array([3.0, 2.0]), 1).set_index("decision")
    assert table["alone"].to_list() == pytest.approx([1.0, 0.0])
    assert table["put_back"].to_list() == pytest.approx([0.0, -1.0])
    assert table["share"].to_list() == pytest.approx([0.5, -0.5])
    assert table["change"].to_list() == pytest.approx([2.0, 1.0])
    assert (table["standard_error"] == 0).all()


@pytest.mark.parametrize("point", [[9.0, 8.0, 4.0, 3.0], [0.5, 2.0, 1.0, 6.0], [1.0, 1.0, 1.0, 1.0]])
def test_shares_add_up_and_are_the_average_over_all_orders(ask: Ask, point: list[float]) -> None:
    problem = ask("root")
    table = decision_contributions(problem, np.array(point), 1)
    assert table["share"].sum() == pytest.approx(improvement(problem, point), abs=1e-12)
    chosen, null = np.array(point).reshape(2, 2), np.ones((2, 2))
    expected = np.zeros(2)
    for order in permutations(range(2)):
        now = null.copy()
        for k in order:
            before = improvement(problem, now.ravel().tolist())
            now[k] = chosen[k]
            expected[k] += (improvement(problem, now.ravel().tolist()) - before) / 2
    assert table["share"].to_numpy() == pytest.approx(expected)


def test_drawn_orders_come_near_the_exact_shares_and_still_add_up(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, point = ask("quadratic"), np.array([3.0, 2.0])
    exact = decision_contributions(problem, point, 1)
    monkeypatch.setattr(contributions, "EXACT", 1)
    drawn = decision_contributions(problem, point, 1)
    assert drawn["share"].sum() == pytest.approx(exact["share"].sum())
    # Every order is drawn with its reverse: for two decisions that is exact.
    assert drawn["share"].to_numpy() == pytest.approx(exact["share"].to_numpy())
    assert drawn["standard_error"].to_numpy() == pytest.approx(0, abs=1e-12)


def test_a_mechanism_switched_off_by_hand(ask: Ask) -> None:
    """Without `effect a`, spending on a costs and brings nothing: 9 in both years instead of 2 today."""
    listed = {"effect of a": {"effect a": 0}, "all": {"effect a": 0, "effect b": 0}}
    problem = ask("linear", {"explanation": {"mechanisms": listed}})
    found = mechanisms_of(problem.config, problem.system)
    table = mechanism_contributions(problem, np.array([9.0, 9.0, 1.0, 1.0]), found).set_index("mechanism")
    years = sum(0.25 * 1.03 ** -(k / 4) for k in range(8))
    assert table["with_mechanism"].to_list() == pytest.approx([6 * years] * 2)
    assert table.loc["effect of a", "without"] == pytest.approx((-7 - 1) * years)
    assert table.loc["all", "without"] == pytest.approx((-7 + 2) * years)
    assert not table["beats_null"].astype(bool).any()
    assert table["known"].all()


def test_an_idle_mechanism_makes_no_difference(ask: Ask) -> None:
    problem = ask("linear", {"explanation": {"mechanisms": {"same": {"effect a": 2}}}})
    found = mechanisms_of(problem.config, problem.system)
    table = mechanism_contributions(problem, np.array([9.0, 9.0, 1.0, 1.0]), found)
    assert table["difference"].to_list() == pytest.approx([0.0])
    assert table["beats_null"].to_list() == [True]


def test_a_mechanism_that_the_model_does_not_have_is_refused(ask: Ask) -> None:
    with pytest.raises(Exception, match='no constant "effekt a"'):
        ask("linear", {"explanation": {"mechanisms": {"x": {"effekt a": 0}}}})


def test_pay_back_by_hand(ask: Ask) -> None:
    """A pot: 1 extra in 2027 and 2028 costs 1 - 0.3 - health a year; with a QALY at 5,000 EUR it is a loss.

    Health is 10 QALY per million: 10 * 5000 / 1e6 = 0.05, taxes 0.3, care -1: -0.65 a year, never paid back.
    For the municipality: care -1, benefits +0.5: -0.5 a year; government: +0.3 more.
    """
    problem = ask("pot", {"valuation": None, "model.changes": {"value of a QALY": 5000}}, base=LEDGER)
    null = tables.simulate(problem, problem.decisions.null_paths())
    advice = tables.simulate(problem, tables.paths_of(problem, np.array([2.0, 2.0])))
    found = pay_back(problem, null, advice)
    table = found["pay_back"].set_index("perspective")
    assert table["year"].isna().all()
    assert table.loc["return", "total"] == pytest.approx(-1.3)
    assert table.loc["return", "lowest"] == pytest.approx(-1.3)
    years = found["pay_back_years"]
    own = years[years["perspective"] == "return"].set_index("year")
    assert own.loc[2027, "cumulative"] == pytest.approx(-0.65)
    assert own.loc[2028, "cumulative"] == pytest.approx(-1.3)
    assert own.loc[2030, "cumulative"] == pytest.approx(-1.3)
    assert own.loc[2027, "cumulative_discounted"] > -0.65


def test_pay_back_after_an_investment(ask: Ask) -> None:
    """Less in 2027 and more in 2028: the sum turns in the year that the series says."""
    problem = ask("linear", {"constraints": None})
    null = tables.simulate(problem, problem.decisions.null_paths())
    # a brings 1 a euro: -1 in 2027, +2 in 2028: -1, then +1 and no change after.
    advice = tables.simulate(problem, tables.paths_of(problem, np.array([1.0, 4.0, 3.0, 3.0])))
    row = pay_back(problem, null, advice)["pay_back"].iloc[0]
    assert (row["year"], row["year_discounted"]) == (2028, 2028)
    assert row["lowest"] == pytest.approx(-1)
    assert row["lowest_year"] == 2027
    assert row["total"] == pytest.approx(1)
    # The mirror image gains first and loses more later: never for good.
    advice = tables.simulate(problem, tables.paths_of(problem, np.array([3.0, 0.0, 3.0, 3.0])))
    row = pay_back(problem, null, advice)["pay_back"].iloc[0]
    assert np.isnan(row["year"])
