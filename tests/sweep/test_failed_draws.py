"""Runs that failed are no draws: a mean is as sure as the others make it."""

import numpy as np
import pytest

from sdopt.config.thresholds import thresholds
from sdopt.sweep.conclusions import conclude


@pytest.mark.parametrize("failed", [0, 60, 190])
def test_the_mean_is_as_sure_as_the_runs_that_gave_a_number_make_it(failed: int) -> None:
    gains = np.random.default_rng(2).normal(1.0, 2.0, 200)
    gains[:failed] = np.nan
    some = conclude(gains, np.ones(200), 1.0, thresholds(), "en").figures
    alone = conclude(gains[failed:], np.ones(200 - failed), 1.0, thresholds(), "en").figures
    usual = gains[failed:].std(ddof=1) / np.sqrt(200 - failed)
    for figures in (some, alone):
        assert figures["mean"] == pytest.approx(gains[failed:].mean())
        assert figures["mean_high"] - figures["mean"] == pytest.approx(1.959964 * usual, rel=1e-6)


def test_an_external_scenario_that_fails_takes_its_own_draws_with_it() -> None:
    """Half of 100 draws in two futures failed: no more than 100 scenarios are left, of 50 draws' worth."""
    gains = np.where(np.arange(200) % 2 == 0, np.nan, np.random.default_rng(1).normal(size=200))
    found = conclude(gains, np.ones(200), 1.0, thresholds(), "en", draws=100).figures
    spread = gains[1::2].std() / np.sqrt(50 - 1)
    assert found["mean_high"] - found["mean"] == pytest.approx(1.959964 * spread, rel=1e-6)
