"""A real scheduler with workers in processes of their own: killed, absent, different, and the same bytes."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdopt.config.load import load_config
from sdopt.errors import SdoptError, SimulationError
from sdopt.problem.build import build_problem
from sdopt.source_model.read import read_model
from sdopt.sweep import cluster as cluster_module
from sdopt.sweep.allocations import given_advice
from sdopt.sweep.cluster import on_cluster
from sdopt.sweep.executors import AHEAD, Spread, in_this_process
from sdopt.sweep.parts import Parts
from sdopt.sweep.plan import Plan
from sdopt.sweep.run import plan_sweep, run_blocks

SOURCE = Path(__file__).resolve().parents[2] / "src"
Process = subprocess.Popen[bytes]
Done = subprocess.CompletedProcess[str]
Kept = dict[str, bytes]
"""Contents of the parts, by name."""
WAIT = 60
"""Seconds that a busy machine may take for anything here."""


class Cluster:
    """A scheduler and the workers that are started for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.workers = folder, folder / "scheduler.json", list[Process]()
        self.scheduler = self._start(
            "dask_scheduler",
            *("--port", "0", "--host", "127.0.0.1", "--idle-timeout", "120"),
            *("--scheduler-file", str(self.file)),
        )
        wait_until(lambda: self.file.exists() and self.file.read_text(encoding="utf-8").endswith("}"))
        self.address: str = json.loads(self.file.read_text(encoding="utf-8"))["address"]

    def _start(self, program: str, *options: str, source: Path = SOURCE) -> Process:
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *options, "--no-dashboard"],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(source)},
                cwd=self.folder,
            )

    def add_workers(self, count: int, *, source: Path = SOURCE) -> list[Process]:
        own = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--death-timeout", "20"]
        own += ["--local-directory", str(self.folder)]
        new = [self._start("dask_worker", self.address, *own, source=source) for _ in range(count)]
        self.workers += new
        alive = sum(worker.poll() is None for worker in self.workers)
        wait_until(lambda: self.connected() == alive)
        return new

    def connected(self) -> int:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return len(client.nthreads())

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers; a test that kills one adds another."""
    with started(tmp_path_factory.mktemp("cluster")) as made:
        made.add_workers(3)
        yield made


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, place_in: Callable[..., Path]) -> Plan:
    """Six blocks."""
    loaded = load_config(place_in(tmp_path_factory.mktemp("plan"), scenarios=6_000))
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    advice = given_advice(problem)
    assert advice is not None
    made = plan_sweep(problem, advice)
    assert len(made.blocks) == 6
    return made


def run(plan: Plan, folder: Path, spread: Spread, note: Callable[[int], None] = lambda now: None) -> Kept:
    """What is kept of a sweep; `note` hears after every block how many runs are done."""

    def progress(done: int, now: int, runs: int) -> None:
        if now:
            note(now)

    with Parts(folder, "k" * 20, resume=True) as parts:
        run_blocks(plan, parts, spread, progress)
        return {path.name: path.read_bytes() for path in parts.folder.glob("block-*.npz")}


@pytest.fixture(scope="module")
def local(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What this process gives."""
    kept = run(plan, tmp_path_factory.mktemp("local"), in_this_process)
    assert len(kept) == 6
    return kept


def test_a_killed_worker_costs_nothing_and_changes_nothing(
    cluster: Cluster, plan: Plan, local: Kept, tmp_path: Path
) -> None:
    """Killed while it has work: with three workers and six blocks, every one has two."""
    killed = cluster.workers[0]
    assert run(plan, tmp_path, on_cluster(cluster.address), lambda now: killed.kill()) == local
    assert killed.wait() != 0
    cluster.add_workers(1)


def test_begun_on_the_cluster_and_finished_here(
    cluster: Cluster, plan: Plan, local: Kept, tmp_path: Path
) -> None:
    """The workers have nothing left to do then, and can be used again."""
    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path, on_cluster(cluster.address), interrupt)
    begun = {path.name for path in tmp_path.glob("*/block-*.npz")}
    assert 1 <= len(begun) < 6
    assert sorted(on_cluster(cluster.address)(math.sqrt, [4.0, 9.0])) == [2.0, 3.0]
    assert run(plan, tmp_path, in_this_process) == local


def interrupt(now: int) -> None:
    raise KeyboardInterrupt


