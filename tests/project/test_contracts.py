"""Each import contract in pyproject.toml breaks when the rule it states is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BREACHES = {
    "lower imports higher": ("Data flows one way", "equations/system.py", "from sdopt.config import schema"),
    "siblings import each other": ("Data flows one way", "result.py", "from sdopt import problem"),
    "batch knows the problem": ("Data flows one way", "batch/job.py", "from sdopt.problem import build"),
    "calibrate knows the optimiser": (
        "Data flows one way",
        "calibrate/fit.py",
        "from sdopt.optimise import run",
    ),
    "pyomo in calibrate": ("Only optimise knows Pyomo and HiGHS", "calibrate/fit.py", "import pyomo.environ"),
    "a module nobody placed": ("Data flows one way", "newcomer.py", ""),
    "pysd outside source_model": ("Only source_model knows PySD", "result.py", "import pysd"),
    "pysd inside a function": ("Only source_model knows PySD", "result.py", "def f():\n    import pysd"),
    "pyomo outside optimise": ("Only optimise knows Pyomo and HiGHS", "cli/group.py", "import pyomo.environ"),
    "highspy outside optimise": (
        "Only optimise knows Pyomo and HiGHS",
        "equations/system.py",
        "import highspy",
    ),
    "xlsxwriter outside export": (
        "Only export knows spreadsheets and figures",
        "cli/group.py",
        "import xlsxwriter",
    ),
    "openpyxl beside the reader of cells": (
        "Only export knows spreadsheets and figures",
        "config/sheets/table.py",
        "import openpyxl",
    ),
    "odfdo outside export": ("Only export knows spreadsheets and figures", "result.py", "import odfdo"),
    "vl_convert outside export": (
        "Only export knows spreadsheets and figures",
        "result.py",
        "import vl_convert",
    ),
    "pint outside checks": ("Only checks knows pint", "equations/system.py", "import pint"),
    "the package root": ("Nobody imports the package root", "equations/system.py", "import sdopt"),
    "a name of the root": ("Nobody imports the package root", "result.py", "from sdopt import __version__"),
    "a cycle between files": (
        "No import cycles",
        "equations/expression.py",
        "from sdopt.equations import system",
    ),
}


def lint_imports(folder: Path) -> tuple[int, str]:
    """Exit status and text of lint-imports on the package in `folder/src`."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as main; main()",
            "--no-cache",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its contracts that may be spoiled."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_are_kept(copy: Path) -> None:
    status, text = lint_imports(copy)
    assert status == 0, text
    assert "0 broken" in text


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found(name: str, copy: Path) -> None:
    contract, file, line = BREACHES[name]
    module = copy / "src" / "sdopt" / file
    before = module.read_text(encoding="utf-8") if module.exists() else '"""New."""\n'
    module.write_text(f"{before}\n\n{line}\n", encoding="utf-8")
    status, text = lint_imports(copy)
    assert status != 0, text
    broken = [row for row in text.splitlines() if " BROKEN" in row]
    assert any(row.startswith(contract) for row in broken), text
