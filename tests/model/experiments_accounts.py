"""Experiments on accounts: S0b (transfers), S2b (broad benefits per pocket), B (the budget).

Nothing can be switched off in an identity. So each experiment keeps its own account beside the model's, with
one weight that can be left out (0) or get the other sign (-1): then the account no longer closes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache

import numpy as np
from mechanism import Finding, Settings
from social_model import MODELS, Array, Run, SocialDomain

CLOSES = 1e-9
"""million EUR a year: rounding."""
BENEFITS = "weight of benefits for residents"
INSURED_CARE = "weight of insured care for insurers"
OWN_CONTRIBUTIONS = "weight of own contributions in the balance"
NOT_POCKETS = ("effect", "variable", "cash", "kind", "nl", "en", "note")


@cache
def ledger() -> tuple[dict[str, str], ...]:
    """Rows of models/social_domain.ledger.csv."""
    with (MODELS / "social_domain.ledger.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def pockets() -> tuple[str, ...]:
    """Who pays and who gains: the columns of numbers."""
    return tuple(name for name in ledger()[0] if name not in NOT_POCKETS)


def weights(settings: Settings) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
    """Each flow of the ledger with its weight per pocket; two of them may be set by an experiment."""
    chosen = {("spending on benefits", "residents"): BENEFITS}
    chosen |= {("cost to health insurers", "insurers (Zvw)"): INSURED_CARE}
    for row in ledger():
        if row["kind"] != "end value":
            yield (
                row,
                {
                    pocket: float(row[pocket]) * settings.get(chosen.get((row["variable"], pocket), ""), 1.0)
                    for pocket in pockets()
                },
            )


def per_pocket(run: Run, settings: Settings) -> dict[str, Array]:
    """What each pocket keeps over time, million EUR a year."""
    total = {pocket: np.zeros_like(run["social_return"]) for pocket in pockets()}
    for row, shares in weights(settings):
        for pocket, share in shares.items():
            total[pocket] = total[pocket] + share * run[SocialDomain.key(row["variable"])]
    return total


def transfers(social: SocialDomain, settings: Settings) -> Finding:
    """S0b: every transfer sums to zero over the pockets; higher benefits are no gain, production is."""
    changes = social.random_allocation(seed=4)
    run = social.run({}, changes)
    kept = max(
        float(np.abs(sum(shares.values()) * run[SocialDomain.key(row["variable"])]).max())
        for row, shares in weights(settings)
        if row["kind"] == "transfer"
    )
    benefit = social.effects({}, social.step("benefit per person", 1.1))
    gain = float(np.abs(sum(per_pocket(benefit, settings).values())).max())
    better_paid = social.step("value of a placed person", 1.1)
    work = float(social.at(social.effect({}, better_paid, "social return"), 2040))
    return Finding(
        holds=kept < CLOSES and gain < CLOSES and bool(np.all(benefit["social_return"] == 0)) and work != 0,
        measured={
            "largest sum of a transfer over pockets, million EUR a year": kept,
            "gain of 10 % higher benefits over all pockets": gain,
            "of 10 % more production per person placed, in 2040": work,
        },
    )


def broad_benefits(social: SocialDomain, settings: Settings) -> Finding:
    """S2b: more participation: people feel better and insurers pay less; the pockets add up to the total."""
    constants = {name: value for name, value in settings.items() if name != INSURED_CARE}
    change = social.effects(constants, social.step("participation spending", 1.5))
    kept = per_pocket(change, settings)
    error = float(np.abs(sum(kept.values()) - change["social_return"]).max())
    better, insurers = (
        float(social.at(values, 2038)) for values in (change["value_of_health"], kept["insurers (Zvw)"])
    )
    back = float(social.at(change["cofinancing_by_insurers"], 2038))
    return Finding(
        holds=error < CLOSES and better > 0.01 and insurers > 0.001 and back == 0,
        measured={
            "health of residents, million EUR more in 2038": better,
            "insurers": insurers,
            "of that back to the municipality": back,
            "largest difference between pockets and total": error,
        },
    )


IN = ("general_grant", "buig_budget", "cofinancing_by_insurers", "gala_grant")
IN += ("youth_grant_from_the_state", "safety_net_payment")
OUT = ("decided_spending", "start_up_cost", "spending_on_wmo", "spending_on_youth_care")
OUT += (
    "spending_on_benefits",
    "spending_on_operation",
    "risk_cost_of_less_accountability",
    "gala_grant_to_repay",
)
EVERYTHING_ON = {
    "provisions cap switch": 1.0,
    "pressure for fast exit": 1.0,
    "cycle amplitude": 0.3,
    "accountability": 0.5,
    "cofinancing share": 0.3,
    "GALA grant per year": 25.0,
    "inhabitants": 25_000.0,
    "objective BUIG budget": 30.0,
}
"""Every pot is used: also repaying, co-financing, the safety net, and a budget that follows own spending."""


def budget(social: SocialDomain, settings: Settings) -> Finding:
    """B: what comes in less what goes out, in euros of the year, changes the reserve, at every step."""
    run = social.run(EVERYTHING_ON, social.random_allocation(seed=5))
    own = run["own_contributions_of_clients"] * settings.get(OWN_CONTRIBUTIONS, 1.0)
    balance = sum(run[key] for key in IN) + own - sum(run[key] for key in OUT)
    prices = (1 + social.today("inflation")) ** (social.grid.times - social.today("price year"))
    change = np.diff(run["general_reserve"]) / social.grid.step
    error = float(np.abs(change - (balance * prices)[:-1]).max())
    return Finding(
        holds=error < 1e-6,
        measured={
            "largest difference between balance and change of the reserve, million EUR a year": error,
            "own contributions in 2038": float(social.at(run["own_contributions_of_clients"], 2038)),
            "change of the reserve in 2038": float(social.at(change, 2038)),
        },
    )
