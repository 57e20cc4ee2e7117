"""The same question under a simpler form of decision: fewer values, the same model, limits and return.

A form chooses `z`; the path per year `u` follows from it. Where `u = A z`, limits on `u` are linear in `z`
and the bound of a search holds as for the free path. Elsewhere they become constraints, measured where a
period begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.config.forms import FREE, NULL, Form, first_years
from sdopt.equations.program import compile_program
from sdopt.equations.simulate import simulate_all
from sdopt.equations.system import Variable
from sdopt.errors import FormError
from sdopt.problem.build import Problem
from sdopt.problem.decisions import DecisionPath, Decisions
from sdopt.problem.evaluate import Evaluator, functional_matrix
from sdopt.problem.feedback import Follower, beginnings, follower, with_followers
from sdopt.problem.form_decisions import (
    Choice,
    FormDecisions,
    FreeShares,
    LinearDecisions,
    RuleDecisions,
    places,
)
from sdopt.problem.functionals import Functional
from sdopt.problem.limits import SMALLEST_SCALE, ModelConstraint
from sdopt.problem.meaning import resolve
from sdopt.problem.rules import Rule

Floats = NDArray[np.float64]

LEAST_WIDTH = 1e-3
"""A followed variable is taken to differ by at least this share: it keeps the range of a response finite."""
ROUNDING = 1e-7
"""How far a path may pass a bound or rule, in the unit of the rule: as much as a free path may."""
PERCENT = 0.01
"""Responses are shown per percent of difference."""


@dataclass(frozen=True)
class FormProblem:
    """A question under one form.

    `starts` (start, choice) are places to begin a search. `within` is a linear form that this one contains:
    its best path is another place to begin. It is None where this form is linear itself.
    """

    name: str
    form: Form
    base: Problem
    problem: Problem
    decisions: FormDecisions
    starts: Floats
    within: FormProblem | None = None

    def allocation(self, point: Floats) -> Floats:
        """The path per year, as a decision vector of the question (decision,), of a choice (choice,)."""
        paths = {key: path.astype(float) for key, path in self.decisions.expand(point[None]).items()}
        if isinstance(self.decisions, RuleDecisions):
            paths = simulate_all(self.problem.system, self.problem.grid, {}, paths)
        return np.concatenate([paths[p.key][beginnings(p), 0] for p in self.base.decisions.paths])


def form_problem(base: Problem, name: str, form: Form, best: Floats) -> FormProblem:
    """A question under one of its forms; `best` (decision,) is the best free path that is known.

    Raises
    ------
    OptimisationError
        When no value of this form keeps within the bounds.
    """
    if form.periods is not None:
        return _linear(base, name, form, _by_period(base, form.periods), best)
    if form.shares_of == FREE:
        return _free_shares(base, name, form, best)
    if form.shares_of is not None:
        return _given_shares(base, name, form, form.shares_of, best)
    return _feedback(base, name, form, best)


@dataclass(frozen=True)
class _Matrix:
    """What is chosen, and how the path per year follows: `u = weights @ z`, weights (decision, choice)."""

    choices: tuple[Choice, ...]
    weights: Floats


def _by_period(base: Problem, periods: int | tuple[int, ...], only: Collection[str] | None = None) -> _Matrix:
    """One value per period; decisions that are not in `only`, if given, keep their own periods."""
    free = base.decisions
    starts = first_years(periods, free.first_year, free.last_year)
    choices: list[Choice] = []
    columns: list[int] = []
    for path in free.paths:
        own = [free.years_of(path, period)[0] for period in range(path.periods)]
        years = list(starts) if only is None or path.id in only else own
        columns += [len(choices) + bisect_right(years, year) - 1 for year in own]
        choices += [Choice(path.id, year, "amount", path.unit) for year in years]
    return _Matrix(tuple(choices), np.eye(len(choices))[columns])


def _given_shares(
    base: Problem, name: str, form: Form, total: str | tuple[float, ...], best: Floats
) -> FormProblem:
    free = base.decisions
    choices = [Choice(path.id, free.first_year, "share", "Dmnl") for path in free.paths]
    weights = np.kron(np.eye(len(choices)), _totals(base, total)[:, None]).astype(np.float64)
    exact = not isinstance(total, str) or total == NULL
    rules = _sum_of_shares(name, free.first_year, len(choices), len(choices), exact=exact)
    return _linear(base, name, form, _Matrix(tuple(choices), weights), best, rules)


def _totals(base: Problem, total: str | tuple[float, ...]) -> Floats:
    """The total of every decision year, (year,)."""
    free = base.decisions
    if not isinstance(total, str):
        return np.array(total)
    if total == NULL:
        totals = free.null_vector().reshape(len(free.paths), -1).sum(axis=0)
    else:
        caps = [rule for rule in base.rules if rule.name == total and rule.sense == "at_most"]
        totals = np.array([cap.limit for cap in caps])
    if not (totals > 0).all():
        message = f"{total}: the total is not above 0 in every year, so it has no shares."
        raise FormError("no_total", total, message)
    return np.asarray(totals)


def _sum_of_shares(name: str, year: int, count: int, size: int, *, exact: bool) -> tuple[Rule, ...]:
    """Shares, the first `count` of `size` choices, add up to one, or to at most one."""
    ones = np.where(np.arange(size) < count, 1.0, 0.0)
    most = Rule(f"{name}: shares add up", year, "at_most", "Dmnl", ones, 1.0)
    least = Rule(f"{name}: shares add up", year, "at_least", "Dmnl", -ones, -1.0, -1.0)
    return (most, least) if exact else (most,)


def _linear(
    base: Problem, name: str, form: Form, matrix: _Matrix, best: Floats, rules: tuple[Rule, ...] = ()
) -> FormProblem:
    """A form with `u = weights @ z`: its bounds and rules are those of the question in terms of `z`."""
    free, weights = base.decisions, matrix.weights
    used = weights > 0
    parts = np.where(used, weights, 1.0)
    low = np.where(used, free.lower()[:, None] / parts, -np.inf).max(axis=0)
    high = np.where(used, free.upper()[:, None] / parts, np.inf).min(axis=0)
    if (low > high).any():
        first = matrix.choices[int(np.argmax(low > high))]
        about = first.decision or ""
        message = f"{about}: no constant share of the total keeps within its bounds in every year."
        raise FormError("no_share", about, message)
    sizes = [sum(choice.decision == path.id for choice in matrix.choices) for path in free.paths]
    decisions = LinearDecisions(
        **_frame(free, sizes), choices=matrix.choices, low=low, high=high, matrix=weights
    )
    problem = replace(
        base,
        decisions=decisions,
        rules=(*(replace(rule, weights=rule.weights @ weights) for rule in base.rules), *rules),
        evaluator=replace(base.evaluator, decisions=decisions),
    )
    starts = np.array([decisions.fitted(path) for path in (free.null_vector(), best)])
    return FormProblem(name, form, base, problem, decisions, starts)


def _frame(free: Decisions, sizes: Sequence[int]) -> dict[str, Any]:
    """What the decisions of every form have in common; `sizes` are how many values each decision has."""
    firsts = np.cumsum([0, *sizes])
    paths = tuple(
        replace(path, first_column=int(first), periods=size)
        for path, first, size in zip(free.paths, firsts, sizes, strict=False)
    )
    return {"paths": paths, "first_year": free.first_year, "last_year": free.last_year, "free": free}


def _free_shares(base: Problem, name: str, form: Form, best: Floats) -> FormProblem:
    free = base.decisions
    count, years = len(free.paths), range(free.first_year, free.last_year + 1)
    choices = [Choice(path.id, free.first_year, "share", "Dmnl") for path in free.paths]
    choices += [Choice(None, year, "total", free.paths[0].unit) for year in years]
    low, high = (bound.reshape(count, -1) for bound in (free.lower(), free.upper()))
    least, most = low.sum(axis=0), high.sum(axis=0)
    smallest = (low / np.maximum(most, SMALLEST_SCALE)).max(axis=1)
    largest = np.minimum(high / np.maximum(least, SMALLEST_SCALE), 1.0).min(axis=1)
    decisions = FreeShares(
        **_frame(free, [1] * count),
        choices=tuple(choices),
        low=np.concatenate([smallest, least]),
        high=np.concatenate([largest, most]),
    )
    shares = _sum_of_shares(name, free.first_year, count, len(choices), exact=True)
    problem = _curved(replace(base, rules=shares), decisions, [*_bounds(base), *base.rules])
    within = _linear(base, name, form, _by_period(base, (free.first_year,)), best)
    return FormProblem(name, form, base, problem, decisions, decisions.fitted(best)[None], within)


def _bounds(base: Problem) -> list[Rule]:
    """The bounds of every decision in every year, as rules."""
    rows = []
    units = np.eye(base.decisions.size)
    for path in base.decisions.paths:
        for period in range(path.periods):
            year, unit = base.decisions.years_of(path, period)[0], units[path.first_column + period]
            low, high = path.rule.bounds
            rows.append(Rule(f"{path.id}: bounds", year, "at_most", path.unit, unit, high))
            rows.append(Rule(f"{path.id}: bounds", year, "at_least", path.unit, -unit, -low, -1.0))
    return rows


def _feedback(base: Problem, name: str, form: Form, best: Floats) -> FormProblem:
    free, follows = base.decisions, form.follows or {}
    runs = [_simulated(base, point) for point in (free.null_vector(), best)]
    followers = tuple(
        _follower(base, path, follows[path.id], form.relative_to, runs)
        for path in free.paths
        if path.id in follows
    )
    decisions = _rule_decisions(base, followers)
    ruled = np.flatnonzero(~decisions.matrix.any(axis=1))
    curved = [rule for rule in base.rules if rule.weights[ruled].any()]
    straight = [rule for rule in base.rules if not rule.weights[ruled].any()]
    mapped = tuple(replace(rule, weights=rule.weights @ decisions.matrix) for rule in straight)
    system = with_followers(base.system, [(one.path, one.followed) for one in followers])
    problem = _curved(replace(base, system=system, rules=mapped), decisions, curved)
    signals = {one.path.id: one.signal(runs[1][one.followed.key]) for one in followers}
    within = _linear(base, name, form, _by_period(base, (free.first_year,), follows), best)
    return FormProblem(name, form, base, problem, decisions, decisions.answering(best, signals)[None], within)


def _follower(
    base: Problem, path: DecisionPath, name: str, relative_to: str, runs: Sequence[dict[str, Floats]]
) -> Follower:
    """A rule whose width is the largest difference that `runs` show; the first is the null alternative."""
    followed = followed_variable(base, name)
    plain = follower(path, followed, runs[0][followed.key], relative_to)
    widest = max(float(np.abs(plain.signal(run[followed.key])).max()) for run in runs)
    return replace(plain, width=max(widest, LEAST_WIDTH))


def followed_variable(base: Problem, name: str) -> Variable:
    """The variable that a rule of a checked config names."""
    variable = resolve(name, base.system)
    if variable is None:
        raise AssertionError(f'"{name}" was found when the config was checked')
    return variable


def _simulated(base: Problem, point: Floats) -> dict[str, Floats]:
    """Every variable over time, (time,), for a decision vector of the question."""
    runs = simulate_all(base.system, base.grid, {}, dict(base.decisions.expand(point[None])))
    return {key: values[:, 0] for key, values in runs.items()}


def _rule_decisions(base: Problem, followers: Sequence[Follower]) -> RuleDecisions:
    """Level and response of every rule, and the other decisions as they are.

    A response may move a decision over its whole range when the difference is one width.
    """
    free, by_id = base.decisions, {one.path.id: one for one in followers}
    choices: list[Choice] = []
    limits: list[tuple[float, float]] = []
    columns: dict[int, int] = {}
    for path in free.paths:
        (low, high), rule = path.rule.bounds, by_id.get(path.id)
        if rule is not None:
            percent = PERCENT / rule.width
            choices.append(Choice(path.id, free.first_year, "level", path.unit))
            choices.append(Choice(path.id, free.first_year, "response", path.unit, percent))
            limits += [(low, high), (low - high, high - low)]
            continue
        for period in range(path.periods):
            columns[path.first_column + period] = len(choices)
            choices.append(Choice(path.id, free.years_of(path, period)[0], "amount", path.unit))
            limits.append((low, high))
    matrix = np.zeros((free.size, len(choices)))
    matrix[list(columns), list(columns.values())] = 1.0
    low_high = np.array(limits)
    sizes = [2 if path.id in by_id else path.periods for path in free.paths]
    return RuleDecisions(
        **_frame(free, sizes),
        choices=tuple(choices),
        low=low_high[:, 0],
        high=low_high[:, 1],
        followers=tuple(followers),
        matrix=matrix,
    )


def _curved(problem: Problem, decisions: FormDecisions, rules: Sequence[Rule]) -> Problem:
    """The problem with `rules` on the path per year as constraints on what the model does."""
    null = decisions.free.null_vector()
    first = len(problem.evaluator.functionals)
    functionals = (*problem.evaluator.functionals, *(_functional(rule, decisions.free) for rule in rules))
    keys = tuple(dict.fromkeys(key for functional in functionals for key in functional.weights))
    inputs = list(decisions.expand(decisions.null_vector()[None]))
    program = compile_program(problem.system, problem.grid, keys, inputs)
    matrix = functional_matrix(functionals, keys, problem.grid.steps + 1)
    limits = tuple(
        ModelConstraint(
            functionals[row], "decisions", row, "at_most", rule.limit + ROUNDING, 1.0, _scale(rule, null)
        )
        for row, rule in enumerate(rules, first)
    )
    return replace(
        problem,
        decisions=decisions,
        evaluator=Evaluator(program, decisions, functionals, matrix),
        constraints=(*problem.constraints, *limits),
        null_values=np.r_[problem.null_values, [rule.weights @ null for rule in rules]],
    )


def _functional(rule: Rule, free: Decisions) -> Functional:
    """The sum of a rule over the decisions where their periods begin."""
    weights: dict[str, Floats] = {}
    for path in free.paths:
        part = rule.weights[places(path)]
        if part.any():
            weights[path.key] = np.zeros(len(path.column))
            weights[path.key][beginnings(path)] = part
    return Functional(rule.name, rule.year, weights, rule.unit)


def _scale(rule: Rule, null: Floats) -> float:
    size = max(abs(rule.limit), float(np.abs(rule.weights) @ np.abs(null)))
    return size if size > SMALLEST_SCALE else 1.0
