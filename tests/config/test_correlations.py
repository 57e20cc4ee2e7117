"""Correlations that can exist are let through, others are refused with the nearest that can."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.config.correlations import check_correlations, normal_matrix
from sdopt.config.uncertainty import Correlation

PAIRS = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("d", "e")]


def complaints(ranks: dict[tuple[str, str], float]) -> list[str]:
    found: list[str] = []
    listed = [Correlation(between=pair, rank=rank) for pair, rank in ranks.items()]
    check_correlations(dict(enumerate(listed)), lambda _, message: found.append(message))
    return found


def nearest(complaint: str) -> list[float]:
    told = re.search(r"in this order: (.*); use those", complaint)
    assert told is not None
    return [float(rank) for rank in told[1].split(", ")]


def possible(ranks: dict[tuple[str, str], float]) -> bool:
    """Whether three numbers or fewer can be correlations together, by the determinant."""
    scores = [2 * np.sin(np.pi / 6 * ranks.get(pair, 0.0)) for pair in PAIRS[:3]]
    return bool(1 + 2 * np.prod(scores) - np.sum(np.square(scores)) >= 0)


@given(st.tuples(*[st.floats(-0.999, 0.999)] * 3))
def test_three_are_judged_by_the_determinant(ranks: tuple[float, float, float]) -> None:
    asked = dict(zip(PAIRS[:3], ranks, strict=True))
    assert bool(complaints(asked)) != possible(asked)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5))
def test_the_nearest_is_let_through_and_no_farther_than_needed(ranks: list[float]) -> None:
    asked = dict(zip(PAIRS, ranks, strict=True))
    for complaint in complaints(asked):
        told = nearest(complaint)
        mended = dict(zip(PAIRS, told, strict=True))
        assert not complaints(mended)
        # no weakening of all alike comes nearer
        weakest = np.linalg.eigvalsh(_matrix(asked))[0]
        alike = _matrix(asked) / (1 - weakest) + np.eye(5) * (1 - 1 / (1 - weakest))
        ours = np.linalg.norm(_matrix(mended) - _matrix(asked))
        assert ours <= np.linalg.norm(alike - _matrix(asked)) + 0.03


def _matrix(ranks: dict[tuple[str, str], float]) -> np.ndarray:
    return normal_matrix(list("abcde"), [Correlation(between=p, rank=r) for p, r in ranks.items()])


def test_the_nearest_is_that_of_higham() -> None:
    """His example, of ones beside the diagonal: 0.7607 there and 0.1573 in the corner."""
    (complaint,) = complaints({("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 0})
    scores = 2 * np.sin(np.pi / 6 * np.array(nearest(complaint)))
    assert scores == pytest.approx([0.7607, 0.7607, 0.1573], abs=0.004)


def test_only_what_hangs_together_is_told() -> None:
    ranks = {("a", "b"): 0.9, ("x", "y"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}
    (complaint,) = complaints(ranks)
    assert complaint.startswith("these cannot hold together: a with b 0.9; b with c 0.9; a with c -0.9.")
    assert not complaints({("a", "b"): 1, ("b", "c"): -1, ("a", "c"): -1, ("x", "y"): 1})
