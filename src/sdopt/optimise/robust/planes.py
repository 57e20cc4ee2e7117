"""Cutting planes over scenarios: a master LP gives a bound on the measure, damped steps better allocations.

The master is that of the search for one scenario. Its cuts of the measure are added up from tangents per
scenario until none is tighter at the master's answer; only then are allocations simulated. The bound holds
if the improvement in every scenario and every limit that has cuts are concave.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import SLACK_NOISE, Archive, tangent_excess
from sdopt.optimise.audit import OBJECTIVE_NOISE, ROUNDING
from sdopt.optimise.cutting_planes import PULLS, TOUCHING, Progress, Trace, relative_gap
from sdopt.optimise.master import Master, MasterAnswer
from sdopt.optimise.robust.bends import Bends
from sdopt.optimise.robust.limit_cuts import Implied, LimitCut, LimitCuts, Region
from sdopt.optimise.robust.question import Question
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.robust.tangents import Cut
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.optimise.tangents import NEAR

Floats = NDArray[np.float64]

BELOW = 1e-7
"""A cutoff is used a hair lower than it is, so that what reaches it is not lost to rounding (scaled)."""
INNER = 60
"""Most cuts that are added up between two simulations."""
TIGHT = 0.05
"""Another cut is worth while when it lowers the master's answer by this part of the gap that is left."""
LONGER, SHORTER, SHORTEST = 1.5, 0.6, 0.05
"""How the part of the way to the master's answer changes after a step that helped, and one that did not."""
IDLE = 4
"""With limits left out: enough after so many rounds that lessen the bound as little."""
CUT_OFF = 15
"""So often the best place that meets all that has cuts is cut off where a probability forbids it."""
LEFT = 0.1
"""With limits left out: enough if more rounds lessen the gap by at most this part of what is asked."""


