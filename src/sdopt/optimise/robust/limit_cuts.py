"""Cuts of limits that hold in scenarios: tangents in single scenarios, and rows that a probability implies.

A limit that may be broken with probability p allows no allocation that breaks all scenarios of a set that
is more probable. So for any direction a: if every scenario of such a set needs `a u >= sigma`, each its own,
then `a u` is at least the lowest of these sigmas. Of all sets within reach the best is found by sorting:
the scenarios that need most, until together they are more probable than p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.optimise.archive import SLACK_NOISE
from sdopt.optimise.robust.question import ROUNDING, Question, ScenarioLimit
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.robust.tangents import Cut
from sdopt.optimise.tangents import NEAR

Floats = NDArray[np.float64]

STEEP = 1e3
"""Price of passing a cut, in units of the direction that is minimised."""
PRICES = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0)
"""Multipliers of a cut that are tried, in units of that of another cut."""
PRICED = 24
"""So many cuts give multipliers for all."""
MORE = 2.0
"""Of the scenarios that break a limit, the hardest are looked at: this many times what may break."""
WORST = 2
"""So many of the worst scenarios get a cut, for every constraint that is nearly broken."""


@dataclass(frozen=True)
class LimitCut:
    """At least zero wherever a constraint (position) holds in a scenario."""

    constraint: int
    scenario: int
    cut: Cut


@dataclass(frozen=True)
class Implied:
    """At least zero wherever a limit holds in as many scenarios as it must.

    `rests_on` are the constraints (positions) that must be concave for it: in a scenario of some the limit
    has a tangent, others narrowed the region. One that is disproved in any scenario takes the row with it.
    """

    rests_on: frozenset[int]
    cut: Cut


@dataclass(frozen=True)
class Region:
    """Where better allocations must lie: `weights u <= limits` (row,) within bounds (decision,).

    `rests_on` has, per row, the constraints (positions) that must be concave for it.
    """

    weights: Floats
    limits: Floats
    lower: Floats
    upper: Floats
    rests_on: tuple[frozenset[int], ...]

    def lowest(self, direction: Floats, cuts: Sequence[Cut]) -> tuple[Floats, frozenset[int]]:
        """Numbers (cut,) that `direction u` is at least, where one of `cuts` is at least zero too.

        And the constraints (positions) that this rests on, beside those of the cuts.

        Worked out from multipliers, which are valid whatever the solver says: those of the rows come from
        some of the cuts (all, if they are few), that of each cut is the best of `PRICES` times theirs.
        """
        slopes = np.array([cut.slope for cut in cuts])
        heights = np.array([cut.at(np.zeros(len(direction))) for cut in cuts])
        found, used = np.full(len(cuts), -np.inf), np.zeros(len(self.limits), dtype=bool)
        for k in np.unique(np.linspace(0, len(cuts) - 1, PRICED).astype(int)):
            rows, price = self._prices(direction, slopes[k], heights[k])
            prices = price * np.array(PRICES)
            reduced = direction + rows @ self.weights - prices[:, None, None] * slopes
            over_box = np.where(reduced > 0, reduced * self.lower, reduced * self.upper).sum(axis=2)
            values = over_box - rows @ self.limits - prices[:, None] * heights
            found, used = np.maximum(found, values.max(axis=0)), used | (rows > 0)
        return found, frozenset().union(*(self.rests_on[k] for k in np.flatnonzero(used)))

    def _prices(self, direction: Floats, slope: Floats, height: float) -> tuple[Floats, float]:
        """Multipliers of rows (row,) and of one cut, which may be passed at a price: there is an answer."""
        price = STEEP * float(np.abs(direction).max()) / max(float(np.abs(slope).max()), 1e-300)
        weights = np.vstack([self.weights, -slope])
        passed = np.append(np.zeros(len(self.limits)), -1.0)
        answer = linprog(
            np.append(direction, price),
            A_ub=np.column_stack([weights, passed]),
            b_ub=np.append(self.limits, height),
            bounds=[*np.column_stack([self.lower, self.upper]), (0.0, None)],
            method="highs",
        )
        if answer.status != 0:
            return np.zeros(len(self.limits)), 0.0
        prices = np.maximum(-answer.ineqlin.marginals, 0.0)
        return prices[:-1], float(prices[-1])


@dataclass
class LimitCuts:
    """Tangents of limits per scenario, shared by the searches over one ensemble; it only grows.

    `disproved` are the constraints (positions) of which an allocation stands above a tangent.
    """

    reader: Reader
    tangents: list[LimitCut] = field(default_factory=list)
    disproved: set[int] = field(default_factory=set)
    seen: list[Reading] = field(default_factory=list)

    def add(self, question: Question, reading: Reading) -> list[LimitCut]:
        """Tangents at an allocation where a limit that is imposed is nearly broken; and check all."""
        found = self.at(question, reading, NEAR)
        self.check([reading], self.tangents)
        self.seen.append(reading)
        self.check(self.seen, found)
        self.tangents += found
        return found

    def at(self, question: Question, reading: Reading, room: float) -> list[LimitCut]:
        """Tangents at an allocation of what is imposed and has less room than `room` (scaled slack)."""
        wanted = [pair for limit in question.limits for pair in _near(question, limit, reading, room)]
        return self._slope(reading, wanted)

    def of(self, question: Question) -> list[LimitCut]:
        """The known tangents of scenarios in which their limit is imposed."""
        imposed = {c: question.imposed(limit) for limit in question.limits for c in limit.members}
        return [
            one
            for one in self.tangents
            if one.constraint in imposed and imposed[one.constraint][one.scenario]
        ]

    def implied(
        self, question: Question, limit: ScenarioLimit, reading: Reading, region: Region
    ) -> Implied | None:
        """What the probability of a limit implies where it is broken too often; None if it adds nothing.

        Nothing is implied where a tangent that it needs turns out to be passed by an allocation.
        """
        if question.broken_share(limit, reading.slacks) <= limit.share + ROUNDING:
            return None
        members = np.array(limit.members)
        worst = members[np.argmin(reading.slacks[:, members], axis=1)]
        broken = _hardest(question, limit, reading)
        found = self._slope(reading, [(int(worst[s]), int(s)) for s in broken])
        self.check(self.seen, found)
        self.tangents += found
        needed = frozenset(one.constraint for one in found)
        if needed & self.disproved:
            return None
        direction = np.mean([one.cut.slope for one in found], axis=0)
        sigma, also = region.lowest(direction, [one.cut for one in found])
        order = np.argsort(-sigma, kind="stable")
        together = np.cumsum(question.measure.probability[broken][order])
        least = sigma[order][int(np.argmax(together > limit.share + ROUNDING))]
        value = float(direction @ reading.point - least)
        if value >= 0.0:
            return None
        return Implied(needed | also, Cut(value, direction, reading.point))

    def _slope(self, reading: Reading, pairs: list[tuple[int, int]]) -> list[LimitCut]:
        """Tangents of (constraint, scenario) pairs at an allocation."""
        if not pairs:
            return []
        constraints = sorted({c for c, _ in pairs})
        scenarios = np.array(sorted({s for _, s in pairs}))
        slacks, slopes = self.reader.slack_tangents(reading, scenarios, constraints)
        where = {int(s): k for k, s in enumerate(scenarios)}
        cuts = []
        for c, s in pairs:
            k, row = constraints.index(c), where[s]
            cuts.append(LimitCut(c, s, Cut(float(slacks[row, k]), slopes[row, k], reading.point)))
        return cuts

    def check(self, readings: list[Reading], tangents: list[LimitCut]) -> None:
        """Note the constraints of which an allocation stands above a tangent by more than rounding."""
        if not tangents:
            return
        slopes = np.array([one.cut.slope for one in tangents])
        fixed = np.array([one.cut.at(np.zeros(slopes.shape[1])) for one in tangents])
        where = np.array([(one.scenario, one.constraint) for one in tangents]).T
        for reading in readings:
            over = reading.slacks[where[0], where[1]] - fixed - slopes @ reading.point
            self.disproved |= set(where[1][over > SLACK_NOISE].tolist())


def _hardest(question: Question, limit: ScenarioLimit, reading: Reading) -> NDArray[np.intp]:
    """The scenarios that break a limit most, together more probable than it allows."""
    order = np.argsort(limit.room(reading.slacks), kind="stable")
    together = np.cumsum(question.measure.probability[order])
    count = int(np.searchsorted(together, MORE * limit.share + ROUNDING)) + 1
    broken = order[:count]
    return np.sort(broken[limit.broken(reading.slacks)[broken]])


def _near(question: Question, limit: ScenarioLimit, reading: Reading, room: float) -> list[tuple[int, int]]:
    """The worst scenarios in which a constraint of the limit is imposed and nearly broken."""
    imposed = np.flatnonzero(question.imposed(limit))
    if not len(imposed):
        return []
    slacks = reading.slacks[np.ix_(imposed, np.array(limit.members))]
    pairs = []
    for k in np.flatnonzero(slacks.min(axis=0) < room):
        for row in np.argsort(slacks[:, k], kind="stable")[:WORST]:
            if slacks[row, k] < room:
                pairs.append((limit.members[k], int(imposed[row])))
    return pairs
