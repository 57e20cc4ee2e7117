"""What halving the time step does to the return, to the advice, and to what the advice misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from question import Floats, Question

from sdopt.config.load import LoadedConfig
from sdopt.equations.system import EquationSystem
from sdopt.optimise.search import Found
from sdopt.problem.build import Problem, build_problem

Searcher = Callable[[LoadedConfig, Problem], Found]


def print_time_step(
    loaded: LoadedConfig, system: EquationSystem, problem: Problem, advice: Floats, searcher: Searcher
) -> None:
    """Null alternative, advice (decision,) and re-optimised advice at the step used and at half of it."""
    half = halved(loaded, problem.grid.step)
    finer = build_problem(half, system)
    print(
        f"\n{'Time step':<12}{'null alternative':>18}{'advice':>14}{'improvement':>14}{'smallest slack':>17}"
    )
    coarse_improvement = _print_row(problem, advice)
    fine_improvement = _print_row(finer, advice)
    again = searcher(half, finer).improvement
    regret = again - fine_improvement
    moved = fine_improvement - coarse_improvement
    print(
        f"halving moves the improvement by {moved:+.6f} ({moved / coarse_improvement:+.2e} of it);", end=" "
    )
    print(f"re-optimised at {finer.grid.step:g}: {again:.6f},", end=" ")
    print(f"regret of the advice {regret:+.6f} ({regret / again:+.2e})")


def halved(loaded: LoadedConfig, step: float) -> LoadedConfig:
    """The same question with half the time step."""
    horizon = loaded.config.horizon.model_copy(update={"time_step": step / 2})
    return replace(loaded, config=loaded.config.model_copy(update={"horizon": horizon}))


def _print_row(problem: Problem, advice: Floats) -> float:
    question = Question(problem)
    x = question.scaled(advice)[None]
    outcome = question.batch(x)
    null, improvement = problem.null_objective, float(outcome[0, 0])
    room = question.room(x, outcome)[0]
    print(
        f"{problem.grid.step:<12g}{null:>18.6f}{null + improvement:>14.6f}{improvement:>14.6f}{room:>17.1e}"
    )
    return improvement
