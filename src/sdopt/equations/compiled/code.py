"""Lines of LLVM's assembly language, written value by value.

Everything is a vector of `LANES` scenarios (or moments), whatever the machine: LLVM splits or joins it to
what the processor has. Only numbers enter the text, as hexadecimal bits; never a name of the model.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

LANES = 16
"""Scenarios in one vector: two registers of AVX-512, four of AVX2, eight of SSE or NEON."""
NUMBERS = f"<{LANES} x double>"
TRUTHS = f"<{LANES} x i1>"
INTEGERS = f"<{LANES} x i64>"
BYTES = 8 * LANES
"""Size of a vector of numbers."""


def bits(value: float) -> str:
    """A number as LLVM reads it without rounding; also inf and nan."""
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


def number(value: float) -> str:
    """A vector of one number."""
    return f"splat (double {bits(value)})"


def integer(value: int) -> str:
    """A vector of one whole number."""
    return f"splat (i64 {value})"


@dataclass
class Code:
    """The body of one function while it is written; each value gets a name of its own."""

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def value(self, text: str) -> str:
        """Write an operation; return the name of its value."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def do(self, text: str) -> None:
        """Write an operation without a value."""
        self.lines.append(f"  {text}")

    def block(self, label: str) -> None:
        """Begin a block that others can jump to."""
        self.lines.append(f"{label}:")

    def binary(self, operation: str, a: str, b: str, kind: str = NUMBERS) -> str:
        """Operation on two vectors of one kind, such as fadd."""
        return self.value(f"{operation} {kind} {a}, {b}")

    def call(self, function: str, *arguments: str) -> str:
        """Call a function from vectors of numbers to a vector of numbers."""
        return self.value(f"call {NUMBERS} @{function}({', '.join(f'{NUMBERS} {a}' for a in arguments)})")

    def fma(self, a: str, b: str, c: str) -> str:
        """One rounding for a * b + c."""
        return self.call(intrinsic("fma"), a, b, c)

    def compare(self, how: str, a: str, b: str) -> str:
        """Truth values of a comparison, such as olt; those with o are false where an argument is nan."""
        return self.value(f"fcmp {how} {NUMBERS} {a}, {b}")

    def select(self, condition: str, yes: str, no: str, kind: str = NUMBERS) -> str:
        """`yes` where the condition holds, else `no`."""
        return self.value(f"select {TRUTHS} {condition}, {kind} {yes}, {kind} {no}")

    def cast(self, operation: str, a: str, source: str, target: str) -> str:
        """The same vector as another kind."""
        return self.value(f"{operation} {source} {a} to {target}")

    def address(self, base: str, offset: str) -> str:
        """A place some bytes further on."""
        return self.value(f"getelementptr i8, ptr {base}, i64 {offset}")

    def load(self, place: str) -> str:
        """A vector of numbers from memory."""
        return self.value(f"load {NUMBERS}, ptr {place}, align 8")

    def store(self, value: str, place: str) -> None:
        """Write a vector of numbers to memory."""
        self.do(f"store {NUMBERS} {value}, ptr {place}, align 8")

    def spread(self, scalar: str) -> str:
        """A vector of one number that is known at run time only."""
        one = self.value(f"insertelement {NUMBERS} poison, double {scalar}, i32 0")
        zeros = f"<{LANES} x i32> zeroinitializer"
        return self.value(f"shufflevector {NUMBERS} {one}, {NUMBERS} poison, {zeros}")


def intrinsic(name: str) -> str:
    """LLVM's own function of vectors of numbers."""
    return f"llvm.{name}.v{LANES}f64"


def function_text(name: str, arity: int, body: Callable[..., str]) -> str:
    """A function of one or more vectors of numbers; `body` writes the code and returns its answer."""
    code, arguments = Code(), ["%a", "%b"][:arity]
    code.do(f"ret {NUMBERS} {body(code, *arguments)}")
    given = ", ".join(f"{NUMBERS} {argument}" for argument in arguments)
    return "\n".join([f"define internal {NUMBERS} @{name}({given}) {{", *code.lines, "}\n"])
