"""Outer approximation: tangents of return and constraints, a MILP that says where to look, our own proof.

Every pattern that the MILP proposes is searched by the cutting planes for problems without whole numbers;
all tangents serve all patterns, which is right where return and constraints are concave in amounts and
whole entries together, also between 0 and 1.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.config.schema import Search
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, Floats, View, tangent_excess
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import (
    OBJECTIVE_NOISE,
    TOUCHING,
    CuttingPlanes,
    Progress,
    Trace,
    relative_gap,
    start_cutting_planes,
)
from sdopt.optimise.tangents import add_tangents, scale_and_height
from sdopt.optimise.whole_numbers.branching import WHOLE, Proof, prove
from sdopt.optimise.whole_numbers.patterns import Pattern, neighbours, pattern_of, with_pattern
from sdopt.optimise.whole_numbers.relaxation import Relaxation

PATTERN_ROUNDS = 60
"""Most rounds of the search within one pattern."""
FINER = 0.3
"""A pattern is searched to this part of the gap that is asked for."""
CLOSE = 0.5
"""The proof aims at this part of the gap that is asked for."""
MILP_GAP = 1e-3
"""Relative gap at which the MILP stops: it only says where to look."""
MILP_ROUNDS = 3
"""So many first rounds ask the MILP, for good allocations early; then the proof says where to look."""
RELAXED_ROUNDS = 60
"""Most rounds of the search in which programmes may start by halves."""
FEW_NODES, MOST_NODES = 300, 20_000
"""Most linear programs of a proof before, and after, patterns beside the best are tried."""
PATIENCE = 3
"""That ends after so many patterns in a row that are no better."""
WORTH = 0.1
"""Tangents are worth adding when they lower a node's bound by this part of what is to be proved."""
BROKEN = 1e-7
"""A scaled slack below minus this is worth a tangent too."""


