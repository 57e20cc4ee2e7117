"""Limits that are exactly linear in the decisions: change limits, caps, floors, earmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sdopt.config.schema import Config, Constraint, Limit
from sdopt.problem.decisions import DecisionPath, Decisions


@dataclass(frozen=True)
class Rule:
    """One row: `sum(weights * decisions) <= limit`, named in the config's own words.

    `sense` and `shown_limit` are as the user wrote them; `unit` is the unit of the sum. `runs`, if given,
    are the weights that tell whether its programme runs: it limits something only where these add up to 1.
    """

    name: str
    year: int
    sense: str
    unit: str
    weights: NDArray[np.float64]
    limit: float
    sign: float = 1.0
    runs: NDArray[np.float64] | None = None


Amount = TypeVar("Amount", float, NDArray[np.float64])


def limit_value(limit: float | Limit, null_value: Amount, other_null_value: Amount) -> Amount | float:
    """The number behind a limit that may be relative to the null alternative.

    `null_value` is what the constraint's own sum is there, `other_null_value` what `other_weights` give: a
    number, or one per scenario.
    """
    if not isinstance(limit, Limit):
        return limit
    share = limit.null_alternative
    return (other_null_value if isinstance(share, dict) else share * null_value) + limit.plus


def other_weights(limit: float | Limit) -> dict[str, float]:
    """The weights that a limit has for the null alternative alone; empty when it has none of its own."""
    share = limit.null_alternative if isinstance(limit, Limit) else 1.0
    return share if isinstance(share, dict) else {}


def build_rules(config: Config, decisions: Decisions) -> tuple[Rule, ...]:
    """All linear rules of a config, in a fixed order."""
    rows: list[Rule] = []
    for path in decisions.paths:
        rows.extend(_change_limits(path, decisions))
    for name, constraint in config.constraints.items():
        if constraint.decisions is not None:
            rows.extend(_between_decisions(name, constraint, decisions))
    return tuple(rows)


@dataclass(frozen=True)
class _Affine:
    """A decision in one year as `weights @ decisions + fixed`: a chosen value, or one that is given."""

    weights: NDArray[np.float64]
    fixed: float

    @classmethod
    def chosen(cls, size: int, column: int) -> _Affine:
        return cls(np.eye(1, size, column)[0], 0.0)

    @classmethod
    def given(cls, size: int, value: float) -> _Affine:
        return cls(np.zeros(size), value)


def _change_limits(path: DecisionPath, decisions: Decisions) -> Iterator[Rule]:
    """Rise and fall from year to year, from today's value and back to it where it returns."""
    first, last, size = decisions.first_year, decisions.last_year, decisions.size
    before = _Affine.given(size, path.null_by_year[first - 1])
    for period in range(path.periods):
        now = _Affine.chosen(size, path.first_column + period)
        yield from _step(path, first + period * path.rule.period, before, now)
        before = now
    returns = path.rule.after == "null_alternative" and int(path.column[-1]) < 0
    if returns:
        yield from _step(path, last + 1, before, _Affine.given(size, path.null_by_year[last + 1]))


def _step(path: DecisionPath, year: int, before: _Affine, now: _Affine) -> Iterator[Rule]:
    """Rows `sign * (now - factor * before) <= amount` for rise and fall in one year."""
    for kind, change, sign in (("rise", path.rule.largest_rise, 1.0), ("fall", path.rule.largest_fall, -1.0)):
        if change is None:
            continue
        share, amount = _share_and_amount(change)
        factor = 1 + sign * share
        weights = sign * (now.weights - factor * before.weights)
        limit = amount - sign * (now.fixed - factor * before.fixed)
        yield Rule(f"{path.id}: largest {kind}", year, "at_most", path.unit, weights, limit)


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
        row = np.zeros(decisions.size)
        for path in chosen:
            row[path.columns_of_year(year, decisions.first_year)] += weights[path.id]
            row += weights[path.id] * decisions.costs(path.id, year)

        null_value = _null_sum(weights, decisions, year)
        for sense, limit, sign in sides(constraint):
            value = limit_value(limit, null_value, _null_sum(other_weights(limit), decisions, year))
            yield Rule(name, year, sense, chosen[0].unit, sign * row, sign * value, sign)


def _null_sum(weights: Mapping[str, float], decisions: Decisions, year: int) -> float:
    return sum(weights[path.id] * path.null_by_year[year] for path in decisions.paths if path.id in weights)


def sides(constraint: Constraint) -> Iterator[tuple[str, float | Limit, float]]:
    """The limits a constraint has: sense, limit, and the sign with which `sign * (limit - value) >= 0`."""
    if constraint.at_most is not None:
        yield "at_most", constraint.at_most, 1.0
    if constraint.at_least is not None:
        yield "at_least", constraint.at_least, -1.0
