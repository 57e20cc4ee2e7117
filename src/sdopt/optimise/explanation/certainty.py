"""Optimality conditions of the answer that the explanation starts from: how sure it is, in a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from sdopt.optimise.archive import Floats
from sdopt.optimise.explanation.relaxation import Extreme, limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question

COLUMNS = ("condition", "value", "relative_to", "holds")
ACTIVE = 1e-5
"""A limit is taken to bind when less than this part of its size is left."""
TOLERANCE = {"rules": 1e-7, "constraints": 1e-9, "stationarity": 0.05, "complementarity": 1e-3, "gap": 1e-3}
"""What each condition may miss to be called kept."""


def optimality_table(desk: Desk, best: Question, multipliers: Extreme | None) -> pd.DataFrame:
    """Karush, Kuhn and Tucker: allowed; stationary; multipliers at least zero; no price without binding.

    `rules`, `constraints`: what is broken, as part of its size. `stationarity`: what is left of the slope
    of the return after the binding limits, as part of it (bounds far apart count for more). `complementarity`
    and `gap`: prices times room, and what the multipliers leave unproved, as parts of the improvement.
    """
    if best.point is None:
        return pd.DataFrame(columns=list(COLUMNS))
    point, own, view = best.point, limits_of(desk.view), desk.view
    values = view.problem.evaluator.with_gradients(point[None])
    size = max(abs(desk.scale), 1e-12)
    against = np.array([rule.weights @ point for rule in view.problem.rules])
    widths = np.maximum(np.abs(own.lower), np.abs(own.upper))
    sizes = np.array([np.abs(rule.weights) @ widths for rule in view.problem.rules])
    broken = float(((against - own.rules) / np.maximum(sizes, 1e-12)).max(initial=0.0))
    slacks = view.slacks(values.value)[0]
    rows = [
        ("rules", max(broken, 0.0), "size"),
        ("constraints", max(0.0, -float(slacks.min(initial=0.0))), "size"),
        ("stationarity", stationarity(desk, point), "slope"),
    ]
    if multipliers is not None:
        unused = multipliers.rules @ np.maximum(own.rules - against, 0.0) if len(against) else 0.0
        unused += multipliers.constraints @ np.maximum(slacks, 0.0)
        unused += multipliers.lower @ (point - own.lower) + multipliers.upper @ (own.upper - point)
        rows.append(("complementarity", float(unused) / size, "improvement"))
        rows.append(("gap", max(multipliers.bound - best.value, 0.0) / size, "improvement"))
    table = pd.DataFrame(rows, columns=["condition", "value", "relative_to"])
    return table.assign(
        holds=[value <= TOLERANCE[key] for key, value in zip(table["condition"], table["value"], strict=True)]
    )


def stationarity(desk: Desk, point: Floats) -> float:
    """Part of the slope that no multipliers of at least zero on binding limits explain.

    Slopes are per distance between the bounds, so that the unit of a decision does not matter; the part is
    of the slope there or in the null alternative, whichever is steeper: inside all limits it is zero.
    """
    view, own = desk.view, limits_of(desk.view)
    found = view.problem.evaluator.with_gradients(point[None])
    if found.gradient is None:
        raise AssertionError("with_gradients gave none")
    width = own.upper - own.lower
    slope = view.objective_gradient(found.gradient)[0] * width
    slacks = view.slacks(found.value)[0]
    pulls = [
        -g * width
        for g, s in zip(view.slack_gradients(found.gradient)[0], slacks, strict=True)
        if s <= ACTIVE
    ]
    for rule in view.problem.rules:
        row = rule.weights * width
        if rule.limit - rule.weights @ point <= ACTIVE * np.abs(row).sum():
            pulls.append(row)
    at_upper = own.upper - point <= ACTIVE * width
    at_lower = point - own.lower <= ACTIVE * width
    pulls += [row for row, held in zip(np.diag(width), at_upper, strict=True) if held]
    pulls += [-row for row, held in zip(np.diag(width), at_lower, strict=True) if held]
    null = view.problem.evaluator.with_gradients(view.problem.decisions.null_vector()[None]).gradient
    steep = 0.0 if null is None else float(np.linalg.norm(view.objective_gradient(null)[0] * width))
    size = max(float(np.linalg.norm(slope)), steep, 1e-12)
    if not pulls:
        return float(np.linalg.norm(slope)) / size
    matrix = np.array(pulls).T
    lengths = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    return float(nnls(matrix / lengths, slope)[1]) / size
