"""Discount factors against hand calculation and against their definition."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.config.discount import discount_factors, discount_presets, rate_steps
from sdopt.config.schema import Objective
from sdopt.errors import ConfigError

YEARS = st.floats(-50, 200)


def test_presets_by_hand() -> None:
    assert discount_factors("2020", [0, 1, 2, 40]) == pytest.approx(
        [1, 1 / 1.0225, 1 / 1.0225**2, 1 / 1.0225**40]
    )
    assert discount_factors("2025", [0, 0.5, 35]) == pytest.approx([1, 1 / 1.028**0.5, 1 / 1.028**35])
    assert discount_factors("2025", [36, 70]) == pytest.approx(
        [1 / (1.028**35 * 1.018), 1 / (1.028**35 * 1.018**35)]
    )
    assert discount_factors("2025", [-1]) == pytest.approx([1.028])


def test_a_published_figure() -> None:
    # One euro in 10 years at 4 %, as tables of present values print it.
    assert round(discount_factors(0.04, [10])[0], 4) == 0.6756


@given(st.floats(-0.05, 0.2), YEARS, YEARS)
def test_a_fixed_rate_multiplies(rate: float, first: float, second: float) -> None:
    one, other, both = discount_factors(rate, [first, second, first + second])
    assert one * other == pytest.approx(both)


@given(st.sampled_from(["2020", "2025"]), YEARS)
def test_presets_fall_without_a_jump(preset: str, year: float) -> None:
    before, now, after = discount_factors(preset, [year - 1e-6, year, year + 1e-6])
    assert before > now > after > 0
    assert before == pytest.approx(after, rel=1e-6)


def test_every_preset_of_the_schema_exists_with_a_source() -> None:
    rate = Objective.model_fields["discount_rate"].annotation
    assert set(discount_presets()) == {name for option in get_args(rate) for name in get_args(option)}
    for steps in discount_presets().values():
        assert steps[0].from_year == 0
        assert [step.from_year for step in steps] == sorted(step.from_year for step in steps)
        assert all(step.source == "R01" and step.note for step in steps)


def test_unknown_preset_and_impossible_rate() -> None:
    with pytest.raises(ConfigError, match=r'no discount preset "2026"\. Did you mean "2025"'):
        rate_steps("2026")
    for rate in (-1.0, -2.0, float("nan")):
        with pytest.raises(ConfigError, match="has no present values"):
            rate_steps(rate)
