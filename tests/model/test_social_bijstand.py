"""Bijstand, debt, health and participation: each claim as a difference that a switch takes away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from experiments_bijstand import RETURN_PATH_OFF, extra_exits, loop_gain, run_with_debts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from social_model import Array, SocialDomain

PEOPLE = "people_on_bijstand"
DEBTS = "problem_debt_households"


# S1a: income security, stress, health, participation, income security


def test_more_people_on_bijstand_bring_more_problem_debts(social: SocialDomain) -> None:
    shock = social.step("total inflow at start", 1.1, 2028, 2029)
    assert social.effect({}, shock, DEBTS)[-1] > 1
    assert np.all(social.effect({"bijstand share of problem debt": 0.0}, shock, DEBTS) == 0)


CUTS = {
    "both effects of debt": {"exit effect of problem debt": 0.0, "health effect of problem debt": 0.0},
    "effect on exits, and health on exits and on participation": {
        "exit effect of problem debt": 0.0,
        "hazard ratio of poor health": 1.0,
        "participation effect of health": 0.0,
    },
}


def effect_of_debts(social: SocialDomain, constants: Mapping[str, float]) -> Array:
    """What a year of half as many new problem debts again changes in people on bijstand."""
    null = social.run(constants)[PEOPLE]
    extra = 0.5 * ((social.grid.times >= 2028) & (social.grid.times < 2029))
    return run_with_debts_of(social, constants, null, extra, {})[PEOPLE] - null


@pytest.mark.parametrize("cut", CUTS)
def test_problem_debts_keep_people_on_bijstand_until_a_link_is_cut(social: SocialDomain, cut: str) -> None:
    assert social.at(effect_of_debts(social, {}), 2036) > 1
    assert np.all(effect_of_debts(social, CUTS[cut]) == 0)


def test_either_way_from_debt_to_bijstand_works_alone(social: SocialDomain) -> None:
    both = effect_of_debts(social, {})[-1]
    for name in ("exit effect of problem debt", "health effect of problem debt"):
        assert 0 < effect_of_debts(social, {name: 0.0})[-1] < both


def test_the_loop_reinforces_with_a_gain_well_below_one(social: SocialDomain) -> None:
    """A lasting shock grows by 1 / (1 - gain) through the loop; 100 draws of all that is in it."""
    names = ("exit effect of problem debt", "health effect of problem debt", "bijstand share of problem debt")
    others = ("hazard ratio of poor health", "problem debt share on bijstand", "debt help success")
    drawn = {social.key(n): social.draw(100, seed=5)[social.key(n)] for n in (*names, *others)}
    shock = social.step("total inflow at start", 1.1)
    cut = drawn | {"bijstand_share_of_problem_debt": np.zeros(100)}
    closed, open_ = (social.effect(constants, shock)[-1] for constants in (drawn, cut))
    gain = 1 - open_ / closed
    assert gain.min() > 0
    assert gain.max() < 0.1


@pytest.mark.parametrize("direct", [{}, {"exit effect of problem debt": 0.0}], ids=["whole", "by health"])
def test_two_ways_to_measure_the_gain_agree(direct: dict[str, float]) -> None:
    """A rise fed in by hand; and a shock with the loop closed, or with debts as if it had not come."""
    century, constants = SocialDomain(end=2126), direct | RETURN_PATH_OFF
    null, nothing = century.run(constants)[PEOPLE], np.zeros(century.grid.steps + 1)
    shock = century.step("total inflow at start", 1.001)
    closed = century.effect(constants, shock)[-1]
    held = run_with_debts_of(century, constants, null, nothing, shock)[PEOPLE]
    assert 1 - (held[-1] - null[-1]) / closed == pytest.approx(loop_gain(constants), rel=0.03)


# S1b: re-integration and the labour market


def test_a_trajectory_yields_its_net_job_chance_lock_in_included(social: SocialDomain) -> None:
    assert extra_exits(social, {"tightness elasticity of reintegration": 0.0}, 2027) == pytest.approx(
        social.today("net job chance of trajectory"), rel=0.01
    )


# S1c: fast but not durable exit


def test_pressure_gains_less_because_leavers_return(social: SocialDomain) -> None:
    pressure = social.hold("pressure for fast exit", 1.0)
    durable = {"return hazard under pressure": social.today("return hazard first half year")}
    assert social.at(social.effect({}, pressure), 2036) > social.at(social.effect(durable, pressure), 2036)


def test_exits_under_pressure_return_more_than_others(social: SocialDomain) -> None:
    run = social.run({"pressure for fast exit": 1.0})
    assert np.all(run["return_hazard_under_pressure"] > 2 * run["return_hazard_first_half_year"])
    none = {"extra exits under pressure": 0.0, "durable exits displaced": 0.0}
    off = social.run({"pressure for fast exit": 1.0, **none})
    assert np.array_equal(off[PEOPLE], social.run()[PEOPLE])


# S2a: what moves whom


@given(st.data())
@settings(max_examples=15)
def test_more_participation_never_keeps_people_on_bijstand(social: SocialDomain, data: st.DataObject) -> None:
    effects = ("exit ratio of participants", "health effect of participation", "hazard ratio of poor health")
    delays = ("participation adjustment time", "health adjustment time", "cost per participation place")
    constants = data.draw(social.from_range(*effects, *delays))
    paths = social.step("participation spending", data.draw(st.floats(1.1, 3)))
    assert social.effect(constants, paths).max() <= 1e-9
    none = {"exit ratio of participants": 1.0, "health effect of participation": 0.0}
    off = constants | none | RETURN_PATH_OFF
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
