"""The linear program that holds everything allowed in one box, and what it says about it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import HIGH, LOW, ROUNDED, Bend, Form
from sdopt.equations.enclosure.enclose import Box, Enclosures
from sdopt.optimise.certificate.concave import Concave, concave_above
from sdopt.optimise.certificate.linear_program import LinearProgram
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]

BENDS = 400
"""Most bends that the linear program holds to their lines; the others count at their worst."""
ROUNDS = 30
"""Most tangents added for one bound on the return."""
TANGENTS = 3
"""Most tangents added for one bound on a decision."""
NEAR = 0.05
"""Constraints with a scaled slack below this get a tangent where a bound begins."""
BROKEN = 1e-6
"""Later on only a constraint that is broken by more than this, scaled, gets one: programs stay small."""
ALLOWED = 1e-6
"""A constraint that no decision of the box moves counts as broken beyond this scaled slack."""
CLOSE = 1e-6
"""A tangent is not worth while that would lower the return by less than this part of the improvement."""


class Relaxation:
    """One box. Columns of its program: decisions scaled to [-1, 1], bends, return, and an elastic one.

    `improvement` is the best found, over the null alternative: the size to which errors are compared.
    `highest` (decision,) is where the bound on the return was last reached. Told to stop, both questions
    below end early, with what holds by then.
    """

    def __init__(
        self, problem: Problem, box: Box, enclosures: Enclosures, improvement: float, stop: Stop = NEVER
    ) -> None:
        self.problem, self.box, self.algebra, self.stop = problem, box, enclosures.algebra, stop
        self.improvement = improvement
        self.middle, self.radius = box.middle, box.radius
        self.objective_form = self._objective(enclosures)
        slacks = list(self._slacks(enclosures))
        self.kept = self._kept([self.algebra.affine(self.objective_form, 1 / improvement, 0.0), *slacks])
        self.objective = concave_above(self.algebra, self.objective_form, self.kept)
        self.constraints = [concave_above(self.algebra, form, self.kept) for form in slacks]
        self.returns, self.slack = (self.algebra.count + len(self.kept) + k for k in (0, 1))
        self.program = self._program()
        self.highest = self.middle

    def _objective(self, enclosures: Enclosures) -> Form:
        """The improvement over the null alternative as a form."""
        total = self.algebra.constant(-self.problem.null_objective)
        for row, weight in self.problem.objective_rows.items():
            total = self._added(total, enclosures.values[row], weight)
        return total

    def _slacks(self, enclosures: Enclosures) -> Iterator[Form]:
        """Scaled slack of every constraint that may come near its limit in this box, or breaks it."""
        for constraint in self.problem.constraints:
            value = enclosures.values[constraint.row]
            form = value if isinstance(value, np.ndarray) else self.algebra.constant(value)
            scale = constraint.sign / constraint.scale
            slack = self.algebra.affine(form, -scale, scale * constraint.limit)
            if self.algebra.range(slack)[0] < (NEAR if form is value else -ALLOWED):
                yield slack

    def _added(self, total: Form, value: Form | float, weight: float) -> Form:
        if isinstance(value, np.ndarray):
            return self.algebra.plus(total, value, weight)
        return self.algebra.affine(total, 1.0, weight * value)

    def _kept(self, forms: list[Form]) -> NDArray[np.intp]:
        """The errors with lines that matter most, by position."""
        sizes = np.zeros(len(self.algebra.errors))
        for form in forms:
            errors = np.abs(form[self.algebra.size :])
            sizes[: len(errors)] += errors
        bent = np.array([k for k, error in enumerate(self.algebra.errors) if error.bend], dtype=np.intp)
        order = bent[np.argsort(-sizes[bent], kind="stable")][:BENDS]
        return np.sort(order[sizes[order] > 0])

    def _program(self) -> LinearProgram:
        count = self.slack + 1
        lower, upper = -np.ones(count), np.ones(count)
        fixed = np.flatnonzero(self.radius == 0)
        lower[fixed] = upper[fixed] = 0.0
        lower[self.returns], upper[self.returns] = self.algebra.range(self.objective_form)
        lower[self.slack] = upper[self.slack] = 0.0
        program = LinearProgram(lower, upper, elastic=(self.slack,))
        rows = [*self._rules(), *self._bend_rows()]
        if rows:
            program.add(np.array([weights for weights, _ in rows]), np.array([limit for _, limit in rows]))
        return program

    def _rules(self) -> Iterator[tuple[Floats, float]]:
        for rule in self.problem.rules:
            row = np.zeros(self.slack + 1)
            row[: self.algebra.count] = rule.weights * self.radius
            row[self.slack] = -1.0
            terms = np.append(rule.weights * self.middle, -rule.limit)
            yield row, -float(terms.sum()) + ROUNDED * len(terms) * float(np.abs(terms).sum())

    def _bend_rows(self) -> Iterator[tuple[Floats, float]]:
        for column, position in enumerate(self.kept, start=self.algebra.count):
            error = self.algebra.errors[position]
            assert error.bend is not None  # noqa: S101 (only errors with a bend are kept)
            for side, lines in ((1.0, error.bend.above), (-1.0, error.bend.below)):
                for slope, height in lines:
                    yield self._bend_row(column, error.radius, error.bend, side, slope, height)

    def _bend_row(
        self, column: int, radius: float, bend: Bend, side: float, slope: float, height: float
    ) -> tuple[Floats, float]:
        """`side * (value - slope * argument - height) <= 0`, for the least that what is not linear can be."""
        algebra, factor = self.algebra, side * (bend.slope - slope)
        rest = algebra.affine(bend.argument, factor, side * (bend.middle - height))
        lowest = rest.copy()
        row = np.zeros(self.slack + 1)
        row[: algebra.count] = rest[algebra.linear]
        known = np.flatnonzero(self.kept < len(rest) - algebra.size)
        row[algebra.count + known] = rest[algebra.size + self.kept[known]]
        row[column] += side * radius
        lowest[algebra.linear], lowest[algebra.size + self.kept[known]] = 0.0, 0.0
        lowest[LOW], lowest[HIGH] = -np.inf, np.inf  # the interval is that of the whole, not of what is left
        return row, -algebra.range(lowest)[0]

    def upper_bound(self, starts: list[Floats]) -> float:
        """Upper bound on the improvement in this box; tangents at `starts` (decision,) come first."""
        for start in starts:
            self._add_tangents(self._scaled(start), NEAR)
        gains = np.zeros(self.slack + 1)
        gains[self.returns], gains[self.slack] = 1.0, -1e3 * self.improvement
        best = float(self.program.upper[self.returns])
        for _ in range(ROUNDS):
            answer = self.program.maximise(gains)
            best = min(best, answer.bound)
            if answer.point is None:
                break
            here = self.objective.value(answer.point)
            self.highest = self.middle + self.radius * answer.point[: self.algebra.count]
            if answer.bound - here <= CLOSE * self.improvement or self.stop.reason() is not None:
                break
            self._add_tangents(answer.point)
        return best

    def tightened(self, cut_off: float) -> tuple[Floats, Floats] | None:
        """Bounds on every decision (decision,) for allowed points whose improvement is at least `cut_off`.

        None when they leave no point.
        """
        low, high = self.program.lower[self.returns], self.program.upper[self.returns]
        self.program.bound_column(self.returns, max(low, cut_off), max(high, cut_off))
        lower, upper = self.box.lower.copy(), self.box.upper.copy()
        for decision in map(int, np.flatnonzero(self.radius > 0)):
            if self.stop.reason() is not None:
                break
            middle, radius = self.middle[decision], self.radius[decision]
            upper[decision] = min(upper[decision], middle + radius * self._farthest(decision, 1.0, cut_off))
            lower[decision] = max(lower[decision], middle - radius * self._farthest(decision, -1.0, cut_off))
        return None if (lower > upper).any() else (lower, upper)

    def _farthest(self, decision: int, side: float, cut_off: float) -> float:
        gains = np.zeros(self.slack + 1)
        gains[decision], gains[self.slack] = side, -1e3
        farthest = np.inf  # not 1: rounding must not shave the box
        for _ in range(TANGENTS):
            answer = self.program.maximise(gains)
            farthest = min(farthest, answer.bound)
            if answer.point is None:
                break
            if self.objective.value(answer.point) >= cut_off - CLOSE * self.improvement:
                break
            self._add_tangents(answer.point)
        return farthest

    def _scaled(self, point: Floats) -> Floats:
        scaled = np.zeros(self.slack + 1)
        radius = np.where(self.radius > 0, self.radius, 1.0)
        scaled[: self.algebra.count] = np.clip((point - self.middle) / radius, -1.0, 1.0)
        return scaled

    def _add_tangents(self, point: Floats, below: float = -BROKEN) -> None:
        rows = [self._tangent(self.objective, point, self.returns, 1.0)]
        for constraint in self.constraints:
            if constraint.value(point) < below:
                rows.append(self._tangent(constraint, point, self.slack, -1.0))
        self.program.add(np.array([weights for weights, _ in rows]), np.array([limit for _, limit in rows]))

    def _tangent(self, concave: Concave, point: Floats, column: int, weight: float) -> tuple[Floats, float]:
        """The row `weight * column - tangent <= 0`."""
        weights, constant = concave.tangent(point)
        row = np.zeros(self.slack + 1)
        row[: len(weights)], row[column] = -weights, weight
        return row, constant