@dataclass
class OuterApproximation:
    """State of one search. `bound` is on the improvement, proved, in the objective's unit.

    Constraints in `left_out` get no cuts: the bound then does not lean on them.
    """

    view: View
    archive: Archive
    settings: Search
    progress: Progress
    crew: Crew
    left_out: frozenset[int]
    relaxation: Relaxation
    scale: float
    used: int = 0
    bound: float = np.inf
    leaning: frozenset[int] = frozenset()
    nodes: int = 0
    idle: int = 0
    return_is_concave: bool = True
    disproved: frozenset[int] = frozenset()
    searched: set[Pattern] = field(default_factory=set)
    trace: list[Trace] = field(default_factory=list)
    _known: tuple[int, int | None] = (0, None)

    def run(self) -> bool:
        """Search until the gap is reached; False when rounds or nodes ran out or concavity is disproved."""
        self._relax()
        for iteration in range(self.settings.iterations):
            self._take_in()
            self._check_against_cuts()
            if self.disproved or not self.return_is_concave:
                return False
            target = self._propose()
            if self._step(iteration):
                return True
            if target is None or self._stopped() or not self._look(target):
                return False
        self._check_against_cuts()
        return False

    @property
    def best(self) -> int | None:
        """Position in the archive of the best allowed point with whole entries; the first found of equals."""
        seen, best = self._known
        new = slice(seen, len(self.archive.points))
        if seen < new.stop:
            objective = self.view.objective(self.archive.values[new])
            objective = np.where(self._allowed(new), objective, -np.inf)
            before = -np.inf if best is None else float(self.view.objective(self.archive.values[[best]])[0])
            best = seen + int(np.argmax(objective)) if objective.max() > before else best
            self._known = new.stop, best
        return best

    def _allowed(self, part: slice) -> NDArray[np.bool_]:
        """Which points of a part of the archive meet all limits, with whole entries."""
        points = self.archive.points[part]
        entries = points[:, self.view.problem.decisions.whole]
        allowed = (np.abs(entries - np.round(entries)) <= WHOLE).all(axis=1) & self.view.meets_rules(points)
        return np.asarray(allowed & (self.view.slacks(self.archive.values[part]) >= TOUCHING).all(axis=1))

    @property
    def improvement(self) -> float:
        """Best improvement found, in the objective's unit."""
        return float(self.view.objective(self.archive.values[[self._best()]])[0])

    @property
    def point(self) -> Floats:
        """The best allowed decision vector with whole entries, (decision,)."""
        return np.asarray(self.archive.points[self._best()])

    def within(self, pattern: Pattern) -> CuttingPlanes:
        """A search within one pattern that starts from what is known of that pattern."""
        problem = self.view.problem
        fixed = with_pattern(problem, pattern)
        archive = Archive(fixed, self.archive.memory)
        entries = self.archive.points[:, problem.decisions.whole]
        known = (np.abs(entries - np.array(pattern)) <= WHOLE).all(axis=1)
        _append(archive, self.archive, known)
        if not known.any():
            archive.add(fixed.decisions.null_vector()[None])
        return start_cutting_planes(View(fixed, self.view.weights), archive, self.left_out)

    def _best(self) -> int:
        best = self.best
        if best is None:
            raise OptimisationError(NOTHING_FOUND)
        return best

    def _stopped(self) -> bool:
        return self.crew.stop.reason() is not None

    def _relax(self) -> None:
        """Tangents around the optimum of the question in which programmes may start by halves."""
        start_cutting_planes(self.view, self.archive, self.left_out).run(
            lambda step: self._stopped() or (step.gap is not None and step.gap <= self.settings.gap),
            RELAXED_ROUNDS,
            lambda iteration, _, bound, __: self.progress(iteration, None, bound, None),
        )

    def _propose(self) -> Floats | None:
        """The MILP's point where its pattern is new; else the proof says what is left, if anything.

        Raises
        ------
        OptimisationError
            When the proof shows that no pattern meets all limits.
        """
        answer = self.relaxation.mixed(MILP_GAP) if len(self.trace) < MILP_ROUNDS else None
        self._prove(1)
        if answer is not None and pattern_of(self.view.problem, answer) not in self.searched:
            return answer
        proof = self._prove(FEW_NODES)
        if self.best is None and proof.bound < -NOTHING:
            raise OptimisationError(NOTHING_ALLOWED)
        if proof.point is not None or proof.bound * self.scale <= self._aim() or self._stopped():
            return proof.point
        near = self._neighbour() if self.best is not None and self.idle < PATIENCE else None
        return self._prove(MOST_NODES).point if near is None else near

    def _neighbour(self) -> Floats | None:
        """The relaxed optimum in the most promising new pattern beside the best, if it may be better."""
        problem, found = self.view.problem, []
        for pattern in neighbours(problem, pattern_of(problem, self.point)):
            if pattern not in self.searched:
                box = with_pattern(problem, pattern).decisions
                node = self.relaxation.solve(box.lower(), box.upper())
                found.append((self.relaxation.bound(node.multipliers, box.lower(), box.upper()), node.point))
        if not found:
            return None
        bound, point = max(found, key=lambda one: one[0])
        return point if bound * self.scale > self._aim() else None

    def _prove(self, most_nodes: int) -> Proof:
        decisions, aim = self.view.problem.decisions, self._aim() / self.scale
        lower, upper = decisions.lower(), decisions.upper()
        proof = prove(self.relaxation, lower, upper, aim, most_nodes, self._refine, self._stopped)
        self.nodes += proof.nodes
        if proof.bound * self.scale < self.bound:
            self.bound, self.leaning = proof.bound * self.scale, proof.leaning
        return proof

    def _refine(self, point: Floats, bound: float) -> bool:
        """Add tangents at a point of a node with this bound; False when they would hardly lower it."""
        new = self.archive.add(point[None])
        values = self.archive.values[new]
        self._take_in()
        excess = bound - float(self.view.objective(values)[0]) / self.scale
        broken = float(self.view.slacks(values).min(initial=0.0))
        return excess > WORTH * (bound - self._aim() / self.scale) or broken < -BROKEN

    def _aim(self) -> float:
        """The bound on the improvement at which the gap is surely closed."""
        if self.best is None:
            return -np.inf
        best = self.improvement
        return best + CLOSE * max(self.settings.gap * abs(best), OBJECTIVE_NOISE * 1e-3 * self.scale)

    def _step(self, iteration: int) -> bool:
        best = None if self.best is None else self.improvement
        gap = None if best is None else relative_gap(best, self.bound, self.scale)
        self.trace.append(Trace(iteration, best, self.bound, gap))
        self.progress(iteration, best, self.bound, gap)
        return gap is not None and gap <= self.settings.gap

    def _look(self, target: Floats) -> bool:
        """Search within the pattern of a new point; False where that was done and the point is no better."""
        before = -np.inf if self.best is None else self.improvement
        self.archive.add(target[None])
        pattern = pattern_of(self.view.problem, target)
        if pattern in self.searched:
            return self.improvement > before
        self.searched.add(pattern)
        planes, gap = self.within(pattern), FINER * self.settings.gap
        known = len(planes.archive.points)
        with suppress(OptimisationError):  # nothing allowed: the cuts at the points tried tell the MILP
            planes.run(
                lambda step: (
                    self._stopped() or step.bound < before or (step.gap is not None and step.gap <= gap)
                ),
                PATTERN_ROUNDS,
                lambda *_: None,
            )
        _append(self.archive, planes.archive, np.arange(len(planes.archive.points)) >= known)
        self.idle = 0 if self.best is not None and self.improvement > before else self.idle + 1
        return True

    def _take_in(self) -> None:
        """Cuts from what the archive gained."""
        new = slice(self.used, len(self.archive.points))
        self.used = new.stop
        add_tangents(self.relaxation, self.view, self.archive, new, self.scale, self.left_out)

    def _check_against_cuts(self) -> None:
        """Every point against every tangent: above one by more than rounding, and concavity is disproved."""
        above, slack_above = tangent_excess(self.view, self.archive, self.archive.points, self.archive.values)
        best = self.best
        size = (
            self.scale if best is None or self.improvement <= 0 else max(self.improvement, 1e-3 * self.scale)
        )
        self.return_is_concave = above <= OBJECTIVE_NOISE * size
        broken = {int(c) for c in np.flatnonzero(slack_above > SLACK_NOISE)}
        self.disproved = frozenset(broken & set(self.relaxation.constraint_of_row.values()))


