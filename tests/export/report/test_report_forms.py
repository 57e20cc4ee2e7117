"""The section on forms of decision: what each costs, why one is not possible, and what each decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lxml.html
import pandas as pd
import pytest

from sdopt.export.formats import read_results
from sdopt.export.labels import Labels
from sdopt.export.sheets.forms import forms_lines

Folders = Callable[[str], Path]
Pages = Callable[[str, str], Path]


@pytest.fixture(scope="module", params=("nl", "en"))
def spoken(request: pytest.FixtureRequest, pages: Pages) -> tuple[str, Any]:
    page = lxml.html.parse(str(pages("forms", request.param))).getroot()
    (section,) = page.xpath("//section[@id='forms']")
    return request.param, section


@pytest.fixture(scope="module")
def tables(folders: Folders) -> dict[str, pd.DataFrame]:
    found = (folders("forms") / "tables").glob("forms*.csv")
    return {path.stem: pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in found}


def cells(rows: Sequence[Any]) -> list[list[float | None]]:
    """The numbers behind the cells of rows, None where a cell has none."""
    return [[None if cell.find("data") is None else float(cell.find("data").get("value")) for cell in row[1:]]
            for row in rows]  # fmt: skip


def test_it_says_what_the_sheet_says(spoken: tuple[str, Any], folders: Folders) -> None:
    language, section = spoken
    result = read_results(folders("forms"))
    said = [one.text_content().replace("\u00a0", " ") for one in section.iter("li")]
    assert said[:3] == forms_lines(result, Labels(language))


def test_every_form_has_its_price(spoken: tuple[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    rows, table = next(spoken[1].iter("tbody")), tables["forms"]
    assert len(rows) == len(table) == 4
    keys = ["values", "improvement", "price", "price_at_least", "price_at_most", "price_share"]
    for shown, row in zip(cells(rows), table.to_dict("records"), strict=True):
        if row["status"] == "none":
            assert shown == [None] * 7
        else:
            known = [None if pd.isna(row[key]) else row[key] for key in keys]
            assert shown[:6] == pytest.approx(known, rel=1e-9)


def test_a_clash_is_told_with_what_repairs_it(
    spoken: tuple[str, Any], tables: dict[str, pd.DataFrame]
) -> None:
    language, section = spoken
    clashes = tables["forms_clashes"]
    (title,) = [one for one in section.iter("h3") if "Vaste verhouding van nu" in one.text_content()]
    lists = [one for one in title.itersiblings("ul")][:2]
    assert len(lists[0]) == (clashes["repair"] == 0).sum()
    assert len(lists[1]) == clashes.loc[clashes["repair"] > 0, "repair"].nunique()
    assert not [one for one in section.iter("li") if "•" in one.text_content()]
    assert Labels(language)(f"form.repair.{clashes['repaired'].iloc[0]}") in section.text_content()


def test_the_amounts_hold_until_the_next_choice(
    spoken: tuple[str, Any], tables: dict[str, pd.DataFrame]
) -> None:
    path = tables["forms_allocation"]
    years = sorted(set(path["year"]))
    shown = [row for body in list(spoken[1].iter("tbody"))[1:] for row in cells(body)]
    wide = path.pivot_table(index=["form", "variable"], columns="year", values="value", sort=False)
    held = wide.reindex(columns=years).ffill(axis=1).to_numpy()
    assert [row[: len(years)] for row in shown] == [pytest.approx(list(row)) for row in held]
    assert "Mensen in zorg" in spoken[1].xpath(".//details//li")[0].text_content()


def test_without_forms_there_is_no_section(pages: Pages) -> None:
    assert not lxml.html.parse(str(pages("example", "nl"))).getroot().xpath("//section[@id='forms']")
