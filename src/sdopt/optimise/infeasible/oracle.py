"""Can some limits hold together? Proof by recomputed multipliers, or a decision vector that shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from sdopt.errors import OptimisationError, SimulationError
from sdopt.optimise.archive import Archive, Floats
from sdopt.optimise.infeasible.limits import Limit, Rows, excess, rows_of
from sdopt.problem.build import Problem

MET = 1e-9
"""A row that is broken by less than this part of the numbers in it is met."""
TOUCHED = 1e-8
"""A limit that is broken by less than this part of its size is met."""
MARGIN = 1e-9
"""What a contradiction must exceed, as part of the numbers that it is summed from: rounding is 1e-15."""
RESIDUE = 1e-3
"""Part of the contradiction that rounding in the multipliers may cost, over the box of all bounds."""
ROOM = 0.1
"""Room on every row beyond which a decision vector is inside enough."""
ROUNDS = 60
"""Most tangents that are added for one answer."""
EXACT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclass(frozen=True)
class Answer:
    """Refuted: the positions of limits that contradict each other; or met: a decision vector (decision,).

    Neither when it could not be told.
    """

    refuted: frozenset[int] | None = None
    point: Floats | None = None


class Oracle:
    """Questions about `limits` of one problem; tangents of limits on the model go to the archive.

    A refutation that uses limits on the model is proof if their room is concave in the decisions; one that
    uses linear limits alone is proof. A point that meets limits on the model was simulated.
    """

    def __init__(self, problem: Problem, archive: Archive, limits: Sequence[Limit]) -> None:
        self.problem, self.archive, self.limits = problem, archive, list(limits)
        self._rows: tuple[int, Rows] | None = None

    @property
    def rows(self) -> Rows:
        """The rows of all limits, with the tangents known so far."""
        if self._rows is None or self._rows[0] != len(self.archive.points):
            self._rows = len(self.archive.points), rows_of(self.problem, self.archive, self.limits)
        return self._rows[1]

    def ask(self, chosen: Collection[int]) -> Answer:
        """Whether the limits at some positions can hold together."""
        if all(self.limits[k].linear for k in chosen):
            return self._asked(chosen)
        # The model is at home within the bounds: look there first for a decision vector.
        bounds = {k for k, limit in enumerate(self.limits) if limit.bound}
        inside = self._asked({*chosen, *bounds})
        return inside if inside.refuted is None or inside.refuted <= set(chosen) else self._asked(chosen)

    def _asked(self, chosen: Collection[int]) -> Answer:
        on_model = any(not self.limits[k].linear for k in chosen)
        for _ in range(ROUNDS):
            answer = self._once(chosen)
            if answer.point is None or not on_model:
                return answer
            broken = self.broken(answer.point)
            if broken is None:
                return Answer()
            if not broken.intersection(chosen):
                return answer
        return Answer()

    def broken(self, point: Floats) -> set[int] | None:
        """The limits that a decision vector breaks, simulated; it gets a tangent. None: no numbers."""
        amounts = self.amounts(point)
        return None if amounts is None else set(np.flatnonzero(amounts > TOUCHED).tolist())

    def amounts(self, point: Floats) -> Floats | None:
        """By how much a decision vector breaks every limit (limit,), in its size; None: no numbers."""
        if all(limit.linear for limit in self.limits):
            return excess(self.problem, self.limits, point, None)
        try:
            self.archive.add(point[None])
        except (SimulationError, OptimisationError):
            return None
        return excess(self.problem, self.limits, self.archive.points[-1], self.archive.values[-1])

    def _once(self, chosen: Collection[int]) -> Answer:
        """Smallest largest shortage over the rows: above zero, its multipliers are a contradiction."""
        rows = self.rows
        mine = np.isin(rows.owner, list(chosen))
        weights, limits = rows.weights[mine], rows.limits[mine]
        size = weights.shape[1]
        answer = linprog(
            np.r_[np.zeros(size), 1.0],
            A_ub=np.c_[weights, -np.ones(len(weights))],
            b_ub=limits,
            bounds=[(None, None)] * size + [(-ROOM, None)],
            method="highs",
            options=EXACT,
        )
        if answer.x is None:
            return Answer()
        if float((weights @ answer.x[:size] - limits).max(initial=-ROOM)) <= MET:
            return Answer(point=answer.x[:size] * rows.reach)
        multipliers = np.maximum(-answer.ineqlin.marginals, 0.0)
        if not self.contradicts(multipliers, weights, limits):
            return Answer()
        used = multipliers > MARGIN * multipliers.max()
        return Answer(refuted=frozenset(rows.owner[mine][used].astype(int).tolist()))

    def contradicts(self, multipliers: Floats, weights: Floats, limits: Floats) -> bool:
        """Whether rows, added with these multipliers, ask for less than anything inside the bounds gives.

        The sum of the weights is zero but for rounding; what is left is taken at its worst over the box.
        """
        left = multipliers @ weights
        reach = self.rows.reach
        low, high = self.problem.decisions.lower() / reach, self.problem.decisions.upper() / reach
        least = float(np.where(left > 0, left * low, left * high).sum())
        gap = least - float(multipliers @ limits)
        size = float(multipliers @ (np.abs(weights).sum(axis=1) + np.abs(limits)))
        return gap > MARGIN * size and float(np.abs(left).sum()) <= RESIDUE * gap
