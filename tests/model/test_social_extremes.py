"""Extreme conditions: every number stays finite, no stock goes below zero, and the direction makes sense."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from social_model import BELOW_ZERO, DECISIONS, Run, SocialDomain

from sdopt.errors import SimulationError

Constants = Mapping[str, float]
NOBODY = {"initial bijstand short": 0.0, "initial bijstand medium": 0.0, "initial bijstand long": 0.0}
NO_HELP_PRICE = {f"price of {kind}": 0.0 for kind in ("light help", "heavy help", "youth care")}
NO_BENEFIT = {"benefit per person": 0.0, "operating cost per person": 0.0, "other income support": 0.0}
FREE = {f"cost per {what}": 0.0 for what in ("trajectory", "participation place", "reablement", "traded job")}
POOR_HEALTH = {"health effect of problem debt": 0.5, "bijstand share of problem debt": 5.0}
CARERS_GONE = {"growth of potential carers": -0.1, "hours per EUR of social base": 0.0}
HARDLY_ANYONE = {
    **dict.fromkeys(NOBODY, 1e-3),
    "total inflow at start": 1e-3,
    "bijstand share of hires": 0.0,  # nobody is hired from where nobody is
}
EXTREMES: dict[str, Constants] = {
    "a thousandth of a person on bijstand": HARDLY_ANYONE,
    "most in poor health": POOR_HEALTH,
    "zero prices": {**NO_HELP_PRICE, **NO_BENEFIT},
    "one hour of informal help": {
        "initial informal network capacity": 1.0,
        "hours per EUR of social base": 0.0,
    },
    "carers disappear": CARERS_GONE,
    "five times the inflow": {"total inflow at start": 2330.0},
    "a cap of zero": {"provisions cap switch": 1.0, "provisions cap": 0.0},
    "no clients at the start": {f"initial {kind} clients": 0.0 for kind in ("light", "heavy", "youth")},
    "everyone burdened": {"load threshold": 0.0, "burdened share per load": 100.0},
    "prices double every year": {"inflation": 1.0},
    "no reserve and no grant": {"initial general reserve": 0.0, "other general grant": 0.0},
    "a wild labour market": {"cycle amplitude": 0.9, "tightness elasticity of reintegration": -0.6},
}


def spending(social: SocialDomain, factor: float) -> dict[str, float]:
    """Every decision, so many times today's."""
    return {f"{name} spending": factor * social.today(f"{name} spending") for name in DECISIONS}


def check_sound(social: SocialDomain, run: Run) -> None:
    """Finite (`run` of the engine raises too), and no stock below zero that counts something."""
    assert all(np.isfinite(values).all() for values in run.values())
    below = [
        stock.name
        for stock in social.model.system.of_kind("stock")
        if stock.name not in BELOW_ZERO and run[stock.key].min() < -1e-9
    ]
    assert not below


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("factor", [0.001, 1.0, 10.0], ids=["hardly any money", "today's", "ten times"])
def test_the_model_stays_sound(social: SocialDomain, extreme: str, factor: float) -> None:
    check_sound(social, social.run({**EXTREMES[extreme], **spending(social, factor)}))


def last(social: SocialDomain, constants: Constants) -> dict[str, float]:
    """Every variable at the end, relative to the run at central values."""
    run, null = social.run(constants), social.run()
    return {key: float(run[key][-1] - null[key][-1]) for key in run}


def test_without_any_money_everything_is_worse(social: SocialDomain) -> None:
    run, change = social.run(spending(social, 0.0)), last(social, spending(social, 0.0))
    assert run["trajectories_started"].max() == 0
    assert run["earning_capacity_projects"][-1] < 0.01
    assert run["participation_share"][-1] < social.today("autonomous participation share") * 1.05
    for more in ("people_on_bijstand", "problem_debt_households", "youth_clients", "hidden_need"):
        assert change[more] > 0, more
    for less in ("good_health_share", "informal_network_capacity", "bottom_jobs", "learning_factor"):
        assert change[less] < 0, less


