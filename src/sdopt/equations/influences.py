"""How every value of a run follows from others, to first order: one sparse matrix over all moments.

Where `differentiate` gives the derivative of an end by a beginning, this keeps the links between: the slope
of every variable's own equation by every variable in it, at every moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve_triangular

from sdopt.equations.evaluation_order import references
from sdopt.equations.local_slopes import LocalSlopes, Slopes
from sdopt.equations.system import EquationSystem, Variable
from sdopt.equations.time_grid import TimeGrid
from sdopt.errors import SimulationError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Entries = tuple[Places, Places, Floats]
"""Values that follow, values they follow from, slopes."""


@dataclass(frozen=True, eq=False)
class Influences:
    """Small changes x of all values of some runs obey x = slopes x + what is put in from outside.

    A value has a number: runs after each other, in a run the start and then every grid time, and within a
    moment each value after what it follows from, so that `slopes` is strictly lower triangular.

    Attributes
    ----------
    owners : names of variables, an array once; a hidden variable counts as the one that it is part of
    members : keys of the variables that every owner stands for
    owner : number of the owner of every value (value,)
    places : key of a variable -> numbers of its values, (moment, run); its first moment is the start
    slopes : slope of every value by every value, (value, value)
    """

    owners: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    owner: Places
    places: Mapping[str, Places]
    slopes: sparse.csr_array

    def responses(self, change: Floats, still: Collection[int] = ()) -> Floats:
        """How all values (value,) change in the end by a change from outside (value,).

        Owners in `still` stay as they are: they neither follow nor lead.
        """
        rest = self._rest(still)
        return np.asarray(spsolve_triangular(rest, change, unit_diagonal=True, overwrite_A=True))

    def worths(self, aim: Floats, still: Collection[int] = ()) -> Floats:
        """What a unit of every value adds to the sum of `aim` times values; both (value,)."""
        turned = self._rest(still).T
        return np.asarray(spsolve_triangular(turned, aim, lower=False, unit_diagonal=True, overwrite_A=True))

    def _rest(self, still: Collection[int]) -> sparse.csr_array:
        """Identity less slopes, without those by and of some owners; a copy, as the solver writes on it."""
        keep = np.ones(len(self.owners))
        keep[list(still)] = 0.0
        whole, rows, columns = self._whole
        data = whole.data * keep[rows] * keep[columns] if still else whole.data.copy()
        return sparse.csr_array((data, whole.indices, whole.indptr), shape=whole.shape)

    @cached_property
    def _whole(self) -> tuple[sparse.csr_array, Places, Places]:
        """Identity less slopes, and per entry the owners of its row and column."""
        whole = (sparse.eye_array(len(self.owner), format="csr") - self.slopes).tocsr()
        return whole, np.repeat(self.owner, np.diff(whole.indptr)), self.owner[whole.indices]

    def pairs(self) -> NDArray[np.bool_]:
        """Which owner follows at some moment from which, (owner, owner)."""
        found = np.zeros((len(self.owners), len(self.owners)), dtype=bool)
        cells = self.slopes.tocoo()
        found[self.owner[cells.row], self.owner[cells.col]] = True
        return found


def influences(
    system: EquationSystem,
    grid: TimeGrid,
    runs: Mapping[str, Array],
    inputs: Iterable[str],
    aims: Iterable[str],
) -> Influences | None:
    """The links through which some inputs reach some aims, at every moment of known runs; None without any.

    `runs`: every variable by key, (moment, run), as `simulate_all` gives; `inputs` and `aims` are keys.
    Where a slope is infinite it is taken to be zero: the sum of what is handed on then misses a part.

    Raises
    ------
    SimulationError
        When the model is not integrated by Euler's method: then links within a step have no moment.
    """
    if system.time.method != "euler":
        raise SimulationError("links between variables are followed through steps of Euler's method only.")
    between = _between(system, inputs, aims)
    width = next(iter(runs.values())).shape[1]
    layout = _Layout(system, between, grid.steps + 1, width)
    local = LocalSlopes(system, grid, runs)
    parts = [entries for key in between for entries in _entries(system.variables[key], layout, local)]
    if not parts:
        return None
    followers, causes, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
    slopes[~np.isfinite(slopes)] = 0.0
    members = tuple(tuple(keys) for keys in layout.members.values())
    matrix = sparse.coo_array((slopes, (followers, causes)), shape=(layout.size, layout.size)).tocsr()
    return Influences(tuple(layout.members), members, layout.owner, layout.places, matrix)


def _between(system: EquationSystem, inputs: Iterable[str], aims: Iterable[str]) -> tuple[str, ...]:
    """Keys that follow from an input and lead to an aim, in the model's order."""
    causes = {key: set(_all_references(variable)) for key, variable in system.variables.items()}
    effects: dict[str, list[str]] = {}
    for key, found in causes.items():
        for cause in found:
            effects.setdefault(cause, []).append(key)
    reached = _reached(inputs, effects) & _reached(aims, causes)
    return tuple(key for key in system.variables if key in reached)


