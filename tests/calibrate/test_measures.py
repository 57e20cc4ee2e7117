"""MAPE and Theil's statistics against values worked out by hand, and their identities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.calibrate.measures import FEWEST_POINTS, measures

SERIES = st.lists(
    st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=FEWEST_POINTS, max_size=30
).filter(lambda pairs: any(abs(a - b) > 1e-3 * b for a, b in pairs))


def test_by_hand() -> None:
    """Errors 2, -2, 2, -2, 5: squares 4, 4, 4, 4, 25; their mean is 8.2 and the mean error is 1."""
    observed = np.array([10.0, 20.0, 40.0, 50.0, 100.0])
    simulated = observed + np.array([2, -2, 2, -2, 5])
    found = measures(simulated, observed)
    assert found is not None
    assert found.points == 5
    assert found.mape == pytest.approx((0.2 + 0.1 + 0.05 + 0.04 + 0.05) / 5)
    squares = (np.sqrt((144 + 324 + 1764 + 2304 + 11025) / 5), np.sqrt((100 + 400 + 1600 + 2500 + 10000) / 5))
    assert found.theil_u == pytest.approx(np.sqrt(8.2) / sum(squares))
    assert found.bias == pytest.approx(1 / 8.2)
    # Variances by hand: observed mean 44, squared distances 1156, 576, 16, 36, 3136; simulated mean 45.
    spread = np.sqrt((33**2 + 27**2 + 3**2 + 3**2 + 60**2) / 5) - np.sqrt((1156 + 576 + 16 + 36 + 3136) / 5)
    assert found.variance == pytest.approx(spread**2 / 8.2)
    assert found.covariance == pytest.approx(1 - 1 / 8.2 - spread**2 / 8.2)


def test_a_constant_shift_is_all_bias() -> None:
    observed = np.arange(1.0, 7.0)
    found = measures(observed + 3, observed)
    assert found is not None
    assert (found.bias, found.variance, found.covariance) == pytest.approx((1, 0, 0), abs=1e-12)


def test_another_amplitude_around_one_mean_is_all_variance() -> None:
    wave = np.sin(np.arange(12) * np.pi / 6)
    found = measures(10 + 2 * wave, 10 + wave)
    assert found is not None
    assert (found.bias, found.variance, found.covariance) == pytest.approx((0, 1, 0), abs=1e-12)


def test_another_phase_is_all_covariance() -> None:
    angle = np.arange(12) * np.pi / 6
    found = measures(10 + np.cos(angle), 10 + np.sin(angle))
    assert found is not None
    assert (found.bias, found.variance, found.covariance) == pytest.approx((0, 0, 1), abs=1e-12)


@given(SERIES)
def test_the_parts_sum_to_one_and_u_is_a_share(pairs: list[tuple[float, float]]) -> None:
    simulated, observed = np.array(pairs).T
    found = measures(simulated, observed)
    assert found is not None
    assert found.bias + found.variance + found.covariance == pytest.approx(1, abs=1e-6)
    assert min(found.bias, found.variance) >= 0
    assert found.covariance >= -1e-6
    assert 0 < found.theil_u <= 1 + 1e-12
    assert found.mape > 0


def test_no_error_has_no_parts() -> None:
    found = measures(np.ones(5), np.ones(5))
    assert found is not None
    assert (found.mape, found.theil_u) == (0, 0)
    assert np.isnan([found.bias, found.variance, found.covariance]).all()


def test_below_five_points_there_are_no_measures() -> None:
    assert measures(np.ones(4), np.full(4, 2.0)) is None


def test_an_observed_zero_has_no_mape() -> None:
    found = measures(np.ones(5), np.array([0.0, 1, 1, 1, 1]))
    assert found is not None
    assert np.isnan(found.mape)
    assert found.theil_u > 0
