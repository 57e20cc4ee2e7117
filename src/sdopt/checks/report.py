"""`sdopt check MODEL`: what the checks of a model say, in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from sdopt.checks.structure import Structure, check_structure
from sdopt.checks.time_constants import TimeConstant, shortest_time_constant
from sdopt.checks.unit_text import Units
from sdopt.checks.units import Finding, UnitReport, check_units
from sdopt.equations.system import EquationSystem, Kind
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.read import SourceModel
from sdopt.source_model.syntax import canonical
from sdopt.source_model.unit_synonyms import unit_synonyms

PLURALS = {"stock": "stocks", "flow": "flows", "auxiliary": "auxiliaries", "constant": "constants"}
SEVERAL = 12
"""Names listed in one line."""
LONGEST = 120
"""Characters of an equation that are shown."""


@dataclass(frozen=True)
class ModelCheck:
    """What was found in one model; `equations` are the texts of its file by key."""

    path: Path
    system: EquationSystem
    equations: Mapping[str, str]
    units: UnitReport
    structure: Structure
    shortest: TimeConstant | None

    def text(self) -> str:
        """Size, units, feedback, time step, warnings and notes; the errors are `raise_if_wrong`'s."""
        return "\n".join([str(self.path), *self._facts(), *self._warnings(), *self._notes()])

    def raise_if_wrong(self) -> None:
        """Raise all unit errors together.

        Raises
        ------
        ModelError
            Names each variable, the part of its equation, the unit found and expected, and what to do.
        """
        complaints = Complaints(f"{self.path}: units", ModelError)
        for finding in self.units.errors:
            complaints.add(f'variable "{finding.variable}"{self._equation(finding)}', finding.sentence())
        complaints.raise_if_any()

    def _equation(self, finding: Finding) -> str:
        """The equation as the file writes it, where the part that is named does not read like it."""
        equation = " ".join(self.equations.get(canonical(finding.variable), "").split())
        if not equation or _bare(finding.part) in _bare(equation):
            return ""
        return f" = {equation[:LONGEST]}"

    def _facts(self) -> Iterator[str]:
        kinds = Counter(v.kind for v in self.system.visible.values())
        counts = [f"{kinds[k]} {PLURALS[k] if kinds[k] != 1 else k}" for k in get_args(Kind)]
        yield f"variables    {', '.join(counts)}"
        total, without = len(self.system.visible), len(self.units.without)
        errors, checked = len(self.units.errors), self.units.checked
        found = f"errors: {errors}" if errors else "all consistent"
        yield f"units        {total - without} of {total} variables have one; equations: {checked}, {found}"
        loops = self.structure.feedback
        yield (
            f"feedback     independent loops: {loops.loops}, variables in them: {loops.variables}, "
            f"groups of linked loops: {loops.groups}; none is without a stock"
        )
        yield f"time step    {self._time_step()}"

    def _time_step(self) -> str:
        time, shortest = self.system.time, self.shortest
        step = f"{time.step:g} {time.unit}".strip()
        if shortest is None:
            return f"{step}; no time constant could be read off"
        return f'{step}; shortest time constant that can be read off: {shortest.time:g} ("{shortest.name}")'

    def _warnings(self) -> Iterator[str]:
        shortest = self.shortest
        if self.units.without:
            yield f"warning      no unit given: {_listed(self.units.without)}"
        if not self.system.time.unit:
            yield "warning      TIME STEP has no unit: net flows are not compared with their stocks"
        for warning in self.units.warnings:
            yield f"warning      {warning}"
        if self.structure.unused_constants:
            yield f"warning      constants that change nothing: {_listed(self.structure.unused_constants)}"
        if self.structure.unused_variables:
            yield (
                "warning      used by no equation (results, or left over): "
                f"{_listed(self.structure.unused_variables)}"
            )
        if shortest is not None and self.system.time.step > shortest.time:
            yield f"warning      TIME STEP is longer than a time constant, {shortest.time:g}: make it shorter"

    def _notes(self) -> Iterator[str]:
        if self.structure.without_inflow:
            yield f"note         stocks without inflow: {_listed(self.structure.without_inflow)}"
        if self.structure.without_outflow:
            yield f"note         stocks without outflow: {_listed(self.structure.without_outflow)}"


def check_model(model: SourceModel) -> ModelCheck:
    """Check units and structure of a model."""
    units = Units(unit_synonyms(model.path))
    return ModelCheck(
        model.path,
        model.system,
        model.parsed.equations,
        check_units(model.system, units),
        check_structure(model.system),
        shortest_time_constant(model.system, units),
    )


def _bare(text: str) -> str:
    return re.sub(r"[\s\"]", "", text).casefold()


def _listed(names: Sequence[str]) -> str:
    """How many, and the first of them."""
    more = f" and {len(names) - SEVERAL} more" if len(names) > SEVERAL else ""
    return f"{len(names)}: {', '.join(names[:SEVERAL])}{more}"