def test_ten_times_the_money_meets_its_limits(social: SocialDomain) -> None:
    """More of everything that money can bring, but never more than there are people or saturation lets."""
    run, change = social.run(spending(social, 10.0)), last(social, spending(social, 10.0))
    assert (run["people_in_trajectory"] <= 1.1 * run["eligible_for_reintegration"]).all()
    assert (run["people_participating"] <= 1.05 * run["people_on_bijstand"]).all()
    for response, name in (
        ("response_to_prevention", "prevention"),
        ("response_to_social_base", "social base"),
        ("response_to_access", "access"),
        ("response_to_organisation", "organisation"),
        ("response_to_learning", "learning"),
    ):
        assert run[response].max() < 1 + social.today(f"saturation of {name}"), name
    for less in ("people_on_bijstand", "problem_debt_households", "youth_clients", "hidden_need"):
        assert change[less] < 0, less


def test_with_hardly_anyone_on_bijstand_other_sectors_go_on(social: SocialDomain) -> None:
    run = social.run(HARDLY_ANYONE)
    null = social.run()
    assert run["people_on_bijstand"].max() < 0.01
    assert run["spending_on_benefits"] == pytest.approx(social.today("other income support"), abs=1e-3)
    for other in ("light_clients", "heavy_clients", "youth_clients", "informal_network_capacity"):
        assert run[other] == pytest.approx(null[other], rel=1e-6), other


def test_poor_health_keeps_people_on_bijstand_and_costs_insurers(social: SocialDomain) -> None:
    """Through debts: everyone has them, and they weigh far more than any source says."""
    run, change = social.run(POOR_HEALTH), last(social, POOR_HEALTH)
    assert run["good_health_share"][-1] < 0.28
    assert change["people_on_bijstand"] > 50
    assert change["participation_share"] < 0
    assert change["cost_to_health_insurers"] > 0


def test_zero_prices_cost_nothing_and_move_nobody(social: SocialDomain) -> None:
    constants = {**NO_HELP_PRICE, **NO_BENEFIT}
    run, null = social.run(constants), social.run()
    assert run["spending_on_individual_provisions"].max() == 0
    assert run["spending_on_benefits"].max() == 0
    for clients in ("light_clients", "youth_clients", "people_on_bijstand"):
        assert np.array_equal(run[clients], null[clients]), clients


def test_without_informal_help_more_need_formal_help(social: SocialDomain) -> None:
    run, change = social.run(CARERS_GONE), last(social, CARERS_GONE)
    assert run["informal_support"][-1] < 0.01
    assert change["new_light_need"] > 0
    assert change["applications_for_light_help"] > 0
    assert run["burdened_share"][-1] == 1


def test_five_times_the_inflow_fills_bijstand_and_drains_the_reserve(social: SocialDomain) -> None:
    change = last(social, EXTREMES["five times the inflow"])
    assert change["people_on_bijstand"] > 5_000
    assert change["problem_debt_households"] > 0
    assert change["general_reserve"] < -300
    assert change["safety_net_payment"] > 0


def test_a_cap_of_zero_admits_only_who_takes_a_place(social: SocialDomain) -> None:
    """Nobody is sent away; only money of those who leave is spent again, and everyone else waits."""
    run = social.run(EXTREMES["a cap of zero"])
    assert run["spending_on_wmo"][-1] < 0.02 * run["spending_on_wmo"][0]
    assert run["legal_risk"][-1] == 1
    assert np.all(np.diff(run["waiting_beyond_the_legal_term"])[8:] > 0)
    assert run["admitted_share"].min() >= 0


def test_prices_that_double_leave_real_amounts_alone(social: SocialDomain) -> None:
    run, null = social.run({"inflation": 1.0}), social.run()
    assert np.array_equal(run["municipal_spending"], null["municipal_spending"])
    assert run["municipal_balance_in_current_prices"][-1] == pytest.approx(
        run["municipal_balance"][-1] * 2.0 ** (2058 - 2024), rel=1e-9
    )


DIVIDES_BY: dict[str, Constants] = {
    "nobody on bijstand": {**NOBODY, "total inflow at start": 0.0},
    "nobody in good health at the start": {"initial good health share": 0.0},
    "no informal help at the start": {
        "initial informal network capacity": 0.0,
        "hours per EUR of social base": 0.0,
    },
    "no problem debts at the start": {"initial problem debt households": 0.0, "problem debt inflow": 0.0},
}


@pytest.mark.parametrize("nothing", DIVIDES_BY)
def test_nothing_at_all_is_refused_by_name(social: SocialDomain, nothing: str) -> None:
    """The model measures relative to its start: exactly nothing has no answer, and never a silent one."""
    with pytest.raises(SimulationError, match=r'^".+" is (nan|inf) at time 2026'):
        social.run(DIVIDES_BY[nothing])
