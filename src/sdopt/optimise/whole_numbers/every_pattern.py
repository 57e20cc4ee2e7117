"""When amounts and whole entries together are not concave: a search per pattern, each by itself.

Within a pattern the programmes are fixed, and the search for problems without whole numbers applies, with
tangents, audit and (where needed) several starts of its own. Few patterns are all searched, and a bound on
each is a bound on all; of many, those around the best are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from sdopt.config.schema import Search
from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.memory import Memory
from sdopt.optimise.search import Found, search
from sdopt.optimise.whole_numbers.patterns import Pattern, allowed_patterns, neighbours, with_pattern
from sdopt.optimise.whole_numbers.relaxation import Relaxation

MOST_PATTERNS = 64
"""So many patterns are all searched; of more, this many at most around the best."""
LEAST_AUDIT = 200
"""Points, and pairs, with which each pattern is audited at least."""


@dataclass(frozen=True)
class Searched:
    """Outcome of one pattern; `found` is None where no allowed point was found, `empty`: that is proved."""

    pattern: Pattern
    found: Found | None
    empty: bool = False

    @property
    def improvement(self) -> float:
        """Best improvement with this pattern; minus infinity where there is none."""
        return -np.inf if self.found is None else self.found.improvement

    @property
    def bound(self) -> float | None:
        """Upper bound on it; None where concavity within the pattern is disproved or nothing was found."""
        if self.found is None:
            return -np.inf if self.empty else None
        return self.found.bound


@dataclass
class EveryPattern:
    """Searches patterns one by one, `most` at most; `complete` says whether these are all there are."""

    view: View
    settings: Search
    progress: Progress
    crew: Crew = field(default_factory=Crew)
    memory: Memory = field(default_factory=Memory)
    most: int = MOST_PATTERNS
    complete: bool = False

    def run(self, first: Pattern) -> list[Searched]:
        """Search all patterns, or those around `first`, in the order in which they were searched.

        Raises
        ------
        OptimisationError
            When no pattern has an allowed allocation.
        """
        patterns = list(islice(allowed_patterns(self.view.problem), self.most + 1))
        self.complete = len(patterns) <= self.most
        searched: list[Searched] = []
        if self.complete:
            for pattern in patterns:
                if not (searched and self._stopped()):
                    self._add(pattern, searched, len(patterns))
            self.complete = len(searched) == len(patterns)
        else:
            self._climb(first, searched)
        if all(one.found is None for one in searched):
            raise OptimisationError(
                f"no allowed allocation was found with any of the {len(searched)} choices of programmes that "
                "were tried: relax a constraint, a bound or a choice."
            )
        return searched

    def _climb(self, first: Pattern, searched: list[Searched]) -> None:
        """From pattern to better neighbour, most promising first, until none is better or enough is tried."""
        here = self._add(first, searched, self.most)
        while True:
            better = None
            known = {one.pattern for one in searched}
            for pattern in self._promising(here, [p for p in self._around(here.pattern) if p not in known]):
                if len(searched) >= self.most or self._stopped():
                    return
                there = self._add(pattern, searched, self.most)
                if there.improvement > here.improvement:
                    better = there
                    break
            if better is None:
                return
            here = better

    def _stopped(self) -> bool:
        return self.crew.stop.reason() is not None

    def _around(self, pattern: Pattern) -> list[Pattern]:
        return list(neighbours(self.view.problem, pattern))

    def _promising(self, here: Searched, patterns: list[Pattern]) -> list[Pattern]:
        """Patterns by the return of the point here moved into each as little as needed; highest first."""
        if here.found is None or not patterns:
            return patterns
        boxes = [with_pattern(self.view.problem, pattern).decisions for pattern in patterns]
        moved = np.array([np.clip(here.found.point, box.lower(), box.upper()) for box in boxes])
        values = self.view.objective(self.view.problem.evaluator.values(moved).value)
        return [patterns[k] for k in np.argsort(-values, kind="stable")]

    def _add(self, pattern: Pattern, searched: list[Searched], of: int) -> Searched:
        searched.append(self._search(pattern, of))
        best = max(one.improvement for one in searched)
        self.progress(len(searched), best if np.isfinite(best) else None, float("nan"), None)
        return searched[-1]

    def _search(self, pattern: Pattern, of: int) -> Searched:
        view = View(with_pattern(self.view.problem, pattern), self.view.weights)
        if _surely_empty(view):
            return Searched(pattern, None, empty=True)
        archive = Archive(view.problem, self.memory)
        archive.add(view.problem.decisions.null_vector()[None])
        audit = max(self.settings.audit // of, min(LEAST_AUDIT, self.settings.audit))
        settings = self.settings.model_copy(update={"audit": audit})
        try:
            return Searched(pattern, search(view, archive, settings, lambda *_: None, self.crew))
        except OptimisationError:
            return Searched(pattern, None)


def _surely_empty(view: View) -> bool:
    """Whether the rules allow nothing with this pattern, proved by multipliers."""
    problem = view.problem
    decisions = problem.decisions
    lower, upper = decisions.lower(), decisions.upper()
    relaxation = Relaxation(lower, upper, np.zeros(decisions.size, dtype=bool), problem.rules, 1.0)
    return relaxation.proves_empty(relaxation.solve(lower, upper).multipliers, lower, upper)
