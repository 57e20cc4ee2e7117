"""A search that is stopped gives the best so far with its gap; resumed, it ends as if undisturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdopt.optimise.checkpoint import Checkpoint
from sdopt.optimise.crew import Crew
from sdopt.optimise.memory import digest
from sdopt.optimise.run import optimise
from sdopt.optimise.stopping import Stop, stop_on_interrupt
from sdopt.problem.build import Problem
from sdopt.result import Result, Status

Ask = Callable[..., Problem]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
KEY = "0123456789abcdef0123"


class AfterLooks(Stop):
    """Stops when it was asked so many times: a clock that does not depend on the computer."""

    def __init__(self, looks: int, reason: Status = Status.TIME_LIMIT) -> None:
        super().__init__()
        self.looks, self.why = looks, reason

    def reason(self) -> Status | None:
        self.looks -= 1
        return self.why if self.looks < 0 else None


def solve(problem: Problem, stop: Stop | None = None, memory: Checkpoint | None = None) -> Result:
    return optimise(problem, "run", lambda *_: None, Crew(stop=stop or Stop()), memory)


def same(first: Result, second: Result) -> None:
    """Equal to the last bit: every figure and every table."""
    assert first.status is second.status
    assert dict(first.figures) == dict(second.figures)
    assert first.tables.keys() == second.tables.keys()
    for name, table in first.tables.items():
        assert table.equals(second.tables[name]), name


@pytest.mark.parametrize("looks", [0, 1, 3])
@pytest.mark.parametrize("reason", [Status.TIME_LIMIT, Status.INTERRUPTED])
def test_the_best_so_far_with_its_gap(ask: Ask, looks: int, reason: Status) -> None:
    """However early: an allowed allocation, a bound that is not below the known optimum, and why it ended."""
    whole = solve(ask("root"))
    early = solve(ask("root"), AfterLooks(looks, reason))
    assert early.status is reason
    assert early.figures["improvement"] <= whole.figures["improvement"] * (1 + 1e-12)
    assert early.figures["bound"] >= whole.figures["objective"] - 1e-12
    assert early.figures["gap"] >= whole.figures["gap"]
    spent = early.tables["decisions"].groupby("period")["value"].sum()
    assert (spent <= 13 * (1 + 1e-8)).all()


def test_more_time_is_never_worse(ask: Ask) -> None:
    gaps = [solve(ask("root"), AfterLooks(looks)).figures["gap"] for looks in range(0, 9, 2)]
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize("looks", [0, 4, 40, 120])
def test_stopped_where_concavity_fails(ask: Ask, looks: int) -> None:
    """No bound then, but an allocation at least as good as doing nothing."""
    early = solve(ask("threshold"), AfterLooks(looks))
    assert early.status is Status.TIME_LIMIT
    assert early.figures["bound"] is None
    assert early.figures["improvement"] >= 0


def test_a_time_limit_that_is_not_reached_changes_nothing(ask: Ask) -> None:
    same(solve(ask("root")), solve(ask("root"), Stop(until=time.time() + 3600)))


def test_ctrl_c_asks_first_and_ends_the_second_time() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop:
        assert stop.reason() is None
        signal.raise_signal(signal.SIGINT)
        assert stop.reason() is Status.INTERRUPTED
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_time_limit_comes_by_itself() -> None:
    with stop_on_interrupt(0.01) as stop:
        time.sleep(0.02)
        assert stop.reason() is Status.TIME_LIMIT


@pytest.mark.parametrize(("name", "looks"), [("root", 2), ("root", 9), ("threshold", 150)])
def test_a_resumed_run_ends_as_an_undisturbed_one(ask: Ask, tmp_path: Path, name: str, looks: int) -> None:
    """And uses what it finds: the second run recalls answers that the first kept."""
    first = Checkpoint(tmp_path, KEY, resume=False)
    solve(ask(name), AfterLooks(looks), first)
    first.close(finished=False)
    second = Checkpoint(tmp_path, KEY, resume=True)
    assert second.earlier
    assert second.answers
    known = set(second.answers)
    same(solve(ask(name)), solve(ask(name), memory=second))
    assert not known & set(second.fresh)
    second.close(finished=True)
    assert list(tmp_path.iterdir()) == []


def test_answers_come_back_to_the_last_bit(tmp_path: Path) -> None:
    values = np.array([[0.1, -0.0, 1e-320], [np.inf, 2 / 3, 5.0]])
    kept = Checkpoint(tmp_path, KEY, resume=False)
    kept.keep("evaluated", values, {"points": values})
    kept.close(finished=False)
    again = Checkpoint(tmp_path, KEY, resume=True).recall("evaluated", values)
    assert again is not None
    assert again["points"].tobytes() == values.tobytes()
    assert again["points"].shape == values.shape


def test_questions_that_differ_in_one_bit_or_in_shape_are_different() -> None:
    point = np.array([[1.0, 2.0]])
    other = [np.nextafter(point, 3), point.T, point.ravel()]
    assert len({digest("a", point), digest("b", point), *(digest("a", one) for one in other)}) == 5


def parts_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("part-*.npz"))


def write_parts(root: Path, count: int) -> list[Path]:
    kept = Checkpoint(root, KEY, resume=False)
    for number in range(count):
        kept.keep("evaluated", np.array([float(number)]), {"points": np.full(3, float(number))})
        kept.write()
    kept.close(finished=False)
    return parts_of(root)


@pytest.mark.parametrize("damage", ["cut off", "one byte", "empty", "not what it says"])
def test_a_torn_part_is_not_used_and_the_others_are(tmp_path: Path, damage: str) -> None:
    parts = write_parts(tmp_path, 3)
    content = parts[1].read_bytes()
    damaged = {
        "cut off": content[: len(content) // 2],
        "one byte": content[:200] + bytes([content[200] ^ 1]) + content[201:],
        "empty": b"",
        "not what it says": parts[0].read_bytes(),
    }
    parts[1].write_bytes(damaged[damage])
    again = Checkpoint(tmp_path, KEY, resume=True)
    known = [again.recall("evaluated", np.array([float(number)])) is not None for number in range(3)]
    assert known == [True, False, True]


def test_a_file_without_its_final_name_is_not_read(tmp_path: Path) -> None:
    (part,) = write_parts(tmp_path, 1)
    part.rename(part.with_name("part-000001.new"))
    assert not Checkpoint(tmp_path, KEY, resume=True).answers


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """The folder goes after a finished run, unless someone put something there."""
    (part,) = write_parts(tmp_path, 1)
    mine = part.parent / "notes.txt"
    mine.write_text("mine", encoding="utf-8")
    Checkpoint(tmp_path, KEY, resume=True).close(finished=True)
    assert [path.name for path in part.parent.iterdir()] == ["notes.txt"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_another_question_has_another_folder(tmp_path: Path) -> None:
    write_parts(tmp_path, 1)
    other = Checkpoint(tmp_path, "f" * 20, resume=True)
    assert not other.earlier
    other.close(finished=True)
    assert len(parts_of(tmp_path)) == 1


def test_two_runs_of_one_question_do_not_write_in_each_others_folder(tmp_path: Path) -> None:
    first = Checkpoint(tmp_path, KEY, resume=False)
    first.keep("evaluated", np.zeros(1), {"points": np.zeros(1)})
    first.write()
    second = Checkpoint(tmp_path, KEY, resume=False)
    second.keep("evaluated", np.ones(1), {"points": np.ones(1)})
    second.write()
    assert second.failed is not None
    assert "another run" in second.failed
    second.close(finished=True)
    assert len(parts_of(tmp_path)) == 1
    first.close(finished=True)
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from sdopt.optimise.checkpoint import Checkpoint
kept = Checkpoint(Path(sys.argv[1]), "0123456789abcdef", resume=False)
kept.keep("evaluated", np.zeros(1), {"points": np.zeros(10)})
kept.write()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
kept.keep("evaluated", np.ones(1), {"points": np.zeros(5000)})
kept.write()
print(kept.failed)
kept.close(finished=False)
"""


