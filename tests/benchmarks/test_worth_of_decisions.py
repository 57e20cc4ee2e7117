"""The script behind docs/what-would-have-to-be-true.md runs, on the shipped question with few futures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_question_of_the_page_is_answered_by_one_command() -> None:
    command = [sys.executable, "benchmarks/worth_of_decisions.py", "--draws", "70"]
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    said = done.stdout
    page = (ROOT / "docs" / "what-would-have-to-be-true.md").read_text(encoding="utf-8")
    assert "What would have to be true: hours per EUR of social base above 0.132 hour/EUR" in said
    assert "more than 0.132 informal hours per extra EUR" in page
    assert "| 1 | 0.0674 | 0.555 | above | -0.26 |" in said
    assert "with 1 the break-even value is 0.067" in page
    assert "| advice, prevention as today, 2027-2030 |" in said
    assert "What knowing is worth for the choice between all of these" in said
