"""What a config may say about programmes: things that start in some year or never, and choices among them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.strict import Strict


class StartYears(Strict):
    """First and last year in which a programme may start, both included."""

    first: int
    """First year in which it may start."""
    last: int
    """Last year in which it may start."""


class Programme(Strict):
    """Something that starts in one year, or never: a neighbourhood centre, a project, a new service."""

    variable: str
    """Name of the constant with its spending per year, exactly as written in the model; zero today."""
    amount: tuple[float, float]
    """Smallest and largest spending per year while it runs, in the model's own unit; else it is zero."""
    start: StartYears | None = None
    """Years in which it may start; any decision year when absent. Whether it starts at all is chosen too."""
    lasts: int | None = Field(default=None, ge=1)
    """Years that it runs; up to and including the last decision year when absent."""
    after: Literal["null_alternative", "last"] = "null_alternative"
    """After the last decision year: it ends, or goes on as in that year."""
    start_cost: float = Field(default=0.0, ge=0)
    """Paid once, in the year in which it starts."""
    yearly_cost: float = Field(default=0.0, ge=0)
    """Paid in every year in which it runs, whatever its size."""
    cost_variable: str | None = None
    """Name of the constant that gets these costs per year, of all programmes that name it; zero today."""
    runs_variable: str | None = None
    """Name of a constant that is to be 1 while it runs and 0 else, where the model has one; zero today."""
    needs: tuple[str, ...] = ()
    """Other programmes that have to run in the year in which this one starts."""


class Choice(Strict):
    """How many of some programmes: either/or, at most so many, exactly one."""

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    """Programmes that are counted."""
    at_most: int | None = Field(default=None, ge=0)
    """Largest number."""
    at_least: int | None = Field(default=None, ge=0)
    """Smallest number."""
    count: Literal["ever_started", "running", "starting"] = "ever_started"
    """Those that start at all, those that run in each decision year, or those that start in each."""
