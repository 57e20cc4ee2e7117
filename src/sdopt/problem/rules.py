"""Limits that are exactly linear in the decisions: change limits, caps, floors, earmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.config.schema import Config, Constraint, Limit
from sdopt.problem.decisions import DecisionPath, Decisions


@dataclass(frozen=True)
class Rule:
    """One row: `sum(weights * decisions) <= limit`, named in the config's own words.

    `sense` and `shown_limit` are as the user wrote them; `unit` is the unit of the sum.
    """

    name: str
    year: int
    sense: str
    unit: str
    weights: NDArray[np.float64]
    limit: float
    sign: float = 1.0


def limit_value(limit: float | Limit, null_value: float) -> float:
    """The number behind a limit that may be relative to the null alternative."""
    if isinstance(limit, Limit):
        return limit.null_alternative * null_value + limit.plus
    return limit


def build_rules(config: Config, decisions: Decisions) -> tuple[Rule, ...]:
    """All linear rules of a config, in a fixed order."""
    rows: list[Rule] = []
    for path in decisions.paths:
        rows.extend(_change_limits(path, decisions))
    for name, constraint in config.constraints.items():
        if constraint.decisions is not None:
            rows.extend(_between_decisions(name, constraint, decisions))
    return tuple(rows)


def _row(size: int, entries: dict[int, float]) -> NDArray[np.float64]:
    weights = np.zeros(size)
    for column, weight in entries.items():
        weights[column] += weight
    return weights


def _change_limits(path: DecisionPath, decisions: Decisions) -> Iterator[Rule]:
    """Rise and fall from year to year, from today's value and back to it where it returns."""
    first, last, size = decisions.first_year, decisions.last_year, decisions.size
    before: int | float = path.null_by_year[first - 1]
    for period in range(path.periods):
        now = path.first_column + period
        year = first + period * path.rule.period
        yield from _step(path, size, year, before, now)
        before = now
    ends = path.rule.after == "null_alternative" and int(path.column[-1]) < 0
    if ends:
        yield from _step(path, size, last + 1, before, path.null_by_year[last + 1])


def _step(path: DecisionPath, size: int, year: int, before: int | float, now: int | float) -> Iterator[Rule]:
    """Rows for one step; an int is a column of the decision vector, a float a fixed value."""
    for kind, change, sign in (("rise", path.rule.largest_rise, 1.0), ("fall", path.rule.largest_fall, -1.0)):
        if change is None:
            continue
        share, amount = _share_and_amount(change)
        entries: dict[int, float] = {}
        limit = amount
        factor = 1 + sign * share
        for value, weight in ((now, sign), (before, -sign * factor)):
            if isinstance(value, int):
                entries[value] = entries.get(value, 0.0) + weight
            else:
                limit -= weight * value
        yield Rule(f"{path.id}: largest {kind}", year, "at_most", path.unit, _row(size, entries), limit)


def _share_and_amount(change: float | str) -> tuple[float, float]:
    if isinstance(change, str):
        return float(change.rstrip("%")) / 100, 0.0
    return 0.0, float(change)


def _between_decisions(name: str, constraint: Constraint, decisions: Decisions) -> Iterator[Rule]:
    weights = constraint.decisions or {}
    chosen = [path for path in decisions.paths if path.id in weights]
    years = constraint.years
    first = years.first if years else decisions.first_year
    last = years.last if years else decisions.last_year
    for year in range(first, last + 1):
        entries: dict[int, float] = {}
        for path in chosen:
            column = path.columns_of_year(year, decisions.first_year)
            entries[column] = entries.get(column, 0.0) + weights[path.id]
        row = _row(decisions.size, entries)
        null_value = sum(weights[path.id] * path.null_by_year[year] for path in chosen)
        for sense, limit, sign in (
            ("at_most", constraint.at_most, 1.0),
            ("at_least", constraint.at_least, -1.0),
        ):
            if limit is not None:
                value = limit_value(limit, null_value)
                yield Rule(name, year, sense, chosen[0].unit, sign * row, sign * value, sign)