if sys.platform != "win32":  # a limit on the size of files, which Windows does not have, is a full disk

    def test_a_full_disk_costs_the_checkpoint_and_not_the_run(tmp_path: Path) -> None:
        command = [sys.executable, "-c", FULL, str(tmp_path)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False
        )
        assert "large" in done.stdout.lower(), done.stderr
        again = Checkpoint(tmp_path, "0123456789abcdef", resume=True)
        assert again.recall("evaluated", np.zeros(1)) is not None
        assert again.recall("evaluated", np.ones(1)) is None


def test_a_folder_that_cannot_be_made_costs_the_checkpoint_and_not_the_run(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file", encoding="utf-8")
    kept = Checkpoint(tmp_path / "results", KEY, resume=True)
    same(solve(ask("root")), solve(ask("root"), memory=kept))
    kept.write()
    assert kept.failed
    kept.close(finished=True)
    assert (tmp_path / "results").read_text(encoding="utf-8") == "a file"


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from sdopt.optimise.checkpoint import Checkpoint
kept = Checkpoint(Path(sys.argv[1]), "0123456789abcdef", resume=False)
for number in range(100000):
    kept.keep("evaluated", np.array([float(number)]), {"points": np.full(20000, float(number))})
    kept.write()
    print(number, flush=True)
"""


def test_killed_at_any_moment_what_was_said_to_be_written_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(20)][-1]
        process.kill()
        rest = process.stdout.read().split()
    written = int((rest or [last])[-1])
    again = Checkpoint(tmp_path, "0123456789abcdef", resume=True)
    for number in range(written + 1):
        found = again.recall("evaluated", np.array([float(number)]))
        assert found is not None
        assert (found["points"] == number).all()
    again.close(finished=True)
    assert list(tmp_path.iterdir()) == []
