"""The question of deciding in two stages, in the shape of that of one allocation for all scenarios.

All decisions of all groups are one long vector, of which each group uses a part. Decisions, rules, values at
central constants and values in every scenario are those of the long vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import ConfigError
from sdopt.problem.build import Problem
from sdopt.problem.decisions import Decisions
from sdopt.problem.evaluate import Evaluator, Values
from sdopt.problem.rules import Rule
from sdopt.uncertainty.ensemble import Ensemble
from sdopt.uncertainty.scenarios import Scenarios

Floats = NDArray[np.float64]

FEWEST, MOST = 2, 4
"""Groups that can be told apart."""


@dataclass(frozen=True)
class Learned:
    """What is learned: in which group the drawn value of a constant (its key) lies, or which future it is.

    `edges` (group - 1,) lie between the groups; `of_draw` (draw,) is the group of every draw number, in all
    external scenarios. When the external scenario is learned, `names` are the groups and `of_world` is the
    group of every position among the external scenarios; key and edges are empty then.
    """

    key: str
    edges: Floats
    of_draw: NDArray[np.intp]
    names: tuple[str, ...] = ()
    of_world: NDArray[np.intp] | None = None

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.names) or len(self.edges) + 1

    def groups(self, scenarios: Scenarios) -> NDArray[np.intp]:
        """Group of every scenario, (scenario,)."""
        if self.of_world is not None:
            return np.asarray(self.of_world[scenarios.world])
        return np.asarray(self.of_draw[scenarios.draw])


def learn(scenarios: Scenarios, key: str, groups: int) -> Learned:
    """Groups of about equally many draws, by the value of one drawn constant.

    Raises
    ------
    ConfigError
        When the constant is not drawn, has too few different values, or there are too few or many groups.
    """
    if key not in scenarios.keys or not FEWEST <= groups <= MOST:
        raise ConfigError(
            f"what is learned must be a constant that is drawn, in {FEWEST} to {MOST} groups; "
            f'found "{key}" in {groups}'
        )
    draws, first = np.unique(scenarios.draw, return_index=True)
    values = scenarios.values[scenarios.keys.index(key), first]
    edges = np.quantile(values, np.arange(1, groups) / groups)
    found = np.searchsorted(edges, values)
    if len(np.unique(found)) < groups:
        raise ConfigError(
            f'"{key}" has too few different values for {groups} groups; ask for fewer groups or more draws'
        )
    of_draw = np.zeros(int(draws.max()) + 1, dtype=np.intp)
    of_draw[draws] = found
    return Learned(key, edges, of_draw)


def learn_external(scenarios: Scenarios) -> Learned:
    """A group for every external scenario of which a scenario is left.

    Raises
    ------
    ConfigError
        When that is fewer than two.
    """
    left = np.unique(scenarios.world)
    if len(left) < FEWEST:
        raise ConfigError(
            f"fewer than {FEWEST} external scenarios in which the null alternative gives numbers; nothing is "
            "learned of which one holds"
        )
    of_world = np.zeros(len(scenarios.external), dtype=np.intp)
    of_world[left] = np.arange(len(left))
    names = tuple(scenarios.external[k].name for k in left)
    return Learned("", np.empty(0), np.empty(0, dtype=np.intp), names, of_world)


@dataclass(frozen=True)
class Stages:
    """Where the values of every group stand in the long vector: `columns` (group, decision).

    `now` (decision,) says what is decided before it is learned, and so is the same for all groups. The first
    group's values come first, in the usual order.
    """

    columns: NDArray[np.intp]
    now: NDArray[np.bool_]

    @classmethod
    def of(cls, decisions: Decisions, year: int, groups: int) -> Stages:
        """What begins before `year` is decided now."""
        starts = np.array([start for _, start in decisions.labels()])
        now, size = starts < year, decisions.size
        columns = np.tile(np.arange(size), (groups, 1))
        for group in range(1, groups):
            later = int((~now).sum())
            columns[group, ~now] = size + (group - 1) * later + np.arange(later)
        return cls(columns, now)

    @property
    def size(self) -> int:
        """Length of the long vector."""
        return int(self.columns.max()) + 1

    @property
    def origin(self) -> NDArray[np.intp]:
        """Which entry of a decision vector every entry of the long vector is, (long,)."""
        found = np.empty(self.size, dtype=np.intp)
        found[self.columns] = np.arange(self.columns.shape[1])
        return found

    def spread(self, weights: Floats, group: int) -> Floats:
        """Weights (..., decision) of one group as weights (..., long)."""
        found = np.zeros((*weights.shape[:-1], self.size))
        found[..., self.columns[group]] = weights
        return found


@dataclass(frozen=True)
class _LongDecisions(Decisions):
    """The long vector in place of the decision vector."""

    stages: Stages | None = None

    @property
    def _stages(self) -> Stages:
        if self.stages is None:
            raise AssertionError("a long vector has stages")
        return self.stages

    @cached_property
    def size(self) -> int:
        return self._stages.size

    @property
    def whole(self) -> NDArray[np.bool_]:
        return np.zeros(self.size, dtype=np.bool_)

    def lower(self) -> Floats:
        return np.asarray(self._short.lower()[self._stages.origin])

    def upper(self) -> Floats:
        return np.asarray(self._short.upper()[self._stages.origin])

    def null_vector(self) -> Floats:
        return np.asarray(self._short.null_vector()[self._stages.origin])

    def labels(self) -> list[tuple[str, int]]:
        listed = self._short.labels()
        return [listed[k] for k in self._stages.origin]

    @cached_property
    def _short(self) -> Decisions:
        return Decisions(self.paths, self.first_year, self.last_year)


@dataclass(frozen=True)
class _LongEvaluator(Evaluator):
    """Functionals of the first group, then of the second and on, at central values."""

    stages: Stages | None = None
    short: Evaluator | None = None

    def values(self, points: Floats) -> Values:
        short = self._asked[1].values(self._apart(points))
        return Values(short.value.reshape(len(points), -1))

    def with_gradients(self, points: Floats) -> Values:
        stages, evaluator = self._asked
        found = evaluator.with_gradients(self._apart(points))
        if found.gradient is None:
            raise AssertionError("with_gradients gave none")
        groups = len(stages.columns)
        slopes = found.gradient.reshape(len(points), groups, *found.gradient.shape[1:])
        long = [stages.spread(slopes[:, group], group) for group in range(groups)]
        return Values(found.value.reshape(len(points), -1), np.concatenate(long, axis=1))

    def _apart(self, points: Floats) -> Floats:
        """Decision vectors (point and group, decision) of long vectors (point, long)."""
        columns = self._asked[0].columns
        return points[:, columns].reshape(-1, columns.shape[1])

    @property
    def _asked(self) -> tuple[Stages, Evaluator]:
        if self.stages is None or self.short is None:
            raise AssertionError("a long vector has stages")
        return self.stages, self.short


@dataclass(frozen=True)
class _LongEnsemble(Ensemble):
    """What the long vector gives in every scenario; in its own group's part of it.

    Limits per scenario are none of its business: those hold at central values.
    """

    short: Ensemble | None = None
    stages: Stages | None = None
    learned: Learned | None = None

    @cached_property
    def null_values(self) -> Floats:
        return self._plain.null_values

    @cached_property
    def null_objective(self) -> Floats:
        return self._plain.null_objective

    def values(self, point: Floats) -> Floats:
        return self._plain.values(point[self._asked[0].columns[self._group]])

    def improvement(self, values: Floats) -> Floats:
        return self._plain.improvement(values)

    def slacks(self, values: Floats) -> Floats:
        return np.zeros((len(values), 0))

    def objective_slopes(self, point: Floats) -> tuple[Floats, Floats]:
        stages = self._asked[0]
        value, slope = np.empty(self.count), np.zeros((self.count, stages.size))
        for group in np.unique(self._group):
            members = np.flatnonzero(self._group == group)
            part = replace(self._plain, scenarios=self.scenarios.part(members))
            value[members], short = part.objective_slopes(point[stages.columns[group]])
            slope[members] = stages.spread(short, int(group))
        return value, slope

    @property
    def _asked(self) -> tuple[Stages, Learned, Ensemble]:
        if self.stages is None or self.learned is None or self.short is None:
            raise AssertionError("a long vector has stages")
        return self.stages, self.learned, self.short

    @property
    def _group(self) -> NDArray[np.intp]:
        """Group of every scenario, (scenario,)."""
        return self._asked[1].groups(self.scenarios)

    @cached_property
    def _plain(self) -> Ensemble:
        return replace(self._asked[2], scenarios=self.scenarios)


def _long_problem(problem: Problem, stages: Stages, shares: Floats) -> Problem:
    """The question with the long vector; its objective at central values counts groups by their shares."""
    rows, groups = len(problem.evaluator.functionals), range(len(stages.columns))
    evaluator = _LongEvaluator(
        **{**_fields(problem.evaluator), "functionals": problem.evaluator.functionals * len(groups)},
        stages=stages,
        short=problem.evaluator,
    )
    return replace(
        problem,
        decisions=_LongDecisions(**_fields(problem.decisions), stages=stages),
        rules=_long_rules(problem.rules, stages),
        evaluator=evaluator,
        objective_rows={
            group * rows + row: float(shares[group]) * weight
            for group in groups
            for row, weight in problem.objective_rows.items()
        },
        constraints=tuple(
            replace(one, row=group * rows + one.row) for group in groups for one in problem.constraints
        ),
        null_values=np.tile(problem.null_values, len(groups)),
    )


def _fields(one: object) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}  # type: ignore[arg-type]


def _long_rules(rules: Sequence[Rule], stages: Stages) -> tuple[Rule, ...]:
    """Every rule in every group; those on what is decided now once."""
    found: dict[tuple[int, bytes], Rule] = {}
    for number, rule in enumerate(rules):
        for group in range(len(stages.columns)):
            weights = stages.spread(rule.weights, group)
            found.setdefault((number, weights.tobytes()), replace(rule, weights=weights))
    return tuple(found.values())


def long_ensemble(ensemble: Ensemble, learned: Learned, stages: Stages) -> Ensemble:
    """An ensemble of long vectors (long,) for decision vectors; limits hold at central values only."""
    group, weights = learned.groups(ensemble.scenarios), ensemble.scenarios.weights
    shares = np.bincount(group, weights, learned.count).astype(np.float64)
    parts = {**_fields(ensemble), "problem": _long_problem(ensemble.problem, stages, shares)}
    return _LongEnsemble(**parts, short=ensemble, stages=stages, learned=learned)
