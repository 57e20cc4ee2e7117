"""Small questions whose optimum and shadow prices follow from a few lines of algebra.

`w(y)` is the present value of one euro a year during year y: a quarter at each of its four steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
RESERVE = {"variables": {"Reserve": 1}, "at_least": 2}


def solve(problem: Problem) -> Result:
    return optimise(problem, "run", lambda *_: None)


def w(year: int, rate: float = 0.03, base: int = 2027) -> float:
    return sum(0.25 * (1 + rate) ** -(year + k / 4 - base) for k in range(4))


def values(result: Result, decision: str) -> list[float]:
    table = result.tables["decisions"]
    return [float(value) for value in table["value"][table["decision"] == decision]]


def price(result: Result, name: str, year: int) -> float:
    table = result.tables["constraints"]
    return float(table["shadow_price"][(table["constraint"] == name) & (table["year"] == year)].sum())


def check_optimal(result: Result, objective: float) -> None:
    """Optimal within its own gap; the bound is never below the truth."""
    figures = result.figures
    assert result.status is Status.OPTIMAL
    assert result.tables["search"]["gap"].iloc[-1] <= figures["gap_tolerance"]
    size = abs(objective - figures["null_objective"])
    assert figures["objective"] == pytest.approx(objective, abs=size * figures["gap_tolerance"] + 1e-9)
    assert figures["objective"] <= objective + 1e-9 * max(abs(objective), 1)
    assert figures["bound"] >= objective - 1e-9 * max(abs(objective), 1)
    assert result.tables["audit"]["violations"].sum() == 0


def test_linear_vertex_and_price_of_the_cap(ask: Ask) -> None:
    """Maximise (2-1) a + (1.5-1) b with a + b <= 10, a <= 9: a = 9, b = 1.

    One euro more goes to b, which is below its bound: the cap's price is b's weight, 0.5 w(y).
    The null alternative gives 1*2 + 0.5*3 = 3.5 a year; it also holds in 2029 and 2030.
    """
    result = solve(ask("linear"))
    assert values(result, "a") == pytest.approx([9, 9])
    assert values(result, "b") == pytest.approx([1, 1])
    check_optimal(result, sum(9.5 * w(y) for y in (2027, 2028)) + sum(3.5 * w(y) for y in (2029, 2030)))
    for year in (2027, 2028):
        assert price(result, "total", year) == pytest.approx(0.5 * w(year))


def test_the_price_of_a_cap_is_the_best_weight_when_no_bound_interferes(ask: Ask) -> None:
    """With a <= 20 the whole cap goes to a: a = 10, b = 0, and the price is a's weight, 1 w(y)."""
    result = solve(ask("linear", {"decisions.a.bounds": [0, 20]}))
    assert values(result, "a") == pytest.approx([10, 10])
    assert [price(result, "total", year) for year in (2027, 2028)] == pytest.approx([w(2027), w(2028)])
    check_optimal(result, sum(10 * w(y) for y in (2027, 2028)) + sum(3.5 * w(y) for y in (2029, 2030)))


def test_money_in_euros_gives_the_same_advice(ask: Ask) -> None:
    """The search does not lean on amounts near one: everything a million times as large, the same optimum."""
    ends = [1e4, 3e7]
    changes = {"decisions.a.bounds": ends, "decisions.b.bounds": ends, "constraints.total.at_most": 1.3e7}
    result = solve(ask("root_euro", changes))
    yearly = 1e3 * root_optimum(13)[2]
    assert values(result, "a") == pytest.approx([9e6, 9e6], rel=0.01)
    check_optimal(result, sum(yearly * w(y) for y in (2027, 2028)) + sum(1e4 * w(y) for y in (2029, 2030)))


def root_optimum(total: float) -> tuple[float, float, float]:
    """First-order conditions of 2*3 sqrt(a) + 2*2 sqrt(b), a + b = total: 3/sqrt(a) = 2/sqrt(b) = price.

    So a : b = 9 : 4, the price is sqrt(13 / total) and the return 2 sqrt(13 total).
    """
    return 9 / 13 * total, (13 / total) ** 0.5, 2 * (13 * total) ** 0.5


