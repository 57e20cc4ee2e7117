"""Re-optimised allocations beside all others, in the scenarios that they were found for and in no other.

A best is looked for in some scenarios only, and not found in all of those. So they are compared in a small
sweep of their own, of every allocation in just those scenarios: nothing there is of other scenarios.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sdopt.batch.job import Outcome as Ranked
from sdopt.batch.referee import ranks
from sdopt.config.sweep import RE_OPTIMISED
from sdopt.sweep.asked import RANDOM, Asked
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.fans import tables_over_years
from sdopt.sweep.findings import distribution_table
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.reoptimise import Bests
from sdopt.sweep.rows import Outcome, outcome_of
from sdopt.sweep.run import run_blocks

if TYPE_CHECKING:
    from pandas import DataFrame

FOLDER = "re_optimised"
"""Of its tables, in that of the results."""
PART = "beside"


@dataclass(frozen=True)
class Hindsight:
    """The small sweep, done; its runs are numbered after those of the other, its scenarios are those there.

    `chosen` are the positions of the runs that PySD repeats: those in which the re-optimised allocation gains
    least, middling and most.
    """

    plan: Plan
    outcome: Outcome
    chosen: tuple[int, ...]


def look_back(plan: Plan, bests: Bests, parts: Parts) -> Hindsight | None:
    """Run all allocations in the scenarios that have a best; None when there is none.

    Raises
    ------
    ExportError
        When a part cannot be written.
    """
    own = _plan(plan, bests)
    if own is None:
        return None
    run_blocks(own, parts, in_this_process, lambda *_: None)
    outcome = outcome_of(own, parts)
    last = len(own.names) - 1
    gains = outcome.improvement[last]
    ranked = ranks(Ranked(gains, dict.fromkeys(np.flatnonzero(~np.isfinite(gains)).tolist(), "")))
    return Hindsight(own, outcome, tuple(sorted({k * len(own.names) + last for k in ranked.values()})))


def _plan(plan: Plan, bests: Bests) -> Plan | None:
    sound = np.flatnonzero(np.isfinite(bests.of("improvement")))
    if not len(sound):
        return None
    asked = plan.problem.config.sweep.allocations
    names = [name for name, said in asked.items() if said == RE_OPTIMISED]
    points = np.stack([bests.found[k].point for k in sound])
    return replace(
        plan,
        scenarios=plan.scenarios.part(sound),
        allocations={**plan.allocations, **dict.fromkeys(names, points)},
        part=PART,
        before=plan.runs,
        known_as=sound + 1,
    )


def beside_tables(found: Hindsight, parts: Parts) -> dict[str, DataFrame]:
    """`re_optimised_distribution`, `re_optimised_fan` and `re_optimised_cumulative_band`, of random designs:
    the first scenarios of any other are no fair sample. Columns are those without `re_optimised_`.
    """
    if found.plan.design not in RANDOM:
        return {}
    asked = Asked(found.plan, found.outcome)
    tables = {"distribution": distribution_table(asked), **tables_over_years(asked, parts)}
    return {f"re_optimised_{name}": table for name, table in tables.items()}
