"""The smallest set of limits that cannot all hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sdopt.optimise.infeasible.oracle import Oracle
from sdopt.optimise.infeasible.relax import least_relaxation

CORRECTIONS = 40
"""Most rounds of the search for a smaller set."""
NODES = 5_000
"""Most places where that search may look in one round."""


@dataclass(frozen=True)
class Clash:
    """Limits (positions) that contradict each other.

    irreducible : without any one of them, the others were met by a decision vector
    smallest : no set with fewer limits clashes
    """

    members: tuple[int, ...]
    irreducible: bool
    smallest: bool


def find_clash(oracle: Oracle, doubtful: Collection[int] = ()) -> Clash | None:
    """A smallest set of limits that clash; of linear limits alone where those clash already.

    Limits on the model that rest on `doubtful` model constraints are left out. None when no contradiction
    is found that is more than rounding.
    """
    first = first_contradiction(oracle, doubtful)
    return None if first is None else _smallest(oracle, _filtered(oracle, first[0]), first[1])


def first_contradiction(
    oracle: Oracle, doubtful: Collection[int] = ()
) -> tuple[frozenset[int], Sequence[int]] | None:
    """Limits that contradict each other, not yet few, and those among which they were sought; None: none."""
    linear = [k for k, limit in enumerate(oracle.limits) if limit.linear]
    certain = [k for k, limit in enumerate(oracle.limits) if not {*limit.constraints} & {*doubtful}]
    for universe in (linear, certain):
        found = oracle.ask(universe).refuted
        if found is not None:
            return found, universe
    return None


def _filtered(oracle: Oracle, found: Iterable[int]) -> Clash:
    """Leave out limits one by one while the others still clash."""
    members, irreducible = sorted(found), True
    for candidate in tuple(members):
        if candidate not in members:
            continue
        answer = oracle.ask([k for k in members if k != candidate])
        if answer.refuted is not None:
            members = sorted(answer.refuted)
        irreducible &= answer.refuted is not None or answer.point is not None
    return Clash(tuple(members), irreducible, False)


def _smallest(oracle: Oracle, clash: Clash, universe: Sequence[int]) -> Clash:
    """Implicit hitting sets: every set that clashes holds one of the limits that some point breaks.

    (Ignatiev et al. 2015, Smallest MUS extraction with minimal hitting set dualization.) A smallest set
    that holds one of each such group has no more limits than any set that clashes.
    """
    without = [frozenset(clash.members) - {member} for member in clash.members]
    corrections = [found for held in without if (found := _correction(oracle, held, universe))]
    for _ in range(CORRECTIONS):
        hitting = smallest_hitting_set(corrections, len(clash.members))
        if hitting is None:
            return clash
        if len(hitting) == len(clash.members):
            return Clash(clash.members, clash.irreducible, True)
        if oracle.ask(hitting).refuted is not None:
            return Clash(tuple(sorted(hitting)), True, True)
        broken = _correction(oracle, hitting, universe)
        if broken is None:
            return clash
        corrections.append(broken)
    return clash


def _correction(oracle: Oracle, held: frozenset[int], universe: Sequence[int]) -> frozenset[int] | None:
    """Limits that a decision vector breaks which meets all of `held`; few, as their sum is least."""
    others = [k for k in universe if k not in held]
    relaxation = least_relaxation(oracle, [[k] for k in others], held)
    if relaxation is None:
        return None
    broken = {others[k] for k in np.flatnonzero(relaxation.amounts > 0)}
    for member in sorted(broken):  # the fewer a point breaks, the more that says
        if member in broken:
            broken = _fewer(oracle, broken, member, universe)
    return frozenset(broken) or None


def _fewer(oracle: Oracle, broken: set[int], member: int, universe: Sequence[int]) -> set[int]:
    """What a decision vector breaks that meets `member` as well, if there is one; else `broken`."""
    point = oracle.ask([k for k in universe if k == member or k not in broken]).point
    still = None if point is None else oracle.broken(point)
    return broken if still is None else broken.intersection(still)


def smallest_hitting_set(groups: Sequence[frozenset[int]], most: int) -> frozenset[int] | None:
    """A smallest set that holds a member of every group, of at most `most`; None when it takes too long."""
    nodes = 0

    def extend(chosen: frozenset[int], left: int) -> frozenset[int] | None:
        nonlocal nodes
        nodes += 1
        missed = sorted((g for g in groups if not g & chosen), key=lambda g: (len(g), sorted(g)))
        if not missed:
            return chosen
        if _apart(missed) > left or nodes > NODES:
            return None
        for member in sorted(missed[0]):
            found = extend(chosen | {member}, left - 1)
            if found is not None:
                return found
        return None

    for size in range(most + 1):
        found = extend(frozenset(), size)
        if found is not None or nodes > NODES:
            return found
    return None


def _apart(groups: Sequence[frozenset[int]]) -> int:
    """How many groups share no member, taken in order: each needs a member of its own."""
    seen: frozenset[int] = frozenset()
    count = 0
    for group in groups:
        if not group & seen:
            seen, count = seen | group, count + 1
    return count
