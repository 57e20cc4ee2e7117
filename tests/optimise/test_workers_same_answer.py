"""Any number of processes gives the same answer to the last bit, and the same files but for run.json."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from sdopt.cli import main
from sdopt.optimise.crew import Crew
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import Stop
from sdopt.problem.build import Problem
from sdopt.result import Status

Ask = Callable[..., Problem]
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "optimise"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def said(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, ["optimise", *(str(argument) for argument in arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def files_of(result: Path) -> dict[str, bytes]:
    files = (path for path in result.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(result)): path.read_bytes() for path in files}


def test_processes_stop_when_time_is_up(ask: Ask) -> None:
    problem = ask("threshold", {"horizon": {"start": 2026, "end": 2030, "time_step": 0.002}})
    result = optimise(problem, "run", lambda *_: None, Crew(2, Stop(until=time.time() + 2)))
    assert result.status is Status.TIME_LIMIT
    assert result.figures["improvement"] >= 0


def test_the_same_files_undisturbed_or_stopped_and_resumed_by_two_processes(tmp_path: Path) -> None:
    config = DATA / "threshold.yaml"
    assert "status   local" in said(config, "--output", tmp_path / "whole")
    (whole,) = (tmp_path / "whole").iterdir()
    early = said(config, "--output", tmp_path / "early", "--time-limit", "0.001")
    assert "status   time_limit" in early
    assert "--resume" in early
    (stopped,) = (tmp_path / "early").glob("*-001")
    assert json.loads((stopped / "summary.json").read_text(encoding="utf-8"))["status"] == "time_limit"
    again = said(config, "--output", tmp_path / "early", "--resume", "--workers", "2")
    assert "went on from" in again
    assert sorted(path.name[-4:] for path in (tmp_path / "early").iterdir()) == ["-001", "-002"]
    (resumed,) = (tmp_path / "early").glob("*-002")
    assert files_of(resumed) == files_of(whole)
    assert files_of(stopped) != files_of(whole)


if sys.platform != "win32":  # where one process cannot send another a Ctrl-C of its own

    def test_ctrl_c_writes_results_and_says_so(tmp_path: Path) -> None:
        text = (DATA / "threshold.yaml").read_text(encoding="utf-8")
        text = text.replace("file: threshold.mdl", f"file: {DATA / 'threshold.mdl'}")
        (tmp_path / "slow.yaml").write_text(text.replace("end: 2030", "end: 2030, time_step: 0.001"), "utf-8")
        command = [sys.executable, "-m", "sdopt", "optimise", "slow.yaml", "--output", "out"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout is not None
            deadline = time.monotonic() + 100
            while not list(tmp_path.glob("out/unfinished-*/part-*")) and time.monotonic() < deadline:
                assert run.poll() is None, "the question is too easy for this test"
                time.sleep(0.05)
            run.send_signal(signal.SIGINT)
            output = run.stdout.read()
        assert run.returncode == 130
        assert "status   interrupted" in output
        assert len(list(tmp_path.glob("out/*-001/workbook.xlsx"))) == 1
        assert list(tmp_path.glob("out/unfinished-*/part-*.npz"))
