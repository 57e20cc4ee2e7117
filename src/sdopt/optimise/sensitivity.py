"""How the answer depends on two choices nobody can prove: the end value, and the time step."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.cutting_planes import Trace, start_cutting_planes
from sdopt.optimise.search import Found
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem, at_time_step

END_WEIGHTS = (0.0, 0.5, 1.0, 1.5)
"""Parts of the end value that are shown."""
ROUNDS = 20
"""Most rounds spent on finding out whether another advice would be better."""
SAME = 0.01
"""An advice counts as changed when it gains more than this part of the improvement."""


def end_value_table(problem: Problem, archive: Archive, found: Found, stop: Stop = NEVER) -> pd.DataFrame:
    """Return of the advice for other weights of the end value, and what a new advice would add.

    `regret` (at least) and `regret_at_most` are what the best allocation at that weight gains over
    this advice, in the objective's unit.
    """
    columns = ["weight", "null", "advice", "difference", "regret", "regret_at_most", "advice_changes"]
    if problem.config.objective.end_value is None:
        return pd.DataFrame(columns=columns)
    base = problem.config.objective.end_value.weight
    advice = problem.evaluator.values(found.point[None]).value
    rows = []
    for weight in END_WEIGHTS:
        weights = {0: 1.0, 1: weight * base}
        view = View(problem, weights)
        difference = float(view.objective(advice)[0])
        null = sum(w * float(problem.null_values[row]) for row, w in weights.items())
        regret, most = (
            (0.0, found.gap_amount)
            if weight == 1.0
            else _regret(view, archive, found, difference, stop, found.planes.left_out)
        )
        changes = regret > SAME * abs(found.improvement)
        rows.append((weight, null, null + difference, difference, regret, most, changes))
    return pd.DataFrame(rows, columns=columns)


def _regret(
    view: View,
    archive: Archive,
    found: Found,
    here: float,
    stop: Stop,
    left_out: frozenset[int] = frozenset(),
) -> tuple[float, float | None]:
    """What the best allocation for another objective gains over this one: at least, and at most.

    Starts from all that is known, and stops as soon as it is clear whether that is more than `SAME`
    of the improvement. The upper value has the bound's assumptions, and is absent when they fail.
    """
    planes = start_cutting_planes(view, archive, left_out)
    worth = SAME * abs(found.improvement)

    def clear(step: Trace) -> bool:
        better = step.best is not None and step.best - here > worth
        return step.bound - here <= worth or better or stop.reason() is not None

    planes.run(clear, ROUNDS, lambda *_: None)
    least = max(planes.improvement - here, 0.0)
    holds = found.bound is not None and planes.return_is_concave and not planes.disproved and planes.trace
    return least, max(planes.bound - here, least) if holds else None


def half_step_figures(problem: Problem, found: Found, stop: Stop = NEVER) -> dict[str, float | None]:
    """Effect of halving the time step: on the return of this advice, and on the advice.

    `half_step_return_change` is relative to the improvement. `half_step_regret` (and `..._at_most`) is
    what an advice made at the half step gains there over this one, relative to the improvement; absent
    when no allocation is allowed there. `half_step_smallest_slack` below zero is how far this advice
    passes a constraint there, as part of the constraint's size.
    """
    finer = at_time_step(problem, problem.grid.step / 2)
    view, archive = View(finer, finer.objective_rows), Archive(finer)
    values = finer.evaluator.values(found.point[None]).value
    here = float(view.objective(values)[0])
    size = abs(found.improvement) or np.inf
    archive.add(np.vstack([found.point, finer.decisions.null_vector()]))
    try:
        regret, most = _regret(view, archive, found, here, stop)
    except OptimisationError:
        regret, most = np.nan, None
    return {
        "half_step": finer.grid.step,
        "half_step_improvement": here,
        "half_step_smallest_slack": float(view.slacks(values).min(initial=0.0)),
        "half_step_return_change": (here - found.improvement) / size,
        "half_step_regret": None if np.isnan(regret) else regret / size,
        "half_step_regret_at_most": None if most is None else most / size,
    }
