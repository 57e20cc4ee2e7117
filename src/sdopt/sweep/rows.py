"""From simulated blocks to what is kept of every run, and the same of all blocks together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import ExportError
from sdopt.problem.over_years import stays_above
from sdopt.sweep.parties import gains_of
from sdopt.sweep.parts import Arrays, Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.simulation import Simulated
from sdopt.uncertainty.ensemble import limits_in, slacks_in

Floats = NDArray[np.float64]

BROKEN = 1e-6
"""A limit is broken when it is passed by more than this part of its size: less is rounding."""


@dataclass(frozen=True)
class Rows:
    """What is kept of some runs, by (allocation, scenario).

    `kept` (allocation, output, kept time, scenario); `objective`; `improvement` over the scenario's own null
    alternative, nan where either failed; `slacks` (..., limit): the smallest over time of every named limit,
    as a part of its size; `passed` (..., limit): the most by which it is passed at any time, in its own unit,
    0 where it holds; `gains` (..., party): difference from the null alternative; `earned` (allocation but the
    null alternative, year, scenario): discounted return over the null alternative up to the end of a year,
    nan where either failed; `failed`: why, by (allocation, scenario).
    """

    kept: Floats
    objective: Floats
    improvement: Floats
    slacks: Floats
    passed: Floats
    gains: Floats
    earned: Floats
    failed: dict[tuple[int, int], str]


@dataclass(frozen=True)
class Outcome:
    """Of all runs: `improvement` (allocation, scenario), `broken` and `passed` (allocation, limit, scenario),
    `gains` (allocation, party, scenario), `failed`; `empty` (allocation, output, scenario): a kept stock that
    is above zero at the start and not at the end (an output that is no stock never is); and `paid_from`
    (allocation but the null alternative, scenario): position of the year from which the return so far stays
    above zero, the number of years where it never does.
    """

    improvement: Floats
    broken: NDArray[np.bool_]
    passed: Floats
    gains: Floats
    empty: NDArray[np.bool_]
    paid_from: NDArray[np.int16]
    failed: dict[tuple[int, int], str]

    @property
    def any_broken(self) -> NDArray[np.bool_]:
        """Whether some limit is broken, (allocation, scenario)."""
        return np.asarray(self.broken.any(axis=1), dtype=np.bool_)


def limit_names(plan: Plan) -> tuple[str, ...]:
    """The limits on model variables, in the config's own words."""
    return tuple(dict.fromkeys(c.functional.name for c in plan.problem.constraints))


@np.errstate(invalid="ignore")  # of a run that failed nothing is a number
def rows_of(plan: Plan, simulated: Simulated) -> Rows:
    """What is kept of a block."""
    problem, sums = plan.problem, simulated.sums
    objective = np.array([problem.objective(values) for values in sums])
    limits = limits_in(problem, plan.listed, sums[0])
    worst = np.array([_worst(plan, slacks_in(problem, limits, values)) for values in sums])
    failed = dict(simulated.failed)
    for place, scenario in sorted(simulated.failed):
        if place == 0:
            why = f"in the null alternative {failed[0, scenario]}"
            failed |= {(k, scenario): failed.get((k, scenario), why) for k in range(1, len(sums))}
    improvement = objective - objective[0]
    for place, scenario in failed:
        improvement[place, scenario] = np.nan
    entries = sums.shape[2] - (len(problem.ledger.entries) if problem.ledger else 0)
    gains = gains_of(plan.parties, sums[:, :, entries:])
    earned = _earned(sums[:, :, entries - len(plan.years) : entries], failed)
    return Rows(simulated.kept, objective, improvement, worst[:, 0], worst[:, 1], gains, earned, failed)


def _earned(yearly: Floats, failed: Iterable[tuple[int, int]]) -> Floats:
    """Return so far (allocation but the first, year, scenario) from returns (allocation, scenario, year)."""
    earned = np.cumsum((yearly[1:] - yearly[0]).transpose(0, 2, 1), axis=1)
    for place, scenario in failed:
        if place > 0:
            earned[place - 1, :, scenario] = np.nan
    return earned


