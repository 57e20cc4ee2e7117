"""Experiments on what is chosen: S1d (limits that clash), S3a (short and long horizon), S3f (municipalities).

They ask the optimiser small versions of shipped questions: two decision years, few limits, a coarse gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mechanism import Finding, Settings
from social_model import ROOT, SocialDomain, social_model

from sdopt.config.load import load_config
from sdopt.config.schema import Config
from sdopt.errors import OptimisationError
from sdopt.optimise.run import optimise
from sdopt.problem.build import build_problem

EXAMPLE, CITY, SMALL_RURAL = "herverdelen-100k", "grote-stad", "kleine-plattelandsgemeente"
QUICK = {"iterations": 60, "gap": 0.005, "audit": 100, "starts": 2}
SIGN = "sign of the limit on the total"
SHORT, LONG = "short horizon", "long horizon"
DIFFERENCE = "difference between the municipalities"
TODAYS_TOTAL: Mapping[str, Any] = {
    "at least today's total": {"variables": {"decided spending": 1}, "at_least": {"null_alternative": 1}},
    "at most today's total": {"variables": {"decided spending": 1}, "at_most": {"null_alternative": 1}},
}


def shift(config: str, limits: Mapping[str, Any], end: float, *, end_value: bool) -> dict[str, float]:
    """How the best allocation of 2027-2028 differs from today's: decision -> percent of today's total.

    Raises
    ------
    OptimisationError
        If the limits clash, which it names.
    """
    given = load_config(ROOT / "configs" / f"{config}.yaml")
    data = given.config.model_dump(by_alias=True)
    data["decision_years"] = {"first": 2027, "last": 2028}
    data["horizon"]["end"] = end
    data["constraints"] = limits
    data["fiscal_rules"] = None
    data["search"] |= QUICK
    data["objective"]["components"] = ()
    if not end_value:
        data["objective"]["end_value"] = None
    loaded = replace(given, config=Config.model_validate(data), fiscal=None)
    problem = build_problem(loaded, social_model().system)
    table = optimise(problem, "test", lambda *_: None).tables["allocation"]
    decided = table[table["time"].between(2027, 2028)]
    means = decided.pivot_table(index="variable", columns="allocation", values="value")
    percent = 100 * (means["advice"] - means["null"]) / means["null"].sum()
    return {str(name).removesuffix(" spending"): float(value) for name, value in percent.items()}


def shown(moved: Mapping[str, float], *decisions: str) -> dict[str, float]:
    """How much more goes to some decisions."""
    return {f"{name} more, % of today's total": moved[name] for name in decisions}


def clashing_limits(social: SocialDomain, settings: Settings) -> Finding:
    """S1d: too little in total and too much at the front cannot both be; a third limit is not to blame.

    The limit on the total is left out with sign 0; with sign -1 it is a lowest instead of a highest amount.
    """
    sign = settings.get(SIGN, 1.0)
    front = {"prevention spending": 1, "social base spending": 1}
    limits: dict[str, Any] = {
        "Sociale basis en preventie": {"variables": front, "at_least": 11.0},
        "Reserve": {"variables": {"General reserve": 1}, "at_least": 10.0},
    }
    if sign:
        limits["Totaal"] = {"variables": {"decided spending": sign}, "at_most": sign * 20.0}
    try:
        shift(EXAMPLE, limits, 2031, end_value=False)
        message = ""
    except OptimisationError as error:
        message = str(error)
    named = {f"names {name}": float(name in message) for name in limits}
    return Finding(
        holds=[*named.values()] == [1, 0, 1],
        measured={"limits cannot all hold": float(bool(message)), **named},
    )


def horizons(social: SocialDomain, settings: Settings) -> Finding:
    """S3a: today's total divided anew, return counted to a short and to a long horizon (and no end value)."""
    ends = (settings.get(SHORT, 2031.0), settings.get(LONG, 2046.0))
    short, long = (shift(EXAMPLE, TODAYS_TOTAL, end, end_value=False) for end in ends)
    moved = {name: long[name] - short[name] for name in long}
    return Finding(
        holds=short["reintegration"] > 1 and moved["reintegration"] < -1 and moved["social base"] > 1,
        measured={
            "short horizon: re-integration, % of today's total": short["reintegration"],
            "social base": short["social base"],
            "long horizon: re-integration": long["reintegration"],
            "social base, long": long["social base"],
            **shown(moved, "prevention", "learning", "access"),
        },
    )


def municipalities(social: SocialDomain, settings: Settings) -> Finding:
    """S3f: a large city and a small rural, ageing municipality divide today's total in another way.

    Without the difference the city is asked twice; with -1 the two change places.
    """
    difference = settings.get(DIFFERENCE, 1.0)
    pair = {1.0: (SMALL_RURAL, CITY), 0.0: (CITY, CITY), -1.0: (CITY, SMALL_RURAL)}[difference]
    rural, city = (shift(config, TODAYS_TOTAL, 2042, end_value=True) for config in pair)
    moved = {name: city[name] - rural[name] for name in city}
    return Finding(
        holds=rural["social base"] < 0 and city["social base"] > 1,
        measured={
            "social base in the small municipality, % of today's total": rural["social base"],
            "in the city": city["social base"],
            **shown(moved, "participation", "access", "prevention", "reintegration"),
        },
    )