def test_a_killed_client_goes_on_with_the_same_scheduler(
    cluster: Cluster, place_in: Callable[..., Path], tmp_path: Path
) -> None:
    """Killed among the blocks of runs, and again among the scenarios that are re-optimised.

    What it ends with are the files that one process makes.
    """
    config = place_in(
        tmp_path,
        scenarios=6_000,
        allocations={"advice": "advies.csv", "achteraf": "re-optimised"},
        re_optimise={"scenarios": 12},
    )
    output, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    asked = ("--scheduler", cluster.address)
    first = killed_at(config, output, "block", *asked)
    assert 1 <= len(first) < 6
    second = killed_at(config, output, "best", *asked, "--resume")
    assert 1 <= len([name for name in second if name.startswith("best")]) < 12
    done = command(config, output, *asked, "--resume")
    assert done.returncode == 0, done.stderr
    assert f"goes on from {len(second)} finished parts" in done.stderr
    assert command(config, undisturbed, "--workers", "1").returncode == 0
    assert {"runs.parquet", "re_optimised.csv", "regrets.csv"} < set(results_in(undisturbed))
    assert results_in(output) == results_in(undisturbed)


def killed_at(config: Path, output: Path, kind: str, *options: str) -> list[str]:
    """Start the command, kill it as soon as a part of this kind is there; the parts that are there then."""
    script = "import sys; from sdopt.cli import main\nif __name__ == '__main__': main(sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", script, "sweep", str(config), "--output", str(output), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    ) as process:
        wait_until(lambda: process.poll() is not None or bool(list(output.glob(f"*/{kind}-*.npz"))))
        assert process.poll() is None
        process.kill()
    return sorted(path.name for path in output.glob("*/*.npz"))


def results_in(output: Path) -> Kept:
    """Every file of the one results folder that must not depend on when, where and by whom."""
    (folder,) = output.iterdir()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_cluster_of_its_own_on_this_machine(plan: Plan, local: Kept, tmp_path: Path) -> None:
    assert run(plan, tmp_path, on_cluster("local", 2)) == local


def command(config: Path, output: Path, *options: str, first: str = "pass") -> Done:
    script = f"import sys; {first}; from sdopt.cli import main\nif __name__ == '__main__': main(sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", script, "sweep", str(config), "--output", str(output), *options],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
        timeout=4 * WAIT,
    )


def test_items_are_drawn_when_they_are_needed(cluster: Cluster) -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(60):
            drawn += 1
            yield number

    found = []
    for result in on_cluster(cluster.address)(math.sqrt, items()):
        assert drawn - len(found) <= 3 * (1 + AHEAD) + 1
        found.append(result)
    assert sorted(found) == [math.sqrt(number) for number in range(60)]


def test_what_goes_wrong_on_a_worker_is_said_here(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(on_cluster(cluster.address)(math.sqrt, [1.0, -1.0]))


def test_a_worker_with_other_code_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Before the work, and when it joins halfway."""
    other = tmp_path / "other"
    shutil.copytree(SOURCE, other, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "sdopt" / "equations" / "functions.py").open("a", encoding="utf-8") as file:
        file.write("# another rounding\n")
    with started(tmp_path) as small:
        small.add_workers(1)
        spread = on_cluster(small.address)
        late = spread(time.sleep, [0.01] * 2000)
        assert next(late) is None
        small.add_workers(1, source=other)
        with pytest.raises(SdoptError, match=r"code of sdopt is \w+, here \w+"):
            list(late)
        with pytest.raises(SdoptError, match=r"tcp://127.*code of sdopt is \w+, here \w+.* Install the same"):
            on_cluster(small.address)


def test_without_workers_it_waits_and_then_keeps_what_is_done(
    plan: Plan, local: Kept, tmp_path: Path
) -> None:
    with started(tmp_path) as small:
        small.add_workers(1)
        with pytest.raises(SimulationError, match=r"no worker for 1 seconds.*--resume"):
            run(plan, tmp_path, on_cluster(small.address, patience=1), lambda now: small.workers[0].kill())
    assert 1 <= len(list(tmp_path.glob("*/block-*.npz"))) < 6
    assert run(plan, tmp_path, in_this_process) == local


def test_a_scheduler_that_ends_is_missed(tmp_path: Path) -> None:
    with started(tmp_path) as small:
        small.add_workers(1)
        results = on_cluster(small.address)(time.sleep, [0.05] * 500)
        assert next(results) is None
        small.scheduler.kill()
        with pytest.raises(SimulationError, match=r"scheduler was lost.*--resume"):
            list(results)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere"])
def test_a_scheduler_that_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "REACH", 1.0)  # ten seconds are for a network
    said = f"no Dask scheduler answers at {re.escape(address)} within 1 seconds"
    with pytest.raises(SdoptError, match=said):
        on_cluster(address)


def test_without_dask_it_says_what_to_install(place_in: Callable[..., Path], tmp_path: Path) -> None:
    absent = "sys.modules['distributed'] = None"
    done = command(place_in(tmp_path), tmp_path / "nothing", "--scheduler", "tcp://127.0.0.1:1", first=absent)
    assert done.returncode == 1
    assert 'pip install "sdopt[cluster]"' in done.stderr
    assert "Traceback" not in done.stderr