def test_first_order_conditions_of_a_concave_return(ask: Ask) -> None:
    result = solve(ask("root"))
    a, multiplier, yearly = root_optimum(13)
    assert values(result, "a") == pytest.approx([a, a], abs=0.02)  # flat top: 1e-7 in return is 1e-2 here
    check_optimal(result, sum(yearly * w(y) for y in (2027, 2028)) + sum(10 * w(y) for y in (2029, 2030)))
    for year in (2027, 2028):
        assert price(result, "total", year) == pytest.approx(multiplier * w(year), rel=1e-3)


@pytest.mark.parametrize("moved", [0.99, 1.01])
def test_a_shadow_price_is_what_moving_the_limit_gives(ask: Ask, moved: float) -> None:
    """By envelope: the return changes by price x change, and (concave) by less on the way up."""
    at, there = (solve(ask("root", {"constraints.total.at_most": 13 * part})) for part in (1, moved))
    predicted = sum(price(at, "total", year) for year in (2027, 2028)) * 13 * (moved - 1)
    change = there.figures["objective"] - at.figures["objective"]
    assert change == pytest.approx(predicted, rel=0.01)
    assert change < predicted
    exact = sum((root_optimum(13 * moved)[2] - root_optimum(13)[2]) * w(y) for y in (2027, 2028))
    assert change == pytest.approx(exact, rel=2e-4)


def test_an_optimum_inside_all_limits_has_no_prices(ask: Ask) -> None:
    """At price 1: 3/sqrt(a) = 1, so a = 9, and b = 4; return 2*9 - 9 + 2*4 - 4 = 13 a year; null 10 - 2."""
    result = solve(ask("root", {"model.changes": {"price": 1}, "constraints.total.at_most": 20}))
    assert values(result, "a") == pytest.approx([9, 9], abs=0.02)
    assert values(result, "b") == pytest.approx([4, 4], abs=0.02)
    check_optimal(result, sum(13 * w(y) for y in (2027, 2028)) + sum(8 * w(y) for y in (2029, 2030)))
    assert [price(result, "total", year) for year in (2027, 2028)] == [0, 0]


def test_a_loss_is_optimal_too(ask: Ask) -> None:
    """A cap of 1.5, below today's 2: a = 9/13 of it; less than the null alternative, but the best."""
    result = solve(ask("root", {"constraints.total.at_most": 1.5, "search.gap": 1e-5}))
    yearly = root_optimum(1.5)[2]
    assert result.figures["improvement"] < 0
    assert result.figures["gap"] is None  # relative to an improvement; there is none, which is said
    assert "null alternative" in result.figures["gap_reason"]
    check_optimal(result, sum(yearly * w(y) for y in (2027, 2028)) + sum(10 * w(y) for y in (2029, 2030)))


def test_the_null_alternative_can_be_the_best(ask: Ask) -> None:
    """Slopes 1.5 with curves [[1, .5], [.5, 1]]: stationary at a = b = 1, which is today."""
    result = solve(ask("quadratic", {"model.changes": {"slope a": 1.5, "slope b": 1.5}}))
    assert [*values(result, "a"), *values(result, "b")] == pytest.approx([1, 1])
    check_optimal(result, 1.5 * 3)


def test_a_decision_that_does_nothing(ask: Ask) -> None:
    """B costs what it brings and nothing limits it: a = 9, and the return is a's alone."""
    result = solve(ask("linear", {"model.changes": {"effect b": 1}, "constraints": None}))
    assert values(result, "a") == pytest.approx([9, 9])
    check_optimal(result, sum(9 * w(y) for y in (2027, 2028)) + sum(2 * w(y) for y in (2029, 2030)))


def change_limits(ask: Ask, rule: dict[str, Any], **more: Any) -> Result:
    changes = {f"decisions.a.{key}": value for key, value in rule.items()}
    return solve(ask("linear", {"constraints": None, "decisions.b.bounds": [3, 3], **changes, **more}))


