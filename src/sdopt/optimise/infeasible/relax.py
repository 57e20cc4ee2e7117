"""The least that limits must be relaxed so that all of them can be met."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from sdopt.optimise.archive import Floats
from sdopt.optimise.infeasible.oracle import EXACT, ROUNDS, TOUCHED, Oracle

CLOSE = 1e-6
"""A relaxation this near to the least that tangents allow, relatively, is the least."""


@dataclass(frozen=True)
class Relaxation:
    """Amounts (group,) that a point needs, each in the sizes of its limits; `least` unless rounds ran out."""

    point: Floats
    amounts: Floats
    least: bool


def least_relaxation(
    oracle: Oracle, groups: Sequence[Sequence[int]], held: Collection[int]
) -> Relaxation | None:
    """Least sum of amounts, one per group of limits, with which groups and `held` are met together.

    The limits of a group give way by the same amount, in parts of the largest size among them. A point that
    needs it is simulated, so the amounts are enough whatever tangents say. None when none is found.
    """
    best: Relaxation | None = None
    sizes = np.array([limit.size for limit in oracle.limits])
    largest = [sizes[list(group)].max() for group in groups]
    for _ in range(ROUNDS):
        found = _elastic(oracle, groups, held, largest)
        if found is None:
            break
        point, bound = found
        amounts = oracle.amounts(point)
        if amounts is None:
            break
        linear = all(oracle.limits[k].linear for k in (*held, *(k for group in groups for k in group)))
        if (amounts[list(held)] <= TOUCHED).all():
            plain = amounts * sizes
            needed = np.array([plain[list(g)].max() / s for g, s in zip(groups, largest, strict=True)])
            needed = np.where(needed > TOUCHED, needed, 0.0)
            if best is None or needed.sum() < best.amounts.sum():
                best = Relaxation(point, needed, linear)
        if best is not None and (linear or best.amounts.sum() <= bound * (1 + CLOSE) + TOUCHED):
            return Relaxation(best.point, best.amounts, True)
    return best


def _elastic(
    oracle: Oracle, groups: Sequence[Sequence[int]], held: Collection[int], largest: Sequence[float]
) -> tuple[Floats, float] | None:
    """A decision vector (decision,) and the least sum, by the rows known so far; None when there is none."""
    rows, sizes = oracle.rows, np.array([limit.size for limit in oracle.limits])
    relief = np.zeros((len(rows.owner), len(groups)))
    for k, group in enumerate(groups):
        mine = np.isin(rows.owner, list(group))
        relief[mine, k] = (rows.relief * largest[k] / sizes[rows.owner.astype(int)])[mine]
    mine = np.isin(rows.owner, list(held)) | relief.any(axis=1)
    count = rows.weights.shape[1]
    answer = linprog(
        np.r_[np.zeros(count), np.ones(len(groups))],
        A_ub=np.c_[rows.weights, -relief][mine],
        b_ub=rows.limits[mine],
        bounds=[(None, None)] * count + [(0, None)] * len(groups),
        method="highs",
        options=EXACT,
    )
    return None if answer.x is None else (answer.x[:count] * rows.reach, float(answer.fun))
