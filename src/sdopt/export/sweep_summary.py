"""What a sweep did and found, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdopt.batch.referee import Verdict
from sdopt.export.findings import said_lines
from sdopt.export.labels import Labels
from sdopt.export.names import failure_words
from sdopt.export.precision import percent
from sdopt.problem.reader_names import reader_names
from sdopt.sweep.chances import NO_SAMPLE, sample_of
from sdopt.sweep.plan import Plan
from sdopt.sweep.reoptimise import Bests, figures_of
from sdopt.sweep.rounding import known_decimals
from sdopt.sweep.rows import Outcome
from sdopt.sweep.statistics import allocation_table
from sdopt.uncertainty.designs import advice as design_advice

AMOUNTS, SHARES = ("mean", "low", "high"), ("positive", "any_broken", "null_broken")
HEADS = ("mean", "5 %", "95 %", "above 0", "breaks a limit", "null breaks one")
REGRETS = {
    "mean_least": "mean: least",
    "mean_most": "most",
    "largest_least": "largest: least",
    "largest_most": "most",
}


def sweep_summary(plan: Plan, outcome: Outcome, bests: Bests | None, verdict: Verdict, folder: Path) -> str:
    """What was run, means and probabilities per allocation, regrets, conclusions, and PySD's verdict."""
    scenarios, problem = plan.scenarios, plan.problem
    worlds = f" x {len(scenarios.external)} external scenarios" if len(scenarios.external) > 1 else ""
    lines = [
        problem.config.title,
        "",
        f"runs     {plan.runs:,}: {len(plan.names)} allocations x {scenarios.count:,} scenarios "
        f"({plan.design}{worlds}), {len(plan.outputs)} outputs in {len(plan.kept)} years",
        *_better_number(plan),
        f"failed   {_failed(plan, outcome)}",
        "",
        *_allocations(plan, outcome),
        *_regrets(plan, outcome, bests),
        "",
        *said_lines(folder),
        f"replay   PySD agrees in {len(verdict.runs)} runs: largest relative difference "
        f"{verdict.worst.largest:.1e}",
        f"results  {folder}",
    ]
    return "\n".join(lines)


def _allocations(plan: Plan, outcome: Outcome) -> list[str]:
    """A line per allocation: its improvement, and how often it breaks a limit beside the null alternative."""
    if plan.design in NO_SAMPLE:
        return [f"a {plan.design} design is no sample of futures: no means or probabilities, see tables/"]
    rows = allocation_table(plan, outcome).to_dict("records")
    texts = [
        [_number(row[key], _form(plan, outcome, place)) for key in AMOUNTS]
        + [percent(row[key]) for key in SHARES]
        for place, row in enumerate(rows)
    ]
    return [
        f"improvement over the null alternative, {plan.problem.objective_unit}",
        *_aligned(HEADS, [str(row["allocation"]) for row in rows], texts),
    ]


def _form(plan: Plan, outcome: Outcome, place: int) -> str:
    """How amounts of an allocation are written: the last decimal is about the standard error of the mean."""
    improvement = outcome.improvement[place]
    sound = np.isfinite(improvement)
    error = sample_of(plan.scenarios, plan.design).part(sound).mean(improvement[sound])[1]
    decimals = known_decimals(error)
    return f"+,.{3 if decimals is None else min(decimals, 3)}f"


def _regrets(plan: Plan, outcome: Outcome, bests: Bests | None) -> list[str]:
    """What the allocations return less than the best of every scenario, where that was looked for."""
    if bests is None:
        return []
    figures = figures_of(plan, outcome, bests)
    missing, rows = figures["without_an_allocation"], figures["regrets"]
    known = [key for key in REGRETS if any(row[key] == row[key] for row in rows)]
    lines = [
        "",
        f"regret against the best of the first {figures['scenarios']} scenarios"
        + (f" ({missing} of them without an allowed allocation)" if missing else ""),
    ]
    if not known:
        return [*lines, "none: no scenario has a best to compare with"]
    if len(known) < len(REGRETS):
        lines.append("only at least: not every scenario has a bound")
    texts = [[_number(row[key], "+,.3f") for key in known] for row in rows]
    heads = [REGRETS[key] for key in known]
    return lines + _aligned(heads, [row["allocation"] for row in rows], texts)


def _aligned(heads: Sequence[str], names: Sequence[str], texts: Iterable[Sequence[str]]) -> list[str]:
    """A line of heads and one per name, with names whole and what is not known left open."""
    first = max(map(len, names)) + 1
    widths = [max(12, len(head) + 2) for head in heads]

    def line(name: str, texts: Iterable[str]) -> str:
        return f"{name:{first}}" + "".join(f"{t:>{w}}" for t, w in zip(texts, widths, strict=True))

    return [line("", heads), *(line(name, row) for name, row in zip(names, texts, strict=True))]


def _number(value: Any, form: str) -> str:
    return format(value, form) if value == value else "-"


def _better_number(plan: Plan) -> list[str]:
    """What would be a better number of draws, if any."""
    said = design_advice(plan.problem.config.sweep.design, plan.problem.config.sweep.scenarios)
    return [f"advice   {said}"] if said else []


def _failed(plan: Plan, outcome: Outcome) -> str:
    """How many runs gave inf or nan, and why the first did."""
    if not outcome.failed:
        return "none"
    (place, scenario), why = min(outcome.failed.items(), key=lambda item: (item[0][1], item[0][0]))
    why = failure_words(why, reader_names(plan.problem.config, plan.problem.system), Labels("en"))
    return (
        f"{len(outcome.failed):,} runs, which count in no figure; scenario {scenario + 1}, "
        f'allocation "{plan.names[place]}": {why}'
    )
