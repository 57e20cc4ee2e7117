"""Gradients of weighted sums of outputs, from the last moment back to the first.

The model runs forward once and keeps its stocks. The slopes of every step follow from them in bulk, as
few edges between registers (`linearise.py`); then one sweep back over the steps carries each functional's
derivative by every register. What it costs does not depend on how many inputs there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.linearise import Edge, Linearisation, Slope, Times, careful_times
from sdopt.equations.program import Program
from sdopt.equations.scenarios import cut, scenarios_of
from sdopt.equations.simulate import check_finite, run

Array = NDArray[Any]
Call = tuple[Any, tuple[Array, ...]]

KEPT = 64 * 2**20
"""Bytes that a block of scenarios may keep for the sweep."""
STRETCH = 32 * 2**20
"""Bytes that a thread works on while it works out slopes."""


class Backward:
    """A sweep prepared for a program and weights (functional, output, saved), for any block of scenarios.

    Every register that has a derivative has a row: first integrated stocks, whose derivative is carried
    from step to step, then assigned stocks, then what starts at nothing in every step (from `fresh`
    on), then what adds up over all steps: constants and starting values (from `kept` on).
    """

    def __init__(
        self, program: Program, given: Mapping[str, Array], constants: Collection[str], weights: Array
    ) -> None:
        self.program, self.weights, self.last = program, weights, program.saved[-1]
        self.stocks = sorted(program.stocks, key=lambda stock: stock.assigned)
        self.integrated = sum(not stock.assigned for stock in self.stocks)
        example = Linearisation(program, cut(given, slice(2)), min(2, self.last + 1), np.multiply)
        self.edges, self.start_edges = example.edges, example.start_edges
        self.moving = [edge for edge, slope in self.edges.items() if np.shape(slope)[:1] == (2,)]
        self.arrays = len(example.calls) + len(self.stocks)
        inputs = program.inputs.values()
        kept = [*(r.start for r in inputs), *(program.inputs[key].now for key in constants)]
        inside = [register for edge in (*self.edges, *self.start_edges) for register in edge]
        ends = [register for stock in self.stocks for register in (stock.source, stock.initial)]
        self._place([*program.output_registers, *ends, *(r.now for r in inputs), *inside], kept)

    def _place(self, others: Iterable[int], kept: Sequence[int]) -> None:
        stocks = [stock.stock for stock in self.stocks]
        moving = dict.fromkeys([*stocks, *(register for register in others if register not in kept)])
        self.fresh, self.kept = len(stocks), len(moving)
        self.row = {register: row for row, register in enumerate(moving | dict.fromkeys(kept))}

    @property
    def width(self) -> int:
        """Scenarios whose memory stays within `KEPT`."""
        over_time = (self.last + 1) * (len(self.moving) + len(self.stocks) + len(self.program.outputs))
        rows = len(self.weights) * (len(self.row) + len(self.stocks) + 1)
        return int(KEPT // (8 * (over_time + rows)))

    def values(self, given: Mapping[str, Array], first: int) -> tuple[Array, dict[int, Array]]:
        """The weighted sums (functional, scenario), and every stock (moment, scenario).

        Raises SimulationError if an output is inf or nan; `first` is the number of the first scenario.
        """
        program, stocks = self.program, [stock.stock for stock in self.stocks]
        with_stocks = replace(
            program,
            outputs=(*program.outputs, *map(str, stocks)),
            names=(*program.names, *map(str, stocks)),
            output_registers=(*program.output_registers, *stocks),
            saved=tuple(range(self.last + 1)),
        )
        constants = {key: values[0] for key, values in given.items() if len(values) == 1}
        paths = {key: values for key, values in given.items() if len(values) > 1}
        result = run(with_stocks, constants, paths, check=False, threads=1)
        outputs = result[: len(program.outputs), list(program.saved)]
        check_finite(program, outputs, first)
        total = np.zeros((len(self.weights), result.shape[2]))
        for functional, output, place in np.argwhere(self.weights):
            total[functional] += self.weights[functional, output, place] * outputs[output, place]
        return total, dict(zip(stocks, result[len(program.outputs) :], strict=True))

    def gradients(
        self, given: Mapping[str, Array], stocks: Mapping[int, Array], into: Mapping[str, Array]
    ) -> None:
        """Fill `into` by key: (functional, steps + 1, scenario); of a constant (functional, scenario)."""
        for times in (np.multiply, careful_times):  # the careful one is slow, and seldom needed
            self._sweep(*self._slopes(given, stocks, times), times, into)
            if all(np.isfinite(gradient).all() for gradient in into.values()):
                return

    def _slopes(
        self, given: Mapping[str, Array], stocks: Mapping[int, Array], times: Times
    ) -> tuple[Array, Linearisation]:
        """Slopes that move, (moment, edge, scenario), and where those of all steps and the start are."""
        width = scenarios_of(given)
        length = min(max(STRETCH // (8 * width * self.arrays), 2), self.last + 1)
        moving = np.empty((self.last + 1, len(self.moving), width))
        local = Linearisation(self.program, given, length, times)
        with np.errstate(all="ignore"):
            for start in range(0, self.last + 1, length):
                start = min(start, self.last + 1 - length)  # the last stretch may overlap the one before
                local.work_out(given, stocks, slice(start, start + length))
                for place, edge in enumerate(self.moving):
                    moving[start : start + length, place] = local.edges[edge]
        return moving, local

    def _sweep(self, moving: Array, local: Linearisation, times: Times, into: Mapping[str, Array]) -> None:
        rows = np.zeros((len(self.row), len(self.weights), moving.shape[2]))
        now = np.empty(moving.shape[1:])
        edges = local.edges | dict(zip(self.moving, now, strict=True))
        changes, factors = np.zeros_like(rows[: self.fresh]), np.ones((self.fresh, 1, 1))
        calls: list[Call] = [(np.multiply, (rows[: self.fresh], factors, changes))]
        calls.append((np.copyto, (rows[self.integrated : self.kept], np.zeros(()))))
        for change, stock in zip(changes, self.stocks, strict=True):
            source = rows[self.row[stock.source]]
            calls.append((np.add, (source, change, source)))
        added, down = self._added(rows), self._calls(edges, rows, times)
        paths = [(g, rows[self.row[self.program.inputs[key].now]]) for key, g in into.items() if g.ndim == 3]
        with np.errstate(all="ignore"):
            for moment in range(self.last, -1, -1):
                factors[: self.integrated] = self.program.grid.widths[min(moment, self.last - 1)]
                now[...] = moving[moment]
                for function, arguments in (*calls, *added[moment], *down):
                    function(*arguments)
                for gradient, row in paths:
                    gradient[:, moment] = row
            self._sweep_start(rows, local.start_edges, times)
        for key, gradient in into.items():
            registers = self.program.inputs[key]
            if gradient.ndim == 3:
                gradient[:, 0] += rows[self.row[registers.start]]
            else:
                gradient[...] = rows[self.row[registers.now]] + rows[self.row[registers.start]]

    def _sweep_start(self, rows: Array, edges: Mapping[Edge, Slope], times: Times) -> None:
        """From stocks at the start to what their starting values follow from."""
        rows[self.fresh : self.kept] = 0.0
        for stock in self.stocks:
            rows[self.row[stock.initial]] += rows[self.row[stock.stock]]
        for function, arguments in self._calls(edges, rows, times):
            function(*arguments)

    def _added(self, rows: Array) -> list[list[Call]]:
        """Per moment: add the functionals' weights of outputs to their rows."""
        added: list[list[Call]] = [[] for _ in range(self.last + 1)]
        for output, place in np.argwhere(self.weights.any(axis=0)):
            row = rows[self.row[self.program.output_registers[output]]]
            weight = self.weights[:, output, place, np.newaxis]
            added[self.program.saved[place]].append((np.add, (row, weight, row)))
        return added

    def _calls(self, edges: Mapping[Edge, Slope], rows: Array, times: Times) -> list[Call]:
        """Carry derivatives down along all edges, in order."""
        flat = rows[:, 0] if rows.shape[1] == 1 else rows  # NumPy is quicker with one axis
        change = np.empty(flat.shape[1:])
        calls: list[Call] = []
        for (top, bottom), slope in edges.items():
            above, below = flat[self.row[top]], flat[self.row[bottom]]
            if isinstance(slope, float) and abs(slope) == 1.0:
                calls.append((np.add if slope > 0 else np.subtract, (below, above, below)))
            else:
                factor = np.asarray(slope).reshape(-1)
                factor = factor[0, ...] if factor.size == 1 else factor  # no axis: quickest
                calls += [(times, (factor, above, change)), (np.add, (below, change, below))]
        return calls
