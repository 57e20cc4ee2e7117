"""A first allowed point with room on every constraint: cutting planes on the smallest slack."""

from __future__ import annotations

import numpy as np

from sdopt.errors import OptimisationError
from sdopt.optimise.archive import SLACK_NOISE, Archive, View, tangent_excess
from sdopt.optimise.infeasible.explain import ClashError, proves_clash
from sdopt.optimise.local_search import local_search
from sdopt.optimise.master import InfeasibleMasterError, Master
from sdopt.optimise.sample import find_vertices

ROUNDS = 60
ROOM = 0.1
"""Scaled slacks beyond this count as room enough; constraints with more get no cut."""
ENOUGH = 0.5
"""A point will do when it has this part of the most room that can be had."""
ELSEWHERE = 2000
"""Random points that are tried before a clash of constraints is reported."""
BROKEN = -1e-9
"""A most possible slack below this means that the constraints clash (scaled)."""


def find_interior(view: View, archive: Archive, touching: float, enough: float = ENOUGH) -> None:
    """Add points to the archive until one is allowed, with room where there is any.

    `touching` is the smallest scaled slack that still counts as allowed; `enough` the part of the most room
    that will do.

    Raises
    ------
    OptimisationError
        When the limits clash (named), or no allowed point is found.
    """
    problem = view.problem
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    if most_room(view, archive) > 0:
        return
    master = Master(lower, upper, problem.rules, ROOM)
    used = 0
    for _ in range(ROUNDS):
        used = _add_cuts(master, view, archive, used)
        try:
            answer = master.solve()
        except InfeasibleMasterError:
            raise ClashError(view, archive) from None
        if answer.dual_bound < BROKEN:
            return _look_elsewhere(view, archive, touching)
        if most_room(view, archive) >= min(enough * answer.dual_bound, answer.dual_bound + touching):
            return
        archive.add(answer.point[None])
    if most_room(view, archive) < touching:
        raise OptimisationError("no allowed allocation was found: relax a constraint or a bound.")


def _look_elsewhere(view: View, archive: Archive, touching: float) -> None:
    """No tangent allows a point: that proves a clash if the constraints are concave, so look which are.

    Raises
    ------
    OptimisationError
        When those clash, or when several searches from random places find no allowed point either.
    """
    problem = view.problem
    random = np.random.default_rng(problem.config.search.seed)
    points = find_vertices(problem, random).draw(ELSEWHERE, random)
    values = problem.evaluator.values(points).value
    room = view.slacks(values).min(axis=1)
    if room.max() < touching:
        above = tangent_excess(view, archive, points, values)[1]
        doubtful = np.flatnonzero(above > SLACK_NOISE).tolist()
        if not doubtful or proves_clash(view, archive, doubtful):
            raise ClashError(view, archive, doubtful)
    nearest = points[np.argsort(-room)[: problem.config.search.starts]]
    if room.max() >= touching:
        archive.add(nearest[:1])
        return
    local_search(view, archive, nearest, ROUNDS, lambda *_: None)
    if most_room(view, archive) < touching:
        raise OptimisationError(
            "no allowed allocation was found, from several starts either. A limit is not concave in the "
            f"decisions, so this is no proof that there is none. What came nearest:{_missed(view, archive)}"
        )


def _missed(view: View, archive: Archive) -> str:
    """The limits that the archive's nearest point breaks, in the config's words, and by how much."""
    slacks = view.slacks(archive.values)
    room = np.where(view.meets_rules(archive.points), slacks.min(axis=1), -np.inf)
    nearest = slacks[int(np.argmax(room))]
    worst: dict[str, tuple[float, float]] = {}
    for limit, slack in zip(view.problem.constraints, nearest, strict=True):
        label = f"{limit.functional.name} ({limit.functional.year})"
        if slack < 0:
            worst[label] = min(worst.get(label, (0.0, 0.0)), (float(slack), float(slack * limit.scale)))
    return "".join(
        f"\n  * {label} is missed by {-amount:.4g}"
        for label, (_, amount) in sorted(worst.items(), key=lambda item: item[1])
    )


def most_room(view: View, archive: Archive) -> float:
    """Largest smallest slack (scaled) of an archived point that meets the rules; -inf when none does."""
    room = view.slacks(archive.values).min(axis=1, initial=ROOM)
    return float(np.where(view.meets_rules(archive.points), room, -np.inf).max())


def roomiest(view: View, archive: Archive) -> int:
    """Position of the archive's allowed point with most room."""
    room = view.slacks(archive.values).min(axis=1, initial=np.inf)
    return int(np.argmax(np.where(view.meets_rules(archive.points), room, -np.inf)))


def _add_cuts(master: Master, view: View, archive: Archive, used: int) -> int:
    slacks, slopes = view.slacks(archive.values), view.slack_gradients(archive.gradients)
    for k in range(used, len(archive.points)):
        for row in np.flatnonzero(slacks[k] < ROOM):
            master.add_objective_cut(float(slacks[k, row]), slopes[k, row], archive.points[k])
    return len(archive.points)
