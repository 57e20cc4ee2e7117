"""Programmes in the advice: which start and when, what they take, and what each adds to the return."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sdopt.config.units import amount_per_year
from sdopt.optimise.archive import Floats
from sdopt.problem.build import Problem
from sdopt.problem.programmes import ProgrammePlan


def programme_tables(problem: Problem, point: Floats) -> dict[str, pd.DataFrame]:
    """Tables `programmes` (a row each) and `programme_years` (a row each per decision year).

    `adds` is what the return loses when one programme is left out and all else stays as it is, also
    what is then too much or too little for a limit; empty for a programme that does not start.
    """
    years = pd.DataFrame(
        [row for plan in problem.decisions.programmes for row in _years(plan, problem, point)],
        columns=[
            "programme",
            "variable",
            "year",
            "runs",
            "amount",
            "start_cost",
            "yearly_cost",
            "outlay",
            "unit",
        ],
    )
    rows = [_row(plan, problem, point, years) for plan in problem.decisions.programmes]
    columns = [
        "programme",
        "variable",
        "starts",
        "last_year",
        "years",
        "smallest",
        "largest",
        "amount",
        "costs",
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "outlay", "adds", "unit"])
    whole = {"starts": "Int64", "last_year": "Int64"}
    return {"programmes": frame.astype({**whole, "adds": float}), "programme_years": years}


def _years(plan: ProgrammePlan, problem: Problem, point: Floats) -> Iterator[tuple[object, ...]]:
    size = problem.decisions.size
    for year in plan.decision_years:
        amount = float(point[_columns(plan, problem)][plan.decision_years.index(year)])
        runs = float(plan.runs(year, size) @ point)
        once = plan.rule.start_cost * float(plan.starts(year, size) @ point)
        yearly = plan.rule.yearly_cost * runs
        yield (plan.id, plan.name, year, runs > 0.5, amount, once, yearly, amount + once + yearly, plan.unit)


def _row(plan: ProgrammePlan, problem: Problem, point: Floats, years: pd.DataFrame) -> tuple[object, ...]:
    mine = years[years["programme"] == plan.id]
    started, running = plan.started(point), mine.loc[mine["runs"], "year"]
    amount, outlay = float(mine["amount"].sum()), float(mine["outlay"].sum())
    return (
        plan.id,
        plan.name,
        started,
        None if started is None else int(running.max()),
        len(running),
        *plan.rule.amount,
        amount,
        outlay - amount,
        outlay,
        None if started is None else _adds(plan, problem, point),
        amount_per_year(plan.unit) or f"{plan.unit}*Year",
    )


def _adds(plan: ProgrammePlan, problem: Problem, point: Floats) -> float:
    without = point.copy()
    without[list(plan.columns())] = 0.0
    without[_columns(plan, problem)] = 0.0
    values = problem.evaluator.values(np.vstack([point, without])).value
    with_it, left = problem.objective(values)
    return float(with_it - left)


def _columns(plan: ProgrammePlan, problem: Problem) -> slice:
    """Positions of a programme's yearly amounts in the decision vector."""
    path = next(path for path in problem.decisions.paths if path.id == plan.id)
    return slice(path.first_column, path.first_column + path.periods)
