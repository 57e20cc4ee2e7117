"""What is printed and kept: the machine, a table per model, and where the files go."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path

from engine_cases import ROOT, Case
from engine_runners import Limit, NotMeasured, Timing, difference
from sdopt.equations.scenarios import usable_cores

Outcome = Timing | NotMeasured
MANY = 100_000
"""Runs that the last column is about."""
AGREEMENT = 1e-9
PACKAGES = ("numpy", "pandas", "pysd", "xarray", "llvmlite", "ema_workbench")


@dataclass
class Report:
    """Lines, printed as they come and written at the end."""

    lines: list[str] = field(default_factory=list)

    def line(self, text: str = "") -> None:
        print(text, flush=True)
        self.lines.append(text)

    def asked(self, text: str, holds: bool | None) -> None:
        """A figure and whether it is what was asked for; None is not known."""
        verdict = {True: "yes", False: "NO", None: "not measured"}[holds]
        self.line(f"  {text}: {verdict}")


@dataclass(frozen=True)
class Measured:
    """All engines on one case; `operations` of a step are those left after what needs no stock."""

    case: Case
    operations: int
    outcomes: tuple[Outcome, ...]
    limit: Limit | None

    def timing(self, engine: str) -> Timing | None:
        """Of the engine whose name begins so, if it was measured."""
        return next((o for o in self.timings if o.engine.startswith(engine)), None)

    @property
    def timings(self) -> list[Timing]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, Timing)]

    def ratio(self, engine: str, to: str) -> float | None:
        """Runs per second of one engine as a multiple of another's."""
        one, other = self.timing(engine), self.timing(to)
        return None if one is None or other is None else one.rate / other.rate

    @property
    def largest_difference(self) -> float:
        """Between the first engine and any other."""
        first, *others = self.timings
        return max((difference(first.answers, other.answers) for other in others), default=0.0)


def print_machine(report: Report) -> None:
    """Processor, cores and versions."""
    report.line(f"{_processor()}; {usable_cores()} cores may be used; {platform.platform()}")
    report.line(f"Python {platform.python_version()}, {', '.join(map(_version, PACKAGES))}, {_compiler()}")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def _compiler() -> str:
    try:
        done = subprocess.run(["gcc", "--version"], capture_output=True, encoding="utf-8", check=False)
    except OSError:
        return "no gcc"
    return done.stdout.partition("\n")[0]


def print_case(report: Report, measured: Measured) -> None:
    """A row per engine; `~` marks what is extrapolated."""
    case, grid = measured.case, measured.case.grid
    report.line(
        f"\n{case.title}: {len(case.keys)} variables with elements, {measured.operations} operations a step, "
        f"{grid.steps} steps; {len(case.constants)} constants vary, {len(case.outputs)} outputs a year"
    )
    report.line(
        f"{'':<17}{'set-up s':>9}{'runs':>9}{'seconds':>10}{'runs/s':>13}{f'{MANY:,} runs s':>16}"
        f"{'x PySD run':>12}{'x C':>8}{'difference':>12}"
    )
    for outcome in measured.outcomes:
        report.line(_row(measured, outcome))
    if measured.limit is not None:
        limit = measured.limit
        report.line(
            f"kernel in C: {limit.gflops:.1f} of at most {limit.peak:.1f} GFLOP/s, "
            f"{limit.gflops / limit.peak:.0%} of peak arithmetic (exp and the like counted as one)"
        )


def _row(measured: Measured, outcome: Outcome) -> str:
    if isinstance(outcome, NotMeasured):
        return f"{outcome.engine:<17}not measured: {outcome.reason}"
    ratio, share = measured.ratio(outcome.engine, "PySD run"), measured.ratio(outcome.engine, "kernel in C")
    apart = difference(measured.timings[0].answers, outcome.answers)
    sign = "~" if outcome.runs < MANY * 0.99 else ""
    return (
        f"{outcome.engine:<17}{outcome.set_up:>9.2f}{outcome.runs:>9}{outcome.seconds:>10.3f}{outcome.rate:>13,.1f}"
        f"{f'{sign}{MANY / outcome.rate:,.1f}':>16}{_number(ratio, ',.1f'):>12}{_number(share, '.3f'):>8}"
        f"{apart:>12.0e}  {outcome.note}"
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def new_folder(asked: Path | None) -> Path:
    """The folder asked for, or the next free one in results; never one that is there already."""
    if asked is not None:
        if asked.exists():
            raise SystemExit(f"{asked} is there already; give a new folder")
        asked.mkdir(parents=True)
        return asked
    for number in count(1):
        folder = ROOT / "results" / f"benchmark-engine-{number:03}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError


def write_report(folder: Path, report: Report, names: Sequence[str]) -> None:
    """The printed lines, and what else is in the folder."""
    report.line(f"\nwritten to {folder}: {', '.join([*names, 'report.txt'])}")
    (folder / "report.txt").write_text("\n".join(report.lines) + "\n", encoding="utf-8")
