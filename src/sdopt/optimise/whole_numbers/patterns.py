"""Patterns: which programmes start and when, as one number 0 or 1 per whole entry of the decision vector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
Pattern = tuple[float, ...]
"""0 or 1 per whole entry, in the order of the decision vector."""
ROUNDING = 1e-9
"""Slack with which rules between whole entries are compared."""


def pattern_of(problem: Problem, point: Floats) -> Pattern:
    """The pattern of a decision vector (decision,)."""
    return tuple(float(value) for value in np.round(point[problem.decisions.whole]))


def with_pattern(problem: Problem, pattern: Pattern) -> Problem:
    """The same question with the programmes fixed: only amounts and other decisions are left."""
    return replace(problem, decisions=replace(problem.decisions, pattern=np.array(pattern)))


def allowed_patterns(problem: Problem) -> Iterator[Pattern]:
    """Every pattern that the rules between whole entries allow; none started comes first."""
    rules = _between_entries(problem)
    options = [_options(len(plan.start_years)) for plan in problem.decisions.programmes]
    for chosen in product(*options):
        pattern = tuple(value for one in chosen for value in one)
        if _kept(rules, pattern):
            yield pattern


def neighbours(problem: Problem, pattern: Pattern) -> Iterator[Pattern]:
    """Allowed patterns in which one programme starts in another year, or no longer, or does so too."""
    rules, first = _between_entries(problem), 0
    for plan in problem.decisions.programmes:
        last = first + len(plan.start_years)
        for option in _options(last - first):
            other = (*pattern[:first], *option, *pattern[last:])
            if other != pattern and _kept(rules, other):
                yield other
        first = last


def _options(years: int) -> list[Pattern]:
    """Never, or one of the years."""
    return [tuple(0.0 for _ in range(years)), *(tuple(map(float, row)) for row in np.eye(years))]


def _between_entries(problem: Problem) -> list[tuple[Floats, float]]:
    """Rules between whole entries only, as weights on the pattern and a limit."""
    whole = problem.decisions.whole
    return [(r.weights[whole], r.limit) for r in problem.rules if not r.weights[~whole].any()]


def _kept(rules: list[tuple[Floats, float]], pattern: Pattern) -> bool:
    return all(float(weights @ np.array(pattern)) <= limit + ROUNDING for weights, limit in rules)
