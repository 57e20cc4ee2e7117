"""Small models of a few lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sdopt.checks.report import ModelCheck, check_model
from sdopt.source_model.read import read_model

TIMES = """
INITIAL TIME = 2026 ~ Year ~ |
FINAL TIME = 2040 ~ Year ~ |
TIME STEP = 0.5 ~ Year [0,?] ~ |
SAVEPER = 1 ~ Year ~ |
"""


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., ModelCheck]:
    """Checks a model of some equations; `times` are the time settings, `settings` the end of the file."""

    def check(equations: str, times: str = TIMES, settings: str = "") -> ModelCheck:
        path = tmp_path / "model.mdl"
        path.write_text(f"{{UTF-8}}\n{equations}{times}{settings}", encoding="utf-8")
        return check_model(read_model(path))

    return check
