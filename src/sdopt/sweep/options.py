"""What could be chosen beside the allocations compared: the advice with one decision changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import ADVICE
from sdopt.errors import SimulationError
from sdopt.problem.build import Problem
from sdopt.sweep.asked import Asked
from sdopt.sweep.chances import Sample
from sdopt.sweep.contrasts import columns_of, little
from sdopt.sweep.information import information_table, regret_table
from sdopt.sweep.rows import BROKEN
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
Change = Literal["as today", "a little more", "a little less"]

DRAWS = 100
"""Draws in which options are simulated at most: the first. A large sweep would be much slower with more."""

SAME = 1e-6
"""Part of the advice below which a change is rounding."""


@dataclass(frozen=True)
class Option:
    """The advice with one decision changed from a first to a last year: `point` (decision,)."""

    decision: str
    change: Change
    first_year: int
    last_year: int
    point: Floats

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"advice, {self.decision} {self.change}, {self.first_year}-{self.last_year}"


def options_of(problem: Problem, advice: Floats, part: float) -> tuple[Option, ...]:
    """The advice (decision,) with one decision as today, a little more and a little less, where allowed.

    In all decision years, or else in as many of the first or of the last as a change is allowed in: what
    breaks a rule, or a limit on model variables at central values, is no choice; nor is that for which the
    model gives no numbers there.

    Parameters
    ----------
    part : how much a little is, of today's value in every decision year, as for `contrasts_of`
    """
    found = list(_variants(problem, advice, part))
    kept = _allowed(problem, np.array([one.point for one in found])) if found else ()
    longest: dict[tuple[str, Change], Option] = {}
    for one, keep in zip(found, kept, strict=True):
        if keep:
            longest.setdefault((one.decision, one.change), one)
    return tuple(longest.values())


def _variants(problem: Problem, advice: Floats, part: float) -> Iterator[Option]:
    """All that differ from the advice, of one decision and change those in most years first.

    Programmes, which run or do not, have no little more or less, and are put back whole.
    """
    null, held = problem.decisions.null_vector(), _held(problem)
    for name, chosen in columns_of(problem).items():
        whole = bool(problem.decisions.whole[chosen].any())
        changed: dict[Change, Floats] = {"as today": null[chosen]}
        if not whole:
            changed["a little more"] = little(problem, advice, chosen, part)
            changed["a little less"] = little(problem, advice, chosen, -part)
        for change, values in changed.items():
            for years in [slice(None)] if whole else _years(len(chosen)):
                point = advice.copy()
                point[chosen[years]] = values[years]
                if not np.allclose(point, advice, rtol=SAME, atol=SAME * float(np.abs(advice).max())):
                    first, last = (held[at] for at in chosen[years][[0, -1]])
                    yield Option(name, change, first[0], last[-1], point)


def _held(problem: Problem) -> list[range]:
    """The years in which every entry of the decision vector holds; of a programme's start, that year."""
    decisions = problem.decisions
    amounts = [decisions.years_of(path, period) for path in decisions.paths for period in range(path.periods)]
    return amounts + [range(year, year + 1) for _, year in decisions.labels()[len(amounts) :]]


def _years(count: int) -> list[slice]:
    """All of so many years, then ever fewer of the first and of the last."""
    fewer = [part for left in range(count - 1, 0, -1) for part in (slice(left), slice(count - left, count))]
    return [slice(count), *fewer]


def _allowed(problem: Problem, points: Floats) -> NDArray[np.bool_]:
    """Whether decision vectors (point, decision) meet all rules, and the limits at central values."""
    values = _central(problem, points)
    allowed = np.isfinite(values).all(axis=1) & (problem.slacks(values) >= -BROKEN).all(axis=1)
    for rule in problem.rules:
        size = abs(rule.limit) + np.abs(points) @ np.abs(rule.weights)
        allowed &= points @ rule.weights <= rule.limit + BROKEN * size
    return np.asarray(allowed)


