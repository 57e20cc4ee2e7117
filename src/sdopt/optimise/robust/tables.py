"""What robust allocations give and cost, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdopt.config.robust import MeasureName
from sdopt.optimise.cutting_planes import TOUCHING
from sdopt.optimise.robust.bends import MARGIN
from sdopt.optimise.robust.measures import cvar
from sdopt.optimise.robust.question import Question
from sdopt.optimise.robust.readings import Reading
from sdopt.optimise.robust.regret import ScenarioBests
from sdopt.optimise.robust.solve import RobustFound
from sdopt.problem.build import Problem

Floats = NDArray[np.float64]

NULL, ADVICE = "null", "advice"
COMPARED = ("central", "expected", "cvar", "worst_case", "largest_regret")
"""Measures of the table of which the price of robustness is a difference."""
WORDS: dict[MeasureName, str] = {
    "expected": "mean improvement",
    "cvar": "mean of the worst improvements",
    "worst_case": "worst improvement",
    "regret": "largest regret, with a minus,",
}


@dataclass(frozen=True)
class Compared:
    """What is compared: allocations by name, each as read in every scenario.

    The first two are the null alternative and the advice at central values; others are best by a measure.
    """

    problem: Problem
    question: Question
    tail: float
    readings: Mapping[str, Reading]
    bests: ScenarioBests | None = None

    @property
    def probability(self) -> Floats:
        """Of every scenario, (scenario,)."""
        return self.question.measure.probability


def measure_table(compared: Compared) -> pd.DataFrame:
    """Every allocation by every measure."""
    rows = [{"allocation": name, **_measured(compared, one)} for name, one in compared.readings.items()]
    return pd.DataFrame(rows).assign(unit=compared.problem.objective_unit)


def _measured(compared: Compared, reading: Reading) -> dict[str, float | bool]:
    improvement, probability = reading.improvement, compared.probability
    problem = compared.problem
    values = problem.evaluator.values(reading.point[None]).value
    least, most = np.nan, np.nan
    if compared.bests is not None:
        least, most = compared.bests.regret(improvement)
        most = most if np.isfinite(most) else np.nan
    view = compared.question.view
    central = view.slacks(compared.question.problem.evaluator.values(reading.point[None]).value)
    return {
        "central": float(problem.objective(values)[0]) - problem.null_objective,
        "expected": float(probability @ improvement),
        "cvar": cvar(improvement, probability, compared.tail),
        "worst_case": float(improvement.min()),
        "largest_regret": least,
        "largest_regret_at_most": most,
        "probability_of_loss": float(probability @ (improvement < 0)),
        "any_limit_broken": float(probability @ (reading.slacks.min(axis=1, initial=1.0) < TOUCHING)),
        "meets_limits": bool((central >= TOUCHING).all() and compared.question.allows(reading.slacks)),
    }


def price_table(measures: pd.DataFrame, found: Sequence[RobustFound], unit: str) -> pd.DataFrame:
    """What every robust allocation gains and gives up by each measure, against the advice at central values.

    A regret that falls is a gain.
    """
    by_name = measures.set_index("allocation")
    rows = []
    for one in found:
        for name in COMPARED:
            sign = -1.0 if name == "largest_regret" else 1.0
            gained = sign * (by_name.loc[one.measure.name, name] - by_name.loc[ADVICE, name])
            rows.append((one.measure.name, name, float(gained), unit))
    return pd.DataFrame(rows, columns=["allocation", "measure", "gained", "unit"])


def proof_table(found: Sequence[RobustFound], problem: Problem) -> pd.DataFrame:
    """How good every robust allocation is proved to be, and under which condition.

    `leans_on` and `bends` are names of limits (`; ` between them): that must be concave, and that are not,
    but may depart from it by `bends.MARGIN` times what was seen. `raised_by` is what the bound was raised by.
    `bests_not_proved`: scenarios, for regret, of which the best is not proved.
    """
    rows = [
        {
            "measure": one.measure.name,
            "value": one.value,
            "bound": np.nan if one.bound is None else one.bound,
            "gap": np.nan if one.gap is None else one.gap,
            "status": one.status.key,
            "rounds": len(one.trace),
            "scenarios_not_concave": int(one.audit.scenarios.sum()),
            "leans_on": "; ".join(_names(problem, one.leaning)),
            "bends": "; ".join(_names(problem, one.bent)),
            "raised_by": 0.0 if one.bound is None else one.audit.excess,
            "bests_not_proved": one.unproved,
            "assumes": assumed(one, problem),
            "unit": problem.objective_unit,
        }
        for one in found
    ]
    return pd.DataFrame(rows)


def assumed(found: RobustFound, problem: Problem) -> str:
    """What the bound of a measure assumes, in words, or why there is none."""
    odd, count = int(found.audit.scenarios.sum()), len(found.audit.scenarios)
    what = WORDS[found.measure.name]
    if found.bound is None:
        return f"no bound: the checks show that the {what} is not concave"
    names, bent = _names(problem, found.leaning), _names(problem, found.bent)
    said = [
        f"the bound holds if the {what} is concave" + (f", and these: {'; '.join(names)}" if names else "")
    ]
    if bent:
        said.append(f"and if these bend no more than {MARGIN:g} times as far as was seen: {'; '.join(bent)}")
    if odd:
        said.append(f"in {odd} of {count} single scenarios the improvement is not concave")
    if found.audit.excess > 0.0:
        amount = np.format_float_positional(found.audit.excess, 1, fractional=False, trim="-")
        said.append(f"not proved: a check saw a departure of {amount}, which was added to the bound")
    if found.unproved:
        said.append(f"how large the regret is at most is not known: in {found.unproved} of {count} scenarios "
                    "what would have been best is not proved")  # fmt: skip
    return "; ".join(said)


def left_out(found: RobustFound, problem: Problem) -> list[str]:
    """Names of the constraints that the bound does without: not concave, and no raised cut counts."""
    bent = _names(problem, found.bent)
    return [name for name in _names(problem, found.left_out) if name not in bent]


def _names(problem: Problem, positions: frozenset[int]) -> list[str]:
    return sorted({problem.constraints[c].functional.name for c in positions})


def limit_table(compared: Compared) -> pd.DataFrame:
    """How often every allocation breaks every constraint, in any year."""
    question = compared.question
    allowed = {limit.name: limit.share for limit in question.limits}
    constraints = compared.problem.constraints
    groups: dict[str, list[int]] = {}
    for position, constraint in enumerate(constraints):
        groups.setdefault(constraint.functional.name, []).append(position)
    rows = [
        (
            allocation,
            name,
            float(compared.probability @ (reading.slacks[:, members].min(axis=1) < TOUCHING)),
            allowed.get(name, np.nan),
        )
        for allocation, reading in compared.readings.items()
        for name, members in groups.items()
    ]
    return pd.DataFrame(rows, columns=["allocation", "constraint", "broken_share", "allowed_share"])


def scenario_table(compared: Compared) -> pd.DataFrame:
    """What every allocation gives in every scenario."""
    scenarios = compared.question.ensemble.scenarios
    frames = [
        pd.DataFrame(
            {
                "allocation": name,
                "scenario": scenarios.draw,
                "external": [scenarios.external[k].name for k in scenarios.world],
                "probability": compared.probability,
                "improvement": reading.improvement,
                "unit": compared.problem.objective_unit,
            }
        )
        for name, reading in compared.readings.items()
    ]
    return pd.concat(frames, ignore_index=True)


def allocation_table(compared: Compared) -> pd.DataFrame:
    """Every decision of every allocation."""
    decisions = compared.problem.decisions
    labels, lower, upper = decisions.labels(), decisions.lower(), decisions.upper()
    units = {path.id: path.unit for path in decisions.paths}
    names = {path.id: path.name for path in decisions.paths}
    rows = [
        (allocation, identity, names[identity], year, float(value), float(low), float(high), units[identity])
        for allocation, reading in compared.readings.items()
        for (identity, year), value, low, high in zip(labels, reading.point, lower, upper, strict=True)
    ]
    columns = ["allocation", "decision", "variable", "period", "value", "lower", "upper", "unit"]
    return pd.DataFrame(rows, columns=columns)


def search_table(found: Sequence[RobustFound]) -> pd.DataFrame:
    """Every round of every search."""
    rows = [
        (one.measure.name, number, step.best, step.bound, step.gap)
        for one in found
        for number, step in enumerate(one.trace)
    ]
    frame = pd.DataFrame(rows, columns=["measure", "round", "best", "bound", "gap"])
    return frame.astype({"best": float, "gap": float})


def audit_table(found: Sequence[RobustFound]) -> pd.DataFrame:
    """The checks of concavity."""
    rows = [
        (one.measure.name, check.name, check.tried, check.violations, check.largest)
        for one in found
        for check in one.audit.checks
    ]
    return pd.DataFrame(rows, columns=["measure", "check", "points", "violations", "largest_violation"])
