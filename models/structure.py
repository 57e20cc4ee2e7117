"""What depends on what in a model: stocks, their flows, and the causes of everything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chapters import chapters

from sdopt.config.names import same_name
from sdopt.equations.evaluation_order import references
from sdopt.equations.expression import Expression
from sdopt.equations.system import EquationSystem, Variable
from sdopt.source_model.read import read_model


@dataclass(frozen=True)
class Structure:
    """The visible variables of a model by key, their causes (keys), and the chapters in its order.

    The causes of a stock are its flows and what its start is made of. What a delay or smooth depends on
    counts as a cause of the variable that it is part of. `initial_causes` are needed at the start only.
    """

    variables: dict[str, Variable]
    causes: dict[str, frozenset[str]]
    initial_causes: dict[str, frozenset[str]]
    chapters: dict[str, tuple[str, ...]]

    def kind(self, key: str) -> str:
        """stock, flow, auxiliary or constant."""
        return self.variables[key].kind


def read_structure(path: Path) -> Structure:
    """Read a model whose file has chapters."""
    system = read_model(path).system
    variables = system.visible
    keys = {same_name(variable.name): key for key, variable in variables.items()}
    grouped = {
        title: tuple(keys[name] for given in names if (name := same_name(given)) in keys)
        for title, names in chapters(path).items()
    }
    now = {key: _causes([v.expression, v.delay], system) - {key} for key, v in variables.items()}
    first = {key: _causes([v.initial], system) - {key} - now[key] for key, v in variables.items()}
    return Structure(variables, {key: now[key] | first[key] for key in now}, first, grouped)


def _causes(parts: Iterable[Expression | None], system: EquationSystem) -> frozenset[str]:
    """Visible variables in expressions, and in the hidden ones that these use."""
    seen: set[str] = set()
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        for key in references(part, at_start=True) if part is not None else ():
            if key not in seen and key in system.variables:
                seen.add(key)
                variable = system.variables[key]
                waiting += [variable.expression, variable.initial, variable.delay] if variable.hidden else []
    return frozenset(key for key in seen if not system.variables[key].hidden)