def _central(problem: Problem, points: Floats) -> Floats:
    """Every functional at central values, (point, functional); nan for a point where the model gives none."""
    try:
        return problem.evaluator.values(points).value
    except SimulationError:  # does not say which points fail: the halves do
        if len(points) == 1:
            return np.full((1, len(problem.evaluator.functionals)), np.nan)
        return np.concatenate([_central(problem, half) for half in np.array_split(points, 2)])


def option_tables(asked: Asked) -> dict[str, DataFrame]:
    """How good all that can be chosen from is, and what knowing is worth for that choice; by some runs more.

    Chosen can be between the allocations compared that are one for all, and what `options_of` adds; not what
    fails where the compared do not, as futures in which one fails are left out for all.

    Returns
    -------
    `options`: allocation, decision, change, first_year, last_year (of what was compared: empty and nan), then
    as `regret_table`, with error and regret_error (standard errors of mean and expected_regret);
    `information_options`: as `information_table`. Nothing when there is nothing to add.
    """
    plan, problem, unit = asked.plan, asked.problem, asked.problem.objective_unit
    options = options_of(problem, plan.allocations[ADVICE], asked.numbers["little more"])
    if not options:
        return {}
    first = _first(asked)
    scenarios = plan.scenarios.part(first)
    compared = [name for name in plan.names if plan.allocations[name].ndim == 1]
    others = np.array([asked.improvement(name)[first] for name in compared])
    gains = _gains(build_ensemble(problem, scenarios, asked.backend), options)
    sound = (np.isfinite(gains) | ~np.isfinite(others).all(axis=0)).all(axis=1)
    options = tuple(one for one, kept in zip(options, sound, strict=True) if kept)
    if not options:
        return {}
    improvement = np.concatenate([others, gains[sound]])
    names = [*compared, *(one.name for one in options)]
    drawn, seed = [one.name for one in asked.drawn], problem.config.search.seed
    table = regret_table(names, improvement, scenarios.weights, unit)
    table = table.assign(**_errors(improvement, asked.sample.part(first)))
    return {
        "options": _named(table, options),
        "information_options": information_table(improvement, scenarios, drawn, unit, seed),
    }


def _errors(improvement: Floats, sample: Sample) -> dict[str, list[float]]:
    """Standard errors of means and of expected regrets, per row of improvement (option, scenario)."""
    known = np.asarray(np.isfinite(improvement).all(axis=0))
    sound, part = improvement[:, known], sample.part(known)
    regret = sound.max(axis=0, initial=-np.inf) - sound
    return {
        name: [part.mean(values)[1] for values in of]
        for name, of in (("error", sound), ("regret_error", regret))
    }


def _first(asked: Asked) -> NDArray[np.intp]:
    """Positions of the scenarios of the first draws; of a grid, in which these are alike, at random."""
    scenarios, apart = asked.plan.scenarios, asked.apart
    draws = np.unique(scenarios.draw[apart])
    if asked.plan.design == "grid":
        draws = np.random.default_rng(asked.problem.config.search.seed).permutation(draws)
    return apart[np.isin(scenarios.draw[apart], draws[:DRAWS])]


def _gains(ensemble: Ensemble, options: Sequence[Option]) -> Floats:
    """Improvement of every option in every scenario, (option, scenario); all are simulated at once."""
    count = ensemble.count
    again = ensemble.scenarios.part(np.tile(np.arange(count), len(options)))
    points = np.repeat([one.point for one in options], count, axis=0)
    values = replace(ensemble, scenarios=again).values(points)
    return ensemble.problem.objective(values).reshape(len(options), count) - ensemble.null_objective


def _named(table: DataFrame, options: Sequence[Option]) -> DataFrame:
    """The table, whose last rows are the options, with what is changed in each."""
    others = len(table) - len(options)
    columns = {"decision": "", "change": "", "first_year": np.nan, "last_year": np.nan}
    for place, (column, nothing) in enumerate(columns.items(), 1):
        table.insert(place, column, [nothing] * others + [getattr(one, column) for one in options])
    return table
