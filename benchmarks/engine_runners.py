"""The engines that are compared: each prepares a case, answers runs of its design, and is timed."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from engine_cases import Case, Floats
from kernel_in_c import Kernel, NoCompilerError
from kernel_in_c_source import ROW
from sdopt.equations.block import run_block
from sdopt.equations.compiled.run import run_compiled
from sdopt.equations.program import Program
from sdopt.equations.simulate import run, stream
from sdopt.equations.workers import Backend, worthwhile_processes
from sdopt.errors import SdoptError

THREADS = 2
KEPT = 1000
"""Runs whose answers are compared, if an engine has done as many."""
TRIAL = 100 * ROW
"""Runs on which the two designs of the kernel in C are compared."""
LARGEST_B = 250
"""Operations in a step: with more, design B leaves the first cache and is slower, and gcc takes minutes."""


@dataclass(frozen=True)
class Timing:
    """Seconds for runs of a case, set-up apart; `answers` (output, run, time) to the first runs."""

    engine: str
    set_up: float
    runs: int
    seconds: float
    answers: Floats
    note: str = ""

    @property
    def rate(self) -> float:
        """Runs per second."""
        return self.runs / self.seconds


@dataclass(frozen=True)
class NotMeasured:
    """An engine that is not here, and why."""

    engine: str
    reason: str


def clocked(call: Callable[[], Any], repeats: int = 1) -> float:
    """Median of the seconds that some calls take."""
    taken = []
    for _ in range(repeats):
        begun = perf_counter()
        call()
        taken.append(perf_counter() - begun)
    return median(taken)


def numpy_engine(case: Case, runs: int, repeats: int) -> Timing:
    """The engine itself, as a batch job uses it: in processes when that saves time, their start included.

    Set-up is reading the model and compiling it.
    """
    begun = perf_counter()
    _ = case.model
    program, design = case.compile(), case.design(runs)
    set_up = perf_counter() - begun
    processes = worthwhile_processes(program, runs)
    if processes == 1:
        return _timed("sdopt, NumPy", program, design, repeats, set_up)
    result = np.empty((len(program.outputs), len(program.saved), runs))

    def answer() -> None:
        for block, part in stream(program, design, scenarios=runs, processes=processes):
            result[:, :, block] = part

    seconds = clocked(answer, repeats)
    return Timing("sdopt, NumPy", set_up, runs, seconds, _first(result), f"{processes} processes")


def compiled_engine(case: Case, runs: int, repeats: int) -> Timing | NotMeasured:
    """The engine with the optional backend; set-up is compiling to machine code."""
    engine = "sdopt, compiled"
    program, design = case.compile(), case.design(runs)
    few = {key: values[:ROW] for key, values in design.items()}
    try:
        set_up = clocked(lambda: run(program, few, backend=run_compiled))
    except SdoptError as error:
        return NotMeasured(engine, str(error))
    return _timed(engine, program, design, repeats, set_up, run_compiled)


def _timed(
    engine: str,
    program: Program,
    design: Mapping[str, Floats],
    repeats: int,
    set_up: float,
    backend: Backend = run_block,
) -> Timing:
    results: list[Floats] = []

    def answer() -> None:
        results[:] = [run(program, design, threads=THREADS, backend=backend)]

    seconds = clocked(answer, repeats)
    return Timing(engine, set_up, results[0].shape[2], seconds, _first(results[0]), f"{THREADS} threads")


def _first(result: Floats) -> Floats:
    return result[:, :, :KEPT].transpose(0, 2, 1).copy()


@dataclass(frozen=True)
class Limit:
    """The kernel in C: how fast, and how close to the GFLOP/s that the processor can do."""

    timing: Timing
    gflops: float
    peak: float


def c_kernel(case: Case, runs: int, repeats: int) -> Limit | NotMeasured:
    """The faster design; set-up is what gcc takes for that one. Some of the last runs may be left out."""
    program, design = case.compile(), case.design(runs)
    whole = max(runs // (THREADS * ROW), 1) * THREADS * ROW
    given = {key: np.resize(values, whole)[np.newaxis] for key, values in design.items()}
    trial = {key: values[:, :TRIAL] for key, values in given.items()}
    try:
        designs = "AB" if len(program.loop) <= LARGEST_B else "A"
        kernels = [(*_built(program, trial, name), name) for name in designs]
    except NoCompilerError as error:
        return NotMeasured("kernel in C", str(error))
    few, result = _room(program, min(TRIAL, whole)), _room(program, whole)
    set_up, kernel, name = min(kernels, key=lambda k: clocked(lambda: k[1].run(trial, few, THREADS), 3))
    kernel.run(given, result, THREADS)
    seconds = clocked(lambda: kernel.run(given, result, THREADS), repeats)
    note = f"{THREADS} threads, design {name}"
    timing = Timing("kernel in C", set_up, whole, seconds, _first(result), note)
    operations = kernel.operations * (program.saved[-1] + 1)
    return Limit(timing, timing.rate * operations / 1e9, kernel.peak(THREADS))


def _built(program: Program, given: Mapping[str, Floats], name: Any) -> tuple[float, Kernel]:
    begun = perf_counter()
    kernel = Kernel(program, given, name)
    return perf_counter() - begun, kernel


def _room(program: Program, width: int) -> Floats:
    return np.empty((len(program.outputs), len(program.saved), width))


class PysdRunner:
    """PySD's model, translated and loaded once; only what is asked for is reported, at yearly times."""

    def __init__(self, case: Case) -> None:
        import pysd

        self.case, begun = case, perf_counter()
        with _quiet(), TemporaryDirectory(prefix="sdopt-") as folder:
            self.model = pysd.read_vensim(shutil.copy(case.path, folder))
        self.set_up = perf_counter() - begun

    def run(self, values: Mapping[str, Any], outputs: Sequence[str] = ()) -> Floats:
        """(output, time) for values of constants, by name."""
        names = list(outputs or self.case.outputs)
        with _quiet():
            frame = self.model.run(params=dict(values), return_columns=names)
        return np.asarray(frame[names].to_numpy(float).T)


