"""Value and gradient of one output, by reverse accumulation and by complex step, over many decisions.

    python benchmarks/gradients.py [--scenarios 200] [--decisions 10 80 240]

The output is the present value of the shipped model's social return over 32 years. Decisions share the
horizon of six kinds of spending among them: 10 are long, 240 are short. Complex step differentiates fewer
scenarios when that takes long; its seconds are then scaled up.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from sdopt.config.load import load_config
from sdopt.equations.differentiate import reverse
from sdopt.equations.program import Program, compile_program
from sdopt.equations.simulate import Array, run
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

CONFIG = Path(__file__).parents[1] / "configs" / "vrij-pad-20-jaar.yaml"
OUTPUT = "social_return"
REPEATS = 7
COLUMNS = 2000
"""Directions carried forward at a time by complex step."""
TINY = 1e-30


def main() -> None:
    """Measure, check one against the other, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenarios", type=int, default=200, help="allocations differentiated at once")
    parser.add_argument("--decisions", type=int, nargs="+", default=[10, 80, 240], help="how many")
    arguments = parser.parse_args()
    loaded = load_config(CONFIG)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    program = compile_program(
        problem.system, problem.grid, (OUTPUT,), [p.key for p in problem.decisions.paths]
    )
    weights = problem.evaluator.functionals[0].weights[OUTPUT].reshape(1, 1, -1)
    print(f"{arguments.scenarios} scenarios of {problem.grid.steps} steps; seconds, the least of {REPEATS}")
    print(f"{'decisions':>10}{'reverse':>10}{'complex step':>14}{'ratio':>8}{'difference':>12}")
    for decisions in arguments.decisions:
        print_row(Case(problem, program, weights, decisions, arguments.scenarios))


class Case:
    """One number of decisions: what each decides (input, moment), and random values (scenario, decision)."""

    def __init__(
        self, problem: Problem, program: Program, weights: Array, decisions: int, scenarios: int
    ) -> None:
        self.program, self.weights = program, weights
        paths, moments = problem.decisions.paths, program.grid.steps + 1
        bounds = np.array([path.rule.bounds for path in paths])
        pieces = np.arange(len(paths) * moments) * decisions // (len(paths) * moments)
        self.which = pieces.reshape(len(paths), moments)
        shares = np.random.default_rng(1).random((scenarios, decisions))[:, self.which]
        low, high = bounds.T[:, :, np.newaxis]
        self.null = low + (high - low) * shares  # (scenario, input, moment)
        self.size = (high - low).ravel()
        self.decisions = decisions

    def expand(self, moved: Array) -> dict[str, Array]:
        """Paths by key, of values (scenario, input, moment)."""
        return dict(zip(self.program.inputs, moved.transpose(1, 2, 0), strict=True))

    def by_reverse(self) -> Array:
        """Gradient by the share of each decision, (scenario, decision)."""
        _, gradients = reverse(self.program, {}, self.expand(self.null), self.weights)
        by_share = np.stack([gradients[key][0] for key in self.program.inputs]) * self.size[:, None, None]
        found = np.zeros((self.decisions, len(self.null)))
        np.add.at(found, self.which.ravel(), by_share.reshape(self.which.size, -1))
        return found.T

    def by_complex_step(self, scenarios: int) -> Array:
        """The same, for the first scenarios."""
        one_each = (self.which == np.arange(self.decisions)[:, None, None]) * self.size[:, None]
        moved = self.null[:scenarios, None] + 1j * TINY * one_each
        result = run(self.program, {}, self.expand(moved.reshape(-1, *self.which.shape)))
        sums = np.einsum("t,ts->s", self.weights[0, 0], result[0].imag / TINY)
        return sums.reshape(scenarios, self.decisions)


def print_row(case: Case) -> None:
    scenarios = min(len(case.null), max(1, COLUMNS // case.decisions))
    gradient, seconds = fastest(case.by_reverse)
    same, of_some = fastest(lambda: case.by_complex_step(scenarios))
    difference = np.abs(gradient[:scenarios] - same).max() / np.abs(same).max()
    forward = of_some * len(case.null) / scenarios
    print(f"{case.decisions:>10}{seconds:>10.3f}{forward:>14.3f}{forward / seconds:>8.1f}{difference:>12.1e}")


def fastest(work: Callable[[], Array]) -> tuple[Array, float]:
    """The answer, and the least seconds it took."""
    taken = []
    for _ in range(REPEATS):
        begun = perf_counter()
        answer = work()
        taken.append(perf_counter() - begun)
    return answer, min(taken)


if __name__ == "__main__":
    main()
