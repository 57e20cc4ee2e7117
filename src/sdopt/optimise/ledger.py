"""Who pays and who gains by the advice, per pocket and per perspective, and by which conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.discount import rate_steps
from sdopt.config.ledger import END_VALUE, NOT_SPLIT
from sdopt.problem.build import Problem
from sdopt.problem.ledger import Entry, Ledger, Perspective

Floats = NDArray[np.float64]
Run = Mapping[str, Floats]
"""key -> (time,)."""

AGREES = 1e-6
"""Flows and the variable that should equal them agree when they differ by less than this part of them."""
ROUNDING = 1e-12
"""Part of the amounts themselves by which sums of doubles may differ."""
AMOUNTS = ["null", "advice", "difference", "unit"]
CONVENTION_COLUMNS = ["convention", "method", "constant", "value", "unit", "source", "status", "note"]


def ledger_tables(problem: Problem, null: Run, advice: Run) -> dict[str, pd.DataFrame]:
    """The tables of a ledger, its years and perspectives, and `not_valued`; {} without a ledger.

    Present values are discounted as the objective is; values per year are not discounted.
    """
    ledger = problem.ledger
    if ledger is None:
        return {}
    rows = [row for entry in ledger.entries for row in _pocket_rows(ledger, entry, null, advice)]
    perspectives = [row for p in ledger.perspectives for row in _perspective_rows(ledger, p, null, advice)]
    totals = [_total_row(problem, ledger, p, null, advice) for p in ledger.perspectives]
    columns = ["effect", "variable", "pocket", "kind", "cash", *AMOUNTS, "label"]
    return {
        "ledger": pd.DataFrame(rows, columns=columns),
        "ledger_years": _by_year(problem, ledger, null, advice),
        "perspectives": pd.DataFrame(
            perspectives, columns=["perspective", "effect", "kind", "cash", *AMOUNTS]
        ),
        "perspective_totals": pd.DataFrame(totals),
        **({"not_valued": pd.DataFrame(map(asdict, ledger.not_valued))} if ledger.not_valued else {}),
    }


def convention_table(problem: Problem) -> dict[str, pd.DataFrame]:
    """The table `conventions`: chosen methods and discount rate; {} without a valuation and a ledger."""
    if not problem.methods and problem.ledger is None:
        return {}
    chosen = [tuple(getattr(row, column) for column in CONVENTION_COLUMNS) for row in problem.methods]
    rate = problem.config.objective.discount_rate
    name = rate if isinstance(rate, str) else "own rate"
    steps = [(step, f"From year {step.from_year:g}. {step.note}") for step in rate_steps(rate)]
    rates = [("discount rate", name, "", step.rate, "1/Year", step.source, "", note) for step, note in steps]
    frame = pd.DataFrame([*chosen, *rates], columns=CONVENTION_COLUMNS)
    return {"conventions": frame.astype({"value": float})}


def _amounts(weight: float, null: float, advice: float, unit: str) -> tuple[float, float, float, str]:
    """Null, advice and difference times a weight; + 0.0 so that nothing is ever -0.0."""
    before, after = weight * null + 0.0, weight * advice + 0.0
    return before, after, after - before, unit


def _pocket_rows(ledger: Ledger, entry: Entry, null: Run, advice: Run) -> Iterator[tuple[object, ...]]:
    before, after = (float(entry.present @ run[entry.key]) for run in (null, advice))
    for pocket in [NOT_SPLIT] if NOT_SPLIT in entry.weights else ledger.pockets:
        amounts = _amounts(entry.weights[pocket], before, after, ledger.unit)
        yield entry.effect, entry.variable, pocket, entry.kind, entry.cash, *amounts, entry.label


def _perspective_rows(
    ledger: Ledger, perspective: Perspective, null: Run, advice: Run
) -> Iterator[tuple[object, ...]]:
    for entry in ledger.entries:
        weight = perspective.weight(entry)
        if weight is not None:
            before, after = (float(entry.present @ run[entry.key]) for run in (null, advice))
            amounts = _amounts(weight, before, after, ledger.unit)
            yield perspective.name, entry.effect, entry.kind, entry.cash, *amounts


def _total_row(
    problem: Problem, ledger: Ledger, perspective: Perspective, null: Run, advice: Run
) -> dict[str, object]:
    """Totals of one perspective; whether its flows differ as its variable does, at every time step."""
    counted = [(entry, w) for entry in ledger.entries if (w := perspective.weight(entry)) is not None]
    worth = [sum(w * float(e.present @ run[e.key]) for e, w in counted) for run in (null, advice)]
    ends = [w * float(e.present @ (advice[e.key] - null[e.key])) for e, w in counted if e.kind == END_VALUE]
    unexplained = _unexplained(problem, perspective, counted, null, advice)
    early = problem.grid.times < problem.config.decision_years.last + 1 - problem.grid.step / 2
    soon = [w * float((e.present * early) @ (advice[e.key] - null[e.key])) for e, w in counted]
    before, after, difference, unit = _amounts(1.0, worth[0], worth[1], ledger.unit)
    return {
        "perspective": perspective.name,
        "pockets": "; ".join(perspective.pockets),
        "cash_only": perspective.cash_only,
        "variable": perspective.variable,
        "maximised": perspective.counts_rest,
        "null": before,
        "advice": after,
        "difference": difference,
        "of_which_decision_years": sum(soon) + 0.0,
        "of_which_end_value": sum(ends) + 0.0,
        "agrees": unexplained <= AGREES,
        "unit": unit,
    }


def _unexplained(
    problem: Problem, perspective: Perspective, counted: list[tuple[Entry, float]], null: Run, advice: Run
) -> float:
    """Largest distance over time between the flows and their variable (both advice less null).

    Relative to the largest sum of what the flows move, up or down; 0 without a variable, and where it is
    no more than the rounding of the amounts themselves.
    """
    if perspective.key is None:
        return 0.0
    inside = problem.grid.times >= problem.config.decision_years.first - problem.grid.step / 2
    flows = [(e.key, w) for e, w in counted if e.kind != END_VALUE]
    before, after = (_summed(run, [*flows, (perspective.key, -1.0)], inside) for run in (null, advice))
    distance = float(np.abs(after.sum(axis=0) - before.sum(axis=0)).max())
    moved = float(np.abs(after - before).sum(axis=0).max())
    rounding = ROUNDING * float((np.abs(after) + np.abs(before)).sum(axis=0).max())
    return distance / moved if distance > rounding else 0.0


def _summed(run: Run, weights: list[tuple[str, float]], inside: NDArray[np.bool_]) -> Floats:
    """Weighted variables over the times inside: (variable, time)."""
    return np.stack([weight * run[key][inside] for key, weight in weights])


def _by_year(problem: Problem, ledger: Ledger, null: Run, advice: Run) -> pd.DataFrame:
    """What each flow moves in each year from the first decision year on, not discounted."""
    rows = []
    years = range(problem.config.decision_years.first, ceil(problem.grid.end - problem.grid.step / 2))
    for entry in ledger.entries:
        if entry.kind == END_VALUE:
            continue
        before, after = (_sums(problem, run[entry.key], years) for run in (null, advice))
        for pocket in ledger.pockets:
            for k, year in enumerate(years):
                amounts = _amounts(entry.weights[pocket], before[k], after[k], ledger.unit)
                rows.append((entry.effect, pocket, float(year), entry.kind, entry.cash, *amounts))
    return pd.DataFrame(rows, columns=["effect", "pocket", "year", "kind", "cash", *AMOUNTS])


def _sums(problem: Problem, path: Floats, years: range) -> list[float]:
    """A yearly amount summed over the steps that begin in each year, before the end of the horizon."""
    middles = problem.grid.times + problem.grid.step / 2
    inside = [(middles > year) & (middles < min(year + 1, problem.grid.end)) for year in years]
    return [float(path[where].sum()) * problem.grid.step for where in inside]
