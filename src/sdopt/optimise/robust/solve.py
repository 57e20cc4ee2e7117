"""One measure: search, better allocations where limits have no cuts, audit, and the bound that is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import Robust
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive
from sdopt.optimise.audit import Audit, audit
from sdopt.optimise.cutting_planes import Progress, Trace, relative_gap
from sdopt.optimise.infeasible.explain import ClashError
from sdopt.optimise.master import InfeasibleMasterError
from sdopt.optimise.robust.audit import RobustAudit, Sample, audit_scenarios, draw_sample
from sdopt.optimise.robust.bends import passed, seen_bends
from sdopt.optimise.robust.finish import finish
from sdopt.optimise.robust.limit_cuts import LimitCuts
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.question import ROUNDING, Question, ask
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.robust.room import find_room
from sdopt.optimise.sample import Polytope, find_vertices
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.result import Status

Floats = NDArray[np.float64]
Held = Mapping[str, NDArray[np.bool_]]

SLIGHT = 0.1
"""A measure that is not concave by more than this part of the gap that is asked has no bound."""
AUDIT = 1000
"""Most points and pairs with which limits at central values are audited."""
ROUNDS = 2
"""How often the scenarios in which a limit may be broken are chosen at the place of the bound."""
LITTLE = 1e-4
"""Another choice of them must gain this part to be worth yet another."""


@dataclass
class Shared:
    """What the searches for all measures over one ensemble have in common; it only grows.

    `archive` has what allocations give at central values; `left_out` the constraints (positions) that are
    not concave. When `stop` says so, every search ends with the best so far and its bound.
    """

    robust: Robust
    reader: Reader
    archive: Archive
    limit_cuts: LimitCuts
    left_out: set[int]
    polytope: Polytope
    sample: Sample | None = None
    central_audit: Audit | None = field(default=None, repr=False)
    stop: Stop = NEVER

    @property
    def disproved(self) -> set[int]:
        """The constraints (positions) that are left out, and those that any check found not concave."""
        audited = self.central_audit.disproved if self.central_audit else ()
        central = ask(self.reader.ensemble, Measure("expected", self.probability), self.robust).central
        return self.left_out | self.limit_cuts.disproved | {central[k] for k in audited}

    @property
    def probability(self) -> Floats:
        """Of every scenario, (scenario,)."""
        return self.reader.ensemble.scenarios.weights


@dataclass(frozen=True)
class RobustFound:
    """The allocation that is best by one measure.

    `bound` is None where concavity is disproved. Where it is only by a small part of the gap that is asked,
    the bound is raised by as much, and the status says that it is not proved.
    `left_out`, `leaning` and `bent` are constraints (positions): not concave; with a price in the bound; and
    of these the ones with a price whose cuts are raised by what is seen to stand above them. `unproved`: for
    regret, the scenarios of which the best has no bound.
    """

    measure: Measure
    reading: Reading
    bound: float | None
    gap: float | None
    status: Status
    audit: RobustAudit
    trace: tuple[Trace, ...]
    left_out: frozenset[int]
    leaning: frozenset[int]
    bent: frozenset[int] = frozenset()
    unproved: int = 0

    @property
    def value(self) -> float:
        """The measure of the allocation, in the objective's unit."""
        return self.measure.value(self.reading.improvement)


def share_work(
    reader: Reader, robust: Robust, starts: Floats, left_out: set[int], stop: Stop = NEVER
) -> Shared:
    """Begin with allocations (point, decision) that are known."""
    measure = Measure("expected", reader.ensemble.scenarios.weights)
    question = ask(reader.ensemble, measure, robust)
    archive = Archive(question.problem)
    archive.add(starts)
    random = np.random.default_rng(question.problem.config.search.seed)
    polytope = find_vertices(question.problem, random)
    left_out = left_out & set(question.central)
    return Shared(robust, reader, archive, LimitCuts(reader), left_out, polytope, stop=stop)