def _worst(plan: Plan, slacks: Floats) -> tuple[Floats, Floats]:
    """Of slacks (scenario, constraint), per named limit (scenario, limit): the smallest, and by how much the
    limit is passed at most, in its own unit.
    """
    names, constraints = limit_names(plan), plan.problem.constraints
    worst, most = np.full((2, len(slacks), len(names)), np.inf)
    for k, constraint in enumerate(constraints):
        column = names.index(constraint.functional.name)
        worst[:, column] = np.minimum(worst[:, column], slacks[:, k])
        most[:, column] = np.minimum(most[:, column], slacks[:, k] * constraint.scale)
    return worst, np.where(worst < -BROKEN, -most, 0.0)


def part_name(plan: Plan, number: int) -> str:
    """The part of a block."""
    return f"{plan.part}-{number:06d}"


def as_arrays(plan: Plan, rows: Rows) -> Arrays:
    """Rows as a part holds them, with what they belong to."""
    failed = [[*place, why] for place, why in sorted(rows.failed.items())]
    plain = {key: value for key, value in vars(rows).items() if key != "failed"}
    return {**plain, "failed": _text(json.dumps(failed)), "digest": _text(plan.digest)}


def recalled(plan: Plan, parts: Parts, number: int) -> Rows | None:
    """The rows of a block from its part; None when there is none that is sound and belongs to this plan."""
    held = parts.recall(part_name(plan, number))
    if held is None or not np.array_equal(held.pop("digest", _text("")), _text(plan.digest)):
        return None
    failed = json.loads(held.pop("failed").tobytes().decode("utf-8"))
    return Rows(**held, failed={(place, scenario): why for place, scenario, why in failed})


def _text(text: str) -> NDArray[Any]:
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def all_rows(plan: Plan, parts: Parts) -> Iterator[tuple[slice, Rows]]:
    """The rows of every block, in order.

    Raises
    ------
    ExportError
        When a part was spoiled since it was written.
    """
    for number, block in enumerate(plan.blocks):
        rows = recalled(plan, parts, number)
        if rows is None:
            raise ExportError(
                f"{parts.folder}: {part_name(plan, number)} is no longer what was written. Give the same "
                "command with --resume: it is then simulated again."
            )
        yield block, rows


def outcome_of(plan: Plan, parts: Parts) -> Outcome:
    """What is needed of all runs at once: few numbers, so that memory stays small."""
    names, count = len(plan.names), plan.scenarios.count
    improvement = np.empty((names, count))
    passed = np.empty((names, len(limit_names(plan)), count))
    gains = np.empty((names, len(plan.parties), count))
    broken = np.zeros(passed.shape, dtype=np.bool_)
    empty = np.zeros((names, len(plan.outputs), count), dtype=np.bool_)
    stocks = [k for k, key in enumerate(plan.outputs) if plan.problem.system.variables[key].kind == "stock"]
    paid_from = np.empty((names - 1, count), dtype=np.int16)
    failed: dict[tuple[int, int], str] = {}
    for block, rows in all_rows(plan, parts):
        improvement[:, block] = rows.improvement
        broken[:, :, block] = (rows.slacks < -BROKEN).transpose(0, 2, 1)
        passed[:, :, block] = rows.passed.transpose(0, 2, 1)
        gains[:, :, block] = rows.gains.transpose(0, 2, 1)
        stays = stays_above(rows.earned.transpose(0, 2, 1))
        paid_from[:, block] = len(plan.years) - stays.sum(axis=2)
        for k in stocks:
            empty[:, k, block] = (rows.kept[:, k, 0] > 0) & (rows.kept[:, k, -1] <= 0)
        failed |= {(place, block.start + k): why for (place, k), why in rows.failed.items()}
    return Outcome(improvement, broken, passed, gains, empty, paid_from, dict(sorted(failed.items())))
