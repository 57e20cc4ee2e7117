"""Each kind of fiscal rule moves the optimum of a small question to where a few lines of algebra put it.

The question (`data/fiscal`): a yearly return of (prevention return - 1) p + (base return - 1) s, so
p + 0.5 s unless changed, with p and s from 0 to 9 in 2027 and 2028, and 4 each before, after and in the null
alternative. Entitlements are 20 - 0.5 (p - 4), income is 30: the balance is 8 - 0.5 p - s, and 2 in the null
alternative.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdopt.optimise.run import optimise, simulate_allocation
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
FISCAL = Path(__file__).resolve().parents[1] / "data" / "fiscal"
FREE = ([9, 9], [9, 9])


@pytest.fixture
def solve(ask: Ask) -> Callable[..., Result]:
    """`solve({rule: settings}, {constant: value})`: the answer under these rules."""

    def solved(apply: dict[str, Any], constants: dict[str, float] | None = None, **more: Any) -> Result:
        changes = {
            "fiscal_rules.file": str(FISCAL / "rules.yaml"),
            "fiscal_rules.apply": apply,
            "model.changes": constants or {},
        }
        problem = ask("treasury", {**changes, **more}, base=FISCAL)
        return optimise(problem, "run", lambda *_: None)

    return solved


def chosen(result: Result) -> tuple[list[float], list[float]]:
    """Prevention and social base in 2027 and 2028."""
    table = result.tables["decisions"]
    assert result.status is Status.OPTIMAL
    p, s = (table["value"][table["decision"] == name] for name in ("prevention", "social base"))
    return [float(v) for v in p], [float(v) for v in s]


def rows(result: Result, rule: str, part: str = "") -> pd.DataFrame:
    """What the table says of a part of a rule."""
    table = result.tables["fiscal_rules"]
    return table[(table["rule"] == rule) & (table["part"] == part)].reset_index(drop=True)


def said(found: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(found[list(columns)].itertuples(index=False, name=None))


def approximately(*expected: list[float]) -> tuple[Any, ...]:
    return tuple(pytest.approx(values, abs=1e-6) for values in expected)


def test_without_rules_everything_is_spent_and_every_rule_says_it_was_not_chosen(
    solve: Callable[..., Result],
) -> None:
    result = solve({})
    assert chosen(result) == approximately(*FREE)
    table = result.tables["fiscal_rules"]
    assert list(table["id"]) == [f"T{k}" for k in range(1, 11)]
    assert not table["chosen"].any()
    assert not table["imposed"].any()
    verdicts = dict(zip(table["id"], table["verdict"], strict=True))
    assert verdicts.pop("T8") == "model_decides"
    assert set(verdicts.values()) == {"not_chosen"}
    assert set(table["binds"]) == {"not_applicable"}
    assert table["advice"].isna().all()


def test_a_balance_in_the_last_year(solve: Callable[..., Result]) -> None:
    """2028: 8 - 0.5 p - s >= 0 with p = 9 leaves s = 3.5; 2027 is free, -5.5 short, and says so."""
    result = solve({"balance": {}})
    assert chosen(result) == approximately([9, 9], [9, 3.5])
    found = rows(result, "balance")
    assert said(found, "year", "imposed", "binds", "null_verdict", "verdict", "prices") == [
        (2027, False, "not_applicable", "kept", "broken", "real"),
        (2028, True, "yes", "kept", "kept", "real"),
    ]
    assert list(found["advice"]) == pytest.approx([-5.5, 0], abs=1e-6)
    assert list(found["slack"]) == pytest.approx([-5.5, 0], abs=1e-6)
    assert list(found["null"]) == pytest.approx([2, 2])


def test_a_balance_in_every_year_and_in_current_prices(solve: Callable[..., Result]) -> None:
    """With a smallest balance of 1, s = 2.5 in both years; in current prices 1 grows by 2 % a year."""
    result = solve({"balance": {"when": "every year", "smallest balance": 1}})
    assert chosen(result) == approximately([9, 9], [2.5, 2.5])
    assert list(rows(result, "balance")["binds"]) == ["yes", "yes"]
    current = rows(result, "balance", "in current prices")
    assert said(current, "imposed", "verdict", "prices") == [(False, "kept", "current")] * 2
    assert list(current["limit"]) == pytest.approx(list(current["advice"]))
    quarters = [sum(1.02 ** (year + k / 4 - 2026) for k in range(4)) / 4 for year in (2027, 2028)]
    assert list(current["advice"]) == pytest.approx(quarters, rel=1e-6)


def test_a_rule_that_does_not_bind(solve: Callable[..., Result]) -> None:
    """-5.5 is the lowest balance there is: a floor of -6 changes nothing and has 0.5 left."""
    result = solve({"balance": {"when": "every year", "smallest balance": -6}})
    assert chosen(result) == approximately(*FREE)
    found = rows(result, "balance")
    assert list(found["binds"]) == ["no", "no"]
    assert list(found["slack"]) == pytest.approx([0.5, 0.5])


def test_a_check_is_reported_and_not_imposed(solve: Callable[..., Result]) -> None:
    result = solve({"balance": {"as": "check", "when": "every year"}, "run-down": {"as": "check"}})
    assert chosen(result) == approximately(*FREE)
    assert "T1 balance" not in set(result.tables["constraints"]["constraint"])
    assert (
        said(rows(result, "balance"), "imposed", "binds", "verdict")
        == [(False, "not_applicable", "broken")] * 2
    )
    fall = rows(result, "run-down", "prevention spending")
    assert said(fall, "year", "imposed", "verdict") == [
        (2027, False, "kept"),
        (2028, False, "kept"),
        (2029, False, "broken"),  # from 9 back to 4 is more than a quarter
    ]


@pytest.mark.parametrize(("share", "base"), [(0, 1.0), ("50%", 2.25), (0.5, 2.25), (1, 3.5)])
def test_a_saving_counts_in_part(solve: Callable[..., Result], share: float | str, base: float) -> None:
    """Balance + (1 - q) (entitlements - 20) >= 0 with p = 9, entitlements 17.5: s = 3.5 - 2.5 (1 - q)."""
    result = solve({"realistic savings": {"booked share": share}})
    assert chosen(result) == approximately([9, 9], [base, base])
    found = rows(result, "realistic savings")
    assert list(found["binds"]) == ["yes", "yes"]
    kept = 1 - (0.5 if share == "50%" else float(share))
    assert list(found["limit"]) == pytest.approx([20 * kept] * 2)
    assert list(found["null"]) == pytest.approx([2 + 20 * kept] * 2)


def test_a_setback_counts_in_full(solve: Callable[..., Result]) -> None:
    """Prevention that leads to more care: entitlements 20 + 0.5 (p - 4), so the balance is 12 - 1.5 p - s.

    The rule for savings would leave 10 - p - s >= 0 and so p = 9; the balance itself leaves p = 8 and s = 0.
    """
    more_care = {"saving per million": -0.5, "prevention return": 3, "base return": 1.1}
    savings = {"realistic savings": {"booked share": 0}}
    assert chosen(solve(savings, more_care)) == approximately([9, 9], [1, 1])
    both = solve({"balance": {"when": "every year"}, **savings}, more_care)
    assert chosen(both) == approximately([8, 8], [0, 0])
    assert set(rows(both, "realistic savings")["binds"]) == {"no"}
    assert set(rows(both, "balance")["binds"]) == {"yes"}


def test_a_reserve_floor_at_every_step(solve: Callable[..., Result]) -> None:
    """The reserve is 8 at the start of 2027 and 8 + 3.5 - s27 + 3.5 - s28 at the end: 12 for s together.

    The earlier year counts for more, so 9 and 3, if within the gap: any split of 12 returns almost the same.
    """
    result = solve({"reserve floor": {"floor": 3}})
    p, s = chosen(result)
    assert p == pytest.approx([9, 9], abs=1e-6)
    assert sum(s) == pytest.approx(12, abs=1e-6)
    assert said(rows(result, "reserve floor"), "year", "binds", "measure") == [
        (2027, "no", "every_step"),
        (2028, "yes", "every_step"),
    ]


def test_a_ratio_with_classes(solve: Callable[..., Result]) -> None:
    """Reserve over 6 at least 1 at the end of both years: s27 <= 5.5 and s27 + s28 <= 9."""
    result = solve({"resilience": {}})
    assert chosen(result) == approximately([9, 9], [5.5, 3.5])
    assert said(rows(result, "resilience"), "year", "binds", "null_class", "class") == [
        (2027, "yes", "B", "C"),  # the null alternative has 10 / 6 and 12 / 6
        (2028, "yes", "A", "C"),
    ]
    low = solve({"resilience": {"smallest ratio": 0.7}})
    assert list(rows(low, "resilience")["class"]) == ["E", "E"]


def test_a_run_down(solve: Callable[..., Result]) -> None:
    """A social base that returns less than it costs falls by a quarter a year: 3 and 2.25."""
    result = solve({"run-down": {"decisions": ["social base"]}}, {"base return": 0.5})
    assert chosen(result) == approximately([9, 9], [3, 2.25])
    found = rows(result, "run-down", "social base spending")
    assert said(found, "year", "imposed", "binds", "prices") == [
        (2027, True, "yes", "real"),
        (2028, True, "yes", "real"),
        (2029, True, "no", "real"),  # back to 4
    ]
    assert list(found["limit"]) == pytest.approx([3, 2.25, 1.6875], abs=1e-6)
    assert list(found["null"]) == [4, 4, 4]
    assert rows(result, "run-down", "prevention spending").empty


def test_no_cut_in_the_first_year(solve: Callable[..., Result]) -> None:
    settings = {"decisions": ["social base"], "share": "50%", "no cut in": "first year"}
    result = solve({"run-down": settings}, {"base return": 0.5})
    assert chosen(result) == approximately([9, 9], [4, 2])
    table = result.tables["fiscal_rules"]
    notice = table[(table["rule"] == "run-down") & (table["measure"] == "year_average")]
    assert said(notice, "part", "year", "limit", "binds") == [("social base spending", 2027, 4.0, "yes")]


def test_a_growth_limit(solve: Callable[..., Result]) -> None:
    result = solve({"growth limit": {"decisions": "all"}})
    assert chosen(result) == approximately([5.2, 6.76], [5.2, 6.76])
    loose = solve({"growth limit": {"share": 2}})
    assert chosen(loose) == approximately(*FREE)
    assert set(rows(loose, "growth limit", "prevention spending")["binds"]) == {"no"}


def test_no_more_than_in_the_null_alternative(solve: Callable[..., Result]) -> None:
    """Prevention that returns half its cost would go to 0; waiting at the end of the year keeps it at 4.

    The end of 2027 is the start of 2028, where its decision holds; 2027's own is free.
    """
    result = solve({"open end": {}}, {"prevention return": 0.5})
    (first, last), _ = chosen(result)
    assert (first, last) == (pytest.approx(0, abs=1e-6), pytest.approx(4, abs=1e-6))
    assert list(rows(result, "open end")["binds"]) == ["yes", "yes"]


def test_an_earmark(solve: Callable[..., Result]) -> None:
    """At least 5 on prevention, or 1 less where 1 may be repaid."""
    result = solve({"earmark": {}}, {"prevention return": 0.5})
    assert chosen(result) == approximately([5, 5], [9, 9])
    assert list(rows(result, "earmark")["null_verdict"]) == ["broken", "broken"]
    assert chosen(solve({"earmark": {"repaid": 1}}, {"prevention return": 0.5}))[0] == pytest.approx([4, 4])


def test_an_equation_sets_its_constant_and_bites(solve: Callable[..., Result]) -> None:
    """The grant pays half of prevention: the balance is 8 - s, so s = 8."""
    result = solve({"balance": {"when": "every year"}, "grant": {}})
    assert chosen(result) == approximately([9, 9], [8, 8])
    found = rows(result, "grant", "grant")
    assert (
        said(found, "imposed", "binds", "null_verdict", "verdict") == [(False, "yes", "bites", "bites")] * 2
    )
    assert list(found["advice"]) == pytest.approx([4.5, 4.5])
    carried = rows(result, "grant", "structural income")
    assert said(carried, "verdict") == [("reported",)] * 2
    assert list(carried["advice"]) == pytest.approx([34.5, 34.5])
    off = solve({"balance": {"when": "every year"}, "grant": {"share": 0}})
    assert chosen(off) == approximately([9, 9], [3.5, 3.5])
    assert list(rows(off, "grant", "grant")["verdict"]) == ["does_not_bite"] * 2


def test_a_constant_without_a_value_of_its_own_keeps_the_models(solve: Callable[..., Result]) -> None:
    """A saving of 1 per million: the balance is 30 - p - s - 20 + (p - 4) = 6 - s."""
    result = solve({"balance": {"when": "every year"}, "grant": {"share": 0, "saving": 1}})
    assert chosen(result) == approximately([9, 9], [6, 6])
    status = result.tables["assumptions"].set_index("name")["status"]
    assert status["saving per million"] == "config"
    kept = solve({"grant": {}}).tables["assumptions"].set_index("name")
    assert kept.loc["saving per million", "value"] == 0.5
    assert kept.loc["saving per million", "status"] == "model"


def test_facts_of_the_question(solve: Callable[..., Result]) -> None:
    result = solve({"horizon": {"fewest years": 4}})
    table = result.tables["fiscal_rules"]
    found = table[table["rule"] == "horizon"]
    assert said(found, "part", "sense", "limit", "advice", "verdict", "binds") == [
        ("", "at_least", 4.0, 4.0, "kept", "not_applicable"),
        ("years of the decision", "at_most", 4.0, 2.0, "kept", "not_applicable"),
        ("ledger", "at_least", 1.0, 0.0, "broken", "not_applicable"),
    ]
    assert found["year"].isna().all()


def test_the_rules_of_a_given_allocation_and_of_the_null_alternative(ask: Ask) -> None:
    changes = {"fiscal_rules.file": str(FISCAL / "rules.yaml"), "fiscal_rules.apply": {"balance": {}}}
    problem = ask("treasury", changes, base=FISCAL)
    alone = simulate_allocation(problem, None, "run").tables["fiscal_rules"]
    assert list(alone["advice"][:2]) == list(alone["null"][:2]) == pytest.approx([2, 2])


def test_a_limit_relative_to_another_sum_of_the_null_alternative(ask: Ask) -> None:
    """In `constraints` too: balance + entitlements is 30 - p - s, at least 20 (entitlements now) plus 1."""
    limit = {"null_alternative": {"entitlement spending": 1}, "plus": 1}
    constraint = {"variables": {"structural balance": 1, "entitlement spending": 1}, "at_least": limit}
    problem = ask("treasury", {"constraints": {"own": constraint}, "fiscal_rules": None}, base=FISCAL)
    result = optimise(problem, "run", lambda *_: None)
    assert chosen(result) == approximately([9, 9], [0, 0])
    assert set(result.tables["constraints"]["limit"]) == {21.0}
    assert "fiscal_rules" not in result.tables


def test_such_a_limit_between_decisions(ask: Ask) -> None:
    """Prevention at most the social base of the null alternative (4, growing by 10 % from 2026), plus 1."""
    limit = {"null_alternative": {"social base": 1}, "plus": 1}
    changes = {
        "constraints": {"own": {"decisions": {"prevention": 1}, "at_most": limit}},
        "decisions.social base.null_trend": 0.1,
        "fiscal_rules": None,
    }
    result = optimise(ask("treasury", changes, base=FISCAL), "run", lambda *_: None)
    assert chosen(result)[0] == pytest.approx([4 * 1.1 + 1, 4 * 1.21 + 1])
