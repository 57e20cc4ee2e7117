"""Small one-off linear programs over the allowed set (SciPy's HiGHS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.errors import OptimisationError
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]


class InfeasibleError(OptimisationError):
    """Nothing meets the rows and bounds; `infeasible.explain` says why."""


@dataclass(frozen=True)
class Row:
    """One more row: weights (decision,) times the decisions is at most `limit`."""

    name: str
    weights: Floats
    limit: float


@dataclass(frozen=True)
class LinearAnswer:
    """An optimum: point (decision,) and the part of the objective it gives."""

    point: Floats
    value: float


def solve_linear(
    direction: Floats, rules: Sequence[Rule | Row], lower: Floats, upper: Floats
) -> LinearAnswer:
    """Maximise `direction @ u` over bounds and rows.

    Raises
    ------
    InfeasibleError
        When nothing is allowed.
    OptimisationError
        When HiGHS fails.
    """
    weights, limits = stack(rules, len(lower))
    answer = linprog(-direction, A_ub=weights, b_ub=limits, bounds=np.c_[lower, upper], method="highs")
    if answer.status == 2:
        raise InfeasibleError("the limits cannot all hold.")
    if answer.status != 0:
        raise OptimisationError(f"a linear program over the rules failed in HiGHS: {answer.message}")
    return LinearAnswer(np.clip(answer.x, lower, upper), float(-answer.fun))


def stack(rules: Sequence[Rule | Row], size: int) -> tuple[Floats, Floats]:
    """Rows as a matrix (row, decision) and limits (row,)."""
    weights = np.array([rule.weights for rule in rules]) if rules else np.zeros((0, size))
    return weights, np.array([rule.limit for rule in rules])
