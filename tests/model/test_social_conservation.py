"""What comes in, goes out or stays: people, clients and money, at every step, written out again here."""

from __future__ import annotations

import numpy as np
import pytest
from experiments_accounts import EVERYTHING_ON, IN, OUT, ledger, per_pocket, pockets, weights
from social_model import Array, Run, SocialDomain

BIJSTAND = ("bijstand_short", "bijstand_medium", "bijstand_long")
LEFT = ("left_in_first_half_year", "left_under_pressure", "left_later")
WMO = ("hidden_need", "waiting_for_light_help", "waiting_for_heavy_help", "light_clients", "heavy_clients")
PURSES = ("municipality", "State", "insurers (Zvw)", "long-term care (Wlz)")


@pytest.fixture(scope="module", params=["as it stands", "everything on", "drawn"])
def run(social: SocialDomain, request: pytest.FixtureRequest) -> Run:
    """A random allocation: at central values, with every switch on, and for 50 draws (steps + 1, draw)."""
    constants = {
        "as it stands": {},
        "everything on": EVERYTHING_ON,
        "drawn": social.draw(50, seed=21),
    }
    return social.run(constants[request.param], social.random_allocation(seed=3))


def total(run: Run, *keys: str) -> Array:
    return np.sum([run[key] for key in keys], axis=0)


def assert_conserved(social: SocialDomain, stock: Array, flow: Array) -> None:
    """The change of the stock over every step is the flow at its beginning."""
    error = np.diff(stock, axis=0) - social.grid.step * flow[:-1]
    assert np.abs(error).max() <= 1e-11 * np.abs(stock).max()


# People


def test_people_on_bijstand(social: SocialDomain, run: Run) -> None:
    inflow = total(run, "new_inflow_to_bijstand", "returns_to_bijstand")
    exits = ("exits_short", "exits_medium", "exits_long", "exits_by_reintegration", "exits_to_extra_jobs")
    outflow = total(run, *exits, "pension_exits")
    assert_conserved(social, total(run, *BIJSTAND), inflow - outflow)


def test_people_on_bijstand_and_those_who_left(social: SocialDomain, run: Run) -> None:
    """Exits and returns cancel: only new people come in, only pension and three years away take out."""
    net = run["new_inflow_to_bijstand"] - run["pension_exits"] - run["passing_later"]
    assert_conserved(social, total(run, *BIJSTAND, *LEFT), net)


def test_people_with_a_need(social: SocialDomain, run: Run) -> None:
    """Everyone in need waits, is a client, or leaves by a door that has a name."""
    heavy = run["initial_other_heavy_need"] * run["growth_index_of_heavy_need"]
    heavy = heavy + run["turned_heavy_otherwise"]
    diverted = total(run, "need_kept_visible", "found_need") * run["share_solved_in_general_provisions"]
    left = total(
        run,
        *("resolved_hidden_need", "exits_from_light_help", "exits_from_heavy_help", "exits_by_reablement"),
        *("waiting_for_light_help_ended", "waiting_for_heavy_help_ended"),
    )
    assert_conserved(social, total(run, *WMO), run["new_light_need"] + heavy - diverted - left)


def test_clients_of_youth_care(social: SocialDomain, run: Run) -> None:
    assert_conserved(social, run["youth_clients"], run["inflow_to_youth_care"] - run["exits_from_youth_care"])


def test_households_in_problem_debt(social: SocialDomain, run: Run) -> None:
    solved = total(run, "problem_debts_ended", "problem_debts_solved_by_help")
    assert_conserved(social, run["problem_debt_households"], run["new_problem_debts"] - solved)


def test_trajectories(social: SocialDomain, run: Run) -> None:
    net = run["trajectories_started"] - run["trajectories_completed"]
    assert_conserved(social, run["people_in_trajectory"], net)


def test_hours_of_informal_help(social: SocialDomain, run: Run) -> None:
    net = total(run, "change_in_carers", "change_in_organised_hours") - run["extra_drop_out_of_carers"]
    assert_conserved(social, run["informal_network_capacity"], net)


def test_jobs(social: SocialDomain, run: Run) -> None:
    come = total(run, "jobs_by_projects", "jobs_by_return_path", "jobs_otherwise")
    assert_conserved(social, run["bottom_jobs"], come - run["bottom_jobs_lost"])


# Money


