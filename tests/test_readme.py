"""The README shows what the commands really print, and every command in it exists."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAIN_JOB = ["optimise", "configs/voorbeeld-100k.yaml"]


def printed(text: str) -> list[str]:
    """Lines that do not depend on rounding of a machine: without the last digits of gap and replay."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return [re.sub(r"\(gap .*?\)|[0-9.]+e-[0-9]+$|results  .*", "", line) for line in lines]


def test_the_main_job_prints_what_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert "python start.py " + " ".join(MAIN_JOB) in README
    done = CliRunner().invoke(main, MAIN_JOB)
    assert done.exit_code == 0, done.output
    shown = re.search(r"```text\n(.*?)```", README, re.S)
    assert shown is not None
    assert printed(done.output) == printed(shown[1])
    assert len(list((tmp_path / "results").iterdir())) == 1


def test_every_command_is_in_the_readme_and_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"`sdopt ([a-z]+)", README))
    assert named == set(main.commands)


def test_every_file_the_readme_names_exists() -> None:
    text = re.sub(r"```text.*?```", "", README, flags=re.S)
    named = set(re.findall(r"\b(?:configs|models|docs|results)/[\w./-]+\w", text))
    assert len(named) >= 6
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_what_the_readme_asks_of_what_is_not_known_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commands, with few futures and one measure, and the advice of the config given."""
    for name in ("models", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"python start.py (sweep|robust) (configs/\S+)", README)
    assert [command for command, _ in commands] == ["sweep", "robust"]
    for command, config in commands:
        said = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
        allocations = said["sweep"]["allocations"]
        said["sweep"] |= {"scenarios": 8, "allocations": {"advice": next(iter(allocations.values()))}}
        said["robust"] = {"measures": ["expected"], "scenarios": 4, "gap": 0.1}
        Path(config).write_text(yaml.safe_dump(said), encoding="utf-8")
        done = CliRunner().invoke(main, [command, config])
        assert done.exit_code == 0, done.output
    written = sorted(path.parent.name for path in Path("results").glob("*/workbook.xlsx"))
    assert [name.partition("-")[0] for name in written] == ["robust", "sweep"]
