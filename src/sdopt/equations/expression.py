"""The node types of an equation. Nodes are data; what is done with them are passes in other files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LookupKind = Literal["interpolate", "extrapolate", "hold_backward", "look_forward", "raw"]
"""How a lookup reads between and beyond its points; see `Lookup`."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number written in an equation.

    Where a time is asked for (the length of a delay) `time_power` is 1, where a rate is (a trend) -1.
    """

    value: float
    time_power: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of another variable, by its key in the `EquationSystem`."""

    key: str


@dataclass(frozen=True, slots=True)
class Time:
    """The model time, in the model's time unit."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the registry (`functions.py`) applied to arguments.

    Arithmetic is a call too: "add", "subtract", "multiply", "divide", "power", "negative",
    as are comparisons ("less", "greater", ...), logic ("and", "or", "not") and "if_then_else".
    Two names are resolved by the compiler: "initial" (x) is what x was at the start, and
    "active_initial" (x, start) is `start` while starting values are computed, x from then on.
    """

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A graph function or a series of data.

    "interpolate" is linear between points and constant beyond the ends (as Vensim does), "extrapolate"
    goes on with the slope of the end pieces, "hold_backward" has the value of the last point at or
    before the argument (the first point's value before that), "look_forward" that of the first point at
    or after it, and "raw" is a value on a point and nan elsewhere. `unit` is that of the outcome, "" when the
    model file gives none.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    argument: Expression
    kind: LookupKind = "interpolate"
    unit: str = ""


Expression = Number | Reference | Time | Call | Lookup
