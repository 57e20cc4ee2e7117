"""Steps over kinks and jumps, from values alone: one decision, one year, or money from one to another.

Where an IF THEN ELSE switches, no derivative shows what lies beyond. So many lengths of many directions
are tried in one batch; those that gain are also tried together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.archive import Floats, View
from sdopt.optimise.moves import Allowed
from sdopt.optimise.sample import columns_of
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem

FEWEST, HALVINGS = 4, 20
"""Lengths that are tried: the longest allowed, and up to so many times half of it."""
TRIED = 4000
"""Most points in a round; many moves get fewer lengths, but never fewer than `FEWEST`."""
SWAPS = 100
"""Most pairs of decisions in one year between which money moves; a fixed sample of more."""
ROUNDS = 60
"""Most rounds."""


def pattern_steps(view: View, point: Floats, least: float, stop: Stop) -> Floats:
    """The point (decision,) after all steps that gain at least `least`; allowed if it was.

    After a round of all directions only those that gained are tried, until they do no more.
    """
    allowed, everything = Allowed(view.problem), _all_moves(view.problem)
    best = _merits(view, point[None])[0]
    moves = everything
    for _ in range(ROUNDS):
        tried, gained = _round(view, allowed, point, moves, best)
        merits = _merits(view, tried)
        winner = int(np.argmax(merits)) if len(tried) else 0
        if len(tried) and merits[winner] > best + least:
            point, best, moves = tried[winner], merits[winner], moves.only(gained)
        elif len(moves.ways) < len(everything.ways):
            moves = everything
        else:
            break
        if stop.reason() is not None:
            break
    return point


@dataclass(frozen=True)
class _Moves:
    """First as far as can be along `before` (move, decision), which may be nothing; then along `ways`."""

    before: Floats
    ways: Floats

    def only(self, chosen: NDArray[np.bool_]) -> _Moves:
        return _Moves(self.before[chosen], self.ways[chosen])


def _round(
    view: View, allowed: Allowed, point: Floats, every: _Moves, best: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Points worth comparing (point, decision), and which moves gain (move,)."""
    here = np.broadcast_to(point, every.ways.shape)
    here = here + allowed.longest(here, every.before)[:, None] * every.before
    longest = allowed.longest(here, every.ways)[:, None] * every.ways
    lengths = 0.5 ** np.arange(np.clip(TRIED // len(here), FEWEST, HALVINGS))
    tried = here + lengths[:, None, None] * longest
    merits = _merits(view, tried.reshape(-1, len(point))).reshape(tried.shape[:2])
    best_length = merits.argmax(axis=0)
    gains = merits[best_length, np.arange(len(here))] - best
    order = np.argsort(-gains, kind="stable")[: int((gains > 0).sum())]
    moves = tried[best_length[order], order] - point
    together = point + np.cumsum(moves, axis=0)
    reached = allowed.towards(np.broadcast_to(point, together.shape), together)
    return np.vstack([point + moves, reached]), gains > 0


def _merits(view: View, points: Floats) -> Floats:
    """Improvement, (point,); less than any other where a constraint is broken, by how much it is."""
    values = view.problem.evaluator.values(points).value if len(points) else np.zeros((0, 0))
    if not len(points):
        return np.zeros(0)
    broken = np.minimum(view.slacks(values), 0.0).sum(axis=1)
    return np.where(broken < 0, -1e30 * (1 - broken), view.objective(values))


def _all_moves(problem: Problem) -> _Moves:
    """Up and down: every decision in all its years, every entry; from one to another in a year, equal
    amounts; and one given up for as much of another as then fits.
    """
    decisions = problem.decisions
    width = decisions.upper() - decisions.lower()
    single = np.eye(decisions.size) * width
    both = np.vstack([*(columns_of(path, decisions.size) * width for path in decisions.paths), single])
    labels = decisions.labels()
    pairs = [(i, j) for i, j in permutations(range(len(labels)), 2) if labels[i][1] == labels[j][1]]
    chosen = np.array(pairs[:: max(len(pairs) // SWAPS, 1)], dtype=int).reshape(-1, 2)
    to, off = single[chosen[:, 0]], -single[chosen[:, 1]]
    equal = to * width[chosen[:, 1], None] + off * width[chosen[:, 0], None]
    nothing = np.zeros_like(both)
    ways = np.vstack([both, -both, equal, to])
    before = np.vstack([nothing, nothing, np.zeros_like(equal), off])
    return _Moves(before, ways).only(np.abs(ways).max(axis=1) > 0)
