"""Graph functions in LLVM's assembly language: which piece is it, and what holds there."""

from __future__ import annotations

from math import nan

import numpy as np

from sdopt.equations.compiled.code import INTEGERS, LANES, NUMBERS, Code, bits, integer, number
from sdopt.equations.functions import Table

SCANNED = 12
"""Points up to which comparing with each of them is faster than searching."""


def table_value(code: Code, a: str, table: Table, name: str, constants: list[str]) -> str:
    """The value of the graph at a; long tables go to `constants`. As `lookups.lookup_function`."""
    x, y = list(table.x), list(table.y)
    pieces = _Pieces(code, name, constants, x)
    if table.kind in ("interpolate", "extrapolate"):
        return _linear(pieces, a, y, beyond=table.kind == "extrapolate")
    if table.kind == "raw":
        point, value = pieces.values(a, "oge", ([nan, *x], [nan, *y]))
        return code.select(code.compare("oeq", a, point), value, number(nan))
    if table.kind == "hold_backward":
        (value,) = pieces.values(a, "oge", ([y[0], *y],))
    else:
        (value,) = pieces.values(a, "ogt", ([*y, y[-1]],))
    return code.select(code.compare("uno", a, a), number(nan), value)


def _linear(pieces: _Pieces, a: str, y: list[float], *, beyond: bool) -> str:
    code, x = pieces.code, pieces.points
    slopes = [float(slope) for slope in np.diff(y) / np.diff(x)]
    ends = (slopes[0], slopes[-1]) if beyond and slopes else (0.0, 0.0)
    a = a if beyond else _between(code, a, x[0], x[-1])
    columns = ([x[0], *x], [ends[0], *slopes, ends[1]], [y[0], *y])
    start, slope, height = pieces.values(a, "oge", columns)
    risen = code.binary("fmul", code.binary("fsub", a, start), slope)
    return code.binary("fadd", risen, height)


def _between(code: Code, a: str, low: float, high: float) -> str:
    a = code.select(code.compare("olt", a, number(low)), number(low), a)
    return code.select(code.compare("ogt", a, number(high)), number(high), a)


class _Pieces:
    """The pieces between `points`: piece k has k points at or before it; nan is in piece 0."""

    def __init__(self, code: Code, name: str, constants: list[str], points: list[float]) -> None:
        self.code, self.name, self.constants, self.points = code, name, constants, points

    def values(self, a: str, passed: str, columns: tuple[list[float], ...]) -> list[str]:
        """What each column (one value per piece) holds at `a`; `passed` compares it with a point."""
        if len(self.points) <= SCANNED:
            return self._scan(a, passed, columns)
        piece = self._search(a, passed)
        return [self._gather(self._constant(column), piece) for column in columns]

    def _scan(self, a: str, passed: str, columns: tuple[list[float], ...]) -> list[str]:
        found = [number(column[0]) for column in columns]
        for k, point in enumerate(self.points, 1):
            beyond = self.code.compare(passed, a, number(point))
            pairs = zip(columns, found, strict=True)
            found = [
                old if c[k] == c[k - 1] else self.code.select(beyond, number(c[k]), old) for c, old in pairs
            ]
        return found

    def _search(self, a: str, passed: str) -> str:
        """Halving, the same number of steps for all: the number of points passed."""
        size = 1 << len(self.points).bit_length()
        padded = self._constant([*self.points, *[nan] * (size - 1 - len(self.points))])
        piece, step = integer(0), size // 2
        while step:
            probe = self.code.binary("add", piece, integer(step - 1), INTEGERS)
            beyond = self.code.compare(passed, a, self._gather(padded, probe))
            further = self.code.binary("add", piece, integer(step), INTEGERS)
            piece = self.code.select(beyond, further, piece, INTEGERS)
            step //= 2
        return piece

    def _constant(self, values: list[float]) -> str:
        name = f"@{self.name}_{len(self.constants)}"
        numbers = ", ".join(f"double {bits(value)}" for value in values)
        self.constants.append(f"{name} = internal constant [{len(values)} x double] [{numbers}]\n")
        return name

    def _gather(self, column: str, places: str) -> str:
        """One number per lane, each from a place of its own."""
        whole = "poison"
        for lane in range(LANES):
            place = self.code.value(f"extractelement {INTEGERS} {places}, i32 {lane}")
            address = self.code.value(f"getelementptr double, ptr {column}, i64 {place}")
            one = self.code.value(f"load double, ptr {address}, align 8")
            whole = self.code.value(f"insertelement {NUMBERS} {whole}, double {one}, i32 {lane}")
        return whole
