"""One allocation for all scenarios: what is maximised over them, and which limits must hold where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.document import Complain
from sdopt.config.strict import Strict

MeasureName = Literal["expected", "cvar", "worst_case", "regret"]

Part = Annotated[str, Field(pattern=r"^\d+(\.\d+)?%$")]
"""A percentage of the scenarios, by probability, such as `5%`."""


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


def share(part: str) -> float:
    """A percentage as a number: 0.05 for `5%`."""
    return float(part.removesuffix("%")) / 100


def check_robust(robust: Robust | None, complain: Complain) -> None:
    """Call `complain(place, message)` for every rule that the section breaks without a look at the model."""
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


def _twice(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return [name for name in dict.fromkeys(listed) if listed.count(name) > 1]
