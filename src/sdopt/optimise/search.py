"""The whole search: cutting planes, audit of what their bound assumes, local search where it is disproved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdopt.config.schema import Search
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.audit import Audit, audit
from sdopt.optimise.climb import Climber
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import CuttingPlanes, Progress, Trace, relative_gap, start_cutting_planes
from sdopt.optimise.evolution import evolve
from sdopt.optimise.head_start import head_start
from sdopt.optimise.infeasible.explain import ClashError
from sdopt.optimise.linear import InfeasibleError
from sdopt.optimise.local_search import LocalOptimum
from sdopt.optimise.master import InfeasibleMasterError
from sdopt.optimise.sample import Polytope, find_vertices
from sdopt.optimise.ties import nearest_to_null
from sdopt.result import Status

LEFT = 0.1
"""With constraints left out: enough if more rounds lessen the gap by at most this part of what is asked."""
SHARP = 1e-4
"""A larger gap than this is worth some quadratic steps, unless told otherwise."""
WEAK_ROUNDS = 40
"""Most rounds of a search with whole numbers that leaves constraints out."""
FINISHED = 2
"""So many of the best starts are brought to their last digits."""
STOPPED_AUDIT = 1000
"""Most points and pairs of the audit where it decides nothing: stopped early, or the return is disproved."""
TOWARDS = np.array([1.0, 0.75, 0.5, 0.3, 0.15, 0.05, 0.0])
"""How far starts are pulled from a random place to the best one."""


@dataclass(frozen=True)
class Found:
    """What the search found. Improvements are over the null alternative, in the objective's unit.

    `bound` is None when concavity of the return is disproved; `planes` holds the final master problem.
    """

    status: Status
    point: Floats
    improvement: float
    bound: float | None
    gap: float | None
    planes: CuttingPlanes
    audit: Audit
    starts: tuple[LocalOptimum, ...]
    trace: tuple[Trace, ...]

    @property
    def gap_amount(self) -> float | None:
        """Most that another allocation can gain, in the objective's unit."""
        return None if self.bound is None else max(self.bound - self.improvement, 0.0)


def search(
    view: View,
    archive: Archive,
    settings: Search,
    progress: Progress,
    crew: Crew | None = None,
    *,
    sharp: float = SHARP,
) -> Found:
    """Best allocation for one objective, with bound, audit and (where needed) several starts.

    A constraint that is not concave is left out of the bound, which stays valid without it; where
    that costs the gap, or the return itself is not concave, several local searches decide. `crew` says
    with how many processes, and when to stop early: then the best so far is given, with its bound. A gap
    above `sharp` is worth some quadratic steps, also where the settings are content with it.

    Raises
    ------
    OptimisationError
        When the limits cannot all hold (names those that clash), or no allowed allocation is found.
    """
    crew = crew or Crew()
    head_start(view, archive, crew.stop, progress)
    try:
        polytope = find_vertices(view.problem, np.random.default_rng(settings.seed))
    except InfeasibleError:
        raise ClashError(view, archive) from None
    planes, checked, trace = _cut_and_audit(view, archive, polytope, settings, progress, crew)
    concave = planes.return_is_concave and checked.return_is_concave
    found = Found(
        Status.ITERATION_LIMIT, planes.point, planes.improvement, None, None, planes, checked, (), trace
    )
    if concave:
        found = _with_gap(replace(found, bound=planes.bound))
    if concave and (found.gap or 0.0) > min(settings.gap, sharp):
        found = _with_gap(_polish(found, crew))
    if concave and _closed(found, settings):
        found = replace(found, status=Status.OPTIMAL)
    elif crew.stop.reason() is None and (not concave or planes.left_out):
        found = _with_gap(_climb(found, polytope, settings, progress, crew))
    stopped = None if found.status is Status.OPTIMAL else crew.stop.reason()
    return _with_gap(nearest_to_null(view, replace(found, status=stopped or found.status)))


def _cut_and_audit(
    view: View, archive: Archive, polytope: Polytope, settings: Search, progress: Progress, crew: Crew
) -> tuple[CuttingPlanes, Audit, tuple[Trace, ...]]:
    """Cutting planes until their bound leans on nothing that is disproved, or the return is."""
    trace: list[Trace] = []
    left_out: frozenset[int] = frozenset()
    checked: Audit | None = None
    while True:
        planes = start_cutting_planes(view, archive, left_out)
        _cut(planes, settings, progress, crew)
        trace += planes.trace
        if planes.disproved:
            left_out |= planes.disproved
            continue
        brief = crew.stop.reason() is not None or not planes.return_is_concave
        count = min(settings.audit, STOPPED_AUDIT) if brief else settings.audit
        best, improvement = planes.point, planes.improvement
        checked = audit(view, archive, polytope, best, improvement, count, settings.seed, checked)
        concave = planes.return_is_concave and checked.return_is_concave
        if not concave or not checked.disproved & planes.carriers():
            return planes, checked, tuple(trace)
        # All that is disproved: what carries nothing now may do so once another is left out.
        left_out |= checked.disproved


