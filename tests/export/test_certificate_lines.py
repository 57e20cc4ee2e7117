"""What console, sheets and folder say of a certificate: never more than was proved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import sdopt
from sdopt.cli import main
from sdopt.export.certainty import certainty_lines
from sdopt.export.labels import Labels
from sdopt.result import Result

DATA = Path(__file__).resolve().parents[1] / "data" / "optimise"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def threshold() -> Result:
    """An S-shaped return, so without an audited bound; certified."""
    return sdopt.optimise(sdopt.load(DATA / "threshold.yaml"), certify=60.0).result


@pytest.mark.parametrize(("language", "said"), [("nl", "welke vorm"), ("en", "whatever the shape")])
def test_a_proof_is_told_with_what_it_trusts(threshold: Result, language: str, said: str) -> None:
    text = " ".join(certainty_lines(threshold, Labels(language)))
    assert said in text and "PySD" in text
    assert "0,01" in text or "0.01" in text


def test_without_a_proof_nothing_is_said() -> None:
    result = sdopt.optimise(sdopt.load(DATA / "quadratic.yaml")).result
    assert not any("PySD" in line for line in certainty_lines(result, Labels("nl")))
    assert "certified_bound" not in result.figures


def test_a_proof_that_ran_out_of_time_says_how_far_it_came() -> None:
    result = sdopt.optimise(sdopt.load(DATA / "threshold.yaml"), certify=1e-6).result
    assert result.status.key == "local"
    assert result.figures["certified_bound"] is None
    assert "niet gelukt" in " ".join(certainty_lines(result, Labels("nl")))


def test_the_command_prints_and_writes_it(tmp_path: Path) -> None:
    arguments = ["optimise", str(DATA / "quadratic.yaml"), "--certify", "60", "--output", str(tmp_path)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "proof    +1.167 million EUR (gap 0.0100%), whatever the shapes\n" in done.output
    assert "status   certified:" in done.output
    (folder,) = tmp_path.iterdir()
    assert (folder / "tables" / "certificate.csv").exists()
    assert "seconds" not in (folder / "tables" / "certificate.csv").read_text(encoding="utf-8")
    summary = next(folder.glob("*.json"))
    assert json.loads(summary.read_text(encoding="utf-8"))


def test_the_same_proof_twice(threshold: Result) -> None:
    again = sdopt.optimise(sdopt.load(DATA / "threshold.yaml"), certify=60.0).result
    assert again.tables["certificate"].equals(threshold.tables["certificate"])
    assert again.figures["certified_bound"] == threshold.figures["certified_bound"]
