"""SciPy's optimisers on the same question, each with a clock that stops it and a memory of its best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, differential_evolution, minimize

from question import TOLERANCE, Floats, Question
from sdopt.optimise.sample import find_vertices

KEPT = TOLERANCE / 2
"""What an optimiser may break a limit by; half of what is re-checked, so that rounding decides nothing."""
DIFFERENCE = 1e-6
"""Finite-difference step in scaled variables: best for trajectories with about 13 correct digits."""
STARTS = 4
SLSQP_OPTIONS = {"maxiter": 1000, "ftol": 1e-9}
POPULATION = 72
"""Three per decision with 24 decisions: small, because one run of PySD costs tens of milliseconds."""
NEARLY = 1e-4
"""Part of its improvement within which an optimiser is said to have reached its best."""

Outcome = Callable[[Floats], Floats]


class TimeLimitError(BaseException):
    """The time limit has passed; no `Exception`, because the EMA Workbench catches those."""


@dataclass(frozen=True)
class Answer:
    """What one optimiser found, re-evaluated in our own engine; `room` is its smallest scaled slack.

    `until_best`: seconds until it first came within `NEARLY` of its own best.
    """

    name: str
    x: Floats
    improvement: float
    room: float
    seconds: float
    until_best: float
    evaluations: int
    note: str = ""


@dataclass
class Recorder:
    """Evaluates each point once, keeps the best allowed one, and raises `TimeLimitError` at the limit.

    `history`: (seconds, improvement) of every new best; `ends`: the last point of every start; `ended`: when;
    `elsewhere`: evaluations that an optimiser did by itself; `now`: a clock; `begun`: what it said at first.
    """

    question: Question
    engine: Outcome
    limit: float
    now: Callable[[], float] = perf_counter
    begun: float | None = None
    known: dict[bytes, Floats] = field(default_factory=dict)
    best: Floats | None = None
    history: list[tuple[float, float]] = field(default_factory=list)
    ends: list[Floats] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    elsewhere: int = 0
    note: str = "finished"

    def __post_init__(self) -> None:
        self.begun = self.now() if self.begun is None else self.begun

    @property
    def seconds(self) -> float:
        return self.now() - (self.begun or 0.0)

    def outcome(self, x: Floats) -> Floats:
        """Improvement and slacks at x; one run per point."""
        key = x.tobytes()
        if key not in self.known:
            self.check_time()
            self.known[key] = self.engine(x)
            self._keep(x, self.known[key])
        return self.known[key]

    def end(self, x: Floats) -> None:
        """A start has ended here, found by an optimiser that evaluates by itself."""
        self.ends.append(x)
        self.ended.append(self.seconds)
        outcome = self.engine(x)
        self._keep(x, outcome)

    def check_time(self) -> None:
        if self.seconds > self.limit:
            raise TimeLimitError

    def _keep(self, x: Floats, outcome: Floats) -> None:
        improvement = float(outcome[0])
        better = not self.history or improvement > self.history[-1][1]
        if better and self.question.room(x[None], outcome[None])[0] >= -KEPT:
            self.best = x.copy()
            self.history.append((self.seconds, improvement))

    def differences(self, x: Floats) -> Floats:
        """Slopes of the outcome, (1 + constraint, decision), by forward (at 1: backward) differences."""
        here = self.outcome(x)
        steps = np.where(x + DIFFERENCE <= 1.0, DIFFERENCE, -DIFFERENCE)
        moved = x + np.diag(steps)
        return np.array([(self.outcome(m) - here) / s for m, s in zip(moved, steps, strict=True)]).T

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Ends quietly at the time limit."""
        try:
            yield
        except TimeLimitError:
            self.note = "stopped at the limit"

    def answer(self, name: str) -> Answer:
        """The best allowed point, or a last point pulled back to what is allowed when that is better."""
        seconds, question = self.seconds, self.question
        inside = question.null if self.best is None else self.best
        places = np.array([inside, *self.ends])
        x, improvement, room = question.best_allowed(places, inside)
        until = seconds_to_best(self.history, improvement, seconds)
        note = self.note + (f"; first start done at {self.ended[0]:.2f} s" if self.ended else "")
        return Answer(name, x, improvement, room, seconds, until, len(self.known) + self.elsewhere, note)


def seconds_to_best(history: Sequence[tuple[float, float]], best: float, seconds: float) -> float:
    """When `history` of (seconds, improvement) first comes within `NEARLY` of `best`; else all `seconds`."""
    return next((when for when, value in history if value >= best - NEARLY * abs(best)), seconds)


def places(question: Question, count: int) -> Floats:
    """The null alternative and random points that the linear rules allow, scaled (count, decision)."""
    random = np.random.default_rng(1)
    drawn = find_vertices(question.problem, random).draw(count - 1, random)
    return np.vstack([question.null, question.scaled(drawn)])


def slsqp(name: str, recorder: Recorder, slopes: Outcome) -> Answer:
    """Sequential quadratic programming from several starts; `slopes` gives outcome slopes at x."""
    last: dict[bytes, Floats] = {}

    def slope(x: Floats) -> Floats:
        if x.tobytes() not in last:
            recorder.check_time()
            found = slopes(x)
            last.clear()
            last[x.tobytes()] = found
        return last[x.tobytes()]

    rows, _ = recorder.question.rules
    limits = (
        {"type": "ineq", "fun": recorder.question.rule_slacks, "jac": lambda _: -rows},
        {"type": "ineq", "fun": lambda x: recorder.outcome(x)[1:], "jac": lambda x: slope(x)[1:]},
    )
    starts = places(recorder.question, STARTS)
    with recorder.clock():
        for start in starts:
            recorder.ends.append(start)
            minimize(
                lambda x: -recorder.outcome(x)[0],
                start,
                jac=lambda x: -slope(x)[0],
                method="SLSQP",
                bounds=[(0.0, 1.0)] * len(start),
                constraints=limits,
                options=SLSQP_OPTIONS,
                callback=lambda x: recorder.ends.__setitem__(-1, x.copy()),
            )
            recorder.ended.append(recorder.seconds)
    return recorder.answer(name)


def evolution(name: str, recorder: Recorder) -> Answer:
    """Differential evolution from a population that the linear rules allow.

    A point that breaks a rule is refused by SciPy whatever the model says there, so it costs no run.
    """
    question = recorder.question
    rows, limits = question.rules
    free = np.zeros(len(question.problem.constraints))

    def slacks(x: Floats) -> Floats:
        if question.rule_slacks(x).min(initial=np.inf) < -KEPT:
            recorder.check_time()
            return free
        return recorder.outcome(x)[1:]

    with recorder.clock():
        differential_evolution(
            lambda x: -float(recorder.outcome(x)[0]),
            [(0.0, 1.0)] * len(question.null),
            init=places(question, POPULATION),
            constraints=(
                LinearConstraint(rows, -np.inf, limits + KEPT),
                NonlinearConstraint(slacks, -KEPT, np.inf),
            ),
            maxiter=1_000_000,
            tol=0.0,
            polish=False,
            integrality=question.whole,
            rng=1,
        )
    return recorder.answer(name)
