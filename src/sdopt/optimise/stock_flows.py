"""What every stock holds and what flows in and out of it, per year, so that it adds up exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.equations.expression import Call, Expression, Number, Reference
from sdopt.equations.system import EquationSystem, Variable
from sdopt.equations.time_grid import TimeGrid
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]
Run = Mapping[str, Floats]
"""key -> (time,)."""

COLUMNS = ("stock", "direction", "flow", "year", "null", "advice", "difference", "unit")
START, IN, OUT, NET, ADJUSTMENT, END = "start", "in", "out", "net", "adjustment", "end"
ROUNDING = 1e-9
"""Part of a stock and its flows below which a difference is that of doubles."""

Both = Floats
"""Null alternative and advice by year: (2, year)."""


@dataclass(frozen=True)
class Years:
    """Positions on the grid at which years begin, with the end of the grid last; and the years themselves."""

    edges: NDArray[np.intp]
    years: tuple[int, ...]
    widths: Floats

    def sums(self, path: Floats) -> Floats:
        """A rate (..., time) summed over the steps of every year: (..., year)."""
        return np.asarray(np.add.reduceat(self.widths * path[..., :-1], self.edges[:-1], axis=-1))


def stock_flow_table(problem: Problem, null: Run, advice: Run) -> dict[str, pd.DataFrame]:
    """Table `stock_flows`: per stock and year what it starts with, what flows in and out, what it ends with.

    start + in - out + net + adjustment = end. A flow is `net` where it goes both ways in either run, as
    is (without a name) what a stock's equation adds other than by flows; `adjustment` is what a floor at zero
    or the stages of Runge-Kutta add to that. {} for a model without stocks.
    """
    stocks = [v for v in problem.system.of_kind("stock") if not v.assigned and v.delay is None]
    if not stocks:
        return {}
    years = _years(problem.grid)
    parts = [
        (stock.name, direction, flow, stock.unit, values)
        for stock in stocks
        for direction, flow, values in _of_stock(stock, problem.system, years, null, advice)
    ]
    count = len(years.years)
    frame = pd.DataFrame(
        {
            **{name: np.repeat([part[k] for part in parts], count) for k, name in enumerate(COLUMNS[:3])},
            "year": np.tile(years.years, len(parts)),
            "null": np.concatenate([part[4][0] for part in parts]) + 0.0,  # + 0.0: never -0.0
            "advice": np.concatenate([part[4][1] for part in parts]) + 0.0,
            "unit": np.repeat([part[3] for part in parts], count),
        }
    )
    return {"stock_flows": frame.assign(difference=frame["advice"] - frame["null"])[list(COLUMNS)]}


def _years(grid: TimeGrid) -> Years:
    """Every whole year of the grid; the first and the last may be parts of one."""
    times = grid.times
    whole = np.flatnonzero(np.abs(times - np.round(times)) < grid.step / 1e6)
    edges = np.unique(np.r_[0, whole, len(times) - 1])
    years = tuple(int(np.floor(times[k] + grid.step / 1e6)) for k in edges[:-1])
    return Years(edges, years, grid.widths)


def _of_stock(
    stock: Variable, system: EquationSystem, years: Years, null: Run, advice: Run
) -> Iterator[tuple[str, str, Both]]:
    """Direction, name of the flow, and amounts (2, year), in the order in which they are read."""
    held = np.stack([null[stock.key], advice[stock.key]])
    start, end = held[:, years.edges[:-1]], held[:, years.edges[1:]]
    signs, rest = signed_flows(stock.expression, system)
    rates = {key: sign * np.stack([null[key], advice[key]]) for key, sign in signs.items()}
    directions = {key: _direction(signs[key], rates[key]) for key in rates}
    yield START, "", start
    for direction in (IN, OUT, NET):
        for key, rate in rates.items():
            if directions[key] == direction:
                amounts = years.sums(-rate if direction == OUT else rate)
                yield direction, system.variables[key].name, amounts
    moved = sum((years.sums(rate) for rate in rates.values()), np.zeros_like(start))
    left = end - start - moved
    size = np.abs(held).max() + sum(float(np.abs(years.sums(rate)).max()) for rate in rates.values())
    if rest:
        yield NET, "", left
    elif np.abs(left).max() > ROUNDING * size:
        yield ADJUSTMENT, "", left
    yield END, "", end


def signed_flows(expression: Expression, system: EquationSystem) -> tuple[dict[str, float], bool]:
    """Key -> how often a variable is added (below zero: taken away) in a net flow; whether there is more."""
    signs: dict[str, float] = {}
    rest, waiting = False, [(expression, 1.0)]
    while waiting:
        match waiting.pop():
            case Call("add", (a, b)), sign:
                waiting += [(b, sign), (a, sign)]
            case Call("subtract", (a, b)), sign:
                waiting += [(b, -sign), (a, sign)]
            case Call("negative", (a,)), sign:
                waiting.append((a, -sign))
            case Reference(key), sign if key in system.variables and not system.variables[key].hidden:
                signs[key] = signs.get(key, 0.0) + sign
            case Number(0.0), _:
                continue
            case _:
                rest = True
    return {key: sign for key, sign in signs.items() if sign}, rest


def _direction(sign: float, rate: Floats) -> str:
    """In or out as the equation says; net where the rate (2, time) goes the other way at any time."""
    against = float((-sign * rate).max())
    if against > ROUNDING * float(np.abs(rate).max()):
        return NET
    return IN if sign > 0 else OUT
