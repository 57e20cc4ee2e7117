"""What a form of decision chooses, `z`, and the path per year, `u`, that follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.decisions import DecisionPath, Decisions
from sdopt.problem.feedback import Follower, part_key

Floats = NDArray[np.float64]

SMALLEST = 1e-9
"""A total below this is zero."""


def places(path: DecisionPath) -> slice:
    """Where the values of a decision stand."""
    return slice(path.first_column, path.first_column + path.periods)


@dataclass(frozen=True)
class Choice:
    """One value that a form chooses: of which decision (None: of all), from which year, and what it is.

    Readers see it times `shown`, in `unit`.
    """

    decision: str | None
    year: int
    what: str
    unit: str
    shown: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FormDecisions(Decisions, ABC):
    """What a form chooses, `z` (choice,), and the path per year that follows, `u` (decision,).

    `paths` say where the values of each decision stand in `z`; `free` are the decisions of the question.
    `low` and `high` have shape (choice,).
    """

    free: Decisions
    choices: tuple[Choice, ...]
    low: Floats
    high: Floats

    @property
    def size(self) -> int:
        """Number of values that are chosen."""
        return len(self.choices)

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which values are whole numbers: none, shape (choice,)."""
        return np.zeros(self.size, dtype=bool)

    def lower(self) -> Floats:
        """Lower bounds, shape (choice,)."""
        return self.low

    def upper(self) -> Floats:
        """Upper bounds, shape (choice,)."""
        return self.high

    def null_vector(self) -> Floats:
        """What comes nearest to the null alternative, (choice,); it may break limits."""
        return self.fitted(self.free.null_vector())

    @abstractmethod
    def fitted(self, path: Floats) -> Floats:
        """The choice (choice,) whose path comes near to `path` (decision,), within the bounds."""

    def labels(self) -> list[tuple[str, int]]:
        """(decision id or what it is, first year) of every value."""
        return [(choice.decision or choice.what, choice.year) for choice in self.choices]


@dataclass(frozen=True, kw_only=True)
class LinearDecisions(FormDecisions):
    """`u = matrix @ z`: one positive entry in every row of `matrix` (decision, choice)."""

    matrix: Floats

    def fitted(self, path: Floats) -> Floats:
        """The choice (choice,) whose path comes nearest to `path` (decision,), within the bounds."""
        nearest = np.linalg.lstsq(self.matrix, path, rcond=None)[0]
        return np.asarray(np.clip(nearest, self.low, self.high))

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Paths over time: points (scenario, choice) -> key -> (time, scenario)."""
        return self.free.expand(points @ self.matrix.T)


@dataclass(frozen=True, kw_only=True)
class FreeShares(FormDecisions):
    """`u` is share times total; both are chosen: first the shares, then the total of every year."""

    def fitted(self, path: Floats) -> Floats:
        """The mean shares and the totals of `path` (decision,), as a choice (choice,)."""
        amounts = path.reshape(len(self.free.paths), -1)
        totals = amounts.sum(axis=0)
        shares = (amounts / np.maximum(totals, SMALLEST)).mean(axis=1)
        return np.asarray(np.clip(np.concatenate([shares, totals]), self.low, self.high))

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Paths over time: points (scenario, choice) -> key -> (time, scenario)."""
        count = len(self.free.paths)
        products = points[:, :count, None] * points[:, None, count:]
        return self.free.expand(products.reshape(len(points), -1))


@dataclass(frozen=True, kw_only=True)
class RuleDecisions(FormDecisions):
    """Decisions of which some follow a model variable; `matrix` (decision, choice) places the others."""

    followers: tuple[Follower, ...]
    matrix: Floats

    def fitted(self, path: Floats) -> Floats:
        """Rules that give the mean of `path` (decision,) whatever happens; the others as they are there."""
        choice = path @ self.matrix
        for one in self.followers:
            choice[self.place(one)] = path[places(one.path)].mean()
        return np.asarray(np.clip(choice, self.low, self.high))

    def answering(self, path: Floats, signals: Mapping[str, Floats]) -> Floats:
        """The same with the straight lines nearest to `path` at the signals (period,) by decision."""
        choice = self.fitted(path)
        for one in self.followers:
            signal, values = signals[one.path.id], path[places(one.path)]
            centred = signal - signal.mean()
            spread = float(centred @ centred)
            response = float(centred @ values) / spread if spread > 0 else 0.0
            here = self.place(one)
            choice[here : here + 2] = values.mean() - response * signal.mean(), response
        return np.asarray(np.clip(choice, self.low, self.high))

    def expand(self, points: NDArray[np.number]) -> dict[str, NDArray[np.number]]:
        """Inputs over time: points (scenario, choice) -> key -> (time, scenario or 1)."""
        paths = self.free.expand(points @ self.matrix.T)
        for one in self.followers:
            key, place = one.path.key, self.place(one)
            shape = (len(paths.pop(key)), len(points))
            for number, part in enumerate(("level", "response")):
                paths[part_key(key, part)] = np.broadcast_to(points[:, place + number], shape)
            paths |= {part: values[:, None] for part, values in one.schedule().items()}
        return paths

    def place(self, one: Follower) -> int:
        """Where the level of a rule stands in `z`; its response comes next."""
        return next(path.first_column for path in self.paths if path.id == one.path.id)
