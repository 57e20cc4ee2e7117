"""A sweep of 100,000 runs, everything included, and the EMA Workbench with PySD on the same design.

    python benchmarks/sweep.py [--runs 100000] [--ema-runs 500] [--ema-python PYTHON] [--backend numpy]

Two questions: the shipped one (scalars) and the one with ten neighbourhoods (subscripts). Half of the runs
are the null alternative, half an allocation that is given; six outputs are kept a year; all uncertain
constants of the table are drawn but elements of arrays, which the EMA Workbench's connector cannot set.
`sdopt sweep` is timed as a user runs it: reading, simulating, writing and PySD as referee. The EMA Workbench
runs the allocation in the first scenarios of the same design, with two processes; its seconds for all runs
are in proportion, without its set-up. `--ema-runs 0` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pyarrow.parquet
import yaml

from sdopt.config.load import load_config
from sdopt.export.replay_model import fill_in
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import read_model
from sdopt.uncertainty.sample import uncertain_constants

ROOT = Path(__file__).parents[1]
GIB = 2**30
PROCESSES = 2
SECONDS, PEAK = 20.0, 2.0
"""What is asked of the shipped question: seconds, and GiB."""
OUTPUTS = (
    *("social return", "people on bijstand", "Problem debt households"),
    *("Unmet need", "decided spending", "municipal balance"),
)
TOTALS = (
    *("all people on bijstand", "all Informal network capacity", "all Light clients"),
    *("all Heavy clients", "all Youth clients", "all Problem debt households"),
)


@dataclass(frozen=True)
class Case:
    """A question, what is kept of it, and how many times as fast as the EMA Workbench it should be."""

    title: str
    name: str
    outputs: tuple[str, ...]
    asked: float


CASES = (
    Case("shipped question, scalars", "voorbeeld-100k", OUTPUTS, 200),
    Case("ten neighbourhoods", "tien-wijken-100k", TOTALS, 2_000),
)


def main() -> None:
    """Measure both questions and print what was asked for."""
    arguments = _arguments()
    for case in CASES:
        if arguments.only and arguments.only != case.name:
            continue
        with TemporaryDirectory(prefix="sdopt-") as name:
            _measure(case, Path(name), arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, help="runs, half of them the null alternative")
    parser.add_argument("--ema-runs", type=int, default=500, help="experiments with the EMA Workbench")
    parser.add_argument("--ema-python", default=sys.executable, help="the Python that has it")
    parser.add_argument("--backend", choices=["numpy", "compiled"], default="numpy")
    parser.add_argument("--only", choices=[case.name for case in CASES], help="one of the two questions")
    return parser.parse_args()


def _measure(case: Case, folder: Path, arguments: argparse.Namespace) -> None:
    config, table = folder / f"{case.name}.yaml", _table(case)
    problem = _write_config(case, config, table, arguments.runs // 2)
    seconds, peak = _run_sweep(config, folder / "results", arguments.backend)
    (results,) = (folder / "results").iterdir()
    print(f"\n{case.title}: {arguments.runs:,} runs, {len(case.outputs)} outputs a year, {arguments.backend}")
    print(f"sdopt sweep    {seconds:10.1f} s  {arguments.runs / seconds:12,.0f} runs/s  peak {peak:.2f} GiB")
    if case is CASES[0]:
        _asked(f"within {SECONDS:g} s and {PEAK:g} GiB", seconds <= SECONDS and peak <= PEAK)
    if arguments.ema_runs:
        found = _run_ema(case, problem, results, folder, arguments)
        whole = found["seconds"] / arguments.ema_runs * arguments.runs
        print(
            f"EMA Workbench ~{whole:10,.0f} s  {arguments.runs / whole:12,.1f} runs/s  {found['version']}, "
            f"{PROCESSES} processes, from {arguments.ema_runs} runs; set-up {found['set-up']:.1f} s left out"
        )
        print(f"largest difference {found['difference']:.0e} of an output's largest value")
        _asked(
            f"{whole / seconds:,.0f} times as fast; {case.asked:,.0f} asked", whole >= case.asked * seconds
        )


def _asked(what: str, holds: bool) -> None:
    print(f"  {'yes' if holds else 'NO'}  {what}")


def _table(case: Case) -> Path:
    return ROOT / "benchmarks" / "problems" / "allocations" / f"{case.name}.csv"


def _write_config(case: Case, path: Path, table: Path, scenarios: int) -> Problem:
    """The config with a sweep of so many scenarios, elsewhere; gives its problem."""
    source = ROOT / "configs" / f"{case.name}.yaml"
    loaded = load_config(source)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    drawn = [
        {"constant": one.name, "low": one.low, "high": one.high, "distribution": one.kind}
        for one in uncertain_constants(problem)
        if not problem.system.variables[one.key].subscripts
    ]
    said: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    for section in ("model", "ledger", "fiscal_rules", "valuation", "output"):
        for key in ("file", "constants", "municipality", "names"):
            if key in said.get(section, {}):
                said[section][key] = str((source.parent / said[section][key]).resolve())
    said["uncertainties"] = drawn
    said["sweep"] = {
        "scenarios": scenarios,
        "outputs": list(case.outputs),
        "allocations": {"advice": str(table)},
    }
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return problem


def _run_sweep(config: Path, output: Path, backend: str) -> tuple[float, float]:
    """Seconds, and GiB at the peak of all its processes together (shared pages count more than once)."""
    command = [
        sys.executable,
        "-m",
        "sdopt",
        "sweep",
        str(config),
        "--output",
        str(output),
        "--backend",
        backend,
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
    }
    begun = perf_counter()
    with subprocess.Popen(command, env=environment) as process:
        peaks = [0]
        watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
        watcher.start()
        code = process.wait()
        seconds = perf_counter() - begun
    watcher.join()
    if code != 0:
        raise SystemExit(f"sdopt sweep failed ({code})")
    return seconds, peaks[0] / GIB


def _watch(process: subprocess.Popen[bytes], peaks: list[int]) -> None:
    while process.poll() is None:
        peaks[0] = max(peaks[0], _held(process.pid))
        sleep(0.05)


def _held(pid: int) -> int:
    """Bytes that a process and all it started hold; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [child for task in tasks for child in task.read_text(encoding="utf-8").split()]
    except OSError:
        return 0
    own = status.partition("VmRSS:")[2].split()
    return (1024 * int(own[0]) if own else 0) + sum(_held(int(child)) for child in children)


