"""A Pyomo model as text for another solver, and what its variables and constraints are in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyomo.environ import ConcreteModel, Constraint
from pyomo.repn.plugins.lp_writer import LPWriter
from pyomo.repn.plugins.nl_writer import NLWriter

from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.transcription.cuts import final_master
from sdopt.optimise.transcription.problem import transcribe
from sdopt.problem.build import Problem

FORMS = (".nl", ".lp", ".mps")
Row = tuple[str, str, str, str]
"""Name in the file, variable or constraint, part of the model, what it is in words."""


@dataclass(frozen=True)
class ProblemFile:
    """The text of the file, a row per variable and constraint in it, and what it holds in words."""

    text: str
    names: list[Row]
    holds: str


def problem_file(problem: Problem, form: str, progress: Progress) -> ProblemFile:
    """The problem as .nl; as .lp or .mps too when it is linear, else the linear master of a search.

    Raises
    ------
    OptimisationError
        When it cannot be written exactly, or has no linear master.
    """
    model = transcribe(problem)
    holds = "the whole problem"
    if form != ".nl" and not model.is_linear:
        model, holds = final_master(problem, progress)
    text, names = _written(model, form)
    return ProblemFile(text, names, holds)


def _written(model: ConcreteModel, form: str) -> tuple[str, list[Row]]:
    stream = StringIO()
    if form == ".nl":
        info = NLWriter().write(model, stream, linear_presolve=False)
        named = {id(one): f"v{k}" for k, one in enumerate(info.variables)}
        named |= {id(one): f"c{k}" for k, one in enumerate(info.constraints)}
        return stream.getvalue(), list(_rows(model, named))
    if form == ".lp":
        symbols = LPWriter().write(model, stream).symbol_map
        return stream.getvalue(), list(_rows(model, symbols.byObject))
    with TemporaryDirectory(prefix="sdopt-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "problem.mps"
        _, place = model.write(str(file), format="mps")
        symbols = model.solutions.symbol_map[place].byObject
        named = {
            id(one): _mps_row(one, symbols[id(one)]) for one in _constraints(model) if id(one) in symbols
        }
        return file.read_text(encoding="utf-8"), list(_rows(model, {**symbols, **named}))


def _rows(model: ConcreteModel, named: dict[int, str]) -> Iterator[Row]:
    """Every variable and constraint that stands in the file, in the order of the model."""
    for part, words in model.words.items():
        component = getattr(model, part)
        kind = "variable" if component.ctype.__name__ == "Var" else "constraint"
        for one, text in zip(component.values(), words, strict=True):
            if id(one) in named:
                yield named[id(one)], kind, one.name, text


def _constraints(model: ConcreteModel) -> Iterator[Any]:
    return (one for component in model.component_objects(Constraint) for one in component.values())


def _mps_row(constraint: Any, symbol: str) -> str:
    """What Pyomo calls the row of a constraint in an .mps file."""
    side = "e" if constraint.equality else "l" if constraint.upper is None else "u"
    return f"c_{side}_{symbol}_"
