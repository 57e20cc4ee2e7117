"""Runs in two languages are one question; small amounts stay visible; figures fit a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.compare.figures import compared_figures
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import read_runs
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.labels import Labels

DATA = Path(__file__).resolve().parents[2] / "data"
NAMES = {
    "nl": "{prevention budget: Preventie, care budget: Zorg}",
    "en": "{prevention budget: Prevention, care budget: Care}",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One question, answered in Dutch and in English."""
    found = []
    for language, names in NAMES.items():
        root = tmp_path_factory.mktemp(language)
        text = (DATA / "wijk.yaml").read_text(encoding="utf-8")
        text = text.replace("file: wijk.mdl", f"file: {DATA / 'wijk.mdl'}")
        text = re.sub(r"^output:.*?(?=^\S|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)
        text += f"\noutput: {{language: {language}, labels: {names}}}\n"
        (root / "wijk.yaml").write_text(text, encoding="utf-8")
        done = CliRunner().invoke(main, ["optimise", str(root / "wijk.yaml"), "--output", str(root / "uit")])
        assert done.exit_code == 0, done.output
        found += (root / "uit").iterdir()
    return found


def test_one_decision_has_one_name_in_two_languages(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    rows = result.tables["compared_decisions"].groupby("decision")["run"].apply(list)
    assert {"Preventie", "Zorg"} >= set(rows.index) or "Preventie" in set(rows.index)
    assert all(runs == ["A", "B"] for runs in rows)
    assert all(len(own) == 2 for _, own in result.tables["compared_limits"].groupby("limit"))
    assert "compared_inputs" not in result.tables
    said = found_lines(result, Labels("nl")) + care_lines(result, Labels("nl"))
    assert "B en A adviseren hetzelfde." in said
    assert not [line for line in said if "niet gelijk" in line or "niet in allebei" in line]


def test_titles_are_told_apart_without_the_whole_path(both: list[Path]) -> None:
    titles = [run.title for run in read_runs(both)]
    assert len(set(titles)) == 2
    assert not [title for title in titles if str(both[0].parents[2]) in title]


def test_figures_have_a_height_and_each_run_one_colour(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    figures = compared_figures(result, Labels("nl"))
    assert figures
    for figure in figures:
        assert isinstance(figure.spec["height"], int)
        scale = figure.spec["layer"][0]["encoding"]["color"]["scale"]
        assert [name[:2] for name in scale["domain"]] == ["A:", "B:"]


def test_a_loss_is_called_less_and_an_unknown_gap_unknown(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    runs = result.tables["compared_runs"].assign(improvement=[-3.25, 1.0], gap=[0.001, float("nan")])
    first, second = found_lines(result.with_tables(compared_runs=runs), Labels("nl"))[:2]
    assert "3,25" in first
    assert "minder op dan doorgaan zoals nu" in first
    assert "is niet bekend" in second


def test_what_only_one_run_decides_is_counted(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    table = result.tables["compared_decisions"]
    name = table["decision"].iloc[0]
    own = table[(table["run"] == "A") | (table["decision"] != name)]
    lines = found_lines(result.with_tables(compared_decisions=own), Labels("nl"))
    assert any(line.startswith("1 beslissingen van B en A komen niet in allebei voor") for line in lines)