def solve(shared: Shared, measure: Measure, progress: Progress) -> RobustFound:
    """The best allocation by one measure, with bound and audit.

    Where limits may be broken in some scenarios, an allocation comes first, with these scenarios chosen;
    then the bound, which leaves them open, and the choice again at the place of the bound.

    Raises
    ------
    OptimisationError
        When no allocation meets the limits in as many scenarios as asked, or the search was stopped before
        one was found.
    """
    question = ask(shared.reader.ensemble, measure, shared.robust)
    trace: list[Trace] = []
    refused: list[OptimisationError] = []

    def choose(near: Reading) -> float | None:
        try:
            chosen = _choose_scenarios(shared, question, near, progress)
        except OptimisationError as error:  # in these scenarios; others may do
            refused.append(error)
            return None
        trace.extend(chosen.trace)
        return chosen.value

    def bound(cutoff: float | None) -> RobustPlanes:
        planes = _search(shared, question, progress, cutoff)
        trace.extend(planes.trace)
        return planes

    def sound(planes: RobustPlanes) -> RobustPlanes:
        while planes.carriers() & shared.disproved:  # by a search that came after
            shared.left_out |= shared.disproved
            planes = bound(planes.value)
        return planes

    found = [choose(near) for near in _first(shared, question)] if question.free() else []
    planes = bound(max((one for one in found if one is not None), default=None))
    for _ in range(ROUNDS if question.free() else 0):
        if _gap(planes) <= shared.robust.gap or shared.stop.reason() is not None:
            break
        known, better = planes.value, choose(planes.centre or planes.readings[0])
        if better is None or (known is not None and better <= known):
            break
        planes = bound(better)
    planes = sound(planes)
    sharp = _sharpened(shared, planes, progress)
    trace += sharp.trace if sharp is not planes else ()
    planes = sound(sharp)
    if planes.best is None and refused and shared.stop.reason() is None:
        raise refused[0]
    checked = audit_scenarios(planes, _sample(shared, planes))
    return _found(shared, planes, checked, tuple(trace))


def _sharpened(shared: Shared, planes: RobustPlanes, progress: Progress) -> RobustPlanes:
    """The same search with raised cuts of limits that have none, where that brings its bound down."""
    question, audited = planes.question, shared.central_audit
    done = _gap(planes) <= shared.robust.gap or shared.stop.reason() is not None
    if done or audited is None or not shared.left_out & set(question.central):
        return planes
    bends = seen_bends(question.view, shared.archive, audited)
    sharp = replace(
        planes, cutoff=planes.value, bends=bends, answer=None,
        readings=[], measures=[], allowed=[], rooms=[], implied=[], trace=[],
    )  # fmt: skip
    try:
        sharp.run(shared.robust.gap, shared.robust.iterations, progress)
    except InfeasibleMasterError:
        return _with_found(planes, sharp)
    place = {c: k for k, c in enumerate(question.central) if c in sharp.raised}
    grown = seen_bends(question.view, shared.archive, audited)
    wrong = _audit(shared, sharp) & sharp.carriers() or passed(grown, sharp.master, place)
    rejected = wrong or sharp.best is None or sharp.bound >= planes.bound
    return _with_found(planes, sharp) if rejected else sharp


def _with_found(planes: RobustPlanes, later: RobustPlanes) -> RobustPlanes:
    """The same search, with the allocations that a later one over the same archive came by."""
    for reading in later.readings[len(planes.readings) :]:
        planes.note(reading)
    planes.excess = np.maximum(planes.excess, later.excess)
    return planes


def _first(shared: Shared, question: Question) -> list[Reading]:
    """Where scenarios are chosen first: at the best by the measure, of what meets the limits at central
    values, and at the null alternative. Which scenarios are easy differs between such places.
    """
    points, slacks = shared.archive.points, question.view.slacks(shared.archive.values)
    good = question.view.meets_rules(points) & (slacks >= 0).all(axis=1)
    readings = [shared.reader.read(point) for point in points]
    values = np.where(good, [question.measure.value(one.improvement) for one in readings], -np.inf)
    null = shared.reader.read(question.problem.decisions.null_vector())
    return [readings[int(np.argmax(values))], null]


def _choose_scenarios(
    shared: Shared, question: Question, reference: Reading, progress: Progress
) -> RobustPlanes:
    """The best allocation when limits hold in scenarios that are chosen: at first those easy for `reference`.

    What may break is chosen again where the best allocation then is, as long as that helps.
    """
    value = -np.inf
    while True:
        held = {limit.name: _held(question, limit.name, reference) for limit in question.free()}
        inner = _search(shared, replace(question, held=held), progress, None)
        if inner.best is None or inner.value is None or inner.value <= value + LITTLE * abs(value):
            return inner
        if shared.stop.reason() is not None:
            return inner
        reference, value = inner.best, inner.value


