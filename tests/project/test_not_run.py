"""The last lines of a test run name what was deselected: a machine without LibreOffice proves less."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = "tests/export/test_desktop.py"


@pytest.mark.parametrize("processes", [(), ("--numprocesses=1",)])
def test_what_is_deselected_is_named_at_the_end(processes: tuple[str, ...], tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "SDOPT", "PATH"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", DESKTOP, "-p", "no:cacheprovider", *processes],
        cwd=ROOT,
        env={**kept, "PATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr
    end = done.stdout.splitlines()[-3:]
    told = re.fullmatch(r"NOT RUN: (\d+) tests marked desktop; they need LibreOffice", end[0])
    assert told is not None, done.stdout
    marked = (ROOT / DESKTOP).read_text(encoding="utf-8").count("def test_")
    assert int(told[1]) >= marked > 0
    assert end[1].split() == [told[1], "in", DESKTOP]
