"""Experiments on networks, the organisation and individual provisions: S2c, S3b-S3e, S4a, S4b, F."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from mechanism import Finding, Settings
from social_model import Array, SocialDomain

HORIZON = 2042
"""Where return is counted to, as in the shipped configs."""
CLIENTS = ("light", "heavy", "youth")
FROZEN = {"growth of potential carers": 0.0, "growth of care receivers": 0.0}
"""Demography stands still, so that what moves the network moves it by itself."""


def worth(social: SocialDomain, settings: Mapping[str, float | Array], paths: Mapping[str, Array]) -> Array:
    """Social return up to the horizon and the value of what is left then, million EUR, not discounted."""
    run, last = social.run(settings, paths), round((HORIZON - 2026) / social.grid.step)
    return run["social_return"][:last].sum(axis=0) * social.grid.step + run["end_value_of_stocks"][last]


def worse_before_better(social: SocialDomain, settings: Settings) -> Finding:
    """S2c: more access finds hidden need first; a trajectory locks in first; growth costs first.

    Access gets better later only where it diverts, which no study found: at the high end of its range.
    """
    high = social.table["diversion_by_access"].high
    assert high is not None
    push = social.step("access spending", 1.5)
    access = social.effects({"diversion by access": high, **settings}, push)
    central = social.effect(settings, push, "light clients")
    work = social.effects(settings, social.step("reintegration spending", 1.5))
    clients = [float(social.at(access["light_clients"], year)) for year in (2028.5, 2036)]
    people = [float(social.at(work["people_on_bijstand"], year)) for year in (2028.5, 2036)]
    start = [float(social.at(access["start_up_cost"], year)) for year in (2028.5, 2036)]
    return Finding(
        holds=all(first > 0 for first in (clients[0], people[0], start[0]))
        and clients[1] < 0 > people[1]
        and start[1] < 0.1 * start[0],
        measured={
            "access that diverts: clients of light help more in 2028.5": clients[0],
            "in 2036": clients[1],
            "the same in 2036 at the central value, none diverted": float(social.at(central, 2036)),
            "re-integration: people on bijstand more in 2028.5": people[0],
            "by 2036": people[1],
            "start-up cost in 2028.5, million EUR a year": start[0],
        },
    )


def care_receivers(social: SocialDomain, factor: float) -> dict[str, Array]:
    """`factor` times as many people who lean on informal care, from 2028 on, and no other growth."""
    times = social.grid.times
    rate = np.where(times >= 2028, np.log(factor) / np.maximum(times - 2026, 1), 0.0)
    return {"growth of care receivers": rate}


def overload(social: SocialDomain, settings: Settings) -> Finding:
    """S3b: no upkeep wears the network down; a fifth more receivers starts a spiral, a tenth fewer none."""
    frozen = {**settings, **FROZEN}
    hours = social.run(frozen, social.step("social base spending", 0))["organised_hours"]
    pushed = social.run(frozen, care_receivers(social, 1.2))
    below = social.run(frozen, care_receivers(social, 0.9))
    loads = [float(social.at(pushed["load_on_carers"], year)) for year in (2028, 2038, 2048, 2058)]
    rises = [100 * (after - before) for before, after in pairwise(loads)]
    left = float(social.at(hours, 2038) / hours[0]) if hours[0] else 1.0
    return Finding(
        holds=0 < left < 0.8
        and 0 < rises[0] < rises[1] < rises[2]
        and bool(np.all(np.diff(pushed["burdened_share"])[17:] > 0))
        and bool(np.all(below["extra_drop_out_of_carers"] == 0)),
        measured={
            "share of organised hours left after ten years without upkeep": left,
            "load more in 2028-2038, points": rises[0],
            "in 2038-2048": rises[1],
            "in 2048-2058": rises[2],
            "drop-out below the threshold": float(below["extra_drop_out_of_carers"].max()),
        },
    )


def complementarity(social: SocialDomain, settings: Settings) -> Finding:
    """S3c: prevention and social base doubled from 2027: together they return more than the sum."""
    prevention, base = (social.step(f"{name} spending", 2, 2027) for name in ("prevention", "social base"))
    null = worth(social, settings, {})
    alone = [float(worth(social, settings, paths) - null) for paths in (prevention, base)]
    together = float(worth(social, settings, prevention | base) - null)
    return Finding(
        holds=together - sum(alone) > 0.05,
        measured={
            "return of prevention, million EUR to 2042": alone[0],
            "of the social base": alone[1],
            "of both more than the sum": together - sum(alone),
        },
    )


def less_overhead(social: SocialDomain, settings: Settings) -> Finding:
    """S3d: twice the renewal lowers overhead, slowly, and the same help costs less."""
    change = social.effects(settings, social.step("organisation spending", 2))
    overhead = [-100 * float(social.at(change["overhead_share_of_wmo"], year)) for year in (2029, 2038)]
    freed = -float(social.at(change["spending_on_individual_provisions"], 2038))
    return Finding(
        holds=overhead[1] > 0.1 and 0 < overhead[0] < overhead[1] / 2 and freed > 0.1,
        measured={
            "overhead less in 2029, points": overhead[0],
            "in 2038, points": overhead[1],
            "money freed in 2038, million EUR a year": freed,
        },
    )


def learning(social: SocialDomain, settings: Settings) -> Finding:
    """S3e: twice the learning in 2028-2035 makes other money do more; after that it is forgotten."""
    change = social.effects(settings, social.step("learning spending", 2, 2028, 2036))
    factor, exits, places = (
        float(social.at(change[key], 2036))
        for key in ("learning_factor", "exits_by_reintegration", "people_participating")
    )
    left = float(social.at(change["learning_factor"], 2046) / factor) if factor else 1.0
    return Finding(
        holds=min(factor, exits, places) > 0 and left < 0.5 and social.table["learning_rate"].low == 0,
        measured={
            "effectiveness more in 2036": factor,
            "exits by re-integration more, a year": exits,
            "people participating more": places,
            "share left ten years after": left,
            "lowest effect in the range": float(social.table["learning_rate"].low or 0),
        },
    )


def break_even(social: SocialDomain, settings: Settings, name: str, values: Array) -> float:
    """Value of a constant at which twice the social base from 2027 neither gains nor loses; nan: none."""
    constants = {**settings, name: values}
    base = {key: np.repeat(path[:, None], len(values), 1) for key, path in _base(social).items()}
    gain = worth(social, constants, base) - worth(social, constants, {})
    crossed = np.flatnonzero(np.diff(np.sign(gain)))
    if not len(crossed):
        return float("nan")
    at = crossed[0]
    return float(values[at] - gain[at] * (values[at + 1] - values[at]) / (gain[at + 1] - gain[at]))


def _base(social: SocialDomain) -> dict[str, Array]:
    return social.step("social base spending", 2, 2027)


LIGHT_STAYS_LIGHT = {"light to heavy rate": 0.0, "deterioration of hidden need": 0.0}
"""Takes away that fewer light clients become heavy ones later."""


def nipped_in_the_bud(social: SocialDomain, settings: Settings) -> Finding:
    """S4a: need grows by itself; twice the social base lowers new light need, later and light need only."""
    base, null = social.step("social base spending", 2), social.run(settings)
    change = social.effects(settings, base)
    heavy = np.abs(social.effect({**settings, **LIGHT_STAYS_LIGHT}, base, "heavy_clients")).max()
    growth = [
        float(social.at(null[f"{kind}_clients"], 2038) / null[f"{kind}_clients"][0]) for kind in CLIENTS
    ]
    need = [-float(social.at(change["new_light_need"], year)) for year in (2029, 2038)]
    row = social.table["network_elasticity_of_light_need"]
    assert row.low is not None
    assert row.high is not None
    return Finding(
        holds=min(growth) > 1
        and need[1] > 1
        and 0 < need[0] < need[1] / 4
        and row.low < 0 < row.high
        and bool(heavy == 0),
        measured={
            **{f"{kind} clients in 2038 over 2026": rise for kind, rise in zip(CLIENTS, growth, strict=True)},
            "new light need less in 2029, people a year": need[0],
            "in 2038": need[1],
            "light clients more in 2038, found need included": float(
                social.at(change["light_clients"], 2038)
            ),
            "social base breaks even at an elasticity of": break_even(
                social, settings, row.name, np.linspace(-10, 0, 41)
            ),
            "or at hours per EUR of": break_even(
                social, settings, "hours per EUR of social base", np.linspace(0.01, 0.66, 40)
            ),
        },
    )


def less_counting(social: SocialDomain, settings: Settings) -> Finding:
    """S4b: half the counting from 2028 frees capacity, and costs more mistakes and misuse."""
    change = social.effects(settings, social.hold("accountability", 0.5))
    freed = -float(social.at(change["spending_on_individual_provisions"], 2036))
    risk = float(social.at(change["risk_cost_of_less_accountability"], 2036))
    access = 100 * float(social.at(change["relative_access"], 2036))
    return Finding(
        holds=freed > 0.1 and risk > 0.1 and access > 0.1,
        measured={
            "money freed in 2036, million EUR a year": freed,
            "risk cost, million EUR a year": risk,
            "access that reaches people more, %": access,
        },
    )


def cap(social: SocialDomain, settings: Settings) -> Finding:
    """F: a cap on Wmo help in 2028-2033: who waits, what comes later, and the flag; none of it without."""
    null = social.run(settings)
    change = social.effects(settings, social.hold("provisions cap switch", 1.0, 2028, 2034))
    waiting, risk = (
        float(social.at(change[key], 2033)) for key in ("waiting_beyond_the_legal_term", "legal_risk")
    )
    later = [float(social.at(change[key], 2036)) for key in ("heavy_clients", "cost_of_long_term_care")]
    return Finding(
        holds=waiting > 100
        and risk == 1
        and min(later) > 0.1
        and bool(np.all(null["waiting_beyond_the_legal_term"] == 0))
        and bool(np.all(null["legal_risk"] == 0)),
        measured={
            "people waiting beyond the legal term in 2033": waiting,
            "flag of legal risk": risk,
            "heavy clients more in 2036, after the cap": later[0],
            "long-term care in 2036, million EUR a year": later[1],
        },
    )
