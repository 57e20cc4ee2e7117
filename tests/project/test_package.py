"""What is installed: the wheel is whole, and start.py and pyproject.toml say the same."""

import ast
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
START = runpy.run_path(str(ROOT / "start.py"), run_name="start")


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    build = "from hatchling.build import build_wheel; print(build_wheel('.'))"
    made = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=True)
    wanted = {
        path.relative_to(copy / "src").as_posix() for path in (copy / "src").rglob("*") if path.is_file()
    }
    with zipfile.ZipFile(copy / made.stdout.split()[-1]) as wheel:
        assert wanted <= set(wheel.namelist())
        entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        assert b"sdopt = sdopt.cli:main" in wheel.read(entry_points)


def test_start_and_pyproject_ask_for_the_same_python() -> None:
    oldest, (major, minor) = START["OLDEST"], START["NEWEST"]
    assert PROJECT["requires-python"] == f">={oldest[0]}.{oldest[1]},<{major}.{minor + 1}"


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0)])
def test_start_refuses_another_python_in_one_clear_message(version: tuple[int, int, int]) -> None:
    pretend = (
        f"import runpy, sys; sys.version_info = {version}; runpy.run_path('start.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"this is Python 3.{version[1]}." in done.stderr
    assert "Traceback" not in done.stderr


def test_every_runtime_dependency_has_a_lower_and_an_upper_bound() -> None:
    shape = re.compile(r"[a-z0-9-]+>=[\d.]+,<[\d.]+")
    assert not [line for line in PROJECT["dependencies"] if not shape.fullmatch(line)]


def imported(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports, also inside functions."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_every_library_that_is_imported_is_a_dependency() -> None:
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"], *extras["fast"], *extras["cluster"]]
    declared = {line.partition(">=")[0] for line in listed} | {"yaml", "sklearn", "vl_convert", "sdopt"}
    used = set().union(*(imported(path) for path in (ROOT / "src").rglob("*.py")))
    assert used - declared - set(sys.stdlib_module_names) == set()


def test_only_the_compiled_backend_needs_its_extra() -> None:
    files = [p for p in (ROOT / "src").rglob("*.py") if "llvmlite" in imported(p)]
    assert files == [ROOT / "src" / "sdopt" / "equations" / "compiled" / "host.py"]


def test_only_the_cluster_needs_its_extra() -> None:
    files = [p for p in (ROOT / "src").rglob("*.py") if {"dask", "distributed"} & imported(p)]
    assert files == [ROOT / "src" / "sdopt" / "sweep" / "cluster.py"]


def test_the_test_command_installs_the_runtime_too() -> None:
    assert set(START["requirements"](("test",))) > set(START["requirements"](()))
