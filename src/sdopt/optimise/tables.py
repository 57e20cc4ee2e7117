"""What the search found, as the tidy tables that `sdopt.result` defines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.names import same_name
from sdopt.config.uncertainty import Uncertainty, asked
from sdopt.equations.simulate import simulate_all
from sdopt.problem.build import Problem, constant_values
from sdopt.problem.rules import Rule
from sdopt.problem.uncertainties import ends, left_out
from sdopt.result import TIDY_COLUMNS

Floats = NDArray[np.float64]
Runs = Mapping[str, Mapping[str, Floats]]
"""allocation -> key -> (time,)."""

BINDING = 1e-6
"""A limit binds when its slack is below this part of its size."""
TOUCHING = 1e-4
"""The same for a limit on the model: an allocation within the gap comes no nearer than that."""
BROKEN = 1e-9
HALF = 0.5
"""What is 0 or 1 is 1 when it is above this."""
CONSTRAINT_COLUMNS = (
    *("constraint", "year", "measure", "sense", "limit", "null", "advice", "slack"),
    *("binding", "null_breaks", "shadow_price", "unit"),
)
"""Also those of a question without limits."""


def paths_of(problem: Problem, point: Floats) -> dict[str, Floats]:
    """Decision paths (time,) by key for a decision vector (decision,)."""
    return {key: np.asarray(path[:, 0]) for key, path in problem.decisions.expand(point[None]).items()}


def simulate(problem: Problem, paths: Mapping[str, Floats]) -> dict[str, Floats]:
    """Every variable over the grid (time,) for given decision paths (time,)."""
    runs = simulate_all(problem.system, problem.grid, {}, {key: path[:, None] for key, path in paths.items()})
    return {key: values[:, 0] for key, values in runs.items()}


def _tidy(rows: list[tuple[str, str, str, float, float, str]], run: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["allocation", "variable", "subscript", "time", "value", "unit"])
    return frame.assign(run=run, scenario="central")[list(TIDY_COLUMNS)]


def allocation_table(problem: Problem, runs: Runs, run: str) -> pd.DataFrame:
    """Every decision in the decision years, the year before and the year after (if simulated).

    The year after may be the very end of the horizon: limits on change hold there too.
    """
    first, last = problem.decisions.first_year - 1, problem.decisions.last_year + 1
    rows = [
        (allocation, *problem.system.variables[path.key].parts, year, float(values[path.key][k]), path.unit)
        for allocation, values in runs.items()
        for path in problem.decisions.paths
        for year, k in _year_starts(problem)
        if first <= year <= last
    ]
    return _tidy(rows, run)


def trajectory_table(problem: Problem, runs: Runs, run: str) -> pd.DataFrame:
    """Every variable at every year start."""
    years = _year_starts(problem)
    rows = [
        (allocation, *variable.parts, year, float(values[variable.key][k]), variable.unit)
        for allocation, values in runs.items()
        for variable in problem.system.visible.values()
        if variable.kind != "constant"
        for year, k in years
    ]
    return _tidy(rows, run)


def _year_starts(problem: Problem) -> list[tuple[float, int]]:
    times = problem.grid.times
    return [(float(round(t)), k) for k, t in enumerate(times) if abs(t - round(t)) < problem.grid.step / 1e6]


def negative_stocks(problem: Problem, runs: Runs) -> dict[str, list[str]]:
    """Per allocation the stocks that turn negative, with the time at which they first do."""
    times = problem.grid.times
    found: dict[str, list[str]] = {}
    for allocation, values in runs.items():
        below = {v.name: np.flatnonzero(values[v.key] < 0) for v in problem.system.of_kind("stock")}
        found[allocation] = [f"{name} (from {times[k[0]]:g})" for name, k in below.items() if len(k)]
    return found


def return_table(problem: Problem, null: Floats, advice: Floats) -> pd.DataFrame:
    """Present values of the objective's parts and of the components the config names."""
    rows = [*problem.objective_rows, *problem.component_rows]
    functionals = problem.evaluator.functionals
    frame = pd.DataFrame(
        {
            "component": [functionals[row].name for row in rows],
            "null": [float(null[row]) for row in rows],
            "advice": [float(advice[row]) for row in rows],
            "unit": [functionals[row].unit for row in rows],
        }
    )
    return frame.assign(difference=frame["advice"] - frame["null"])[
        ["component", "null", "advice", "difference", "unit"]
    ]


