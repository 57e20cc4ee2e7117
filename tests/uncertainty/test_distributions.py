"""Distributions against SciPy's, where it has the same, and against what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sdopt.uncertainty.distributions import (
    Distribution,
    Lognormal,
    Normal,
    Triangular,
    Uniform,
    listed,
)

SHARES = np.linspace(0.001, 0.999, 999)
SCORE = stats.norm.ppf(0.975)


def deviation(low: float, high: float) -> float:
    """Standard deviation of the normal distribution with these 2.5 and 97.5 % points."""
    return (high - low) / (2 * SCORE)


TRUTHS = {
    "uniform": (Uniform(-1, 3), stats.uniform(-1, 4)),
    "triangular": (Triangular(-1, 2, 3), stats.triang(0.75, -1, 4)),
    "triangular with its top at low": (Triangular(0, 0, 3), stats.triang(0, 0, 3)),
    "triangular with its top at high": (Triangular(0, 3, 3), stats.triang(1, 0, 3)),
    "normal": (Normal(1, 3, 5), stats.norm(3, deviation(1, 5))),
    "normal, cut off": (
        Normal(-1, 1, 3, floor=0, ceiling=10),
        stats.truncnorm(-1 / deviation(-1, 3), 9 / deviation(-1, 3), 1, deviation(-1, 3)),
    ),
    "lognormal": (Lognormal(0.5, 1, 2), stats.lognorm(deviation(np.log(0.5), np.log(2)))),
    "lognormal of a model that goes below zero": (
        Lognormal(1, 2, 4, floor=-5),
        stats.lognorm(deviation(0, np.log(4)), scale=2),
    ),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_as_scipy_has_it(name: str) -> None:
    ours, theirs = TRUTHS[name]
    np.testing.assert_allclose(ours.quantile(SHARES), theirs.ppf(SHARES), rtol=1e-9, atol=1e-12)
    values = np.linspace(*theirs.ppf([0.0005, 0.9995]), 301)
    np.testing.assert_allclose(ours.cdf(values), theirs.cdf(values), rtol=1e-9, atol=1e-12)


def test_lognormal_cut_off_is_the_part_of_scipys_that_is_left() -> None:
    ours, theirs = Lognormal(0.5, 1, 2, floor=0.25, ceiling=2.5), TRUTHS["lognormal"][1]
    first, last = theirs.cdf([0.25, 2.5])
    np.testing.assert_allclose(ours.quantile(SHARES), theirs.ppf(first + SHARES * (last - first)), rtol=1e-9)
    np.testing.assert_allclose(ours.cdf(np.array([0.1, 0.25, 2.5, 3.0])), [0, 0, 1, 1], atol=1e-12)


@pytest.mark.parametrize("kind", [Normal, Lognormal])
def test_low_middle_and_high_are_where_they_are_said_to_be(kind: type[Normal] | type[Lognormal]) -> None:
    """Also when the value used is not half-way, as in most ranges that people give."""
    lopsided = kind(1, 1.5, 7)
    np.testing.assert_allclose(lopsided.quantile(np.array([0.025, 0.5, 0.975])), [1, 1.5, 7], rtol=1e-12)
    np.testing.assert_allclose(lopsided.cdf(np.array([1, 1.5, 7])), [0.025, 0.5, 0.975], rtol=1e-12)


def test_a_cut_off_distribution_stays_inside() -> None:
    drawn = Normal(0.01, 0.05, 0.2, floor=0, ceiling=1).quantile(np.array([2.0**-40, 0.5, 1 - 2.0**-40]))
    assert 0 <= drawn[0] < drawn[1] < drawn[2] <= 1
    assert Lognormal(1, 2, 3).quantile(np.array([2.0**-40]))[0] > 0


def test_observations_are_numpys_inverted_distribution() -> None:
    values = np.random.default_rng(4).normal(size=37).round(1)  # with ties
    ours = listed(tuple(values))
    np.testing.assert_array_equal(ours.quantile(SHARES), np.quantile(values, SHARES, method="inverted_cdf"))
    at = np.linspace(-3, 3, 61)
    np.testing.assert_allclose(ours.cdf(at), [(values <= x).mean() for x in at], rtol=1e-12)


def test_values_come_as_often_as_their_weights_say() -> None:
    ours = listed([3, 1, 2], [1, 2, 5])
    drawn = ours.quantile((np.arange(8000) + 0.5) / 8000)
    assert [int((drawn == value).sum()) for value in (1, 2, 3)] == [2000, 5000, 1000]
    np.testing.assert_allclose(ours.cdf(np.array([0.5, 1, 2.5, 3])), [0, 0.25, 0.875, 1])


points = st.tuples(*[st.floats(0.01, 100)] * 3).map(sorted).filter(lambda p: p[1] > 1.01 * p[0])
wide = points.filter(lambda p: p[2] > 1.01 * p[1])


def kinds(low: float, middle: float, high: float) -> list[Distribution]:
    return [
        Uniform(low, high),
        Triangular(low, middle, high),
        Normal(low, middle, high, 0.8 * low, 1.2 * high),
        Lognormal(low, middle, high, 0.8 * low, 1.2 * high),
    ]


@given(wide, st.lists(st.floats(0.0001, 0.9999), min_size=1, max_size=20))
def test_share_and_value_are_each_others_inverse(found: list[float], shares: list[float]) -> None:
    asked = np.sort(np.array(shares))
    for one in kinds(*found):
        values = one.quantile(asked)
        np.testing.assert_allclose(one.cdf(values), asked, rtol=1e-6, atol=1e-8)
        assert (np.diff(values) >= 0).all()
        assert (values >= 0.8 * found[0]).all()
        assert (values <= 1.2 * found[2]).all()
