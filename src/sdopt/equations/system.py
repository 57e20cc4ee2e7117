"""A model as immutable data: `EquationSystem`, made once at reading time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdopt.equations.expression import Expression

Kind = Literal["stock", "flow", "auxiliary", "constant"]
Method = Literal["euler", "rk4"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One equation of the model, with what the model file says about it.

    `expression` is the value now. For a stock it is the net flow (unit per time unit), and `initial` is
    its value at the start; `non_negative` says that a step never takes it below zero.

    An element of an array is a variable by itself: `subscripts` are its elements, `key` and `name` end in
    them ("Stock[north,old]").

    Hidden variables are not in the model file: they are the memory of a delay or smooth, or the inside of
    a macro. A hidden stock with `assigned` takes the value of `expression` at the next step instead of
    adding it up; with `delay` it takes that value `delay` time units later (a pipeline; at least one step).
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
    subscripts: tuple[str, ...] = ()
    non_negative: bool = False
    hidden: bool = False
    assigned: bool = False
    delay: Expression | None = None

    @property
    def parts(self) -> tuple[str, str]:
        """Name without elements, and the elements joined by commas ("" without)."""
        subscript = ",".join(self.subscripts)
        return self.name.removesuffix(f"[{subscript}]"), subscript


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Start, end and step of the model as its file states them, in `unit`, and how it is integrated.

    Where the step or the save step changes over time, `times` are all moments and `saved` those to report.
    """

    start: float
    end: float
    step: float
    save_step: float
    unit: str
    method: Method = "euler"
    times: tuple[float, ...] = ()
    saved: tuple[float, ...] = ()


@dataclass(frozen=True)
class EquationSystem:
    """Every variable by key (lower case, underscores), and orders in which they can be computed.

    Keys of array elements end in their elements: "stock[north,old]". `fixed` are keys of constants that
    decided the time settings or the order of a delay when the file was read; a question cannot change them.

    `order` lists all non-stock keys so that each comes after what it needs at the same moment;
    `initial_order` lists stock keys and the non-stocks needed to start them, in that sense.
    """

    variables: Mapping[str, Variable]
    order: tuple[str, ...]
    initial_order: tuple[str, ...]
    time: TimeAxis
    fixed: frozenset[str] = frozenset()

    def of_kind(self, kind: Kind) -> tuple[Variable, ...]:
        """All variables of one kind, in the order of the model file, without hidden ones."""
        return tuple(v for v in self.variables.values() if v.kind == kind and not v.hidden)

    def owner_of(self, key: str) -> str:
        """The variable of the model file that a hidden variable was added for, by key; others as they are."""
        owner = key.partition("#")[0]
        return owner if owner in self.variables else key

    @property
    def visible(self) -> dict[str, Variable]:
        """The variables of the model file by key, in its order."""
        return {key: v for key, v in self.variables.items() if not v.hidden}
