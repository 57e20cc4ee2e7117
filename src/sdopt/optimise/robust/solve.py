"""One measure: search, better allocations where limits have no cuts, audit, and the bound that is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sdopt.config.robust import Robust
from sdopt.optimise.archive import Archive
from sdopt.optimise.audit import Audit, audit
from sdopt.optimise.cutting_planes import Progress, Trace, relative_gap
from sdopt.optimise.infeasible.explain import ClashError
from sdopt.optimise.master import InfeasibleMasterError
from sdopt.optimise.robust.audit import RobustAudit, Sample, audit_scenarios, draw_sample
from sdopt.optimise.robust.finish import finish
from sdopt.optimise.robust.limit_cuts import LimitCuts
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.question import ROUNDING, Question, ask
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.robust.room import find_room
from sdopt.optimise.sample import Polytope, find_vertices
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
    not concave.
    """

    robust: Robust
    reader: Reader
    archive: Archive
    limit_cuts: LimitCuts
    left_out: set[int]
    polytope: Polytope
    sample: Sample | None = None
    central_audit: Audit | None = field(default=None, repr=False)

    @property
    def probability(self) -> Floats:
        """Of every scenario, (scenario,)."""
        return self.reader.ensemble.scenarios.weights


@dataclass(frozen=True)
class RobustFound:
    """The allocation that is best by one measure.

    `bound` is None where concavity is disproved. Where it is only by a small part of the gap that is asked,
    the bound is raised by as much, and the status says that it is not proved.
    `left_out` and `leaning` are constraints (positions): without cuts, and with a price in the bound.
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

    @property
    def value(self) -> float:
        """The measure of the allocation, in the objective's unit."""
        return self.measure.value(self.reading.improvement)


def share_work(reader: Reader, robust: Robust, starts: Floats, left_out: set[int]) -> Shared:
    """Begin with allocations (point, decision) that are known."""
    measure = Measure("expected", reader.ensemble.scenarios.weights)
    question = ask(reader.ensemble, measure, robust)
    archive = Archive(question.problem)
    archive.add(starts)
    random = np.random.default_rng(question.problem.config.search.seed)
    polytope = find_vertices(question.problem, random)
    return Shared(robust, reader, archive, LimitCuts(reader), left_out & set(question.central), polytope)


def solve(shared: Shared, measure: Measure, progress: Progress) -> RobustFound:
    """The best allocation by one measure, with bound and audit.

    Raises
    ------
    OptimisationError
        When no allocation meets the limits in as many scenarios as asked.
    """
    question = ask(shared.reader.ensemble, measure, shared.robust)
    planes = _search(shared, question, progress, None)
    trace = list(planes.trace)
    for _ in range(ROUNDS if question.free() else 0):
        known = planes.value
        chosen = _choose_scenarios(shared, question, planes, progress)
        trace += chosen.trace
        if known is not None and (chosen.value or -np.inf) <= known:
            break
        planes = _search(shared, question, progress, chosen.value)
        trace += planes.trace
        if _gap(planes) <= shared.robust.gap:
            break
    checked = audit_scenarios(planes, _sample(shared, planes))
    return _found(shared, planes, checked, tuple(trace))


def _choose_scenarios(
    shared: Shared, question: Question, planes: RobustPlanes, progress: Progress
) -> RobustPlanes:
    """The best allocation when limits hold in scenarios that are chosen: at first those easy for the bound.

    What may break is chosen again where the best allocation then is, as long as that helps.
    """
    reference, value = planes.centre or planes.readings[0], -np.inf
    while True:
        held = {limit.name: _held(question, limit.name, reference) for limit in question.free()}
        inner = _search(shared, replace(question, held=held), progress, None)
        if inner.best is None or inner.value is None or inner.value <= value + LITTLE * abs(value):
            return inner
        reference, value = inner.best, inner.value


def _search(shared: Shared, question: Question, progress: Progress, cutoff: float | None) -> RobustPlanes:
    """Cutting planes until their bound leans on no limit that is disproved."""
    robust = shared.robust
    while True:
        planes = RobustPlanes(
            question, shared.archive, shared.reader, shared.limit_cuts, shared.left_out, cutoff
        )
        try:
            if planes.centre is None:
                find_room(planes)
            planes.run(robust.gap, robust.iterations, progress)
            if not question.free():
                finish(planes, robust.gap)
        except InfeasibleMasterError:
            raise ClashError(question.view, shared.archive) from None
        disproved = _audit_central(shared, planes) | _audit_limits(shared, planes)
        if not disproved & planes.carriers():
            return planes
        shared.left_out |= disproved


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
        raise ClashError(planes.question.view, shared.archive)
    # What a cutoff was used for holds for better allocations only: the best itself bounds the rest.
    bound: float | None = max(planes.bound, value) + checked.excess
    gap: float | None = relative_gap(value, max(planes.bound, value) + checked.excess, planes.scale)
    if checked.excess > SLIGHT * shared.robust.gap * max(abs(value), abs(planes.bound)):
        bound, gap = None, None
    status = Status.OPTIMAL if gap is not None and gap <= shared.robust.gap else Status.ITERATION_LIMIT
    status = Status.LOCAL if checked.excess > 0.0 else status
    leaning = frozenset(planes.carriers())
    return RobustFound(
        planes.question.measure, best, bound, gap, status, checked, trace, frozenset(planes.left_out), leaning
    )
