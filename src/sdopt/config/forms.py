"""Forms of decision: simpler ways to decide than a free path, each compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.document import Complain, Place
from sdopt.config.strict import Strict
from sdopt.errors import did_you_mean

KINDS = ("periods", "shares_of", "follows")
"""The keys of which a form has exactly one."""
FREE, NULL = "free", "null_alternative"
"""Totals that are not named after a constraint: chosen per year too, or those of the null alternative."""


class Form(Strict):
    """A simpler way to decide: one value per period, constant shares of a total, or a rule of feedback."""

    periods: Annotated[int, Field(ge=1)] | Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    """One value per period: its length in years, or the first year of every period, such as [2027, 2031]."""
    shares_of: str | Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """Every decision has a constant share of a yearly total.

    The total: `null_alternative`, the name of a cap on all decisions, one amount per decision year, or `free`
    (chosen per year too).
    """
    follows: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """Decision id -> model variable that it follows: level + response * relative difference; others are free.

    The rule is read at the start of every period of the decision, and its outcome is kept within the bounds.
    """
    relative_to: Literal["null_alternative", "start"] = "null_alternative"
    """What `follows` compares with: the null alternative then, or the start of the first decision year."""

    @property
    def kind(self) -> str:
        """Which of the three it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def detail(self) -> str:
        """What the config says of it, in one line: the periods, the total, or the variables followed."""
        said = getattr(self, self.kind)
        if isinstance(said, dict):
            return "; ".join(dict.fromkeys(said.values()))
        return "; ".join(f"{part:g}" for part in said) if isinstance(said, tuple) else str(said)


@dataclass(frozen=True)
class Given:
    """What forms are checked against: the decision years, and how many a value holds by decision id.

    `negative` are decisions that may fall below zero; `caps` are constraints on the sum of all decisions.
    """

    first: int
    last: int
    periods: Mapping[str, int]
    negative: tuple[str, ...]
    caps: tuple[str, ...]


def check_forms(forms: Mapping[str, Form], given: Given, complain: Complain) -> None:
    """Call `complain(place, message)` for every rule that a form breaks; none of them needs the model."""
    for name, form in forms.items():
        place: Place = ("forms", name)
        if name == FREE:
            complain(place, f'"{FREE}" is what the results call the free path; choose another name')
        if sum(getattr(form, kind) is not None for kind in KINDS) != 1:
            complain(place, f"give exactly one of {', '.join(KINDS)}, for example `periods: 4`")
        if form.periods is not None:
            _check_periods((*place, "periods"), form.periods, given, complain)
        if form.shares_of is not None:
            _check_total((*place, "shares_of"), form.shares_of, given, complain)
        for identity in form.follows or ():
            if identity not in given.periods:
                complain(
                    (*place, "follows", identity),
                    f"there is no such decision.{did_you_mean(identity, given.periods)} "
                    f"Decisions of this config: {', '.join(given.periods)}",
                )
        if form.follows is None and "relative_to" in form.model_fields_set:
            complain((*place, "relative_to"), "only for follows; remove it")


def first_years(periods: int | tuple[int, ...], first: int, last: int) -> tuple[int, ...]:
    """First year of every period between two years, both included."""
    return tuple(range(first, last + 1, periods)) if isinstance(periods, int) else periods


def _check_periods(place: Place, periods: int | tuple[int, ...], given: Given, complain: Complain) -> None:
    starts = first_years(periods, given.first, given.last)
    if starts[0] != given.first or starts[-1] > given.last or list(starts) != sorted(set(starts)):
        complain(
            place,
            f"{list(starts)} must rise from the first decision year ({given.first}) and end at or before the "
            f"last ({given.last}); correct the years, or give a length such as 4",
        )
        return
    for identity, years in given.periods.items():
        cut = [start for start in starts if (start - given.first) % years]
        if cut:
            complain(
                place,
                f"a period begins in {cut[0]}, inside a period of {years} years of decision {identity}; let "
                "it begin with one, or shorten the decision's own period",
            )


def _check_total(place: Place, total: str | tuple[float, ...], given: Given, complain: Complain) -> None:
    count = given.last - given.first + 1
    if isinstance(total, str) and total not in (FREE, NULL, *given.caps):
        complain(
            place,
            f'"{total}" is no cap (at_most) on the sum of all decisions in all decision years.'
            f"{did_you_mean(total, given.caps)} Allowed: {NULL}, {FREE}, the name of such a constraint, or "
            "one amount per decision year",
        )
    elif not isinstance(total, str) and (len(total) != count or min(total) <= 0):
        complain(place, f"{list(total)} must be {count} amounts above 0, one per decision year")
    slow = [identity for identity, years in given.periods.items() if years > 1]
    for identity in dict.fromkeys([*slow, *given.negative]):
        complain(
            place,
            f"decision {identity} needs a period of 1 and no bound below 0 to be a share of a yearly total; "
            "change the decision, or leave this form out",
        )
