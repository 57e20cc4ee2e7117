"""The node types of an equation. Nodes are data; what is done with them are passes in other files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A number written in an equation."""

    value: float


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
    """

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A graph function: linear between points, constant beyond the ends (as Vensim does)."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    argument: Expression


Expression = Number | Reference | Time | Call | Lookup
