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
        best = difference if weight == 1.0 else _best(view, archive, problem.config.search.gap)
        regret = max(best - difference, 0.0)
        rows.append(
            (weight, null, null + difference, difference, regret, regret > SAME * abs(found.improvement))
        )
    return pd.DataFrame(rows, columns=["weight", "null", "advice", "difference", "regret", "advice_changes"])


def _best(view: View, archive: Archive, gap: float) -> float:
    """Best improvement for another objective over what is already known, and some rounds more."""
    planes = start_cutting_planes(view, archive)
    planes.run(max(gap, 1e-3), 30, lambda *_: None)
    return planes.improvement


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
    best = _best(view, archive, problem.config.search.gap)
    return {
        "half_step": finer.grid.step,
        "half_step_improvement": here,
        "half_step_return_change": (here - found.improvement) / size,
        "half_step_regret": max(best - here, 0.0) / size,
    }
