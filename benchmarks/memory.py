"""Many runs of the shipped model, with random spending, in little memory; prints seconds and the peak.

    python benchmarks/memory.py [--runs 1000000] [--threads 2]

Six outputs are kept at the start of every year; a block of runs is summed up and forgotten.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from sdopt.config.load import load_config
from sdopt.equations.program import Program, compile_program
from sdopt.equations.simulate import Array, stream
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

CONFIG = Path(__file__).parents[1] / "configs" / "vrij-pad-20-jaar.yaml"
OUTPUTS = (
    "social_return",
    "people_on_bijstand",
    "problem_debt_households",
    "unmet_need",
    "decided_spending",
    "municipal_balance",
)
GIB = 2**30


def main() -> None:
    """Simulate, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="how many runs")
    parser.add_argument("--threads", type=int, help="all cores when not given")
    arguments = parser.parse_args()
    loaded = load_config(CONFIG)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    program = _program(problem)
    begun, before = perf_counter(), peak_memory()
    mean = _mean(problem, program, arguments.runs, arguments.threads)
    seconds = perf_counter() - begun
    size = f"{program.grid.steps} steps, {len(OUTPUTS)} outputs at {len(program.saved)} times"
    print(f"{arguments.runs} runs of {size}")
    print(f"seconds: {seconds:.1f}, runs per second: {arguments.runs / seconds:.0f}")
    print(f"peak memory: {_gib(peak_memory())}; after reading the model it was {_gib(before)}")
    print(
        "mean at the end:", ", ".join(f"{key} {value:.6g}" for key, value in zip(OUTPUTS, mean, strict=True))
    )


def _program(problem: Problem) -> Program:
    per_year = round(1 / problem.grid.step)
    saved = range(0, problem.grid.steps + 1, per_year)
    inputs = [path.key for path in problem.decisions.paths]
    return compile_program(problem.system, problem.grid, OUTPUTS, inputs, saved)


def _mean(problem: Problem, program: Program, runs: int, threads: int | None) -> Array:
    """Mean over all runs of each output at the end."""
    low, high = problem.decisions.lower(), problem.decisions.upper()
    drawn: dict[int, dict[str, Array]] = {}

    def spending(block: slice, key: str) -> Array:
        """One path of all that is drawn for a block when its first path is asked for."""
        if block.start not in drawn:
            random = np.random.default_rng(block.start)
            points = random.uniform(low, high, (block.stop - block.start, len(low)))
            drawn.clear()
            drawn[block.start] = problem.decisions.expand(points)
        return drawn[block.start][key]

    paths = {key: partial(spending, key=key) for key in program.inputs}
    total = np.zeros(len(OUTPUTS))
    for _, result in stream(program, {}, paths, scenarios=runs, threads=threads):
        total += result[:, -1].sum(axis=1)
    return total / runs


def peak_memory() -> int | None:
    """Bytes this process has used at most; None on Windows, where Python does not tell."""
    if sys.platform == "win32":
        return None
    if sys.platform == "linux":  # where getrusage counts what the starting process used, too
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _gib(size: int | None) -> str:
    return "not known here" if size is None else f"{size / GIB:.2f} GiB"


if __name__ == "__main__":
    main()
