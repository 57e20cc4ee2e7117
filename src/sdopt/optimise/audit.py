"""Is the assumption behind the bound true? Random points and pairs that look for a violation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import SLACK_NOISE, Archive, Floats, View, tangent_excess
from sdopt.optimise.sample import Polytope

ROUNDING = 1e-11
"""Rounding in a return, as part of its absolute value."""
OBJECTIVE_NOISE = 1e-7
"""Part of the improvement below which a violation cannot be told from rounding."""


@dataclass(frozen=True)
class Check:
    """One check: how many were tried, how many violate concavity, and by how much at most.

    `largest` is relative to the improvement for the return, and scaled as its slack for constraints.
    """

    name: str
    tried: int
    violations: int
    largest: float


@dataclass(frozen=True)
class Sample:
    """Points (point, decision) that the rules allow, a partner for each, and values there and between.

    `ends` and `middle` are evaluator values (point, functional); `parts` is how far between a point and its
    partner the middle lies.
    """

    points: Floats
    ends: Floats
    middle: Floats
    partner: NDArray[np.intp]
    parts: Floats

    def below_chord(self, function: Callable[[Floats], Floats]) -> Floats:
        """How far the function between two points lies below the straight line between them."""
        ends, middle = function(self.ends), function(self.middle)
        parts = self.parts if ends.ndim == 1 else self.parts[:, None]
        return np.asarray(ends + parts * (ends[self.partner] - ends) - middle)


@dataclass(frozen=True)
class Excess:
    """How far a sample stands above the archive's first so many tangents at most.

    `above` is for the return, `slacks` (constraint,) for the scaled slacks.
    """

    tangents: int
    above: float
    slacks: Floats


@dataclass(frozen=True)
class Audit:
    """Outcome of all checks; `disproved` are the constraints (positions) that are not concave."""

    checks: tuple[Check, ...]
    return_is_concave: bool
    disproved: frozenset[int]
    sample: Sample | None = field(default=None, repr=False)
    excess: Excess | None = field(default=None, repr=False)


def audit(
    view: View,
    archive: Archive,
    polytope: Polytope,
    best: Floats,
    improvement: float,
    count: int,
    seed: int,
    earlier: Audit | None = None,
) -> Audit:
    """Look for violations of concavity with `count` points and `count` pairs, half near `best`.

    A pair (a, b) violates it when the function between them lies below the chord; a point, when it
    lies above a tangent of the archive. No violation is evidence, not proof. The sample of an `earlier`
    audit of the same question is used again: only the tangents are new.
    """
    sample = (earlier.sample if earlier else None) or _draw(view, polytope, best, count, seed)
    count = len(sample.points)
    found = _excess(view, archive, sample, earlier.excess if earlier else None)
    scale = max(abs(improvement), ROUNDING * abs(view.problem.null_objective), 1e-300)
    noise = OBJECTIVE_NOISE * scale + ROUNDING * abs(view.problem.null_objective)
    checks = [
        _check("return", "pairs", count, sample.below_chord(view.objective), noise, scale),
        _check("return", "points against cuts", count, np.array([found.above]), noise, scale),
    ]
    slack_chord = sample.below_chord(view.slacks)
    broken: set[int] = set()
    for name, members in _by_name(view).items():
        chord, excess = slack_chord[:, members], found.slacks[members]
        checks.append(_check(name, "pairs", count, chord.max(axis=1), SLACK_NOISE, 1.0))
        checks.append(_check(name, "points against cuts", count, excess, SLACK_NOISE, 1.0))
        bad = (chord > SLACK_NOISE).any(axis=0) | (excess > SLACK_NOISE)
        broken |= {member for member, is_bad in zip(members, bad, strict=True) if is_bad}
    concave = all(check.violations == 0 for check in checks[:2])
    return Audit(tuple(checks), concave, frozenset(broken), sample, found)


def _excess(view: View, archive: Archive, sample: Sample, earlier: Excess | None) -> Excess:
    """The sample against the tangents that an earlier look did not have; an archive only grows."""
    first = earlier.tangents if earlier else 0
    above, slacks = tangent_excess(view, archive, sample.points, sample.ends, slice(first, None))
    if earlier:
        above, slacks = max(above, earlier.above), np.maximum(slacks, earlier.slacks)
    return Excess(len(archive.points), above, slacks)


def _draw(view: View, polytope: Polytope, best: Floats, count: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    half = count // 2
    points = np.concatenate([polytope.draw(count - half, random), polytope.draw_near(best, half, random)])
    partner = _partners(count, half, random)
    parts = random.uniform(0.05, 0.95, count)
    between = points + parts[:, None] * (points[partner] - points)
    values = view.problem.evaluator.values(np.concatenate([points, between])).value
    return Sample(points, values[:count], values[count:], partner, parts)


def _check(subject: str, kind: str, count: int, amounts: Floats, noise: float, scale: float) -> Check:
    largest = max(float(amounts.max()), 0.0)
    return Check(f"{subject}: {kind}", count, int((amounts > noise).sum()), largest / scale)


def _by_name(view: View) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for position, constraint in enumerate(view.problem.constraints):
        groups.setdefault(constraint.functional.name, []).append(position)
    return groups


def _partners(count: int, half: int, random: np.random.Generator) -> NDArray[np.intp]:
    """A random partner for every point: far ones with far ones, near ones with near ones."""
    far = random.permutation(count - half)
    near = count - half + random.permutation(half)
    return np.concatenate([far, near])
