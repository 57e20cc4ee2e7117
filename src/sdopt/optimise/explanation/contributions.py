"""What every decision and every mechanism contributes to the return of the advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.equations.program import compile_program
from sdopt.equations.simulate import run
from sdopt.optimise.archive import Floats
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.mechanisms import Mechanism

EXACT = 12
"""Up to so many decisions every combination is simulated; beyond, orders are drawn."""
ORDERS = 200
"""Orders that are drawn, each with its reverse."""
COLUMNS = ("decision", "variable", "change", "alone", "put_back", "share", "standard_error", "unit")
MECHANISM_COLUMNS = (
    *("mechanism", "changes", "known", "with_mechanism", "without", "difference", "beats_null", "unit"),
)


@dataclass(frozen=True)
class Player:
    """One decision as a whole: its path over time in the null alternative and in the advice."""

    decision: str
    variable: str
    key: str


def decision_contributions(problem: Problem, point: Floats, seed: int) -> pd.DataFrame:
    """Per decision its average change a year, and what it gives.

    `alone`: gain when it alone follows the advice; `put_back`: loss when it alone does not; `share` is
    Shapley's: the average gain over all orders in which decisions can follow the advice, so that shares
    add up to the improvement. `standard_error` is 0 where all combinations were simulated.
    """
    players = [Player(p.id, p.name, p.key) for p in problem.decisions.paths]
    game = _Game(problem, point, tuple(dict.fromkeys(p.key for p in players)))
    count = len(game.keys)
    shares, errors = game.exact() if count <= EXACT else game.sampled(np.random.default_rng([seed, 9]))
    alone = game.worth(np.eye(count, dtype=bool))
    put_back = game.worth(np.ones((1, count), dtype=bool)) - game.worth(~np.eye(count, dtype=bool))
    rows = [
        (
            *(player.decision, player.variable, game.change(key), float(alone[k]), float(put_back[k])),
            *(float(shares[k]), float(errors[k]), problem.objective_unit),
        )
        for k, key in enumerate(game.keys)
        for player in [next(p for p in players if p.key == key)]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


class _Game:
    """What a combination of decisions that follow the advice gains over the null alternative."""

    def __init__(self, problem: Problem, point: Floats, keys: tuple[str, ...]) -> None:
        self.problem, self.keys = problem, keys
        self.point = point
        chosen = {k: np.asarray(path[:, 0]) for k, path in problem.decisions.expand(point[None]).items()}
        self.advice, self.null = chosen, problem.decisions.null_paths()
        self.starts = np.array([self._starts(key) for key in keys])

    def _starts(self, key: str) -> NDArray[np.bool_]:
        """Which entries of the decision vector say when a programme starts: its costs go with its amount."""
        decisions = self.problem.decisions
        mine, found = {path.id for path in decisions.paths if path.key == key}, np.zeros(decisions.size, bool)
        for plan in decisions.programmes:
            found[plan.columns()] = plan.id in mine
        return found

    def change(self, key: str) -> float:
        """Advice less null alternative, on average over the decision years, in the decision's unit."""
        years, times = self.problem.config.decision_years, self.problem.grid.times
        inside = (times >= years.first - 1e-9) & (times < years.last + 1 - 1e-9)
        return float((self.advice[key] - self.null[key])[inside].mean())

    def worth(self, follows: NDArray[np.bool_]) -> Floats:
        """Improvement of combinations (combination, decision) of yes and no: (combination,)."""
        paths = {
            key: np.where(follows[:, k], self.advice[key][:, None], self.null[key][:, None])
            for k, key in enumerate(self.keys)
        }
        if self.starts.any():
            started = np.where(follows @ self.starts, self.point, 0.0)
            expanded = self.problem.decisions.expand(started)
            paths |= {key: path for key, path in expanded.items() if key not in paths}
        values = self.problem.evaluator.measure_paths(paths)
        return np.asarray(self.problem.objective(values) - self.problem.null_objective)

    def exact(self) -> tuple[Floats, Floats]:
        """Shapley values from all combinations."""
        count = len(self.keys)
        numbers = np.arange(2**count)
        follows = (numbers[:, None] >> np.arange(count)) & 1 == 1
        worth, sizes = self.worth(follows), follows.sum(axis=1)
        weight = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
        shares = []
        for k in range(count):
            without = numbers[~follows[:, k]]
            shares.append(float(weight[sizes[without]] @ (worth[without | (1 << k)] - worth[without])))
        return np.array(shares), np.zeros(count)

    def sampled(self, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Shapley values and their standard errors from orders that are drawn, each with its reverse."""
        count = len(self.keys)
        pairs: list[Floats] = []
        for _ in range(ORDERS):
            order = random.permutation(count)
            pairs.append((self._along(order) + self._along(order[::-1])) / 2)
        found = np.array(pairs)
        return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(ORDERS)

    def _along(self, order: NDArray[np.intp]) -> Floats:
        """Gain of every decision when they follow the advice in this order."""
        rank = np.argsort(order)
        follows = rank[None, :] < np.arange(len(order) + 1)[:, None]
        gains = np.zeros(len(order))
        gains[order] = np.diff(self.worth(follows))
        return gains


def mechanism_contributions(
    problem: Problem, point: Floats, mechanisms: tuple[Mechanism, ...]
) -> pd.DataFrame:
    """Per mechanism: what the same allocation gains over the null alternative without it.

    `known` is no where a change is of something that is no constant of this model: nothing is said then.
    """
    chosen = {k: np.asarray(path[:, 0]) for k, path in problem.decisions.expand(point[None]).items()}
    known = [m for m in mechanisms if m.keys]
    gains = _gains(problem, chosen, [{}, *(dict(m.keys) for m in known)])
    found = dict(zip([m.name for m in known], gains[1:], strict=True))
    rows = [
        (
            *(m.name, "; ".join(f"{name} = {value:g}" for name, value in m.changes.items()), m.name in found),
            gains[0],
            found.get(m.name),
            gains[0] - found[m.name] if m.name in found else None,
            bool(found[m.name] > 0) if m.name in found else None,
            problem.objective_unit,
        )
        for m in mechanisms
    ]
    return pd.DataFrame(rows, columns=list(MECHANISM_COLUMNS))


def _gains(problem: Problem, paths: Mapping[str, Floats], changes: list[dict[str, float]]) -> list[float]:
    """Improvement of paths (time,) by key under every set of changed constants (key -> value)."""
    values, changed = constant_values(problem.system), sorted({key for one in changes for key in one})
    constants = {key: np.array([one.get(key, values[key]) for one in changes] * 2) for key in changed}
    null, count = problem.decisions.null_paths(), len(changes)
    both = {
        key: np.column_stack([np.repeat(path[:, None], count, 1), np.repeat(null[key][:, None], count, 1)])
        for key, path in paths.items()
    }
    functionals = [problem.evaluator.functionals[row] for row in problem.objective_rows]
    outputs = tuple(dict.fromkeys(key for f in functionals for key in f.weights))
    program = compile_program(problem.system, problem.grid, outputs, (*constants, *both))
    found = dict(zip(outputs, run(program, constants, both), strict=True))
    worth = sum(
        weight * sum(w @ found[key] for key, w in f.weights.items())
        for f, weight in zip(functionals, problem.objective_rows.values(), strict=True)
    )
    return [float(x) for x in np.asarray(worth)[:count] - np.asarray(worth)[count:]]
