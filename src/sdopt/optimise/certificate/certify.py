"""Prove an upper bound on the return, whatever the shape of return and constraints.

Over a box of decision vectors every equation is enclosed (`equations.enclosure`). From the enclosures follows
a linear program that holds every allowed point of the box, and from its multipliers an upper bound. Boxes
shrink around the points that may still beat the best found by more than the tolerance; a box that shrinks
no more is halved. What has been cut away cannot be better than the cut-off, so that the larger of the cut-off
and the bounds of the boxes left is valid at any time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.enclosure.algebra import CannotEncloseError, ErrorTerm, Form
from sdopt.equations.enclosure.enclose import Box, StraightPath, enclose
from sdopt.errors import SimulationError
from sdopt.optimise.certificate.linear_program import LinearProgram
from sdopt.optimise.certificate.relaxation import Relaxation
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]

SLOW = 0.9
"""A box that keeps more than this part of its width per round (geometric mean) is halved."""
BETTER = 1e-7
"""A place is tried when its return is above the best by more than this part of the improvement."""
NARROW = 1e-9
"""Decisions narrower than this part of the distance between their bounds are left as they are."""

Told = Callable[[float, float, int], None]
"""Called with seconds, proved gap (part of the improvement) and the number of boxes left."""
Improve = Callable[[Floats, float], tuple[Floats, float] | None]
"""From a place (decision,) and the best improvement to a better allowed point, with its improvement."""


@dataclass(frozen=True)
class Step:
    """After one box: seconds since the start, the bound proved by then, boxes left, and their mean width."""

    seconds: float
    bound: float
    boxes: int
    width: float


@dataclass(frozen=True)
class Certificate:
    """An upper bound on the improvement, in the objective's unit, that needs no assumption.

    `point` (decision,) and `improvement` are the best found, which may be better than what was given.
    `reached` says whether the bound is the cut-off itself; `errors` by register of the program is what the
    last box worked on still owed to each instruction, largest first; `left` are the boxes not done with.
    `refusal` is the register that had no bounds in some box, and why, if there was one.
    """

    point: Floats
    improvement: float
    bound: float
    cut_off: float
    reached: bool
    steps: tuple[Step, ...]
    errors: tuple[tuple[int, float], ...]
    left: tuple[Box, ...]
    refusal: tuple[int, str] | None


@dataclass(order=True, frozen=True)
class _Leaf:
    """A box to be worked on; the one with the highest bound comes first."""

    priority: float
    number: int
    box: Box = field(compare=False)
    curved: frozenset[int] = field(compare=False)

    @property
    def bound(self) -> float:
        return -self.priority


def certify(
    problem: Problem,
    best: Floats,
    improvement: float,
    tolerance: float,
    stop: Stop,
    told: Told = lambda *_: None,
    improve: Improve = lambda *_: None,
) -> Certificate:
    """Prove a bound on the improvement, until it is within tolerance of the best found, or told to stop.

    Parameters
    ----------
    best : the best allocation found (decision,), and its `improvement` over the null alternative
    tolerance : part of the improvement by which another allocation may at most be better
    improve : tries to reach a better allocation from places where the bound leaves room for one
    """
    return _Search(problem, best, improvement, tolerance, stop, told, improve).run()


class _Search:
    """Boxes left, best first."""

    def __init__(
        self,
        problem: Problem,
        best: Floats,
        improvement: float,
        tolerance: float,
        stop: Stop,
        told: Told,
        improve: Improve,
    ) -> None:
        self.problem, self.best, self.improvement, self.tolerance = problem, best, improvement, tolerance
        self.scale = max(abs(improvement), 1e-9 * abs(problem.null_objective)) or 1.0
        self.started, self.stop, self.told, self.improve = monotonic(), stop, told, improve
        self.numbers = count()
        self.steps: list[Step] = []
        self.errors: tuple[tuple[int, float], ...] = ()
        self.refusal: tuple[int, str] | None = None
        self.settled: list[float] = []
        self.leaves = [_Leaf(-np.inf, next(self.numbers), first_box(problem), frozenset())]

    @property
    def cut_off(self) -> float:
        """The improvement that no allocation is to exceed."""
        return self.improvement + self.tolerance * self.scale

    def run(self) -> Certificate:
        """Work until no box is left, or told to stop."""
        while self.leaves and self.stop.reason() is None:
            self._work_on(heapq.heappop(self.leaves))
        return Certificate(
            point=self.best,
            improvement=self.improvement,
            bound=self._bound(),
            cut_off=self.cut_off,
            reached=self._bound() <= self.cut_off,
            steps=tuple(self.steps),
            errors=self.errors,
            left=tuple(leaf.box for leaf in self.leaves),
            refusal=self.refusal,
        )

    def _bound(self) -> float:
        return max([self.cut_off, *self.settled, *(leaf.bound for leaf in self.leaves)])

    def _work_on(self, leaf: _Leaf) -> None:
        """Bound, shrink, and put back what is left: one box, or two halves."""
        try:
            relaxation = self._relaxed(leaf)
        except CannotEncloseError as error:
            self.refusal = error.register, str(error)
            self._put_back(leaf, leaf.bound, leaf.box, leaf.curved, _most_blamed(leaf.box, error.blame))
            self._note(leaf)
            return
        bound = min(leaf.bound, relaxation.upper_bound([self.best, relaxation.middle]))
        self._try(relaxation.highest)
        if bound > self.cut_off:
            self._tell(max(bound, self._bound()), len(self.leaves) + 1)
            self.errors = _owed(relaxation)
            self._shrink(leaf, relaxation, bound)
        self._note(leaf)

    def _shrink(self, leaf: _Leaf, relaxation: Relaxation, bound: float) -> None:
        tighter = relaxation.tightened(self.cut_off)
        if tighter is None:
            return
        box = replace(leaf.box, lower=tighter[0], upper=tighter[1])
        curved = leaf.curved | _unhelpful(relaxation)
        slow = curved == leaf.curved and _kept_width(leaf.box, box) > SLOW
        self._put_back(leaf, bound, box, curved, _to_halve(relaxation, box) if slow else None)

    def _try(self, place: Floats) -> None:
        """Look for a better allocation where the return itself, if not its limits, is above the best."""
        try:
            value = self.problem.objective(self.problem.evaluator.values(place[None]).value)[0]
        except SimulationError:
            return
        if value - self.problem.null_objective <= self.improvement + BETTER * self.scale:
            return
        found = self.improve(place, self.improvement)
        if found is not None and found[1] > self.improvement:
            self.best, self.improvement = found

    def _relaxed(self, leaf: _Leaf) -> Relaxation:
        evaluator = self.problem.evaluator
        enclosures = enclose(evaluator.program, leaf.box, evaluator.matrix, leaf.curved)
        return Relaxation(self.problem, leaf.box, enclosures, self.scale, self.stop)

    def _put_back(
        self, leaf: _Leaf, bound: float, box: Box, curved: frozenset[int], halve: int | None
    ) -> None:
        if not (leaf.box.upper > leaf.box.lower).any():  # one point: nothing more can be known of it
            self.settled.append(bound)
            return
        for part in [box] if halve is None else _halves(box, halve):
            part = _whole(self.problem, part)
            heapq.heappush(self.leaves, _Leaf(-bound, next(self.numbers), part, curved))

    def _note(self, leaf: _Leaf) -> None:
        seconds, bound = monotonic() - self.started, self._bound()
        self.steps.append(Step(seconds, bound, len(self.leaves), _mean_width(self.problem, leaf.box)))
        self._tell(bound, len(self.leaves))

    def _tell(self, bound: float, boxes: int) -> None:
        """To whoever listens; a box is told of twice, with its bound and once it has shrunk."""
        self.told(monotonic() - self.started, (bound - self.improvement) / self.scale, boxes)


def first_box(problem: Problem) -> Box:
    """All decision vectors that the rules allow, as a box: by linear programs, recomputed."""
    decisions = problem.decisions
    lower, upper = decisions.lower(), decisions.upper()
    program = LinearProgram(lower, upper)
    if problem.rules:
        weights = np.array([rule.weights for rule in problem.rules])
        program.add(weights, np.array([rule.limit for rule in problem.rules]))
    highest = [program.maximise(direction).bound for direction in np.eye(decisions.size)]
    lowest = [-program.maximise(-direction).bound for direction in np.eye(decisions.size)]
    lower, upper = np.maximum(lower, lowest), np.minimum(upper, highest)
    return _whole(problem, Box(lower, np.maximum(lower, upper), straight_paths(problem)))


def straight_paths(problem: Problem) -> dict[str, StraightPath]:
    """What every input is over time for a decision vector: linear, so the zero and unit vectors tell it."""
    size = problem.decisions.size
    at_zero = problem.decisions.expand(np.zeros((1, size)))
    at_one = problem.decisions.expand(np.eye(size))
    return {
        key: StraightPath(base[:, 0].astype(float), at_one[key].astype(float) - base)
        for key, base in at_zero.items()
    }


def _whole(problem: Problem, box: Box) -> Box:
    """The box without what lies between whole numbers."""
    whole = problem.decisions.whole
    lower = np.where(whole, np.ceil(box.lower - 1e-6), box.lower)
    return replace(
        box, lower=lower, upper=np.maximum(lower, np.where(whole, np.floor(box.upper + 1e-6), box.upper))
    )


def _halves(box: Box, decision: int) -> tuple[Box, Box]:
    middle = (box.lower[decision] + box.upper[decision]) / 2
    lower, upper = box.lower.copy(), box.upper.copy()
    lower[decision] = upper[decision] = middle
    return replace(box, upper=upper), replace(box, lower=lower)


def _most_blamed(box: Box, blame: Floats) -> int:
    """The decision that has most to do with what cannot be enclosed, and has some width."""
    return int(np.argmax(np.where(box.upper > box.lower, blame, -1.0)))


def _kept_width(before: Box, after: Box) -> float:
    """Geometric mean of what the widths kept."""
    old, new = before.upper - before.lower, after.upper - after.lower
    wide = old > 0
    return float(np.exp(np.mean(np.log(np.maximum(new[wide] / old[wide], NARROW))))) if wide.any() else 1.0


def _mean_width(problem: Problem, box: Box) -> float:
    """Mean width of a box as part of the distance between the bounds."""
    whole = problem.decisions.upper() - problem.decisions.lower()
    return float(np.mean((box.upper - box.lower) / np.where(whole > 0, whole, 1.0)))


def _worst(relaxation: Relaxation) -> tuple[Form, list[ErrorTerm]]:
    """What every error adds to the bound on the return at its worst (error,), and the errors."""
    errors = relaxation.objective_form[relaxation.algebra.size :]
    return errors, relaxation.algebra.errors[: len(errors)]


def _owed(relaxation: Relaxation) -> tuple[tuple[int, float], ...]:
    sizes, errors = _worst(relaxation)
    sums: dict[int, float] = {}
    for error, size in zip(errors, np.abs(sizes), strict=True):
        sums[error.register] = sums.get(error.register, 0.0) + float(size)
    return tuple(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _unhelpful(relaxation: Relaxation) -> frozenset[int]:
    """Bends whose lines do not help: more is gained by what lies on the chord than lost."""
    sizes, errors = _worst(relaxation)
    help_: dict[int, float] = {}
    for error, size in zip(errors, sizes, strict=True):
        if error.bend is not None:
            lines = error.bend.above if size > 0 else error.bend.below
            help_[error.register] = help_.get(error.register, 0.0) + (abs(size) if lines else -abs(size))
    return frozenset(register for register, helped in help_.items() if helped < 0)


def _to_halve(relaxation: Relaxation, box: Box) -> int:
    """A whole number that is not settled; else the decision to which the errors of the bound owe most."""
    sizes, errors = _worst(relaxation)
    blame = np.zeros(relaxation.algebra.count)
    for error, size in zip(errors, np.abs(sizes), strict=True):
        blame += size * error.blame
    open_ = box.upper > box.lower
    undecided = open_ & relaxation.problem.decisions.whole
    return int(np.argmax(np.where(undecided if undecided.any() else open_, blame, -1.0)))
