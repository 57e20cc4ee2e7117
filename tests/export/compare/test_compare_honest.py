"""Runs in two languages are one question; small amounts stay visible; figures fit a phone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.export.compare.figures import compared_figures
from sdopt.export.compare.page import compare_html
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import _in_words_of, read_runs
from sdopt.export.compared_columns import columns_of
from sdopt.export.compared_words import care_lines, found_lines
from sdopt.export.figures.figure import ADVICE, NULL, OTHERS
from sdopt.export.labels import Labels
from sdopt.export.sheets.compared import fiscal_rows

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
    rows = (
        result.tables["compared_decisions"]
        .query("allocation == 'advice'")
        .groupby("decision")["run"]
        .apply(list)
    )
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
    assert {"compared_allocation", "compared_years"} <= {figure.key for figure in figures}
    for figure in figures:
        own = figure.spec.get("spec", figure.spec)
        assert isinstance(own["height"], int)
        scale = own["layer"][0]["encoding"]["color"]["scale"]
        colours = dict(zip([name[:2] for name in scale["domain"]], scale["range"], strict=True))
        assert (colours["A:"], colours["B:"]) == (ADVICE, OTHERS[0])
        assert colours.get("Nu", NULL) == NULL


def test_a_loss_is_called_less_and_an_unknown_gap_unknown(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    runs = result.tables["compared_runs"].assign(improvement=[-3.25, 1.0], gap_amount=[0.001, float("nan")])
    first, second = found_lines(result.with_tables(compared_runs=runs), Labels("nl"))[:2]
    assert "3,25" in first
    assert "minder op dan doorgaan zoals nu" in first
    assert "is niet bekend" in second


def test_what_only_one_run_decides_is_counted(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    table = result.tables["compared_decisions"]
    name = table["decision"].iloc[0]
    own = table[(table["run"] == "A") | (table["decision"] != name)].reset_index(drop=True)
    lines = found_lines(result.with_tables(compared_decisions=own), Labels("nl"))
    assert any(line.startswith("1 beslissing van A komt in B niet voor; die telt") for line in lines)
    lines = found_lines(result.with_tables(compared_decisions=own[own["run"] == "A"]), Labels("nl"))
    assert not [line for line in lines if "niet voor" in line]  # B says nothing of any decision


def test_results_without_one_decision_in_common_say_so_and_share_a_total(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    names = ("compared_decisions", "compared_allocation")
    renamed = {name: one.assign(decision=one["decision"] + " in " + one["run"])
               for name in names for one in [result.tables[name]]}  # fmt: skip
    apart, table = result.with_tables(**renamed), renamed["compared_decisions"]
    lines = found_lines(apart, Labels("nl"))
    assert "B en A hebben geen enkele beslissing gemeen: vergelijk alleen hun totalen." in lines
    page = compare_html(apart)
    count = table["decision"].nunique()
    assert f">{count}</data> regels die niet in elke uitkomst voorkomen" in page
    totals = result.tables["compared_totals"].query("allocation == 'advice'")
    sums = table.query("allocation == 'advice'").groupby("run")["value"].sum()
    assert dict(zip(totals["run"], totals["value"], strict=True)) == pytest.approx(dict(sums))


def test_another_price_level_or_other_futures_are_told(both: list[Path]) -> None:
    result = comparison(read_runs(both))
    runs = result.tables["compared_runs"].assign(price_level=["2024", "2025"], futures=[100.0, 250.0])
    said = care_lines(result.with_tables(compared_runs=runs), Labels("nl"))
    assert any(line.startswith("Let op: het prijspeil is niet gelijk (A: 2024; B: 2025).") for line in said)
    assert any("andere toekomsten (A: 100 (seed 1); B: 250 (seed 1))" in line for line in said)
    alike = runs.assign(price_level=["2024", ""], futures=[100.0, 100.0])
    assert not [
        line for line in care_lines(result.with_tables(compared_runs=alike), Labels("nl")) if "Let" in line
    ]


def test_what_is_given_now_stands_once_or_per_run(both: list[Path]) -> None:
    result, labels = comparison(read_runs(both)), Labels("nl")
    names = [column.name for column in columns_of(result, "compared_decisions", labels)]
    assert names == ["Nu (nulalternatief)", "A: Advies", "B: Advies"]
    table = result.tables["compared_decisions"]
    other = table["value"].where((table["run"] != "B") | (table["allocation"] != "null"), table["value"] + 1)
    apart = result.with_tables(compared_decisions=table.assign(value=other))
    names = [column.name for column in columns_of(apart, "compared_decisions", labels)]
    assert names == ["A: Nu (nulalternatief)", "B: Nu (nulalternatief)", "A: Advies", "B: Advies"]


def test_a_result_of_the_first_version_is_compared(both: list[Path]) -> None:
    result = comparison(read_runs([DATA / "results" / "first-version", both[0]]))
    assert set(result.tables["compared_allocation"]["run"]) == {"A", "B"}
    said = [*found_lines(result, Labels("nl")), *care_lines(result, Labels("nl"))]
    assert "B en A hebben geen enkele beslissing gemeen: vergelijk alleen hun totalen." in said
    assert any(line.startswith("Let op: het model is niet hetzelfde.") for line in said)
    assert "komt niet voor" in compare_html(result)


def test_fiscal_rules_are_beside_each_other_in_one_language(both: list[Path]) -> None:
    """By id: a rule that one run calls in English stands in one row, in the words of the first."""
    titles = {"nl": ["sluitend", "reserve"], "en": ["balanced", "reserve floor"]}
    runs = read_runs(both)
    results = []
    for language, verdicts in (("nl", ["kept", "kept"]), ("en", ["kept", "broken"])):
        rules = {
            "id": ["F1", "F4"],
            "title": titles[language],
            "chosen": [True, True],
            "year": [2028.0, 2029.0],
        }
        table = pd.DataFrame({**rules, "verdict": verdicts, "part": ""})
        results.append(runs[len(results)].result.with_tables(fiscal_rules=table))
    named = [_in_words_of(results[0], result) for result in results]
    told = comparison([replace(run, result=one, shown=one) for run, one in zip(runs, named, strict=True)])
    columns = columns_of(told, "compared_fiscal", Labels("nl"))
    assert fiscal_rows(told.tables["compared_fiscal"], columns, Labels("nl")) == [
        ["F1 sluitend", "voldoet", "voldoet"],
        ["F4 reserve", "voldoet", "voldoet niet (2029)"],
    ]
    assert "voldoet niet (2029)" in compare_html(told)
