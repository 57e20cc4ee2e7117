"""The advice by rule, and the one table of words."""

import csv
import re
import string
from dataclasses import replace
from pathlib import Path

import pandas as pd

import sdopt.export.labels
from sdopt.export.advice import advice_lines
from sdopt.export.labels import Labels
from sdopt.export.views import decision_years, main_stocks, shown_variables
from sdopt.result import Result, Status

NL, EN = Labels("nl"), Labels("en")


def test_advice_in_dutch(result: Result) -> None:
    assert advice_lines(result, NL) == [
        "Het advies levert over de hele horizon 25,4 mln euro meer op dan doorgaan zoals nu "
        "(-115,2 tegen -140,5, contante waarde).",
        "Minder naar re-integration budget: gemiddeld -1,58 mln euro per jaar in 2027-2030 (-26 %).",
        "Meer naar prevention budget: gemiddeld +0,645 mln euro per jaar in 2027-2030 (+31 %).",
        "Meer naar social base budget: gemiddeld +0,476 mln euro per jaar in 2027-2030 (+14 %).",
        "Meer naar debt help budget: gemiddeld +0,461 mln euro per jaar in 2027-2030.",
    ]


def test_no_gain_is_said_plainly(result: Result) -> None:
    none = result.tables["constraints"].assign(null_breaks=False)
    same = result.with_figures(objective=-140.5, null_objective=-140.5).with_tables(constraints=none)
    assert advice_lines(same, EN)[0] == (
        "The allocation returns as much as going on as now (-140.50 million EUR, present value)."
    )


def test_a_worse_return_because_now_is_not_allowed(result: Result) -> None:
    worse = result.with_figures(objective=-150.0)
    assert "going on as now is not allowed" in advice_lines(worse, EN)[0]
    simulated = advice_lines(replace(worse, status=Status.SIMULATED), EN)[0]
    assert "returns 9.50 million EUR less than going on as now (-150.00 against -140.50, " in simulated


def test_unchanged_decisions_share_a_sentence(result: Result) -> None:
    table = result.tables["allocation"]
    null = table[table["allocation"] == "null"]
    same = result.with_tables(allocation=table.assign(value=[*null["value"], *null["value"]]))
    lines = advice_lines(same, EN)
    assert (
        "Unchanged: prevention budget, social base budget, re-integration budget, debt help budget." in lines
    )


def test_names_with_braces_are_data(result: Result) -> None:
    table = result.tables["allocation"].replace({"variable": {"prevention budget": "{0.__class__} {unit}"}})
    assert any(
        "Meer naar {0.__class__} {unit}:" in line
        for line in advice_lines(result.with_tables(allocation=table), NL)
    )


def test_decision_years_end_with_the_longest_period(result: Result) -> None:
    """Periods of three and two years in 2027-2032, and one of four years in 2027-2030."""
    starts = pd.DataFrame({"decision": list("aabbb"), "period": [2027, 2030, 2027, 2029, 2031]})
    found = decision_years(result.with_tables(decisions=starts))
    assert found == [2027.0, 2028.0, 2029.0, 2030.0, 2031.0, 2032.0]
    allocation = result.tables["allocation"].query("time <= 2031")
    found = decision_years(result.with_tables(decisions=starts.iloc[:1], allocation=allocation))
    assert found == [2027.0, 2028.0, 2029.0, 2030.0]


def test_shown_variables_and_the_ones_that_change_most(result: Result) -> None:
    assert decision_years(result) == [2027.0, 2028.0, 2029.0, 2030.0]
    assert main_stocks(result, 2) == ["informal network capacity", "people on bijstand"]
    some = replace(
        result, provenance={"shown": ["Wmo clients light", "people on bijstand", "no such variable"]}
    )
    assert shown_variables(some) == ["Wmo clients light", "people on bijstand"]
    assert len(shown_variables(replace(result, provenance={}))) == 4


def test_numbers_in_sentences() -> None:
    assert NL.number(1234567.891, 2) == "1.234.567,89"
    assert EN.number(1234567.891, 2) == "1,234,567.89"
    assert NL.number(0.5, 1, sign=True) == "+0,5"
    assert NL.number(-0.04, 1, sign=True) == NL.number(-0.04, 1) == "0,0"
    assert NL.share(-0.00052, sign=True) == "-0,05 %"


def label_rows(pattern: str) -> list[dict[str, str]]:
    """The rows of the files with labels."""
    folder = Path(sdopt.export.labels.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern))]
    return [row for text in texts for row in csv.DictReader(text.splitlines(keepends=True))]


def test_both_languages_have_every_label_with_the_same_fields() -> None:
    rows = label_rows("labels.csv")
    assert len({row["key"] for row in rows}) == len(rows) > 100
    for row in rows:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(row[lang]) if name} for lang in ("nl", "en")
        ]
        assert row["nl"] and row["en"], row["key"]
        assert fields[0] == fields[1], row["key"]


def test_every_label_is_used() -> None:
    source = Path(sdopt.export.labels.__file__).parents[1]
    files = [*source.rglob("*.py"), *source.rglob("*.j2")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    # Families whose last part is a value of the data, such as sense, measure and unit.
    families = {"sense", "measure", "unit", "status", "meaning", "source", "audit", "limit"}
    families |= {
        "kind",
        "pocket",
        "perspective",
        "convention",
        "method",
        "run",
        "pot",
        "range",
        "flows",
        "figure",
    }
    families |= {
        "rule_kind",
        "binds",
        "binds_now",
        "verdict",
        "prices",
        "distribution",
        "budget",
        "optimality",
    }
    quoted = set(re.findall(r"""["']([^"'\n]+)["']""", code))
    quoted |= {text for line in code.splitlines() for text in re.split(r"""["']""", line)[1:-1]}
    made = tuple(re.findall(r"""f["'](\w+\.[\w.]+)\{""", code))  # such as f"why.title.{key}"
    for row in label_rows("labels.csv"):
        family, _, name = row["key"].removesuffix(".title").partition(".")
        used = bool({row["key"], name} & quoted) or row["key"].startswith(made)
        assert used or family in families, row["key"]
