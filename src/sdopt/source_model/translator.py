"""What the files that write out delays and array functions need of the translator."""

from __future__ import annotations

from typing import Any, Protocol

from sdopt.equations.expression import Expression
from sdopt.source_model.hidden import Hidden
from sdopt.source_model.ranges import Ranges, Scope


class Translator(Protocol):
    """Translates PySD's syntax nodes, and keeps what it has to add; see `ExpressionTranslator`."""

    ranges: Ranges
    hidden: Hidden

    def translate(self, node: Any, scope: Scope) -> Expression:
        """Our expression for a syntax node."""

    def number(self, expression: Expression, what: str) -> float:
        """The number an expression of constants comes to; `what` says what it is for."""

    def stages(self, order: int, time: Expression) -> int:
        """The order of a DELAY N: lowered, as Vensim and PySD do, until every stage lasts a time step."""
