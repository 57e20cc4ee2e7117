"""Sobol indices of two functions with known indices: error, and how often the 95 % intervals hold the truth.

    python benchmarks/sobol_indices.py [--points 8192] [--seeds 100]

N is the number of base points; a function of k factors is called N (k + 2) times. `largest error` is over
all indices of all seeds, `usual` the median over seeds of the largest error of one seed. Coverage is over
all indices and seeds; `least` and `most` are the indices with the lowest and the highest coverage.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import numpy as np

from known_functions import KNOWN, Floats, Known
from sdopt.uncertainty.sensitivity.designs import saltelli_design
from sdopt.uncertainty.sensitivity.sobol import sobol_indices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[256, 1024, 8192], help="base points (N)")
    parser.add_argument("--seeds", type=int, default=100, help="how many designs")
    arguments = parser.parse_args()
    print(f"{arguments.seeds} seeds")
    print("function          N  largest error    usual  coverage   least    most      s")
    for known in KNOWN:
        for count in arguments.points:
            start = perf_counter()
            error, held = measure(known, count, arguments.seeds)
            cover = held.mean(axis=0)
            print(
                f"{known.name:<12}{count:>7}{error.max():>15.4f}{np.median(error.max(axis=1)):>9.4f}"
                f"{cover.mean():>10.1%}{cover.min():>8.0%}{cover.max():>8.0%}{perf_counter() - start:>7.1f}"
            )


def measure(known: Known, count: int, seeds: int) -> tuple[Floats, Floats]:
    """Absolute error of every index, and whether its interval holds the truth: both (seed, index)."""
    errors, held = [], []
    factors = [f"factor {k + 1}" for k in range(known.size)]
    for seed in range(seeds):
        table = sobol_indices(
            known.call(saltelli_design(count, known.size, seed))[:, None], factors, [known.name]
        )
        parts = [("first", known.first), ("total", known.total)]
        errors.append(np.concatenate([np.abs(table[name] - truth) for name, truth in parts]))
        held.append(
            np.concatenate([truth_in(table, name, truth) for name, truth in parts]),
        )
    return np.array(errors), np.array(held)


def truth_in(table: object, name: str, truth: Floats) -> Floats:
    """Whether the intervals of a table of indices hold the truth, (factor,)."""
    low, high = table[f"{name}_low"].to_numpy(), table[f"{name}_high"].to_numpy()
    return (low <= truth) & (truth <= high)


if __name__ == "__main__":
    main()
