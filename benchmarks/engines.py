"""How long one run takes: PySD, our batch engine, and exact gradients."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from peers import places
from pysd_engine import PysdEngine
from question import Floats, Question

REPEATS = 5
BATCH = 2000
AGREEMENT = 1e-9


def check_agreement(question: Question, pysd: PysdEngine) -> float:
    """The largest difference between PySD and our engine at a random allocation, over objective and slacks.

    The objective's is relative to the null alternative's; raises SystemExit when it is above `AGREEMENT`.
    """
    x = places(question, 2)
    pysd.outcome(x[0])  # whatever one run leaves behind would show in the next
    difference = np.abs(pysd.outcome(x[1]) - question.batch(x[1:])[0])
    difference[0] /= abs(question.problem.null_objective)
    if not difference.max() <= AGREEMENT:
        raise SystemExit(f"PySD and the batch engine disagree: {difference.max():.2g} at a random allocation")
    return float(difference.max())


def print_engines(question: Question, pysd: PysdEngine) -> None:
    """Milliseconds per run and per gradient, and their ratios to PySD."""
    evaluator = question.problem.evaluator
    points = question.decisions(places(question, BATCH))
    size = points.shape[1]
    run = _milliseconds(lambda: pysd.run(points[1]))
    rows = [
        ("PySD, one run", run, run),
        ("batch engine, one scenario", _milliseconds(lambda: evaluator.values(points[:1])), run),
        (
            f"batch engine, per scenario of {BATCH}",
            _milliseconds(lambda: evaluator.values(points)) / BATCH,
            run,
        ),
        (f"PySD, gradient by {size} differences", run * (size + 1), run * (size + 1)),
        (
            "batch engine, gradient by complex step",
            _milliseconds(lambda: evaluator.with_gradients(points[:1])),
            run * (size + 1),
        ),
        (
            "batch engine, gradient per point of 40",
            _milliseconds(lambda: evaluator.with_gradients(points[:40])) / 40,
            run * (size + 1),
        ),
    ]
    print(f"\n{'Engine':<42}{'milliseconds':>13}{'PySD / this':>13}")
    for name, milliseconds, reference in rows:
        print(f"{name:<42}{milliseconds:>13.3f}{reference / milliseconds:>13.1f}")


def _milliseconds(call: Callable[[], object]) -> float:
    """Median of several calls."""
    taken: list[float] = []
    for _ in range(REPEATS):
        begun = perf_counter()
        call()
        taken.append(perf_counter() - begun)
    return 1000 * float(np.median(taken))


def exact_slopes(question: Question) -> Callable[[Floats], Floats]:
    """Slopes of the outcome by complex step: scaled point -> (1 + constraint, decision)."""
    evaluator = question.problem.evaluator

    def slopes(x: Floats) -> Floats:
        gradient = evaluator.with_gradients(question.decisions(x)[None]).gradient
        assert gradient is not None
        return np.asarray(question.slopes(gradient)[0])

    return slopes
