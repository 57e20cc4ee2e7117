"""Conclusions of a sweep by rule, and what would have to be true: in words of the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.config.sweep import ADVICE, NULL
from sdopt.export.labels import Labels
from sdopt.sweep.asked import Asked
from sdopt.sweep.conclusions import conclude, condition, other_kinds, said_changes
from sdopt.sweep.contrasts import money_moved

if TYPE_CHECKING:
    from pandas import DataFrame


def conclusion_table(asked: Asked, thresholds: Mapping[str, float], labels: Labels) -> DataFrame:
    """What may be said of every allocation against the null alternative, and of the advice against others.

    allocation, against, kind, words (full sentences), hangs_on (thresholds that would give other words),
    unit, and the figures of `conclude`. Allocations that differ per scenario are no decision: nothing is said
    of those.
    """
    import pandas as pd

    single = [name for name in asked.compared if asked.plan.allocations[name].ndim == 1]
    pairs = [(name, NULL) for name in single]
    pairs += [(ADVICE, name) for name in single if name != ADVICE and ADVICE in single]
    return pd.DataFrame([_conclusion(asked, pair, thresholds, labels) for pair in pairs])


def _conclusion(
    asked: Asked, pair: tuple[str, str], thresholds: Mapping[str, float], labels: Labels
) -> dict[str, Any]:
    """What may be said of the first of a pair of allocations against the second."""
    name, against = pair
    points, unit = asked.plan.allocations, asked.problem.objective_unit
    size = money_moved(asked.problem, points[name], points[against])[1]
    values = asked.improvement(name) - (0.0 if against == NULL else asked.improvement(against))
    weights, draws = asked.sample.weights, asked.sample.count
    found = conclude(values, weights, size, thresholds, labels.language, draws=draws, unit=labels.unit(unit),
                     subject=None if name == ADVICE else name,
                     against=None if against == NULL else against)  # fmt: skip
    hangs_on = said_changes(other_kinds(values, weights, size, thresholds, draws))
    said = {"kind": found.kind, "words": found.words, "hangs_on": hangs_on, "unit": unit}
    return {"allocation": name, "against": against, **said, **found.figures}


def condition_table(break_even: DataFrame, labels: Labels, names: Mapping[str, str]) -> DataFrame:
    """What would have to be true for every decision: contrast, decision, words; `names` are for readers."""
    import pandas as pd

    units = [unit if unit.lower() == "dmnl" else labels.unit(unit) for unit in break_even["unit"]]
    groups = break_even.assign(unit=units).groupby(["contrast", "decision"], sort=False)
    rows = [(*key, condition(of_one, labels.language, names)) for key, of_one in groups]
    return pd.DataFrame(rows, columns=["contrast", "decision", "words"])
