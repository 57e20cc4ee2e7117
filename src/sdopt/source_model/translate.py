"""PySD's abstract model -> `EquationSystem`; all that is not supported is named in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sdopt.equations.constant_value import constant_value
from sdopt.equations.evaluation_order import calculation_order, starting_order
from sdopt.equations.expression import Call, Expression, Lookup, Reference, Time
from sdopt.equations.program import CONTROLS
from sdopt.equations.system import EquationSystem, Kind, TimeAxis, Variable
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.parse import ParsedModel, canonical, pysd_tree, unquoted
from sdopt.source_model.translate_expression import ExpressionTranslator, UnsupportedError, construct


def translate_model(parsed: ParsedModel, where: str) -> EquationSystem:
    """Translate every equation.

    Parameters
    ----------
    where : the file, for messages

    Raises
    ------
    ModelError
        Names every unsupported construct and unknown name with its variable and equation, or every
        variable in a circular definition.
    """
    complaints = Complaints(where, ModelError)
    sections = parsed.abstract.sections
    for section in sections[1:]:
        complaints.add(f'macro "{section.name}"', "macros are not supported yet")
    for subscript in sections[0].subscripts:
        complaints.add(f'subscript "{subscript.name}"', "subscripts are not supported yet")
    model = _Model(sections[0].elements, parsed.equations, complaints)
    variables, controls = model.variables(), model.controls()
    complaints.raise_if_any()
    try:
        variables = _with_flows(variables)
        time = _time_axis(controls, variables)
        return EquationSystem(variables, calculation_order(variables), starting_order(variables), time)
    except ModelError as error:
        complaints.add("", str(error))
        complaints.raise_if_any()
        raise


class _Model:
    """The elements of one model while they are translated."""

    def __init__(self, elements: Any, equations: Mapping[str, str], complaints: Complaints) -> None:
        self.elements = {canonical(element.name): element for element in elements}
        self.equations = equations
        self.complaints = complaints
        if len(self.elements) < len(elements):
            complaints.add("", f"variables with the same name: {_doubles(elements)}")
        lookups = {
            key: element.components[0].ast
            for key, element in self.elements.items()
            if element.components[0].type == "Lookup" and key not in CONTROLS
        }
        names = {key: unquoted(element.name) for key, element in self.elements.items() if key not in CONTROLS}
        self.translator = ExpressionTranslator(names, lookups, _truth_valued(self.elements))

    def variables(self) -> dict[str, Variable]:
        """Every variable by key, in the order of the file, without lookups and time settings."""
        return {
            key: variable
            for key, element in self.elements.items()
            if key not in CONTROLS and (variable := self._variable(key, element)) is not None
        }

    def controls(self) -> dict[str, tuple[Expression, str]]:
        """Expression and unit of INITIAL TIME, FINAL TIME, TIME STEP and SAVEPER."""
        found = {}
        for key in CONTROLS:
            element = self.elements.get(key)
            if element is None:
                self.complaints.add("", f"{key.upper().replace('_', ' ')} is missing")
            elif (expression := self._try(key, element, element.components[0].ast)) is not None:
                found[key] = (expression, element.units or "")
        return found

    def _variable(self, key: str, element: Any) -> Variable | None:
        component = element.components[0]
        if len(element.components) > 1 or component.subscripts[0]:
            self._complain(key, element, "subscripts (or a second equation) are not supported yet")
            return None
        if component.type == "Data":
            self._complain(key, element, f"{construct(component.ast)} is not supported yet")
            return None
        if key in self.translator.lookups:
            # Checked here even when no equation calls it.
            self._try(key, element, pysd_tree.InlineLookupsStructure(0, component.ast))
            return None
        return self._stock_or_other(key, element, component.ast)

    def _stock_or_other(self, key: str, element: Any, ast: Any) -> Variable | None:
        if not isinstance(ast, pysd_tree.IntegStructure):
            expression = self._try(key, element, ast)
            if expression is None:
                return None
            kind: Kind = "constant" if _is_constant(expression) else "auxiliary"
            return _described(key, element, kind, expression, None)
        if ast.non_negative:
            self._complain(key, element, "a non-negative stock is not supported: use MIN in its outflow")
        flow, initial = (self._try(key, element, part) for part in (ast.flow, ast.initial))
        return None if flow is None or initial is None else _described(key, element, "stock", flow, initial)

    def _try(self, key: str, element: Any, ast: Any) -> Expression | None:
        """The expression, or None after a complaint."""
        try:
            return self.translator.translate(ast)
        except UnsupportedError as error:
            self._complain(key, element, str(error))
            return None

    def _complain(self, key: str, element: Any, message: str) -> None:
        equation = self.equations.get(key, "").strip()
        shown = f" = {equation[:120]}" if equation else ""
        self.complaints.add(f'variable "{unquoted(element.name)}"{shown}', message)


def _doubles(elements: Any) -> str:
    keys = [canonical(element.name) for element in elements]
    return ", ".join(
        f'"{unquoted(e.name)}"' for e, key in zip(elements, keys, strict=True) if keys.count(key) > 1
    )


def _truth_valued(elements: Mapping[str, Any]) -> set[str]:
    """Keys of variables whose whole equation is a comparison."""
    return {
        key
        for key, element in elements.items()
        if isinstance(element.components[0].ast, pysd_tree.LogicStructure)
    }


def _described(
    key: str, element: Any, kind: Kind, expression: Expression, initial: Expression | None
) -> Variable:
    low, high = element.limits or (None, None)
    description = " ".join((element.documentation or "").split())
    unit = (element.units or "").strip()
    return Variable(key, unquoted(element.name), kind, expression, initial, unit, description, low, high)


def _is_constant(expression: Expression) -> bool:
    """Whether an expression is pure arithmetic on numbers."""
    match expression:
        case Reference() | Time():
            return False
        case Call(_, arguments):
            return all(_is_constant(a) for a in arguments)
        case Lookup(_, _, argument):
            return _is_constant(argument)
    return True


def _with_flows(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    """The same variables, with kind "flow" for each auxiliary that is a term of some stock's net flow."""
    terms = {key for v in variables.values() if v.kind == "stock" for key in _terms(v.expression)}
    return {
        key: replace(v, kind="flow") if key in terms and v.kind == "auxiliary" else v
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


def _time_axis(controls: Mapping[str, tuple[Expression, str]], variables: Mapping[str, Variable]) -> TimeAxis:
    expressions = {key: v.expression for key, v in variables.items() if v.kind == "constant"}
    expressions |= {key: expression for key, (expression, _) in controls.items()}
    start, end, step, save = (constant_value(key, expressions) for key in CONTROLS)
    return TimeAxis(start, end, step, save, controls["time_step"][1] or controls["initial_time"][1])
