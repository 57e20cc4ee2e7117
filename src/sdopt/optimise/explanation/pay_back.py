"""The year from which the advice has earned back what it costs, for society and for every perspective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sdopt.config.ledger import END_VALUE
from sdopt.optimise.archive import Floats
from sdopt.problem.build import Problem
from sdopt.problem.over_years import stays_above, year_ends

COLUMNS = (
    *("perspective", "year", "year_discounted", "lowest", "lowest_year", "total", "total_discounted", "unit"),
)
YEARS = ("perspective", "year", "cumulative", "cumulative_discounted", "unit")
RETURN = "return"
"""Name of the row about the variable that is maximised."""


@dataclass(frozen=True)
class Stream:
    """Advice less null alternative over the grid (time,); weights of a step, discounted and plain."""

    name: str
    difference: Floats
    discounted: Floats
    plain: Floats
    unit: str


def pay_back(
    problem: Problem, null: Mapping[str, Floats], advice: Mapping[str, Floats]
) -> dict[str, pd.DataFrame]:
    """The tables `pay_back` and `pay_back_years`; the value at the end of the horizon is left out.

    `null` and `advice`: key -> (time,). The year is the first at whose end the sum of all gains and costs
    so far is above zero, and stays so until the end of the horizon; missing when it never is.
    """
    rows, years = [], []
    for stream in _streams(problem, null, advice):
        plain = np.cumsum(stream.plain * stream.difference)
        discounted = np.cumsum(stream.discounted * stream.difference)
        ends = year_ends(problem)
        at = {year: (float(plain[k]), float(discounted[k])) for year, k in ends}
        lowest = min(at, key=lambda year: at[year][0])
        rows.append(
            (
                *(stream.name, _since(at, 0), _since(at, 1), at[lowest][0], lowest),
                *(float(plain[-1]), float(discounted[-1]), stream.unit),
            )
        )
        years += [(stream.name, year, *sums, stream.unit) for year, sums in at.items()]
    return {
        "pay_back": pd.DataFrame(rows, columns=list(COLUMNS)).astype(
            {"year": float, "year_discounted": float}
        ),
        "pay_back_years": pd.DataFrame(years, columns=list(YEARS)),
    }


def _streams(problem: Problem, null: Mapping[str, Floats], advice: Mapping[str, Floats]) -> Iterator[Stream]:
    main = problem.evaluator.functionals[0]
    (key, weights), *_ = main.weights.items()
    plain = np.where(weights > 0, problem.grid.step, 0.0)
    yield Stream(RETURN, advice[key] - null[key], weights, plain, main.unit)
    ledger = problem.ledger
    for perspective in ledger.perspectives if ledger is not None else ():
        total = np.zeros_like(weights)
        for entry in ledger.entries if ledger is not None else ():
            share = perspective.weight(entry)
            if share is not None and entry.kind != END_VALUE:
                total = total + share * (advice[entry.key] - null[entry.key])
        if perspective.key != key:  # that is the return itself
            yield Stream(perspective.name, total, weights, plain, ledger.unit if ledger else main.unit)


def _since(at: Mapping[int, tuple[float, float]], which: int) -> int | None:
    """First year from which sums stay above zero."""
    stays = stays_above(np.array([sums[which] for sums in at.values()]))
    return next((year for year, paid in zip(at, stays, strict=True) if paid), None)
