"""What `sdopt check CONFIG` says: the question, what is uncertain in it, and what would be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from sdopt.config.load import LoadedConfig
from sdopt.export.console import describe_problem
from sdopt.problem.build import Problem
from sdopt.sweep.preview import EVERYWHERE, NO_WIDTH, Preview, preview
from sdopt.uncertainty.scenarios import Scenarios

WHY = {
    "chosen": "chosen by a decision or programme",
    "fixed": "used when the model was read",
    NO_WIDTH: "range without width",
    EVERYWHERE: "fixed in every external scenario",
}
"""Why a constant that is called uncertain is not drawn."""
NAMED = 6
"""Names listed in one line."""
UNITS = ("kB", "MB", "GB")
BYTES = 16
"""Of a kept value while a sweep runs: once in its parts, once in its results."""


def describe_check(loaded: LoadedConfig, problem: Problem) -> str:
    """Size of the question, what is uncertain, and what `sdopt sweep` and `sdopt robust` would run.

    Raises
    ------
    ConfigError
        With all that stands in the way of what the config asks for.
    """
    seen = preview(loaded, problem)
    lines = [describe_problem(problem), *_uncertain(seen, problem)]
    if seen.why_not:
        return "\n".join([*lines, f"sweep        not possible, nor robust: {seen.why_not}"])
    return "\n".join([*lines, *_sweep(seen, problem), *_robust(seen, problem), *_warnings(seen)])


def _uncertain(seen: Preview, problem: Problem) -> Iterator[str]:
    constants = len(problem.system.of_kind("constant"))
    kinds = Counter(one.kind for one in seen.drawn)
    said = f" ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})" if kinds else ""
    yield f"uncertain    {len(seen.drawn)} of {constants} constants are drawn{said}"
    for why, said in WHY.items():
        if names := [name for name, reason in seen.not_drawn.items() if reason == why]:
            yield f"not drawn    {_listed(names)} ({said})"
    if count := len(problem.config.correlations):
        yield f"correlated   {count} pair{'s' if count != 1 else ''} of constants"
    if len(seen.external) > 1:
        total = sum(one.weight for one in seen.external)
        worlds = [f"{one.name} {100 * one.weight / total:.3g} %" for one in seen.external]
        yield f"external     {len(worlds)} scenarios: {', '.join(worlds)}"


def _sweep(seen: Preview, problem: Problem) -> Iterator[str]:
    if seen.sweep is None:
        return
    design, names = problem.config.sweep.design, seen.allocations
    yield (
        f"sweep        {design}: {_draws(seen.sweep)} x {len(names)} allocations = {seen.runs:,} runs; "
        f"allocations: {', '.join(names)}"
    )
    if "advice" not in problem.config.sweep.allocations:
        yield "             the advice is optimised first, at central values"
    if seen.re_optimised:
        yield f"             the best of each of the first {seen.re_optimised} scenarios is looked for"
    values = seen.runs * seen.outputs * seen.years
    yield (
        f"             {seen.outputs} outputs in {seen.years} years = {values:,} values, about "
        f"{_size(BYTES * values)} of disk while it runs"
    )


def _robust(seen: Preview, problem: Problem) -> Iterator[str]:
    if seen.robust is None or problem.decisions.programmes:
        return
    asked = problem.config.robust
    yield f"robust       {', '.join(asked.measures)}: {_draws(seen.robust)} = {seen.robust.count:,} scenarios"
    if asked.probability_limits:
        limits = [f"{name} in at most {part}" for name, part in asked.probability_limits.items()]
        yield f"             may be broken: {', '.join(limits)} of the scenarios"
    if (again := asked.decide_again) is not None:
        yield f"             decide again in {again.year}, having learned: {again.learn}"


def _warnings(seen: Preview) -> Iterator[str]:
    for one in seen.given:
        if one.fails:
            yield f'warning      allocation "{one.name}" gives no numbers at central values: {one.fails}'
        if one.broken:
            limits = [f"{limit} ({', '.join(map(str, years))})" for limit, years in one.broken.items()]
            yield f'warning      allocation "{one.name}" breaks at central values: {_listed(limits)}'


def _draws(scenarios: Scenarios) -> str:
    draws, worlds = int(scenarios.draw.max(initial=-1)) + 1, len(scenarios.external)
    return f"{draws:,} draws" + (f" x {worlds} external scenarios" if worlds > 1 else "")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _size(size: float) -> str:
    """Bytes in words, rounded."""
    thousands = min(int(np.log10(max(size, 1000.0)) // 3), len(UNITS))
    return f"{size / 1000**thousands:,.0f} {UNITS[thousands - 1]}"
