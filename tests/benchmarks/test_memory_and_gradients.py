"""The benchmarks of memory and of gradients run, and show what they are to show."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _printed(script: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_memory_does_not_hold_all_runs() -> None:
    """The inputs of 60,000 runs alone would be 0.69 GiB, with 0.18 for Python and the model beside them."""
    printed = _printed("memory.py", "--runs", "60000", "--threads", "2")
    assert printed.startswith("60000 runs of 256 steps, 6 outputs at 33 times\n")
    found = re.search(r"peak memory: (?:([\d.]+) GiB|not known here)", printed)
    assert found is not None
    assert float(found[1] or 0.0) < 0.6


def test_reverse_and_complex_step_agree_for_any_number_of_decisions() -> None:
    lines = _printed("gradients.py", "--scenarios", "3", "--decisions", "6", "30").splitlines()[-2:]
    assert [int(line.split()[0]) for line in lines] == [6, 30]
    assert all(float(line.split()[-1]) < 1e-12 for line in lines)