def constraint_table(
    problem: Problem,
    advice: Floats,
    point: Floats,
    prices: Mapping[int, float] | None,
    rule_prices: Floats | None,
) -> pd.DataFrame:
    """Every limit in every year; `prices` and `rule_prices` are gains per unit of relaxation.

    What limits a programme while it runs is left out where it does not.
    """
    null_point = problem.decisions.null_vector()
    rows = [
        _rule_row(rule, null_point, point, None if rule_prices is None else float(rule_prices[k]))
        for k, rule in enumerate(problem.rules)
        if rule.runs is None or rule.runs @ point > HALF
    ]
    for position, limit in enumerate(problem.constraints):
        null_value, value = float(problem.null_values[limit.row]), float(advice[limit.row])
        price = None if prices is None else prices.get(position, 0.0) / limit.scale
        slack = limit.sign * (limit.limit - value)
        rows.append(
            {
                "constraint": limit.functional.name,
                "year": limit.functional.year,
                "measure": limit.measure,
                "sense": limit.sense,
                "limit": limit.limit,
                "null": null_value,
                "advice": value,
                "slack": slack,
                "binding": slack <= TOUCHING * limit.scale,
                "null_breaks": limit.sign * (limit.limit - null_value) < -BROKEN * limit.scale,
                "shadow_price": price,
                "unit": limit.functional.unit,
            }
        )
    return pd.DataFrame(rows, columns=list(CONSTRAINT_COLUMNS))


def _rule_row(rule: Rule, null_point: Floats, point: Floats, price: float | None) -> dict[str, object]:
    null_value, value = float(rule.weights @ null_point), float(rule.weights @ point)
    # That a programme runs is shown in the limit, not in what is limited: amount <= 2, not amount - 2 <= 0.
    running = 0.0 if rule.runs is None else float(np.where(rule.runs != 0, rule.weights, 0.0) @ point)
    size = max(abs(rule.limit), float(np.abs(rule.weights) @ np.abs(point)), 1e-9)
    return {
        "constraint": rule.name,
        "year": rule.year,
        "measure": "decisions",
        "sense": rule.sense,
        "limit": rule.sign * (rule.limit - running),
        "null": rule.sign * null_value,
        "advice": rule.sign * (value - running),
        "slack": rule.limit - value,
        "binding": rule.limit - value <= BINDING * size,
        "null_breaks": rule.limit - null_value < -BROKEN * size,
        "shadow_price": price,
        "unit": rule.unit,
    }


def decision_table(problem: Problem, point: Floats) -> pd.DataFrame:
    """Every chosen value with its bounds."""
    lower, upper = problem.decisions.lower(), problem.decisions.upper()
    width = np.maximum(upper - lower, 1e-12)
    at_bound = (point - lower <= BINDING * width) | (upper - point <= BINDING * width)
    decisions = problem.decisions
    names = {path.id: path.name for path in decisions.paths}
    names |= {plan.start_label: plan.name for plan in decisions.programmes}
    return pd.DataFrame(
        {
            "decision": [label for label, _ in problem.decisions.labels()],
            "variable": [names[label] for label, _ in problem.decisions.labels()],
            "period": [year for _, year in problem.decisions.labels()],
            "value": point,
            "lower": lower,
            "upper": upper,
            "at_bound": at_bound & _free(problem, point),
        }
    )


def _free(problem: Problem, point: Floats) -> NDArray[np.bool_]:
    """What a bound can hold back (decision,): no starts, nor amounts while a programme does not run."""
    decisions = problem.decisions
    if not decisions.programmes:
        return np.ones(decisions.size, dtype=bool)
    fixed = replace(decisions, pattern=np.round(point[decisions.whole]))
    return np.asarray(~decisions.whole & (fixed.upper() > 0))


def assumption_table(problem: Problem) -> pd.DataFrame:
    """Every constant with range, distribution, source, status and confidence, and whether it is sampled."""
    listed = {same_name(row.name): row for row in problem.constants}
    uncertain = problem.config.uncertainties
    drawn = asked(uncertain, problem.constants)
    kept = left_out(problem.config, problem.constants, problem.system)
    named = {same_name(u.constant): u for u in uncertain if isinstance(u, Uncertainty)}
    changed = {same_name(name) for name in problem.config.model.changes}
    values = constant_values(problem.system)
    rows = []
    for variable in problem.system.of_kind("constant"):
        name = same_name(variable.name)
        row, uncertainty = listed.get(name), named.get(name)
        distribution = uncertainty.distribution if uncertainty else row.distribution if row else "fixed"
        low, high = (row.low, row.high) if row else (None, None)
        if uncertainty is not None:
            low, high = ends(uncertainty) if name in drawn else (uncertainty.low, uncertainty.high)
        rows.append(
            {
                "name": variable.name,
                "value": values[variable.key],
                "low": low,
                "high": high,
                "distribution": distribution,
                "unit": variable.unit,
                "source": "config" if name in changed else row.source if row else "model",
                "link": row.link if row else "",
                "status": "config" if name in changed else row.status if row else "model",
                "confidence": row.confidence if row else "",
                "note": row.note if row else variable.description,
                "uncertain": name in drawn and name not in kept,
            }
        )
    return pd.DataFrame(rows).astype({"low": float, "high": float})


def objective_of(problem: Problem, run: Mapping[str, Floats]) -> float:
    """The objective of one run: key -> (time,)."""
    functionals = problem.evaluator.functionals
    return float(
        sum(
            weight * sum(float(w @ run[key]) for key, w in functionals[row].weights.items())
            for row, weight in problem.objective_rows.items()
        )
    )
