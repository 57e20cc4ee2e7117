"""PySD runs an allocation of a question; every variable must agree with ours at every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sdopt.errors import ReplayError
from sdopt.optimise import tables
from sdopt.optimise.archive import Floats
from sdopt.problem.build import Problem
from sdopt.source_model.replay import REPLAY_TOLERANCE, Referee, compare


@dataclass(frozen=True)
class Replayed:
    """PySD's run of an allocation (index: time; a column per variable, by key), and what it gives.

    `difference` is the largest relative one, of `variable` (its name; None where nothing differs at all);
    `objective` is worked out on PySD's values.
    """

    theirs: pd.DataFrame
    difference: float
    variable: str | None
    objective: float


def replay_run(referee: Referee, problem: Problem, paths: Mapping[str, Floats]) -> pd.DataFrame:
    """PySD's run with the question's constants and these paths (steps + 1,) by key."""
    constants = {key: value for key, value in problem.changed_constants.items() if key not in paths}
    return referee.run(constants, paths)


def replay_checked(
    referee: Referee, problem: Problem, paths: Mapping[str, Floats], about: str = ""
) -> Replayed:
    """The same, held against our own run; `about` begins the message, such as `form "steady": `.

    Raises
    ------
    ReplayError
        When a variable differs by more than `REPLAY_TOLERANCE`.
    """
    theirs = replay_run(referee, problem, paths)
    worst = compare(tables.simulate(problem, paths), theirs)
    name = problem.system.variables[worst.worst_variable].name if worst.worst_variable else None
    if not worst.largest <= REPLAY_TOLERANCE:
        raise ReplayError(
            f'{about}PySD disagrees on "{name}" at time {worst.time:g}: relative difference '
            f"{worst.largest:.3g}, allowed {REPLAY_TOLERANCE:g}. No results were written; please report the "
            "model."
        )
    values = {str(key): theirs[key].to_numpy() for key in theirs.columns}
    return Replayed(theirs, worst.largest, name, tables.objective_of(problem, values))
