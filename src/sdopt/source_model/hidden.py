"""Variables that translation adds: the memory of delays and smooths, and the inside of macros."""

from __future__ import annotations

from collections import Counter

from sdopt.equations.expression import Expression, Reference
from sdopt.equations.system import Variable
from sdopt.source_model.ranges import Scope


class Hidden:
    """Collects hidden variables; keys hold a "#", which no name in an equation can."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self._count: Counter[str] = Counter()
        self._names: dict[str, str] = {}

    def reserve(self, scope: Scope, role: str) -> str:
        """A new key for something that belongs to the variable of `scope`."""
        self._count[scope.key] += 1
        key = f"{scope.key}#{self._count[scope.key]}"
        self._names[key] = f"{scope.name} ({role} {self._count[scope.key]})"
        return key

    def auxiliary(self, scope: Scope, role: str, expression: Expression) -> Reference:
        """A hidden variable without memory."""
        key = self.reserve(scope, role)
        self.variables[key] = Variable(
            key, self._names[key], "auxiliary", expression, None, "", "", hidden=True
        )
        return Reference(key)

    def stock(
        self,
        key: str,
        expression: Expression,
        initial: Expression,
        *,
        assigned: bool = False,
        delay: Expression | None = None,
    ) -> None:
        """The hidden stock of a reserved key; see `Variable`."""
        name = self._names[key]
        self.variables[key] = Variable(
            key, name, "stock", expression, initial, "", "", hidden=True, assigned=assigned, delay=delay
        )
