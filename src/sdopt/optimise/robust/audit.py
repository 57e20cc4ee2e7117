"""Is the assumption behind the bound true? Random allocations that look for a violation per scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.audit import Check
from sdopt.optimise.robust.planes import RobustPlanes
from sdopt.optimise.robust.readings import Reader, Reading
from sdopt.optimise.sample import Polytope

Floats = NDArray[np.float64]

POINTS = 12
"""Random allocations, and as many between pairs of them; each is simulated in every scenario."""


@dataclass(frozen=True)
class Sample:
    """Random allocations; `middle` lie a part of the way from each of `ends` to its partner."""

    ends: tuple[Reading, ...]
    middle: tuple[Reading, ...]
    partner: tuple[int, ...]
    parts: Floats

    def below_chord(self, function: Callable[[Floats], Floats]) -> Floats:
        """How far a function of improvements between two allocations lies below the chord, (pair, ...)."""
        ends = np.array([function(one.improvement) for one in self.ends])
        middle = np.array([function(one.improvement) for one in self.middle])
        parts = self.parts.reshape(-1, *[1] * (ends.ndim - 1))
        return np.asarray(ends + parts * (ends[list(self.partner)] - ends) - middle)


def draw_sample(reader: Reader, polytope: Polytope, best: Floats, seed: int) -> Sample:
    """Allocations that the rules allow, half of them near `best` (decision,)."""
    random = np.random.default_rng([seed, 7])
    half = POINTS // 2
    points = np.concatenate([polytope.draw(POINTS - half, random), polytope.draw_near(best, half, random)])
    partner = [*np.roll(np.arange(POINTS - half), 1), *(POINTS - half + np.roll(np.arange(half), 1))]
    parts = random.uniform(0.2, 0.8, POINTS)
    between = points + parts[:, None] * (points[partner] - points)
    return Sample(
        tuple(reader.read(point) for point in points),
        tuple(reader.read(point) for point in between),
        tuple(int(k) for k in partner),
        parts,
    )


@dataclass(frozen=True)
class RobustAudit:
    """What was tried: `checks` for the results; `scenarios` (scenario,) says where concavity is disproved.

    `above` (scenario,) is by how much at most an improvement stands above a tangent or below a chord.
    `excess` is by how much the measure itself, which the bound needs to be concave, is not (in its unit):
    zero where no check disproves it.
    """

    checks: tuple[Check, ...]
    scenarios: NDArray[np.bool_]
    above: Floats
    excess: float


def audit_scenarios(planes: RobustPlanes, sample: Sample) -> RobustAudit:
    """Every allocation against tangents per scenario and cuts of the measure, and the sample's pairs."""
    noise, measure, store = planes.noise(), planes.question.measure, planes.reader.store
    drawn = [*sample.ends, *sample.middle]
    tangents = np.array([planes.excess, *(store.excess(one.point, one.improvement) for one in drawn)])
    chords = sample.below_chord(np.asarray)
    measured = sample.below_chord(lambda improvement: np.array(measure.value(improvement)))
    seen = [*planes.readings, *drawn]
    above = np.array(
        [measure.value(one.improvement) - min(cut.at(one.point) for cut in planes.cuts) for one in seen]
    )
    size = max(abs(planes.value or 0.0), 1e-3 * planes.scale)
    checks = (
        _check(
            "improvement per scenario: points against tangents", len(seen), tangents - noise, tangents, size
        ),
        _check("improvement per scenario: pairs", len(chords), chords - noise, chords, size),
        _check("measure: points against cuts", len(seen), above - noise.max(), above, size),
        _check("measure: pairs", len(measured), measured - noise.max(), measured, size),
    )
    scenarios = np.asarray(np.vstack([tangents > noise, chords > noise]).any(axis=0))
    excess = max((size * check.largest for check in checks[2:] if check.violations), default=0.0)
    largest = np.vstack([tangents, chords]).max(axis=0)
    return RobustAudit(checks, scenarios, largest, excess)


def _check(name: str, tried: int, over: Floats, amounts: Floats, size: float) -> Check:
    return Check(name, tried, int((over > 0).sum()), max(float(amounts.max(initial=0.0)), 0.0) / size)
