"""Many questions about one problem, answered side by side: other limits, or other things to maximise.

Every question is a linear program over all that was evaluated, whose answer is evaluated exactly; what one
question learns helps the others, since return and constraints are the same functions for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.explanation.relaxation import Extreme, Limits, Relaxation, Rows, limits_of

STEPS = np.array([1.0, 0.5, 0.1])
"""Parts of the way to the linear program's answer that are tried."""
PULLS = np.array([0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 3e-2])
"""How far such a place is pulled towards an allowed one with room until nothing is broken."""
TOUCHING = -1e-12
"""A scaled slack below zero by no more than this is rounding."""
PATIENCE = 5
"""A question ends after so many rounds without gain."""
IDLE = 0.01
"""A gain below this part of what may be missing is none."""
FIRST_RADIUS, LAST_RADIUS = 0.1, 1e-6
"""Trust region where the return is not concave, as part of the distance between the bounds."""
TOWARDS = np.array([0.03, 0.1, 0.25, 0.5, 0.75, 1.0])
"""Parts of the way to the place where rules and bounds leave most room that are evaluated."""
FALLS = 0.1
"""A round in which the promise falls by this part of what is still missing is not idle."""
EVERY = 4
"""Every so many rounds a step ignores what is not concave, so that the proved bound comes down too."""
FAR = 0.3
"""Constraints with a scaled slack above this do not steer."""
CLOSE = 1e-3
"""A direction is settled when no more than this part of the distance between its bounds may be missing."""


@dataclass
class Question:
    """Maximise the return (no `direction`), or a direction among what returns at least `level`.

    `point` is the best allowed allocation so far with its `value`; `promise` is what the linear program
    expects at most; `settled`: they are close enough.
    """

    limits: Limits
    point: Floats | None
    direction: Floats | None = None
    level: float = -np.inf
    value: float = -np.inf
    promise: float = np.inf
    seen: int | None = None
    radius: float = FIRST_RADIUS
    idle: int = 0
    settled: bool = False


class Known:
    """The archive read once: return, slacks (point, constraint), and what stands against every rule."""

    def __init__(self, view: View) -> None:
        """Nothing read yet."""
        self.view = view
        rules = view.problem.rules
        self.weights = np.array([r.weights for r in rules]).reshape(-1, view.problem.decisions.size)
        self.objective, self.slacks = np.zeros(0), np.zeros((0, len(view.problem.constraints)))
        self.against = np.zeros((0, len(self.weights)))

    def read(self, archive: Archive) -> None:
        """Take in what the archive gained."""
        new = slice(len(self.objective), len(archive.points))
        self.objective = np.concatenate([self.objective, self.view.objective(archive.values[new])])
        self.slacks = np.concatenate([self.slacks, self.view.slacks(archive.values[new])])
        self.against = np.concatenate([self.against, archive.points[new] @ self.weights.T])

    def room(self, limits: Limits, points: Floats) -> Floats:
        """Smallest scaled slack of archived points; -inf where bounds or rules are broken."""
        inside = limits.meets_rules(self.view, points, self.against)
        return np.where(inside, (self.slacks + limits.room).min(axis=1, initial=np.inf), -np.inf)


