"""Experiments on work, income and taking part: S0a, S1a, S1b, S1c, S2a.

Each takes settings (as it is: none; or a mechanism switched off or reversed) and shows what it finds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from mechanism import Finding, Settings
from social_model import Array, Run, SocialDomain

PEOPLE = "people_on_bijstand"
RETURN_PATH_OFF = {"jobs per person off bijstand": 0.0, "jobs per extra participant": 0.0}


def return_path(social: SocialDomain, settings: Settings) -> Finding:
    """S0a: three times the earning capacity from 2027, with and without the return path.

    The region moves people off bijstand; what they give back comes late: nothing in two years, more later.
    """
    paths = social.step("earning capacity spending", 3, 2027)
    with_path = social.effect(settings, paths)
    without = social.effect({**settings, **RETURN_PATH_OFF}, paths)
    early, late = (float(social.at(without - with_path, year)) for year in (2029, 2058))
    forward = -float(social.at(with_path, 2058))
    return Finding(
        holds=forward > 1 and late > 0.005 * forward and abs(early) < 0.02 * late,
        measured={
            "people off bijstand in 2058 by three times the spending": forward,
            "of them by the return path": late,
            "the same in 2029": early,
        },
    )


LINKS = {
    "bijstand -> debts": {"bijstand share of problem debt": 0.0},
    "debts -> health": {"health effect of problem debt": 0.0},
    "health -> participation": {"participation effect of health": 0.0},
    "participation -> exits": {"exit ratio of participants": 1.0},
}
"""The circuit of S1a and how each link is cut."""
CIRCUIT_ONLY = {"exit effect of problem debt": 0.0, "hazard ratio of poor health": 1.0, **RETURN_PATH_OFF}
"""Takes the other ways from debts and health to exits away, so that only the circuit is left."""


SHARE = "bijstand share of problem debt"


def run_with_debts_of(
    social: SocialDomain, constants: Settings, people: Array, extra: Array, paths: Mapping[str, Array]
) -> Run:
    """A run in which problem debts come as if `people` (time,) were on bijstand, and a share `extra` more.

    The link itself cannot be held, only its strength over time; that depends on who is on bijstand then, so
    it is found by going round: each round comes closer by the gain of the loop, which is small.
    """
    strength = constants.get(SHARE, social.today(SHARE))
    wanted, guess = strength * (people / people[0] - 1) + extra, people
    for _ in range(8):
        rise = guess / guess[0] - 1
        link = np.divide(wanted, rise, out=np.full_like(rise, strength), where=rise != 0)
        run = social.run(constants, {**paths, SHARE: link})
        guess = run[PEOPLE]
    came = run["new_problem_debts"] / run["problem_debt_inflow"] - 1
    assert np.abs(came - wanted).max() < 1e-9
    return run


def loop_gain(constants: Settings) -> float:
    """Gain of S1a with the loop opened between people on bijstand and new problem debts.

    A lasting rise of x in people on bijstand, relative to the start, is fed in by hand, as the debts it would
    bring; the gain is the rise in people on bijstand that comes back, over x, a century on.
    """
    social, x = SocialDomain(end=2126), 0.1
    null = social.run(constants)[PEOPLE]
    extra = constants.get(SHARE, social.today(SHARE)) * x * (social.grid.times >= 2028)
    fed = run_with_debts_of(social, constants, null, extra, {})[PEOPLE]
    return float((fed[-1] - null[-1]) / null[0] / x)


def income_security_loop(social: SocialDomain, settings: Settings) -> Finding:
    """S1a: the loop reinforces, its gain is well below one, and cutting any link of the circuit stops it."""
    whole, circuit = loop_gain(settings), loop_gain({**settings, **CIRCUIT_ONLY})
    left = max(abs(loop_gain({**settings, **CIRCUIT_ONLY, **cut})) for cut in LINKS.values())
    return Finding(
        holds=0 < whole < 0.2 and 0 < circuit < 0.2 and left < 1e-9,
        measured={
            "loop gain": whole,
            "gain by way of participation alone": circuit,
            "largest gain left with one link cut": left,
        },
    )


def extra_exits(social: SocialDomain, settings: Settings, year: float) -> float:
    """Extra exits per extra trajectory, by one year of twice the re-integration, in a cycle."""
    cycle = {"cycle amplitude": 0.3, **settings}
    change = social.effects(cycle, social.step("reintegration spending", 2, year, year + 1))
    window = slice(0, round((year + 9 - 2026) / social.grid.step))
    exits, completed = (
        change[key][window].sum() for key in ("exits_by_reintegration", "trajectories_completed")
    )
    return float(exits / completed)


def _gain_of_rule(social: SocialDomain, settings: Settings, strength: float) -> float:
    """Exits by re-integration more when as much money moves with the market for two cycles, 16 years."""
    cycle = {"cycle amplitude": 0.3, **settings}
    rule = np.where(social.grid.times < 2042, strength, 0.0)
    change = social.effects(cycle, {"tightness rule of reintegration": rule})
    assert abs(change["reintegration_in_force"].sum()) < 1e-9
    return float(change["exits_by_reintegration"].sum() * social.grid.step)


def tightness(social: SocialDomain, settings: Settings) -> Finding:
    """S1b: with the cycle on, 2027 is tight (peak in 2028) and 2031 slack (trough in 2032)."""
    tight, slack = (extra_exits(social, settings, year) for year in (2027, 2031))
    rule, fifth = (_gain_of_rule(social, settings, strength) for strength in (1.0, 0.2))
    return Finding(
        holds=slack > 1.05 * tight > 0 and min(rule, fifth) > 0,
        measured={
            "exits per extra trajectory in a slack year": slack,
            "in a tight year": tight,
            "exits more by 16 years of the rule that spends with the cycle": rule,
            "by a fifth of that rule": fifth,
        },
    )


def displacement_that_breaks_even(social: SocialDomain, settings: Settings) -> float:
    """Share of durable exits displaced at which lasting pressure changes nothing by 2046."""
    shares = np.linspace(0.0, 1.0, 41)
    pressure = {
        name: np.repeat(path[:, None], len(shares), 1)
        for name, path in social.hold("pressure for fast exit", 1.0).items()
    }
    constants = {**settings, "durable exits displaced": shares}
    more = social.at(social.run(constants, pressure)[PEOPLE] - social.run(constants)[PEOPLE], 2046)
    return float(np.interp(0.0, more, shares))


def fast_exit(social: SocialDomain, settings: Settings) -> Finding:
    """S1c: lasting full pressure from 2028 on: fewer people on bijstand first, more later."""
    change = social.effects(settings, social.hold("pressure for fast exit", 1.0))
    stock = [float(social.at(change[PEOPLE], year)) for year in (2028.5, 2036)]
    exits = float(social.at(change["exits_short"], 2028))
    returns = float(social.at(change["returns_to_bijstand"], 2030))
    return Finding(
        holds=stock[0] < -1 and exits > 1 and returns > 1 and stock[1] > 1,
        measured={
            "people on bijstand more in 2028.5": stock[0],
            "in 2036": stock[1],
            "exits of the short group more at once, a year": exits,
            "returns more in 2030, a year": returns,
            "breaks even in 2046 when the share displaced is": displacement_that_breaks_even(
                social, settings
            ),
        },
    )


def _hazards(run: Run) -> Run:
    """Share of a group that leaves per year, re-integration included."""
    extra = {group: run[f"exits_by_reintegration_{group}"] for group in ("short", "medium")} | {"long": 0.0}
    return {
        group: (run[f"exits_{group}"] + extra[group]) / run[f"bijstand_{group}"]
        for group in ("short", "medium", "long")
    }


def _moved(social: SocialDomain, settings: Settings, spending: str) -> dict[str, float]:
    """Rise in 2038, in percent, of each group's chance to leave, by twice the spending."""
    null = _hazards(social.run(settings))
    more = _hazards(social.run(settings, social.step(spending, 2)))
    return {group: 100 * (float(social.at(more[group] / null[group], 2038)) - 1) for group in null}


def who_is_moved(social: SocialDomain, settings: Settings) -> Finding:
    """S2a: re-integration moves those short on bijstand, participation those long on it and their health."""
    work = _moved(social, settings, "reintegration spending")
    taking_part = _moved(social, settings, "participation spending")
    change = social.effects(settings, social.step("participation spending", 2))
    health, value = (
        float(social.at(change[key], 2038)) for key in ("good_health_share", "value_of_participation")
    )
    return Finding(
        holds=work["short"] > 1
        and work["short"] > 5 * abs(work["long"])
        and taking_part["long"] > 1
        and taking_part["long"] > 5 * abs(taking_part["short"])
        and health > 0
        and value > 0,
        measured={
            "re-integration: chance to leave, short group, %": work["short"],
            "long group, %": work["long"],
            "participation: short group, %": taking_part["short"],
            "long group, % more": taking_part["long"],
            "share in good health more": health,
            "value of participation more, million EUR a year": value,
        },
    )
