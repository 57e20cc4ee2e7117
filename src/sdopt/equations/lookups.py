"""Graph functions and data series as functions of the registry."""

from __future__ import annotations

import copyreg
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.expression import LookupKind
from sdopt.equations.functions import AS_NUMBER, AS_TRUTH, FUNCTIONS, Function, Table, number_function

Array = NDArray[Any]


def lookup_function(x: tuple[float, ...], y: tuple[float, ...], kind: LookupKind = "interpolate") -> Function:
    """A graph function; `Lookup` says what each kind does. `x` rises strictly; nan gives nan.

    The slope at a breakpoint is that to its right: for "interpolate" 0 at the last point, for
    "hold_backward", "look_forward" and "raw" 0 everywhere.
    """
    points, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return replace(_form(points, values, kind), table=Table(x, y, kind))


def _restored(name: str, table: Table | None) -> Function:
    if table is not None:
        return lookup_function(table.x, table.y, table.kind)
    return {f.name: f for f in (*FUNCTIONS.values(), AS_NUMBER, AS_TRUTH)}[name]


# A function goes to another process by its name or table: its kernels are closures, which cannot.
copyreg.pickle(Function, lambda function: (_restored, (function.name, function.table)))


def _form(points: Array, values: Array, kind: LookupKind) -> Function:
    if kind in ("interpolate", "extrapolate"):
        return _linear(points, values, beyond=kind == "extrapolate")
    if kind == "hold_backward":
        return _steps(points, np.r_[values[:1], values, np.nan], "right")
    if kind == "look_forward":
        return _steps(np.r_[points, np.inf], np.r_[values, values[-1:], np.nan], "left")
    return _raw(points, values)


def _linear(points: Array, values: Array, *, beyond: bool) -> Function:
    # Piece i holds between points i-1 and i; the first and last piece lie beyond the ends.
    slopes = np.diff(values) / np.diff(points)
    ends = (slopes[:1], slopes[-1:]) if beyond and len(slopes) else ([0.0], [0.0])
    slopes = np.concatenate([ends[0], slopes, ends[1]])
    starts = np.concatenate([points[:1], points])
    heights = np.concatenate([values[:1], values])

    def flat_ended(a: Array, out: Array) -> None:
        np.copyto(out, np.interp(a, points, values))

    def extended(a: Array, out: Array) -> None:
        piece = points.searchsorted(a.real, side="right")
        np.subtract(a, starts[piece], out)
        np.multiply(out, slopes[piece], out)
        np.add(out, heights[piece], out)

    def partials(a: Array, value: Array) -> tuple[Array]:
        return (slopes[points.searchsorted(a, side="right")],)

    if beyond:
        return number_function("lookup", 1, extended, partials, extended)
    return number_function("lookup", 1, flat_ended, partials)


def _steps(points: Array, values: Array, side: Any) -> Function:
    """`values[i]` holds between points i-1 and i; the side says which of the two has it; the last is nan."""
    # nan sorts after all numbers: with one nan more, only a nan argument finds the last value.
    sorted_points = np.r_[points, np.nan] if side == "right" else points

    def kernel(a: Array, out: Array) -> None:
        np.take(values, sorted_points.searchsorted(a, side=side), out=out, mode="clip")

    return number_function("lookup", 1, kernel, lambda a, value: (None,))


def _raw(points: Array, values: Array) -> Function:
    def kernel(a: Array, out: Array) -> None:
        place = np.minimum(points.searchsorted(a), len(points) - 1)
        out[...] = np.where(points[place] == a, values[place], np.nan)

    return number_function("lookup", 1, kernel, lambda a, value: (None,))