def pysd_engine(case: Case, runs: int) -> Timing:
    """One process; the seconds are those of the median run."""
    runner = PysdRunner(case)
    design = case.design(max(runs, 2))
    taken, answers = [], []
    for number in range(runs):
        values = {name: float(design[case.keys[name]][number]) for name in case.constants}
        taken.append(clocked(lambda given=values: answers.append(runner.run(given))))
    note = f"1 process, median of {runs} runs"
    return Timing("PySD run", runner.set_up, 1, median(taken), np.stack(answers, axis=1), note)


def _quiet() -> warnings.catch_warnings:
    """PySD warns of replaced constants and its own old calls, every run."""
    return warnings.catch_warnings(action="ignore")


def ema_engine(case: Case, runs: int, python: str) -> Timing | NotMeasured:
    """The EMA Workbench in a Python of its own, with two processes; set-up is translating in each."""
    engine = "EMA Workbench"
    design = case.design(runs)
    with TemporaryDirectory(prefix="sdopt-") as name:
        folder = Path(name)
        job = {
            "model": shutil.copy(case.path, folder),
            "constants": case.constants,
            "outputs": case.outputs,
            "processes": THREADS,
            "values": str(folder / "values.npy"),
            "answers": str(folder / "answers.npy"),
        }
        np.save(folder / "values.npy", np.stack([design[case.keys[name]] for name in case.constants]))
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [python, str(Path(__file__).with_name("ema_runs.py")), str(folder / "job.json")]
        try:
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        except OSError as error:
            return NotMeasured(engine, str(error))
        if done.returncode != 0:
            return NotMeasured(engine, (done.stderr.strip().splitlines() or ["it failed"])[-1])
        found = json.loads(done.stdout.splitlines()[-1])
        answers = np.load(folder / "answers.npy")
    note = f"{found['version']}, {THREADS} processes, {runs} runs"
    return Timing(engine, found["set-up"], runs, found["seconds"], answers.transpose(0, 2, 1), note)


def difference(one: Floats, other: Floats) -> float:
    """Of answers (output, run, time) to the first runs of both, as a part of an output's largest value."""
    runs = min(one.shape[1], other.shape[1])
    one, other = one[:, :runs], other[:, :runs]
    size = np.abs(one).max(axis=(1, 2), keepdims=True)
    return float((np.abs(one - other) / np.where(size > 0, size, 1.0)).max())
