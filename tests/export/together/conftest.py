"""A small real question asked in three ways: its advice, a sweep and robust allocations, as folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.together import read_run, together
from sdopt.result import Result

DATA = Path(__file__).resolve().parents[2] / "data" / "ledger"
TITLE = "=cmd|'/c calc'!A1 <b>"
NAMES = {"spending a": '=HYPERLINK("x")', "QALY per million": "<i>QALY"}
UNCERTAIN: dict[str, Any] = {
    "uncertainties": [{"constant": "QALY per million", "low": 4, "high": 24, "distribution": "uniform"}],
    "external_scenarios": {"as now": {"weight": 2}, "dear": {"constants": {"value of a QALY": 50000}}},
    "sweep": {"scenarios": 40, "outputs": ["Skills"]},
    "robust": {"measures": ["expected"], "scenarios": 20},
}


def question(folder: Path, name: str, **changes: Any) -> Path:
    """A config in a folder with its files; `changes` replace sections."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in DATA.iterdir():
        if not (folder / file.name).exists():
            shutil.copy(file, folder)
    said = yaml.safe_load((DATA / "pot.yaml").read_text(encoding="utf-8"))
    said |= {"title": TITLE, "output": {"labels": NAMES, "language": "nl"}, **changes}
    path = folder / name
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def ran(command: str, config: Path, output: Path, *options: str) -> Path:
    """The new folder of a command of `sdopt`."""
    before = set(output.iterdir()) if output.exists() else set()
    done = CliRunner().invoke(main, [command, str(config), "--output", str(output), *options])
    assert done.exit_code == 0, done.output
    (new,) = set(output.iterdir()) - before
    return new


class Question:
    """Three folders about one question."""

    def __init__(self, root: Path) -> None:
        self.root = root
        uncertain = question(root / "vraag", "onzeker.yaml", **UNCERTAIN)
        self.advice = ran("optimise", question(root / "vraag", "pot.yaml"), root / "a", "--explain")
        self.sweep = ran("sweep", uncertain, root / "b", "--workers", "1")
        self.robust = ran("robust", uncertain, root / "c")

    @property
    def folders(self) -> list[Path]:
        return [self.advice, self.sweep, self.robust]


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return Question(tmp_path_factory.mktemp("één vraag"))


@pytest.fixture(scope="session")
def results(asked: Question) -> dict[str, Result]:
    """The results by kind, and `all` together."""
    single = {name: read_run(getattr(asked, name)) for name in ("advice", "sweep", "robust")}
    return {**single, "all": together(list(single.values()))}


@pytest.fixture(scope="session")
def report(asked: Question) -> Path:
    """The folder that the command writes of all three."""
    output = asked.root / "d"
    done = CliRunner().invoke(main, ["report", *map(str, asked.folders), "--output", str(output)])
    assert done.exit_code == 0, done.output
    (folder,) = output.iterdir()
    assert done.output.strip() == str(folder)
    return folder


@pytest.fixture(scope="session")
def ask() -> tuple[Any, Any]:
    """How to write a config, and how to run a command on it."""
    return question, ran
