"""A handful of allocations that return nearly as much as the best and are clearly different from it.

Modelling to generate alternatives (Brill 1979): far from all that are listed already, by the sum of
distances per decision and period, each as part of the distance between its bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sdopt.optimise.archive import Floats
from sdopt.optimise.explanation.near_optimal import PARTS, level_of
from sdopt.optimise.explanation.relaxation import limits_of
from sdopt.optimise.explanation.reoptimise import TOUCHING, Desk, Question

WANTED = 3
"""Alternatives within each part of the improvement."""
DIRECTIONS = 12
"""Random directions in which allocations are looked for, each with its opposite."""
ROUNDS = 2
LEAST = 0.005
"""An alternative nearer than this to one that is listed is no alternative (average distance)."""
COLUMNS = ("within", "number", "decision", "variable", "year", "value", "best", "difference", "unit")
RETURNS = ("within", "number", "improvement", "given_up", "distance", "unit")


def alternatives(
    desk: Desk, best: Question, seed: int, progress: Callable[[], None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every value of every alternative beside the best, and what each returns.

    `distance` is the average over decisions and periods, of the distance to the nearest listed before;
    `given_up` is the part of the improvement.
    """
    listed = pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(RETURNS))
    if best.point is None or best.value == 0:
        return listed
    _explore(desk, best, np.random.default_rng([seed, 7]), progress)
    points, returns, rows = [best.point], [], []
    for part in PARTS:
        for number in range(1, WANTED + 1):
            found = _next(desk, points, level_of(best.value, part), progress)
            if found is None:
                break
            point, worth, distance = found
            points.append(point)
            given_up = (best.value - worth) / abs(best.value)
            returns.append((part, number, worth, given_up, distance, desk.view.problem.objective_unit))
            rows += [(part, number, *row) for row in _values(desk, point, best.point)]
    return pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(returns, columns=list(RETURNS))


def _explore(desk: Desk, best: Question, random: np.random.Generator, progress: Callable[[], None]) -> None:
    """Add allocations in random directions to the archive, alike for all periods of a decision."""
    decisions = desk.view.problem.decisions
    own, width = limits_of(desk.view), _width(desk)
    spread = np.concatenate([np.full(path.periods, k) for k, path in enumerate(decisions.paths)])
    drawn = random.standard_normal((DIRECTIONS, len(decisions.paths)))[:, spread]
    drawn = np.pad(drawn, ((0, 0), (0, decisions.size - drawn.shape[1]))) / width
    asked = [
        Question(own, None, sign * row, level_of(best.value, part))
        for part in PARTS
        for row in drawn
        for sign in (-1.0, 1.0)
    ]
    desk.answer(asked, ROUNDS, progress)


def _width(desk: Desk) -> Floats:
    decisions = desk.view.problem.decisions
    return np.maximum(decisions.upper() - decisions.lower(), 1e-9)


def _next(
    desk: Desk, points: list[Floats], level: float, progress: Callable[[], None]
) -> tuple[Floats, float, float] | None:
    """The allowed allocation furthest from those listed: the best known, and a step further from there."""
    found = _furthest(desk, points, level)
    if found is None:
        return None
    place = found[0]
    nearest = min(points, key=lambda p: float(np.abs((place - p) / _width(desk)).sum()))
    direction = np.sign(place - nearest) / _width(desk)
    desk.answer([Question(limits_of(desk.view), None, direction, level)], ROUNDS, progress)
    found = _furthest(desk, points, level)
    return found if found is not None and found[2] >= LEAST else None


def _furthest(desk: Desk, points: list[Floats], level: float) -> tuple[Floats, float, float] | None:
    known, archive = desk.known, desk.archive
    known.read(archive)
    allowed = (known.room(limits_of(desk.view), archive.points) >= TOUCHING) & (known.objective >= level)
    if not allowed.any():
        return None
    away = [np.abs((archive.points - p) / _width(desk)).mean(axis=1) for p in points]
    nearest = np.where(allowed, np.min(away, axis=0), -np.inf)
    chosen = int(np.argmax(nearest))
    return archive.points[chosen], float(known.objective[chosen]), float(nearest[chosen])


def _values(desk: Desk, point: Floats, best: Floats) -> list[tuple[object, ...]]:
    decisions = desk.view.problem.decisions
    return [
        (
            *(path.id, path.name, decisions.years_of(path, period)[0], float(point[k]), float(best[k])),
            *(float(point[k] - best[k]), path.unit),
        )
        for path in decisions.paths
        for period in range(path.periods)
        for k in [path.first_column + period]
    ]
