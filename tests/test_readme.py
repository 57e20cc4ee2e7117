"""Every command and file that the README names exists.

What its main job prints is checked where that runs: tests/export/test_real_results.py.
"""

import re
from pathlib import Path

from sdopt.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme_and_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"`sdopt ([a-z]+)", README))
    assert named == set(main.commands)


def test_every_file_the_readme_names_exists() -> None:
    text = re.sub(r"```text.*?```", "", README, flags=re.S)
    named = set(re.findall(r"\b(?:configs|models|docs|results)/[\w./-]+\w", text))
    assert len(named) >= 6
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
