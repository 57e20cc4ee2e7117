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
from sdopt.optimise.certificate.certify import Certificate
from sdopt.optimise.certificate.run import Asked, certificate_figures, certificate_tables, certified
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.explanation.run import explained
from sdopt.optimise.fiscal_table import fiscal_tables
from sdopt.optimise.forms import form_tables
from sdopt.optimise.forms_replay import verify_forms
from sdopt.optimise.ledger import convention_table, ledger_tables
from sdopt.optimise.memory import Memory
from sdopt.optimise.search import Found, search
from sdopt.optimise.sensitivity import end_value_table, half_step_figures
from sdopt.optimise.stopping import NEVER, STOPPED
from sdopt.optimise.whole_numbers.search import WholeFound, search_whole
from sdopt.optimise.whole_numbers.tables import programme_tables
from sdopt.problem.build import Problem
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, EVERY_VALUE, REPLAY_TOLERANCE, compare, replay

Floats = NDArray[np.float64]

NULL, ADVICE = "null", "advice"
EUROS = {"eur": 1.0, "million eur": 1e6}
"""Euros in one unit of money, by unit in plain form."""


def optimise(
    problem: Problem,
    run_name: str,
    progress: Progress,
    crew: Crew | None = None,
    memory: Memory | None = None,
    *,
    explain: bool = False,
    certify: Asked | None = None,
) -> Result:
    """Find the best allocation and describe it; `explain` adds why it is the answer, `certify` a proof.

    `crew` says with how many processes, and when to stop early; `memory` is what was worked out before.

    Raises
    ------
    OptimisationError
        When no allocation is allowed, naming the limits that clash.
    SimulationError
        When the model gives inf or nan for an allowed allocation.
    """
    crew = crew or Crew()
    view, archive = View(problem, problem.objective_rows), Archive(problem, memory or Memory())
    archive.add(problem.decisions.null_vector()[None])
    found = _search(view, archive, progress, crew)
    prices, certificate = _prices(found), None
    if certify is not None and found.status not in STOPPED:
        found, certificate = certified(problem, found, certify, crew.stop)
    # Only a search that was stopped leaves the rest unfinished: otherwise time would change the results.
    stop = crew.stop if found.status in STOPPED else NEVER
    asked, archive = found.planes.view.problem, found.planes.archive  # its programmes, if any, are fixed
    result = _result(problem, found.status, found.point, run_name, prices)
    result = result.with_tables(
        search=pd.DataFrame(
            [vars(step) for step in found.trace], columns=["iteration", "best", "bound", "gap"]
        ),
        audit=pd.DataFrame([vars(check) for check in found.audit.checks]).rename(
            columns={"name": "check", "tried": "points", "largest": "largest_violation"}
        ),
        end_value=end_value_table(asked, archive, found, stop),
    )
    if found.starts:
        result = result.with_tables(starts=_starts_table(found))
    if problem.config.forms and found.status not in STOPPED:
        result = result.with_tables(**form_tables(problem, found, progress))
    figures = {**_bound_figures(problem, found, archive), **half_step_figures(asked, found, stop)}
    if isinstance(found, WholeFound):
        result = result.with_tables(**programme_tables(problem, found.point))
        figures["programmes_bound"] = found.concave if found.bound is not None else None
        figures |= {"programme_choices_searched": found.patterns, "branch_and_bound_nodes": found.nodes}
    if certificate is not None:
        result = result.with_tables(**certificate_tables(problem, certificate))
        figures |= _certified_figures(problem, certificate)
    elif certify is not None:
        figures["certificate_stopped"] = True
    result = result.with_figures(**figures)
    if explain and found.status in STOPPED:
        return result.with_figures(explanation_stopped=True)
    return explained(result, found, progress, crew.stop) if explain else result


def _search(view: View, archive: Archive, progress: Progress, crew: Crew) -> Found:
    """The search that fits: with whole numbers where there are programmes."""
    settings = view.problem.config.search
    if view.problem.decisions.programmes:
        return search_whole(view, archive, settings, progress, crew)
    return search(view, archive, settings, progress, crew)


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
    if found.bound is None or found.status is Status.LOCAL or answer is None:
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
    carriers = found.leaning if isinstance(found, WholeFound) else found.planes.carriers()
    assumes = found.assumes if isinstance(found, WholeFound) else "the return is concave"
    leaning = sorted({limits[c].functional.name for c in carriers})
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    inside = (found.point > lower + 1e-6 * (upper - lower)) & (found.point < upper - 1e-6 * (upper - lower))
    figures: dict[str, Any] = {
        "iterations": len(found.trace),
        "evaluations": len(archive.points),
        "bound_leaves_out": sorted({limits[c].functional.name for c in found.planes.left_out}),
        "gap_tolerance": problem.config.search.gap,
        "replay_tolerance": REPLAY_TOLERANCE,
        "decisions": int((~problem.decisions.whole).sum()),
        "decisions_between_bounds": int((inside & ~problem.decisions.whole).sum()),
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
        "bound_assumes": assumes + (f", and so are: {', '.join(leaning)}" if leaning else ""),
        "bound_leans_on": leaning,
    }


def _in_euros(amount: float, unit: str) -> float | None:
    """An amount of money in euros; None when the unit is not one of `EUROS`."""
    euros = EUROS.get(plain_unit(unit))
    return None if euros is None else amount * euros


def _certified_figures(problem: Problem, certificate: Certificate) -> dict[str, Any]:
    """The figures of the certificate, with what it leaves to gain in euros where that is money."""
    figures = certificate_figures(problem, certificate)
    amount = figures["certified_gap_amount"]
    euros = None if amount is None else _in_euros(amount, problem.objective_unit)
    return {**figures, "certified_gap_euro": euros}


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
    objective = tables.objective_of(problem, {str(key): theirs[key].to_numpy() for key in theirs.columns})
    if allocation == ADVICE and "forms_allocation" in result.tables:
        result = verify_forms(result, problem, model)
    return result.with_figures(
        replay_max_relative_difference=worst.largest,
        replay_worst_variable=problem.system.variables[worst.worst_variable].name
        if worst.worst_variable
        else None,
        replay_objective=objective,
        replay_check=f"{CHECKED[model.system.time.method]}; {EVERY_VALUE}",
    )
