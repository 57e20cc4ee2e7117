"""Over which chains of variables the decisions of the advice reach the return: the routes that carry most.

The gain over the null alternative is the sum, over the straight line from null alternative to advice, of
slope times change (Aumann and Shapley 1974), taken at a few points of Gauss and Legendre. On that line the
part of a decision is split over all chains of equations that start with it: see `routes`. It describes how
this model works; it is no evidence that the world works so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from sdopt.equations.influences import influences
from sdopt.equations.simulate import simulate_all
from sdopt.errors import SimulationError
from sdopt.optimise import tables
from sdopt.optimise.archive import Floats
from sdopt.optimise.explanation.routes import Route, Routes
from sdopt.problem.build import Problem
from sdopt.problem.decisions import DecisionPath

POINTS = (3, 10, 30)
"""Points on the line from null alternative to advice: more where fewer miss a part."""
MISSED = 0.02
"""Part of the effects of all decisions that the sum over the points may miss."""
DECISIONS, ROUTES = 3, 3
"""Decisions of which routes are listed, those with most effect; and routes of each."""
LEAST = 0.05
"""A decision, or a route of it, with less than this part of the effect of the first is not listed."""
FORKS = 40
"""Most forks that are looked into for one decision."""
DECISION_COLUMNS = (
    *("decision", "variable", "elements", "null", "advice", "unit", "first_year", "last_year"),
    *("value", "listed", "elsewhere", "value_unit"),
)
COLUMNS = (
    *("decision", "route", "step", "variable", "kind", "elements", "null", "advice", "by_decision", "unit"),
    *("first_year", "last_year", "branch", "value", "share", "value_unit"),
)

Runs = Mapping[str, Floats]


@dataclass(frozen=True)
class _Player:
    """A decision or programme, or all those on one array; what it changes, by key (grid time,).

    `id` is that of the config, or the name of the array.
    """

    id: str
    keys: tuple[str, ...]
    change: Mapping[str, Floats]


@dataclass(frozen=True)
class _Line:
    """The line from null alternative to advice, with the links of the model at its points.

    `values` is what every player adds to the objective; `missed` what is left of the gain.
    """

    players: tuple[_Player, ...]
    routes: Routes
    weights: Floats
    values: tuple[float, ...]
    missed: float


def causal_path(problem: Problem, point: Floats, null: Runs, advice: Runs) -> dict[str, pd.DataFrame]:
    """The tables `causal_decisions` and `causal_path`; see `sdopt.result`. None where it cannot be told.

    `null` and `advice`: every variable (grid time,) by key. It cannot be told when nothing changes, of a
    model that is not integrated by Euler's method, and where jumps leave more than `MISSED` unexplained.
    """
    line = _line(problem, point)
    if line is None:
        return {}
    told = _Told(problem, line, null, advice)
    order = sorted(range(len(line.players)), key=lambda k: -abs(line.values[k]))[:DECISIONS]
    chosen = [k for k in order if abs(line.values[k]) >= LEAST * abs(line.values[order[0]])]
    found = {k: _strongest(line, line.players[k]) for k in chosen}
    rows = [row for k in chosen for row in told.steps(k, found[k])]
    decided = [told.decision(k, found.get(k, [])) for k in range(len(line.players))]
    return {
        "causal_decisions": pd.DataFrame(decided, columns=list(DECISION_COLUMNS)),
        "causal_path": pd.DataFrame(rows, columns=list(COLUMNS)),
    }


def _line(problem: Problem, point: Floats) -> _Line | None:
    """With as few points as are enough; None where none are, or links cannot be followed."""
    players = _players(problem, point)
    gain = float(problem.objective(problem.evaluator.values(point[None]).value)[0]) - problem.null_objective
    for count in POINTS:
        try:
            line = _at_points(problem, players, count, gain)
        except SimulationError:
            return None
        size = sum(map(abs, line.values)) if line is not None else 0.0
        if line is None or size == 0:
            return None
        if line.missed <= MISSED * size:
            return line
    return None


def _at_points(problem: Problem, players: tuple[_Player, ...], count: int, gain: float) -> _Line | None:
    places, weights = np.polynomial.legendre.leggauss(count)
    places, weights = (places + 1) / 2, weights / 2
    change = _sum_of(player.change for player in players)
    still = {**problem.decisions.null_paths(), **problem.evaluator.beside}
    paths = {key: path[:, np.newaxis] + np.zeros(count) for key, path in still.items()}
    paths |= {key: paths[key] + path[:, np.newaxis] * places for key, path in change.items()}
    runs, aims = simulate_all(problem.system, problem.grid, {}, paths), _aims(problem)
    links = influences(problem.system, problem.grid, runs, change, aims)
    if links is None:
        return None
    routes = Routes(links, {key: aim[:, np.newaxis] * weights for key, aim in aims.items()})
    values = tuple(routes.value(routes.put_in(player.change)) for player in players)
    return _Line(players, routes, weights, values, abs(sum(values) - gain))


def _sum_of(parts: Iterable[Mapping[str, Floats]]) -> dict[str, Floats]:
    total: dict[str, Floats] = {}
    for part in parts:
        for key, values in part.items():
            total[key] = total[key] + values if key in total else values
    return total


def _aims(problem: Problem) -> dict[str, Floats]:
    """Weights of variables in the objective: key -> (grid time,)."""
    rows = problem.objective_rows.items()
    functionals = problem.evaluator.functionals
    return _sum_of({key: w * weight for key, w in functionals[row].weights.items()} for row, weight in rows)


def _players(problem: Problem, point: Floats) -> tuple[_Player, ...]:
    """Decisions and programmes, those on one array together; costs of a programme go with its amount."""
    decisions, null = problem.decisions, problem.decisions.null_paths()
    chosen = tables.paths_of(problem, point)
    left = {key: path - null[key] for key, path in chosen.items()}
    costs: dict[str, dict[str, Floats]] = {}
    for plan in decisions.programmes:
        costs[plan.id] = {key: np.asarray(path[:, 0]) for key, path in plan.expand(point[None]).items()}
        for key, cost in costs[plan.id].items():
            left[key] = left[key] - cost
    groups: dict[str, list[DecisionPath]] = {}
    for path in decisions.paths:
        groups.setdefault(problem.system.variables[path.key].parts[0], []).append(path)
    return tuple(_player(name, paths, left, costs) for name, paths in groups.items())


def _player(
    name: str, paths: list[DecisionPath], left: dict[str, Floats], costs: Mapping[str, Mapping[str, Floats]]
) -> _Player:
    """Takes what it changes out of `left`, so that nothing counts twice."""
    keys = tuple(dict.fromkeys(path.key for path in paths))
    own = [{key: left.pop(key)} for key in keys if key in left]
    change = _sum_of([*own, *(costs[path.id] for path in paths if path.id in costs)])
    return _Player(paths[0].id if len(paths) == 1 else name, keys, change)


def _strongest(line: _Line, player: _Player) -> list[Route]:
    return line.routes.strongest(line.routes.put_in(player.change), ROUTES, LEAST, FORKS)


@dataclass(frozen=True)
class _Told:
    """What was found, as rows of the tables."""

    problem: Problem
    line: _Line
    null: Runs
    advice: Runs

    def decision(self, k: int, found: list[Route]) -> tuple[Any, ...]:
        """What a decision changes, and what that adds to the objective; of which over listed routes."""
        player, value = self.line.players[k], self.line.values[k]
        listed = sum((route.value for route in found), 0.0)
        name, _, unit, years = self._about(player.keys)
        ends = (self._mean(self.null, player.keys), self._mean(self.advice, player.keys))
        shares = (value, listed, value - listed, self.problem.objective_unit)
        return player.id, name, len(player.keys), *ends, unit, *years, *shares

    def steps(self, k: int, found: list[Route]) -> Iterator[tuple[Any, ...]]:
        """A row per variable of every route of a decision."""
        line, links = self.line, self.line.routes.links
        player = line.players[k]
        response = links.responses(line.routes.put_in(player.change))
        for number, route in enumerate(found, start=1):
            for step, (owner, branch) in enumerate(zip(route.owners, route.branches, strict=True)):
                keys = links.members[owner]
                name, kind, unit, years = self._about(keys)
                mine = {key: response[links.places[key][1:]] @ line.weights for key in keys}
                means = (self._mean(runs, keys) for runs in (self.null, self.advice, mine))
                carried = (branch, route.value, route.value / line.values[k], self.problem.objective_unit)
                yield player.id, number, step, name, kind, len(keys), *means, unit, *years, *carried

    def _about(self, keys: tuple[str, ...]) -> tuple[str, str, str, tuple[int, int]]:
        """Name, kind, unit and the years over which an average is taken."""
        variable = self.problem.system.variables[keys[0]]
        name = variable.name if len(keys) == 1 else variable.parts[0]
        years, last = self.problem.config.decision_years, ceil(self.problem.config.horizon.end) - 1
        end = years.last if keys[0] in self.problem.decisions.keys else last
        return name, variable.kind, variable.unit, (years.first, end)

    def _mean(self, runs: Runs, keys: tuple[str, ...]) -> float:
        """Average over the years and over the elements of an array."""
        (first, last), times = self._about(keys)[3], self.problem.grid.times
        inside = (times >= first - 1e-9) & (times < last + 1 - 1e-9)
        return float(np.mean([runs[key][inside].mean() for key in keys]))
