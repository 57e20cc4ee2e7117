"""Rules of programmes as rows that are exactly linear in the decision vector, in the config's words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sdopt.config.programmes import Choice
from sdopt.config.schema import Config
from sdopt.problem.decisions import Decisions
from sdopt.problem.programmes import ProgrammePlan
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]
COUNT_UNIT = "programme"
"""Unit of a number of programmes."""


def programme_rules(config: Config, decisions: Decisions) -> tuple[Rule, ...]:
    """All rows of programmes and choices, in a fixed order."""
    rows: list[Rule] = []
    for plan in decisions.programmes:
        rows.extend(_amounts(plan, decisions))
        rows.extend(_starts(plan, decisions))
    for name, choice in config.choices.items():
        rows.extend(_choice(name, choice, decisions))
    return tuple(rows)


def _amounts(plan: ProgrammePlan, decisions: Decisions) -> Iterator[Rule]:
    """Between smallest and largest while it runs, and zero while it does not."""
    low, high = plan.rule.amount
    path = next(path for path in decisions.paths if path.id == plan.id)
    for year in plan.decision_years:
        amount = np.eye(1, decisions.size, path.columns_of_year(year, decisions.first_year))[0]
        runs = plan.runs(year, decisions.size)
        name = f"{plan.id}: largest amount while it runs"
        yield Rule(name, year, "at_most", plan.unit, amount - high * runs, 0.0, 1.0, runs)
        if low > 0:
            name = f"{plan.id}: smallest amount while it runs"
            yield Rule(name, year, "at_least", plan.unit, low * runs - amount, 0.0, -1.0, runs)


def _starts(plan: ProgrammePlan, decisions: Decisions) -> Iterator[Rule]:
    """It starts once at most, and only in years in which what it needs runs."""
    size = decisions.size
    total = _ever(plan, size)
    name, never = f"{plan.id}: starts at most once", np.zeros(size)  # true by the meaning of starting
    yield Rule(name, decisions.first_year, "at_most", COUNT_UNIT, total, 1.0, 1.0, never)
    for needed in plan.rule.needs:
        other = _plan(needed, decisions)
        for year in plan.start_years:
            row = plan.starts(year, size) - other.runs(year, size)
            starts = plan.starts(year, size)
            yield Rule(f"{plan.id}: needs {needed}", year, "at_least", COUNT_UNIT, row, 0.0, -1.0, starts)


def _choice(name: str, choice: Choice, decisions: Decisions) -> Iterator[Rule]:
    """How many of some programmes start at all, or run or start in each decision year."""
    for year, row in _counts(choice, decisions):
        if choice.at_most is not None:
            yield Rule(name, year, "at_most", COUNT_UNIT, row, float(choice.at_most))
        if choice.at_least is not None:
            yield Rule(name, year, "at_least", COUNT_UNIT, -row, -float(choice.at_least), -1.0)


def _counts(choice: Choice, decisions: Decisions) -> Iterator[tuple[int, Floats]]:
    plans, size = [_plan(name, decisions) for name in choice.of], decisions.size
    if choice.count == "ever_started":
        yield decisions.first_year, np.sum([_ever(plan, size) for plan in plans], axis=0)
        return
    for year in plans[0].decision_years:
        rows = [
            plan.runs(year, size) if choice.count == "running" else plan.starts(year, size) for plan in plans
        ]
        yield year, np.sum(rows, axis=0)


def _ever(plan: ProgrammePlan, size: int) -> Floats:
    weights = np.zeros(size)
    weights[list(plan.columns())] = 1.0
    return weights


def _plan(name: str, decisions: Decisions) -> ProgrammePlan:
    return next(plan for plan in decisions.programmes if plan.id == name)
