"""A linear program over everything that was evaluated: how far a direction, or the return, can go at most.

Rules and bounds hold exactly; return and constraints by their tangents, which a concave function never
passes. HiGHS only proposes: every upper bound is recomputed from its multipliers by weak duality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import ALLOWED, Archive, Floats, View

NEAR = 0.03
"""Constraints with a scaled slack below this get a tangent: further than any limit is moved."""
FEASIBILITY = 1e-9
VIOLATED = 1e-8
"""A row that an answer passes by more than this joins the linear program, and it is solved again."""
MOST = 600
"""With more rows than this HiGHS starts anew, from the rules and the rows that lately had a price."""
LATELY = 60
"""Programs ago."""
AT_ONCE, TIMES = 100, 12
"""Most rows that join at once, and how often; a program that lacks rows still gives a valid bound."""
WIDE = 1e4
"""Beyond any return, in units of what its slope promises between the bounds."""
OBJECTIVE, RULE = -1, -2
"""What a row is about, where it is not the position of a constraint."""


@dataclass(frozen=True)
class Limits:
    """What an allocation is held to: bounds (decision,), limits of the rules (rule,), and
    `room` (constraint,): how much every constraint is widened, in its scaled slack.
    """

    lower: Floats
    upper: Floats
    rules: Floats
    room: Floats

    def meets_rules(self, view: View, points: Floats, against: Floats) -> NDArray[np.bool_]:
        """Whether points (point, decision) keep bounds and rules, up to the solver's rounding.

        `against` (point, rule) is what stands against the limits: weights times decisions.
        """
        sizes = ALLOWED * np.maximum(np.abs(self.lower), np.abs(self.upper))
        inside = ((points >= self.lower - sizes) & (points <= self.upper + sizes)).all(axis=1)
        weights = np.array([rule.weights for rule in view.problem.rules]).reshape(-1, len(sizes))
        passed = ALLOWED * np.abs(self.rules) + np.abs(weights) @ sizes
        return np.asarray(inside & (against <= self.rules + passed).all(axis=1))

    def slack(self, view: View, values: Floats) -> Floats:
        """Smallest scaled slack of the constraints, (point,), from evaluator values."""
        return np.asarray((view.slacks(values) + self.room).min(axis=1, initial=np.inf))


def limits_of(view: View) -> Limits:
    """The limits of the question itself."""
    problem = view.problem
    rules = np.array([rule.limit for rule in problem.rules])
    room = np.zeros(len(problem.constraints))
    return Limits(problem.decisions.lower(), problem.decisions.upper(), rules, room)


@dataclass(frozen=True)
class Rows:
    """Rows `weights @ u + theta * return <= limit`; `about` is a constraint, `OBJECTIVE` or `RULE`."""

    weights: Floats
    theta: Floats
    limit: Floats
    about: Floats


@dataclass(frozen=True)
class Extreme:
    """Where a direction goes furthest: point (decision,), a proved upper bound, and the multipliers.

    Multipliers are in units of the direction per unit of the row: per rule, per constraint (scaled
    slack), and of lower and upper bounds (decision,).
    """

    point: Floats
    bound: float
    rules: Floats
    constraints: Floats
    lower: Floats
    upper: Floats


class Relaxation:
    """Grows with the archive. `left_out`: constraints without tangents, as they are not concave.

    Without `concave` it holds rules and bounds alone: the caller then gives tangents of one place.
    """

    def __init__(self, view: View, archive: Archive, left_out: frozenset[int], *, concave: bool) -> None:
        self.view, self.archive, self.left_out, self.concave = view, archive, left_out, concave
        self.size = view.problem.decisions.size
        self.used = 0
        self.solver = _solver(self.size)
        self.rows = _no_rows(self.size)
        self.inside = np.zeros(0, dtype=np.intp)  # rows that HiGHS has, in its order
        self.solved = 0
        self.priced: dict[int, int] = {}  # row -> the last program in which it had a price
        rules = view.problem.rules
        if rules:
            weights, limit = np.array([r.weights for r in rules]), np.array([r.limit for r in rules])
            self.rows = Rows(weights, np.zeros(len(rules)), limit, np.full(len(rules), RULE))
        self._join(np.arange(len(rules)))
        slope = np.abs(view.objective_gradient(archive.gradients[:1])[0])
        decisions = view.problem.decisions
        self.scale = max(float(slope @ (decisions.upper() - decisions.lower())), 1e-9)

    def tangents(self, position: int, constraints: Sequence[int], *, objective: bool) -> Rows:
        """Rows of an archived point: its tangents of some constraints, and of the return if asked."""
        view, archive, one = self.view, self.archive, slice(position, position + 1)
        point = archive.points[position]
        slope = -view.slack_gradients(archive.gradients[one])[0][list(constraints)]
        limit = view.slacks(archive.values[one])[0][list(constraints)] + slope @ point
        rows = Rows(slope, np.zeros(len(slope)), limit, np.array(list(constraints), dtype=float))
        if not objective:
            return rows
        rise = -view.objective_gradient(archive.gradients[one]) / self.scale
        height = view.objective(archive.values[one]) / self.scale + rise @ point
        return _joined([rows, Rows(rise, np.ones(1), height, np.full(1, OBJECTIVE))])

    def best(self, limits: Limits, extra: Rows | None = None) -> Extreme | None:
        """Highest return within limits; None when nothing is allowed."""
        return self._solve(np.zeros(self.size), limits, None, extra)

    def furthest(
        self, direction: Floats, limits: Limits, level: float, extra: Rows | None = None
    ) -> Extreme | None:
        """Furthest in a direction (decision,) among what returns at least `level`."""
        return self._solve(direction, limits, level, extra)

    def _take_in(self) -> None:
        if not self.concave:
            return
        slacks = self.view.slacks(self.archive.values[self.used :])
        new = []
        for k, slack in enumerate(slacks, start=self.used):
            near = [int(c) for c in np.flatnonzero(slack < NEAR) if int(c) not in self.left_out]
            new.append(self.tangents(k, near, objective=True))
        self.used = len(self.archive.points)
        if new:
            self.rows = _joined([self.rows, *new])

    def _join(self, which: NDArray[np.intp]) -> None:
        """Give HiGHS more of the rows."""
        _add_rows(self.solver, _chosen(self.rows, which))
        self.inside = np.concatenate([self.inside, which])

    def _solve(
        self, direction: Floats, limits: Limits, level: float | None, extra: Rows | None
    ) -> Extreme | None:
        """Solve with few rows, add those that the answer passes, and solve again."""
        self._take_in()
        rules = len(self.view.problem.rules)
        if len(self.inside) > rules + MOST:
            self.solver, self.inside = _solver(self.size), np.zeros(0, dtype=np.intp)
            kept = [row for row, last in self.priced.items() if last > self.solved - LATELY and row >= rules]
            self._join(np.array([*range(rules), *sorted(kept)], dtype=np.intp))
        high = WIDE if self.concave or extra is not None else 0.0
        theta = (-high, high) if level is None else (level / self.scale, max(high, level / self.scale))
        lower, upper = np.append(limits.lower, theta[0]), np.append(limits.upper, theta[1])
        gain = np.append(direction, 1.0 if level is None else 0.0)
        columns = np.arange(self.size + 1, dtype=np.int32)
        self.solver.changeColsBounds(self.size + 1, columns, lower, upper)
        self.solver.changeColsCost(self.size + 1, columns, -gain)
        every = _moved(self.rows, limits)
        for _ in range(TIMES):
            held = _chosen(replace(self.rows, limit=every), self.inside)
            rows = held if extra is None else _joined([held, replace(extra, limit=_moved(extra, limits))])
            found = self._run(rows, extra)
            if found is None:
                return None
            point, prices = found
            passed = self.rows.weights @ point[:-1] + self.rows.theta * point[-1] - every
            passed[self.inside] = 0.0
            worst = np.argsort(-passed, kind="stable")[:AT_ONCE]
            worst = worst[passed[worst] > VIOLATED]
            if not len(worst):
                break
            self._join(worst)
        self.solved += 1
        used = self.inside[: len(held.limit)][prices[: len(held.limit)] > 0]
        self.priced |= dict.fromkeys(used.tolist(), self.solved)
        return self._extreme(point[:-1], prices, rows, gain, lower, upper)

    def _run(self, rows: Rows, extra: Rows | None) -> tuple[Floats, Floats] | None:
        """Point with return (decision + 1,) and prices (row,); None when HiGHS finds none."""
        own, count = len(self.inside), len(rows.limit)
        if extra is not None:
            _add_rows(self.solver, extra)
        if count:
            every = np.arange(count, dtype=np.int32)
            self.solver.changeRowsBounds(count, every, np.full(count, -np.inf), rows.limit)
        self.solver.run()
        solution, status = self.solver.getSolution(), self.solver.getModelStatus()
        point, prices = np.array(solution.col_value), np.maximum(-np.array(solution.row_dual), 0.0)
        if extra is not None:
            self.solver.deleteRows(count - own, np.arange(own, count, dtype=np.int32))
        return (point, prices) if status == highspy.HighsModelStatus.kOptimal else None

    def _extreme(
        self, point: Floats, prices: Floats, rows: Rows, gain: Floats, lower: Floats, upper: Floats
    ) -> Extreme:
        """The bound that multipliers of at least zero give over the box, right or wrong as they may be."""
        of_return = gain[-1] > 0
        share = float(prices @ rows.theta)
        if of_return and share > 0:  # then the return itself drops out exactly
            prices = np.where(rows.theta > 0, prices / share, prices)
            share = 1.0
        left = gain - np.append(prices @ rows.weights, share)
        unit = self.scale if of_return else 1.0
        bound = float(prices @ rows.limit + np.maximum(left * lower, left * upper).sum()) * unit
        about = rows.about.astype(int)
        constraints = np.zeros(len(self.view.problem.constraints))
        np.add.at(constraints, about[about >= 0], prices[about >= 0])
        ends = left[:-1] * unit
        return Extreme(
            np.clip(point, lower[:-1], upper[:-1]),
            bound,
            prices[about == RULE] * unit,
            constraints * unit,
            np.maximum(-ends, 0.0),
            np.maximum(ends, 0.0),
        )


def _moved(rows: Rows, limits: Limits) -> Floats:
    """Right-hand sides under other limits."""
    about = rows.about.astype(int)
    limit = rows.limit.copy()
    if (about == RULE).any():
        limit[about == RULE] = limits.rules
    limit[about >= 0] += limits.room[about[about >= 0]]
    return limit


def _no_rows(size: int) -> Rows:
    return Rows(np.zeros((0, size)), np.zeros(0), np.zeros(0), np.zeros(0))


def _chosen(rows: Rows, which: NDArray[np.intp]) -> Rows:
    return Rows(rows.weights[which], rows.theta[which], rows.limit[which], rows.about[which])


def _joined(rows: Sequence[Rows]) -> Rows:
    return Rows(
        np.concatenate([r.weights for r in rows]),
        np.concatenate([r.theta for r in rows]),
        np.concatenate([r.limit for r in rows]),
        np.concatenate([r.about for r in rows]),
    )


def _add_rows(solver: Any, rows: Rows) -> None:
    full = np.column_stack([rows.weights, rows.theta])
    used = full != 0
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])[:-1].astype(np.int32)
    index = np.nonzero(used)[1].astype(np.int32)
    count = len(full)
    if count:
        low = np.full(count, -np.inf)
        solver.addRows(count, low, rows.limit, len(index), starts, index, full[used])


def _solver(size: int) -> Any:
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in (
        *(("output_flag", False), ("threads", 1), ("random_seed", 0)),
        *(("primal_feasibility_tolerance", FEASIBILITY), ("dual_feasibility_tolerance", FEASIBILITY)),
    ):
        solver.setOptionValue(name, value)
    solver.addVars(size + 1, np.zeros(size + 1), np.zeros(size + 1))
    return solver
