"""How the answer depends on two choices nobody can prove: the end value, and the time step."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdopt.optimise.archive import Archive, View
from sdopt.optimise.cutting_planes import start_cutting_planes
from sdopt.optimise.search import Found
from sdopt.problem.build import Problem, at_time_step

END_WEIGHTS = (0.0, 0.5, 1.0, 1.5)
"""Parts of the end value that are shown."""
REOPTIMISED = (0.0, 1.5)
"""Weights for which the best allocation is looked for again."""
LOOSE_GAP, LOOSE_ROUNDS = 2e-3, 30
"""How well: enough to see whether the advice changes."""
SAME = 0.01
"""An advice counts as changed when it gains more than this part of the improvement."""


def end_value_table(problem: Problem, archive: Archive, found: Found) -> pd.DataFrame:
    """Return of the advice for other weights of the end value, and what a new advice would add.

    `regret` is what the best allocation at that weight gains over this advice (same unit).
    """
    if problem.config.objective.end_value is None:
        return pd.DataFrame(columns=["weight", "null", "advice", "difference", "regret", "advice_changes"])
    base = problem.config.objective.end_value.weight
    advice = problem.evaluator.values(found.point[None]).value
    rows = []
    for weight in END_WEIGHTS:
        weights = {0: 1.0, 1: weight * base}
        view = View(problem, weights)
        difference = float(view.objective(advice)[0])
        null = sum(w * float(problem.null_values[row]) for row, w in weights.items())
        regret = _regret(view, archive, difference) if weight in REOPTIMISED else 0.0
        changes = regret > SAME * abs(found.improvement)
        rows.append((weight, null, null + difference, difference, regret, changes))
    return pd.DataFrame(rows, columns=["weight", "null", "advice", "difference", "regret", "advice_changes"])


def _regret(view: View, archive: Archive, here: float) -> float:
    """What the best allocation for another objective gains over this one; starts from all that is known."""
    planes = start_cutting_planes(view, archive)
    planes.run(LOOSE_GAP, LOOSE_ROUNDS, lambda *_: None)
    return max(planes.improvement - here, 0.0)


def half_step_figures(problem: Problem, found: Found) -> dict[str, float | None]:
    """Effect of halving the time step: on the return of this advice, and on the advice.

    `half_step_return_change` is relative to the improvement. `half_step_regret` is what an advice made
    at the half step gains there over this one, relative to the improvement.
    """
    finer = at_time_step(problem, problem.grid.step / 2)
    view, archive = View(finer, finer.objective_rows), Archive(finer)
    here = float(view.objective(finer.evaluator.values(found.point[None]).value)[0])
    size = abs(found.improvement) or np.inf
    archive.add(np.vstack([found.point, finer.decisions.null_vector()]))
    return {
        "half_step": finer.grid.step,
        "half_step_improvement": here,
        "half_step_return_change": (here - found.improvement) / size,
        "half_step_regret": _regret(view, archive, here) / size,
    }
