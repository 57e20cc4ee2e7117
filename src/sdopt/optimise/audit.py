"""Is the assumption behind the bound true? Random points and pairs that look for a violation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.cutting_planes import tangent_excess
from sdopt.optimise.sample import Polytope

ROUNDING = 1e-11
"""Rounding in a return, as part of its absolute value."""
OBJECTIVE_NOISE = 1e-7
"""Part of the improvement below which a violation cannot be told from rounding."""
SLACK_NOISE = 1e-9


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
class Audit:
    """Outcome of all checks."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """No violation beyond rounding was found; that is evidence, not proof."""
        return all(check.violations == 0 for check in self.checks)


def audit(
    view: View, archive: Archive, polytope: Polytope, best: Floats, improvement: float, count: int, seed: int
) -> Audit:
    """Check concavity of return and constraints with `count` points and `count` pairs, half near `best`.

    A pair (a, b) violates it when the function between them lies below the chord; a point, when it
    lies above a tangent of the archive.
    """
    random = np.random.default_rng(seed)
    half = count // 2
    points = np.concatenate([polytope.draw(count - half, random), polytope.draw_near(best, half, random)])
    partner = _partners(count, half, random)
    parts = random.uniform(0.05, 0.95, (count, 1))
    between = points + parts * (points[partner] - points)
    values = view.problem.evaluator.values(np.concatenate([points, between])).value
    at_points, at_between = values[:count], values[count:]
    noise = OBJECTIVE_NOISE * abs(improvement) + ROUNDING * abs(view.problem.null_objective)
    chord = _below_chord(view.objective, at_points, at_between, partner, parts[:, 0])
    slack_chord = _below_chord(view.slacks, at_points, at_between, partner, parts)
    above, slack_above = tangent_excess(view, archive, points, at_points)
    scale = max(abs(improvement), noise)
    return Audit(
        (
            Check("return, pairs", count, int((chord > noise).sum()), _relative(chord.max(), scale)),
            Check("return, points against cuts", count, int(above > noise), _relative(above, scale)),
            *_slack_checks(slack_chord, slack_above, count),
        )
    )


def _slack_checks(chord: Floats, above: float, count: int) -> tuple[Check, ...]:
    if not chord.size:
        return ()
    broken = int((chord > SLACK_NOISE).any(axis=1).sum())
    return (
        Check("constraints, pairs", count, broken, max(float(chord.max()), 0.0)),
        Check("constraints, points against cuts", count, int(above > SLACK_NOISE), max(above, 0.0)),
    )


def _relative(value: float, scale: float) -> float:
    return max(float(value), 0.0) / scale


def _partners(count: int, half: int, random: np.random.Generator) -> np.ndarray:
    """A random partner for every point: far ones with far ones, near ones with near ones."""
    far = random.permutation(count - half)
    near = count - half + random.permutation(half)
    return np.concatenate([far, near])


def _below_chord(function, at_points: Floats, at_between: Floats, partner: np.ndarray, parts: Floats) -> Floats:
    ends, middle = function(at_points), function(at_between)
    chord = ends + parts * (ends[partner] - ends)
    return np.asarray(chord - middle)
