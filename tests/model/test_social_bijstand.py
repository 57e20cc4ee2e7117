"""Bijstand, debt, health and participation: each claim as a difference that a switch takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

if TYPE_CHECKING:
    from conftest import SocialDomain


Array = NDArray[np.float64]
PEOPLE = "people_on_bijstand"
DEBTS = "problem_debt_households"


# S1a: income security, stress, health, participation, income security


def test_more_people_on_bijstand_bring_more_problem_debts(social: SocialDomain) -> None:
    shock = social.step("total inflow at start", 1.1, 2028, 2029)
    assert social.effect({}, shock, DEBTS)[-1] > 1
    assert np.all(social.effect({"bijstand share of problem debt": 0.0}, shock, DEBTS) == 0)


CUTS = {
    "both effects of debt": {"exit effect of problem debt": 0.0, "health effect of problem debt": 0.0},
    "effect on exits, and health on exits": {
        "exit effect of problem debt": 0.0,
        "hazard ratio of poor health": 1.0,
    },
}


@pytest.mark.parametrize("cut", CUTS)
def test_problem_debts_keep_people_on_bijstand_until_a_link_is_cut(social: SocialDomain, cut: str) -> None:
    shock = social.step("problem debt inflow", 1.5, 2028, 2029)
    assert social.at(social.effect({}, shock), 2036) > 1
    assert np.all(social.effect(CUTS[cut], shock) == 0)


def test_either_way_from_debt_to_bijstand_works_alone(social: SocialDomain) -> None:
    shock = social.step("problem debt inflow", 1.5, 2028, 2029)
    both = social.effect({}, shock)[-1]
    for name in ("exit effect of problem debt", "health effect of problem debt"):
        assert 0 < social.effect({name: 0.0}, shock)[-1] < both


def test_the_loop_reinforces_with_a_gain_well_below_one(social: SocialDomain) -> None:
    """A lasting shock grows by 1 / (1 - gain) through the loop; 100 draws of all that is in it."""
    names = ("exit effect of problem debt", "health effect of problem debt", "bijstand share of problem debt")
    others = ("hazard ratio of poor health", "problem debt share on bijstand", "problem debt outflow rate")
    drawn = {social.key(n): social.draw(100, seed=5)[social.key(n)] for n in (*names, *others)}
    shock = social.step("total inflow at start", 1.1)
    cut = drawn | {"bijstand_share_of_problem_debt": np.zeros(100)}
    closed, open_ = (social.effect(constants, shock)[-1] for constants in (drawn, cut))
    gain = 1 - open_ / closed
    assert gain.min() > 0
    assert gain.max() < 0.1


# S1b: re-integration and the labour market


def _extra_exits(social: SocialDomain, elasticity: float, year: float) -> float:
    """Extra exits per extra trajectory, of one year of twice the re-integration, in a cycle."""
    cycle = {"cycle amplitude": 0.3, "tightness elasticity of reintegration": elasticity}
    paths = social.step("reintegration spending", 2, year, year + 1)
    more, less = social.run(cycle, paths), social.run(cycle)
    window = slice(0, round((year + 9 - 2026) / social.grid.step))
    exits, completed = (
        np.sum((more[key] - less[key])[window])
        for key in ("exits_by_reintegration", "trajectories_completed")
    )
    return float(exits / completed)


def test_reintegration_returns_more_in_slack_years_than_in_tight_years(social: SocialDomain) -> None:
    """With the cycle on, 2027 is tight (peak 2028) and 2031 is slack (trough 2032)."""
    tight, slack = (_extra_exits(social, -0.3, year) for year in (2027, 2031))
    assert slack > 1.05 * tight
    tight, slack = (_extra_exits(social, 0.0, year) for year in (2027, 2031))
    assert slack == pytest.approx(tight, rel=0.01)


def test_a_trajectory_yields_its_net_job_chance_lock_in_included(social: SocialDomain) -> None:
    assert _extra_exits(social, 0.0, 2027) == pytest.approx(
        social.today("net job chance of trajectory"), rel=0.01
    )


# S1c: fast but not durable exit


def test_pressure_for_speed_gives_exits_now_and_returns_later(social: SocialDomain) -> None:
    """Pressure in 2028-2029: the stock dips at once, then half of the dip is gone in three years."""
    pressure = social.hold("pressure for fast exit", 1.0, 2028, 2030)
    run, null = social.run({}, pressure), social.run()
    stock, returns = run[PEOPLE] - null[PEOPLE], run["returns_to_bijstand"] - null["returns_to_bijstand"]
    assert social.at(stock, 2029) < -10
    assert social.at(returns, 2030) > 5
    assert social.at(stock, 2033) > social.at(stock, 2030) / 2
    assert np.diff(stock)[round((2030.25 - 2026) * 8) :].min() > 0  # from then on only back up


def test_pressure_gains_less_because_leavers_return(social: SocialDomain) -> None:
    pressure = social.hold("pressure for fast exit", 1.0)
    durable = {"return hazard under pressure": social.today("return hazard first half year")}
    assert social.at(social.effect({}, pressure), 2036) > social.at(social.effect(durable, pressure), 2036)


def test_exits_under_pressure_return_more_than_others(social: SocialDomain) -> None:
    run = social.run({"pressure for fast exit": 1.0})
    assert np.all(run["return_hazard_under_pressure"] > 2 * run["return_hazard_first_half_year"])
    off = social.run({"pressure for fast exit": 1.0, "extra exits under pressure": 0.0})
    assert np.array_equal(off[PEOPLE], social.run()[PEOPLE])


# S2a: what moves whom


def _hazards(run: dict[str, Array]) -> dict[str, Array]:
    """Share of a group that leaves per year, re-integration included."""
    extra = {group: run[f"exits_by_reintegration_{group}"] for group in ("short", "medium")} | {"long": 0.0}
    return {
        group: (run[f"exits_{group}"] + extra[group]) / run[f"bijstand_{group}"]
        for group in ("short", "medium", "long")
    }


def test_reintegration_moves_the_groups_under_five_years(social: SocialDomain) -> None:
    null = _hazards(social.run())
    more = _hazards(social.run({}, social.step("reintegration spending", 2)))
    change = {group: social.at(more[group] / null[group], 2036) - 1 for group in null}
    assert change["short"] > 0.005
    assert change["medium"] > 0.01
    assert abs(change["long"]) < 0.001


def test_participation_moves_the_long_term_group_and_hardly_the_short_one(social: SocialDomain) -> None:
    paths = social.step("participation spending", 2)
    null, more = _hazards(social.run()), _hazards(social.run({}, paths))
    change = {group: social.at(more[group] / null[group], 2036) - 1 for group in null}
    assert change["long"] > 0.01
    assert change["long"] > 5 * change["short"]
    people = {group: social.at(social.effect({}, paths, f"bijstand_{group}"), 2040) for group in null}
    assert people["long"] < people["medium"] < 0
    assert people["long"] < 5 * -abs(people["short"])


@given(st.data())
@settings(max_examples=15)
def test_more_participation_never_keeps_people_on_bijstand(social: SocialDomain, data: st.DataObject) -> None:
    effects = ("exit ratio of participants", "health effect of participation", "hazard ratio of poor health")
    delays = ("participation adjustment time", "health adjustment time", "cost per participation place")
    constants = data.draw(social.from_range(*effects, *delays))
    paths = social.step("participation spending", data.draw(st.floats(1.1, 3)))
    assert social.effect(constants, paths).max() <= 1e-9
    off = constants | {"exit ratio of participants": 1.0, "health effect of participation": 0.0}
    assert np.abs(social.effect(off, paths)).max() < 1e-9


# S2c: lock-in


def test_reintegration_is_worse_before_it_is_better(social: SocialDomain) -> None:
    change = social.effect({}, social.step("reintegration spending", 2))
    assert social.at(change, 2028.5) > 1
    assert social.at(change, 2030) < 0
    without = social.effect({"lock in reduction": 0.0}, social.step("reintegration spending", 2))
    assert without.max() <= 1e-9
    assert without[-1] == pytest.approx(change[-1], rel=0.1)  # the delay is paid, the net gain is the same


# S2b, prevention: debts and health


@given(st.data())
@settings(max_examples=15)
def test_more_prevention_never_brings_more_problem_debts(social: SocialDomain, data: st.DataObject) -> None:
    help_given = ("debt help success", "debt helps at reference")
    constants = data.draw(social.from_range(*help_given, "saturation of prevention", "prevention delay"))
    paths = social.step("prevention spending", 2)
    assert social.effect(constants, paths, DEBTS).max() <= 1e-9
    assert social.effect(constants, paths, "youth_clients").max() <= 1e-9
    off = constants | {"debt help success": 0.0, "youth elasticity of prevention": 0.0}
    assert np.all(social.effect(off, paths, DEBTS) == 0)
    assert np.all(social.effect(off, paths, "youth_clients") == 0)


def test_prevention_works_with_its_delay(social: SocialDomain) -> None:
    change = social.effect({}, social.step("prevention spending", 2), "prevention_in_place")
    delay = social.today("prevention delay")
    assert social.at(change, 2028 + delay) == pytest.approx(3.0 * (1 - np.exp(-1)), rel=0.02)