def test_relative_change_limits_and_the_way_back(ask: Ask) -> None:
    """Here a may rise 25 % and fall 25 %; it is 2 before and after.

    2027: a <= 2.5. 2029 is 2 again, so 2 >= 0.75 a(2028): a(2028) <= 8/3, below 1.25 * 2.5.
    Prices: rise in 2027 w(2027); the fall reads 0.75 a(2028) <= 2, so its price is w(2028) / 0.75.
    """
    result = change_limits(ask, {"largest_rise": "25%", "largest_fall": "25%"})
    assert values(result, "a") == pytest.approx([2.5, 8 / 3])
    assert price(result, "a: largest rise", 2027) == pytest.approx(w(2027))
    assert price(result, "a: largest rise", 2028) == pytest.approx(0)
    assert price(result, "a: largest fall", 2029) == pytest.approx(w(2028) / 0.75)
    later = sum(3.5 * w(y) for y in (2029, 2030))
    check_optimal(result, 4.0 * w(2027) + (8 / 3 + 1.5) * w(2028) + later)


def test_absolute_change_limits(ask: Ask) -> None:
    """Here a may rise 1.5 and fall 2 a year from 2: a = 3.5, then at most 5, but back to 2 takes 2: a = 4.

    Price of the rise in 2027 is w(2027); of the fall in 2029 w(2028).
    """
    result = change_limits(ask, {"largest_rise": 1.5, "largest_fall": 2})
    assert values(result, "a") == pytest.approx([3.5, 4])
    assert price(result, "a: largest rise", 2027) == pytest.approx(w(2027))
    assert price(result, "a: largest fall", 2029) == pytest.approx(w(2028))
    check_optimal(result, 5 * w(2027) + 5.5 * w(2028) + sum(3.5 * w(y) for y in (2029, 2030)))


def test_the_last_value_stays_in_force(ask: Ask) -> None:
    """`after: last`: no way back is needed, so a = 2.5, 3.125, and 3.125 counts in 2029 and 2030 too.

    Relaxing the rise of 2027 by one lifts a(2027) by 1 and a(2028) by 1.25.
    """
    result = change_limits(ask, {"largest_rise": "25%", "largest_fall": "25%", "after": "last"})
    later = sum(w(y) for y in (2028, 2029, 2030))
    assert values(result, "a") == pytest.approx([2.5, 3.125])
    assert price(result, "a: largest rise", 2027) == pytest.approx(w(2027) + 1.25 * later)
    assert price(result, "a: largest rise", 2028) == pytest.approx(later)
    check_optimal(result, 2.5 * w(2027) + 3.125 * later + 1.5 * sum(w(y) for y in range(2027, 2031)))


def test_periods_of_two_years_on_a_growing_null_alternative(ask: Ask) -> None:
    """Null: 2 * 1.1^(y - 2026). One value for 2027-2028 and one for 2029-2030, each at most 25 % more.

    Before 2027 stands 2: a1 <= 2.5; a2 <= 3.125; no return since `after: last`; the horizon ends in 2031.
    """
    rule = {"largest_rise": "25%", "period": 2, "null_trend": 0.1, "after": "last"}
    result = change_limits(ask, rule, decision_years={"first": 2027, "last": 2030})
    assert values(result, "a") == pytest.approx([2.5, 3.125])
    first, second = w(2027) + w(2028), w(2029) + w(2030)
    b = 1.5 * (first + second)
    check_optimal(result, 2.5 * first + 3.125 * second + b)
    null = sum(2 * 1.1 ** (y - 2026) * w(y) for y in range(2027, 2031)) + b
    assert result.figures["null_objective"] == pytest.approx(null)
    table = result.tables["allocation"]
    shown = table[(table["allocation"] == "null") & (table["variable"] == "spending a")]
    assert list(shown["value"]) == pytest.approx([2 * 1.1**k for k in range(6)])


def test_a_cap_relative_to_a_growing_null_alternative(ask: Ask) -> None:
    """Total at most 0.9 of the null alternative of that year plus 1, all to a (weight 1 against 0.5)."""
    result = solve(
        ask(
            "linear",
            {
                "decisions.a": {"variable": "spending a", "bounds": [0, 20], "null_trend": 0.1},
                "constraints.total.at_most": {"null_alternative": 0.9, "plus": 1},
            },
        )
    )
    caps = [0.9 * (2 * 1.1**k + 3) + 1 for k in (1, 2)]
    assert values(result, "a") == pytest.approx(caps)
    later = sum((2 * 1.1 ** (y - 2026) + 1.5) * w(y) for y in (2029, 2030))
    check_optimal(result, caps[0] * w(2027) + caps[1] * w(2028) + later)


