"""The benchmark of the Sobol indices runs, and can tell right indices from wrong ones."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_it_prints_error_and_coverage_of_every_function() -> None:
    command = [sys.executable, "benchmarks/sobol_indices.py", "--points", "64", "128", "--seeds", "3"]
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [[f, n] for f in ("Ishigami", "g-function") for n in ("64", "128")]
    assert all(re.fullmatch(r"\d+\.\d%", row[4]) for row in rows)


def test_wrong_indices_are_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from known_functions import KNOWN
    from sobol_indices import measure

    wrong = replace(KNOWN[0], first=KNOWN[0].first + 0.03)
    error, held = measure(wrong, 8192, 10)
    assert error[:, :3].max() > 0.02
    assert held[:, :3].mean() < 0.5
    assert held[:, 3:].mean() > 0.8
