"""Robust allocations whose optimum follows from a few lines of algebra, or from a fine grid.

The newsvendor: `a` is ordered at 1 each, min(a, demand) is sold at 3; so a scenario gives
3 min(a, D) - a - 2 more than ordering 1, which always sells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.optimise.robust.measures import cvar
from sdopt.optimise.robust.regret import ScenarioBests
from sdopt.optimise.robust.run import RobustAnswer, optimise_robust, robust_result
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem
from sdopt.result import Status
from sdopt.uncertainty.sample import draw_scenarios

Ask = Callable[..., Problem]
Solve = Callable[..., RobustAnswer]
DATA = Path(__file__).parents[2] / "data" / "robust"
DEMAND = np.linspace(2, 10, 41)
EFFECTS = {
    "model.changes": {"effect b": 2},
    "constraints.total": {"decisions": {"a": 1, "b": 1}, "at_most": 9},
}


def gains(a: np.ndarray, demand: np.ndarray = DEMAND) -> np.ndarray:
    """(order, scenario)."""
    return 3 * np.minimum(a[:, None], demand) - a[:, None] - 2


def order(answer: RobustAnswer, place: int = 0) -> float:
    return float(answer.found[place].reading.point[0])


def check_proved(answer: RobustAnswer, best: float, gap: float = 1e-5) -> None:
    """The bound is never below the truth, and what was found is within the gap of it."""
    for found in answer.found:
        assert found.bound is not None
        assert found.bound >= best - 1e-9 * abs(best)
        assert found.value <= best + 1e-9 * abs(best)
        assert found.value >= best - gap * abs(best)
        assert found.status is Status.OPTIMAL


def test_the_newsvendor_orders_the_critical_quantile(robust: Solve) -> None:
    """E: sell at 3, buy at 1, so the probability that demand is above the order is 1/3 there."""
    answer = robust({"demand": DEMAND}, "expected")
    assert order(answer) == pytest.approx(np.quantile(DEMAND, 2 / 3), abs=0.2)
    grid = np.linspace(1, 12, 2201)
    check_proved(answer, gains(grid).mean(axis=1).max(), 1e-5)


def test_the_worst_case_orders_the_least_demand(robust: Solve) -> None:
    """At an order a above 2 the worst is 3 * 2 - a - 2, below it 2 a - 2: a = 2, which gives 2."""
    answer = robust({"demand": DEMAND}, "worst_case")
    assert order(answer) == pytest.approx(2, abs=1e-5)
    check_proved(answer, 2)


def test_the_least_largest_regret_balances_both_ends(robust: Solve) -> None:
    """Too little loses 2 (10 - a), too much a - 2: equal at a = 22/3, where both are 16/3."""
    answer = robust({"demand": DEMAND}, "regret")
    found = answer.found[0]
    assert order(answer) == pytest.approx(22 / 3, abs=1e-4)
    assert found.value == pytest.approx(-16 / 3, abs=1e-4)
    assert found.bound == pytest.approx(-16 / 3, abs=1e-4)
    assert found.gap == pytest.approx(0, abs=1e-5)
    assert found.status is Status.OPTIMAL
    assert answer.compared.bests.found[[0, -1]] == pytest.approx(2 * DEMAND[[0, -1]] - 2, abs=1e-4)


def test_regret_with_bests_that_are_given(robust: Solve) -> None:
    """Bounds that are one too high may hide one more regret; without bounds nothing is proved."""
    exact, done = 2 * DEMAND - 2, np.ones(len(DEMAND), dtype=bool)
    for slack, gap in ((0.0, 0.0), (1.0, 1 / (16 / 3 + 1))):
        bests = ScenarioBests(exact, exact + slack, done)
        found = robust({"demand": DEMAND}, "regret", bests=bests).found[0]
        assert found.gap == pytest.approx(gap, abs=1e-5)
        assert (found.status is Status.OPTIMAL) == (slack == 0.0)
    found = robust({"demand": DEMAND}, "regret", bests=ScenarioBests(exact, exact + np.inf, done)).found[0]
    assert found.bound == pytest.approx(-16 / 3, abs=1e-4)  # no regret is less than that, of bests that exist
    assert (found.gap, found.status) == (None, Status.LOCAL)


@pytest.mark.parametrize("tail", ["5%", "10%", "50%", "100%"])
def test_cvar_is_the_best_of_a_fine_grid(robust: Solve, tail: str) -> None:
    answer = robust({"demand": DEMAND}, "cvar", tail=tail)
    probability, part = np.full(len(DEMAND), 1 / len(DEMAND)), float(tail[:-1]) / 100
    best = max(cvar(row, probability, part) for row in gains(np.linspace(1, 12, 2201)))
    check_proved(answer, best)


def test_two_decisions_against_a_grid(robust: Solve) -> None:
    """Demand and the effect of b are uncertain together, and a + b <= 9."""
    random = np.random.default_rng(4)
    demand, effect = random.uniform(2, 10, 60), random.uniform(0.5, 4, 60)
    answer = robust({"demand": demand, "effect b": effect}, "expected", "cvar", "worst_case", changes=EFFECTS)
    a, b = (one.ravel() for one in np.meshgrid(np.linspace(1, 8, 281), np.linspace(1, 8, 281)))
    a, b = a[a + b <= 9], b[a + b <= 9]
    grid = gains(a, demand) + 2 * effect * (np.sqrt(b)[:, None] - 1)
    probability = np.full(60, 1 / 60)
    bests = [
        grid.mean(axis=1).max(),
        max(cvar(row, probability, 0.1) for row in grid),
        grid.min(axis=1).max(),
    ]
    for found, best in zip(answer.found, bests, strict=True):
        assert best - 1e-9 <= found.bound
        assert best - 1e-3 <= found.value <= found.bound + 1e-9
        assert found.gap <= 1e-6


def test_one_scenario_is_the_plain_question(ask: Ask, robust: Solve) -> None:
    plain = optimise(ask("orders", EFFECTS, base=DATA), "run", lambda *_: None)
    answer = robust({"demand": [5.0]}, "expected", "cvar", "worst_case", changes=EFFECTS)
    for found in answer.found:
        assert found.value == pytest.approx(plain.figures["improvement"], rel=2e-6)
        assert found.bound >= plain.figures["improvement"] - 1e-9


def test_equal_scenarios_are_one(robust: Solve) -> None:
    one, many = (robust({"demand": [5.0] * n}, "expected", "cvar", changes=EFFECTS) for n in (1, 7))
    for first, second in zip(one.found, many.found, strict=True):
        assert first.value == pytest.approx(second.value, rel=1e-5)


def test_the_order_of_scenarios_does_not_matter(robust: Solve) -> None:
    random = np.random.default_rng(5)
    effect, order_ = random.uniform(0.5, 4, 41), random.permutation(41)
    drawn = {"demand": DEMAND, "effect b": effect}
    straight = robust(drawn, "cvar", "worst_case", changes=EFFECTS)
    mixed = robust({name: one[order_] for name, one in drawn.items()}, "cvar", "worst_case", changes=EFFECTS)
    for first, second in zip(straight.found, mixed.found, strict=True):
        assert first.value == pytest.approx(second.value, rel=2e-6)


def test_the_table_tells_what_is_given_up_and_gained(robust: Solve) -> None:
    """The central advice orders 5 and then gives 3 * 2 - 5 - 2 = -1 at worst; the worst case orders 2: 2."""
    result = robust_result(robust({"demand": DEMAND}, "worst_case", "regret"))
    table = result.tables["robust_measures"].set_index("allocation")
    assert list(table.index) == ["null", "advice", "worst_case", "regret"]
    assert table.loc["null", ["central", "expected", "worst_case"]].tolist() == [0, 0, 0]
    assert table.loc["advice", "central"] == pytest.approx(8, abs=1e-5)
    assert table.loc["advice", "worst_case"] == pytest.approx(-1, abs=1e-4)
    assert table.loc["worst_case", "worst_case"] == pytest.approx(2, abs=1e-5)
    assert table.loc["advice", "probability_of_loss"] == pytest.approx((3 * DEMAND < 7).mean())
    assert table.loc["advice", "largest_regret"] == pytest.approx(10, abs=1e-4)
    assert table.loc["regret", "largest_regret_at_most"] == pytest.approx(16 / 3, abs=1e-4)
    price = result.tables["robust_price"].set_index(["allocation", "measure"])["gained"]
    assert price["worst_case", "worst_case"] == pytest.approx(3, abs=1e-4)
    assert price["worst_case", "central"] == pytest.approx(2 - 8, abs=1e-4)
    assert price["regret", "largest_regret"] == pytest.approx(10 - 16 / 3, abs=1e-4)


def test_a_return_that_is_not_concave_withdraws_the_bound(robust: Solve) -> None:
    """With a bend above zero the return in a curves upwards beyond demand: nothing is proved."""
    answer = robust({"bend": np.linspace(0.3, 0.6, 20)}, "expected", changes={"model.changes": {"demand": 3}})
    found = answer.found[0]
    assert found.bound is None
    assert found.status is Status.LOCAL
    assert found.audit.scenarios.all()
    table = robust_result(answer).tables["robust_proof"]
    assert table["assumes"][0].startswith("no bound: ")


def test_the_same_question_gives_the_same_tables(ask: Ask) -> None:
    problem = ask("orders", EFFECTS, base=DATA)
    drawn = draw_scenarios(problem, "latin hypercube", 12, 1)
    first, second = (
        robust_result(optimise_robust(problem, drawn, problem.config.robust)).tables for _ in range(2)
    )
    for name, table in first.items():
        assert table.to_csv() == second[name].to_csv()


@pytest.mark.parametrize("seed", range(6))
def test_a_bound_is_never_below_what_any_allocation_gives(robust: Solve, seed: int) -> None:
    """Negative control: random allowed orders, random scenarios, all measures."""
    random = np.random.default_rng(seed)
    demand, effect = random.uniform(2, 10, 25), random.uniform(0.5, 4, 25)
    names = ("expected", "cvar", "worst_case")
    answer = robust({"demand": demand, "effect b": effect}, *names, changes=EFFECTS, gap=0.02)
    a, b = random.uniform(1, 8, (2, 4000))
    a, b = a[a + b <= 9], b[a + b <= 9]
    given = gains(a, demand) + 2 * effect * (np.sqrt(b)[:, None] - 1)
    for found in answer.found:
        assert found.value <= found.bound
        assert max(found.measure.value(row) for row in given) <= found.bound + 1e-9


def test_a_slight_bend_raises_the_bound_and_is_said(robust: Solve) -> None:
    """A bend of 2e-5 lies between rounding and a tenth of the gap: not proved, but raised by what is seen."""
    drawn = {"bend": np.full(5, 2e-5), "demand": np.full(5, 2.0)}
    answer = robust(drawn, "expected", gap=0.01)
    found = answer.found[0]
    assert found.status is Status.LOCAL
    assert 0 < found.audit.excess <= 0.001 * found.value
    assert found.bound >= found.value + found.audit.excess - 1e-12
    table = robust_result(answer).tables["robust_proof"]
    assert "not proved: a check saw a departure of" in table["assumes"][0]
    assert table["raised_by"][0] == pytest.approx(found.audit.excess)
