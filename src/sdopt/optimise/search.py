"""The whole search: cutting planes, audit of what their bound assumes, local search where it is disproved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdopt.config.schema import Search
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.audit import Audit, audit
from sdopt.optimise.cutting_planes import CuttingPlanes, Progress, Trace, relative_gap, start_cutting_planes
from sdopt.optimise.linear import Row, clash
from sdopt.optimise.local_search import LocalOptimum, local_search, merit
from sdopt.optimise.master import InfeasibleMasterError
from sdopt.optimise.sample import Polytope, find_vertices
from sdopt.problem.rules import Rule
from sdopt.result import Status

LOCAL_ROUNDS = 120
"""Most trust-region rounds of the local search."""
WEAK_ROUNDS = 40
"""Most rounds of a search that leaves constraints out: if they bind, its gap cannot close."""
TRIED = 1000
"""Random places from which the most promising are taken as starts."""
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


def search(view: View, archive: Archive, settings: Search, progress: Progress) -> Found:
    """Best allocation for one objective, with bound, audit and (where needed) several starts.

    A constraint that is not concave is left out of the bound, which stays valid without it; where
    that costs the gap, or the return itself is not concave, several local searches decide.

    Raises
    ------
    OptimisationError
        When the limits cannot all hold (names those that clash), or no allowed allocation is found.
    """
    polytope = find_vertices(view.problem, np.random.default_rng(settings.seed))
    trace: list[Trace] = []
    left_out: frozenset[int] = frozenset()
    while True:
        planes = start_cutting_planes(view, archive, left_out)
        reached = _cut(planes, settings, progress)
        trace += planes.trace
        if planes.disproved:
            left_out |= planes.disproved
            continue
        checked = audit(
            view, archive, polytope, planes.point, planes.improvement, settings.audit, settings.seed
        )
        concave = planes.return_is_concave and checked.return_is_concave
        leaning = checked.disproved & planes.carriers()
        if not concave or not leaning:
            break
        left_out |= leaning
    found = Found(
        Status.ITERATION_LIMIT, planes.point, planes.improvement, None, None, planes, checked, (), ()
    )
    if concave:
        gap = relative_gap(planes.improvement, planes.bound, planes.scale)
        found = replace(found, bound=planes.bound, gap=gap)
    if concave and reached:
        found = replace(found, status=Status.OPTIMAL)
    elif not concave or left_out:
        found = _climb(found, polytope, settings, progress)
    return replace(found, trace=tuple(trace))


def _cut(planes: CuttingPlanes, settings: Search, progress: Progress) -> bool:
    rounds = min(settings.iterations, WEAK_ROUNDS) if planes.left_out else settings.iterations
    try:
        return planes.run(lambda step: step.gap is not None and step.gap <= settings.gap, rounds, progress)
    except InfeasibleMasterError:
        problem = planes.view.problem
        decisions = problem.decisions
        rows: list[Rule | Row] = [*problem.rules, *_constraint_rows(planes)]
        raise OptimisationError(clash(rows, decisions.lower(), decisions.upper())) from None


def _constraint_rows(planes: CuttingPlanes) -> list[Row]:
    limits = planes.view.problem.constraints
    rows = []
    for number, constraint in planes.master.constraint_of_row.items():
        _, weights, limit, _ = planes.master.rows[number]
        functional, scale = limits[constraint].functional, limits[constraint].scale
        rows.append(Row(f"{functional.name} ({functional.year})", weights * scale, limit * scale))
    return rows


def _climb(found: Found, polytope: Polytope, settings: Search, progress: Progress) -> Found:
    """Several trust-region searches: the best of the cutting planes, and random allowed places."""
    planes = found.planes
    view, archive = planes.view, planes.archive
    places = _allowed_starts(found, polytope, settings)
    first = planes.improvement

    def note(iteration: int, best: float | None) -> None:
        progress(iteration, first if best is None else max(best, first), float("nan"), None)

    optima = local_search(view, archive, places, LOCAL_ROUNDS, note)
    best = max(optima, key=lambda o: -np.inf if o.improvement is None else o.improvement)
    found = replace(found, status=Status.LOCAL, starts=tuple(optima))
    if best.point is not None and best.improvement is not None and best.improvement > found.improvement:
        found = replace(found, point=best.point, improvement=best.improvement)
    if found.bound is not None:
        found = replace(found, gap=relative_gap(found.improvement, found.bound, planes.scale))
    return found


def _allowed_starts(found: Found, polytope: Polytope, settings: Search) -> Floats:
    """The best point, random points drawn towards it until every constraint allows them, and the most
    promising of many random points: high return, little broken. The search itself mends what they break.
    """
    view = found.planes.view
    random = np.random.default_rng([settings.seed, 1])
    promising = settings.starts // 2
    drawn = polytope.draw(settings.starts - 1 - promising, random)
    towards = found.point + (drawn - found.point) * TOWARDS[:, None, None]
    values = view.problem.evaluator.values(towards.reshape(-1, towards.shape[-1])).value
    slacks = view.slacks(values).min(axis=1, initial=np.inf).reshape(towards.shape[:2])
    first = np.argmax(slacks >= 0, axis=0)
    many = polytope.draw(TRIED, random)
    merits = merit(view, found.planes.archive, view.problem.evaluator.values(many).value)
    chosen = np.argsort(-merits, kind="stable")[:promising]
    return np.vstack([found.point, towards[first, np.arange(len(drawn))], many[chosen]])
