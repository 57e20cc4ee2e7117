"""How fast a robust allocation is found and proved; prints seconds, gap and rounds.

    python benchmarks/robust.py [--scenarios 1000] [--measure cvar ...] [--config configs/voorbeeld-100k.yaml]

One process, everything counted: reading, drawing, the search at central values, the search over scenarios,
the audit and the replay in PySD; only the start of Python and imports are not.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: a second thread only gets in the way

from pathlib import Path
from time import perf_counter

from sdopt.config.load import load_config
from sdopt.config.robust import MeasureName, Robust
from sdopt.export.robust import describe_robust
from sdopt.optimise.robust.run import optimise_robust, robust_result
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model
from sdopt.uncertainty.sample import draw_scenarios

SHIPPED = Path(__file__).parents[1] / "configs" / "voorbeeld-100k.yaml"


def main() -> None:
    """Answer one question and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, default=SHIPPED)
    parser.add_argument("--scenarios", type=int, default=1000)
    parser.add_argument("--measure", nargs="+", default=["cvar"])
    parser.add_argument("--gap", type=float, default=0.005)
    asked = parser.parse_args()
    solve(asked.config, Robust(measures=tuple(asked.measure), gap=asked.gap), asked.scenarios)


def solve(config: Path, robust: Robust, scenarios: int) -> None:
    """Print what was found, and how long it took by measure."""
    started = perf_counter()
    seconds: dict[str, float] = {}
    rounds: dict[str, int] = {}

    def told(measure: MeasureName, iteration: int, best: float, bound: float, gap: float) -> None:
        seconds[measure], rounds[measure] = perf_counter() - started, rounds.get(measure, 0) + 1

    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    problem = build_problem(loaded, model.system)
    drawn = draw_scenarios(problem, "latin hypercube", scenarios, problem.config.search.seed)
    ready = perf_counter() - started
    answer = optimise_robust(problem, drawn, robust, told)
    found = perf_counter() - started
    result = robust_result(answer, model)
    total = perf_counter() - started
    print(describe_robust(result))
    print(f"\n{config.name}: {scenarios:,} scenarios, {problem.decisions.size} values to choose")
    print(f"  reading and drawing     {ready:6.1f} s")
    for measure, at in seconds.items():
        print(f"  until the last round of {measure:10s} {at:6.1f} s  ({rounds[measure]} rounds)")
    print(f"  with audits             {found:6.1f} s")
    print(f"  with tables and PySD    {total:6.1f} s")


if __name__ == "__main__":
    main()
