"""Where to start when tangents mislead: differential evolution over all allowed allocations.

Storn and Price (1997). A population moves by differences between its members; every member keeps to the
linear rules, because a step ends where a rule is met. It needs values only, so jumps do not matter.
"""

from __future__ import annotations

import numpy as np

from sdopt.optimise.archive import Archive, Floats, View
from sdopt.optimise.local_search import merit
from sdopt.optimise.moves import Allowed
from sdopt.optimise.polish import MANY
from sdopt.optimise.sample import Polytope
from sdopt.optimise.stopping import Stop

DRAWN = 1000
"""Random allowed points of which the most promising begin the population."""
FEWEST, MOST = 80, 200
"""Members; four per decision in between."""
GENERATIONS, BORN = 100, 8000
"""Most generations, and most new members in all: with more than some twenty decisions the search is rough.
Where they are `MANY` there are none: it takes seconds, and the best that are drawn led as far."""
SHRUNK, GIVEN_UP = 0.5, 0.3
"""Parts of the new members: shrunk to what is allowed; with half of the decisions given up."""
APART = 0.05
"""Starts differ in some decision by at least this part of the distance between its bounds."""


def evolve(
    view: View, archive: Archive, polytope: Polytope, count: int, random: np.random.Generator, stop: Stop
) -> Floats:
    """Up to `count` promising points (point, decision) that lie apart, the best first."""
    drawn = polytope.draw(DRAWN, random)
    size = int(np.clip(4 * drawn.shape[1], FEWEST, MOST))
    merits = _merits(view, archive, drawn)
    chosen = np.argsort(-merits, kind="stable")[: size // 2]
    # The other half is random: promising points alone may all lie in one basin.
    chosen = np.concatenate([chosen, np.setdiff1d(np.arange(DRAWN), chosen)[: size - size // 2]])
    members, merits = drawn[chosen], merits[chosen]
    allowed, least = Allowed(view.problem), _least(polytope, view)
    for _ in range(min(GENERATIONS, BORN // size) if drawn.shape[1] < MANY else 0):
        if stop.reason() is not None:
            break
        mutants = _mutants(members, merits, least, random)
        # A member with a full budget can hardly move: so others are shrunk towards the least of everything.
        begin = np.where(random.random((size, 1)) < SHRUNK, least, members)
        tried = allowed.towards(begin, mutants)
        new = _merits(view, archive, tried)
        better = new >= merits
        members, merits = np.where(better[:, None], tried, members), np.where(better, new, merits)
    order = np.argsort(-merits, kind="stable")
    return _apart(members[order], allowed.upper - allowed.lower, count)


def _merits(view: View, archive: Archive, points: Floats) -> Floats:
    return merit(view, archive, view.problem.evaluator.values(points).value)


def _mutants(members: Floats, merits: Floats, least: Floats, random: np.random.Generator) -> Floats:
    """For each member another: some of its decisions from a member (or the best) plus a difference.

    In some of them half of the decisions are given up, which makes room for others.
    """
    size, decisions = members.shape
    first, second, third = random.permuted(np.tile(np.arange(size), (3, 1)), axis=1)
    base = np.where(random.random(size) < 0.5, first, int(np.argmax(merits)))
    weight = random.uniform(0.4, 0.9, (size, 1))
    mutants = members[base] + weight * (members[second] - members[third])
    share = np.where(random.random(size) < 0.5, 0.2, 0.9)[:, None]
    taken = random.random((size, decisions)) < share
    taken[np.arange(size), random.integers(decisions, size=size)] = True
    given_up = (random.random((size, 1)) < GIVEN_UP) & (random.random((size, decisions)) < 0.5)
    return np.asarray(np.where(given_up, least, np.where(taken, mutants, members)))


def _least(polytope: Polytope, view: View) -> Floats:
    """The vertex (decision,) with the least of everything, as parts of the distance between bounds."""
    decisions = view.problem.decisions
    width = decisions.upper() - decisions.lower()
    amounts = (polytope.vertices - decisions.lower()) / np.where(width > 0, width, 1.0)
    return np.asarray(polytope.vertices[int(np.argmin(amounts.sum(axis=1)))])


def _apart(ordered: Floats, width: Floats, count: int) -> Floats:
    """The first of the points that lie `APART` from all before them."""
    kept: list[Floats] = []
    reach = APART * np.where(width > 0, width, 1.0)
    for point in ordered:
        if len(kept) < count and all((np.abs(point - other) > reach).any() for other in kept):
            kept.append(point)
    return np.array(kept)
