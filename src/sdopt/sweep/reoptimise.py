"""Re-optimised allocations: the best of every scenario by itself, found and kept like blocks of runs.

What another allocation returns less than that is its regret. The best is known to be at least what was found,
and at most its bound; so a regret has two ends as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.config.sweep import RE_OPTIMISED
from sdopt.equations.scenarios import usable_cores
from sdopt.optimise.stopping import NEVER, Stop
from sdopt.problem.build import Problem
from sdopt.sweep.executors import Spread, in_processes, in_this_process
from sdopt.sweep.parts import Arrays, Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.rows import Outcome
from sdopt.uncertainty.scenarios import Scenarios

if TYPE_CHECKING:
    import pandas as pd

    from sdopt.optimise.each_scenario import Best, EachScenario

Floats = NDArray[np.float64]
Progress = Callable[[int, int, int], None]
"""Takes how many scenarios are done, how many of those now, and how many there are."""

PART = "best"
NAMED = 10
"""Scenarios without an answer that are named; all are in the table."""


@dataclass(frozen=True)
class Bests:
    """The best of each of the first scenarios, in their order."""

    found: tuple[Best, ...]

    def of(self, name: str) -> Floats:
        """`improvement`, `bound` or `gap` of the first scenarios, (scenario,)."""
        return np.array([getattr(best, name) for best in self.found], dtype=np.float64)


def is_asked(problem: Problem) -> bool:
    """Whether the config compares with a re-optimised allocation."""
    return RE_OPTIMISED in problem.config.sweep.allocations.values()


def local_searchers(workers: int | None) -> Spread:
    """As many processes on this machine as asked for, or as it has cores."""
    count = usable_cores() if workers is None else workers
    return in_this_process if count == 1 else in_processes(count)


def re_optimise(
    problem: Problem,
    scenarios: Scenarios,
    start: Floats,
    parts: Parts,
    spread: Spread,
    progress: Progress = lambda *_: None,
    stop: Stop = NEVER,
) -> Bests | None:
    """The best of the first scenarios, each searched from `start` (decision,); None when stopped early.

    Each is kept as a part as soon as it is found, and not looked for again.

    Raises
    ------
    ExportError
        When a part cannot be written; the others stay.
    """
    from sdopt.optimise.each_scenario import searches

    asked = problem.config.sweep.re_optimise
    work = searches(problem, asked.gap, start[None])
    items = {k: scenarios.part(slice(k, k + 1)) for k in range(min(asked.scenarios, scenarios.count))}
    digests = {k: _digest(work, alone) for k, alone in items.items()}
    found = {k: best for k in items if (best := _recalled(parts, k, digests[k])) is not None}
    left, before = [item for item in items.items() if item[0] not in found], len(found)
    progress(before, 0, len(items))
    for best in spread(work, iter(left)):
        parts.keep(_name(best.scenario), _as_arrays(best, digests[best.scenario]))
        found[best.scenario] = best
        progress(len(found), len(found) - before, len(items))
        if stop.reason() is not None:
            break
    if len(found) < len(items):
        return None
    return Bests(tuple(found[k] for k in items))


def _name(scenario: int) -> str:
    return f"{PART}-{scenario:06d}"


def _digest(work: EachScenario, alone: Scenarios) -> str:
    """What the best of a scenario depends on, beside model and config."""
    said = sha256(work.starts.tobytes() + repr((work.settings, alone.keys)).encode())
    said.update(alone.values.tobytes())
    held = alone.external[int(alone.world[0])]
    said.update(repr((held.name, sorted(held.constants.items()))).encode())
    for key, path in sorted(held.paths.items()):
        said.update(key.encode() + path.tobytes())
    return said.hexdigest()


def _as_arrays(best: Best, digest: str) -> Arrays:
    return {**{key: np.array(value) for key, value in vars(best).items()}, "digest": np.array(digest)}


def _recalled(parts: Parts, scenario: int, digest: str) -> Best | None:
    """The best of a scenario from its part; None when there is none that answers this question."""
    from sdopt.optimise.each_scenario import Best

    held: dict[str, Any] | None = parts.recall(_name(scenario))
    if held is None or str(held.pop("digest", "")) != digest:
        return None
    point = held.pop("point")
    plain = {key: value.item() for key, value in held.items()}
    return replace(Best(point=point, **plain), point=np.asarray(point, dtype=np.float64))


def best_table(problem: Problem, scenarios: Scenarios, bests: Bests) -> pd.DataFrame:
    """A row per scenario: scenario, external_scenario, improvement, bound, gap, status, why, unit.

    A bound that is not proved is empty.
    """
    import pandas as pd

    names = [one.name for one in scenarios.external]
    rows = [
        {
            "scenario": best.scenario + 1,
            "external_scenario": names[scenarios.world[best.scenario]],
            "improvement": best.improvement,
            "bound": best.bound if np.isfinite(best.bound) else np.nan,
            "gap": best.gap,
            "status": best.status,
            "why": best.why,
            "unit": problem.objective_unit,
        }
        for best in bests.found
    ]
    return pd.DataFrame(rows)


def allocation_rows(problem: Problem, bests: Bests) -> pd.DataFrame:
    """The best of every scenario that has one: scenario, decision, year, value, unit."""
    import pandas as pd

    units = {path.id: path.unit for path in problem.decisions.paths}
    rows = [
        (best.scenario + 1, label, year, float(value), units.get(label, ""))
        for best in bests.found
        if np.isfinite(best.improvement)
        for (label, year), value in zip(problem.decisions.labels(), best.point, strict=True)
    ]
    return pd.DataFrame(rows, columns=["scenario", "decision", "year", "value", "unit"])


def regret_table(plan: Plan, outcome: Outcome, bests: Bests) -> pd.DataFrame:
    """How much less than the best of each scenario the allocations return, over the scenarios with a best.

    Columns: allocation, scenarios (that count), mean_least, largest_least, mean_most, largest_most, proved
    (share of those scenarios in which the best has a bound), unit. Least is against what was found, most
    against the bounds: nan unless all are proved. The null alternative's regret is what the best gains. An
    allocation that breaks limits in a scenario may return more than the best there.
    """
    import pandas as pd

    weights, unit = plan.scenarios.weights, plan.problem.objective_unit
    rows = [
        {"allocation": name, **_regrets(improvement, weights, bests), "unit": unit}
        for name, improvement in zip(plan.names, outcome.improvement, strict=True)
    ]
    return pd.DataFrame(rows)


def _regrets(improvement: Floats, weights: Floats, bests: Bests) -> dict[str, float]:
    count = len(bests.found)
    ends = {
        "least": bests.of("improvement") - improvement[:count],
        "most": bests.of("bound") - improvement[:count],
    }
    sound = np.isfinite(ends["least"])
    row: dict[str, float] = {"scenarios": int(sound.sum())}
    for end, regret in ends.items():
        known = sound.any() and np.isfinite(regret[sound]).all()
        row[f"mean_{end}"] = (
            float(np.average(regret[sound], weights=weights[:count][sound])) if known else np.nan
        )
        row[f"largest_{end}"] = float(regret[sound].max()) if known else np.nan
    row["proved"] = float(np.isfinite(ends["most"][sound]).mean()) if sound.any() else np.nan
    return row


def tables_of(plan: Plan, outcome: Outcome, bests: Bests) -> dict[str, pd.DataFrame]:
    """Everything about re-optimised allocations, by the name of its file."""
    return {
        "re_optimised": best_table(plan.problem, plan.scenarios, bests),
        "re_optimised_allocations": allocation_rows(plan.problem, bests),
        "regrets": regret_table(plan, outcome, bests),
    }


def figures_of(plan: Plan, outcome: Outcome, bests: Bests) -> dict[str, Any]:
    """The same in few numbers: how many scenarios, how many without an answer and why, and the regrets."""
    missing = [best for best in bests.found if not np.isfinite(best.improvement)]
    return {
        "scenarios": len(bests.found),
        "without_an_allocation": len(missing),
        "first_reasons": [{"scenario": best.scenario + 1, "why": best.why} for best in missing[:NAMED]],
        "regrets": regret_table(plan, outcome, bests).to_dict("records"),
    }
