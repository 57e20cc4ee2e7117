"""The lines of a multi-year budget, found in the model."""

from __future__ import annotations

from collections.abc import Iterator

from sdopt.config.document import Complain
from sdopt.config.fiscal_choice import FiscalChoice
from sdopt.config.names import same_name
from sdopt.config.units import amount_per_year
from sdopt.equations.system import EquationSystem, Variable


def parts_of_line(name: str, system: EquationSystem) -> tuple[Variable, ...]:
    """The variables that a line adds up: the one of that name, or all elements of that array."""
    return tuple(
        variable
        for variable in system.visible.values()
        if same_name(name) in (same_name(variable.name), same_name(variable.parts[0]))
    )


def check_budget(fiscal: FiscalChoice, system: EquationSystem, model: str, complain: Complain) -> None:
    """Complain about every line, and the price index, that the model `model` does not have."""
    for name in dict.fromkeys(_wrong(fiscal, system)):
        complain(
            ("fiscal_rules", "file"),
            f'the multi-year budget of {fiscal.library.path.name} needs "{name}" as an amount per year (its '
            f"price index: without unit), which {model} does not have; add it to the model or take it out of "
            f"the budget. List all: sdopt variables {model}",
        )


def _wrong(fiscal: FiscalChoice, system: EquationSystem) -> Iterator[str]:
    for line in fiscal.library.budget:
        found = parts_of_line(line.variable, system)
        if not found or any(amount_per_year(variable.unit) is None for variable in found):
            yield line.variable
    if fiscal.library.budget and len(parts_of_line(fiscal.library.price_index, system)) != 1:
        yield fiscal.library.price_index
