"""Discount factors from a fixed rate or from one of the Dutch presets in `discount_rates.csv`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sdopt.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class RateStep:
    """A real rate per year that holds from `from_year` years after the base year, and its source."""

    from_year: float
    rate: float
    source: str
    note: str


@cache
def discount_presets() -> dict[str, tuple[RateStep, ...]]:
    """The presets by name, each with its steps in order of time; the first starts at 0."""
    text = resources.files(__package__).joinpath("discount_rates.csv").read_text(encoding="utf-8")
    presets: dict[str, tuple[RateStep, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        step = RateStep(float(row["from_year"]), float(row["rate"]), row["source"], row["note"])
        presets[row["preset"]] = (*presets.get(row["preset"], ()), step)
    return presets


def rate_steps(rate: float | str) -> tuple[RateStep, ...]:
    """The steps of a preset, or one step for a rate given as a number.

    Raises
    ------
    ConfigError
        If there is no such preset, or the rate is -100 % or lower.
    """
    if isinstance(rate, str):
        presets = discount_presets()
        if rate not in presets:
            raise ConfigError(
                f'there is no discount preset "{rate}".{did_you_mean(rate, presets)} '
                f"Allowed: {', '.join(presets)}, or a rate such as 0.0225"
            )
        return presets[rate]
    if not rate > -1:
        raise ConfigError(
            f"a discount rate of {rate:g} a year has no present values; 0.0225 is 2.25 % a year"
        )
    return (RateStep(0.0, float(rate), "config", "A fixed rate from the config."),)


def discount_factors(rate: float | str, years: Sequence[float]) -> list[float]:
    """What one euro at each moment is worth in the base year.

    Continuous in time: `(1 + r) ** -t` for fractional `t` too. Where a preset has a lower rate for later
    years, the factor carries on from its value at the change: for `2025` and `t` over 35 years it is
    `1.028 ** -35 * 1.018 ** -(t - 35)`. Before the base year (`t < 0`) the first rate holds.

    Parameters
    ----------
    rate : real rate per year, or the name of a preset
    years : (moment,) years since the base year

    Returns
    -------
    (moment,) factors, 1 at `t = 0`.

    Raises
    ------
    ConfigError
        As `rate_steps`.
    """
    steps = rate_steps(rate)
    return [_factor(steps, year) for year in years]


def _factor(steps: tuple[RateStep, ...], year: float) -> float:
    factor = 1.0
    ends = (*(step.from_year for step in steps[1:]), float("inf"))
    for number, (step, end) in enumerate(zip(steps, ends, strict=True)):
        if number == 0 or year > step.from_year:
            factor *= (1 + step.rate) ** -(min(year, end) - step.from_year)
    return factor