def _closed(found: Found, settings: Search) -> bool:
    return found.gap is not None and found.gap <= settings.gap


def _with_gap(found: Found) -> Found:
    """The gap between what was found and its bound, if there is one."""
    if found.bound is None:
        return found
    return replace(found, gap=relative_gap(found.improvement, found.bound, found.planes.scale))


def _cut(planes: CuttingPlanes, settings: Search, progress: Progress, crew: Crew) -> None:
    def enough(step: Trace) -> bool:
        if step.gap is not None and step.gap <= settings.gap:
            return True
        useless = bool(planes.left_out) and step.left is not None and step.left <= LEFT * settings.gap
        return useless or crew.stop.reason() is not None

    try:
        planes.run(enough, settings.iterations, progress)
    except InfeasibleMasterError:
        raise ClashError(planes.view, planes.archive) from None


def _polish(found: Found, crew: Crew) -> Found:
    """Quadratic steps from the best point: slopes are smooth there, and linear cuts close in slowly."""
    planes = found.planes
    optima = crew.climb(_climber(planes), "polish", planes.point[None], planes.archive.memory, lambda _: None)
    return _best_of(found, optima)


def _best_of(found: Found, optima: Sequence[LocalOptimum]) -> Found:
    """The first of the best optima, if better than what is known; all that are go into the archive."""
    ends = [(o.improvement, o.point) for o in optima if o.improvement is not None and o.point is not None]
    better = [end for end in ends if end[0] > found.improvement]
    if not better:
        return found
    found.planes.archive.add(np.array([point for _, point in better]))
    improvement, point = max(better, key=lambda end: end[0])
    return replace(found, point=point, improvement=improvement)


def _climber(planes: CuttingPlanes) -> Climber:
    return Climber(planes.view, planes.roomiest)


def _climb(found: Found, polytope: Polytope, settings: Search, progress: Progress, crew: Crew) -> Found:
    """Several searches: from the best of the cutting planes, random allowed places and promising ones.

    The first goes before: where others get onto its hill, they need not climb it once more.
    """
    planes = found.planes
    places = _allowed_starts(found, polytope, settings, crew)
    best = planes.improvement

    def note(optimum: LocalOptimum) -> None:
        nonlocal best
        best = max(best, optimum.improvement or best)
        progress(len(found.trace), best, float("nan"), None)

    climber, memory = _climber(planes), planes.archive.memory
    optima = crew.climb(climber, "climb", places[:1], memory, note)
    optima += crew.climb(replace(climber, known=tuple(optima)), "climb", places[1:], memory, note)
    found = _best_of(replace(found, status=Status.LOCAL), optima)
    if crew.stop.reason() is None:
        optima = _finish_best(planes, optima, crew)
    return _best_of(replace(found, starts=tuple(optima)), optima)


def _finish_best(planes: CuttingPlanes, optima: list[LocalOptimum], crew: Crew) -> list[LocalOptimum]:
    """The same ends, the best of them brought to their last digits, and with each all on its hill."""
    climber, memory = _climber(planes), planes.archive.memory
    tops = _tops(climber, optima)[:FINISHED]
    if not tops:
        return optima
    points = np.array([optima[members[0]].point for members in tops])
    finished = crew.climb(climber, "finish", points, memory, lambda _: None)
    ends = {k: top for members, top in zip(tops, finished, strict=True) for k in members}
    return [ends.get(k, optimum) for k, optimum in enumerate(optima)]


def _tops(climber: Climber, optima: Sequence[LocalOptimum]) -> list[list[int]]:
    """Positions of the ends on each hill, the best first; hills from the highest down."""
    order = sorted(
        (k for k, optimum in enumerate(optima) if optimum.point is not None),
        key=lambda k: -(optima[k].improvement or 0.0),
    )
    hills: list[list[int]] = []
    for k in order:
        mine = next((hill for hill in hills if climber.share_a_hill(optima[k], optima[hill[0]])), None)
        if mine is None:
            hills.append([k])
        else:
            mine.append(k)
    return hills


def _allowed_starts(found: Found, polytope: Polytope, settings: Search, crew: Crew) -> Floats:
    """The best point, random points drawn towards it until every constraint allows them, and the most
    promising that evolution finds: high return, little broken. The search itself mends what they break.
    """
    view, archive = found.planes.view, found.planes.archive
    random = np.random.default_rng([settings.seed, 1])
    promising = evolve(view, archive, polytope, settings.starts // 2, random, crew.stop)
    drawn = polytope.draw(settings.starts - 1 - len(promising), random)
    towards = found.point + (drawn - found.point) * TOWARDS[:, None, None]
    values = view.problem.evaluator.values(towards.reshape(-1, towards.shape[-1])).value
    slacks = view.slacks(values).min(axis=1, initial=np.inf).reshape(towards.shape[:2])
    first = np.argmax(slacks >= 0, axis=0)
    return np.vstack([found.point, towards[first, np.arange(len(drawn))], promising])
