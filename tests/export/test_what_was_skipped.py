"""What was asked for and is missing, because the run was stopped before it, is said on sheet and console."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from sdopt.cli import main

DATA = Path(__file__).resolve().parents[1] / "data"
FORMS = DATA / "forms" / "wijk_vormen.yaml"
SAID = ("Andere vormen van besluiten", "Een uitleg van het advies", "Een bewijs zonder voorwaarde")
CONSOLE = ("forms    none: the search was stopped", "explain  none: stopped", "proof    none: the search was")


def question(folder: Path) -> Path:
    """One form instead of eight: what is missing is counted by kind."""
    said = yaml.safe_load(FORMS.read_text(encoding="utf-8"))
    said["model"]["file"] = (DATA / "wijk.mdl").as_posix()
    said["forms"] = {"Een keer kiezen": said["forms"]["Een keer kiezen"]}
    said["search"] = {"audit": 100, "starts": 2, "gap": 0.05}
    config = folder / "vorm.yaml"
    config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


def run(tmp_path: Path, *options: str) -> tuple[str, str]:
    """What the console says, and the text of the summary."""
    output = tmp_path / "uit"
    done = CliRunner().invoke(main, ["optimise", str(question(tmp_path)), "--output", str(output), *options])
    assert done.exit_code == 0, done.output
    (folder,) = (path for path in output.iterdir() if not path.name.startswith("unfinished"))
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    cells = (row[0] for row in book["Kerncijfers"].iter_rows(values_only=True) if row[0])
    return done.output, "\n".join(map(str, cells))


def test_a_run_that_was_stopped_names_all_that_is_missing(tmp_path: Path) -> None:
    console, summary = run(tmp_path, "--explain", "--certify", "5", "--time-limit", "1e-9")
    for words in SAID:
        assert f"{words}" in summary
    assert summary.count("gevraagd maar") == len(SAID)
    assert all(words in console for words in CONSOLE)


@pytest.mark.parametrize("options", [(), ("--time-limit", "600")])
def test_a_run_to_the_end_says_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    console, summary = run(tmp_path, *options)
    assert "gevraagd maar" not in summary
    assert not any(words in console for words in CONSOLE)


def test_what_was_not_asked_for_is_not_missed(tmp_path: Path) -> None:
    console, summary = run(tmp_path, "--time-limit", "1e-9")
    assert summary.count("gevraagd maar") == 1 and SAID[0] in summary
    assert CONSOLE[0] in console and CONSOLE[1] not in console
