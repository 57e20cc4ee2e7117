"""Programmes with known optima: every pattern enumerated, the amounts solved by their first-order conditions.

The reference shares no code with the optimiser: in a year, programme i that runs returns
`s_i x_i - x_i^2 / 2 - f_i`, decision d returns `d - d^2 / 2`, all under one cap on what is spent. At price p
of the cap x_i = s_i - p within its bounds, and p follows by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.crew import Crew
from sdopt.optimise.stopping import Stop
from sdopt.optimise.whole_numbers.search import WholeFound, search_whole
from sdopt.problem.build import Problem
from sdopt.result import Status

DATA = Path(__file__).resolve().parents[1] / "data" / "programmes"
YEARS = (2027, 2028, 2029)
SLOPES = {"a": 2.0, "b": 1.5, "c": 1.0}
Ask = Callable[..., Problem]
Starts = Mapping[str, int | None]


@dataclass(frozen=True)
class Reference:
    """The question of three.yaml, worked out by enumeration."""

    amount: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: dict.fromkeys("abc", (0.5, 3.0))
    )
    start_cost: Mapping[str, float] = field(default_factory=lambda: {"a": 1.0, "b": 1.0, "c": 0.0})
    yearly_cost: Mapping[str, float] = field(default_factory=lambda: {"a": 0.5, "b": 0.5, "c": 0.2})
    lasts: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)
    cap: float = 100.0
    allowed: Callable[[Starts], bool] = lambda starts: True

    def runs(self, name: str, start: int | None, year: int) -> bool:
        return start is not None and start <= year < start + self.lasts.get(name, 99)

    def best(self) -> tuple[float, list[dict[str, int | None]]]:
        """Largest return over the three years (null: d = 1 returns 0.5 a year), and who attain it."""
        options = {
            name: [
                None,
                *(y for y in YEARS if self.first.get(name, 0) <= y <= 2030 - self.lasts.get(name, 1)),
            ]
            for name in "abc"
        }
        found = []
        for chosen in product(*options.values()):
            starts = dict(zip("abc", chosen, strict=True))
            if self.allowed(starts):
                value = sum(self._year(starts, year) for year in YEARS)
                found.append((value, starts))
        top = max(value for value, _ in found)
        return top, [starts for value, starts in found if value > top - 1e-9]

    def _year(self, starts: Starts, year: int) -> float:
        running = [name for name in "abc" if self.runs(name, starts[name], year)]
        costs = sum(self.yearly_cost[name] for name in running)
        costs += sum(self.start_cost[name] for name in running if starts[name] == year)
        slopes = np.array([SLOPES[name] for name in running] + [1.0])
        low = np.array([self.amount[name][0] for name in running] + [0.0])
        high = np.array([self.amount[name][1] for name in running] + [4.0])
        left = self.cap - costs
        if low.sum() > left:
            return -np.inf

        def amounts(price: float) -> Any:
            return np.clip(slopes - price, low, high)

        cheap, dear = 0.0, 10.0
        for _ in range(200 if amounts(0.0).sum() > left else 0):
            middle = (cheap + dear) / 2
            cheap, dear = (middle, dear) if amounts(middle).sum() > left else (cheap, middle)
        x = amounts(dear if amounts(0.0).sum() > left else 0.0)
        return float(slopes @ x - x @ x / 2 - costs)


def find(problem: Problem) -> WholeFound:
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return search_whole(view, archive, problem.config.search, lambda *_: None)


def starts_of(problem: Problem, found: WholeFound) -> dict[str, int | None]:
    return {plan.id: plan.started(found.point) for plan in problem.decisions.programmes}


def check(problem: Problem, reference: Reference) -> WholeFound:
    found, (best, patterns) = find(problem), reference.best()
    improvement = best - 3 * 0.5
    assert found.status is Status.OPTIMAL
    assert starts_of(problem, found) in patterns
    assert found.improvement <= improvement + 1e-7
    assert found.improvement == pytest.approx(improvement, rel=1e-4, abs=1e-7)
    assert found.bound is not None
    assert found.bound >= improvement - 1e-9
    return found


CAP = {"decisions": {"a": 1, "b": 1, "c": 1, "d": 1}}
CASES: dict[str, tuple[dict[str, Any], Reference]] = {
    "cap": ({"constraints.cap": {**CAP, "at_most": 4}}, Reference(cap=4)),
    "tight cap": ({"constraints.cap": {**CAP, "at_most": 2.2}}, Reference(cap=2.2)),
    "either or": (
        {"choices.one": {"of": ["a", "b"], "at_most": 1}, "constraints.cap": {**CAP, "at_most": 4}},
        Reference(cap=4, allowed=lambda s: s["a"] is None or s["b"] is None),
    ),
    "exactly one": (
        {
            "choices.one": {"of": ["b", "c"], "at_most": 1, "at_least": 1},
            "constraints.cap": {**CAP, "at_most": 3},
        },
        Reference(cap=3, allowed=lambda s: (s["b"] is None) != (s["c"] is None)),
    ),
    "one new a year": (
        {"choices.one": {"of": ["a", "b", "c"], "at_most": 1, "count": "starting"}},
        Reference(allowed=lambda s: all(list(s.values()).count(year) <= 1 for year in YEARS)),
    ),
    "two run at a time": (
        {
            "choices.two": {"of": ["a", "b", "c"], "at_most": 1, "count": "running"},
            "programmes.a.lasts": 1,
            "programmes.b.lasts": 1,
        },
        Reference(
            lasts={"a": 1, "b": 1},
            allowed=lambda s: all(
                (s["a"] == y) + (s["b"] == y) + (s["c"] is not None and s["c"] <= y) <= 1 for y in YEARS
            ),
        ),
    ),
    "needs": (
        {"programmes.a.needs": ["b"], "programmes.b.start": {"first": 2028, "last": 2029}},
        Reference(
            first={"b": 2028},
            allowed=lambda s: s["a"] is None or (s["b"] is not None and s["b"] <= s["a"]),
        ),
    ),
    # C at 2 a year or more returns 2 - 2 - 0.2 < 0, b at 2.9 4.35 - 4.205 - 0.5 < 0: neither starts
    "a large minimum": (
        {"programmes.c.amount": [2, 3], "programmes.b.amount": [2.9, 3]},
        Reference(amount={"a": (0.5, 3.0), "b": (2.9, 3.0), "c": (2.0, 3.0)}),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_best_of_all_patterns_is_found_and_proved(ask: Ask, case: str) -> None:
    changes, reference = CASES[case]
    check(ask("three", changes, base=DATA), reference)


def test_by_hand(ask: Ask) -> None:
    """Without a cap x = s: a returns 2 - 0.5 a year less 1: 3.5; b 1.125 - 0.5: 0.875; c 0.5 - 0.2: 0.9."""
    problem = ask("three", base=DATA)
    found = find(problem)
    assert found.improvement == pytest.approx(3.5 + 0.875 + 0.9, rel=1e-4)
    assert starts_of(problem, found) == {"a": 2027, "b": 2027, "c": 2027}


def test_a_cost_paid_once_can_make_a_late_start_not_worth_it(ask: Ask) -> None:
    """B gains 0.625 a year and costs 1 to start: from 2028 on it gains 0.25, from 2029 on it loses 0.375."""
    for last, gain in ((2028, 0.25), (2029, 0.0)):
        problem = ask("three", {"programmes.b.start": {"first": last, "last": last}}, base=DATA)
        found = find(problem)
        assert found.improvement == pytest.approx(3.5 + 0.9 + gain, rel=1e-4)
        assert starts_of(problem, found)["b"] == (last if gain else None)


def test_it_goes_on_after_the_decision_years_when_asked(ask: Ask) -> None:
    """Cost and gain go on in 2030: c gains 0.3 once more; a start cost is paid in its year only."""
    problem = ask("three", {"programmes.c.after": "last", "programmes.a.after": "last"}, base=DATA)
    found = find(problem)
    assert found.improvement == pytest.approx(3.5 + 1.5 + 0.875 + 0.9 + 0.3, rel=1e-4)


def test_a_limit_on_the_model_counts_the_costs_too(ask: Ask) -> None:
    """The reserve ends at 9 if nothing but d = 1 is spent, and has to stay at 4.5: too little for all.

    Enumerated with one price on all money: 2027 to 2029 have one budget of 3 + 4.5 together.
    """
    changes = {
        "model.changes": {"initial reserve": 9},
        "constraints.reserve": {
            "variables": {"Reserve": 1},
            "at_least": 4.5,
            "measure": "year_end",
            "years": {"first": 2029, "last": 2029},
        },
    }
    problem = ask("three", changes, base=DATA)
    found = find(problem)
    best, starts = _one_budget(7.5)
    assert found.status is Status.OPTIMAL
    assert starts_of(problem, found) in starts
    assert found.improvement == pytest.approx(best - 1.5, rel=1e-4)
    assert found.bound is not None
    assert found.bound >= best - 1.5 - 1e-9
    assert found.leaning  # the bound leans on that limit


def _one_budget(money: float) -> tuple[float, list[dict[str, int | None]]]:
    """Largest return when three years share one budget: the same price of money in every year."""
    reference, found = Reference(), []
    for chosen in product((None, *YEARS), repeat=3):
        starts = dict(zip("abc", chosen, strict=True))
        items = [(SLOPES[n], 0.5, 3.0) for n in "abc" for y in YEARS if reference.runs(n, starts[n], y)]
        items += [(1.0, 0.0, 4.0)] * 3
        slopes, low, high = (np.array(column) for column in zip(*items, strict=True))
        costs = sum(reference.start_cost[n] for n in "abc" if starts[n]) + sum(
            reference.yearly_cost[n] for n in "abc" for y in YEARS if reference.runs(n, starts[n], y)
        )
        if low.sum() + costs > money:
            continue
        prices = np.linspace(0, 2, 200_001)
        used = np.clip(slopes[:, None] - prices, low[:, None], high[:, None]).sum(axis=0) + costs
        x = np.clip(slopes - prices[np.argmax(used <= money)], low, high)
        found.append((float(slopes @ x - x @ x / 2 - costs), starts))
    top = max(value for value, _ in found)
    return top, [starts for value, starts in found if value > top - 1e-4]


@pytest.mark.parametrize("cap", [1.9, 1.5])
def test_no_choice_of_programmes_can_be_allowed(ask: Ask, cap: float) -> None:
    """A has to start: 1 + 0.5 + at least 0.5 in its year; by halves it would fit."""
    changes = {
        "choices.a has to start": {"of": ["a"], "at_least": 1},
        "constraints.cap": {**CAP, "at_most": cap},
    }
    with pytest.raises(OptimisationError, match="no choice of programmes meets all limits"):
        find(ask("three", changes, base=DATA))


def test_stopped_at_once_it_gives_the_best_so_far_with_a_valid_bound(ask: Ask) -> None:
    problem = ask("three", base=DATA)
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    stop = Stop(interrupted=True)
    found = search_whole(view, archive, problem.config.search, lambda *_: None, Crew(1, stop))
    assert found.status is Status.INTERRUPTED
    assert found.bound is not None
    assert found.improvement <= 5.275 <= found.bound
