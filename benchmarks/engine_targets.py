"""What the engine was asked to show, each as a line with the figure and yes or NO."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from engine_growth import Gradients
from engine_report import AGREEMENT, Measured, Report
from engine_runners import THREADS

TIMES_PYSD = {"shipped": 1_000, "ten neighbourhoods": 10_000}
OF_C = {"sdopt, NumPy": 0.25, "sdopt, compiled": 0.5}
GRADIENT_SECONDS = 0.2
FLATNESS = 0.2
ASKED_DECISIONS = (10, 80, 320)
LIMIT_GIB = 2.0


def print_targets(
    report: Report, cases: Sequence[Measured], gradients: Gradients, gib: float | None, runs: int
) -> None:
    """All of them; `gib` is the peak memory of a number of runs of the shipped model."""
    report.line("\nAsked for")
    _agreement(report, cases)
    _against_pysd(report, cases)
    _against_c(report, cases)
    _gradients(report, gradients)
    figure = "not known" if gib is None else f"{gib:.2f} GiB"
    report.asked(
        f"{runs:,} runs of the shipped model within {LIMIT_GIB:g} GiB ({figure})",
        None if gib is None else gib <= LIMIT_GIB,
    )


def _agreement(report: Report, cases: Sequence[Measured]) -> None:
    largest = max(measured.largest_difference for measured in cases)
    report.asked(f"all engines agree within {AGREEMENT:g} ({largest:.0e})", largest <= AGREEMENT)


def _against_pysd(report: Report, cases: Sequence[Measured]) -> None:
    for measured in cases:
        for begin, asked in TIMES_PYSD.items():
            if measured.case.title.startswith(begin):
                for engine in OF_C:
                    ratio = measured.ratio(engine, "PySD run")
                    figure = "-" if ratio is None else f"{ratio:,.0f}"
                    report.asked(
                        f"{measured.case.title}: {engine}, at least {asked:,} times PySD run ({figure})",
                        None if ratio is None else ratio >= asked,
                    )


def _against_c(report: Report, cases: Sequence[Measured]) -> None:
    for engine, asked in OF_C.items():
        for measured in cases:
            ratio = measured.ratio(engine, "kernel in C")
            figure = "-" if ratio is None else f"{ratio:.2f}"
            report.asked(
                f"{measured.case.title}: {engine}, at least {asked:g} of the kernel in C ({figure})",
                None if ratio is None else ratio >= asked,
            )


def _gradients(report: Report, gradients: Gradients) -> None:
    measured = [count for count in ASKED_DECISIONS if count in gradients.curves[0].x]
    seconds = {count: gradients.seconds(count) for count in measured}
    if 80 in seconds:
        report.asked(
            f"value and gradient over 80 decisions for {gradients.scenarios} scenarios within "
            f"{GRADIENT_SECONDS:g} s ({seconds[80]:.3f} s)",
            seconds[80] <= GRADIENT_SECONDS,
        )
    growth = max(seconds.values()) / min(seconds.values()) - 1
    figures = ", ".join(f"{count}: {found:.3f} s" for count, found in seconds.items())
    report.asked(
        f"time independent of the number of decisions within {FLATNESS:.0%} ({figures}; {growth:.0%})",
        growth <= FLATNESS,
    )
    report.asked(
        f"gradients by reverse accumulation are those of complex step ({gradients.apart:.0e}) "
        f"and of differences in PySD ({gradients.apart_pysd:.0e})",
        gradients.apart <= AGREEMENT and gradients.apart_pysd <= 1e-4,
    )


def peak_memory(report: Report, runs: int) -> float | None:
    """GiB that `memory.py` needs in a process of its own; prints what it says."""
    command = [sys.executable, str(Path(__file__).with_name("memory.py")), "--runs", str(runs)]
    done = subprocess.run(
        [*command, "--threads", str(THREADS)], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        report.line(f"\nmemory.py failed: {(done.stderr.strip().splitlines() or [''])[-1]}")
        return None
    report.line("\n" + done.stdout.strip())
    found = re.search(r"peak memory: ([\d.]+) GiB", done.stdout)
    return None if found is None else float(found[1])
