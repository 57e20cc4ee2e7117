"""Cutting planes over scenarios: a master LP gives a bound on the measure, damped steps better allocations.

The master is that of the search for one scenario. Its cuts of the measure are added up from tangents per
scenario until none is tighter at the master's answer; only then are allocations simulated. The bound holds
if the improvement in every scenario and every limit that has cuts are concave.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, tangent_excess
from sdopt.optimise.audit import OBJECTIVE_NOISE, ROUNDING
from sdopt.optimise.cutting_planes import PULLS, TOUCHING, Progress, Trace, relative_gap
from sdopt.optimise.master import Master, MasterAnswer
from sdopt.optimise.robust.limit_cuts import LimitCut, LimitCuts, Region
from sdopt.optimise.robust.question import Question
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.robust.tangents import Cut
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
LEFT = 0.1
"""With limits left out: enough if more rounds lessen the gap by at most this part of what is asked."""


@dataclass
class RobustPlanes:
    """State of one search; it begins with all that `archive` and `reader` know.

    `left_out` are constraints (positions in the ensemble's problem) that get no cuts because they are not
    concave: the bound does not lean on them, while every allocation is held to them. `cutoff` is a measure
    that is known to be reached, if any: rows implied by probabilities may use it.
    """

    question: Question
    archive: Archive
    reader: Reader
    limit_cuts: LimitCuts
    left_out: set[int]
    cutoff: float | None = None
    readings: list[Reading] = field(default_factory=list)
    measures: list[float] = field(default_factory=list)
    allowed: list[bool] = field(default_factory=list)
    rooms: list[float] = field(default_factory=list)
    implied: list[LimitCut] = field(default_factory=list)
    trace: list[Trace] = field(default_factory=list)
    step: float = 0.4
    answer: MasterAnswer | None = None

    def __post_init__(self) -> None:
        """A master with what is known."""
        self.cuts: list[Cut] = []
        self.slack_excess = np.zeros(len(self.question.central))
        self.excess = np.zeros(self.question.ensemble.count)
        for point in self.archive.points:
            self._note(self.reader.read(point))
        self._slope(self.readings[0])
        self._slope(self.readings[int(np.argmax(self.measures))])
        self.scale = self._first_scale()
        self.first_end = len(self.readings)
        self._rebuild()

    def run(self, gap: float, iterations: int, progress: Progress) -> None:
        """Search until the gap is closed as far as it can be."""
        for iteration in range(iterations):
            step = self._solve(iteration, gap)
            progress(iteration, step.best, step.bound, step.gap)
            target = self._answer().point
            self.first_end = len(self.readings)
            if self._enough(step, gap):
                if not self._cut_off_centre(step, gap):
                    return
                continue
            before = self.centre_value
            damped = self._damped(target)
            if damped is not None:
                self.take_in(damped)
            helped = damped is None or self.centre_value > before
            self.take_in(target)
            self.step = float(np.clip(self.step * (LONGER if helped else SHORTER), SHORTEST, 1.0))

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
        """Constraints that the bound leans on."""
        return {c for c, price in self._answer().constraint_multipliers.items() if price > 0}

    def take_in(self, point: Floats) -> Reading:
        """Evaluate an allocation: tangents, cuts and checks."""
        place, held = len(self.archive.points), len(self.reader.store.held)
        self.archive.add(point[None])
        reading = self.reader.read(self.archive.points[place])
        self._note(reading)
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
        self._cut_limits([*tangents, *self._imply(reading)])
        return reading

    def _note(self, reading: Reading) -> None:
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
        pairs = (
            tangent_excess(view, archive, points[new:], values[new:]),
            tangent_excess(view, archive, points, values, slice(new, None)),
        )
        self.slack_excess = np.maximum.reduce([self.slack_excess, *(slack for _, slack in pairs)])

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
        """A new master with the cuts that still count."""
        problem = self.question.problem
        highest = 1e3 * (1.0 + abs(self.measures[0]) / self.scale)
        self.rooms = [self._room(place) for place in range(len(self.readings))]
        decisions = problem.decisions
        self.master = Master(decisions.lower(), decisions.upper(), problem.rules, highest)
        for place, reading in enumerate(self.readings):
            self._cut_return(reading.point)
            self._cut_central(place)
        self._cut_limits([*self.limit_cuts.of(self.question), *self.implied])

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
            if position not in self.left_out:
                self.master.add_constraint_cut(position, float(slacks[k]), slopes[k], point)

    def _cut_limits(self, rows: list[LimitCut]) -> None:
        for row in rows:
            if row.constraint not in self.left_out:
                self.master.add_constraint_cut(row.constraint, row.cut.value, row.cut.slope, row.cut.point)

    def _imply(self, reading: Reading) -> list[LimitCut]:
        """Rows that follow from probabilities which an allocation passes."""
        free = [one for one in self.question.free() if not set(one.members) & self.left_out]
        found = [self.limit_cuts.implied(self.question, one, reading, self.region()) for one in free]
        rows = [one for one in found if one is not None]
        self.implied += rows
        if rows:
            self.rooms = [self._room(place) for place in range(len(self.readings))]
        return rows

    def _cut_off_centre(self, step: Trace, gap: float) -> bool:
        """Whether a row implied by a probability forbids the best allocation that meets all that has cuts."""
        centre = self.centre
        closed = step.gap is not None and step.gap <= gap
        rows = [] if closed or centre is None else self._imply(centre)
        self._cut_limits(rows)
        return bool(rows)

    def region(self) -> Region:
        """Where allocations that are better than the cutoff must lie."""
        rows = [row for row in self.master.rows if not row[3] or self.cutoff is not None]
        floor = 0.0 if self.cutoff is None else self.cutoff / self.scale - BELOW
        size = len(self.master.lower)
        weights = np.array([row[1] for row in rows]).reshape(len(rows), size)
        limits = np.array([row[2] - row[3] * floor for row in rows])
        return Region(weights, limits, self.master.lower, self.master.upper)

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
            if height is None or theta - height <= TIGHT * max(
                theta - known if np.isfinite(known) else 0.0, least
            ):
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
        known = max(self.value or -np.inf, -np.inf if self.cutoff is None else self.cutoff)
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
        point = self.readings[place].point
        implied = [one.cut.at(point) for one in self.implied if one.constraint not in self.left_out]
        return min([self._least_slack(place, self.left_out), *implied])

    def full_rooms(self) -> list[float]:
        """The smallest slack of every limit that is imposed, with cuts or without, (reading,)."""
        return [self._least_slack(place, set()) for place in range(len(self.readings))]

    def _least_slack(self, place: int, left_out: set[int]) -> float:
        """The smallest slack of limits that are imposed; -inf where rules are broken."""
        reading, question = self.readings[place], self.question
        if not question.view.meets_rules(reading.point[None])[0]:
            return -np.inf
        central = [k for k, c in enumerate(question.central) if c not in left_out]
        slacks = [float(self._central_slacks(place)[central].min(initial=1.0))]
        for limit in question.limits:
            kept = np.array([c for c in limit.members if c not in left_out], dtype=np.intp)
            imposed = reading.slacks[np.ix_(np.flatnonzero(question.imposed(limit)), kept)]
            slacks.append(float(imposed.min(initial=1.0)))
        return min(slacks)

    def _damped(self, target: Floats) -> Floats | None:
        """On the way from the best to the master's answer, where kept limits hold at central values."""
        centre = self.centre
        if centre is None:
            return None
        step = centre.point + self.step * (target - centre.point)
        return self.pulled(step, self.rooms, self.left_out)

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


def no_allocation() -> OptimisationError:
    """Nothing allowed was found."""
    return OptimisationError("no allowed allocation was found: relax a constraint or a bound.")
