"""Conclusions of a sweep by rule, and what would have to be true: in words of the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdopt.config.sweep import ADVICE
from sdopt.export.labels import Labels
from sdopt.sweep.break_even import money_moved
from sdopt.sweep.conclusions import conclude, condition, other_kinds
from sdopt.sweep.findings import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame


def conclusion_table(asked: Asked, thresholds: Mapping[str, float], labels: Labels) -> DataFrame:
    """What may be said of every allocation against the null alternative.

    allocation, kind, words (full sentences), hangs_on (thresholds that would give other words), unit, and
    the figures of `conclude`. Allocations that differ per scenario are no decision: nothing is said of those.
    """
    import pandas as pd

    problem, rows = asked.problem, []
    null, unit = problem.decisions.null_vector(), problem.objective_unit
    for name in asked.compared:
        point = asked.plan.allocations[name]
        if point.ndim > 1:
            continue
        size = money_moved(problem, point, null)[1]
        values, weights, draws = asked.improvement(name), asked.sample.weights, asked.sample.count
        subject = None if name == ADVICE else name
        found = conclude(values, weights, size, thresholds, labels.language,
                         draws=draws, unit=labels.unit(unit), subject=subject)  # fmt: skip
        others = other_kinds(values, weights, size, thresholds, draws)
        hangs = "; ".join(f"{change}: {kind}" for change, kind in others.items())
        row = {"allocation": name, "kind": found.kind, "words": found.words, "hangs_on": hangs, "unit": unit}
        rows.append({**row, **found.figures})
    return pd.DataFrame(rows)


def condition_table(break_even: DataFrame, labels: Labels, names: Mapping[str, str]) -> DataFrame:
    """What would have to be true for every decision: contrast, decision, words; `names` are for readers."""
    import pandas as pd

    rows = [
        (contrast, decision, condition(of_one, labels.language, names))
        for (contrast, decision), of_one in break_even.groupby(["contrast", "decision"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["contrast", "decision", "words"])
