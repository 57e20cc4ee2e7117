"""How fast the certificate without assumptions closes; prints the proved gap against time.

    python benchmarks/certificate.py [--only NAME ...] [--seconds N] [--write docs/benchmark/certificate.txt]

One process; HiGHS with one thread. Loading, the search before it, and imports are not counted: their seconds
stand in the heading of each question. Gaps are parts of the improvement; `owed to` names the variables to
which the bound of the last box worked on owes most.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: a second thread only gets in the way

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sdopt.config.load import load_config
from sdopt.optimise.archive import Archive, View
from sdopt.optimise.certificate.run import Asked, certificate_tables, certified
from sdopt.optimise.search import Found, search
from sdopt.optimise.stopping import NEVER
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model

ROOT = Path(__file__).parents[1]
FIRST = ROOT / "benchmarks" / "problems" / "first-version" / "configs"
SHIPPED = ROOT / "configs"


@dataclass(frozen=True)
class Case:
    """A question, the gap that is asked for, within how many seconds, and when to stop."""

    name: str
    config: Path
    end: float | None
    asked: float | None
    within: float


CASES = (
    Case("first version, 10 years", FIRST / "voorbeeld-100k.yaml", 2036, 0.001, 300),
    Case("first version, 20 years", FIRST / "voorbeeld-100k.yaml", 2046, 0.005, 300),
    Case("shipped model, 10 years", SHIPPED / "voorbeeld-100k.yaml", 2036, 0.01, 600),
    Case("shipped model, 20 years", SHIPPED / "voorbeeld-100k.yaml", 2046, 0.05, 600),
    Case("shipped config", SHIPPED / "voorbeeld-100k.yaml", None, None, 600),
    Case("free path, first version", FIRST / "vrij-pad-20-jaar.yaml", None, None, 600),
    Case("free path, shipped model", SHIPPED / "vrij-pad-20-jaar.yaml", None, None, 600),
)


def main() -> None:
    """Prove one question after the other, and print the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="questions whose name starts so")
    parser.add_argument("--seconds", type=float, help="most seconds for one question")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="gap at which a proof ends")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write what is printed to a file")
    arguments = parser.parse_args()
    lines: list[str] = []
    for case in CASES:
        if arguments.only and not case.name.startswith(tuple(arguments.only)):
            continue
        for line in _proved(case, arguments.seconds or case.within, arguments.tolerance):
            print(line, flush=True)
            lines.append(line)
    if arguments.write:
        arguments.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _proved(case: Case, seconds: float, tolerance: float) -> Iterator[str]:
    began = perf_counter()
    changes = {"search.gap": tolerance} | ({"horizon.end": case.end} if case.end else {})
    loaded = load_config(case.config, changes)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    ready = perf_counter()
    found = _best(problem)
    audited = "none" if found.gap is None else f"{found.gap:.4%}"
    yield (
        f"\n{case.name}: {problem.decisions.size} decisions, {problem.grid.steps} steps; loaded in "
        f"{ready - began:.1f} s, best {found.improvement:.4f} and audited gap {audited} in "
        f"{perf_counter() - ready:.1f} s"
    )
    told: list[tuple[float, float, int]] = []
    better, certificate = certified(problem, found, Asked(seconds, lambda *step: told.append(step)), NEVER)
    for after, gap, boxes in _chosen(told):
        yield f"  {after:7.1f} s   proved gap {gap:9.4%}   boxes left {boxes}"
    if better.improvement > found.improvement:
        yield f"  a better allocation was met: {better.improvement:.6f}"
    if certificate.refusal and not certificate.bound < float("inf"):
        yield f"  no bound over the whole range: {certificate.refusal[1]}"
    errors = certificate_tables(problem, certificate)["certificate_errors"].head(5)
    yield "  owed to: " + ", ".join(f"{row.variable} {row.error:.2g}" for row in errors.itertuples())
    yield from _verdict(case, told)


def _best(problem: Problem) -> Found:
    view, archive = View(problem, problem.objective_rows), Archive(problem)
    archive.add(problem.decisions.null_vector()[None])
    return search(view, archive, problem.config.search, lambda *_: None)


def _chosen(told: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """At most some twenty times at which something had changed, with the last."""
    told = [
        now for now, before in zip(told, [None, *told], strict=False) if not before or now[1:] != before[1:]
    ]
    step = max(1, len(told) // 20)
    return told[::step] + (told[-1:] if (len(told) - 1) % step else [])


def _verdict(case: Case, told: list[tuple[float, float, int]]) -> Iterator[str]:
    if case.asked is not None:
        reached = [seconds for seconds, gap, _ in told if gap <= case.asked]
        outcome = f"reached after {reached[0]:.1f} s" if reached else "NOT reached"
        yield f"  asked: {case.asked:.1%} within {case.within:.0f} s: {outcome}"


if __name__ == "__main__":
    main()
