"""What `sdopt sweep` runs: scenarios, outputs and the allocations that are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sdopt.config.document import Complain, Place
from sdopt.config.names import same_name
from sdopt.config.sheets.source import is_table, names_table
from sdopt.config.strict import Strict
from sdopt.config.text_file import is_file, similar_file
from sdopt.config.thresholds import check_thresholds

NULL, ADVICE = "null", "advice"
"""Allocations that every sweep compares."""
RE_OPTIMISED = "re-optimised"
"""The best allocation of every scenario by itself, as if all were known beforehand."""
GIVEN = "a table (.csv or .xlsx: decision, year, value)"
"""What an allocation may be given as."""

Design = Literal["latin hypercube", "sobol", "morris", "saltelli", "grid"]


class ReOptimise(Strict):
    """How the best allocation of every scenario by itself is looked for; each takes seconds."""

    scenarios: int = Field(default=50, ge=1)
    """Only the first so many are optimised; of a grid, `morris` or `saltelli` these are no fair sample."""
    gap: float = Field(default=0.001, gt=0)
    """Stop when bound and best are this close, relative to the improvement in that scenario."""


class Sweep(Strict):
    """Settings of `sdopt sweep`."""

    design: Design = "latin hypercube"
    """How the uncertainties are drawn."""
    scenarios: int = Field(default=1000, ge=1)
    """Draws of all uncertainties, each in every external scenario; base points of `morris`, `saltelli`."""
    levels: int = Field(default=4, ge=2)
    """Values per uncertainty, for `grid` and `morris`."""
    outputs: tuple[str, ...] = ()
    """Model variables kept at the start of every year; those of `output.show`, or all stocks, when absent."""
    allocations: dict[str, Annotated[str, Field(min_length=1)]] = Field(default={})
    """Name in plain words -> allocation to compare with the null alternative and the advice.

    A table (.csv or .xlsx: decision, year, value), or `re-optimised` for the best of every scenario by
    itself. Under the name `advice`: a table or an earlier results folder to take the advice from, instead of
    optimising.
    """
    re_optimise: ReOptimise = ReOptimise()
    """How a re-optimised allocation is made."""
    thresholds: dict[str, float] = Field(default={})
    """Numbers on which the words of the conclusions turn, by name (`clearly`), instead of the usual."""

    def with_paths(self, absolute: Callable[[Path], Path]) -> Sweep:
        """The same with every path as `absolute` makes it."""
        made = {
            name: said if said == RE_OPTIMISED else str(absolute(Path(said)))
            for name, said in self.allocations.items()
        }
        return self.model_copy(update={"allocations": made})

    @property
    def names(self) -> tuple[str, ...]:
        """Allocations in the order of the results: null alternative, advice, and those of the config."""
        return (NULL, ADVICE, *(name for name in self.allocations if name != ADVICE))


def check_sweep(sweep: Sweep, folder: Path, complain: Complain) -> None:
    """Call `complain(place, message)` for every rule that a sweep breaks; none of them needs the model."""
    place: Place = ("sweep",)
    if "levels" in sweep.model_fields_set and sweep.design not in ("grid", "morris"):
        complain((*place, "levels"), f"only for grid and morris; a {sweep.design} does without. Remove it")
    if "re_optimise" in sweep.model_fields_set and RE_OPTIMISED not in sweep.allocations.values():
        complain(
            (*place, "re_optimise"),
            f"no allocation under sweep.allocations is {RE_OPTIMISED}; add one, such as "
            f"`hindsight: {RE_OPTIMISED}`, or remove this",
        )
    seen: set[str] = set()
    for number, name in enumerate(sweep.outputs):
        if same_name(name) in seen:
            complain((*place, "outputs", number), f'"{name}" is listed already; keep one of the two')
        seen.add(same_name(name))
    for name, said in sweep.allocations.items():
        _check_allocation((*place, "allocations", name), name, said, folder, complain)
    check_thresholds((*place, "thresholds"), sweep.thresholds, complain)


def _check_allocation(place: Place, name: str, said: str, folder: Path, complain: Complain) -> None:
    if name == NULL:
        complain(place, "the null alternative is always compared, under this name; choose another name")
    elif said == RE_OPTIMISED and name == ADVICE:
        complain(place, "the advice is one allocation for all scenarios; give re-optimised another name")
    elif said == RE_OPTIMISED or is_table(folder / said):
        _check_kind(place, said, complain)
    elif name != ADVICE or not is_file(folder / said / "summary.json"):
        kinds = ", or re-optimised" if name != ADVICE else " or results folder"
        complain(
            place,
            f"there is no {said} in the folder of this config (paths are relative to it)."
            f"{similar_file(folder / said)} Allowed: {GIVEN}{kinds}",
        )


def _check_kind(place: Place, said: str, complain: Complain) -> None:
    if said != RE_OPTIMISED and not names_table(said):
        complain(place, f"{said} is no table of an allocation; give {GIVEN}")
