"""The EMA Workbench's own way to optimise levers: its default algorithm (eps-NSGA-II of Platypus) on PySD."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from peers import KEPT, POPULATION, Answer, Recorder, places
from question import Floats

EPSILON = 1e-4
"""Archive resolution, as part of the largest slope of the improvement."""
ENDLESS = 10**9


def optimise(name: str, recorder: Recorder) -> Answer:
    """Levers from 0 to 1, every rule and constraint a constraint of the workbench, until the time is up."""
    warnings.simplefilter("ignore")  # the workbench warns of what is not installed
    from ema_workbench import SequentialEvaluator, ema_logging

    ema_logging.log_to_stderr(logging.CRITICAL)
    question = recorder.question
    first = places(question, POPULATION)
    with recorder.clock(), SequentialEvaluator(_model(recorder)) as evaluator:
        evaluator.optimize(
            nfe=ENDLESS,
            searchover="levers",
            epsilons=[EPSILON * question.size],
            constraints=_constraints(),
            population_size=POPULATION,
            generator=_from(first),
            convergence_freq=ENDLESS,
            logging_freq=ENDLESS,
        )
    return recorder.answer(name)


def _model(recorder: Recorder) -> Any:
    from ema_workbench import IntegerParameter, Model, RealParameter, ScalarOutcome

    question, size = recorder.question, len(recorder.question.null)

    def run(**levers: float) -> dict[str, float]:
        x = np.array([levers[f"x{k}"] for k in range(size)])
        recorder.check_time()
        broken = float(np.maximum(-KEPT - question.rule_slacks(x), 0.0).sum())
        if broken:  # refused whatever the model says: it costs no run
            return {"improvement": 0.0, "broken": broken}
        outcome = recorder.outcome(x)
        return {
            "improvement": float(outcome[0]),
            "broken": float(np.maximum(-KEPT - outcome[1:], 0.0).sum()),
        }

    model = Model("question", function=run)
    model.levers = [
        IntegerParameter(f"x{k}", 0, 1) if question.whole[k] else RealParameter(f"x{k}", 0.0, 1.0)
        for k in range(size)
    ]
    model.outcomes = [
        ScalarOutcome("improvement", kind=ScalarOutcome.MAXIMIZE),
        ScalarOutcome("broken", kind=ScalarOutcome.INFO),
    ]
    return model


def _constraints() -> list[Any]:
    from ema_workbench import Constraint

    passed: Callable[[float], float] = lambda broken: broken  # noqa: E731
    return [Constraint("rules and limits", outcome_names="broken", function=passed)]


def _from(points: Floats) -> Any:
    """A generator of Platypus that begins with points that the rules allow."""
    from platypus import Integer, RandomGenerator, Solution

    def _plain(kind: Any, value: float) -> float | int:
        return round(value) if isinstance(kind, Integer) else float(value)

    class Given(RandomGenerator):
        def __init__(self) -> None:
            super().__init__()
            self.left = list(points)

        def generate(self, problem: Any) -> Any:
            if not self.left:
                return super().generate(problem)
            solution = Solution(problem)
            solution.variables = [
                kind.encode(_plain(kind, value))
                for kind, value in zip(problem.types, self.left.pop(0), strict=True)
            ]
            return solution

    return Given()
