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
GAP = 1e-5
"""Both searches go on to this gap, so that the regret is of the time step and not of an early stop."""


def print_time_step(
    loaded: LoadedConfig, system: EquationSystem, problem: Problem, searcher: Searcher
) -> None:
    """Null alternative, advice and re-optimised advice at the time step used and at half of it.

    The smallest slack tells by how much (as part of the limit) the finer step breaks what the coarser
    one just allowed; the regret does not count that.
    """
    used, half = refined(loaded, problem.grid.step), refined(loaded, problem.grid.step / 2)
    advice = searcher(used, problem).point
    finer = build_problem(half, system)
    print(f"\nAdvice found at step {problem.grid.step:g} with gap {GAP:g}")
    print(f"{'Time step':<12}{'null alternative':>18}{'advice':>14}{'improvement':>14}{'smallest slack':>17}")
    coarse, fine = _print_row(problem, advice), _print_row(finer, advice)
    again = searcher(half, finer).improvement
    print(f"halving moves the improvement by {fine - coarse:+.6f} ({(fine - coarse) / coarse:+.2e} of it)")
    print(f"re-optimised at {finer.grid.step:g}: {again:.6f}; regret of the advice", end=" ")
    print(f"{again - fine:+.6f} ({(again - fine) / again:+.2e}); below 0 where it breaks a limit there")


def refined(loaded: LoadedConfig, step: float) -> LoadedConfig:
    """The same question with another time step, searched to `GAP`."""
    horizon = loaded.config.horizon.model_copy(update={"time_step": step})
    settings = loaded.config.search.model_copy(update={"gap": GAP})
    config = loaded.config.model_copy(update={"horizon": horizon, "search": settings})
    return replace(loaded, config=config)


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
