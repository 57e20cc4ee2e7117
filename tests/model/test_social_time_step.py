"""Halving the time step: the error is that of Euler's method, and the figures hardly move."""

from __future__ import annotations

from functools import cache

import numpy as np
from experiments_accounts import EVERYTHING_ON
from social_model import DECISIONS, Run, SocialDomain, social_model

END = 2046
MOVES = 0.001
"""Largest move of a stock when the step is halved, relative to its largest value: a tenth of a percent."""
MONEY_MOVES = 0.01
"""The same for what the State still owes and for the reserve: small differences of large amounts."""
MONEY = {"safety_net_to_receive", "general_reserve"}


@cache
def run_with(step: float) -> Run:
    return SocialDomain(end=END, step=step).run()


def moves(step: float) -> dict[str, float]:
    """How far each stock moves at the end when this step is halved, relative to its largest value."""
    coarse, fine = run_with(step), run_with(step / 2)
    keys = [stock.key for stock in social_model().system.of_kind("stock")]
    largest = {key: max(float(np.abs(fine[key]).max()), 1e-12) for key in keys}
    return {key: abs(float(coarse[key][-1] - fine[key][-1])) / largest[key] for key in keys}


def test_the_step_of_the_file_is_the_step_of_the_tests(social: SocialDomain) -> None:
    assert social.grid.step == social.model.system.time.step


def test_half_the_step_hardly_moves_any_stock(social: SocialDomain) -> None:
    moved = moves(social.grid.step)
    assert {key for key, share in moved.items() if share > MOVES} <= MONEY
    assert max(moved.values()) < MONEY_MOVES


def test_the_error_halves_with_the_step(social: SocialDomain) -> None:
    """Euler is of the first order: each halving halves the error, for every stock that has one."""
    moved, finer = moves(social.grid.step), moves(social.grid.step / 2)
    ratios = {key: moved[key] / finer[key] for key in moved if finer[key] > 1e-7}
    assert len(ratios) > 15
    assert {key: ratio for key, ratio in ratios.items() if not 1.9 < ratio < 2.1} == {}


def test_half_the_step_hardly_moves_what_a_decision_brings(social: SocialDomain) -> None:
    """What advice rests on: the return of every decision moves by less than a percent of what it costs."""
    for decision in DECISIONS:
        brought = []
        for step in (social.grid.step, social.grid.step / 2):
            domain = SocialDomain(end=END, step=step)
            change = domain.effects({}, domain.step(f"{decision} spending", 1.5))
            brought.append(float(change["social_return"][:-1].sum() * step))
        cost = float(change["decided_spending"][:-1].sum() * step)
        assert abs(brought[0] - brought[1]) < 0.01 * cost, decision


def test_everything_on_is_stable_at_the_step_of_the_file() -> None:
    """A cap that binds and pressure switch fast: no ringing from one step to the next."""
    run = SocialDomain(end=END).run(EVERYTHING_ON)
    for key in ("waiting_for_light_help", "light_clients", "bijstand_short", "left_under_pressure"):
        turns = np.diff(np.sign(np.diff(run[key])))
        assert np.count_nonzero(turns) <= 12, key
