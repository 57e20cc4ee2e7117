"""What is not known well: uncertain constants, what goes together, and named external scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.constants import Constant
from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.strict import Strict

FROM_TABLE = "from_table"
RANGE = ("low", "high")
NEEDED: dict[str, tuple[str, ...]] = {"fixed": (), "discrete": ("values",), "data": ("file",)}
"""Keys that a distribution cannot do without; the others need `RANGE`."""
ALLOWED: dict[str, tuple[str, ...]] = {"discrete": ("values", "weights"), "data": ("file", "column")}
"""Keys that a distribution may have; the others may have `RANGE`."""
FEWEST = 2
"""Least number of `values`."""
YEARS_AROUND = 50
"""A year of a path is at most this many years from the horizon."""

Value = float | Annotated[dict[str, float], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0)]


class Uncertainty(Strict):
    """One constant that is not known well. Listed in the assumptions; drawn by `sdopt sweep`."""

    constant: str
    """Name of the constant as written in the model."""
    low: float | None = None
    """Lowest value that is thinkable, in the model's unit; of normal and lognormal the 2.5 % point."""
    high: float | None = None
    """Highest value that is thinkable, in the model's unit; of normal and lognormal the 97.5 % point."""
    distribution: Literal["fixed", "uniform", "triangular", "normal", "lognormal", "discrete", "data"] = (
        "triangular"
    )
    """How likely the values between are.

    Triangular has its top at the value used; of normal and lognormal that is the middle (half of the draws
    on either side), and they are cut off at the range that the model states. `discrete`: one of `values`.
    `data`: one of the observations in `file`.
    """
    values: tuple[float, ...] | None = None
    """The values of `discrete`."""
    weights: tuple[Weight, ...] | None = None
    """How likely each of `values` is, relative to the others; equally when absent."""
    file: Path | None = None
    """Observations (.csv or .xlsx) of `data`, one a row, relative to this config file."""
    column: str | None = None
    """Column of `file`; may be absent when there is one only."""


class Correlation(Strict):
    """Two uncertain constants that are high or low together."""

    between: tuple[str, str]
    """Names of the two constants as written in the model."""
    rank: float
    """Rank correlation (Spearman), from -1 to 1; below zero, one is low where the other is high."""


class ExternalScenario(Strict):
    """A future that nobody here chooses, such as a weak economy: constants that have another value in it."""

    constants: dict[str, Value] = Field(default_factory=dict)
    """Constant of the model -> value, or a path {year: value}: straight between years, level outside them."""
    weight: float = Field(default=1.0, gt=0)
    """How likely it is, relative to the others."""


def asked(
    uncertainties: str | Iterable[str | Uncertainty], constants: Iterable[Constant]
) -> dict[str, Uncertainty]:
    """Everything that is to be drawn, by `same_name`: rows of the table if asked for, and what is listed.

    What is listed replaces the row of the same name. A range without width, and `fixed`, are not drawn.
    """
    listed = [uncertainties] if isinstance(uncertainties, str) else list(uncertainties)
    found: dict[str, Uncertainty] = {}
    if FROM_TABLE in listed:
        found = {same_name(row.name): _of_row(row) for row in constants if row.uncertain}
    found |= {same_name(one.constant): one for one in listed if isinstance(one, Uncertainty)}
    return {name: one for name, one in found.items() if one.distribution != "fixed" and not _no_width(one)}


def with_paths(
    uncertainties: str | tuple[str | Uncertainty, ...], absolute: Callable[[Path], Path]
) -> str | tuple[str | Uncertainty, ...]:
    """The same with the path of every file of observations as `absolute` makes it."""
    if isinstance(uncertainties, str):
        return uncertainties
    return tuple(
        one
        if isinstance(one, str) or one.file is None
        else one.model_copy(update={"file": absolute(one.file)})
        for one in uncertainties
    )


def observation_files(uncertainties: str | Iterable[str | Uncertainty]) -> tuple[Path, ...]:
    """Every file of observations, once."""
    files = (one.file for one in uncertainties if isinstance(one, Uncertainty))
    return tuple(dict.fromkeys(file for file in files if file is not None))


