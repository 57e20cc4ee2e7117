"""Our own branch and bound: a proved bound on the return with whole numbers.

Best node first (then the oldest). Where tangents at a node's optimum would lower its bound, they are added
first; else the entry furthest from whole is branched on (then the first), the branch where it is 1 first.
Every node's bound is recomputed from multipliers over its box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from sdopt.optimise.whole_numbers.relaxation import Floats, Relaxation

WHOLE = 1e-6
"""An entry this close to 0 or 1 is whole."""
REFINEMENTS = 30
"""Most times that tangents are added at one node."""

Refine = Callable[[Floats, float], bool]
"""Adds tangents at a point (decision,) of a node with this bound; False when they would hardly lower it."""


@dataclass(frozen=True)
class Proof:
    """What was proved: no allowed point with whole entries in the box has a theta above `bound`.

    `point` (decision,) is the optimum of the best node where that is whole and tangents lower it no more:
    as good as the bound, or nearly; else None. `leaning` are the constraints whose cuts the bound leans
    on; `nodes` linear programs were solved.
    """

    bound: float
    point: Floats | None
    leaning: frozenset[int]
    nodes: int


@dataclass(frozen=True)
class _Node:
    """A box with its bound; `branch` is the entry to branch on, None where the optimum is whole."""

    lower: Floats
    upper: Floats
    bound: float
    leaning: frozenset[int]
    point: Floats
    branch: int | None
    refined: int = 0


def prove(
    relaxation: Relaxation,
    lower: Floats,
    upper: Floats,
    target: float,
    most_nodes: int,
    refine: Refine,
    stopped: Callable[[], bool] = lambda: False,
) -> Proof:
    """Branch until the bound is at most `target`, a whole optimum reaches it, or `most_nodes` were solved.

    The bound is the largest of all nodes that were not split: those split are covered by their parts. It
    holds as well when `stopped` ends the search early.
    """
    solved = 1
    heap = [_entry(_solved(relaxation, lower, upper), 0)]
    point = None
    while solved < most_nodes and -heap[0][0] > target and point is None and not stopped():
        _, number, node = heappop(heap)
        parts = _parts(node)
        if node.refined < REFINEMENTS and refine(node.point, node.bound):
            parts = [(node.lower, node.upper)]
        elif not parts:
            point = node.point
            heappush(heap, _entry(node, number))
        refined = node.refined + 1 if len(parts) == 1 else 0
        for low, high in parts:
            heappush(heap, _entry(_solved(relaxation, low, high, node, refined), solved))
            solved += 1
    leaning = frozenset[int]().union(*(node.leaning for _, _, node in heap))
    return Proof(heap[0][2].bound, point, leaning, solved)


def _entry(node: _Node, number: int) -> tuple[float, int, _Node]:
    """The place of a node in the order."""
    return -node.bound, number, node


def _parts(node: _Node) -> list[tuple[Floats, Floats]]:
    """The two parts of a node's box, by the entry it branches on; none where its optimum is whole."""
    parts = []
    for value in (1.0, 0.0) if node.branch is not None else ():
        lower, upper = node.lower.copy(), node.upper.copy()
        lower[node.branch] = upper[node.branch] = value
        parts.append((lower, upper))
    return parts


def _solved(
    relaxation: Relaxation, lower: Floats, upper: Floats, above: _Node | None = None, refined: int = 0
) -> _Node:
    """A node with its own bound, or that of the node above it where that is better."""
    answer = relaxation.solve(lower, upper)
    bound, leaning = (
        relaxation.bound(answer.multipliers, lower, upper),
        relaxation.carriers(answer.multipliers),
    )
    if above is not None and above.bound < bound:
        bound, leaning = above.bound, above.leaning
    return _Node(lower, upper, bound, leaning, answer.point, _furthest(relaxation, answer.point), refined)


def _furthest(relaxation: Relaxation, point: Floats) -> int | None:
    away = np.abs(point[relaxation.whole] - np.round(point[relaxation.whole]))
    return int(relaxation.whole[np.argmax(away)]) if away.max(initial=0.0) > WHOLE else None
