"""One section of a model file, the model itself or one use of a macro, as variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sdopt.equations.constant_value import evaluate
from sdopt.equations.expression import Call, Expression, Lookup, Reference, Time
from sdopt.equations.program import CONTROLS
from sdopt.equations.system import Kind, Variable
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.hidden import Hidden
from sdopt.source_model.parse import canonical, pysd_tree, unquoted
from sdopt.source_model.ranges import Ranges, Scope, element_key
from sdopt.source_model.syntax import negative_base
from sdopt.source_model.time_axis import AtTime, with_time
from sdopt.source_model.translate_expression import ExpressionTranslator, Table
from sdopt.source_model.unsupported import UnsupportedError


@dataclass(frozen=True)
class Shared:
    """What all sections of a model have in common; `macros` are PySD's sections by key."""

    ranges: Ranges
    folder: Path
    macros: Mapping[str, Any]
    equations: Mapping[str, str]
    complaints: Complaints
    hidden: Hidden
    fixed: set[str]


@dataclass(frozen=True)
class Definition:
    """The equation of one variable, or of one element of an array."""

    element: Any
    component: Any
    scope: Scope


class Section:
    """The elements of one section while they are translated.

    `given` are the parameters of a macro, `outer` is the section that uses it; keys get `prefix`.
    """

    def __init__(
        self,
        abstract: Any,
        shared: Shared,
        prefix: str = "",
        given: Mapping[str, Variable] | None = None,
        outer: Section | None = None,
    ) -> None:
        self.shared, self.prefix, self.given, self.outer = shared, prefix, given or {}, outer
        self.name = abstract.name
        self.elements = {canonical(element.name): element for element in abstract.elements}
        self._refuse_doubles(abstract.elements)
        self.definitions: dict[str, Definition] = {}
        self.members: dict[str, set[tuple[str, ...]]] = {}
        self._done: dict[str, Variable | None] = {}
        for base, element in self.elements.items():
            self._define(base, element)
        for key in self.given:
            self.members[key.removeprefix(prefix)] = {()}
        names = {base: unquoted(self.elements[base].name) for base in self.members if base in self.elements}
        names |= {key.removeprefix(prefix): v.name for key, v in self.given.items()}
        tables: dict[str, Table] = {}
        self.translator = ExpressionTranslator(
            shared.ranges,
            shared.folder,
            shared.hidden,
            names,
            self.members,
            tables,
            shared.macros,
            self._use_macro,
            self._evaluate,
            prefix,
            {k for k, d in self.definitions.items() if isinstance(d.component.ast, pysd_tree.LogicStructure)},
            {base: (element.units or "").strip() for base, element in self.elements.items()},
        )
        self._fill(tables)

    def _refuse_doubles(self, elements: Any) -> None:
        keys = [canonical(element.name) for element in elements]
        doubles = [
            f'"{unquoted(e.name)}"' for e, key in zip(elements, keys, strict=True) if keys.count(key) > 1
        ]
        if doubles:
            self.shared.complaints.add("", f"variables with the same name: {', '.join(doubles)}")

    def _define(self, base: str, element: Any) -> None:
        """A definition for each element of each equation, without time settings."""
        if base in CONTROLS and not self.prefix:
            return
        self.members[base] = set()
        for component in element.components:
            try:
                scopes = list(self.shared.ranges.combinations(*component.subscripts))
            except UnsupportedError as error:
                self.complain(base, element, str(error))
                continue
            for scope in scopes:
                self._define_element(base, element, component, scope)
        if len({len(elements) for elements in self.members[base]}) > 1:
            self.complain(base, element, "has equations with different numbers of subscripts")

    def _define_element(self, base: str, element: Any, component: Any, scope: Scope) -> None:
        chosen = scope.chosen
        key = element_key(self.prefix + base, chosen)
        if key in self.definitions:
            self.complain(base, element, f'"{key}" has two equations')
            return
        written = [self.shared.ranges.names[e] for e in chosen]
        name = element_key(unquoted(element.name), written)
        self.definitions[key] = Definition(element, component, replace(scope, key=key, name=name))
        self.members[base].add(chosen)

    def _fill(self, tables: dict[str, Table]) -> None:
        """The points of every lookup, checked even when no equation calls it."""
        for key, definition in self.definitions.items():
            if definition.component.type == "Lookup":
                try:
                    tables[key] = self.translator.table(definition.component.ast, definition.scope)
                except UnsupportedError as error:
                    self._complain_about(definition, str(error))
                    tables[key] = ((0.0, 1.0), (0.0, 0.0), "interpolate")

    def variables(self) -> dict[str, Variable]:
        """Every variable by key, in the order of the file, without lookups and time settings."""
        found = {key: self.variable(key) for key in self.definitions}
        return {key: variable for key, variable in found.items() if variable is not None}

    def variable(self, key: str) -> Variable | None:
        """One variable, translated once; None for a lookup or after a complaint."""
        if key not in self._done:
            self._done[key] = None  # should it need itself
            definition = self.definitions[key]
            if definition.component.type != "Lookup":
                try:
                    self._done[key] = self._translate(key, definition)
                except UnsupportedError as error:
                    self._complain_about(definition, str(error))
        return self._done[key]

    def _translate(self, key: str, definition: Definition) -> Variable:
        ast, scope = definition.component.ast, definition.scope
        if negative_base(self.shared.equations.get(canonical(definition.element.name), "")):
            raise UnsupportedError("PySD reads (-2)^x as -(2^x): write the negative number as a variable")
        if isinstance(ast, pysd_tree.IntegStructure):
            flow, initial = (self.translator.translate(part, scope) for part in (ast.flow, ast.initial))
            return replace(
                self._described(definition, "stock", flow, initial), non_negative=bool(ast.non_negative)
            )
        if isinstance(ast, pysd_tree.GetDataStructure):
            keyword = getattr(definition.component, "keyword", None)
            expression = self.translator.data(ast, scope, keyword)
        else:
            expression = self.translator.translate(ast, scope)
        kind: Kind = "constant" if _is_constant(expression) else "auxiliary"
        return self._described(definition, kind, expression, None)

    def _described(
        self, definition: Definition, kind: Kind, expression: Expression, initial: Expression | None
    ) -> Variable:
        element, scope = definition.element, definition.scope
        low, high = element.limits or (None, None)
        return Variable(
            scope.key,
            scope.name,
            kind,
            expression,
            initial,
            (element.units or "").strip(),
            " ".join((element.documentation or "").split()),
            low,
            high,
            subscripts=tuple(self.shared.ranges.names[e] for e in scope.chosen),
            hidden=bool(self.prefix),
        )

    def control(self, key: str) -> Expression | None:
        """The expression of a time setting, None after a complaint."""
        element = self.elements.get(key)
        if element is None:
            self.shared.complaints.add("", f"{key.upper().replace('_', ' ')} is missing")
            return None
        try:
            return self.translator.translate(element.components[0].ast, Scope(key, unquoted(element.name)))
        except UnsupportedError as error:
            self.complain(key, element, str(error))
            return None

    def _evaluate(self, expression: Expression, what: str) -> float:
        """The number an expression comes to at the start; what it is made of can then not be changed."""
        used: set[str] = set()
        try:
            start = evaluate(Reference("initial_time"), Expressions(self, used))
            value = evaluate(with_time(expression, start), AtTime(Expressions(self, used), start))
            self.shared.fixed.update(used if what else ())
            return value
        except ModelError:
            raise UnsupportedError(f"{what} must be a number at the start, without a stock in it") from None

    def _use_macro(self, name: str, arguments: list[Expression], scope: Scope) -> Expression:
        """Write out one use of a macro as hidden variables; its value is the variable of its name."""
        macro = self.shared.macros[name]
        written = macro.name.replace("_", " ").upper()
        if name in self._inside_of():
            raise UnsupportedError(f'the macro "{written}" uses itself')
        if len(arguments) != len(macro.params):
            raise UnsupportedError(
                f'the macro "{written}" takes {len(macro.params)} arguments, not {len(arguments)}'
            )
        prefix = self.shared.hidden.reserve(scope, written) + "."
        given = {
            key: Variable(
                key, f"{scope.name} ({written}: {param})", "auxiliary", value, None, "", "", hidden=True
            )
            for param, value in zip(macro.params, arguments, strict=True)
            for key in (prefix + canonical(param),)
        }
        inside = Section(macro, self.shared, prefix, given, self)
        self.shared.hidden.variables |= given | inside.variables()
        if prefix + name not in inside.definitions:
            raise UnsupportedError(f'the macro "{written}" does not define "{written}"')
        return Reference(prefix + name)

    def _inside_of(self) -> list[str]:
        """The macros this section is inside of."""
        return [canonical(self.name), *self.outer._inside_of()] if self.outer else []

    def _complain_about(self, definition: Definition, message: str) -> None:
        base = canonical(definition.element.name)
        self.complain(base, definition.element, message)

    def complain(self, base: str, element: Any, message: str) -> None:
        """Note what is wrong with a variable, once for all its elements."""
        equation = " ".join(self.shared.equations.get(base, "").split())
        shown = f" = {equation[:120]}" if equation else ""
        self.shared.complaints.add(f'variable "{unquoted(element.name)}"{shown}', message)


class Expressions(Mapping[str, Expression]):
    """The expressions of a section by key, translated when asked for; time settings too.

    Keys that are asked for are noted in `used`.
    """

    def __init__(self, section: Section, used: set[str]) -> None:
        self.section, self.used = section, used

    def __getitem__(self, key: str) -> Expression:
        if key in CONTROLS:
            found = None if self.section.outer else self.section.control(key)
        else:
            known = self.section.given.get(key) or (
                self.section.variable(key) if key in self.section.definitions else None
            )
            found = None if known is None or known.kind == "stock" else known.expression
        if found is None and self.section.outer is not None:
            return Expressions(self.section.outer, self.used)[key]
        if found is None:
            raise KeyError(key)
        self.used.add(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter((*self.section.definitions, *CONTROLS))

    def __len__(self) -> int:
        return len(self.section.definitions) + len(CONTROLS)


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
