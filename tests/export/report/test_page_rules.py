"""The table that says where numbers come from: about places of labels, and found as it says."""

from __future__ import annotations

import csv
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdopt.export.labels import Labels
from sdopt.export.report.rules import Rules, rule
from sdopt.export.report.sources import Sources
from sdopt.export.report.traced import TracedLabels, said, unmarked
from sdopt.result import Result, Status

PACKAGE = Path(str(files("sdopt.export")))


def rows(path: str) -> list[dict[str, str]]:
    with (PACKAGE / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def result() -> Result:
    """Two perspectives that pay back in the same year, and prices with as many decimals as chance gives."""
    table = pd.DataFrame({"perspective": ["first", "plan 2031"], "year": [2031.0, 2031.0]})
    flags = pd.DataFrame({"limit": ["a", "b", "c"], "binds": [True, False, True], "part": [0.2, 0.3, 0.295]})
    twins = pd.DataFrame({"share": [0.474999999999996, 0.475]})
    return Result(
        status=Status.LOCAL,
        title="t",
        language="en",
        figures={"gap": 0.0401},
        provenance={"horizon": [2026, 2042]},
        tables={"pay": table, "flags": flags, "twins": twins},
    )


def test_every_line_is_about_a_place_of_a_label() -> None:
    labels = {row["key"]: set(re.findall(r"\{(\w+)\}", row["nl"] + row["en"])) for row in rows("labels.csv")}
    for row in rows("report/rules.csv"):
        begin, every = row["label"].removesuffix(".*"), row["label"].endswith(".*")
        own = [
            places
            for key, places in labels.items()
            if key == begin or (every and key.startswith(f"{begin}."))
        ]
        of_figure = row["place"] == "cell" or row["place"].isdigit()
        assert of_figure or any(row["place"] in places for places in own), row


@pytest.mark.parametrize(
    ("said", "value", "shown", "source"),
    [
        ("pay:year", 2031.0, "2031", "pay:year:1"),  # of two alike that which the sentence names
        ("pay[perspective={name}]:year", 2031.0, "2031", "pay:year:1"),
        ("flags[binds]:limit:count", 2.0, "2", "flags:limit:0,2:count"),
        ("flags:part:max", 0.3, "0.3", "flags:part:0-2:max"),
        ("flags:part:min", 0.2, "0.2", "flags:part:0-2:min"),
        ("twins:share", 0.475, "0.48", "twins:share:1"),  # not the one beside it, which rounds to 0.47
        ("flags[!binds]:part", 0.3, "0.3", "flags:part:1"),
        ("% flags:part", 29.5, "30", "flags:part:2"),
        ("1 - flags:part", 0.8, "0.8", "1 - flags:part:0"),
        ("flags:part - flags:part", 0.1, "0.1", "flags:part:1 - flags:part:0"),
        ("% up figure:gap", 4.1, "4.1", "figure:gap"),
        ("pay:month | provenance:horizon.1", 2042.0, "2042", "provenance:horizon.1"),
    ],
)
def test_a_number_is_found_where_its_rule_says(said: str, value: float, shown: str, source: str) -> None:
    found = Rules(result()).find(said, value, shown, {"name": "plan 2031"})
    assert found is not None
    assert (found.source, found.shown) == (source, shown)


@pytest.mark.parametrize("said", ["pay:year", "flags:part", "down figure:gap", "figure:none", "none:none"])
def test_a_number_that_is_not_there_is_not_found(said: str) -> None:
    assert Rules(result()).find(said, 4.1, "4.1", {}) is None


def test_the_rule_of_a_label_holds_before_that_of_its_group() -> None:
    assert rule("found.limits.empty", "chance").startswith("% empty_stocks")
    assert rule("found.limits.one", "chance").startswith("% limits")
    assert rule("word.yes", "chance") == ""


def test_a_year_in_a_name_stays_a_name() -> None:
    shown = result().with_tables(pay_back=result().tables["pay"].rename(columns={"year": "year_discounted"}))
    sources = Sources(shown)
    labels = TracedLabels("en", sources)
    text = labels("why.pay_back", name="plan 2031", year="2031")
    assert unmarked(text) == Labels("en")("why.pay_back", name="plan 2031", year="2031")
    page = str(said(text, sources))
    assert page.count("<data") == 1
    assert 'data-source="pay_back:year_discounted:1"' in page
    assert "plan 2031 " in page


def test_what_chance_leaves_is_marked_in_its_own_words() -> None:
    sources = Sources(result().with_tables(gains=pd.DataFrame({"allocation": ["advice"], "wins": [0.999]})))
    text = TracedLabels("en", sources).shown(np.float64(99.9), ">99")
    assert unmarked(text) == ">99"
