"""Instructions that can be had for less, without a difference in any bit of their value.

(Powers are the exception: x^2 as x*x, x^0.5 as a root and x^-1 as a quotient are rounded once, where a
power function may be off by one unit in the last place.)
"""

from __future__ import annotations

from collections.abc import Mapping
from math import copysign, frexp
from typing import Protocol


class Tape(Protocol):
    """What is asked of the tape on which the instructions are written."""

    @property
    def values(self) -> Mapping[int, float | bool]:
        """The registers that are known."""

    def constant(self, value: float | bool) -> int:
        """The register of a number or truth value."""

    def call(self, name: str, *arguments: int) -> int:
        """The register of a function's value."""

    def argument_of(self, name: str, register: int) -> int | None:
        """The argument of the function that made a register, if it is the named one."""


def simpler(tape: Tape, name: str, inputs: tuple[int, ...]) -> int | None:
    """A register that has the value of a function already or for less, or None."""
    match name, inputs:
        case "add" | "subtract" | "negative", _:
            return _sum(tape, name, inputs)
        case "multiply" | "divide" | "power", (a, b):
            return _product(tape, name, a, b)
        case "if_then_else" | "and" | "or" | "not" | "as_truth", _:
            return _choice(tape, name, inputs)
        case "min" | "max", (a, b) if a == b:
            return a
    return None


def _sum(tape: Tape, name: str, inputs: tuple[int, ...]) -> int | None:
    minus = [tape.argument_of("negative", i) for i in inputs]
    match name, inputs, minus:
        case "negative", _, [int(a)]:
            return a
        case "add", (a, _), [_, int(b)]:
            return tape.call("subtract", a, b)
        case "add", (_, b), [int(a), _]:
            return tape.call("subtract", b, a)
        case "subtract", (a, _), [_, int(b)]:
            return tape.call("add", a, b)
        case "subtract", (a, b), _ if _is(tape, b, 0.0):
            return a
    return None


def _product(tape: Tape, name: str, a: int, b: int) -> int | None:
    factor = tape.values.get(b)
    if factor == 1.0:
        return a
    if name == "multiply":
        return b if _is(tape, a, 1.0) else None
    if factor is None:
        return None
    if name == "divide":
        # Dividing by a power of two is multiplying by another: the same number, rounded once.
        exact = abs(frexp(factor)[0]) == 0.5 and 1e-300 < abs(factor) < 1e300
        return tape.call("multiply", a, tape.constant(1.0 / factor)) if exact else None
    return _power(tape, a, float(factor))


def _power(tape: Tape, a: int, exponent: float) -> int | None:
    match exponent:
        case 0.0:
            return tape.constant(1.0)
        case 2.0:
            return tape.call("multiply", a, a)
        case 0.5:
            return tape.call("sqrt", a)
        case -1.0:
            return tape.call("divide", tape.constant(1.0), a)
    return None


def _choice(tape: Tape, name: str, inputs: tuple[int, ...]) -> int | None:
    known = [tape.values.get(i) for i in inputs]
    match name, inputs, known:
        case "if_then_else", (_, yes, no), [condition, *_]:
            if condition is None and yes != no:
                return None
            return yes if condition is None or condition else no
        case "not" | "as_truth", (a,), _:
            return tape.argument_of("not" if name == "not" else "as_number", a)
        case "and" | "or", (a, b), [first, second] if first is not None or second is not None:
            decided, other = (first, b) if first is not None else (second, a)
            return other if bool(decided) == (name == "and") else tape.constant(name == "or")
    return None


def _is(tape: Tape, register: int, number: float) -> bool:
    value = tape.values.get(register)
    return value is not None and value == number and copysign(1.0, value) == copysign(1.0, number)
