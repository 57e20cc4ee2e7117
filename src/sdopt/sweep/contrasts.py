"""Pairs of allocations that differ in one decision: what the one gains over the other, for how much money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.config.units import amount_per_year
from sdopt.problem.build import Problem
from sdopt.problem.functionals import present_value
from sdopt.uncertainty.ensemble import Ensemble

Floats = NDArray[np.float64]
Kind = Literal["a little more", "as advised"]

WIDE = 2048
"""Scenarios that are simulated together, as far as there are that many."""


@dataclass(frozen=True)
class Contrast:
    """Is a decision worth it? The decision vector (decision,) with `more` of it against that with `less`.

    `a little more`: the null alternative with the decision raised, against the null alternative.
    `as advised`: the advice, against the advice with this decision as in the null alternative.
    """

    kind: Kind
    decision: str
    more: Floats
    less: Floats


def contrasts_of(problem: Problem, advice: Floats, part: float) -> tuple[Contrast, ...]:
    """Two contrasts per decision and programme, without those in which nothing changes.

    Parameters
    ----------
    advice : decision vector (decision,)
    part : how much a little more is, of today's value in every decision year; of the upper bound where today
        is nothing. It stays within the bounds; other rules are left aside. Programmes, which run or do not,
        have no little more.
    """
    null, columns = problem.decisions.null_vector(), columns_of(problem)
    found = []
    for name, chosen in columns.items():
        more, back = null.copy(), advice.copy()
        if not problem.decisions.whole[chosen].any():
            more[chosen] = little(problem, null, chosen, part)
        back[chosen] = null[chosen]
        found += [Contrast("a little more", name, more, null), Contrast("as advised", name, advice, back)]
    return tuple(one for one in found if not np.array_equal(one.more, one.less))


def columns_of(problem: Problem) -> dict[str, NDArray[np.intp]]:
    """Positions in the decision vector of every decision and programme, by id."""
    owner = {plan.start_label: plan.id for plan in problem.decisions.programmes}
    owners = [owner.get(label, label) for label, _ in problem.decisions.labels()]
    return {name: np.flatnonzero([one == name for one in owners]) for name in dict.fromkeys(owners)}


def little(problem: Problem, point: Floats, chosen: NDArray[np.intp], part: float) -> Floats:
    """Some positions of a decision vector (decision,), a part of today's value higher, within the bounds.

    Of the upper bound where today is nothing. With a part below zero they are lower.
    """
    upper, today = problem.decisions.upper()[chosen], problem.decisions.null_vector()[chosen]
    size = np.where(today == 0, upper, np.abs(today))
    return np.asarray(np.clip(point[chosen] + part * size, problem.decisions.lower()[chosen], upper))


def money_moved(problem: Problem, more: Floats, less: Floats) -> tuple[float, float]:
    """Present value of what one decision vector (decision,) costs more than another: net, and all moves.

    In the objective's unit. All moves is the sum of sizes, so that money that goes from one decision to
    another counts twice. nan when a decision that differs is not money, or another money than the objective.
    """
    decisions, times, config = problem.decisions, problem.grid.times, problem.config
    paths = [decisions.expand(point[None]) for point in (more, less)]
    told = {plan.runs_key for plan in decisions.programmes}  # whether a programme runs; its costs stand apart
    net = moves = 0.0
    for key in (key for key in decisions.keys if key not in told):
        extra = np.asarray(paths[0][key][:, 0] - paths[1][key][:, 0], dtype=np.float64)
        if not extra.any():
            continue
        unit = amount_per_year(problem.system.variables[key].unit)
        if unit != problem.objective_unit:
            return np.nan, np.nan
        weights = present_value(key, key, config, times, unit).weights[key]
        net, moves = net + float(weights @ extra), moves + float(weights @ np.abs(extra))
    return net, moves


def objectives(ensemble: Ensemble, points: Floats) -> Floats:
    """Objective of decision vectors (point, decision) in every scenario, (point, scenario); nan: it failed.

    Vectors that occur more than once are simulated once; several together where scenarios are few.
    """
    different, place = np.unique(points, axis=0, return_inverse=True)
    together = max(WIDE // ensemble.count, 1)
    groups = [different[first : first + together] for first in range(0, len(different), together)]
    found = np.concatenate([_together(ensemble, group) for group in groups])
    return np.where(np.isfinite(found), found, np.nan)[np.ravel(place)]


def _together(ensemble: Ensemble, points: Floats) -> Floats:
    """The same of some points in one go, (point, scenario)."""
    every = np.tile(np.arange(ensemble.count), len(points))
    wide = replace(ensemble, scenarios=ensemble.scenarios.part(every))
    values = wide.values(np.repeat(points, ensemble.count, axis=0))
    return ensemble.problem.objective(values).reshape(len(points), ensemble.count)


def contrast_gains(ensemble: Ensemble, contrasts: Sequence[Contrast]) -> Floats:
    """What every contrast gains in every scenario, (contrast, scenario), in the objective's unit."""
    both = np.array([[one.more for one in contrasts], [one.less for one in contrasts]])
    found = objectives(ensemble, both.reshape(-1, both.shape[-1]))
    return np.asarray(found[: len(contrasts)] - found[len(contrasts) :])
