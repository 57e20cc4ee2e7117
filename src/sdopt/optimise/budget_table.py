"""The multi-year budget in current prices, by account and year, and its accounts in older codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.budget_lines import BudgetLine
from sdopt.config.fiscal_library import Library
from sdopt.config.units import amount_per_year
from sdopt.problem.budget import parts_of_line
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
Run = Mapping[str, Floats]
"""key -> (time,)."""

BEFORE = 2
"""Years before the first decision that a budget shows: t-2 and t-1."""
COLUMNS = (*("side", "term", "account", "name", "variable", "year", "null", "advice", "difference", "unit"),)
ACCOUNT_COLUMNS = (
    *("account", "name", "code_2023_2024", "relation_2023_2024", "code_2022", "relation_2022", "pot"),
    *("variable", "share", "side", "term", "source", "status", "note"),
)


def budget_table(problem: Problem, null: Run, advice: Run) -> dict[str, pd.DataFrame]:
    """Tables `multi_year_budget` and `taakvelden`; {} without a library of fiscal rules that has a budget.

    A row per line and year, from two years before the decision years (or the first whole year of the run)
    to the last of them; amounts are the year's total in prices of that year (the model's real amount times
    its price index). `taakvelden` is there when the library names a table of accounts.
    """
    if problem.fiscal is None or not problem.fiscal.library.budget:
        return {}
    library = problem.fiscal.library
    (index,) = parts_of_line(library.price_index, problem.system)
    rows = [row for line in library.budget for row in _rows(problem, line, index.key, null, advice)]
    accounts = {"taakvelden": _accounts(library)} if library.accounts else {}
    return {"multi_year_budget": pd.DataFrame(rows, columns=list(COLUMNS)), **accounts}


def _accounts(library: Library) -> pd.DataFrame:
    """A row per account and line that stands on it; an account without lines has one row without them."""
    rows = []
    for one in library.accounts:
        codes = (
            code
            for pair in zip(one.older, one.relations, strict=True)
            for code in ("; ".join(pair[0]), pair[1])
        )
        known = (one.code, one.name, *codes, one.pot)
        lines = [(n.variable, n.share, n.side, n.term) for n in library.budget if n.account == one.code]
        rows += [
            (*known, *line, one.source, one.status, one.note)
            for line in lines or [("", float("nan"), "", "")]
        ]
    return pd.DataFrame(rows, columns=list(ACCOUNT_COLUMNS))


def _rows(
    problem: Problem, line: BudgetLine, index: str, null: Run, advice: Run
) -> Iterator[tuple[object, ...]]:
    """A row per year; `index` is the key of the price index."""
    parts = parts_of_line(line.variable, problem.system)
    years = problem.config.decision_years
    first = min(max(years.first - BEFORE, ceil(problem.grid.start)), years.first)
    for year in range(first, years.last + 1):
        inside = (problem.grid.times > year - problem.grid.step / 2) & (
            problem.grid.times < year + 1 - problem.grid.step / 2
        )
        before, after = (
            line.share * sum(float((run[part.key] * run[index])[inside].mean()) for part in parts)
            for run in (null, advice)
        )
        unit = amount_per_year(parts[0].unit)
        yield (
            *(line.side, line.term, line.account, line.name, line.variable, year),
            *(before, after, after - before, unit),
        )
