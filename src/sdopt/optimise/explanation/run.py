"""The whole explanation of an answer: tables and figures that go into its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sdopt.optimise.archive import Archive
from sdopt.optimise.explanation.alternatives import alternatives
from sdopt.optimise.explanation.certainty import optimality_table
from sdopt.optimise.explanation.contributions import decision_contributions, mechanism_contributions
from sdopt.optimise.explanation.frontier import frontier
from sdopt.optimise.explanation.near_optimal import ask_ranges, near_optimal
from sdopt.optimise.explanation.relaxation import limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question
from sdopt.optimise.explanation.shadow_prices import shadow_prices
from sdopt.optimise.search import Found
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.mechanisms import mechanisms_of
from sdopt.result import Result

ROUNDS = 40
"""Rounds in which the answer is brought to its last digits."""
STARTS = 400
"""Evaluated allocations of the search that are taken along at most: the last ones."""

Progress = Callable[[int, float | None, float, float | None], None]


def explained(result: Result, found: Found, progress: Progress, stop: Stop = NEVER) -> Result:
    """The result with its explanation: prices, ranges, alternatives, contributions, pay-back, frontier.

    Starts from all that the search evaluated. The explanation's own best (`explained_improvement`) may be
    better than the advice by less than the gap; the advice is not changed. When it is stopped, there is
    none of it at all (`explanation_stopped`).
    """
    try:
        return _explained(result, found, progress, stop)
    except _StoppedError:
        return result.with_figures(explanation_stopped=True)


class _StoppedError(Exception):
    """The user, or the time limit, ended the explanation."""


def _explained(result: Result, found: Found, progress: Progress, stop: Stop) -> Result:
    desk, best = _start(found)
    note = _note(best, progress, stop)
    desk.answer([best], ROUNDS, note)
    desk.make_room()
    problem, seed = desk.view.problem, desk.view.problem.config.search.seed
    prices, multipliers = shadow_prices(desk, best, problem.objective_unit, note)
    asked = ask_ranges(desk, best, note)
    values, returns = alternatives(desk, best, seed, note)
    ranges = near_optimal(desk, best, asked)  # no narrower than what the alternatives show
    points, decided = frontier(desk, best, note)
    result = result.with_tables(
        **_reasons(found),
        shadow_prices=prices,
        near_optimal=ranges,
        alternatives=values,
        alternative_returns=returns,
        optimality=optimality_table(desk, best, multipliers),
        **({"frontier": points, "frontier_decisions": decided} if len(points) else {}),
    )
    return result.with_figures(**_figures(desk, best, found))


def _start(found: Found) -> tuple[Desk, Question]:
    """A desk over what the search evaluated, and the question itself with the advice as its answer."""
    view, known = found.planes.view, found.planes.archive
    archive, last = Archive(view.problem), slice(-STARTS, None)
    archive.points, archive.values = known.points[last].copy(), known.values[last].copy()
    archive.gradients = known.gradients[last].copy()
    archive.add(np.vstack([found.point, view.problem.decisions.null_vector()]))
    concave = found.bound is not None and found.planes.return_is_concave
    left_out = found.planes.left_out | frozenset(found.audit.disproved)
    size = max(abs(found.improvement), 1e-3 * found.planes.scale)
    desk = Desk(view, archive, left_out, concave, size)
    return desk, Question(limits_of(view), found.point, value=found.improvement)


def _note(best: Question, progress: Progress, stop: Stop) -> Callable[[], None]:
    """Progress of an explanation: rounds so far, with the best improvement; ends it when asked to."""
    rounds = 0

    def note() -> None:
        nonlocal rounds
        if stop.reason() is not None:
            raise _StoppedError
        rounds += 1
        progress(rounds, best.value, best.promise, None)

    return note


def _reasons(found: Found) -> dict[str, pd.DataFrame]:
    """What needs only the advice itself: the part of every decision and mechanism in it."""
    problem, point = found.planes.view.problem, found.point
    mechanisms = mechanisms_of(problem.config, problem.system)
    found_mechanisms = mechanism_contributions(problem, point, mechanisms)
    return {
        "contributions": decision_contributions(problem, point, problem.config.search.seed),
        **({"mechanisms": found_mechanisms} if mechanisms else {}),
    }


def _figures(desk: Desk, best: Question, found: Found) -> dict[str, Any]:
    return {
        "explained_improvement": best.value,
        "explained_gain": max(best.value - found.improvement, 0.0),
        "explanation_evaluations": len(desk.archive.points),
        "explanation_proved": desk.concave,
        "explanation_left_out": sorted(
            {desk.view.problem.constraints[c].functional.name for c in desk.left_out}
        ),
    }
