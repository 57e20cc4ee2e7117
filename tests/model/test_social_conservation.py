"""What comes in, goes out or stays: people, clients and money, at every step, written out again here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from conftest import SocialDomain

Array = NDArray[np.float64]
Run = dict[str, Array]
BIJSTAND = ("bijstand_short", "bijstand_medium", "bijstand_long")
LEFT = ("left_in_first_half_year", "left_under_pressure", "left_later")
WMO = ("hidden_need", "waiting_for_light_help", "waiting_for_heavy_help", "light_clients", "heavy_clients")


@pytest.fixture(scope="module", params=[False, True], ids=["as it stands", "everything on"])
def run(social: SocialDomain, request: pytest.FixtureRequest) -> Run:
    """One random allocation; with everything on also pressure, a cap that binds, and a cycle."""
    on = {"provisions cap switch": 1.0, "pressure for fast exit": 1.0, "cycle amplitude": 0.3}
    return social.run(on if request.param else {}, social.random_allocation(seed=3))


def total(run: Run, *keys: str) -> Array:
    return np.sum([run[key] for key in keys], axis=0)


def assert_conserved(social: SocialDomain, stock: Array, flow: Array) -> None:
    """The change of the stock over every step is the flow at its beginning."""
    change = np.diff(stock)
    assert change == pytest.approx(social.grid.step * flow[:-1], rel=1e-9, abs=1e-9 * np.abs(stock).max())


def test_people_on_bijstand(social: SocialDomain, run: Run) -> None:
    inflow = total(run, "new_inflow_to_bijstand", "returns_to_bijstand")
    exits = ("exits_short", "exits_medium", "exits_long", "exits_by_reintegration")
    outflow = total(run, *exits, "pension_exits")
    assert_conserved(social, total(run, *BIJSTAND), inflow - outflow)


def test_people_on_bijstand_and_those_who_left(social: SocialDomain, run: Run) -> None:
    """Exits and returns cancel: only new people come in, only pension and three years away take out."""
    net = run["new_inflow_to_bijstand"] - run["pension_exits"] - run["passing_later"]
    assert_conserved(social, total(run, *BIJSTAND, *LEFT), net)


def test_people_with_a_need(social: SocialDomain, run: Run) -> None:
    """Everyone in need waits, is a client, or leaves by a door that has a name."""
    other_heavy = run["initial_other_heavy_need"] * run["growth_index_of_heavy_need"]
    diverted = total(run, "need_kept_visible", "found_need") * run["share_solved_in_general_provisions"]
    left = total(
        run,
        *("resolved_hidden_need", "exits_from_light_help", "exits_from_heavy_help", "exits_by_reablement"),
        *("waiting_for_light_help_ended", "waiting_for_heavy_help_ended"),
    )
    assert_conserved(social, total(run, *WMO), run["new_light_need"] + other_heavy - diverted - left)


def test_clients_of_youth_care(social: SocialDomain, run: Run) -> None:
    assert_conserved(social, run["youth_clients"], run["inflow_to_youth_care"] - run["exits_from_youth_care"])


def test_households_in_problem_debt(social: SocialDomain, run: Run) -> None:
    solved = total(run, "problem_debts_ended", "problem_debts_solved_by_help")
    assert_conserved(social, run["problem_debt_households"], run["new_problem_debts"] - solved)


def test_trajectories(social: SocialDomain, run: Run) -> None:
    assert_conserved(
        social, run["people_in_trajectory"], run["trajectories_started"] - run["trajectories_completed"]
    )


def test_money_in_is_money_out_and_reserve(social: SocialDomain, run: Run) -> None:
    """Every euro again from decisions, clients times price, and people times benefit."""
    years = social.grid.times - 2026
    youth_price = run["price_of_youth_care"] * np.exp(run["real_growth_of_youth_price"] * years)
    spent = (
        total(run, *(f"{name}_spending" for name in ("prevention", "social_base", "access", "reablement")))
        + total(run, "reintegration_spending", "participation_spending", "other_income_support")
        + run["light_clients"] * run["price_of_light_help"]
        + run["heavy_clients"] * run["price_of_heavy_help"]
        + run["youth_clients"] * youth_price
        + total(run, *BIJSTAND) * total(run, "benefit_per_person", "operating_cost_per_person")
    )
    received = run["buig_budget"] + run["general_grant"] * np.exp(run["growth_of_general_grant"] * years)
    assert run["municipal_spending"] == pytest.approx(spent, rel=1e-12)
    assert_conserved(social, run["general_reserve"], received - spent)


def test_benefits_are_a_transfer_and_leave_the_social_return_alone(social: SocialDomain) -> None:
    """S0b: money that moves between pockets is no gain; the reserve does feel it."""
    more, today = social.run({"benefit per person": 0.0185}), social.run()
    assert np.array_equal(more["social_return"], today["social_return"])
    assert more["general_reserve"][-1] < today["general_reserve"][-1]


def test_components_add_up_to_the_social_return(run: Run) -> None:
    gains = total(
        run,
        *("value_of_work", "value_of_health", "value_of_participation", "value_of_informal_hours"),
    )
    costs = total(
        run,
        *("cost_of_burdened_carers", "cost_of_unmet_need", "cost_of_problem_debt"),
        *("cost_to_health_insurers", "cost_to_the_municipality"),
    )
    assert run["social_return"] == pytest.approx(gains - costs, rel=1e-12)