def _append(archive: Archive, other: Archive, chosen: NDArray[np.bool_]) -> None:
    """Add points of another archive, with all that is known of them."""
    archive.points = np.concatenate([archive.points, other.points[chosen]])
    archive.values = np.concatenate([archive.values, other.values[chosen]])
    archive.gradients = np.concatenate([archive.gradients, other.gradients[chosen]])


NOTHING = 100.0
"""A bound this far below zero (scaled) is only reached by breaking limits: nothing is allowed."""
NOTHING_FOUND = "no allowed allocation was found: relax a constraint, a bound or a choice."
NOTHING_ALLOWED = (
    "no choice of programmes meets all limits, though every limit can be met if programmes may start by "
    "halves: relax a choice (at_least), a cap, or the smallest amount of a programme."
)


def start_outer_approximation(
    view: View,
    archive: Archive,
    settings: Search,
    progress: Progress,
    crew: Crew,
    left_out: frozenset[int],
) -> OuterApproximation:
    """A search that uses what the archive holds; the archive must hold at least one point."""
    decisions = view.problem.decisions
    lower, upper = decisions.lower(), decisions.upper()
    scale, highest = scale_and_height(view, archive)
    relaxation = Relaxation(lower, upper, decisions.whole, view.problem.rules, highest)
    return OuterApproximation(view, archive, settings, progress, crew, left_out, relaxation, scale)
