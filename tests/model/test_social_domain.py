"""The model of the social domain and its table of constants: complete, equal, in range, in balance."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from social_model import BELOW_ZERO, SocialDomain

from sdopt.equations.expression import Number

ROOT = Path(__file__).resolve().parents[2]
FILES = ("social_domain.mdl", "social_domain.csv", "write_constants.py")
SCALE = 179.4
"""National figures to 100,000 inhabitants."""


def numbers(node: Any) -> Iterator[float]:
    """Every number written in an expression."""
    if isinstance(node, Number):
        yield node.value
    elif isinstance(node, tuple):
        for part in node:
            yield from numbers(part)
    elif is_dataclass(node):
        for field in fields(node):
            yield from numbers(getattr(node, field.name))


# The table


def test_table_and_model_file_hold_the_same_constants(social: SocialDomain) -> None:
    constants = {v.key: v for v in social.model.system.of_kind("constant")}
    values = social.run()
    assert constants.keys() == social.table.keys()
    assert {k: (v.name, v.unit) for k, v in constants.items()} == {
        k: (row.name, row.unit) for k, row in social.table.items()
    }
    assert {k: float(values[k][0]) for k in constants} == {k: r.value for k, r in social.table.items()}


def _written(folder: Path, change: tuple[str, str] | None = None) -> str:
    """The model file after `write_constants.py` has run on a copy."""
    for name in FILES:
        shutil.copy(ROOT / "models" / name, folder)
    if change:
        table = folder / "social_domain.csv"
        text = table.read_text(encoding="utf-8")
        assert text.count(change[0]) == 1
        table.write_text(text.replace(*change), encoding="utf-8", newline="\n")
    subprocess.run([sys.executable, str(folder / "write_constants.py")], check=True)
    return (folder / "social_domain.mdl").read_text(encoding="utf-8")


def test_writing_the_table_into_the_model_changes_nothing(tmp_path: Path) -> None:
    assert _written(tmp_path) == (ROOT / "models" / "social_domain.mdl").read_text(encoding="utf-8")


def test_writing_the_table_carries_a_change_over(tmp_path: Path) -> None:
    text = _written(tmp_path, ("prevention delay,3,", "prevention delay,4,"))
    assert "\nprevention delay=\n\t4\n" in text


def test_every_constant_lies_in_its_range(social: SocialDomain) -> None:
    for row in social.table.values():
        assert row.low is not None, row.name
        assert row.high is not None, row.name
        assert row.low <= row.value <= row.high, row.name


def test_an_uncertain_constant_has_a_range_with_a_width(social: SocialDomain) -> None:
    uncertain = [row for row in social.table.values() if row.uncertain]
    assert len(uncertain) > 60
    assert not [row.name for row in uncertain if row.low == row.high]


NOT_PROVEN = {
    "hours per EUR of social base",
    "network elasticity of light need",
    "youth elasticity of prevention",
    "net job chance of trajectory",
    "exit effect of problem debt",
    "debt help success",
    "tightness elasticity of exit",
    "tightness elasticity of reintegration",
    "diversion by access",
    "reablement success",
    "extra exits under pressure",
    "health effect of network",
    "lock in reduction",
    "avoidable overhead",
    "overhead effect of accountability",
    "learning rate",
    "complementarity of network",
    "bijstand share of hires",
    "jobs per person off bijstand",
    "jobs per extra participant",
}
"""Effects for which the evidence does not exclude none (section 2 of its summary)."""


def test_an_effect_that_is_not_proven_has_none_in_its_range_and_is_uncertain(social: SocialDomain) -> None:
    rows = [social.table[social.key(name)] for name in sorted(NOT_PROVEN)]
    outside = [row.name for row in rows if not (row.uncertain and (row.low or 0) <= 0 <= (row.high or 0))]
    assert not outside
    participants = social.table["exit_ratio_of_participants"]
    assert participants.uncertain
    assert participants.low == 1  # a ratio: 1 is no effect


def test_the_wrong_sign_is_in_the_ranges(social: SocialDomain) -> None:
    """P02 and Y10: more access finds need, so that more individual help follows, not less."""
    assert social.table["network_elasticity_of_light_need"].high > 0
    table, high = social.table, social.table["visibility_effect"].high
    assert table["visibility_effect"].low > 0
    assert table["youth_diversion_by_access"].low < 0
    constants = {"visibility effect": high, "diversion by access": 0.0, "youth diversion by access": -0.05}
    more = social.run(constants, social.step("access spending", 2))
    today = social.run(constants)
    for clients in ("light_clients", "youth_clients"):
        assert np.all(social.at(more[clients], 2029) > social.at(today[clients], 2029))
        assert np.all(more[clients] >= today[clients])


DERIVED = {
    "initial bijstand short": 69_000 / SCALE,
    "initial bijstand medium": 133_000 / SCALE,
    "initial bijstand long": 199_000 / SCALE,
    "total inflow at start": 83_560 / SCALE,
    "exit hazard short": 27_120 / 69_000,
    "exit hazard medium": 29_310 / 133_000,
    "exit hazard long": 16_170 / 199_000,
    "pension hazard": 7_000 / 199_000,
    "initial problem debt households": 747_500 / SCALE,
    "problem debt inflow": 12 * 7_000 / SCALE,
    "debt helps at reference": 48 * 100 * 0.07,
    "initial informal network capacity": 1.5e9 / SCALE,
    "hours per carer": (8_361_000 - 732_000) * SCALE / 1.9e6,
    "participation hours": 4.2 * 52,
    "initial light clients": 556_000 / SCALE,
    "initial heavy clients": (1_300_000 - 556_000) / SCALE,
    "initial youth clients": 474_000 / SCALE,
    "price of heavy help": (6_000 - 0.0033 * 556_000) / 744_000,
    "provisions cap": 6_000 / SCALE,
    "objective BUIG budget": 7_331.7 / SCALE,
    "exit effect of problem debt": 4 / 66,
    "health effect of participation": 0.15 * 0.4,
    "health effect of problem debt": 0.175 * 0.4,
    "operating cost per person": 0.002883 * 1.3,
    "value of informal hour": 13.1 * 1.23,
    "initial participation cluster": 4_000 / SCALE,
    "youth grant per year": 828 / 2 / SCALE,
}


@pytest.mark.parametrize("name", DERIVED)
def test_a_derived_constant_follows_from_the_national_figures(social: SocialDomain, name: str) -> None:
    assert social.today(name) == pytest.approx(DERIVED[name], rel=0.015)


def test_reference_spending_is_todays_spending(social: SocialDomain) -> None:
    references = [key for key in social.table if key.startswith("reference_") and key.endswith("_spending")]
    assert len(references) == 9
    for key in references:
        row = social.table[key]
        assert row.low == row.high == row.value == social.table[key.removeprefix("reference_")].value


# The model file


def test_equations_hold_no_numbers_of_their_own(social: SocialDomain) -> None:
    """Constants live in the table; 0, 1 and 2 may stand in an equation, and what ZIDZ takes for zero."""
    for variable in social.model.system.variables.values():
        if variable.kind != "constant":
            assert set(numbers((variable.expression, variable.initial))) <= {0, 1, 2, 1e-6}, variable.name


def test_every_variable_has_a_unit_and_a_description(social: SocialDomain) -> None:
    variables = social.model.system.visible.values()
    assert len(variables) > 400
    assert not [v.name for v in variables if not v.unit.strip() or len(v.description.strip()) < 10]


MEMORIES = {
    *("Earning capacity projects", "Prevention in place", "Programmes in place", "Benefits in BUIG base"),
    *("BUIG spending of three years", "Safety net to receive", "Recipients in grant base"),
    "Insured care saved and proved",
}
"""Stages of a delay: they hold what is on its way or remembered, and are no stocks for a reader to follow."""


def test_size_and_time_step(social: SocialDomain) -> None:
    stocks = {stock.name for stock in social.model.system.visible.values() if stock.kind == "stock"}
    assert stocks > MEMORIES
    assert 18 <= len(stocks - MEMORIES) <= 24
    assert social.model.system.time.step <= 0.25


def test_no_delay_is_shorter_than_the_time_step(social: SocialDomain) -> None:
    delays = [row for row in social.table.values() if row.unit == "Year"]
    assert len(delays) > 8
    assert not [row.name for row in delays if (row.low or 0) <= social.model.system.time.step]


# The state at the start


def test_bijstand_starts_as_the_stock_balance_of_2023(social: SocialDomain) -> None:
    run = social.run()
    total_in = run["new_inflow_to_bijstand"][0] + run["returns_to_bijstand"][0]
    exits = sum(run[f"exits_{group}"][0] for group in ("short", "medium", "long"))
    assert total_in * SCALE == pytest.approx(83_560, rel=0.01)
    assert exits * SCALE == pytest.approx(72_570, rel=0.01)
    assert run["pension_exits"][0] * SCALE == pytest.approx(7_000, rel=0.01)
    assert run["people_on_bijstand"][0] * SCALE == pytest.approx(401_000, rel=0.005)
    growth = (run["people_on_bijstand"][8] - run["people_on_bijstand"][0]) * SCALE
    assert 3_000 < growth < 6_000  # 401 to 405-406 thousand


def _share_returned(social: SocialDomain, pressure: float) -> np.ndarray:
    """Share of one cohort of leavers that is back, by step: all exits but those of one step are off."""
    paths = {f"exit hazard {group}": np.zeros(social.grid.steps + 1) for group in ("short", "medium", "long")}
    paths["exit hazard short"][8] = social.today("exit hazard short")
    constants = {
        "net job chance of trajectory": 0.0,
        "lock in reduction": 0.0,
        "bijstand share of hires": 0.0,
        "pressure for fast exit": pressure,
        "extra exits under pressure": 0.0,
        "durable exits displaced": 1.0,  # with pressure on, all exits of that step are forced
    }
    run = social.run(constants, paths)
    assert run["left_later"][0] == 0
    back = np.cumsum(run["returns_to_bijstand"]) * social.grid.step
    return np.r_[back[8:-1] / (run["exits_short"][8] * social.grid.step), np.nan]


@pytest.mark.parametrize(("years", "share"), [(0.5, 0.14), (1, 0.20), (3, 0.30), (5, 0.35)])
def test_leavers_return_as_observed(social: SocialDomain, years: float, share: float) -> None:
    assert _share_returned(social, 0.0)[round(years / social.grid.step)] == pytest.approx(share, abs=0.03)


def test_leavers_return_as_observed_in_the_first_year(social: SocialDomain) -> None:
    returned = _share_returned(social, 0.0)
    assert [returned[4], returned[8]] == pytest.approx([0.14, 0.20], abs=0.01)


def test_leavers_under_pressure_return_twice_as_often_in_half_a_year(social: SocialDomain) -> None:
    assert _share_returned(social, 1.0)[4] == pytest.approx(0.28, abs=0.02)


def test_what_has_no_trend_starts_in_balance(social: SocialDomain) -> None:
    """Groups that ageing does not move stay within one percent in the first year."""
    run = social.run()
    for stock in (
        *("Bijstand short", "Bijstand medium", "Left in first half year", "Left later"),
        *("People in trajectory", "People participating", "Good health share"),
        *("Problem debt households", "Prevention in place", "Social infrastructure"),
    ):
        values = run[social.key(stock)]
        assert values[8] == pytest.approx(values[0], rel=0.01), stock
    assert run["exits_by_reintegration"][0] == run["exits_by_reablement"][0] == 0


def test_clients_start_on_their_growth_path(social: SocialDomain) -> None:
    run = social.run({"network elasticity of light need": 0.0})
    for stock, growth in (("light", "light"), ("heavy", "heavy")):
        rate = social.today(f"growth of {growth} need")
        for kind in (f"{stock}_clients", f"waiting_for_{stock}_help"):
            assert run[kind][8] / run[kind][0] == pytest.approx(np.exp(rate), rel=0.003), kind
    assert run["hidden_need"][8] / run["hidden_need"][0] == pytest.approx(np.exp(0.034), rel=0.001)
    wmo = run["light_clients"] + run["heavy_clients"]
    assert wmo[0] * SCALE == pytest.approx(1_300_000, rel=0.01)
    assert wmo[8] / wmo[0] == pytest.approx(1.03, abs=0.006)
    assert run["youth_clients"][8] / run["youth_clients"][0] == pytest.approx(1.01, abs=0.002)


def test_carers_per_receiver_fall_as_projected(social: SocialDomain) -> None:
    """From 4.8 in 2018 to 3.0 in 2040: 2.1 to 2.3 % a year, a projection without overload; with it, more."""
    support = social.run({"drop out of burdened carers": 0.0})["informal_support"]
    assert social.at(support, 2048) == pytest.approx((3.0 / 4.8), abs=0.03)
    assert social.at(social.run()["informal_support"], 2048) < social.at(support, 2048)


def test_the_first_year_closes(social: SocialDomain) -> None:
    run = social.run()
    assert abs(run["structural_balance"][0]) < 0.1
    assert run["spending_on_wmo"][0] == pytest.approx(6_000 / SCALE, rel=0.01)
    assert run["spending_on_youth_care"][0] == pytest.approx(8_100 / SCALE, rel=0.02)
    assert run["spending_on_benefits"][0] == pytest.approx(7_158 / SCALE, rel=0.01)


# All uncertainties at once

SHARES = (
    "good_health_share",
    "participation_share",
    "burdened_share",
    "admitted_share",
    "problem_debt_share",
)


@pytest.mark.parametrize("allocation", [False, True])
def test_no_stock_below_zero_within_the_ranges(social: SocialDomain, allocation: bool) -> None:
    """A Latin hypercube of 600 draws over the ranges of all constants; `run` raises for inf and nan."""
    paths = social.random_allocation(seed=12) if allocation else {}
    run = social.run(social.draw(600, seed=11), paths)
    for stock in social.model.system.of_kind("stock"):
        if stock.name not in BELOW_ZERO:
            assert run[stock.key].min() >= 0, stock.name
    for share in SHARES:
        assert run[share].min() >= 0, share
        assert run[share].max() <= 1, share
    # A trajectory goes on for a while when its person has left the pool, so there may be some more.
    assert (run["people_in_trajectory"] <= 1.1 * run["eligible_for_reintegration"]).all()


def test_organisation_and_learning_sink_to_a_floor_without_money(social: SocialDomain) -> None:
    """Both are relative to today and level off: below today they come near their floor, never under it."""
    drawn = social.draw(600, seed=13)
    none = {f"{name}_spending": np.zeros(600) for name in ("organisation", "learning")}
    run = social.run({**drawn, **none})
    for stock, saturation, height in (
        ("organisation_quality", "saturation_of_organisation", 1.0),
        ("learning_capacity", "saturation_of_learning", run["learning_rate"][0] / run["learning_decay"][0]),
    ):
        floor = -height * (1 + run[saturation][0]) / run[saturation][0]
        lost = run[stock] - run[stock][0]
        assert (lost >= floor * (1 + 1e-9)).all(), stock
        assert (lost[-1] < 0.9 * floor).all(), stock
    assert run["learning_factor"].min() > 0
