"""PySD's abstract model -> `EquationSystem`; all that is not supported is named in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Reference
from sdopt.equations.program import CONTROLS
from sdopt.equations.system import EquationSystem, Variable
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.hidden import Hidden
from sdopt.source_model.parse import ParsedModel, canonical
from sdopt.source_model.ranges import Ranges
from sdopt.source_model.section import Expressions, Section, Shared
from sdopt.source_model.time_axis import time_axis
from sdopt.source_model.unsupported import UnsupportedError


def translate_model(parsed: ParsedModel, path: Path) -> EquationSystem:
    """Translate every equation.

    Parameters
    ----------
    path : the model file, for messages; files that the model reads are relative to its folder

    Raises
    ------
    ModelError
        Names every unsupported construct and unknown name with its variable and equation, or every
        variable in a circular definition.
    """
    complaints = Complaints(str(path), ModelError)
    main, *macros = parsed.abstract.sections
    try:
        ranges = Ranges(main.subscripts, path.parent)
    except UnsupportedError as error:
        complaints.add("", str(error))
        complaints.raise_if_any()
        raise
    by_key = {canonical(macro.name): macro for macro in macros}
    shared = Shared(ranges, path.parent, by_key, parsed.equations, complaints, Hidden(), set())
    section = Section(main, shared)
    visible = section.variables()
    for key in CONTROLS:
        section.control(key)
    complaints.raise_if_any()
    try:
        return _system(section, visible | shared.hidden.variables, parsed)
    except ModelError as error:
        complaints.add("", str(error))
        complaints.raise_if_any()
        raise


def _system(section: Section, variables: Mapping[str, Variable], parsed: ParsedModel) -> EquationSystem:
    variables = _with_flows(variables)
    units = [section.elements[key].units or "" for key in ("time_step", "initial_time")]
    fixed = section.shared.fixed
    time = time_axis(Expressions(section, fixed), next(filter(None, units), ""), parsed.method)
    orders = calculation_order(variables), starting_order(variables)
    return EquationSystem(variables, *orders, time, frozenset(fixed & variables.keys()))


def _with_flows(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    """The same variables, with kind "flow" for each auxiliary that is a term of some stock's net flow."""
    terms = {
        key for v in variables.values() if v.kind == "stock" and not v.hidden for key in _terms(v.expression)
    }
    return {
        key: replace(v, kind="flow") if key in terms and v.kind == "auxiliary" and not v.hidden else v
        for key, v in variables.items()
    }


def _terms(expression: Expression) -> Iterator[str]:
    """Keys of the variables a sum adds or subtracts."""
    match expression:
        case Reference(key):
            yield key
        case Call("add" | "subtract" | "negative", arguments):
            for argument in arguments:
                yield from _terms(argument)
