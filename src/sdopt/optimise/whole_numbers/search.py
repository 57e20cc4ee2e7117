"""The whole search with whole numbers: outer approximation with a proof, or pattern by pattern."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdopt.config.schema import Search
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.audit import Audit, Check, audit
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import Progress, Trace, relative_gap
from sdopt.optimise.infeasible.explain import clash
from sdopt.optimise.linear import InfeasibleError
from sdopt.optimise.local_search import LocalOptimum
from sdopt.optimise.sample import Polytope, find_vertices
from sdopt.optimise.search import STOPPED_AUDIT, Found
from sdopt.optimise.ties import nearest_to_null
from sdopt.optimise.whole_numbers.every_pattern import EveryPattern, Searched
from sdopt.optimise.whole_numbers.outer import (
    FINER,
    PATTERN_ROUNDS,
    OuterApproximation,
    start_outer_approximation,
)
from sdopt.optimise.whole_numbers.patterns import Pattern, pattern_of, with_pattern
from sdopt.problem.build import Problem
from sdopt.result import Status

WEAK_ROUNDS = 40
"""Most rounds of a search that leaves constraints out: if they bind, its gap cannot close."""
TOGETHER, APART = "together", "apart"
"""Where the return is concave: in amounts and programmes together, or within every choice of programmes."""
ASSUMES = {
    TOGETHER: "the return is concave in amounts and programmes, also where a programme would start by halves",
    APART: "the return is concave for every choice of programmes by itself (all choices were searched)",
}


@dataclass(frozen=True, kw_only=True)
class WholeFound(Found):
    """What the search found; `planes` is the final master problem of the best pattern alone.

    problem : the question with that pattern fixed
    leaning : constraints (positions) that the bound leans on
    concave : where the bound assumes that the return is concave, `TOGETHER` or `APART`
    patterns, nodes : how many patterns were searched, and nodes of our own branch and bound solved
    """

    problem: Problem
    leaning: frozenset[int]
    concave: str
    patterns: int
    nodes: int

    @property
    def assumes(self) -> str:
        """What the bound assumes of the return."""
        return ASSUMES[self.concave]


def search_whole(
    view: View, archive: Archive, settings: Search, progress: Progress, crew: Crew | None = None
) -> WholeFound:
    """Best allocation for one objective with programmes that start or do not.

    The bound is proved by our own branch and bound where return and constraints are concave, and by the
    bounds of all patterns where they are so within each; else it is withdrawn. `crew` says with how many
    processes local searches run, and when to stop early: then the best so far is given, with its bound.

    Raises
    ------
    OptimisationError
        When the limits cannot all hold, or no allowed allocation is found.
    """
    crew = crew or Crew()
    try:
        polytope = find_vertices(view.problem, np.random.default_rng(settings.seed))
    except InfeasibleError:
        raise OptimisationError(str(clash(view, archive))) from None
    trace: list[Trace] = []
    left_out: frozenset[int] = frozenset()
    while True:
        rounds = min(settings.iterations, WEAK_ROUNDS) if left_out else settings.iterations
        outer = start_outer_approximation(
            view, archive, settings.model_copy(update={"iterations": rounds}), progress, crew, left_out
        )
        reached = outer.run()
        trace += outer.trace
        if outer.disproved:
            left_out |= outer.disproved
            continue
        stopped = crew.stop.reason() is not None
        if not outer.return_is_concave or (left_out and not reached and not stopped):
            return _by_patterns(outer, trace)
        checked = _audited(outer, polytope)
        leaning = checked.disproved & outer.leaning
        if not checked.return_is_concave:
            return _by_patterns(outer, trace)
        if not leaning:
            return _found(outer, checked, reached, trace)
        left_out |= leaning


def _audited(outer: OuterApproximation, polytope: Polytope) -> Audit:
    """The audit on all that the rules allow when entries need not be whole, and again on the best pattern."""
    view, archive, settings = outer.view, outer.archive, outer.settings
    point, improvement = outer.point, outer.improvement
    fixed = with_pattern(view.problem, pattern_of(view.problem, point))
    inside = find_vertices(fixed, np.random.default_rng(settings.seed))
    stopped = outer.crew.stop.reason() is not None
    count = min(settings.audit, STOPPED_AUDIT) if stopped else settings.audit
    given = (point, improvement, count, settings.seed)
    first = audit(view, archive, polytope, *given)
    second = audit(View(fixed, view.weights), archive, inside, *given)
    checks = tuple(
        Check(a.name, a.tried + b.tried, a.violations + b.violations, max(a.largest, b.largest))
        for a, b in zip(first.checks, second.checks, strict=True)
    )
    concave = first.return_is_concave and second.return_is_concave
    return Audit(checks, concave, first.disproved | second.disproved, first.sample)


def _found(outer: OuterApproximation, checked: Audit, reached: bool, trace: list[Trace]) -> WholeFound:
    problem, gap = outer.view.problem, outer.settings.gap
    pattern = pattern_of(problem, outer.point)
    planes = outer.within(pattern)
    planes.run(lambda step: step.gap is not None and step.gap <= FINER * gap, PATTERN_ROUNDS, lambda *_: None)
    point, improvement = outer.point, outer.improvement
    unfinished = outer.crew.stop.reason() or Status.ITERATION_LIMIT
    found = WholeFound(
        status=Status.OPTIMAL if reached else unfinished,
        point=point,
        improvement=improvement,
        bound=max(outer.bound, improvement),
        gap=relative_gap(improvement, outer.bound, outer.scale),
        planes=planes,
        audit=checked,
        starts=(),
        trace=tuple(trace),
        problem=with_pattern(problem, pattern),
        leaning=outer.leaning,
        concave=TOGETHER,
        patterns=len(outer.searched),
        nodes=outer.nodes,
    )
    return _tidied(found)


def _tidied(found: WholeFound) -> WholeFound:
    """The same with what does not matter back at the null alternative, and the gap that goes with it."""
    view, decisions = View(found.problem, found.planes.view.weights), found.problem.decisions
    inside = np.clip(found.point, decisions.lower(), decisions.upper())
    moved = nearest_to_null(view, replace(found, point=inside))
    if found.bound is None:
        return moved
    bound = max(found.bound, moved.improvement)
    return replace(moved, bound=bound, gap=relative_gap(moved.improvement, bound, found.planes.scale))


def _by_patterns(outer: OuterApproximation, trace: list[Trace]) -> WholeFound:
    """The best of the patterns, with a bound where every pattern has one."""
    view, settings = outer.view, outer.settings
    every = EveryPattern(view, settings, outer.progress, outer.crew, outer.archive.memory)
    searched = every.run(_first_pattern(outer))
    best = max((one for one in searched if one.found is not None), key=lambda one: one.improvement)
    if best.found is None:
        raise AssertionError("a pattern without an allocation cannot be the best")
    bound = _bound_of_all(searched) if every.complete else None
    gap = None if bound is None else relative_gap(best.improvement, bound, outer.scale)
    proved = gap is not None and gap <= settings.gap
    found = WholeFound(
        status=Status.OPTIMAL if proved else outer.crew.stop.reason() or Status.LOCAL,
        point=best.found.point,
        improvement=best.improvement,
        bound=bound,
        gap=gap,
        planes=best.found.planes,
        audit=best.found.audit,
        starts=tuple(
            LocalOptimum(one.found.point, one.improvement) for one in searched if one.found is not None
        ),
        trace=(*trace, *best.found.trace),
        problem=with_pattern(view.problem, best.pattern),
        leaning=frozenset().union(
            *(one.found.planes.carriers() for one in searched if one.found is not None)
        ),
        concave=APART,
        patterns=len(searched),
        nodes=outer.nodes,
    )
    return _tidied(found)


def _first_pattern(outer: OuterApproximation) -> Pattern:
    """The pattern of the best point so far, or none started."""
    problem = outer.view.problem
    return pattern_of(problem, problem.decisions.null_vector() if outer.best is None else outer.point)


def _bound_of_all(searched: list[Searched]) -> float | None:
    """The largest bound of all patterns; None when one has none."""
    bounds = [one.bound for one in searched]
    return None if any(bound is None for bound in bounds) else max(b for b in bounds if b is not None)
