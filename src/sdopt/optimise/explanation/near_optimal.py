"""How far every decision can move while the return stays within 1 % or 5 % of the improvement.

Outer ranges are proved: no allowed allocation with that return lies outside, if what has tangents is
concave. Inner ranges are the furthest that allowed allocations, evaluated exactly, were found to go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sdopt.optimise.archive import Floats
from sdopt.optimise.explanation.relaxation import limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question
from sdopt.optimise.sample import columns_of

PARTS = (0.01, 0.05)
"""Parts of the improvement that may be given up."""
MOST = 60
"""With more values than this only averages get a range: time goes with the square of their number."""
ROUNDS = 3
COLUMNS = (
    *("within", "decision", "variable", "year", "value", "outer_low", "inner_low", "inner_high"),
    *("outer_high", "unit"),
)
AVERAGE = 0
"""In the column `year`: the average over the decision years."""


@dataclass(frozen=True)
class Measure:
    """What a range is about: a decision in one period, or its average (`year` is `AVERAGE`)."""

    decision: str
    variable: str
    year: int
    unit: str
    weights: Floats


def measures(desk: Desk) -> list[Measure]:
    """Every decision on average over its periods, then per period unless there are too many."""
    decisions, found = desk.view.problem.decisions, []
    for path in decisions.paths:
        whole = columns_of(path, decisions.size) / path.periods
        found.append(Measure(path.id, path.name, AVERAGE, path.unit, whole))
    for path in decisions.paths if decisions.size <= MOST else ():
        for period in range(path.periods if path.periods > 1 else 0):
            row = np.eye(1, decisions.size, path.first_column + period)[0]
            year = decisions.years_of(path, period)[0]
            found.append(Measure(path.id, path.name, year, path.unit, row))
    return found


def level_of(improvement: float, part: float) -> float:
    """What an allocation must return at least: the improvement less a part of its size."""
    return improvement - part * abs(improvement)


Asked = Mapping[tuple[float, int, float], Question]
"""Part, number of the measure, and -1 or 1 for down or up -> how far that goes."""


def ask_ranges(desk: Desk, best: Question, progress: Callable[[], None]) -> Asked:
    """How far every measure goes; nothing when there is no improvement to give up a part of."""
    if best.point is None or best.value == 0:
        return {}
    own = limits_of(desk.view)
    asked = {
        (part, k, sign): Question(own, None, sign * m.weights, level_of(best.value, part))
        for part in PARTS
        for k, m in enumerate(measures(desk))
        for sign in (-1.0, 1.0)
    }
    desk.answer(list(asked.values()), ROUNDS, progress)
    return asked


def near_optimal(desk: Desk, best: Question, asked: Asked) -> pd.DataFrame:
    """A row per part, decision and period: as far as anything goes that was evaluated by now."""
    if best.point is None or not asked:
        return pd.DataFrame(columns=list(COLUMNS))
    listed, rows = measures(desk), []
    for question in asked.values():
        desk.look_again(question)
    for part in PARTS:
        for k, m in enumerate(listed):
            low, high = asked[part, k, -1.0], asked[part, k, 1.0]
            outer = (-desk.bound(low), desk.bound(high)) if desk.concave else (None, None)
            ends = (outer[0], -low.value, high.value, outer[1])
            value = float(m.weights @ best.point)
            rows.append((part, m.decision, m.variable, m.year, value, *ends, m.unit))
    return pd.DataFrame(rows, columns=list(COLUMNS))