def test_money_in_is_money_out_and_reserve(social: SocialDomain, run: Run) -> None:
    """Every euro again, from what is decided, clients times price, and people times benefit."""
    years = social.grid.times.reshape(-1, *[1] * (run["social_return"].ndim - 1)) - 2026
    youth_price = run["price_of_youth_care"] * np.exp(run["real_growth_of_youth_price"] * years)
    help_with_overhead = (
        total(run, "light_clients") * run["price_of_light_help"]
        + run["heavy_clients"] * run["price_of_heavy_help"]
    ) * run["cost_factor_of_wmo"] + run["youth_clients"] * youth_price * run["cost_factor_of_youth_care"]
    spent = (
        total(run, *(f"{name}_spending" for name in ("prevention", "social_base", "access", "reablement")))
        + total(run, "reintegration_in_force", "participation_spending", "organisation_spending")
        + total(run, "learning_spending", "earning_capacity_spending", "start_up_cost")
        + total(run, "other_income_support", "risk_cost_of_less_accountability", "gala_grant_to_repay")
        + help_with_overhead
        - run["own_contribution_per_client"] / 1e6 * total(run, "light_clients", "heavy_clients")
        + total(run, *BIJSTAND) * total(run, "benefit_per_person", "operating_cost_per_person")
    )
    balance = total(run, *IN) - spent
    prices = (1 + run["inflation"]) ** (years + 2026 - 2024)
    assert run["municipal_spending"] == pytest.approx(spent, rel=1e-11)
    assert_conserved(social, run["general_reserve"], balance * prices)


def test_structural_and_incidental_are_the_whole(run: Run) -> None:
    for side in ("income", "spending"):
        parts = total(run, f"structural_{side}", f"incidental_{side}")
        assert run[f"municipal_{side}"] == pytest.approx(parts, rel=1e-12), side
    spent = total(run, *OUT) - run["own_contributions_of_clients"]
    assert run["municipal_spending"] == pytest.approx(spent, rel=1e-11)


def test_what_is_kept_back_is_paid_later(social: SocialDomain, run: Run) -> None:
    """Money on its way: the safety net, projects, and what the municipality's budget remembers."""
    claims = run["safety_net_claim"] - run["safety_net_payment"]
    assert_conserved(social, run["safety_net_to_receive"], claims)
    projects = run["earning_capacity_spending"] - run["projects_completed"]
    assert_conserved(social, run["earning_capacity_projects"], projects)


# Pockets


def test_the_ledger_adds_up_to_the_social_return(run: Run) -> None:
    kept = per_pocket(run, {})
    assert len(pockets()) == 6
    assert np.abs(sum(kept.values()) - run["social_return"]).max() < 1e-9


def test_the_pockets_of_the_model_are_those_of_the_ledger(run: Run) -> None:
    kept = per_pocket(run, {})
    cash = {purse: np.zeros_like(run["social_return"]) for purse in PURSES}
    for row, shares in weights({}):
        for purse in PURSES if row["cash"] == "yes" else ():
            cash[purse] = cash[purse] + shares[purse] * run[SocialDomain.key(row["variable"])]
    for variable, expected in (
        ("fiscal_result_of_the_municipality", cash["municipality"]),
        ("fiscal_result_of_the_state", cash["State"]),
        ("fiscal_result_of_government", sum(cash.values())),
        ("result_of_residents", kept["residents"]),
        ("result_of_others", kept["others"]),
    ):
        assert np.abs(run[variable] - expected).max() < 1e-9, variable


def test_every_effect_of_the_ledger_has_someone_who_pays_or_gains(run: Run) -> None:
    for row in ledger():
        split = [float(row[pocket]) for pocket in pockets()]
        assert any(split) == (row["kind"] != "end value"), row["effect"]
        assert (sum(split) == 0) == (row["kind"] != "effect"), row["effect"]


@pytest.mark.parametrize("flipped", [row["effect"] for row in ledger() if row["kind"] != "end value"])
def test_a_ledger_with_one_weight_flipped_does_not_add_up(social: SocialDomain, flipped: str) -> None:
    """The check above sees every row: no effect is too small, and none is zero when everything is on."""
    run = social.run(EVERYTHING_ON, social.random_allocation(seed=3))
    error = sum(per_pocket(run, {}).values()) - run["social_return"]
    row, shares = next(entry for entry in weights({}) if entry[0]["effect"] == flipped)
    pocket = next(name for name, share in shares.items() if share)
    wrong = error - 2 * shares[pocket] * run[SocialDomain.key(row["variable"])]
    assert np.abs(wrong).max() > 1e-4


def test_benefits_are_a_transfer_and_leave_the_social_return_alone(social: SocialDomain) -> None:
    """S0b: money that moves between pockets is no gain; the reserve does feel it."""
    change = social.effects({}, social.hold("benefit per person", 0.0185))
    assert np.all(change["social_return"] == 0)
    assert change["general_reserve"][-1] < 0


def test_components_add_up_to_the_social_return(run: Run) -> None:
    gains = ("gain_of_work", "value_of_health", "value_of_participation", "value_of_informal_hours")
    costs = total(
        run,
        *("cost_of_burdened_carers", "cost_of_unmet_need", "cost_of_problem_debt"),
        *("cost_to_health_insurers", "cost_of_long_term_care", "cost_to_the_municipality"),
    )
    assert run["social_return"] == pytest.approx(total(run, *gains) - costs, rel=1e-12)
