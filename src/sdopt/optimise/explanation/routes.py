"""Along which routes through a model a change reaches the return, and how much over each.

Every chain of links from a decision to the return, in whatever order it visits variables, belongs to one
route: what is left of it when its loops are cut out in the order in which they close (loop erasure). So the
routes of a decision add up to its effect. At a fork, what a route carries is split exactly over the next
variables: the response of the last variable, with those before it held still, times what every next one is
worth with all of the route so far held still. Loops through a variable so count with that variable.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from sdopt.equations.influences import Influences

Floats = NDArray[np.float64]
SEEN = 1e-9
"""A branch that carries less than this part of the largest effect is nothing but rounding."""


@dataclass(frozen=True)
class Route:
    """Owners from a decision to the return, what it carries, and the branch that was taken to each."""

    owners: tuple[int, ...]
    value: float
    branches: tuple[float, ...]


@dataclass(frozen=True)
class _Branch:
    """The first part of a route; `change` is what comes into its last variable, not yet its response."""

    owners: tuple[int, ...]
    values: tuple[float, ...]
    change: Floats


class Routes:
    """The links of a model around known runs, searched for what carries most to an aim."""

    def __init__(self, links: Influences, aim: Mapping[str, Floats]) -> None:
        """`aim`: key -> weight of its values in what is aimed at (grid time, run)."""
        self.links = links
        self.aim = np.zeros(len(links.owner))
        for key, weights in aim.items():
            if key in links.places:
                self.aim[links.places[key][1:]] += weights
        self.pairs = links.pairs()

    @cached_property
    def worths(self) -> Floats:
        """What a unit of every value adds to the aim."""
        return self.links.worths(self.aim)

    def put_in(self, change: Mapping[str, Floats]) -> Floats:
        """A change of inputs, key -> (grid time,), as changes of values, alike in all runs."""
        values = np.zeros(len(self.aim))
        for key, path in change.items():
            if key in self.links.places:
                places = self.links.places[key]
                values[places[1:]] += path[:, np.newaxis]
                values[places[0]] += path[0]
        return values

    def value(self, change: Floats) -> float:
        """What a change from outside adds to the aim."""
        return float(self.worths @ change)

    def strongest(self, change: Floats, most: int, least: float, forks: int) -> list[Route]:
        """Routes of a change from outside, that which carries most first; negative ones too.

        Always goes on where a branch carries most. Stops after `most` routes, when no branch carries the
        part `least` of what the first route does, or after so many forks. A branch carries the net sum of
        its routes: large ones that cancel each other out may stay unseen.
        """
        waiting: list[tuple[float, int, _Branch | Route]] = []
        count = self._add(waiting, 0, self._children(_Branch((), (), change), self.worths))
        found: list[Route] = []
        size = abs(waiting[0][0]) if waiting else 0.0
        while waiting and len(found) < most:
            negative, _, item = heapq.heappop(waiting)
            if -negative < least * max((abs(route.value) for route in found), default=0.0):
                break
            if isinstance(item, Route):
                found.append(item)
            elif forks > 0:
                forks -= 1
                parts = (part for part in self._split(item) if abs(_value(part)) > SEEN * size)
                count = self._add(waiting, count, parts)
        return sorted(found, key=lambda route: -abs(route.value))

    def _add(
        self, waiting: list[tuple[float, int, _Branch | Route]], count: int, items: Iterator[_Branch | Route]
    ) -> int:
        for item in items:
            heapq.heappush(waiting, (-abs(_value(item)), count, item))
            count += 1
        return count

    def _split(self, branch: _Branch) -> Iterator[_Branch | Route]:
        """What ends at the last variable of a branch, and what goes on to others."""
        *before, last = branch.owners
        mine = self.links.owner == last
        response = branch.change
        if self._returns(before, last):
            response = np.where(mine, self.links.responses(response, before), 0.0)
        ends = float(self.aim @ response)
        if ends:
            yield Route(branch.owners, ends, branch.values)
        change = self.links.slopes @ response
        change[np.isin(self.links.owner, branch.owners)] = 0.0
        if change.any():
            gone_on = _Branch(branch.owners, branch.values, change)
            yield from self._children(gone_on, self.links.worths(self.aim, branch.owners))

    def _children(self, branch: _Branch, worths: Floats) -> Iterator[_Branch]:
        """The branches over every next variable."""
        links = self.links
        sums = np.bincount(links.owner, weights=worths * branch.change, minlength=len(links.owners))
        for owner in np.flatnonzero(sums):
            into = np.where(links.owner == owner, branch.change, 0.0)
            yield _Branch((*branch.owners, int(owner)), (*branch.values, float(sums[owner])), into)

    def _returns(self, still: list[int], owner: int) -> bool:
        """Whether a change of a variable comes back to it, when some are held still."""
        if self.pairs[owner, owner]:
            return True
        left = self.pairs.copy()
        left[still, :] = left[:, still] = False
        group = connected_components(sparse.csr_array(left), directed=True, connection="strong")[1]
        return int((group == group[owner]).sum()) > 1


def _value(item: _Branch | Route) -> float:
    return item.value if isinstance(item, Route) else item.values[-1]
