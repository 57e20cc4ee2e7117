"""What a reader could take wrongly: a chance with nothing beside it, a small number shown as 0."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.report.parts import Case, needed_decimals
from sdopt.export.report.sources import Sources
from sdopt.export.report.traced import TracedLabels

Pages = Callable[[str, str], Path]
Folders = Callable[[str], Path]
KINDS = ("example", "explained", "sweep", "robust")


def read(pages: Pages, kind: str) -> Any:
    return lxml.html.parse(str(pages(kind, "nl"))).getroot()


def test_the_chance_that_a_limit_breaks_stands_beside_that_of_now(pages: Pages, folders: Folders) -> None:
    page, table = read(pages, "sweep"), read_results(folders("sweep")).tables["limits"]
    facts = page.xpath("//section[@id='advice']//div[@class='fact']")
    (fact,) = [one for one in facts if "grens breekt" in one.findtext("dt")]
    sources = [one.get("data-source") for one in fact.iter("data")]
    assert [source.split(":")[1] for source in sources] == ["broken", "null_broken"]
    assert len({source.split(":")[2] for source in sources}) == 1
    row = int(sources[0].split(":")[2])
    assert table.at[row, "allocation"] == "advice"
    assert [float(one.get("value")) for one in fact.iter("data")] == list(
        table.loc[row, ["broken", "null_broken"]]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_section_is_only_a_heading(pages: Pages, kind: str) -> None:
    empty = [one.get("id") for one in read(pages, kind).iter("section") if len(one) < 2]
    assert not empty


def test_the_paragraph_says_the_whole_and_who_gains(pages: Pages, folders: Folders) -> None:
    said = read(pages, "example").xpath("//section[@id='advice']//p[@class='lead']")[0].text_content()
    tables = read_results(folders("example")).tables
    pockets = tables["ledger"].groupby("pocket")["difference"].sum().drop("not split", errors="ignore")
    labels = Labels("nl")
    for amount in pockets[pockets.abs() > 0.01 * pockets.abs().max()]:
        assert f"({labels.number(amount, 2, sign=True)})" in said
    assert "niet verdeeld" not in said
    decided = tables["decisions"]
    keys = decided[["variable", "period"]].astype({"period": float}).apply(tuple, axis=1)
    own = tables["allocation"][
        tables["allocation"][["variable", "time"]].apply(tuple, axis=1).isin(set(keys))
    ]
    a_year = own.groupby(["allocation", "time"])["value"].sum().groupby("allocation").mean()
    assert f"Samen is dat {labels.number(a_year['advice'] - a_year['null'], 2, sign=True)}" in said


def test_a_conclusion_that_hangs_on_a_convention_has_its_subject(pages: Pages, folders: Folders) -> None:
    table = read_results(folders("sweep")).tables["conclusions"]
    lines = [line for line in map(lambda one: one.text_content(), read(pages, "sweep").iter("li"))]
    found = [line for line in lines if "deze conclusie hangt aan" in line]
    assert len(found) == sum(table["hangs_on"] != "")
    assert not [line for line in found if " tegenover " not in line.partition(":")[0]]


def test_a_small_constant_is_not_shown_as_nothing(pages: Pages) -> None:
    page = read(pages, "sweep")
    shown = [
        (cell, one)
        for figure in page.xpath("//figure[starts-with(@id, 'figure-break_even') or "
                                 "starts-with(@id, 'figure-tornado')]")
        for cell in figure.xpath(".//table//td")
        for one in cell.iter("data")
    ]  # fmt: skip
    assert len(shown) > 5
    for cell, one in shown:
        value = float(one.get("value"))
        assert value == 0 or set(cell.text_content()) & set("123456789"), (cell.text_content(), value)


@pytest.mark.parametrize(
    ("share", "text"), [(0.9996, ">99"), (0.0004, "<1"), (1.0, "100"), (0.0, "0"), (0.534, "53")]
)
def test_a_chance_is_never_rounded_to_certainty(folders: Folders, share: float, text: str) -> None:
    result = read_results(folders("example"))
    sources = Sources(result)
    case = Case(result, TracedLabels("nl", sources), sources)
    cell = case.shown(share, "figure:none", 0, scale=100.0)
    assert not isinstance(cell, str)
    assert cell.shown == text


@pytest.mark.parametrize(("value", "decimals"), [(0.06, 2), (0.117913, 3), (160.0, 0), (0.0, 0), (2.30, 1)])
def test_decimals_that_a_number_needs(value: float, decimals: int) -> None:
    assert needed_decimals(value) == decimals