@dataclass
class RobustPlanes:
    """State of one search; it begins with all that `archive` and `reader` know.

    `left_out` are constraints (positions in the ensemble's problem) that get no cuts because they are not
    concave: the bound does not lean on them, while every allocation is held to them. `cutoff` is a measure
    that is known to be reached, if any: rows implied by probabilities may use it. With `bends`, those of them
    that hold at central values have cuts after all, raised by what is seen to stand above them.
    """

    question: Question
    archive: Archive
    reader: Reader
    limit_cuts: LimitCuts
    left_out: set[int]
    cutoff: float | None = None
    stop: Stop = NEVER
    bends: Bends | None = None
    readings: list[Reading] = field(default_factory=list)
    measures: list[float] = field(default_factory=list)
    allowed: list[bool] = field(default_factory=list)
    rooms: list[float] = field(default_factory=list)
    implied: list[Implied] = field(default_factory=list)
    trace: list[Trace] = field(default_factory=list)
    step: float = 0.4
    answer: MasterAnswer | None = None

    def __post_init__(self) -> None:
        """A master with what is known."""
        self.cuts: list[Cut] = []
        self.slack_excess = np.zeros(len(self.question.central))
        self.excess = np.zeros(self.question.ensemble.count)
        for point in self.archive.points:
            self.note(self.reader.read(point))
        self._slope(self.readings[0])
        self._slope(self.readings[int(np.argmax(self.measures))])
        self.scale = self._first_scale()
        self.first_end = len(self.readings)
        self._rebuild()

    def run(self, gap: float, iterations: int, progress: Progress) -> None:
        """Search until the gap is closed as far as it can be, or it is time to stop."""
        cut_off = 0
        for iteration in range(iterations):
            step = self._solve(iteration, gap)
            progress(iteration, step.best, step.bound, step.gap)
            if self.stop.reason() is not None:
                return
            target = self._answer().point
            self.first_end = len(self.readings)
            if self._enough(step, gap):
                cut_off += 1
                if cut_off > CUT_OFF or not self._cut_off_centre(step, gap):
                    return
                continue
            before = self.centre_value
            damped = self._damped(target)
            if damped is not None:
                self.take_in(damped)
            helped = damped is None or self.centre_value > before
            self.take_in(target)
            self.step = float(np.clip(self.step * (LONGER if helped else SHORTER), SHORTEST, 1.0))
        self.solve_again(gap)  # the last allocations may have dropped rows that the answer names

    @property
    def bound(self) -> float:
        """Upper bound on the measure, in the objective's unit."""
        return self._answer().dual_bound * self.scale

    @property
    def best(self) -> Reading | None:
        """The best allowed allocation; the first of equals."""
        values = np.where(self.allowed, self.measures, -np.inf)
        return self.readings[int(np.argmax(values))] if np.isfinite(values).any() else None

    @property
    def value(self) -> float | None:
        """Its measure."""
        value = float(np.where(self.allowed, self.measures, -np.inf).max())
        return value if np.isfinite(value) else None

    @property
    def known(self) -> float:
        """What is known to be reached: the best, or the cutoff; -inf where nothing is."""
        return max(one for one in (self.value, self.cutoff, -np.inf) if one is not None)

    @property
    def centre(self) -> Reading | None:
        """The best allocation that meets all that has cuts."""
        values = self._kept_values()
        return self.readings[int(np.argmax(values))] if np.isfinite(values).any() else None

    @property
    def centre_value(self) -> float:
        """Its measure; -inf where there is none."""
        return float(self._kept_values().max())

    @property
    def roomiest(self) -> Reading:
        """The allocation with most room on all that is imposed."""
        return self.readings[int(np.argmax(self.full_rooms()))]

    def carriers(self) -> set[int]:
        """Constraints that the bound leans on, also by rows that rest on them."""
        return self._priced() - self.raised

    def bent(self) -> set[int]:
        """Constraints of which raised cuts have a price in the bound."""
        return self._priced() & self.raised

    @property
    def raised(self) -> set[int]:
        """Constraints that have raised cuts, because they are not concave."""
        return self.left_out & set(self.question.central) if self.bends else set()

    @property
    def without_cuts(self) -> set[int]:
        """Constraints that have no cuts at all."""
        return self.left_out - self.raised

    def _priced(self) -> set[int]:
        priced = [key for key, price in self._answer().constraint_multipliers.items() if price > 0]
        return {c for key in priced for c in self._rests_on(key)}

    def take_in(self, point: Floats) -> Reading:
        """Evaluate an allocation: tangents, cuts and checks."""
        place, held = len(self.archive.points), len(self.reader.store.held)
        self.archive.add(point[None])
        reading = self.reader.read(self.archive.points[place])
        self.note(reading)
        self._slope(reading)
        self._check(place, held)
        tangents = self.limit_cuts.add(self.question, reading)
        broken = self._broken_central() | self.limit_cuts.disproved
        if broken - self.left_out:
            self.left_out |= broken
            self._rebuild()
            return reading
        self._cut_return(reading.point)
        self._cut_central(place)
        self._cut_limits(tangents)
        self._imply(reading)
        return reading

    def note(self, reading: Reading) -> None:
        """Count in the archive's next allocation, without cuts."""
        place = len(self.readings)
        self.readings.append(reading)
        self.measures.append(self.question.measure.value(reading.improvement))
        self.allowed.append(self._allowed(place))
        self.rooms.append(self._room(place))

    def _slope(self, reading: Reading) -> None:
        measure = self.question.measure
        self.reader.slope(reading, measure.nearby(measure.compared(reading.improvement)))

    def _check(self, new: int, held: int) -> None:
        """The new allocation against all tangents, and all allocations against the new tangents."""
        view, archive, store = self.question.view, self.archive, self.reader.store
        latest = self.readings[-1]
        above = [store.excess(latest.point, latest.improvement)]
        above += [store.excess(one.point, one.improvement, held) for one in self.readings]
        self.excess = np.maximum(self.excess, np.max(above, axis=0))
        points, values = archive.points, archive.values
        one = tangent_excess(view, archive, points[new:], values[new:])[1]
        other = tangent_excess(view, archive, points, values, slice(new, None))[1]
        self.slack_excess = np.maximum.reduce([self.slack_excess, one, other])

    def noise(self) -> Floats:
        """What cannot be told from rounding, in every scenario (scenario,)."""
        ensemble = self.question.ensemble
        null = np.abs(ensemble.null_objective)
        size = max(abs(self.value or 0.0), 1e-3 * self.scale)
        return np.asarray(OBJECTIVE_NOISE * size + ROUNDING * null)

    def _broken_central(self) -> set[int]:
        return {self.question.central[k] for k in np.flatnonzero(self.slack_excess > SLACK_NOISE)}

    def _first_scale(self) -> float:
        cut = self.reader.store.cut(self.question.measure, self.readings[0].point)
        if cut is None:
            raise AssertionError("the first allocation has no tangents")
        decisions = self.question.problem.decisions
        return max(float(np.abs(cut.slope) @ (decisions.upper() - decisions.lower())), 1e-9)

    def _rebuild(self) -> None:
        """A new master with the cuts that still count; rows that rest on what is left out go."""
        problem = self.question.problem
        self.implied = [row for row in self.implied if not row.rests_on & self.left_out]
        highest = 1e3 * (1.0 + abs(self.measures[0]) / self.scale)
        self.rooms = [self._room(place) for place in range(len(self.readings))]
        decisions = problem.decisions
        self.master = Master(decisions.lower(), decisions.upper(), problem.rules, highest)
        for place, reading in enumerate(self.readings):
            self._cut_return(reading.point)
            self._cut_central(place)
        self._cut_limits(self.limit_cuts.of(self.question))
        for number, row in enumerate(self.implied):
            self._cut_implied(number, row)

    def _cut_return(self, point: Floats) -> float | None:
        """One cut of the measure, as tight as can be at a point; its height there."""
        cut = self.reader.store.cut(self.question.measure, point)
        if cut is None:
            return None
        self.cuts.append(cut)
        self.master.add_objective_cut(cut.value / self.scale, cut.slope / self.scale, cut.point)
        return cut.value

    def _cut_central(self, place: int) -> None:
        view, point = self.question.view, self.archive.points[place]
        slacks = view.slacks(self.archive.values[[place]])[0]
        slopes = view.slack_gradients(self.archive.gradients[[place]])[0]
        for k in map(int, np.flatnonzero(slacks < NEAR)):
            position = self.question.central[k]
            if position not in self.without_cuts:
                slack = float(slacks[k])
                if self.bends and position in self.left_out:
                    slack += self.bends.lift(k, slack, slopes[k], point)
                self.master.add_constraint_cut(position, slack, slopes[k], point)

    def _cut_limits(self, rows: list[LimitCut]) -> None:
        for row in rows:
            if row.constraint not in self.left_out:
                self.master.add_constraint_cut(row.constraint, row.cut.value, row.cut.slope, row.cut.point)

    def _cut_implied(self, number: int, row: Implied) -> None:
        """A row of the master under a number below those of constraints."""
        self.master.add_constraint_cut(-1 - number, row.cut.value, row.cut.slope, row.cut.point)

    def _rests_on(self, key: int) -> frozenset[int]:
        """The constraints that a row of the master needs to be concave, by its number there."""
        return frozenset({key}) if key >= 0 else self.implied[-1 - key].rests_on

    def _imply(self, reading: Reading) -> bool:
        """Whether rows follow from probabilities that an allocation passes; they go into the master."""
        known = len(self.implied)
        for limit in self.question.free():
            kept = limit.without(self.left_out)  # one that is broken less often: a relaxation
            row = kept and self.limit_cuts.implied(self.question, kept, reading, self.region())
            if row:
                self.implied.append(row)
                self._cut_implied(len(self.implied) - 1, row)
        if len(self.implied) > known:
            self.rooms = [self._room(place) for place in range(len(self.readings))]
        return len(self.implied) > known

    def _cut_off_centre(self, step: Trace, gap: float) -> bool:
        """Whether a row implied by a probability forbids the best allocation that meets all that has cuts."""
        centre = self.centre
        closed = step.gap is not None and step.gap <= gap
        return not closed and centre is not None and self._imply(centre)

    def region(self) -> Region:
        """Where allocations that are better than the cutoff must lie."""
        counted = [
            (k, row) for k, row in enumerate(self.master.rows) if not row[3] or self.cutoff is not None
        ]
        rows, keys = [row for _, row in counted], self.master.constraint_of_row
        rests_on = tuple(self._rests_on(keys[k]) if k in keys else frozenset() for k, _ in counted)
        floor = 0.0 if self.cutoff is None else self.cutoff / self.scale - BELOW
        size = len(self.master.lower)
        weights = np.array([row[1] for row in rows]).reshape(len(rows), size)
        limits = np.array([row[2] - row[3] * floor for row in rows])
        return Region(weights, limits, self.master.lower, self.master.upper, rests_on)

    def solve_again(self, gap: float) -> None:
        """The master's answer with all cuts."""
        self._solve(len(self.trace), gap)

    def _solve(self, iteration: int, gap: float) -> Trace:
        """The master's answer, once no sum of known tangents is tighter there."""
        self.answer = self.master.solve()
        known = self.centre_value
        for _ in range(INNER):
            theta = self.answer.value * self.scale
            height = self._cut_return(self.answer.point)
            least = gap * abs(known) if np.isfinite(known) else gap * self.scale
            still_open = theta - known if np.isfinite(known) else 0.0
            if height is None or theta - height <= TIGHT * max(still_open, least):
                break
            self.answer = self.master.solve()
        value, bound = self.value, self.bound
        left = relative_gap(known, bound, self.scale) if np.isfinite(known) else None
        found = None if value is None else relative_gap(value, bound, self.scale)
        self.trace.append(Trace(iteration, value, bound, found, left))
        return self.trace[-1]

    def _enough(self, step: Trace, gap: float) -> bool:
        if step.gap is not None and step.gap <= gap:
            return True
        loose = bool(self.left_out) or bool(self.question.free())
        return loose and (self._idle(gap) or (step.left is not None and step.left <= LEFT * gap))

    def _idle(self, gap: float) -> bool:
        """Whether the last rounds lessened the bound by next to nothing."""
        bounds = [step.bound for step in self.trace[-IDLE - 1 :]]
        known = self.known
        worth = gap * abs(bounds[-1]) if not np.isfinite(known) else bounds[-1] - known
        return len(bounds) > IDLE and bounds[0] - bounds[-1] <= LEFT * max(worth, gap * abs(bounds[-1]))

    def _answer(self) -> MasterAnswer:
        if self.answer is None:
            raise AssertionError("the master problem was not solved")
        return self.answer

    def _central_slacks(self, place: int) -> Floats:
        """Scaled slacks of the limits at central values, (constraint,)."""
        return np.asarray(self.question.view.slacks(self.archive.values[[place]])[0])

    def _allowed(self, place: int) -> bool:
        """Whether an allocation meets rules, central limits and limits per scenario."""
        reading = self.readings[place]
        rules = self.question.view.meets_rules(reading.point[None])[0]
        central = (self._central_slacks(place) >= TOUCHING).all()
        return bool(rules and central and self.question.allows(reading.slacks))

    def _kept_values(self) -> Floats:
        """The measure of every allocation that meets all that has cuts, -inf for others, (reading,)."""
        return np.where(np.array(self.rooms) >= TOUCHING, self.measures, -np.inf)

    def _room(self, place: int) -> float:
        """The smallest slack of what has cuts; -inf where rules are broken."""
        implied = [row.cut.at(self.readings[place].point) for row in self.implied]
        return min([self._least_slack(place, self.without_cuts), *implied])

    def full_rooms(self) -> list[float]:
        """The smallest slack of every limit that is imposed, with cuts or without, (reading,)."""
        return [self._least_slack(place, set()) for place in range(len(self.readings))]

    def _least_slack(self, place: int, left_out: set[int]) -> float:
        """The smallest slack of limits that are imposed; -inf where rules are broken."""
        reading, question = self.readings[place], self.question
        if not question.view.meets_rules(reading.point[None])[0]:
            return -np.inf
        return question.least_slack(self._central_slacks(place), reading.slacks, left_out)

    def _damped(self, target: Floats) -> Floats | None:
        """On the way from the best to the master's answer, where kept limits hold at central values."""
        if (centre := self.centre) is None:
            return None
        step = centre.point + self.step * (target - centre.point)
        return self.pulled(step, self.rooms, self.without_cuts)

    def pulled(self, point: Floats, rooms: list[float], left_out: set[int]) -> Floats | None:
        """A point, pulled to the roomiest until limits at central values hold; None if they never do.

        `rooms` (reading,) is what counts as room, and limits in `left_out` do not count.
        """
        anchor = self.readings[int(np.argmax(rooms))].point
        kept = [k for k, c in enumerate(self.question.central) if c not in left_out]
        pulled = point + np.array(PULLS)[:, None] * (anchor - point)
        slacks = self.question.view.slacks(self.question.problem.evaluator.values(pulled).value)
        good = (slacks[:, kept] >= TOUCHING).all(axis=1)
        return np.asarray(pulled[int(np.argmax(good))]) if good.any() else None
