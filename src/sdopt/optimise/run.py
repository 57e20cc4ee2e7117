"""The room's door: `optimise` a problem, `simulate_allocation` without optimising, `verify` in PySD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.units import plain_unit
from sdopt.errors import ReplayError
from sdopt.optimise import tables
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.budget_table import budget_table
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.fiscal_table import fiscal_tables
from sdopt.optimise.ledger import convention_table, ledger_tables
from sdopt.optimise.search import Found, search
from sdopt.optimise.sensitivity import end_value_table, half_step_figures
from sdopt.problem.build import Problem
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, EVERY_VALUE, REPLAY_TOLERANCE, compare, replay

Floats = NDArray[np.float64]

NULL, ADVICE = "null", "advice"
EUROS = {"eur": 1.0, "million eur": 1e6}
"""Euros in one unit of money, by unit in plain form."""


def optimise(problem: Problem, run_name: str, progress: Progress) -> Result:
    """Find the best allocation and describe it.

    Raises
    ------
    OptimisationError
        When no allocation is allowed, naming the limits that clash.
    SimulationError
        When the model gives inf or nan for an allowed allocation.
    """
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    found = search(view, archive, problem.config.search, progress)
    result = _result(problem, found.status, found.point, run_name, _prices(found))
    result = result.with_tables(
        search=pd.DataFrame(
            [vars(step) for step in found.trace], columns=["iteration", "best", "bound", "gap"]
        ),
        audit=pd.DataFrame([vars(check) for check in found.audit.checks]).rename(
            columns={"name": "check", "tried": "points", "largest": "largest_violation"}
        ),
        end_value=end_value_table(problem, archive, found),
    )
    if found.starts:
        result = result.with_tables(starts=_starts_table(found))
    figures = {**_bound_figures(problem, found, archive), **half_step_figures(problem, found)}
    return result.with_figures(**figures)


def simulate_allocation(problem: Problem, point: Floats | None, run_name: str) -> Result:
    """The null alternative beside a given decision vector (decision,), or alone for None."""
    chosen = problem.decisions.null_vector() if point is None else point
    return _result(problem, Status.SIMULATED, chosen, run_name, None, alone=point is None)


def _result(
    problem: Problem,
    status: Status,
    point: Floats,
    run_name: str,
    prices: tuple[dict[int, float], Floats] | None,
    *,
    alone: bool = False,
) -> Result:
    null_paths = problem.decisions.null_paths()
    runs: dict[str, Mapping[str, Floats]] = {NULL: tables.simulate(problem, null_paths)}
    advice = problem.null_values
    if not alone:
        runs[ADVICE] = tables.simulate(problem, tables.paths_of(problem, point))
        advice = problem.evaluator.values(point[None]).value[0]
    objective = float(problem.objective(advice[None])[0])
    constraint_prices, rule_prices = prices or (None, None)
    return Result(
        status=status,
        title=problem.config.title,
        language=problem.config.output.language,
        figures={
            "objective": objective,
            "null_objective": problem.null_objective,
            "improvement": objective - problem.null_objective,
            "bound": None,
            "gap": None,
            "gap_amount": None,
            "gap_euro": None,
            "gap_reason": status.sentence,
            "objective_unit": problem.objective_unit,
            "seed": problem.config.search.seed,
            "time_step": problem.grid.step,
            "negative_stocks": tables.negative_stocks(problem, runs),
        },
        tables={
            "allocation": tables.allocation_table(problem, runs, run_name),
            "trajectories": tables.trajectory_table(problem, runs, run_name),
            "return": tables.return_table(problem, problem.null_values, advice),
            "constraints": tables.constraint_table(problem, advice, point, constraint_prices, rule_prices),
            "assumptions": tables.assumption_table(problem),
            "decisions": tables.decision_table(problem, point),
            **ledger_tables(problem, runs[NULL], runs.get(ADVICE, runs[NULL])),
            **convention_table(problem),
            **fiscal_tables(problem, runs[NULL], runs.get(ADVICE, runs[NULL])),
            **budget_table(problem, runs[NULL], runs.get(ADVICE, runs[NULL])),
        },
    )


def _prices(found: Found) -> tuple[dict[int, float], Floats] | None:
    """Gain of the objective per unit of relaxed limit: per constraint (scaled slack) and per rule."""
    answer = found.planes.answer
    if found.status not in (Status.OPTIMAL, Status.ITERATION_LIMIT) or answer is None:
        return None
    scale = found.planes.scale
    return {
        c: price * scale for c, price in answer.constraint_multipliers.items()
    }, answer.rule_multipliers * scale


def _starts_table(found: Found) -> pd.DataFrame:
    rows = [(k, o.improvement) for k, o in enumerate(found.starts)]
    frame = pd.DataFrame(rows, columns=["start", "objective"])
    return frame.assign(difference=frame["objective"] - found.improvement)


def _bound_figures(problem: Problem, found: Found, archive: Archive) -> dict[str, Any]:
    limits = problem.constraints
    leaning = sorted({limits[c].functional.name for c in found.planes.carriers()})
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    inside = (found.point > lower + 1e-6 * (upper - lower)) & (found.point < upper - 1e-6 * (upper - lower))
    figures: dict[str, Any] = {
        "iterations": len(found.trace),
        "evaluations": len(archive.points),
        "gap_tolerance": problem.config.search.gap,
        "replay_tolerance": REPLAY_TOLERANCE,
        "decisions": problem.decisions.size,
        "decisions_between_bounds": int(inside.sum()),
        "model_constraints_binding": _binding(problem, found.point),
    }
    if found.starts:
        figures["starts_spread"] = _spread(found)
    if found.bound is None:
        return {
            **figures,
            "gap_reason": "the return is not concave, so the bound is withdrawn",
            "bound_assumes": None,
            "bound_leans_on": [],
        }
    bound, amount = problem.null_objective + found.bound, max(found.bound - found.improvement, 0.0)
    return {
        **figures,
        "bound": bound,
        "gap": amount / found.bound if found.bound > 0 else None,
        "gap_amount": amount,
        "gap_euro": _in_euros(amount, problem.objective_unit),
        "gap_reason": None if found.bound > 0 else "no allowed allocation beats the null alternative",
        "bound_assumes": "the return is concave" + (f", and so are: {', '.join(leaning)}" if leaning else ""),
        "bound_leans_on": leaning,
    }


def _in_euros(amount: float, unit: str) -> float | None:
    """An amount of money in euros; None when the unit is not one of `EUROS`."""
    euros = EUROS.get(plain_unit(unit))
    return None if euros is None else amount * euros


def _spread(found: Found) -> float | None:
    """Distance between the best and the worst start, relative to the best improvement."""
    ends = [start.improvement for start in found.starts if start.improvement is not None]
    best = max(ends, default=0.0)
    return (best - min(ends)) / abs(best) if best else None


def _binding(problem: Problem, point: Floats) -> int:
    values = problem.evaluator.values(point[None]).value
    return int((problem.slacks(values)[0] <= tables.TOUCHING).sum())


def verify(result: Result, problem: Problem, model: SourceModel, allocation: str = ADVICE) -> Result:
    """Replay the allocation in PySD; every variable must agree at every step.

    Raises
    ------
    ReplayError
        When a variable differs by more than `REPLAY_TOLERANCE`.
    """
    point = result.tables["decisions"]["value"].to_numpy(dtype=float)
    paths = tables.paths_of(problem, point) if allocation == ADVICE else problem.decisions.null_paths()
    constants = {key: value for key, value in problem.changed_constants.items() if key not in paths}
    theirs = replay(model, constants, paths, problem.grid)
    worst = compare(tables.simulate(problem, paths), theirs)
    if not worst.largest <= REPLAY_TOLERANCE:
        name = problem.system.variables[worst.worst_variable].name
        raise ReplayError(
            f'PySD disagrees on "{name}" at time {worst.time:g}: relative difference {worst.largest:.3g}, '
            f"allowed {REPLAY_TOLERANCE:g}. No results were written; please report the model."
        )
    objective = _objective_of(problem, {str(key): theirs[key].to_numpy() for key in theirs.columns})
    return result.with_figures(
        replay_max_relative_difference=worst.largest,
        replay_worst_variable=problem.system.variables[worst.worst_variable].name
        if worst.worst_variable
        else None,
        replay_objective=objective,
        replay_check=f"{CHECKED[model.system.time.method]}; {EVERY_VALUE}",
    )


def _objective_of(problem: Problem, run: Mapping[str, Floats]) -> float:
    functionals = problem.evaluator.functionals
    return float(
        sum(
            weight * sum(float(w @ run[key]) for key, w in functionals[row].weights.items())
            for row, weight in problem.objective_rows.items()
        )
    )
