"""What is left to gain is in euros only where the objective is money."""

import pytest

from sdopt.optimise.run import _in_euros


@pytest.mark.parametrize(
    ("unit", "amount", "euros"),
    [
        ("million EUR", 0.25, 250_000.0),
        ("Million  eur", 2.0, 2_000_000.0),
        ("EUR", 12.5, 12.5),
        ("QALY", 3.0, None),
        ("thousand EUR", 3.0, None),
    ],
)
def test_gap_in_euros(unit: str, amount: float, euros: float | None) -> None:
    assert _in_euros(amount, unit) == euros
