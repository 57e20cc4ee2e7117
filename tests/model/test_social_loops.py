"""Loop knockout: each feedback loop off, one at a time, changes its own outcome in the expected direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from social_model import Array, SocialDomain

Paths = Callable[[SocialDomain], dict[str, Array]]
SMALL = {"inhabitants": 10_000.0}


@dataclass(frozen=True)
class Loop:
    """A loop, what cuts it, a push, and what the loop does to the push's effect on one variable in 2046.

    `more` is True where the loop makes the effect larger (reinforcing), False where smaller (balancing).
    """

    cut: Mapping[str, float]
    push: Paths
    variable: str
    more: bool
    setting: Mapping[str, float] = field(default_factory=dict)


LOOPS = {
    "debts, health and work (S1a)": Loop(
        cut={"bijstand share of problem debt": 0.0},
        push=lambda social: social.step("total inflow at start", 1.2),
        variable="people on bijstand",
        more=True,
    ),
    "health and participation (S1a)": Loop(
        cut={"participation effect of health": 0.0},
        push=lambda social: social.step("participation spending", 2),
        variable="People participating",
        more=True,
    ),
    "region and bijstand (S0a)": Loop(
        cut={"jobs per person off bijstand": 0.0, "jobs per extra participant": 0.0},
        push=lambda social: social.step("total inflow at start", 1.2),
        variable="people on bijstand",
        more=True,
    ),
    "overload of carers (S3b)": Loop(
        cut={"drop out of burdened carers": 0.0},
        push=lambda social: social.step("social base spending", 0),
        variable="Informal network capacity",
        more=True,
    ),
    "returns of leavers (S1c)": Loop(
        cut={f"return hazard {when}": 0.0 for when in ("first half year", "later", "under pressure")},
        push=lambda social: social.step("reintegration spending", 2),
        variable="people on bijstand",
        more=False,
    ),
    "waiting that turns heavy fills the cap (F)": Loop(
        cut={"deterioration of waiting": 0.0},
        push=lambda social: social.hold("provisions cap switch", 1.0),
        variable="waiting beyond the legal term",
        more=True,
    ),
    "the budget for benefits follows own spending (B)": Loop(
        cut={"inhabitants": 100_000.0},
        push=lambda social: social.step("benefit per person", 1.2),
        variable="BUIG deficit",
        more=False,
        setting=SMALL,
    ),
    "the grant follows people on bijstand (B)": Loop(
        cut={"share of cluster by recipients": 0.0},
        push=lambda social: social.step("total inflow at start", 0.8),
        variable="municipal balance",
        more=False,
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_knocked_out_changes_its_outcome(social: SocialDomain, name: str) -> None:
    loop = LOOPS[name]
    with_loop, without = (
        float(social.at(social.effect({**loop.setting, **cut}, loop.push(social), loop.variable), 2046))
        for cut in ({}, loop.cut)
    )
    assert with_loop * without >= 0
    assert (abs(with_loop) > 1.0005 * abs(without)) if loop.more else (abs(with_loop) < 0.9995 * abs(without))


def test_trajectories_empty_their_own_pool(social: SocialDomain) -> None:
    """Balancing: with money for everyone, the fewer people there are, the fewer trajectories start."""
    plenty = {"reintegration spending": 10 * social.today("reintegration spending")}
    change = social.effects(plenty, social.step("exit hazard short", 1.5))
    assert social.at(change["people_on_bijstand"], 2036) < 0
    assert social.at(change["trajectories_started"], 2036) < 0


def test_fewer_debts_leave_less_to_help(social: SocialDomain) -> None:
    """Balancing: help ends debts in proportion to those there are."""
    change = social.effects({}, social.step("debt helps at reference", 2))
    solved = change["problem_debts_solved_by_help"]
    assert social.at(solved, 2028) > social.at(solved, 2036) > social.at(solved, 2058) > 0


def test_need_that_is_found_is_found_once(social: SocialDomain) -> None:
    """Balancing: more finding empties what is hidden, so that the bow wave fades (S2c)."""
    change = social.effects({}, social.step("access spending", 2))
    found = change["found_need"] / social.run()["growth_index_of_light_need"]
    assert social.at(found, 2028) > 2 * social.at(found, 2036) > 0
    assert social.at(change["hidden_need"], 2036) < 0
