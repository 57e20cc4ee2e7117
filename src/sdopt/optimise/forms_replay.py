"""PySD runs the best path of every form; a rule must give that path again from what PySD finds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdopt.config.forms import Form
from sdopt.errors import ReplayError
from sdopt.optimise import tables
from sdopt.optimise.archive import Floats
from sdopt.optimise.replay_check import replay_checked, replay_run
from sdopt.problem.build import Problem
from sdopt.problem.feedback import follower
from sdopt.problem.form_decisions import places
from sdopt.problem.forms import followed_variable
from sdopt.result import Result
from sdopt.source_model.replay import REPLAY_TOLERANCE, Referee

PER_PERCENT = 100.0
"""Responses in the tables are per percent."""


def verify_forms(result: Result, problem: Problem, referee: Referee) -> Result:
    """Replay every form's path as the tables have it; every variable must agree at every step.

    Raises
    ------
    ReplayError
        When a variable or the return differs by more than `REPLAY_TOLERANCE`, or a rule gives another path.
    """
    allocations, choices = result.tables["forms_allocation"], result.tables["forms_choices"]
    worst = 0.0
    null = replay_run(referee, problem, tables.paths_of(problem, problem.decisions.null_vector()))
    objectives = result.tables["forms"].set_index("form")["objective"]
    for name, table in allocations.groupby("form", sort=False):
        path = _path(problem, table)
        run = replay_checked(referee, problem, tables.paths_of(problem, path), f'form "{name}": ')
        _check_objective(str(name), run.objective, float(objectives[name]))
        worst = max(worst, run.difference)
        if name in problem.config.forms:
            chosen = choices[choices["form"] == name]
            _check_rules(problem, problem.config.forms[str(name)], chosen, path, (null, run.theirs))
    return result.with_figures(forms_replay_max_relative_difference=worst)


def _path(problem: Problem, table: pd.DataFrame) -> Floats:
    """The decision vector (decision,) that a table with decision, year and value says."""
    values = {(row.decision, row.year): row.value for row in table.itertuples()}
    return np.array([values[label] for label in problem.decisions.labels()], dtype=np.float64)


def _check_objective(name: str, found: float, ours: float) -> None:
    if not abs(found - ours) <= REPLAY_TOLERANCE * max(abs(found), abs(ours)):
        raise ReplayError(f'form "{name}": PySD finds a return of {found:.12g} instead of {ours:.12g}.')


def _check_rules(
    problem: Problem, form: Form, choices: pd.DataFrame, path: Floats, runs: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Work every rule out on the values that PySD found (`runs`: null alternative, this form)."""
    null, theirs = runs
    for one in problem.decisions.paths:
        if one.id not in (form.follows or {}):
            continue
        followed = followed_variable(problem, (form.follows or {})[one.id])
        rule = follower(one, followed, null[followed.key].to_numpy(), form.relative_to)
        said = choices[choices["decision"] == one.id].set_index("what")["value"]
        signal = PER_PERCENT * rule.signal(theirs[followed.key].to_numpy())
        found = rule.spending(said["level"], said["response"], signal)
        size = abs(said["level"]) + float(np.abs(said["response"] * signal).max())
        if not np.abs(found - path[places(one)]).max() <= REPLAY_TOLERANCE * size:
            raise ReplayError(
                f"the rule for {one.id} gives another path on PySD's {followed.name} than ours."
            )