def data_files(uncertainties: Mapping[int, Uncertainty]) -> dict[Place, Path | None]:
    """The files of observations, by place."""
    return {("uncertainties", number, "file"): one.file for number, one in uncertainties.items() if one.file}


def check_uncertainties(uncertainties: Mapping[int, Uncertainty], complain: Complain) -> None:
    """Call `complain(place, message)` for every rule that needs no model."""
    seen: set[str] = set()
    for number, one in uncertainties.items():
        place: Place = ("uncertainties", number)
        _check_keys(place, one, complain)
        _check_range(place, one, complain)
        _check_values(place, one, complain)
        if (name := same_name(one.constant)) in seen:
            complain(place, f'"{one.constant}" is listed already; keep one of the two')
        seen.add(name)


def check_external(
    scenarios: Mapping[str, ExternalScenario], horizon: tuple[float, float] | None, complain: Complain
) -> None:
    """Call `complain(place, message)` for every rule that needs no model; `horizon` is its start and end."""
    for title, scenario in scenarios.items():
        first: dict[str, str] = {}
        for name, value in scenario.constants.items():
            place: Place = ("external_scenarios", title, "constants", name)
            if (earlier := first.setdefault(same_name(name), name)) != name:
                complain(place, f'"{earlier}" is the same constant; keep one of the two')
            if isinstance(value, dict):
                _check_years(place, value, horizon, complain)


def _of_row(row: Constant) -> Uncertainty:
    return Uncertainty.model_construct(
        constant=row.name, low=row.low, high=row.high, distribution=row.distribution
    )


def _no_width(one: Uncertainty) -> bool:
    return one.low is not None and one.low == one.high


def _check_keys(place: Place, one: Uncertainty, complain: Complain) -> None:
    """Every distribution has the keys that it needs and no others."""
    form = one.distribution
    needed, allowed = NEEDED.get(form, RANGE), ALLOWED.get(form, RANGE)
    for key in needed:
        if getattr(one, key) is None:
            complain((*place, key), f"missing; add it. The distribution {form} needs {' and '.join(needed)}")
    for key in ("low", "high", "values", "weights", "file", "column"):
        if getattr(one, key) is not None and key not in allowed:
            complain(
                (*place, key),
                f"not for the distribution {form}, which has {' and '.join(allowed)}; remove it, or choose "
                "another distribution",
            )


def _check_range(place: Place, one: Uncertainty, complain: Complain) -> None:
    if one.low is None or one.high is None:
        return
    if one.low > one.high:
        complain(place, f"low {one.low:g} is above high {one.high:g}; swap them")
    elif one.low <= 0 and one.distribution == "lognormal":
        complain(place, f"lognormal has positive values only, low is {one.low:g}; raise it or choose another")


def _check_values(place: Place, one: Uncertainty, complain: Complain) -> None:
    values, weights = one.values or (), one.weights
    twice = [value for number, value in enumerate(values) if value in values[:number]]
    if one.values is not None and len(values) < FEWEST:
        complain((*place, "values"), f"{len(values)} of them; give at least {FEWEST}, or make it fixed")
    if twice:
        complain((*place, "values"), f"{twice[0]:g} is given twice; keep one, with the sum of the weights")
    if weights is not None and one.values is not None and len(weights) != len(values):
        complain(
            (*place, "weights"),
            f"{len(weights)} weights for {len(values)} values; give one for each, or leave them out",
        )


def _check_years(
    place: Place, path: Mapping[str, float], horizon: tuple[float, float] | None, complain: Complain
) -> None:
    first: dict[float, str] = {}
    for year in path:
        time = year_of(year)
        if time is None:
            complain((*place, year), f'"{year}" is not a year; write one such as 2030: value')
        elif horizon and not horizon[0] - YEARS_AROUND <= time <= horizon[1] + YEARS_AROUND:
            complain(
                (*place, year),
                f"more than {YEARS_AROUND} years outside the horizon, {horizon[0]:g} to {horizon[1]:g}; "
                "correct the year",
            )
        elif first.setdefault(time, year) != year:
            complain((*place, year), f"the same year as {first[time]}; keep one of the two")


def year_of(written: str) -> float | None:
    """The time that the key of a path means (2030, or 2030.5 for half-way), or None."""
    plain = written.replace(".", "", 1)
    return float(written) if plain.isascii() and plain.isdigit() else None
