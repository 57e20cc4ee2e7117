"""A model as immutable data: `EquationSystem`, made once at reading time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdopt.equations.expression import Expression

Kind = Literal["stock", "flow", "auxiliary", "constant"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One equation of the model, with what the model file says about it.

    `expression` is the value now; for a stock it is the net flow (unit per time unit) and
    `initial` is its value at the start. `low` and `high` are the range the model file states.
    """

    key: str
    name: str
    kind: Kind
    expression: Expression
    initial: Expression | None
    unit: str
    description: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Start, end and step of the model as its file states them, in `unit`."""

    start: float
    end: float
    step: float
    save_step: float
    unit: str


@dataclass(frozen=True)
class EquationSystem:
    """Every variable by key (lower case, underscores), and orders in which they can be computed.

    `order` lists all non-stock keys so that each comes after what it needs at the same moment;
    `initial_order` lists stock keys and the non-stocks needed to start them, in that sense.
    """

    variables: Mapping[str, Variable]
    order: tuple[str, ...]
    initial_order: tuple[str, ...]
    time: TimeAxis

    def of_kind(self, kind: Kind) -> tuple[Variable, ...]:
        """All variables of one kind, in the order of the model file."""
        return tuple(v for v in self.variables.values() if v.kind == kind)
