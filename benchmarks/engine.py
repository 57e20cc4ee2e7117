"""The equation engine against PySD, the EMA Workbench and a kernel in C: seconds, ratios, growth.

    python benchmarks/engine.py [--quick] [--output FOLDER] [--ema-python PYTHON]

Every engine reads the same model file and answers the same runs. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from engine_cases import Case, generated, neighbourhoods, shipped
from engine_growth import Curve, Gradients, growth_with_decisions, growth_with_runs, growth_with_variables
from engine_plots import plot
from engine_report import Measured, Report, new_folder, print_case, print_machine, write_report
from engine_runners import (
    Limit,
    c_kernel,
    compiled_engine,
    ema_engine,
    numpy_engine,
    pysd_engine,
)
from engine_targets import peak_memory, print_targets


@dataclass(frozen=True)
class Effort:
    """How much is measured; `cases` are made in a folder, beside models of `sizes`."""

    cases: tuple[Callable[[Path], Case], ...]
    runs: int
    repeats: int
    pysd_runs: int
    ema_runs: int
    sizes: tuple[int, ...]
    small_sizes: tuple[int, ...]
    counts: tuple[int, ...]
    decisions: tuple[int, ...]
    scenarios: int
    many: int


FULL = Effort(
    cases=(shipped, neighbourhoods),
    runs=100_000,
    repeats=3,
    pysd_runs=15,
    ema_runs=500,
    sizes=(300, 1000),
    small_sizes=(30, 100),
    counts=(1, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
    decisions=(10, 20, 40, 80, 160, 320),
    scenarios=200,
    many=1_000_000,
)
QUICK = Effort(
    cases=(shipped,),
    runs=4_096,
    repeats=1,
    pysd_runs=1,
    ema_runs=10,
    sizes=(60,),
    small_sizes=(30,),
    counts=(1, 100, 10_000),
    decisions=(10, 80),
    scenarios=20,
    many=10_000,
)


def main() -> None:
    """Measure everything, print it, and keep it in a folder."""
    arguments = _arguments()
    effort = QUICK if arguments.quick else FULL
    folder, report, begun = new_folder(arguments.output), Report(), perf_counter()
    print_machine(report)
    gib = peak_memory(report, effort.many)  # first: Linux adds the memory of who starts a process to its peak
    with TemporaryDirectory(prefix="sdopt-") as name:
        models = Path(name)
        cases = [make(models) for make in effort.cases]
        cases += [generated(models, size) for size in effort.sizes]
        measured = [measure(report, case, effort, arguments.ema_python) for case in cases]
        small = {s: measure(report, generated(models, s), effort, None) for s in effort.small_sizes}
        runs = growth_with_runs(measured[0], effort.counts)
        gradients = growth_with_decisions(
            cases[0], effort.decisions, effort.scenarios, 2 * effort.repeats + 1
        )
    variables = growth_with_variables(
        small | dict(zip(effort.sizes, measured[len(effort.cases) :], strict=True))
    )
    names = _plots(folder, runs, variables, gradients)
    _print_growth(report, "runs", runs)
    _print_growth(report, f"decisions, {effort.scenarios} scenarios", gradients.curves)
    print_targets(report, measured, gradients, gib, effort.many)
    report.line(f"\n{perf_counter() - begun:.0f} seconds in all")
    write_report(folder, report, names)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="half a minute; rough figures, no neighbourhoods"
    )
    parser.add_argument("--output", type=Path, help="a new folder (default: results/benchmark-engine-NNN)")
    parser.add_argument(
        "--ema-python",
        default=sys.executable,
        help="the Python that has the EMA Workbench (default: this one)",
    )
    return parser.parse_args()


def measure(report: Report, case: Case, effort: Effort, ema_python: str | None) -> Measured:
    """All engines on one case, printed; without the EMA Workbench when no Python is given for it."""
    outcomes = [
        numpy_engine(case, effort.runs, effort.repeats),
        compiled_engine(case, effort.runs, effort.repeats),
    ]
    found = c_kernel(case, effort.runs, effort.repeats)
    limit = found if isinstance(found, Limit) else None
    outcomes += [found.timing if isinstance(found, Limit) else found, pysd_engine(case, effort.pysd_runs)]
    if ema_python is not None:
        outcomes.append(ema_engine(case, effort.ema_runs, ema_python))
    measured = Measured(case, len(case.compile().loop), tuple(outcomes), limit)
    print_case(report, measured)
    return measured


def _plots(folder: Path, runs: list[Curve], variables: list[Curve], gradients: Gradients) -> list[str]:
    decisions = f"Value and gradient of one output, {gradients.scenarios} scenarios"
    plot(folder / "runs.png", "The shipped model", "runs", "seconds", runs)
    plot(folder / "variables.png", "Generated models", "variables", "seconds per run", variables)
    plot(folder / "decisions.png", decisions, "decisions", "seconds", gradients.curves)
    return ["runs.png", "variables.png", "decisions.png"]


def _print_growth(report: Report, across: str, curves: list[Curve]) -> None:
    report.line(f"\nSeconds against {across} (~ extrapolated)")
    report.line(f"{'':<32}" + "".join(f"{x:>12,.0f}" for x in curves[0].x))
    for curve in curves:
        sign = "~" if curve.extrapolated else ""
        report.line(f"{curve.label:<32}" + "".join(f"{f'{sign}{s:,.4g}':>12}" for s in curve.seconds))


if __name__ == "__main__":
    main()
