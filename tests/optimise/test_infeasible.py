"""Limits that cannot all hold: hand-made clashes with known smallest sets and known least relaxations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive
from sdopt.optimise.infeasible.clash import find_clash, smallest_hitting_set
from sdopt.optimise.infeasible.limits import Limit, all_limits
from sdopt.optimise.infeasible.oracle import Oracle
from sdopt.optimise.infeasible.repair import least_repair, repairs_alone
from sdopt.optimise.run import optimise
from sdopt.problem.build import Problem

Ask = Callable[..., Problem]
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
LINEAR = "This is proved: limits between decisions are linear."
ONE_YEAR = {"first": 2027, "last": 2027}


def refused(problem: Problem) -> tuple[str, list[str], str, str, list[str]]:
    """The message in parts: headline, what clashes, how sure, headline of the repairs, repairs."""
    with pytest.raises(OptimisationError) as error:
        optimise(problem, "run", lambda *_: None)
    first, *lines = str(error.value).splitlines()
    heads = [k for k, line in enumerate(lines) if not line.startswith("  * ")]
    sure, repair = heads
    return first, lines[:sure], lines[sure], lines[repair], lines[repair + 1 :]


def floor(limit: float, **more: Any) -> dict[str, Any]:
    return {"variables": {"Reserve": 1}, "at_least": limit, "measure": "year_end", **more}


SMALLEST = "the limits cannot all hold. These {} clash, and no smaller set does:"
ALONE = "Any one of these changes repairs it (checked):"


def test_three_rules_that_clash_in_two_years(ask: Ask) -> None:
    """With a >= 3 and b >= 4 in a total of at most 5: 2 short, whoever gives way, in both years."""
    constraints = {
        "total budget": {"decisions": {"a": 1, "b": 1}, "at_most": 5},
        "least of a": {"decisions": {"a": 1}, "at_least": 3},
        "least of b": {"decisions": {"b": 1}, "at_least": 4},
        "innocent": {"decisions": {"a": 1, "b": 2}, "at_most": 20},
    }
    first, clash, sure, head, repairs = refused(ask("linear", {"constraints": constraints}))
    assert first == SMALLEST.format(3)
    year = clash[0].partition("(")[2][:4]
    assert year in ("2027", "2028")
    assert clash == [
        f"  * total budget ({year}): at most 5 million EUR/Year",
        f"  * least of a ({year}): at least 3 million EUR/Year",
        f"  * least of b ({year}): at least 4 million EUR/Year",
    ]
    assert (sure, head) == (LINEAR, ALONE)
    assert repairs == [
        "  * total budget (2027-2028): at most 7 million EUR/Year (now 5)",
        "  * least of a (2027-2028): at least 1 million EUR/Year (now 3)",
        "  * least of b (2027-2028): at least 2 million EUR/Year (now 4)",
    ]


def test_a_change_limit_that_clashes_with_a_floor(ask: Ask) -> None:
    """From 2, at most 1 more a year: 3 in 2027, where 4 is asked; 1 short in that year only."""
    least = {"decisions": {"a": 1}, "at_least": 4, "years": ONE_YEAR}
    changes = {"decisions.a.largest_rise": 1, "constraints": {"least of a": least}}
    first, clash, sure, _, repairs = refused(ask("linear", changes))
    assert (first, sure) == (SMALLEST.format(2), LINEAR)
    assert clash == [
        "  * a: largest rise (2027): at most 1 million EUR/Year",
        "  * least of a (2027): at least 4 million EUR/Year",
    ]
    assert repairs == [
        "  * a: largest rise (2027-2029): at most 2 million EUR/Year (now 1)",
        "  * least of a (2027): at least 3 million EUR/Year (now 4)",
    ]


def test_a_change_limit_in_percent(ask: Ask) -> None:
    """From 2, at most half more: 3 in 2027 and 4.5 in 2028, where 6 is asked.

    With x more than half in both years: 1.5 (3 + x) + x = 6, so x = 0.6.
    """
    least = {"decisions": {"a": 1}, "at_least": 6, "years": {"first": 2028, "last": 2028}}
    changes = {"decisions.a.largest_rise": "50%", "constraints": {"least of a": least}}
    _, clash, _, _, repairs = refused(ask("linear", changes))
    assert clash == [
        "  * a: largest rise (2027-2028): at most 50%",
        "  * least of a (2028): at least 6 million EUR/Year",
    ]
    assert repairs == [
        "  * a: largest rise (2027-2029): 50% and 0.6 million EUR/Year",
        "  * least of a (2028): at least 4.5 million EUR/Year (now 6)",
    ]


def test_a_cap_that_bounds_cannot_meet(ask: Ask) -> None:
    """Bounds from 0, so nothing is below zero: only the cap can give way, as the model ends at 0 too."""
    _, clash, _, _, repairs = refused(ask("linear", {"constraints.total.at_most": -1}))
    assert [line.partition(" (")[0] for line in clash] == ["  * total", "  * a: bounds", "  * b: bounds"]
    assert repairs == ["  * total (2027-2028): at most 0 million EUR/Year (now -1)"]


def test_a_limit_on_the_model_that_nothing_can_meet(ask: Ask) -> None:
    """Reserve 6 in 2027 and 5 more a year if nothing is spent: 11, where 30 is asked."""
    _, clash, sure, _, repairs = refused(ask("linear", {"constraints": {"floor of reserve": floor(30)}}))
    assert clash[0] == "  * floor of reserve (2027): at least 30 million EUR"
    assert sure.startswith("This is proved if the room is concave in the decisions")
    assert sure.endswith(": floor of reserve.")
    assert repairs == ["  * floor of reserve (2027-2028): at least 11 million EUR (now 30)"]


def test_limits_on_the_model_that_clash_with_each_other(ask: Ask) -> None:
    """At the end of 2028 the reserve is to be at least 12 and at most 10.5."""
    last = {"first": 2028, "last": 2028}
    low = {"variables": {"Reserve": 1}, "at_most": 10.5, "measure": "year_end", "years": last}
    constraints = {"high reserve": floor(12, years=last), "low reserve": low}
    first, clash, _, _, repairs = refused(ask("linear", {"constraints": constraints}))
    assert first == SMALLEST.format(2)
    assert clash == [
        "  * high reserve (2028): at least 12 million EUR",
        "  * low reserve (2028): at most 10.5 million EUR",
    ]
    assert repairs == [
        "  * high reserve (2028): at least 10.5 million EUR (now 12)",
        "  * low reserve (2028): at most 12 million EUR (now 10.5)",
    ]


def test_a_curved_limit_that_clashes_with_a_cap(ask: Ask) -> None:
    """Roots of 1+a and 1+b add up to 2 sqrt(11) = 6.6332 within a + b <= 20; 8 needs a = b = 15.

    The limit is made of infinitely many tangents; the relaxation is right to five digits, rounded outward.
    """
    harm = {"variables": {"harm": 1}, "at_least": 8}
    cap = {"decisions": {"a": 1, "b": 1}, "at_most": 20}
    first, clash, sure, _, repairs = refused(ask("curved", {"constraints": {"harm": harm, "cap": cap}}))
    assert first == SMALLEST.format(2)
    assert clash == ["  * harm (2027): at least 8 Person", "  * cap (2027): at most 20 million EUR/Year"]
    assert sure.endswith("as it was wherever tried: harm.")
    assert repairs[0] == "  * harm (2027): at least 6.6332 Person (now 8)"
    assert repairs[1] in (
        "  * cap (2027): at most 30 million EUR/Year (now 20)",
        "  * cap (2027): at most 30.001 million EUR/Year (now 20)",
    )


def test_a_limit_that_is_not_concave_is_left_out_of_the_proof(ask: Ask) -> None:
    """Harm below 8 is not concave; that a is at least 5 and at most 4 is a clash all the same."""
    constraints = {
        "harm": {"variables": {"harm": 1}, "at_most": 2.5},
        "least": {"variables": {"spending a": 1}, "at_least": 5},
        "most": {"variables": {"spending a": 1}, "at_most": 4},
    }
    first, clash, sure, _, _ = refused(ask("curved", {"constraints": constraints}))
    assert first == SMALLEST.format(2)
    assert [line.partition(" (")[0] for line in clash] == ["  * least", "  * most"]
    assert sure.endswith("as it was wherever tried: least, most.")


def test_two_clashes_need_two_changes(ask: Ask) -> None:
    """A is asked to be 10 within its bound of 9, and so is b: neither change is enough by itself."""
    changes = {
        "constraints": {
            "least of a": {"decisions": {"a": 1}, "at_least": 10, "years": ONE_YEAR},
            "least of b": {"decisions": {"b": 1}, "at_least": 12, "years": ONE_YEAR},
        }
    }
    first, _, _, head, repairs = refused(ask("linear", changes))
    assert first == SMALLEST.format(2)
    assert head.startswith("No change of one of them is enough.")
    assert repairs == [
        "  * least of a (2027): at least 9 million EUR/Year (now 10); "
        "least of b (2027): at least 9 million EUR/Year (now 12)"
    ]


@pytest.mark.parametrize("name", ["total budget", "least of a", "least of b"])
def test_every_change_that_is_told_gives_an_answer(ask: Ask, name: str) -> None:
    """The command itself finds an allocation with any one of the three changes, and none with a bit less."""
    told = {"total budget": ("at_most", 7), "least of a": ("at_least", 1), "least of b": ("at_least", 2)}
    limits: dict[str, Any] = {
        "total budget": {"decisions": {"a": 1, "b": 1}, "at_most": 5},
        "least of a": {"decisions": {"a": 1}, "at_least": 3},
        "least of b": {"decisions": {"b": 1}, "at_least": 4},
    }
    sense, value = told[name]
    result = optimise(ask("linear", {"constraints": {**limits, name: {**limits[name], sense: value}}}), "run",
                      lambda *_: None)  # fmt: skip
    assert result.tables["constraints"]["slack"].min() >= -1e-7
    less = value - 0.001 if sense == "at_most" else value + 0.001
    with pytest.raises(OptimisationError):
        optimise(ask("linear", {"constraints": {**limits, name: {**limits[name], sense: less}}}), "run",
                 lambda *_: None)  # fmt: skip


def independent(limits: list[Limit], chosen: tuple[int, ...]) -> bool:
    """Whether limits can hold together, by a plain linear program with nothing of ours."""
    rows = [limits[k] for k in chosen]
    if not rows:
        return True
    matrix = np.array([limit.weights for limit in rows])
    right = [limit.sign * limit.limit for limit in rows]
    answer = linprog(np.zeros(matrix.shape[1]), A_ub=matrix, b_ub=right, bounds=(None, None))
    assert answer.status in (0, 2)
    return bool(answer.status == 0)


def drawn(problem: Problem, seed: int) -> list[Limit]:
    """Random limits in whole numbers on four decisions, so that nothing is nearly a clash; and the bounds."""
    random = np.random.default_rng(seed)
    limits = []
    for number in range(random.integers(3, 8)):
        weights = random.integers(-1, 3, problem.decisions.size).astype(float)
        sign = float(random.choice([-1, 1]))
        limit = float(random.integers(-4, 30))
        named = (f"limit {number}", 2027, "at_most" if sign > 0 else "at_least", limit, sign, "EUR")
        limits.append(Limit(*named, max(abs(limit), 1.0), weights=sign * weights))
    return [*limits, *(limit for limit in all_limits(problem) if limit.bound)]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_what_clashes_is_irreducible_and_smallest(ask: Ask, seed: int) -> None:
    """A set that is told is infeasible, every proper subset is feasible, and no smaller set clashes."""
    problem = ask("linear", {"constraints": None})
    limits = drawn(problem, seed)
    oracle = Oracle(problem, Archive(problem), limits)
    found = find_clash(oracle)
    everything = tuple(range(len(limits)))
    assert (found is None) == independent(limits, everything)
    if found is None:
        return
    assert not independent(limits, found.members)
    assert found.irreducible
    for left_out in found.members:
        assert independent(limits, tuple(k for k in found.members if k != left_out))
    assert found.smallest
    size = len(found.members) - 1  # what holds a smaller clash would clash too
    if size <= 2:
        assert all(independent(limits, subset) for subset in combinations(everything, size))


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_what_repairs_is_enough_and_not_more_than_needed(ask: Ask, seed: int) -> None:
    problem = ask("linear", {"constraints": None})
    limits = drawn(problem, seed)
    oracle = Oracle(problem, Archive(problem), limits)
    found = find_clash(oracle)
    if found is None:
        return
    everything = tuple(range(len(limits)))
    for repair in repairs_alone(oracle, found.members):
        assert independent(relaxed(limits, repair.members, repair.amounts), everything)
        less = tuple(0.998 * amount for amount in repair.amounts)
        assert not independent(relaxed(limits, repair.members, less), everything)
    together = least_repair(oracle)
    if together is not None:  # else a bound would have to leave the range of the model
        assert independent(relaxed(limits, together.members, together.amounts), everything)
        assert cost(limits, together.members, together.amounts) == pytest.approx(least_cost(limits), rel=1e-3)


def relaxed(limits: list[Limit], members: tuple[int, ...], amounts: tuple[float, ...]) -> list[Limit]:
    more = dict(zip(members, amounts, strict=True))
    return [limit.relaxed(more.get(k, 0.0) + 1e-7) for k, limit in enumerate(limits)]


def cost(limits: list[Limit], members: tuple[int, ...], amounts: tuple[float, ...]) -> float:
    return sum(amount / limits[k].size for k, amount in zip(members, amounts, strict=True))


def least_cost(limits: list[Limit]) -> float:
    """Least sum of relative relaxations, by an elastic program written here."""
    matrix = np.array([limit.weights for limit in limits])
    elastic = -np.diag([limit.size for limit in limits])
    count = matrix.shape[1]
    answer = linprog(
        np.r_[np.zeros(count), np.ones(len(limits))],
        A_ub=np.hstack([matrix, elastic]),
        b_ub=[limit.sign * limit.limit for limit in limits],
        bounds=[(None, None)] * count + [(0, None)] * len(limits),
    )
    assert answer.status == 0
    return float(answer.fun)


@given(st.lists(st.frozensets(st.integers(0, 6), min_size=1, max_size=4), max_size=6))
def test_hitting_sets_are_smallest(groups: list[frozenset[int]]) -> None:
    found = smallest_hitting_set(groups, 7)
    assert found is not None
    assert all(found & group for group in groups)
    for fewer in combinations(range(7), max(len(found) - 1, 0)):
        assert not found or not all(group & set(fewer) for group in groups)


def test_a_solver_that_cries_wolf_is_not_believed(ask: Ask) -> None:
    """Multipliers that prove nothing are no clash: they are added up again over the box of bounds."""
    problem = ask("linear")
    oracle = Oracle(problem, Archive(problem), all_limits(problem))
    rows = oracle.rows
    assert oracle.ask(range(len(oracle.limits))).point is not None
    for seed in range(20):
        multipliers = np.random.default_rng(seed).random(len(rows.owner))
        assert not oracle.contradicts(multipliers, rows.weights, rows.limits)
    # The real ones of a real clash do: a + b <= -1 with a, b >= 0.
    clash = ask("linear", {"constraints.total.at_most": -1})
    oracle = Oracle(clash, Archive(clash), all_limits(clash))
    rows = oracle.rows
    used = [limit.entry == "total" or limit.sense == "at_least" for limit in oracle.limits]
    used = [one and limit.year == 2027 for one, limit in zip(used, oracle.limits, strict=True)]
    scale = [rows.relief[k] / limit.size for k, limit in enumerate(oracle.limits)]
    multipliers = np.array([float(one) / part for one, part in zip(used, scale, strict=True)])
    assert oracle.contradicts(multipliers, rows.weights, rows.limits)


def test_the_shipped_question_with_a_floor_out_of_reach(ask: Ask) -> None:
    """Today's prevention, 3, returns in 2031, and falls by at most a quarter: at most 4 in 2030."""
    limits = {
        "Vloer": {"decisions": {"prevention": 1}, "at_least": 7.9, "years": {"first": 2030, "last": 2030}}
    }
    problem = ask("voorbeeld-100k", {"constraints": limits, "fiscal_rules": None}, base=CONFIGS)
    _, clash, sure, _, repairs = refused(problem)
    assert clash == [
        "  * prevention: largest fall (2031): at most 25%",
        "  * Vloer (2030): at least 7.9 million EUR/Year",
    ]
    assert sure == LINEAR
    assert "  * Vloer (2030): at least 4 million EUR/Year (now 7.9)" in repairs