@dataclass
class Desk:
    """Answers questions over one view and archive.

    `concave`: whether tangents hold everywhere; else steps stay in a trust region. `scale`: the size of
    the improvement; `tolerance`: part of it by which a promise may exceed what was found.
    """

    view: View
    archive: Archive
    left_out: frozenset[int]
    concave: bool
    scale: float
    tolerance: float = 1e-6
    relaxation: Relaxation = field(init=False)
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        """An own linear program."""
        self.relaxation = Relaxation(self.view, self.archive, self.left_out, concave=self.concave)
        self.known = Known(self.view)

    def make_room(self) -> None:
        """Evaluate places on the way to where rules and bounds leave most room: starts for tighter limits."""
        middle = self._middle()
        if middle is None:
            return
        self.known.read(self.archive)
        anchor = self.archive.points[
            int(np.argmax(self.known.room(limits_of(self.view), self.archive.points)))
        ]
        self.archive.add(anchor + TOWARDS[:, None] * (middle - anchor))

    def _middle(self) -> Floats | None:
        """A place with most room to rules and bounds, as parts of their size; None when there is none."""
        from scipy.optimize import linprog

        problem, own = self.view.problem, limits_of(self.view)
        width = own.upper - own.lower
        weights = np.array([rule.weights for rule in problem.rules]).reshape(-1, len(width))
        size = np.abs(weights) @ width
        matrix = np.vstack(
            [np.c_[weights, size], np.c_[np.eye(len(width)), width], np.c_[-np.eye(len(width)), width]]
        )
        limit = np.concatenate([own.rules, own.upper, -own.lower])
        bounds = [(None, None)] * len(width) + [(0.0, 0.5)]
        found = linprog(np.append(np.zeros(len(width)), -1.0), matrix, limit, bounds=bounds, method="highs")
        return np.clip(found.x[:-1], own.lower, own.upper) if found.status == 0 else None

    def answer(self, questions: Sequence[Question], rounds: int, progress: Callable[[], None]) -> None:
        """Improve every question until it is settled, idle, or out of rounds."""
        for question in questions:
            self.look_again(question)
        for number in range(rounds):
            steered = number % EVERY != 1 or not self.concave
            open_ = [q for q in questions if not q.settled and q.idle < PATIENCE and q.radius > LAST_RADIUS]
            targets = [(q, target) for q in open_ if (target := self._target(q, steered)) is not None]
            if not targets:
                return
            self._move(targets)
            progress()

    def bound(self, question: Question) -> float:
        """Proved upper bound on a question's value, if what has tangents is concave."""
        found = self._extreme(question, None)
        return -np.inf if found is None else found.bound

    def multipliers(self, question: Question) -> Extreme | None:
        """The linear program's answer with all tangents that steer; None where the return is not concave."""
        return self._extreme(question, self._steering(question)) if self.concave else None

    def values_of(self, question: Question, points: Floats, values: Floats) -> Floats:
        """What points (point, decision) are worth to a question; -inf where they are not allowed."""
        room = question.limits.slack(self.view, values)
        kept = question.limits.meets_rules(self.view, points, points @ self.known.weights.T)
        return self._worth(question, points, self.view.objective(values), np.where(kept, room, -np.inf))

    def _worth(self, question: Question, points: Floats, objective: Floats, room: Floats) -> Floats:
        if question.direction is None:
            return np.where(room >= TOUCHING, objective, -np.inf)
        allowed = (room >= TOUCHING) & (objective >= question.level)
        return np.where(allowed, points @ question.direction, -np.inf)

    def look_again(self, question: Question) -> None:
        """Take the best archived point that the question allows, whichever question it came from."""
        self.known.read(self.archive)
        room = self.known.room(question.limits, self.archive.points)
        worth = self._worth(question, self.archive.points, self.known.objective, room)
        best = int(np.argmax(worth))
        if worth[best] > question.value:
            question.point, question.value = self.archive.points[best], float(worth[best])
            question.seen = best

    def _extreme(
        self, question: Question, extra: Rows | None, limits: Limits | None = None
    ) -> Extreme | None:
        limits = limits or question.limits
        if question.direction is None:
            return self.relaxation.best(limits, extra)
        return self.relaxation.furthest(question.direction, limits, question.level, extra)

    def _steering(self, question: Question) -> Rows | None:
        """Tangents at the place last seen: of what is not concave, and so holds only near it."""
        if question.seen is None or not (self.left_out or not self.concave):
            return None
        self.known.read(self.archive)
        slacks = self.known.slacks[question.seen]
        which = [
            c for c in range(len(slacks)) if slacks[c] < FAR and (c in self.left_out or not self.concave)
        ]
        return self.relaxation.tangents(question.seen, which, objective=not self.concave)

    def _target(self, question: Question, steered: bool) -> Floats | None:
        """Where the linear program wants to go; None, and settled, when it promises no more."""
        limits = question.limits if self.concave else self._near(question)
        found = self._extreme(question, self._steering(question) if steered else None, limits)
        if found is None and self.concave:
            found = self._extreme(question, None, limits)
        if found is None:
            question.idle = PATIENCE
            return None
        if steered:
            if question.promise - found.bound > FALLS * (found.bound - question.value):
                question.idle = 0
            question.promise = found.bound
        question.settled = self.concave and found.bound - question.value <= self._enough(question)
        return None if question.settled else found.point

    def _enough(self, question: Question) -> float:
        """What may be missing when a question is called settled, in units of its value."""
        if question.direction is None:
            return self.tolerance * self.scale
        decisions = self.view.problem.decisions
        return CLOSE * float(np.abs(question.direction) @ (decisions.upper() - decisions.lower()))

    def _near(self, question: Question) -> Limits:
        """The limits within the trust region."""
        limits, point = question.limits, question.point
        if point is None:
            return limits
        width = question.radius * (limits.upper - limits.lower)
        lower, upper = np.maximum(limits.lower, point - width), np.minimum(limits.upper, point + width)
        return Limits(np.minimum(lower, upper), upper, limits.rules, limits.room)

    def _move(self, targets: Sequence[tuple[Question, Floats]]) -> None:
        """Evaluate places on the way to every target together, keep the best, and learn a tangent each."""
        tried = np.array([self._places(question, target) for question, target in targets])
        flat = tried.reshape(-1, tried.shape[-1])
        values = self.view.problem.evaluator.values(flat).value.reshape(*tried.shape[:2], -1)
        learn = []
        for (question, target), points, found in zip(targets, tried, values, strict=True):
            worth = self.values_of(question, points, found)
            best = int(np.argmax(worth))
            gain = worth[best] - question.value if np.isfinite(worth[best]) else -np.inf
            question.idle = 0 if gain > IDLE * self._enough(question) else question.idle + 1
            if gain > 0:
                question.point, question.value = points[best], float(worth[best])
            if not self.concave:
                question.radius *= 2.0 if best < len(PULLS) and gain > 0 else 0.5 if gain > 0 else 0.25
            whole = gain > 0 and best < len(PULLS)
            learn.append(points[best] if whole or not self.concave else target)
        first = self.archive.add(np.array(learn)).start
        for k, (question, _) in enumerate(targets):
            if self.concave or question.idle == 0:
                question.seen = first + k

    def _places(self, question: Question, target: Floats) -> Floats:
        """Places towards a target, each pulled towards an allowed place with room: (place, decision)."""
        anchor = self._anchor(question)
        start = question.point if question.point is not None else target if anchor is None else anchor
        steps = start + STEPS[:, None] * (target - start)
        if anchor is None:
            return np.repeat(steps, len(PULLS), axis=0)
        pulled = steps[:, None, :] + PULLS[:, None] * (anchor - steps)[:, None, :]
        return np.asarray(pulled.reshape(-1, len(target)))

    def _anchor(self, question: Question) -> Floats | None:
        """The archived place with most room among those that the question allows, or None."""
        self.known.read(self.archive)
        room = self.known.room(question.limits, self.archive.points)
        if question.direction is not None:
            room = np.minimum(room, (self.known.objective - question.level) / self.scale)
        best = int(np.argmax(room))
        return self.archive.points[best] if room[best] > 0 else None