def _run_ema(
    case: Case, problem: Problem, results: Path, folder: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    """The first scenarios of the sweep, with its allocation filled in the model; see `ema_runs.py`."""
    runs = arguments.ema_runs
    scenarios = pyarrow.parquet.read_table(results / "scenarios.parquet").slice(0, runs)
    names = [name for name in scenarios.column_names if name.startswith("constant ")]
    model = folder / "model.mdl"
    model.write_text(_filled_in(case, problem), encoding="utf-8", newline="\n")
    np.save(folder / "values.npy", np.stack([scenarios[name].to_numpy() for name in names]))
    job = {
        "model": str(model),
        "constants": [name.removeprefix("constant ") for name in names],
        "outputs": list(case.outputs),
        "processes": PROCESSES,
        "values": str(folder / "values.npy"),
        "answers": str(folder / "answers.npy"),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [arguments.ema_python, str(Path(__file__).with_name("ema_runs.py")), str(folder / "job.json")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "difference": _difference(case, results, np.load(folder / "answers.npy"))}


def _filled_in(case: Case, problem: Problem) -> str:
    """The model with the question's constants and its allocation, saving once a year."""
    times = [float(time) for time in problem.grid.times]
    names = {key: variable.name for key, variable in problem.system.variables.items()}
    advice = problem.decisions.expand(read_allocation(_table(case), problem)[None])
    paths = {names[key]: list(zip(times, path[:, 0].tolist(), strict=True)) for key, path in advice.items()}
    constants = {names[key]: v for key, v in problem.changed_constants.items() if key not in advice}
    settings = {"TIME STEP": problem.grid.step, "FINAL TIME": problem.grid.end, "SAVEPER": 1.0}
    text = problem.config.model.file.read_bytes().decode("utf-8-sig")
    return fill_in(text, paths, problem.grid.step, {**constants, **settings})


def _difference(case: Case, results: Path, theirs: np.ndarray) -> float:
    """Largest difference from the sweep in the same runs, as a part of an output's largest value."""
    file = pyarrow.parquet.ParquetFile(results / "trajectories.parquet")
    rows, groups = 0, []
    while rows < 2 * theirs.shape[2] * theirs.shape[0] * theirs.shape[1]:
        groups.append(file.read_row_group(len(groups), columns=["value"])["value"].to_numpy())
        rows += len(groups[-1])
    shape = (-1, 2, len(case.outputs), theirs.shape[1])
    ours = np.concatenate(groups).reshape(shape)[: theirs.shape[2], 1].transpose(1, 2, 0)
    largest = np.abs(ours).max(axis=(1, 2), keepdims=True)
    return float((np.abs(ours - theirs) / largest).max())


if __name__ == "__main__":
    main()
