"""The command line on machines unlike the developer's: odd paths, encodings, line endings, spawn.

Each run must give the very numbers of a plain run, and leave nothing beside the model.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sdopt.cli import main

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "configs/voorbeeld-100k.yaml"
HEAVY = [
    *("highspy", "jinja2", "numpy", "odfdo", "openpyxl", "pandas", "pint", "pyarrow"),
    *("pydantic", "pyomo", "pysd", "scipy", "sklearn", "vl_convert", "xarray", "xlsxwriter", "yaml"),
]
BARE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # else Python mends such a locale by itself
ENVIRONMENTS = {
    "ascii": {**BARE, "LC_ALL": "C"},
    "windows console": {**BARE, "LC_ALL": "C", "PYTHONIOENCODING": "cp437"},
}


def python(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder`; fails, with all it said, when the run fails."""
    # Only ours: what the surroundings say about encodings must not leak in.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def sdopt(*arguments: str, folder: Path, **environment: str) -> str:
    """Run the command line; give what it printed."""
    return python("-m", "sdopt", *arguments, folder=folder, **environment).stdout


def sdopt_each(*commands: list[str], folder: Path, **environment: str) -> str:
    """Run commands after each other in one process, which starts once."""
    code = "import sys, json; from sdopt.cli import main\n"
    code += "for one in json.loads(sys.argv[1]): main(one, standalone_mode=False)"
    return python("-c", code, json.dumps(commands), folder=folder, **environment).stdout


def simulated(path: Path) -> list[dict[str, str]]:
    """Rows of a simulation table, without the name of the run, which may depend on place."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: cell for name, cell in row.items() if name != "run"} for row in csv.DictReader(file)]
    assert rows
    return rows


def files(folder: Path) -> set[Path]:
    """Every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


def copy_questions(folder: Path) -> Path:
    """Copy models and configs to `folder`, as a user would who starts a study of their own."""
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of models and configs in a folder with a space and an accent."""
    return copy_questions(tmp_path / "mijn modellen één")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What a plain run on plain paths gives."""
    folder = copy_questions(tmp_path_factory.mktemp("plain"))
    sdopt("simulate", CONFIG, "--output", "out.csv", folder=folder, PYTHONUTF8="1")
    return simulated(folder / "out.csv")


def test_the_command_line_imports_no_heavy_library() -> None:
    code = f"import sys, sdopt.cli; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    assert python("-c", code, folder=ROOT).stdout.split() == []


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_imports_no_heavy_library(command: str) -> None:
    done = python("-X", "importtime", "-m", "sdopt", *command.split(), "--help", folder=ROOT)
    assert done.stdout.startswith(f"Usage: sdopt {command}".strip())
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert imported.isdisjoint(HEAVY)


def test_check_in_a_folder_with_a_space_and_an_accent(place: Path) -> None:
    before = files(place)
    sdopt("check", str(place / CONFIG), folder=place.parent)
    assert files(place) == before


def test_simulate_in_a_folder_with_a_space_and_an_accent(
    place: Path, reference: list[dict[str, str]]
) -> None:
    before = files(place)
    sdopt_each(["check", CONFIG], ["simulate", CONFIG, "--output", "uitvoer één.csv"], folder=place)
    output = place / "uitvoer één.csv"
    assert simulated(output) == reference
    assert files(place) - before == {output}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_another_encoding(environment: str, place: Path, reference: list[dict[str, str]]) -> None:
    settings = ENVIRONMENTS[environment]
    simulate = ["simulate", CONFIG, "--output", "out.csv"]
    sdopt_each(["check", CONFIG], ["variables", CONFIG], simulate, folder=place, **settings)
    assert simulated(place / "out.csv") == reference


def test_the_referee_in_another_encoding(place: Path, reference: list[dict[str, str]]) -> None:
    before = files(place)
    settings = ENVIRONMENTS["ascii"]
    sdopt("simulate", CONFIG, "--engine", "pysd", "--output", "out.csv", folder=place, **settings)
    rows = simulated(place / "out.csv")
    assert [(row["variable"], row["time"], row["unit"]) for row in rows] == [
        (row["variable"], row["time"], row["unit"]) for row in reference
    ]
    values, expected = ([float(row["value"]) for row in table] for table in (rows, reference))
    assert values == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert files(place) - before == {place / "out.csv"}


def test_files_with_windows_line_endings(place: Path, reference: list[dict[str, str]]) -> None:
    for path in files(place):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    sdopt_each(["check", CONFIG], ["simulate", CONFIG, "--output", "out.csv"], folder=place)
    assert simulated(place / "out.csv") == reference


def test_a_starter_config_is_written_and_is_readable_in_another_encoding(place: Path) -> None:
    model = min((place / "models").glob("*.mdl"))
    sdopt("init", str(model), "--output", "configs/vraag één.yaml", folder=place, **ENVIRONMENTS["ascii"])
    text = (place / "configs" / "vraag één.yaml").read_text(encoding="utf-8")
    assert model.name in text


def test_processes_that_are_spawned(place: Path, reference: list[dict[str, str]]) -> None:
    """As on Windows and macOS: a child process begins with nothing and imports everything again."""
    script = place / "run.py"
    script.write_text(
        "import multiprocessing\n"
        "from sdopt.cli import main\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        f"    main(['simulate', {CONFIG!r}, '--output', 'out.csv'])\n",
        encoding="utf-8",
    )
    python(str(script), folder=place)
    assert simulated(place / "out.csv") == reference
