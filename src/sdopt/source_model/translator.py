"""What the files that write out delays and array functions need of the translator."""

from __future__ import annotations

from typing import Any, Protocol

from sdopt.equations.expression import Expression, Reference
from sdopt.source_model.ranges import Ranges, Scope


class Translator(Protocol):
    """Translates PySD's syntax nodes, and keeps what it has to add; see `ExpressionTranslator`."""

    ranges: Ranges

    def translate(self, node: Any, scope: Scope) -> Expression:
        """Our expression for a syntax node."""

    def number(self, expression: Expression, what: str) -> float:
        """The number an expression of constants comes to; `what` says what it is for."""

    def stages(self, order: int, time: Expression) -> int:
        """The order of a DELAY N: lowered, as Vensim and PySD do, until every stage lasts a time step."""

    def hide(self, scope: Scope, role: str, expression: Expression) -> Reference:
        """A hidden auxiliary of the variable of `scope`."""

    def reserve(self, scope: Scope, role: str) -> str:
        """A key for a hidden stock, to be defined by `remember`."""

    def remember(
        self,
        key: str,
        expression: Expression,
        initial: Expression,
        *,
        assigned: bool = False,
        delay: Expression | None = None,
    ) -> None:
        """Define a hidden stock."""
