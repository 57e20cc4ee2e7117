"""Every command in the documentation runs, in the order of its page; nothing is left out in silence.

They run on the shipped questions made smaller (`small`): fewer decisions, years, futures and audit points, so
that each takes seconds; one that several pages show runs once. What cannot run here is in ELSEWHERE, with the
file that runs it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from blocks import ROOT, blocks
from click.testing import CliRunner

from sdopt.cli import main

PROGRAMS = ("sdopt", "python", "python3", "pip", "py", "source", "ruff", "pre-commit")
FENCES = ("", "sh", "bash", "console")
SMALLER = {
    "--certify 300": "--certify 2",
    "--scenarios 1000": "--scenarios 4",
    "--scenarios 100": "--scenarios 4",
    "--time-limit 300": "--time-limit 30",
}
"""What takes long, and what is run instead."""
HERE = "tests/docs/test_documented_commands.py"
PROBLEMS = (
    "benchmarks/problems.py",
    "--problems",
    "fishery",
    "--seconds",
    "1",
    "--peers",
    "sdopt",
    "--write",
)
ENGINE = ("tests/benchmarks/test_engine_benchmark.py", '"--quick"')
CLUSTER = ("tests/sweep/test_cluster.py", '"dask_worker"')
WHEELS = (".ci/wheels.py", 'OFFLINE["target"]')
ELSEWHERE = {
    "python start.py test": (".ci/run", "python3 start.py test"),
    "python start.py site": ("tests/docs/test_site.py", '"mkdocs"'),
    "python start.py wheels sdopt-wheels": (".ci/offline.py", '"wheels"'),
    "python start.py wheels wheels-for-windows --platform windows --python 3.12 3.13": WHEELS,
    "pip install sdopt[benchmark]": (".ci/offline.py", "sdopt[fast]"),
    "pip install -e .[benchmark]": (".ci/offline.py", "sdopt[fast]"),
    "python benchmarks/problems.py": (HERE, "PROBLEMS"),
    "python benchmarks/problems.py --problems fishery centres --seconds 10": (HERE, "PROBLEMS"),
    "python benchmarks/problems.py --peers sdopt ipopt-shooting scip --write results.txt": (HERE, "PROBLEMS"),
    "python benchmarks/engine.py": ENGINE,
    "python benchmarks/engine.py --quick": ENGINE,
    "python -m distributed.cli.dask_scheduler": CLUSTER,
    "python -m distributed.cli.dask_worker tcp://HOST:PORT --nthreads 1 --nworkers auto": CLUSTER,
    "sdopt sweep CONFIG --scheduler tcp://HOST:PORT": CLUSTER,
    "sdopt sweep configs/onzeker-100k.yaml --resume": ("tests/sweep/test_sweep_resume.py", '"--resume"'),
    "source .venv/bin/activate": ("start.py", '".venv"'),
    "ruff check && ruff format && mypy && lint-imports": (".ci/run", "check lint-imports"),
    "pre-commit install": (".pre-commit-config.yaml", "hooks"),
}  # fmt: skip
"""Command -> a file that runs it, or something like it, and what stands there."""
OWN_TEST = {"docs/models.md": "tests/test_models_guide.py"}


def plain(line: str) -> str:
    """A command without comment; one of sdopt by its own name, as `start.py` only prepares."""
    command = re.sub(r"\s+#.*", "", line).strip()
    own = re.sub(r"^python start\.py (?!test|site|wheels)", "sdopt ", command)
    return own if own.partition(" ")[0] == "sdopt" else command


def commands() -> dict[str, list[str]]:
    """Page -> its commands without comments, in their order."""
    found: dict[str, list[str]] = {}
    for block in blocks():
        for line in block.text.splitlines() if block.language in FENCES else ():
            if line.split(" ")[0] in PROGRAMS:
                found.setdefault(block.page, []).append(plain(line))
    return found


ADVICE = {"prevention": 3, "social base": 6.1}
COMMANDS = commands()
RUN_HERE = [
    line
    for line in dict.fromkeys(
        line for page, lines in COMMANDS.items() if page not in OWN_TEST for line in lines
    )
    if line not in ELSEWHERE and "[" not in line
]
SYNOPSES = [line for lines in COMMANDS.values() for line in lines if "[--" in line]


def small(said: dict[str, Any]) -> dict[str, Any]:
    """A shipped question with two decisions in two years, a short horizon, few futures and a rough search."""
    said["decisions"] = {name: said["decisions"][name] for name in ADVICE}
    said["decision_years"] = {"first": 2027, "last": 2028}
    said["horizon"] |= {"end": 2030}
    said["search"] = {"gap": 0.1, "audit": 100, "starts": 2}
    said["robust"] = {"measures": ["expected"], "scenarios": 4, "gap": 0.1}
    said.pop("external_scenarios", None)
    if "sweep" in said:
        said["sweep"] = {"scenarios": 8, "allocations": {"advice": "advice.csv"}}
    return said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project as its user has it, with smaller questions and one of the user's own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("models", "configs", "results/voorbeeld"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("voorbeeld-100k", "onzeker-100k"):
        file = folder / "configs" / f"{name}.yaml"
        said = small(yaml.safe_load(file.read_text(encoding="utf-8")))
        file.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    rows = [f"{name},{year},{value}" for name, value in ADVICE.items() for year in (2027, 2028)]
    (folder / "configs/advice.csv").write_text("\n".join(["decision,year,value", *rows]), encoding="utf-8")
    shutil.copytree(ROOT / "tests/data/results/first-version", folder / "results/mijn-gemeente")
    shutil.copy(ROOT / "tests/data/optimise/linear.mdl", folder / "configs")
    shutil.copy(ROOT / "tests/data/optimise/linear.yaml", folder / "configs/mijn-vraag.yaml")
    return folder


def words(line: str) -> list[str]:
    """The arguments of a command of sdopt, with smaller settings for what takes long."""
    for long, short in SMALLER.items():
        line = line.replace(long, short)
    program, *arguments = shlex.split(line)
    assert program == "sdopt", f"{line}: no test runs it; name one in ELSEWHERE"
    # A process that is spawned takes seconds to start; tests/sweep has them.
    alone = arguments[0] == "sweep" and "--workers" not in arguments
    return [*arguments, "--workers", "1"] if alone else arguments


@pytest.mark.parametrize("line", RUN_HERE)
def test_a_command_runs(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, words(line))
    assert done.exit_code == 0, done.output
    assert done.output.strip()


def test_the_benchmark_of_problems_runs(tmp_path: Path) -> None:
    """One problem for a second, in stead of hours."""
    program, *options = PROBLEMS
    done = subprocess.run(
        [sys.executable, ROOT / program, *options, "results.txt"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "fishery" in (tmp_path / "results.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", SYNOPSES)
def test_a_synopsis_names_options_that_exist(line: str) -> None:
    name = line.split()[1]
    known = {
        option for one in main.commands[name].params if isinstance(one, click.Option) for option in one.opts
    }
    assert set(re.findall(r"--[a-z-]+", line)) <= known


def test_what_runs_elsewhere_is_still_in_the_documentation_and_still_runs_there() -> None:
    every = {line for lines in COMMANDS.values() for line in lines}
    assert set(ELSEWHERE) - every == set()
    for file, text in ELSEWHERE.values():
        assert text in (ROOT / file).read_text(encoding="utf-8"), f"{file}: no {text}"
    for page, file in OWN_TEST.items():
        assert Path(page).name in (ROOT / file).read_text(encoding="utf-8")


def test_every_command_is_shown_in_the_documentation() -> None:
    shown = {words(line)[0] for line in RUN_HERE} | {line.split()[1] for line in COMMANDS["docs/models.md"]}
    assert set(main.commands) - shown == {"functions", "schema"}  # these two print a reference
