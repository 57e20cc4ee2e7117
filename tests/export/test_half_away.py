"""Numbers in sentences are rounded as the cells of a spreadsheet are: a half goes away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdopt.export.labels import LANGUAGES, Labels
from sdopt.sweep.conclusions import number

DIGITS = st.integers(-(10**14), 10**14)
"""What a spreadsheet holds: 15 digits."""


@pytest.mark.parametrize("value", [0.475, 1.005, 2.675, 0.125, -0.475])
def test_a_half_that_no_float_is_goes_away_from_zero(value: float) -> None:
    exact = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Labels("en").number(value, 2) == f"{exact}"
    assert number(value, "en", 2) == f"{exact}"


@given(
    digits=DIGITS, point=st.integers(0, 14), decimals=st.integers(0, 9), language=st.sampled_from(LANGUAGES)
)
def test_every_decimal_number_is_rounded_as_decimal_does(
    digits: int, point: int, decimals: int, language: str
) -> None:
    value = Decimal(digits).scaleb(-point)
    text = Labels(language).number(float(value), decimals, marks=False).replace(",", ".")
    assert Decimal(text) == value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert not text.startswith("-") or Decimal(text) < 0


@given(value=st.floats(allow_nan=False, allow_infinity=False), decimals=st.integers(0, 6))
def test_any_float_is_at_most_half_a_digit_off(value: float, decimals: int) -> None:
    text = Labels("en").number(value, decimals, marks=False)
    digit = Decimal(1).scaleb(-decimals)
    assert abs(Decimal(text) - Decimal(value)) <= digit / 2 + abs(Decimal(value)) / 10**15


def test_what_is_no_number_is_said_as_before() -> None:
    assert [Labels("nl").number(value, 1) for value in (float("nan"), float("inf"))] == ["nan", "inf"]
