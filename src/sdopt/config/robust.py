"""One allocation for all scenarios: what is maximised over them, and which limits must hold where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.document import Complain
from sdopt.config.names import same_name
from sdopt.config.strict import Strict

MeasureName = Literal["expected", "cvar", "worst_case", "regret"]

Part = Annotated[str, Field(pattern=r"^\d+(\.\d+)?%$")]
"""A percentage of the scenarios, by probability, such as `5%`."""


EXTERNAL = "external scenario"
"""What is learned when it becomes known which named external scenario holds."""


class DecideAgain(Strict):
    """Decide now, learn something, decide again: what that adds to the best fixed path."""

    year: int
    """First decision year that is decided on after learning."""
    learn: str = Field(min_length=1)
    """An uncertain constant: in which group its value lies; or `external scenario`: which of them holds."""
    groups: int = Field(default=2, ge=2, le=4)
    """Groups of equally many draws that can be told apart; not for external scenarios, which each are one."""
    scenarios: int = Field(default=200, ge=1)
    """Draws of all uncertainties, each in every external scenario."""

    @property
    def of_external(self) -> bool:
        """Whether it is the external scenario that is learned."""
        return same_name(self.learn) == same_name(EXTERNAL)


class Robust(Strict):
    """What `sdopt robust` optimises: one allocation for all scenarios, once per measure."""

    measures: Annotated[tuple[MeasureName, ...], Field(min_length=1)] = ("expected", "cvar")
    """`expected` (mean), `cvar` (mean of the worst scenarios), `worst_case`, `regret` (least largest)."""
    tail: Part = "10%"
    """The share of the worst scenarios of which `cvar` is the mean."""
    limits: Literal["central", "all"] = "central"
    """Where limits on model variables hold: at central values, or in every scenario."""
    probability_limits: dict[str, Part] = Field(default={})
    """Constraint -> share of the scenarios in which it may be broken, in any year; `0%` is in none."""
    scenarios: int = Field(default=1000, ge=1)
    """Draws of all uncertainties, each in every external scenario; by Latin hypercube with `search.seed`."""
    gap: float = Field(default=0.005, gt=0)
    """Stop when bound and best are this close, relative to the improvement."""
    iterations: int = Field(default=100, ge=1)
    """Most rounds of the search per measure."""
    decide_again: DecideAgain | None = None
    """What it is worth to decide again in a later year, having learned something; by default not asked."""


def share(part: str) -> float:
    """A percentage as a number: 0.05 for `5%`."""
    return float(part.removesuffix("%")) / 100


def check_robust(
    robust: Robust | None, years: tuple[int, int] | None, periods: Mapping[str, int], complain: Complain
) -> None:
    """Call `complain(place, message)` for every rule that the section breaks without a look at the model.

    `years` are the first and last decision year, `periods` the years that each decision holds.
    """
    if robust is None:
        return
    if not 0 < share(robust.tail) <= 1:
        complain(("robust", "tail"), f"{robust.tail} must be above 0% and at most 100%; 10% is usual")
    for name in _twice(robust.measures):
        complain(("robust", "measures"), f'"{name}" is listed twice; keep one of the two')
    for name, part in robust.probability_limits.items():
        if share(part) >= 1:
            place = ("robust", "probability_limits", name)
            complain(place, f"{part} must be below 100%: at {part} it limits nothing; leave it out")
    if robust.decide_again is not None:
        _check_again(robust.decide_again, years, periods, complain)


def _check_again(
    again: DecideAgain, years: tuple[int, int] | None, periods: Mapping[str, int], complain: Complain
) -> None:
    place = ("robust", "decide_again")
    if again.of_external and "groups" in again.model_fields_set:
        complain(
            (*place, "groups"),
            f"every external scenario is a group when {EXTERNAL} is learned; remove this",
        )
    if years is None or years[0] > years[1]:
        return
    first, last = years
    if not first < again.year <= last:
        after = f"{first + 1} to {last}" if last > first else f"none: {first} is the only one"
        complain(
            (*place, "year"),
            f"{again.year} is no decision year after the first, so nothing is decided before it or after; "
            f"allowed: {after}",
        )
        return
    starts = {start for period in periods.values() for start in range(first, last + 1, max(period, 1))}
    if periods and max(starts) < again.year:
        complain(
            (*place, "year"),
            f"no decision begins in {again.year} or later, so nothing is left to decide; choose "
            f"{max(starts)} or earlier, or shorten a period",
        )


def _twice(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return [name for name in dict.fromkeys(listed) if listed.count(name) > 1]
