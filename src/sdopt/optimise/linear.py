"""Small one-off linear programs over the allowed set (SciPy's HiGHS), and why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.errors import OptimisationError
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]
FIXED = 1e-9
"""A shortage below this is rounding."""


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
    OptimisationError
        When nothing is allowed, with the rows that clash; or when HiGHS fails.
    """
    weights, limits = stack(rules, len(lower))
    answer = linprog(-direction, A_ub=weights, b_ub=limits, bounds=np.c_[lower, upper], method="highs")
    if answer.status == 2:
        raise OptimisationError(clash(rules, lower, upper))
    if answer.status != 0:
        raise OptimisationError(f"a linear program over the rules failed in HiGHS: {answer.message}")
    return LinearAnswer(np.clip(answer.x, lower, upper), float(-answer.fun))


def stack(rules: Sequence[Rule | Row], size: int) -> tuple[Floats, Floats]:
    """Rows as a matrix (row, decision) and limits (row,)."""
    weights = np.array([rule.weights for rule in rules]) if rules else np.zeros((0, size))
    return weights, np.array([rule.limit for rule in rules])


def clash(rules: Sequence[Rule | Row], lower: Floats, upper: Floats) -> str:
    """Which limits cannot hold together, by the smallest total relaxation (an elastic program).

    Rows with one label are one limit and give way together.
    """
    weights, limits = stack(rules, len(lower))
    labels = list(dict.fromkeys(_label(rule) for rule in rules))
    same = np.array([[_label(rule) == label for label in labels] for rule in rules], dtype=float)
    scale = np.maximum((same * np.abs(limits)[:, None]).max(axis=0), 1.0)
    matrix = np.hstack([weights, -same * scale])
    cost = np.r_[np.zeros(len(lower)), np.ones(len(labels))]
    bounds = np.r_[np.c_[lower, upper], np.c_[np.zeros(len(labels)), np.full(len(labels), np.inf)]]
    answer = linprog(cost, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")
    short = answer.x[len(lower) :] * scale if answer.status == 0 else np.zeros(len(labels))
    lines = [
        f"  * {label} would have to be relaxed by {amount:.4g}"
        for label, amount in zip(labels, short, strict=True)
        if amount > FIXED
    ]
    return "\n".join(["the limits cannot all hold; the least that would have to give way:", *lines])


def _label(rule: Rule | Row) -> str:
    return f"{rule.name} ({rule.year})" if isinstance(rule, Rule) else rule.name