def _reached(start: Iterable[str], links: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(links.get(key, ()))
    return found


def _all_references(variable: Variable) -> Iterator[str]:
    for part in (variable.expression, variable.initial):
        if part is not None:
            yield from references(part)
            yield from references(part, at_start=True)


class _Layout:
    """Which number every value has."""

    def __init__(self, system: EquationSystem, between: Sequence[str], moments: int, width: int) -> None:
        chosen, count = set(between), len(between)
        stocks = [key for key in between if system.variables[key].kind == "stock"]
        later = [*stocks, *(key for key in system.order if key in chosen)]
        starting = [key for key in system.initial_order if key in chosen]
        first = [*starting, *(key for key in between if key not in set(starting))]
        runs = np.arange(width) * (moments + 1) * count
        shifts = np.arange(moments + 1)[:, np.newaxis] * count + runs
        self.size = width * (moments + 1) * count
        self.starting = set(starting)
        self.places: dict[str, Places] = {}
        for place, key in enumerate(later):
            self.places[key] = shifts + place
            self.places[key][0] = runs + first.index(key)
        self.members: dict[str, dict[str, None]] = {}
        self.owner = np.empty(self.size, dtype=np.intp)
        for key in between:
            whole = system.variables[system.owner_of(key)]
            self.members.setdefault(whole.parts[0], {})[whole.key] = None
            self.owner[self.places[key]] = list(self.members).index(whole.parts[0])


def _entries(variable: Variable, layout: _Layout, local: LocalSlopes) -> Iterator[Entries]:
    """The slopes of one variable: at the start, at every moment, and from one moment to a later one."""
    own, stock = layout.places[variable.key], variable.kind == "stock"
    if variable.key in layout.starting and variable.kind != "constant":
        yield from _links(own[:1], slice(0, 1), local.start_slopes(variable), layout)
    if variable.kind == "constant":
        return
    lag = local.delay_in_steps(variable) if stock else 0
    if stock:
        yield _entry(own[1 : 1 + lag], own[:1], np.ones((1, 1)))
    moments = slice(1, max(len(own) - lag, 1))
    yield from _links(own[1 + lag :], moments, local.slopes(variable), layout)


def _links(followers: Places, moments: slice, slopes: Slopes, layout: _Layout) -> Iterator[Entries]:
    for (key, at_start), slope in slopes.items():
        if key in layout.places:
            causes = layout.places[key][:1] if at_start else layout.places[key][moments]
            rows = slope[: len(followers)] if len(slope) > 1 else slope
            yield _entry(followers, causes, rows)


def _entry(followers: Places, causes: Places, slopes: Array) -> Entries:
    def flat(part: Array) -> Array:
        return np.broadcast_to(part, followers.shape).ravel()

    return flat(followers), flat(causes), flat(slopes).astype(float)
