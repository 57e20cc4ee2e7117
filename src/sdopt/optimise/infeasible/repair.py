"""Changes of the config with which all limits can be met: checked, and in numbers that read well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from sdopt.optimise.infeasible.limits import Limit
from sdopt.optimise.infeasible.oracle import Oracle
from sdopt.optimise.infeasible.relax import least_relaxation
from sdopt.problem.build import Problem

MOST = 12
"""Entries of the config that are tried alone."""
DIGITS = 5
"""Digits of a relaxed limit; rounded so that it gives more room, never less."""


@dataclass(frozen=True)
class Repair:
    """Limits (positions) that are given more room together, and how much, in their unit.

    With them relaxed, a decision vector was found, and simulated, that meets all limits.
    """

    members: tuple[int, ...]
    amounts: tuple[float, ...]


def repairs_alone(oracle: Oracle, members: Sequence[int]) -> list[Repair]:
    """Per entry of the config in a clash: what it alone needs, alike in all its years, if that can be."""
    limits, found = oracle.limits, []
    for entry in list(dict.fromkeys(limits[k].same_entry for k in members))[:MOST]:
        group = [k for k, limit in enumerate(limits) if limit.same_entry == entry]
        others = [k for k in range(len(limits)) if k not in group]
        relaxation = least_relaxation(oracle, [group], others)
        if relaxation is None:
            continue
        amount = float(relaxation.amounts[0]) * max(limits[k].size for k in group)
        repair = _checked(oracle, Repair(tuple(group), (amount,) * len(group)))
        found += [] if repair is None else [repair]
    return found


def least_repair(oracle: Oracle) -> Repair | None:
    """The relaxations with the least sum, as parts of the limits: few limits, in single years."""
    limits = oracle.limits
    relaxation = least_relaxation(oracle, [[k] for k in range(len(limits))], [])
    if relaxation is None:
        return None
    members = tuple(int(k) for k in np.flatnonzero(relaxation.amounts))
    amounts = tuple(float(relaxation.amounts[k]) * limits[k].size for k in members)
    return _checked(oracle, Repair(members, amounts))


def _checked(oracle: Oracle, repair: Repair) -> Repair | None:
    """The repair in few digits; None when limits still clash, or a bound leaves the model's range."""
    limits = oracle.limits
    rounded = [_rounded(limits[k], amount) for k, amount in zip(repair.members, repair.amounts, strict=True)]
    if len(set(repair.amounts)) == 1:
        rounded = [max(rounded)] * len(rounded)
    relaxed = list(limits)
    for k, amount in zip(repair.members, rounded, strict=True):
        relaxed[k] = limits[k].relaxed(amount)
    if any(_outside_the_model(oracle.problem, relaxed[k]) for k in repair.members):
        return None
    again = Oracle(oracle.problem, oracle.archive, relaxed)
    met = again.ask(range(len(relaxed))).point is not None
    return Repair(repair.members, tuple(rounded)) if met else None


def _outside_the_model(problem: Problem, limit: Limit) -> bool:
    """Whether a bound is beyond the range for which the model says that it holds."""
    if not limit.bound:
        return False
    keys = [path.key for path in problem.decisions.paths if f"{path.id}: bounds" == limit.entry]
    if not keys:  # a start is 0 or 1, whatever would help
        return True
    low, high = problem.system.variables[keys[0]].low, problem.system.variables[keys[0]].high
    return (low is not None and limit.limit < low) or (high is not None and limit.limit > high)


def _rounded(limit: Limit, amount: float) -> float:
    """A somewhat larger amount, with which the limit (of a change limit: the amount) has few digits."""
    if limit.share:
        return float(_to_digits(amount, ROUND_CEILING))
    towards = ROUND_CEILING if limit.sign > 0 else ROUND_FLOOR
    return abs(float(_to_digits(limit.limit + limit.sign * amount, towards)) - limit.limit)


def _to_digits(number: float, towards: str) -> Decimal:
    exact = Decimal(repr(round(number, 10)))
    return (
        exact.quantize(Decimal(1).scaleb(exact.adjusted() - DIGITS + 1), rounding=towards) if exact else exact
    )