def reserve_question(ask: Ask, **limit: Any) -> Result:
    """Only a is decided, at most 7, today 2; b is nothing.

    Reserve: 6 at 2026, income 3 a year: 7 at 2027. R(2028) = 10 - a1; R(2029) = 13 - a1 - a2.
    """
    changes = {
        "model.changes": {"income": 3, "spending b": 0},
        "decisions.b": None,
        "decisions.a.bounds": [0, 7],
        "constraints": {"floor": {**RESERVE, **limit}},
    }
    return solve(ask("linear", changes))


def test_a_floor_at_every_step_and_at_year_ends(ask: Ask) -> None:
    """R(2029) >= 2 gives a1 + a2 <= 11; early money is worth more: a1 = 7 (bound; R(2028) = 3), a2 = 4.

    One euro less of floor gives one more in 2028: price w(2028).
    """
    for measure in ("every_step", "year_end"):
        result = reserve_question(ask, measure=measure)
        assert values(result, "a") == pytest.approx([7, 4])
        check_optimal(result, 7 * w(2027) + 4 * w(2028) + 2 * (w(2029) + w(2030)))
        table = result.tables["constraints"]
        assert table["shadow_price"].sum() == pytest.approx(w(2028))
        assert table["binding"].sum() == 1


def test_a_floor_at_year_starts(ask: Ask) -> None:
    """Starts of 2027-2029 are the ends of 2026-2028: the same optimum, priced at 2029."""
    result = reserve_question(ask, measure="year_start", years={"first": 2027, "last": 2029})
    assert values(result, "a") == pytest.approx([7, 4])
    assert price(result, "floor", 2029) == pytest.approx(w(2028))
    check_optimal(result, 7 * w(2027) + 4 * w(2028) + 2 * (w(2029) + w(2030)))


def test_a_floor_on_year_averages(ask: Ask) -> None:
    """The four steps of 2028 average R(2028) + (3 - a2) (0 + 1/4 + 1/2 + 3/4) / 4 = 10 - a1 + 0.375 (3 - a2).

    At least 5: a1 + 0.375 a2 <= 6.125. A unit of limit buys 1/0.375 of a2 but only 1 of a1: a2 = 7 (bound),
    a1 = 3.5; the price is w(2027). The average of 2027, 7 + 0.375 (3 - 3.5), is above 5.
    """
    result = reserve_question(ask, at_least=5, measure="year_average")
    assert values(result, "a") == pytest.approx([3.5, 7])
    assert price(result, "floor", 2028) == pytest.approx(w(2027))
    check_optimal(result, 3.5 * w(2027) + 7 * w(2028) + 2 * (w(2029) + w(2030)))


def test_one_variable_spelled_twice_counts_twice(ask: Ask) -> None:
    """Twice the reserve at least 4 is the floor of 2; a unit of limit is half a euro."""
    result = reserve_question(ask, variables={"Reserve": 1, "reserve": 1}, at_least=4, measure="year_end")
    assert values(result, "a") == pytest.approx([7, 4])
    assert price(result, "floor", 2028) == pytest.approx(w(2028) / 2)


def test_a_floor_under_a_concave_return(ask: Ask) -> None:
    """2 sqrt(a) w(2027) and 2 sqrt(a2) w(2028) under a1 + a2 <= 6: a2 = a1 (w2 / w1)^2, price w1 / sqrt(a1).

    Reserve 6 at 2026, income 5, today's a and b 1 each: 9 at 2027; b stays 1; at the end of 2028
    9 + 2 * (5 - 1) - a1 - a2 >= 11.
    """
    floor = {"variables": {"Reserve": 1}, "at_least": 11, "measure": "year_end"}
    changes = {
        "model.changes": {"effect a": 1},
        "decisions.b": None,
        "constraints": {"floor": {**floor, "years": {"first": 2028, "last": 2028}}},
    }
    result = solve(ask("root", changes))
    ratio = (w(2028) / w(2027)) ** 2
    first = 6 / (1 + ratio)
    assert values(result, "a") == pytest.approx([first, 6 - first], abs=0.01)
    assert price(result, "floor", 2028) == pytest.approx(w(2027) / first**0.5, rel=1e-3)
    later = 2 * (w(2029) + w(2030))
    b = 4 * sum(w(y) for y in range(2027, 2031))
    check_optimal(result, 2 * first**0.5 * w(2027) + 2 * (6 - first) ** 0.5 * w(2028) + later + b)
