"""A sweep that is killed, stopped, out of disk or spoiled goes on, and ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdopt.errors import ExportError
from sdopt.optimise.whole_files import read_whole
from sdopt.sweep.allocations import Advice, given_advice
from sdopt.sweep.executors import in_this_process
from sdopt.sweep.parts import Parts
from sdopt.sweep.rows import recalled
from sdopt.sweep.run import plan_sweep, run_blocks

Place = Callable[..., Path]
MANY, BLOCKS = 8_000, 8
"""Draws, each in two external scenarios, and the blocks they make."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}


def command(config: Path, output: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "sdopt", "sweep", str(config), "--output", str(output), *options]


def sweep(config: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(config, output, *options), capture_output=True, encoding="utf-8", env=ENVIRONMENT, check=False
    )


def contents(output: Path) -> dict[str, bytes]:
    """Every file of the one results folder that must not depend on when, where and by whom."""
    (folder,) = output.iterdir()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def parts_in(output: Path) -> list[Path]:
    return sorted(output.glob("unfinished-sweep-*/*.npz"))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, place_in: Place) -> Path:
    return place_in(tmp_path_factory.mktemp("many"), scenarios=MANY)


@pytest.fixture(scope="module")
def undisturbed(config: Path) -> dict[str, bytes]:
    """What one process gives that nobody disturbs."""
    output = config.parent / "undisturbed"
    done = sweep(config, output, "--workers", "1")
    assert done.returncode == 0, done.stderr
    return contents(output)


def test_the_same_bytes_for_any_number_of_workers(config: Path, undisturbed: dict[str, bytes]) -> None:
    assert set(undisturbed) >= {
        *("trajectories.parquet", "runs.parquet", "scenarios.parquet", "allocations.parquet"),
        *("summary.json", "design.json", "summary.csv", "limits.csv", "config.yaml"),
    }
    output = config.parent / "three workers"
    done = sweep(config, output, "--workers", "3")
    assert done.returncode == 0, done.stderr
    assert contents(output) == undisturbed


def start(config: Path, output: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(config, output, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def wait_for_parts(process: subprocess.Popen[str], output: Path, count: int) -> None:
    """Until so many blocks are on disk; the process is still at work then."""
    until = time.monotonic() + 120
    while len(parts_in(output)) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.001)


def kill_after(config: Path, output: Path, count: int, *options: str) -> list[Path]:
    """Start, and kill as soon as so many blocks are on disk; the blocks that are there then."""
    with start(config, output, *options) as process:
        wait_for_parts(process, output, count)
        process.kill()
    return parts_in(output)


def test_killed_twice_and_spoiled_the_bytes_are_the_same(config: Path, undisturbed: dict[str, bytes]) -> None:
    """A part that is sound is not done again; one that is not, is."""
    output = config.parent / "killed"
    first = kill_after(config, output, 2, "--workers", "2")
    spoil(first[0])
    stamps = {path: path.stat().st_mtime_ns for path in first}
    second = kill_after(config, output, len(first) + 1, "--workers", "1", "--resume")
    assert len(first) < len(second) < BLOCKS
    assert [path.stat().st_mtime_ns == stamps[path] for path in first] == [False, *[True] * (len(first) - 1)]
    spoil(second[-1])
    done = sweep(config, output, "--resume")
    assert done.returncode == 0, done.stderr
    assert f"goes on from {len(second)} finished parts" in done.stderr
    assert contents(output) == undisturbed


def spoil(path: Path) -> None:
    """Turn one bit."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_a_kill_leaves_no_worker_and_parts_are_not_thrown_away_for_want_of_resume(config: Path) -> None:
    output = config.parent / "forgotten"
    with start(config, output, "--workers", "2") as process:
        wait_for_parts(process, output, 1)
        children = _children(process.pid)
        process.kill()
    if Path("/proc").is_dir():
        assert children
        until = time.monotonic() + 60
        while any(_alive(child) for child in children):
            assert time.monotonic() < until, "a worker outlives the sweep"
            time.sleep(0.05)
    left = parts_in(output)
    done = sweep(config, output)
    assert done.returncode == 1
    assert f"{len(left)} finished parts" in done.stderr
    assert "--resume" in done.stderr
    assert parts_in(output) == left


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text(encoding="utf-8").split()] if listed.exists() else []


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


if sys.platform != "win32":  # where no process can be interrupted alone, nor have a limit on its files

    def test_stopped_by_the_keyboard(config: Path) -> None:
        output = config.parent / "stopped"
        with start(config, output) as process:
            wait_for_parts(process, output, 2)
            process.send_signal(signal.SIGINT)
            said = process.communicate()[1]
        assert process.returncode == 130
        assert "--resume" in said
        parts = parts_in(output)
        assert 2 <= len(parts) <= BLOCKS
        assert all(read_whole(path) for path in parts)

    def limited(config: Path, output: Path, room: int) -> str:
        """What a sweep says for which no file may be larger: to a program that is a full disk."""
        script = config.parent / "limited.py"
        script.write_text(
            "import resource, sys; from sdopt.cli import main\n"
            "if __name__ == '__main__':\n"
            f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
            "    main(sys.argv[1:])\n",
            encoding="utf-8",
        )
        asked = [*command(config, output)[3:], "--workers", "1", "--resume"]
        done = subprocess.run(
            [sys.executable, str(script), *asked],
            capture_output=True,
            encoding="utf-8",
            env=ENVIRONMENT,
            check=False,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not [path for path in output.iterdir() if not path.name.startswith("unfinished")]
        return done.stderr

    @pytest.mark.parametrize("room", [10, 2_000])
    def test_a_full_disk_from_the_start(config: Path, room: int) -> None:
        """No room for the note in the folder, or for the first part: nothing is kept, or said to be."""
        output = config.parent / f"full from the start {room}"
        said = limited(config, output, room)
        assert "Nothing was done yet" in said
        assert "is kept" not in said
        assert list(output.iterdir()) == []

    def test_a_full_disk_costs_no_finished_part(config: Path, undisturbed: dict[str, bytes]) -> None:
        output = config.parent / "full"
        kill_after(config, output, 2)
        said = limited(config, output, 600_000)
        assert "unfinished-sweep" in said
        assert "cannot be written" in said
        assert "--resume" in said
        assert len(parts_in(output)) >= 2
        said = limited(config, output, 2_000_000)
        assert "cannot be written" in said
        assert "All runs are kept" in said
        assert len(parts_in(output)) == BLOCKS
        done = sweep(config, output, "--resume")
        assert done.returncode == 0, done.stderr
        assert contents(output) == undisturbed


def test_parts_of_other_runs_are_not_taken(ask: Callable[..., Any], tmp_path: Path) -> None:
    """A table that was changed in between: the same config, other runs."""
    _, _, problem = ask(scenarios=3)
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    other = plan_sweep(problem, Advice(advice.point * 1.01, "given"))
    with Parts(tmp_path / "parts", "k" * 20, resume=False) as parts:
        assert run_blocks(plan, parts, in_this_process, lambda *_: None)
        assert recalled(plan, parts, 0) is not None
        assert recalled(other, parts, 0) is None


def test_two_sweeps_do_not_write_in_one_folder(tmp_path: Path) -> None:
    with Parts(tmp_path, "k" * 20, resume=False), pytest.raises(ExportError, match="another run"):
        Parts(tmp_path, "k" * 20, resume=True).__enter__()
    assert list(tmp_path.iterdir()) == []
