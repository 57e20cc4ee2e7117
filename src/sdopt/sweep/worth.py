"""Is every decision worth it in the futures drawn, and which constants are looked at whatever they do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sdopt.config.names import same_name
from sdopt.config.uncertainty import Uncertainty
from sdopt.problem.build import Problem
from sdopt.sweep.asked import Asked
from sdopt.sweep.break_even import ROUNDING
from sdopt.sweep.conclusions import turning, worth_table
from sdopt.sweep.contrasts import Contrast, contrast_gains, money_moved
from sdopt.uncertainty.ensemble import build_ensemble
from sdopt.uncertainty.sample import Uncertain

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

DRAWS, RUNS, FEWEST = 200, 20_000, 30
"""Most draws that decisions are judged by, most runs that this takes, and the draws that it has at least."""
WEAKEST = "D"
"""The lowest confidence in a causal link."""


def worth_of_decisions(asked: Asked, contrasts: Sequence[Contrast], breaks: DataFrame) -> DataFrame:
    """Is every decision worth it, by rule from the distribution, and what would have to be true?

    In some of the sweep's own draws, in every external scenario; by runs of its own.

    Parameters
    ----------
    breaks : the table of `break_even`

    Returns
    -------
    the table of `worth_table`, with unit (of gains and money), scenarios, and the break-even value that is
    likeliest to turn the decision round at central values (empty where none does within its range): constant,
    constant_unit, worth (`above` or `below`), break_even, low, central, high, share_below, chance_turns
    """
    problem, scenarios = asked.problem, asked.plan.scenarios.part(judged_by(asked, len(contrasts)))
    gains = contrast_gains(build_ensemble(problem, scenarios, asked.backend), contrasts)
    rounding = ROUNDING * abs(problem.null_objective)
    gains = np.where(np.abs(gains) <= rounding, 0.0, gains)
    moved = [money_moved(problem, one.more, one.less) for one in contrasts]
    table = worth_table(contrasts, gains, moved, scenarios, asked.numbers)
    table = table.assign(unit=problem.objective_unit, scenarios=scenarios.count)
    return _with_turning(table, breaks)


def judged_by(asked: Asked, contrasts: int) -> NDArray[np.intp]:
    """Positions of the scenarios that decisions are judged by, each of its draws in every external scenario.

    The first draws; of a grid, in which these are alike, draws at random.
    """
    plan = asked.plan
    draws = np.unique(plan.scenarios.draw[asked.apart])
    points = contrasts + 2  # the null alternative and the advice, and a variant of one of them each
    most = min(DRAWS, max(RUNS // (points * len(plan.scenarios.external)), FEWEST))
    if plan.design == "grid" and len(draws) > most:
        draws = np.random.default_rng(asked.problem.config.search.seed).permutation(draws)
    return np.flatnonzero(np.isin(plan.scenarios.draw, draws[:most]))


def _with_turning(table: DataFrame, breaks: DataFrame) -> DataFrame:
    import pandas as pd

    columns = ["constant", "unit", "worth", "break_even", "low", "central", "high", "share_below"]
    nothing = {"constant": "", "unit": "", "worth": ""}
    found = []
    for row in table.itertuples():
        own = breaks[(breaks["contrast"] == row.contrast) & (breaks["decision"] == row.decision)]
        found.append(turning(own) or nothing)
    turns = pd.DataFrame(found, columns=[*columns, "chance_turns"], index=table.index)
    return table.join(turns.rename(columns={"unit": "constant_unit"}))


def advised_table(problem: Problem, advice: Floats) -> DataFrame:
    """What the advice changes in every decision, as means over the decision years.

    decision, variable, unit, first_year, last_year, today (null alternative), advised; `advice` (decision,)
    """
    import pandas as pd

    decisions, null = problem.decisions, problem.decisions.null_vector()
    years = range(decisions.first_year, decisions.last_year + 1)
    rows = []
    for path in decisions.paths:
        columns = [path.columns_of_year(year, decisions.first_year) for year in years]
        rows.append(
            {"decision": path.id, "variable": path.name, "unit": path.unit, "first_year": years[0],
             "last_year": years[-1], "today": null[columns].mean(), "advised": advice[columns].mean()}
        )  # fmt: skip
    return pd.DataFrame(rows)


def always_listed(problem: Problem, drawn: Sequence[Uncertain]) -> Mapping[str, str]:
    """Constants of which it is always said what they turn, also when that is nothing, and why.

    `named`: the question names it (among the uncertainties or correlations, or to be learned); `weak`: the
    confidence in its causal link is D; `sign`: its range has both signs.
    """
    grades = {same_name(row.name): row.confidence for row in problem.constants}
    named = _named(problem)
    found = {}
    for one in drawn:
        key = same_name(one.name)
        if key in named:
            found[one.name] = "named"
        elif grades.get(key) == WEAKEST:
            found[one.name] = "weak"
        elif one.low < 0 < one.high:
            found[one.name] = "sign"
    return found


def _named(problem: Problem) -> set[str]:
    """Constants that the question itself names, by what names are compared by."""
    config = problem.config
    listed = () if isinstance(config.uncertainties, str) else config.uncertainties
    names = [one.constant for one in listed if isinstance(one, Uncertainty)]
    names += [name for one in config.correlations for name in one.between]
    if config.robust.decide_again is not None:
        names.append(config.robust.decide_again.learn)
    return {same_name(name) for name in names}
