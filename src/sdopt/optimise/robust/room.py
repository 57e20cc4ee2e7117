"""A first allocation that meets the limits in their scenarios: cutting planes on the smallest slack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import OptimisationError
from sdopt.optimise.cutting_planes import TOUCHING
from sdopt.optimise.interior import BROKEN, ENOUGH, ROOM
from sdopt.optimise.master import InfeasibleMasterError, Master
from sdopt.optimise.robust.planes import RobustPlanes

Floats = NDArray[np.float64]

ROUNDS = 40
NAMED = 5
"""Limits that a message names."""


def find_room(planes: RobustPlanes) -> None:
    """Add allocations until one meets all limits that are imposed, with room where there is any.

    Raises
    ------
    OptimisationError
        When none does, naming the limits that are missed where it comes nearest.
    """
    problem = planes.question.problem
    master = Master(problem.decisions.lower(), problem.decisions.upper(), problem.rules, ROOM)
    used = 0
    for _ in range(ROUNDS):
        for place in range(used, len(planes.readings)):
            _add_cuts(planes, master, place)
        used = len(planes.readings)
        try:
            answer = master.solve()
        except InfeasibleMasterError:
            break
        most = max(planes.full_rooms())
        if answer.dual_bound < BROKEN or most >= min(
            ENOUGH * answer.dual_bound, answer.dual_bound + TOUCHING
        ):
            break
        if planes.stop.reason() is not None:
            return
        planes.take_in(answer.point)
    if max(planes.full_rooms()) < TOUCHING:
        raise OptimisationError(_message(planes))


def _add_cuts(planes: RobustPlanes, master: Master, place: int) -> None:
    """Tangents at one allocation of every limit that has little room there."""
    view, archive = planes.question.view, planes.archive
    slacks = view.slacks(archive.values[[place]])[0]
    slopes = view.slack_gradients(archive.gradients[[place]])[0]
    for k in np.flatnonzero(slacks < ROOM):
        master.add_objective_cut(float(slacks[k]), slopes[k], archive.points[place])
    for one in planes.limit_cuts.at(planes.question, planes.readings[place], ROOM):
        master.add_objective_cut(one.cut.value, one.cut.slope, one.cut.point)


def _message(planes: RobustPlanes) -> str:
    """Which limits are missed where most room is, in how many scenarios."""
    rooms = planes.full_rooms()
    place = int(np.argmax(rooms))
    reading, question = planes.readings[place], planes.question
    missed = [
        f"\n  * {limit.name}: broken in {question.broken_share(limit, reading.slacks):.1%} of the scenarios, "
        f"allowed in {limit.share:.1%}"
        for limit in question.limits
        if question.broken_share(limit, reading.slacks) > limit.share
    ]
    return (
        "no allowed allocation was found: the limits cannot all hold in as many scenarios as asked. What "
        f"came nearest misses:{''.join(missed[:NAMED])}\nAllow a limit to be broken in more scenarios "
        "(robust.probability_limits), or relax it."
    )