def _search(shared: Shared, question: Question, progress: Progress, cutoff: float | None) -> RobustPlanes:
    """Cutting planes until their bound leans on no limit that is disproved."""
    robust = shared.robust
    while True:
        planes = RobustPlanes(
            question, shared.archive, shared.reader, shared.limit_cuts, shared.left_out, cutoff, shared.stop
        )
        try:
            if planes.centre is None:
                find_room(planes)
            planes.run(robust.gap, robust.iterations, progress)
            if not question.free():
                finish(planes, robust.gap)
        except InfeasibleMasterError:
            # Tangents of what is not concave can leave nothing where there is something.
            if _audit(shared, planes) <= shared.left_out:
                raise ClashError(question.view, shared.archive) from None
            shared.left_out |= shared.disproved
            continue
        disproved = _audit(shared, planes)
        if not disproved & planes.carriers():
            return planes
        shared.left_out |= disproved


def _audit(shared: Shared, planes: RobustPlanes) -> set[int]:
    """The constraints (positions) that any check found not concave."""
    return _audit_central(shared, planes) | _audit_limits(shared, planes)


def _audit_central(shared: Shared, planes: RobustPlanes) -> set[int]:
    """The limits at central values (positions in the ensemble's problem) that are not concave."""
    question, known = planes.question, planes.best or planes.centre or planes.readings[0]
    search = question.problem.config.search
    shared.central_audit = audit(
        question.view,
        shared.archive,
        shared.polytope,
        known.point,
        1.0,
        min(search.audit, AUDIT),
        search.seed,
        shared.central_audit,
    )
    return {question.central[k] for k in shared.central_audit.disproved}


def _audit_limits(shared: Shared, planes: RobustPlanes) -> set[int]:
    """The limits per scenario (positions) that a random allocation shows not to be concave."""
    if planes.question.limits:
        drawn = _sample(shared, planes)
        shared.limit_cuts.check([*drawn.ends, *drawn.middle], shared.limit_cuts.tangents)
    return set(shared.limit_cuts.disproved)


def _held(question: Question, name: str, reference: Reading) -> NDArray[np.bool_]:
    """Where a limit is imposed: in all but the hardest scenarios at an allocation, as many as may break."""
    limit = next(one for one in question.limits if one.name == name)
    order = np.argsort(limit.room(reference.slacks), kind="stable")
    together = np.cumsum(question.measure.probability[order])
    held = np.empty(len(order), dtype=bool)
    held[order] = together > limit.share + ROUNDING
    return held


def _sample(shared: Shared, planes: RobustPlanes) -> Sample:
    if shared.sample is None:
        near = planes.best or planes.readings[0]
        seed = planes.question.problem.config.search.seed
        shared.sample = draw_sample(shared.reader, shared.polytope, near.point, seed)
    return shared.sample


def _gap(planes: RobustPlanes) -> float:
    """Between the best and the bound; infinite before an allowed allocation is known."""
    value = planes.value
    return np.inf if value is None else relative_gap(value, max(planes.bound, value), planes.scale)


def _found(
    shared: Shared, planes: RobustPlanes, checked: RobustAudit, trace: tuple[Trace, ...]
) -> RobustFound:
    best, value = planes.best, planes.value
    if best is None or value is None:
        raise _none_found(shared, planes)
    # What a cutoff was used for holds for better allocations only: the best itself bounds the rest.
    bound: float | None = max(planes.bound, value) + checked.excess
    gap: float | None = relative_gap(value, max(planes.bound, value) + checked.excess, planes.scale)
    if checked.excess > SLIGHT * shared.robust.gap * max(abs(value), abs(planes.bound)):
        bound, gap = None, None
    return RobustFound(
        planes.question.measure,
        best,
        bound,
        gap,
        _status(shared, gap, sure=not checked.excess and not planes.bent()),
        checked,
        trace,
        frozenset(planes.left_out),
        frozenset(planes.carriers()),
        frozenset(planes.bent()),
    )


def _status(shared: Shared, gap: float | None, *, sure: bool) -> Status:
    """How far it can be trusted; a search that was stopped with its gap closed is done."""
    closed = gap is not None and gap <= shared.robust.gap
    if closed and sure:
        return Status.OPTIMAL
    stopped = None if closed else shared.stop.reason()
    return stopped or (Status.ITERATION_LIMIT if sure else Status.LOCAL)


def _none_found(shared: Shared, planes: RobustPlanes) -> OptimisationError:
    if shared.stop.reason() is None:
        return ClashError(planes.question.view, shared.archive)
    return OptimisationError(
        "the search was stopped before it found an allocation that meets the limits in as many scenarios as "
        "asked: give it more time, or fewer scenarios."
    )
