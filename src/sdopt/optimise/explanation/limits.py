"""Every limit of a question, one at a time: what it is called, its unit, and how it is moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdopt.optimise.archive import Floats, View
from sdopt.optimise.explanation.relaxation import Extreme, Limits
from sdopt.problem.limits import ModelConstraint
from sdopt.problem.rules import Rule

PART = 0.01
"""Part of a limit by which it is moved."""
ZERO = 1e-9
"""A limit below this is zero: then 1 % of what stands against it is the move."""


@dataclass(frozen=True)
class Limit:
    """One limit in one year. `kind`: `rule`, `constraint`, `lower` or `upper` (a bound on a decision).

    `rows`: positions of the rule, of the constraints (several where it holds at every step), or of the
    decision. `amount`: what 1 % is, in `unit`; `slack`: room left at the place looked at, in `unit`.
    """

    kind: str
    name: str
    year: int
    sense: str
    unit: str
    value: float
    rows: tuple[int, ...]
    scales: tuple[float, ...]
    amount: float
    slack: float

    @property
    def from_zero(self) -> bool:
        """Whether the limit is zero, so that its 1 % is taken of what stands against it."""
        return abs(self.value) <= ZERO

    def moved(self, limits: Limits, amount: float) -> Limits:
        """Limits in which this one is wider by an amount in its unit (below zero: tighter)."""
        rows = list(self.rows)
        if self.kind == "constraint":
            room = limits.room.copy()
            room[rows] += amount / np.array(self.scales)
            return replace(limits, room=room)
        name = {"rule": "rules", "lower": "lower", "upper": "upper"}[self.kind]
        ends = getattr(limits, name).copy()
        ends[rows] += -amount if self.kind == "lower" else amount
        return replace(limits, **{name: ends})

    def price(self, multipliers: Extreme) -> float:
        """Gain of the return per unit by which the limit is widened."""
        if self.kind == "constraint":
            return float((multipliers.constraints[list(self.rows)] / np.array(self.scales)).sum())
        of_kind = {"rule": multipliers.rules, "lower": multipliers.lower, "upper": multipliers.upper}
        return float(of_kind[self.kind][list(self.rows)].sum())


def list_limits(view: View, point: Floats) -> list[Limit]:
    """All limits of a question, with their room at a point (decision,)."""
    problem = view.problem
    free = problem.decisions.upper() > problem.decisions.lower()  # a programme's start, once chosen, is not
    rules = [_of_rule(k, rule, point) for k, rule in enumerate(problem.rules) if rule.weights[free].any()]
    values = problem.evaluator.values(point[None]).value[0]
    groups: dict[tuple[str, int, str], list[int]] = {}
    for position, limit in enumerate(problem.constraints):
        key = (limit.functional.name, int(limit.functional.year or 0), limit.sense)
        groups.setdefault(key, []).append(position)
    model = [_of_constraint(key, rows, problem.constraints, values) for key, rows in groups.items()]
    return [*rules, *model, *_bounds(view, point)]


def _of_rule(position: int, rule: Rule, point: Floats) -> Limit:
    against = float(np.abs(rule.weights * point).max(initial=0.0)) or 1.0
    size = abs(rule.limit) if abs(rule.limit) > ZERO else against
    slack = float(rule.limit - rule.weights @ point)
    shown = rule.sign * rule.limit
    return Limit(
        *("rule", rule.name, rule.year, rule.sense, rule.unit, shown, (position,), (1.0,)),
        PART * size,
        slack,
    )


def _of_constraint(
    key: tuple[str, int, str], rows: list[int], limits: tuple[ModelConstraint, ...], values: Floats
) -> Limit:
    name, year, sense = key
    chosen = [limits[row] for row in rows]
    slacks = [one.sign * (one.limit - values[one.row]) for one in chosen]
    tightest = chosen[int(np.argmin(slacks))]
    size = abs(tightest.limit) if abs(tightest.limit) > ZERO else tightest.scale
    scales = tuple(one.scale for one in chosen)
    unit = tightest.functional.unit
    return Limit(
        *("constraint", name, year, sense, unit, tightest.limit, tuple(rows), scales),
        PART * size,
        float(min(slacks)),
    )


def _bounds(view: View, point: Floats) -> list[Limit]:
    decisions = view.problem.decisions
    units = [path.unit for path in decisions.paths for _ in range(path.periods)]
    units += [""] * (decisions.size - len(units))
    found = []
    for kind, ends in (("lower", decisions.lower()), ("upper", decisions.upper())):
        for k, (name, year) in enumerate(decisions.labels()):
            width = float(decisions.upper()[k] - decisions.lower()[k])
            if width == 0.0:  # fixed: no limit that could be moved by itself
                continue
            size = abs(ends[k]) if abs(ends[k]) > ZERO else width or 1.0
            slack = float(abs(point[k] - ends[k]))
            sense = "at_least" if kind == "lower" else "at_most"
            found.append(
                Limit(*(kind, name, year, sense, units[k], float(ends[k]), (k,), (1.0,), PART * size, slack))
            )
    return found
