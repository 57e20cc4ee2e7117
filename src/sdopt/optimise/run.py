"""The room's door: `optimise` a problem, `simulate_allocation` without optimising, `verify` in PySD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.units import plain_unit
from sdopt.optimise import tables
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.budget_table import budget_table
from sdopt.optimise.certificate.certify import Certificate
from sdopt.optimise.certificate.run import Asked, certificate_figures, certificate_tables, certified
from sdopt.optimise.crew import Crew
from sdopt.optimise.cutting_planes import Progress
from sdopt.optimise.explanation.causal_path import causal_path
from sdopt.optimise.explanation.pay_back import pay_back
from sdopt.optimise.explanation.run import explained
from sdopt.optimise.fiscal_table import fiscal_tables
from sdopt.optimise.forms import form_tables
from sdopt.optimise.forms_replay import verify_forms
from sdopt.optimise.ledger import convention_table, ledger_tables
from sdopt.optimise.memory import Memory
from sdopt.optimise.replay_check import replay_checked
from sdopt.optimise.search import Found, search
from sdopt.optimise.sensitivity import end_value_table, half_step_figures
from sdopt.optimise.stock_flows import stock_flow_table
from sdopt.optimise.stopping import NEVER, STOPPED, Stop
from sdopt.optimise.whole_numbers.search import WholeFound, search_whole
from sdopt.optimise.whole_numbers.tables import programme_tables
from sdopt.problem.build import Problem
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.source_model.replay import CHECKED, EVERY_VALUE, REPLAY_TOLERANCE, translated

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
    found = _search(problem, progress, crew, memory or Memory())
    prices = _prices(found)
    found, certificate = _certified(problem, found, certify, crew.stop)
    result = _result(problem, found.status, found.point, run_name, prices)
    result = _with_search(result, problem, found, crew.stop)
    result = _with_forms(result, problem, found, progress)
    result = _with_programmes(result, problem, found)
    result = _with_certificate(result, problem, certificate, asked=certify is not None)
    return _with_explanation(result, found, progress, crew.stop) if explain else result


def _search(problem: Problem, progress: Progress, crew: Crew, memory: Memory) -> Found:
    """The search that fits, from the null alternative: with whole numbers where there are programmes."""
    view, archive = View(problem, problem.objective_rows), Archive(problem, memory)
    archive.add(problem.decisions.null_vector()[None])
    find = search_whole if problem.decisions.programmes else search
    return find(view, archive, problem.config.search, progress, crew)


def _certified(
    problem: Problem, found: Found, asked: Asked | None, stop: Stop
) -> tuple[Found, Certificate | None]:
    """What was found, and the proof that was asked for; none for a search that was stopped."""
    if asked is None or found.status in STOPPED:
        return found, None
    return certified(problem, found, asked, stop)


def _with_search(result: Result, problem: Problem, found: Found, stop: Stop) -> Result:
    """How the answer was found, the bound that follows, and how it moves with end value and time step."""
    # Only a search that was stopped leaves the rest unfinished: otherwise time would change the results.
    stop = stop if found.status in STOPPED else NEVER
    asked, archive = found.planes.view.problem, found.planes.archive  # its programmes, if any, are fixed
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
    figures = _bound_figures(problem, found, archive)
    return result.with_figures(**figures, **half_step_figures(asked, found, stop))


def _with_forms(result: Result, problem: Problem, found: Found, progress: Progress) -> Result:
    """The same question under every form of decision; none after a search that was stopped."""
    if not problem.config.forms:
        return result
    if found.status in STOPPED:
        return result.with_figures(forms_stopped=True)
    return result.with_tables(**form_tables(problem, found, progress))


def _with_programmes(result: Result, problem: Problem, found: Found) -> Result:
    """Which programmes start when, and how that was proved."""
    if not isinstance(found, WholeFound):
        return result
    return result.with_tables(**programme_tables(problem, found.point)).with_figures(
        programmes_bound=found.concave if found.bound is not None else None,
        programme_choices_searched=found.patterns,
        branch_and_bound_nodes=found.nodes,
    )


def _with_certificate(
    result: Result, problem: Problem, certificate: Certificate | None, *, asked: bool
) -> Result:
    """The proof, or that it was asked for and not begun."""
    if certificate is None:
        return result.with_figures(certificate_stopped=True) if asked else result
    result = result.with_tables(**certificate_tables(problem, certificate))
    return result.with_figures(**_certified_figures(problem, certificate))


def _with_explanation(result: Result, found: Found, progress: Progress, stop: Stop) -> Result:
    """Why it is the answer; none after a search that was stopped."""
    if found.status in STOPPED:
        return result.with_figures(explanation_stopped=True)
    return explained(result, found, progress, stop)


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
            **stock_flow_table(problem, runs[NULL], runs.get(ADVICE, runs[NULL])),
            **({} if alone else pay_back(problem, runs[NULL], runs[ADVICE])),
            **({} if alone else causal_path(problem, point, runs[NULL], runs[ADVICE])),
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
    with translated(model, problem.grid) as referee:
        run = replay_checked(referee, problem, paths)
        if allocation == ADVICE and "forms_allocation" in result.tables:
            result = verify_forms(result, problem, referee)
    return result.with_figures(
        replay_max_relative_difference=run.difference,
        replay_worst_variable=run.variable,
        replay_objective=run.objective,
        replay_check=f"{CHECKED[model.system.time.method]}; {EVERY_VALUE}",
    )
