"""The best allocation of every scenario by itself: what could be had if all were known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sdopt.config.schema import Search
from sdopt.errors import SdoptError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.infeasible.explain import ClashError
from sdopt.optimise.search import search
from sdopt.optimise.whole_numbers.search import search_whole
from sdopt.problem.build import Problem, at_constants, constant_values
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]
Item: TypeAlias = tuple[int, Scenarios]
"""The position of a scenario, and that scenario alone."""
Searches: TypeAlias = Callable[[Item], "Best"]
SpreadOut: TypeAlias = Callable[[Searches, Iterable[Item]], Iterator["Best"]]
"""Who searches: takes the work and its items, and gives what came of each, in any order."""

AUDITED = 200
"""Points and pairs with which concavity is audited in every scenario."""
STARTS = 2
"""Starts of the local search, where concavity is disproved."""
NONE = "none"
"""Status of a scenario for which no allocation was found."""


@dataclass(frozen=True)
class Best:
    """The best that was found for one scenario (its position).

    `point` (decision,), nan when there is none; then `why` says so. `improvement` is over the scenario's own
    null alternative, `bound` what no allocation exceeds there: inf where that is not proved. `status` is a
    key of `Status`, or `NONE`.
    """

    scenario: int
    point: Floats
    improvement: float
    bound: float
    status: str
    why: str = ""

    @property
    def gap(self) -> float:
        """What may be missing, as part of the bound; nan when nothing is proved."""
        missing = self.bound - self.improvement
        return missing / max(abs(self.bound), 1e-300) if np.isfinite(missing) else np.nan


@dataclass(frozen=True)
class EachScenario:
    """The work: asks the question anew in one scenario, from `starts` (start, decision).

    The answer depends on nothing but this and the scenario, to the byte.
    """

    problem: Problem
    settings: Search
    starts: Floats

    def __call__(self, item: Item) -> Best:
        """The best of a scenario; what cannot be answered is said, not raised."""
        scenario, alone = item
        try:
            with threadpool_limits(1):  # the number of threads changes the last digits of a matrix product
                return self._search(scenario, question_in(self.problem, alone))
        except SdoptError as error:
            return self._none(scenario, " ".join(str(error).split()))

    def _none(self, scenario: int, why: str) -> Best:
        return Best(scenario, np.full(self.problem.decisions.size, np.nan), np.nan, np.nan, NONE, why)

    def _search(self, scenario: int, problem: Problem) -> Best:
        view, archive = View(problem, problem.objective_rows), Archive(problem)
        archive.add(self.starts)
        try:
            return self._best(scenario, view, archive)
        except ClashError:  # which limits clash takes much longer to find out than that they do
            return self._none(scenario, _nearest(view, archive))

    def _best(self, scenario: int, view: View, archive: Archive) -> Best:
        if view.problem.decisions.programmes:
            whole = search_whole(view, archive, self.settings, _silent)
            return _best(scenario, whole.point, whole.improvement, whole.bound, whole.status.key)
        found = search(view, archive, self.settings, _silent, sharp=self.settings.gap)
        return _best(scenario, found.point, found.improvement, found.bound, found.status.key)


def _silent(iteration: int, best: float | None, bound: float, gap: float | None) -> None:
    """Nobody looks on."""


def _best(scenario: int, point: Floats, improvement: float, bound: float | None, status: str) -> Best:
    return Best(scenario, point, improvement, np.inf if bound is None else max(bound, improvement), status)


def _nearest(view: View, archive: Archive) -> str:
    """What stands in the way, by the allocation that comes nearest to meeting all limits."""
    slacks = view.slacks(archive.values[view.meets_rules(archive.points)])
    if not slacks.size:
        return "no allocation was found that meets all limits"
    nearest = slacks[np.argmax(slacks.min(axis=1))]
    limits = zip(view.problem.constraints, nearest, strict=True)
    broken = dict.fromkeys(limit.functional.name for limit, slack in limits if slack < 0)
    return (
        f"no allocation was found that meets all limits; the nearest breaks {', '.join(broken)}, by "
        f"{-nearest.min():.2%} of the limit at most"
    )


def question_in(problem: Problem, alone: Scenarios) -> Problem:
    """The question as it is in one scenario."""
    central, times = constant_values(problem.system), problem.grid.steps + 1
    constants = {key: float(values[0]) for key, values in alone.constants(central).items()}
    paths = {key: path[:, 0] for key, path in alone.paths(central, times).items()}
    return at_constants(problem, constants, paths)


def searches(problem: Problem, gap: float, starts: Floats) -> EachScenario:
    """The work for a question, to a relative gap, from the null vector and `starts` (start, decision)."""
    settings = problem.config.search.model_copy(update={"gap": gap, "audit": AUDITED, "starts": STARTS})
    return EachScenario(problem, settings, np.vstack([problem.decisions.null_vector(), starts]))


def best_per_scenario(
    problem: Problem, scenarios: Scenarios, gap: float, starts: Floats, spread: SpreadOut = map
) -> tuple[Floats, Floats, Floats]:
    """Improvement and bound (scenario,) and point (scenario, decision) of every scenario by itself.

    `starts` (start, decision) are allocations that are good at central values; `spread` says who searches.
    Nan where nothing was found; a bound is inf where it is not proved.
    """
    items = ((k, scenarios.part(slice(k, k + 1))) for k in range(scenarios.count))
    found = sorted(spread(searches(problem, gap, starts), items), key=lambda best: best.scenario)
    improvement, bound = (np.array([getattr(b, name) for b in found]) for name in ("improvement", "bound"))
    return improvement, bound, np.array([best.point for best in found])
