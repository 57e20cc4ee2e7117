"""Routes against every walk through small networks, written out and stripped of its loops one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sdopt.equations.influences import Influences
from sdopt.optimise.explanation.routes import Routes

OWNERS, MOMENTS = 5, 4


def _network(random: np.random.Generator, *, positive: bool) -> Routes:
    """Values of five owners at four moments, of which each may follow from any before it."""
    owner = np.tile(np.arange(OWNERS), MOMENTS)
    size = len(owner)
    slopes = np.tril(random.uniform(0.1 if positive else -1, 1, (size, size)), -1)
    slopes *= random.random((size, size)) < 0.25
    slopes[owner == 0] = 0.0  # the decision follows from nothing
    places = {str(k): np.flatnonzero(owner == k)[:, np.newaxis] for k in range(OWNERS)}
    members = tuple((str(k),) for k in range(OWNERS))
    links = Influences(tuple(places), members, owner, places, sparse.csr_array(slopes))
    return Routes(links, {"4": np.ones((MOMENTS - 1, 1)), "3": np.full((MOMENTS - 1, 1), 0.5)})


def _walks(slopes: np.ndarray, start: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every chain of values from one, with the product of its slopes."""
    waiting = [((start,), 1.0)]
    while waiting:
        walk, product = waiting.pop()
        yield walk, product
        waiting += [
            ((*walk, int(k)), product * slopes[k, walk[-1]]) for k in np.flatnonzero(slopes[:, walk[-1]])
        ]


def _without_loops(walk: list[int]) -> tuple[int, ...]:
    path: list[int] = []
    for owner in walk:
        path = path[: path.index(owner)] if owner in path else path
        path.append(owner)
    return tuple(path)


def _by_hand(routes: Routes, change: np.ndarray) -> dict[tuple[int, ...], float]:
    slopes, owner = routes.links.slopes.toarray(), routes.links.owner
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for start in np.flatnonzero(change):
        for walk, product in _walks(slopes, int(start)):
            ends = change[start] * product * routes.aim[walk[-1]]
            if ends:
                found[_without_loops([int(owner[k]) for k in walk])] += ends
    return {path: value for path, value in found.items() if abs(value) > 1e-12}


def _change(routes: Routes) -> np.ndarray:
    change = np.zeros(len(routes.links.owner))
    change[routes.links.places["0"][:2, 0]] = [1.0, -0.5]
    return change


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.booleans())
def test_all_routes_are_all_walks_without_their_loops(seed: int, positive: bool) -> None:
    routes = _network(np.random.default_rng(seed), positive=positive)
    change = _change(routes)
    found = routes.strongest(change, 10**6, 0.0, 10**6)
    expected = _by_hand(routes, change)
    size = max(map(abs, expected.values()), default=1.0)
    assert {route.owners: route.value for route in found if abs(route.value) > 1e-9 * size} == pytest.approx(
        {path: value for path, value in expected.items() if abs(value) > 1e-9 * size}, rel=1e-6
    )
    assert sum(route.value for route in found) == pytest.approx(routes.value(change), abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_a_branch_carries_what_all_routes_that_begin_so_carry(seed: int) -> None:
    routes = _network(np.random.default_rng(seed), positive=True)
    change = _change(routes)
    found = routes.strongest(change, 10**6, 0.0, 10**6)
    for route in found:
        for step, branch in enumerate(route.branches, start=1):
            alike = [other.value for other in found if other.owners[:step] == route.owners[:step]]
            assert sum(alike) == pytest.approx(branch, rel=1e-6, abs=1e-9)


def test_no_more_routes_than_asked_for_and_none_that_is_small() -> None:
    routes = _network(np.random.default_rng(4), positive=True)
    change = _change(routes)
    every = routes.strongest(change, 10**6, 0.0, 10**6)
    assert len(every) > 4
    assert routes.strongest(change, 2, 0.0, 10**6) == every[:2]
    large = routes.strongest(change, 10**6, 0.3, 10**6)
    assert large == [route for route in every[: len(large)] if abs(route.value) >= 0.3 * abs(every[0].value)]
    assert routes.strongest(change, 10**6, 0.0, 0) == []
