"""Least largest regret: what every scenario could give by itself, worked out where it matters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import Archive
from sdopt.optimise.audit import OBJECTIVE_NOISE, ROUNDING
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.robust.audit import Sample
from sdopt.optimise.robust.bends import seen_bends
from sdopt.optimise.robust.limit_cuts import LimitCuts, Region
from sdopt.optimise.robust.measures import Measure
from sdopt.optimise.robust.question import Question, ask
from sdopt.optimise.robust.readings import Reader, Reading, part_of
from sdopt.optimise.robust.solve import SLIGHT, RobustFound, Shared, solve
from sdopt.optimise.robust.tangents import Tangents
from sdopt.optimise.tangents import NEAR
from sdopt.result import Status

Floats = NDArray[np.float64]

SHARPER = 0.2
"""The best of a scenario is sought to this part of the gap that is asked of the regret."""
HALF = 0.5
"""Of the gap that is asked, this part may come from the bests, and the rest from the search."""
MOST = 30
"""Most scenarios that get a search of their own; of others the tangents that are known give a bound."""
BATCH = 10
"""So many scenarios are worked out between two searches for the least regret."""


@dataclass(frozen=True)
class ScenarioBests:
    """What every scenario could give by itself: `found`, and an upper `bound` on it, both (scenario,).

    A bound is infinite where it is not proved. `worked_out` says which had a search of their own. `unsure`
    (scenario,) are bounds that were raised by what a check found, or lean on cuts that were.
    """

    found: Floats
    bound: Floats
    worked_out: NDArray[np.bool_]
    unsure: NDArray[np.bool_] | None = None

    @property
    def unproved(self) -> int:
        """In how many scenarios there is no bound."""
        return int(np.isinf(self.bound).sum())

    def regret(self, improvement: Floats) -> tuple[float, float]:
        """The largest regret of improvements (scenario,): at least, and at most."""
        return float((self.found - improvement).max()), float((self.bound - improvement).max())


def least_regret(
    shared: Shared, progress: Progress, bests: ScenarioBests | None = None
) -> tuple[RobustFound, ScenarioBests]:
    """The allocation with the least largest regret, and what scenarios could give by themselves.

    `bests` are used where they are given; else a scenario's best is worked out when its regret may be the
    largest. The bound on the measure is that for the bests that were found: true ones are at least as high,
    so the true regret is at least as large. That of the allocation is the largest their bounds allow.
    """
    gap, given = shared.robust.gap, bests is not None
    if bests is None:
        solve(shared, Measure("expected", shared.probability), progress)  # tangents in every scenario
        bests = _first_bests(shared)
    halved = replace(shared, robust=shared.robust.model_copy(update={"gap": HALF * gap}))
    disproved = shared.disproved
    while True:
        measure = Measure("regret", shared.probability, best=bests.found)
        found = solve(halved, measure, progress)
        known, disproved = disproved, halved.disproved
        if disproved - known and not given:  # bounds may have leaned on these
            bests = replace(_bounded(halved, bests), worked_out=np.zeros_like(bests.worked_out))
        sound = bests if given else _sound(bests, found, gap)
        contenders = _contenders(bests, found.reading.improvement, gap)
        enough = not len(contenders) or bests.worked_out.sum() >= MOST
        if enough or shared.stop.reason() is not None:
            return _with_regret(shared, found, sound), sound
        for scenario in contenders[:BATCH]:
            if shared.stop.reason() is None:
                bests = _work_out(shared, bests, int(scenario))


def _sound(bests: ScenarioBests, found: RobustFound, gap: float) -> ScenarioBests:
    """The same, without bounds of scenarios in which the audit finds the improvement not concave.

    Where it is so by little, the bound is raised by as much, and unsure.
    """
    odd, above = found.audit.scenarios, found.audit.above
    slight = above <= SLIGHT * gap * abs(found.value)
    bound = np.where(odd, np.where(slight, bests.bound + above, np.inf), bests.bound)
    unsure = odd & slight if bests.unsure is None else bests.unsure | (odd & slight)
    return replace(bests, bound=bound, unsure=unsure)


def _contenders(bests: ScenarioBests, improvement: Floats, gap: float) -> NDArray[np.intp]:
    """Scenarios that may have the largest regret, and had no search of their own; the largest first."""
    least, most = bests.regret(improvement)
    regret = bests.bound - improvement
    enough = least + HALF * gap * max(abs(least), abs(most) if np.isfinite(most) else 0.0)
    order = np.argsort(-regret, kind="stable")
    return order[(regret[order] > enough) & ~bests.worked_out[order]]


def _with_regret(shared: Shared, found: RobustFound, bests: ScenarioBests) -> RobustFound:
    """The same, with a gap that counts what is not known of the bests.

    That no allocation has less regret than the bound says holds all the same: true bests are at least as high
    as those that were found. How much the regret of this one is at most may not be known: no gap then.
    """
    most = bests.regret(found.reading.improvement)[1]
    if found.bound is None or not np.isfinite(most):
        status = _weaker(shared, Status.LOCAL)
        return replace(found, gap=None, status=status, unproved=bests.unproved)
    part = max(most + found.bound, 0.0) / abs(most) if most else 0.0
    unsure = bests.unsure is not None and bool(bests.unsure.any())
    if unsure or found.status is Status.LOCAL:
        status = Status.LOCAL
    else:
        status = Status.OPTIMAL if part <= shared.robust.gap else Status.ITERATION_LIMIT
    return replace(found, gap=part, status=_weaker(shared, status))


def _weaker(shared: Shared, status: Status) -> Status:
    """That the search was stopped, if so, and else what is given."""
    stopped = shared.stop.reason()
    return stopped if stopped is not None and status is not Status.OPTIMAL else status


def _first_bests(shared: Shared) -> ScenarioBests:
    """The best that is known for each scenario, and a bound from the tangents there are."""
    ensemble = shared.reader.ensemble
    question = ask(ensemble, Measure("expected", shared.probability), shared.robust)
    view, points = question.view, shared.archive.points
    central = view.meets_rules(points) & (view.slacks(shared.archive.values) >= 0).all(axis=1)
    readings = [shared.reader.read(point) for point in points]
    values = np.array([one.improvement for one in readings])
    for limit in question.limits:
        values[np.array([limit.broken(one.slacks) for one in readings])] = -np.inf
    values[~central] = -np.inf
    found = values.max(axis=0)
    if np.isneginf(found).any():
        raise OptimisationError(
            f"regret is not defined: in {np.isneginf(found).sum()} of {ensemble.count} scenarios no known "
            "allocation meets the limits, so that there is no best to compare with. Leave regret out of "
            "robust.measures, or relax the limits that must hold there."
        )
    return _bounded(shared, ScenarioBests(found, found, np.zeros(ensemble.count, dtype=bool)))


def _bounded(shared: Shared, bests: ScenarioBests) -> ScenarioBests:
    """The same, with bounds from all tangents there are."""
    question = ask(shared.reader.ensemble, Measure("expected", shared.probability), shared.robust)
    region, bent = _region(shared, question)
    bound = np.array([_bound(shared, region, s) for s in range(len(bests.found))])
    noise = OBJECTIVE_NOISE * np.abs(bound) + ROUNDING * np.abs(shared.reader.ensemble.null_objective)
    odd = bests.found > bound + noise  # it is not concave there: no proof
    bound = np.where(odd, np.inf, np.maximum(bound, bests.found))
    return replace(bests, bound=bound, unsure=np.full(len(bound), bent))


def _region(shared: Shared, question: Question) -> tuple[Region, bool]:
    """What rules and limits at central values allow, and whether cuts were raised for it."""
    nothing: frozenset[int] = frozenset()
    rows = [(rule.weights, rule.limit, nothing) for rule in question.problem.rules]
    view, archive, left_out = question.view, shared.archive, shared.disproved
    bends = shared.central_audit and seen_bends(view, archive, shared.central_audit)
    slacks, slopes, bent = view.slacks(archive.values), view.slack_gradients(archive.gradients), False
    for place, k in np.argwhere(slacks < NEAR):
        position, slope, point = question.central[k], slopes[place, k], archive.points[place]
        lift = 0.0
        if position in left_out:
            if not bends:
                continue
            lift, bent = bends.lift(int(k), float(slacks[place, k]), slope, point), True
        limit = float(slacks[place, k] + lift - slope @ point)
        rows.append((-slope, limit, frozenset({position})))
    lower, upper = question.problem.decisions.lower(), question.problem.decisions.upper()
    weights = np.array([row[0] for row in rows]).reshape(len(rows), len(lower))
    limits, rests_on = np.array([row[1] for row in rows]), tuple(row[2] for row in rows)
    return Region(weights, limits, lower, upper, rests_on), bent


def _bound(shared: Shared, region: Region, scenario: int) -> float:
    """An upper bound on the best of a scenario, from its tangents; worked out from multipliers."""
    tangents = [_of(one, scenario) for one in shared.reader.store.held if scenario in one.chosen]
    size, count = len(region.lower), len(tangents)
    slopes = np.array([one.slopes[0] for one in tangents])
    heights = np.array([one.heights[0] - one.slopes[0] @ one.point for one in tangents])
    weights = np.vstack(
        [np.column_stack([-slopes, np.ones(count)]), np.pad(region.weights, ((0, 0), (0, 1)))]
    )
    limits = np.append(heights, region.limits)
    bounds = [*np.column_stack([region.lower, region.upper]), (None, None)]
    answer = linprog(-np.eye(1, size + 1, size)[0], weights, limits, bounds=bounds, method="highs")
    if answer.status != 0:
        return np.inf
    prices = np.maximum(-answer.ineqlin.marginals, 0.0)
    prices[:count] /= prices[:count].sum()
    reduced = -(prices @ weights)[:size]
    over_box = np.where(reduced > 0, reduced * region.upper, reduced * region.lower).sum()
    return float(prices @ limits + over_box)


def _work_out(shared: Shared, bests: ScenarioBests, scenario: int) -> ScenarioBests:
    """A search for the best of one scenario, from all that is known of it."""
    alone = _alone(shared, scenario)
    best = solve(alone, Measure("expected", np.ones(1)), lambda *_: None)
    # Limits at central values are the same in every scenario: bounds of others lean on them too.
    shared.left_out |= alone.disproved & set(ask(alone.reader.ensemble, best.measure, alone.robust).central)
    found, bound, worked_out = bests.found.copy(), bests.bound.copy(), bests.worked_out.copy()
    found[scenario] = max(found[scenario], best.value)
    proved = np.inf if best.bound is None else best.bound
    bound[scenario] = max(min(bound[scenario], proved) if np.isfinite(proved) else np.inf, found[scenario])
    worked_out[scenario] = True
    unsure = np.zeros(len(found), dtype=bool) if bests.unsure is None else bests.unsure.copy()
    unsure[scenario] |= best.status is Status.LOCAL
    return ScenarioBests(found, bound, worked_out, unsure)


def _alone(shared: Shared, scenario: int) -> Shared:
    """What is known of one scenario."""
    chosen = np.array([scenario])

    def of(one: Reading) -> Reading:
        return Reading(one.point, one.improvement[chosen], one.slacks[chosen])

    reader = Reader(part_of(shared.reader.ensemble, chosen))
    reader.known = {key: of(one) for key, one in shared.reader.known.items()}
    reader.store.held = [_of(one, scenario) for one in shared.reader.store.held if scenario in one.chosen]
    reader.sloped = {one.point.tobytes(): [one] for one in reader.store.held}
    drawn, known = shared.sample, shared.archive
    sample = drawn and Sample(
        tuple(map(of, drawn.ends)), tuple(map(of, drawn.middle)), drawn.partner, drawn.parts
    )
    robust = shared.robust.model_copy(update={"gap": SHARPER * shared.robust.gap})
    archive = Archive(known.problem)
    archive.points, archive.values, archive.gradients = known.points, known.values, known.gradients
    return replace(
        shared,
        robust=robust,
        reader=reader,
        archive=archive,
        limit_cuts=LimitCuts(reader),
        left_out=set(shared.left_out),
        sample=sample,
    )


def _of(tangents: Tangents, scenario: int) -> Tangents:
    """The tangent of one scenario, as that of an ensemble of one."""
    row = int(np.searchsorted(tangents.chosen, scenario))
    return Tangents(
        tangents.point,
        np.zeros(1, dtype=np.intp),
        tangents.heights[row : row + 1],
        tangents.slopes[row : row + 1],
    )
