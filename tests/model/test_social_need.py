"""Networks, hidden need, waiting and the cap: each claim as a difference that a switch takes away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from social_model import SocialDomain

# S3b: informal networks


def test_without_upkeep_the_social_infrastructure_decays(social: SocialDomain) -> None:
    stopped = social.run({}, social.step("social base spending", 0, 2026))
    decay = social.today("social infrastructure decay") * social.grid.step
    left = stopped["social_infrastructure"] / stopped["social_infrastructure"][0]
    assert left == pytest.approx((1 - decay) ** np.arange(social.grid.steps + 1), rel=1e-9)


def test_without_upkeep_the_network_shrinks_slowly(social: SocialDomain) -> None:
    paths = social.step("social base spending", 0)
    loss = social.effect({}, paths, "informal_network_capacity")
    assert 0 > social.at(loss, 2029) > 0.1 * loss[-1]  # a year on, less than a tenth of the loss
    assert loss[-1] < -0.05 * social.today("initial informal network capacity")
    none = {"hours per EUR of social base": 0.0}
    assert np.all(social.effect(none, paths, "informal_network_capacity") == 0)


def test_overload_makes_a_loss_larger_past_the_threshold_only(social: SocialDomain) -> None:
    """The spiral: fewer hours, more load, more carers who stop, fewer hours."""
    paths = social.step("social base spending", 0)
    still, moving = (
        social.effect({"drop out of burdened carers": rate}, paths, "carer_hours")[-1]
        for rate in (0.0, 0.075)
    )
    assert moving < still == 0
    assert np.all(social.run({"load threshold": 9.0}, paths)["extra_drop_out_of_carers"] == 0)


def test_ageing_alone_wears_the_network_down(social: SocialDomain) -> None:
    run = social.run()
    assert np.diff(run["informal_support"]).max() < 0
    assert np.diff(run["burdened_share"]).min() > 0


NETWORK = (
    *("hours per EUR of social base", "saturation of social base", "social infrastructure decay"),
    *("network adjustment time", "drop out of burdened carers", "burdened share per load", "load threshold"),
    *("growth of care receivers", "growth of potential carers", "network elasticity of light need"),
)


@given(st.data())
@settings(max_examples=15)
def test_more_social_base_never_lowers_support_nor_raises_need(
    social: SocialDomain, data: st.DataObject
) -> None:
    constants = data.draw(social.from_range(*NETWORK))
    constants["network elasticity of light need"] *= -np.sign(constants["network elasticity of light need"])
    paths = social.step("social base spending", data.draw(st.floats(1.1, 3)))
    assert social.effect(constants, paths, "informal_support").min() >= -1e-12
    assert social.effect(constants, paths, "burdened_share").max() <= 1e-12
    assert social.effect(constants, paths, "new_light_need").max() <= 1e-9


# S4a: networks and light help

BLIND = {"visibility effect": 0.0, "visibility effect of social base": 0.0}


def test_a_stronger_network_lowers_light_demand_only(social: SocialDomain) -> None:
    paths = social.step("social base spending", 2)
    assert social.effect(BLIND, paths, "light_clients")[-1] < -10
    assert social.effect(BLIND, paths, "light_clients").max() <= 0
    none_turns_heavy = BLIND | {"light to heavy rate": 0.0, "deterioration of hidden need": 0.0}
    assert social.effect(none_turns_heavy, paths, "light_clients")[-1] < -10
    assert np.all(social.effect(none_turns_heavy, paths, "heavy_clients") == 0)
    assert np.all(social.effect(none_turns_heavy, paths, "youth_clients") == 0)


def test_a_zero_elasticity_switches_the_effect_on_demand_off(social: SocialDomain) -> None:
    off = BLIND | {"network elasticity of light need": 0.0}
    for clients in ("light_clients", "heavy_clients", "youth_clients"):
        assert np.all(social.effect(off, social.step("social base spending", 2), clients) == 0)


# S2c: visible help finds unmet need first


def test_a_visible_social_base_raises_light_clients_first(social: SocialDomain) -> None:
    """At central values it stays above: the network then prevents less than visibility finds."""
    paths = social.step("social base spending", 2)
    assert social.at(social.effect({}, paths, "light_clients"), 2030) > 5
    assert social.at(social.effect(BLIND, paths, "light_clients"), 2030) < 0
    assert social.at(social.effect({}, paths, "hidden_need"), 2030) < -5


def test_a_strong_network_is_worse_before_it_is_better(social: SocialDomain) -> None:
    """At the favourable ends of the ranges the bow wave passes, and fewer clients remain."""
    favourable = {
        "visibility effect": 0.4,
        "network elasticity of light need": -0.25,
        "hours per EUR of social base": 0.15,
        "hidden share of need": 0.05,
    }
    change = social.effect(favourable, social.step("social base spending", 2), "light_clients")
    assert social.at(change, 2030) > 0
    assert change[-1] < 0


def test_access_pays_by_diversion_and_hurts_by_visibility(
    social: SocialDomain,
) -> None:
    paths = social.step("access spending", 2)
    diverting = {"diversion by access": 0.07}
    assert social.effect(BLIND | diverting, paths, "light_clients").max() <= 0
    assert social.effect(diverting, paths, "light_clients")[-1] < 0
    assert social.effect({"diversion by access": 0.0}, paths, "light_clients").min() >= 0


@given(st.data())
@settings(max_examples=15)
def test_found_need_fades_but_is_never_negative(social: SocialDomain, data: st.DataObject) -> None:
    names = ("visibility effect", "hidden share of need", "finding rate", "saturation of access")
    constants = data.draw(social.from_range(*names))
    more, null = social.run(constants, social.step("access spending", 1.5)), social.run(constants)
    found = (more["found_need"] - null["found_need"]) / null["growth_index_of_light_need"]
    assert found.min() >= 0
    assert social.at(found, 2036) < social.at(found, 2028)


# Reablement


@given(st.data())
@settings(max_examples=15)
def test_more_reablement_never_brings_more_light_clients(social: SocialDomain, data: st.DataObject) -> None:
    constants = data.draw(social.from_range("reablement success", "cost per reablement"))
    paths = social.step("reablement spending", data.draw(st.floats(1.1, 5)))
    assert social.effect(constants, paths, "light_clients").max() <= 1e-9
    assert np.all(social.effect(constants | {"reablement success": 0.0}, paths, "light_clients") == 0)


# F: an open-ended right, and a cap


def test_without_a_cap_nobody_waits_beyond_the_legal_term(social: SocialDomain) -> None:
    run = social.run(social.draw(50, seed=2) | {"provisions_cap_switch": np.zeros(50)})
    assert np.all(run["waiting_beyond_the_legal_term"] == 0)
    assert np.all(run["admitted_share"] == 1)
    assert np.array_equal(run["unmet_need"], run["hidden_need"])


def test_a_cap_builds_a_waiting_list(social: SocialDomain) -> None:
    run = social.run({}, social.hold("provisions cap switch", 1.0, 2028))
    waiting = run["waiting_beyond_the_legal_term"]
    assert social.at(waiting, 2027.875) == 0
    assert np.diff(waiting[16:]).min() > 0
    assert social.at(run["unmet_need"], 2032) > 2 * social.at(run["hidden_need"], 2032)


@pytest.mark.parametrize("cap", [30.0, 33.4, 36.0, 40.0])
def test_a_cap_holds(social: SocialDomain, cap: float) -> None:
    run = social.run({"provisions cap switch": 1.0, "provisions cap": cap})
    spending = run["spending_on_wmo"]
    assert social.at(spending, 2032) <= cap
    assert spending[8 * 6 :].max() <= cap
    assert social.at(spending, 2046) > 0.95 * cap


def test_a_cap_costs_heavier_care_later(social: SocialDomain) -> None:
    """Six years of a cap: more need turns heavy, and after it more heavy clients than without."""
    paths = social.hold("provisions cap switch", 1.0, 2028, 2034)
    assert social.at(social.effect({}, paths, "applications_for_heavy_help"), 2032) > 10
    peak = social.effect({}, paths, "heavy_clients").max()
    assert peak > 50
    assert peak > social.effect({"deterioration of waiting": 0.0}, paths, "heavy_clients").max()
    assert social.at(social.effect({}, paths, "spending_on_wmo"), 2032) < 0


# B: the budget


def test_what_is_saved_on_rights_goes_to_the_reserve(social: SocialDomain) -> None:
    """Reablement pays for itself or not: the reserve gains just what provisions cost less."""
    change = social.effects({}, social.step("reablement spending", 2))
    spent = sum(change[key] for key in ("entitlement_spending", "decided_spending", "start_up_cost"))
    assert np.abs(change["municipal_income"]).max() == 0
    prices = social.run()["price_index"]
    reserve = np.r_[0, np.cumsum((-spent * prices)[:-1]) * social.grid.step]
    assert change["general_reserve"] == pytest.approx(reserve, abs=1e-9)
