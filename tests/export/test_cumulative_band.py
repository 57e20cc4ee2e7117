"""The band of the return over the years, from its table: in figure, words and sheet, and in native charts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pytest
import vl_convert

from sdopt.export.figures import Figure, figures_of, theme
from sdopt.export.figures.figure import VEGA_LITE
from sdopt.export.labels import Labels
from sdopt.export.opendocument.book import ods_bytes
from sdopt.export.sheets.answers import paid_back_lines
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

Make = Callable[..., Result]
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
YEARS = [2027, 2028, 2029, 2030]
LOW, MIDDLE, HIGH = [-3.0, -4.0, -2.0, -0.5], [-2.0, -1.0, 0.5, 2.25], [-1.5, 1.0, 4.0, 8.0]
PAID = [0.0, 0.125, 0.625, 0.875]
COLUMNS = (
    *("allocation", "external", "year", "mean", "q10", "q50", "q90"),
    *("paid_back", "paid_back_low", "paid_back_high", "pays_from", "unit"),
)


def rows(name: str, world: str, since: float, shift: float = 0.0) -> list[tuple[Any, ...]]:
    return [
        (name, world, year, middle + 0.1, low + shift, middle + shift, high + shift, paid, 0.0, 1.0, since,
         "million EUR")
        for year, low, middle, high, paid in zip(YEARS, LOW, MIDDLE, HIGH, PAID, strict=True)
    ]  # fmt: skip


def band(since: float = 2029.0) -> pd.DataFrame:
    made = [
        *rows("advice", "", since),
        *rows("advice", "slump", since, -9.0),
        *rows("other <b>", "", np.nan, -9),
    ]
    return pd.DataFrame(made, columns=list(COLUMNS))


def expected() -> dict[str, pd.DataFrame]:
    """What `optimise --explain` tells of the same years."""
    years = [("return", year, value, value, "million EUR") for year, value in zip(YEARS, MIDDLE, strict=True)]
    pay = [("return", 2029, 2029, -2.0, 2027, 2.0, 2.0, "million EUR")]
    names = ["perspective", "year", "cumulative", "cumulative_discounted", "unit"]
    whole = [
        "perspective",
        "year",
        "year_discounted",
        "lowest",
        "lowest_year",
        "total",
        "total_discounted",
        "unit",
    ]
    return {
        "pay_back_years": pd.DataFrame(years, columns=names),
        "pay_back": pd.DataFrame(pay, columns=whole),
    }


def figure(result: Result, language: str = "nl") -> Figure:
    found = figures_of(replace(result, language=language), Labels(language))
    return next(one for one in found if one.key == "cumulative")


def data_of(one: Figure, *fields: str) -> list[dict[str, Any]]:
    """The rows of the layer that has these fields."""
    layers = [one.spec, *one.spec["layer"]]
    found = [layer["data"]["values"] for layer in layers if "data" in layer]
    return next(values for values in found if set(fields) <= set(values[0]))


@pytest.fixture
def swept(make_result: Make) -> Result:
    return make_result().with_tables(cumulative_band=band())


@pytest.mark.parametrize("with_expected", [False, True])
def test_the_figure_draws_the_table(swept: Result, with_expected: bool) -> None:
    one = figure(swept.with_tables(**expected()) if with_expected else swept)
    area = data_of(one, "q10", "q90")
    assert [row["q10"] for row in area] == LOW
    assert [row["q90"] for row in area] == HIGH
    lines = pd.DataFrame(one.spec["data"]["values"])
    own = lines[lines["name"].str.startswith("Advies: P50")]
    assert own["value"].tolist() == MIDDLE
    assert lines["name"].nunique() == 2  # the other allocation, or the expected values
    assert data_of(one, "text")[0]["when"] == "2029"
    cells = {row[0]: row[1 : 1 + len(YEARS)] for row in one.rows}
    assert cells["Advies: P10"] == tuple(LOW)
    assert cells["Advies: P90"] == tuple(HIGH)
    assert cells["Advies: van elke 100 toekomsten dan terugverdiend"] == tuple(100 * share for share in PAID)
    assert "cumulative_band" in one.source
    vl_convert.vegalite_to_vega(dict(one.spec), vl_version=VEGA_LITE, config=theme(dark=False))


def test_the_figure_says_from_when_and_in_how_many_futures(swept: Result) -> None:
    one = figure(swept)
    assert one.title == (
        "Vanaf 2029 staat de middelste toekomst blijvend in de plus; tot en met 2030 is het advies in 88 van "
        "de 100 toekomsten terugverdiend (zonder eindwaarde)"
    )
    assert "P10 -0,50, P50 +2,25, P90 +8,00" in one.description
    never = figure(swept.with_tables(cumulative_band=band(np.nan)), "en")
    assert never.title.startswith("The median future does not stay above zero up to and including 2030")
    assert all("text" not in layer.get("encoding", {}) for layer in never.spec["layer"])


def test_pay_back_is_known_from_a_sweep_alone_and_unknown_without(swept: Result) -> None:
    labels = Labels("nl")
    assert paid_back_lines(swept, labels) == [
        "Over alle toekomsten staat de middelste vanaf 2029 blijvend in de plus; tot en met 2030 is het in "
        "88 van de 100 toekomsten terugverdiend, zonder de waarde aan het einde."
    ]
    (never,) = paid_back_lines(swept.with_tables(cumulative_band=band(np.nan)), labels)
    assert "komt de middelste tot en met 2030 niet blijvend in de plus" in never
    assert len(paid_back_lines(swept.with_tables(**expected()), labels)) == 2
    failed = band().assign(q50=np.nan)
    for older in (swept.with_tables(cumulative_band=failed), swept.with_tables(cumulative_band=failed[:0])):
        assert "niet bekend" in paid_back_lines(older, labels)[0]


def charts(content: bytes) -> dict[str, ET.Element]:
    """The charts of a workbook by title."""
    with ZipFile(BytesIO(content)) as book:
        names = [name for name in book.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
        found = [ET.fromstring(book.read(name)) for name in names]  # noqa: S314 (our own file)
    return {"".join(one.find(f"{C}chart/{C}title").itertext()).strip(): one for one in found}


def test_the_sheet_holds_the_table_and_a_band_that_stacks_up(swept: Result) -> None:
    content = workbook_bytes(swept)
    book = openpyxl.load_workbook(BytesIO(content), data_only=True)
    page = [list(row) for row in book["Terugverdienen"].iter_rows(values_only=True)]
    own = [row for row in page if row[0] in YEARS]
    table = band().query("allocation == 'advice' and external == ''")
    assert [row[1:6] for row in own] == table[["q10", "q50", "q90", "mean", "paid_back"]].to_numpy().tolist()
    assert [row[6] for row in own] == [high - low for low, high in zip(LOW, HIGH, strict=True)]
    chart = charts(content)["Opgetelde baten min kosten over alle toekomsten"]
    area = chart.find(f".//{C}areaChart")
    assert area is not None
    assert area.find(f"{C}grouping").get("val") == "stacked"
    stored = [[float(pt[0].text or "nan") for pt in one.find(f"{C}val").iter(f"{C}pt")]
              for one in chart.iter(f"{C}ser")]  # fmt: skip
    assert stored == [LOW, [high - low for low, high in zip(LOW, HIGH, strict=True)], MIDDLE]
    assert [one.get("val") for one in chart.iterfind(f".//{C}legendEntry/{C}idx")] == ["0"]
    assert ods_bytes(content, Labels("nl"))


def fan(value: float | None = None) -> pd.DataFrame:
    """Five outputs under four allocations, each higher; the later an output comes, the more it spreads."""
    made = [
        {"allocation": name, "variable": f"output {k}", "subscript": "", "time": time, "unit": "EUR"}
        | {point: value if value is not None else 100.0 + 10 * step * k + 300 * place
           for step, point in enumerate(("q05", "q25", "q50", "q75", "q95"))}
        for place, name in enumerate(("null", "advice", "b", "c"))
        for k in range(5)
        for time in (2026.0, 2030.0)
    ]  # fmt: skip
    return pd.DataFrame(made)


def test_the_fan_has_charts_of_what_spreads_most_with_one_axis_each(make_result: Make) -> None:
    content = workbook_bytes(make_result().with_tables(fan=fan()))
    found = {name: one for name, one in charts(content).items() if name.startswith("output")}
    assert set(found) == {
        f"output {k}: {name}" for k in range(1, 5) for name in ("Nu (nulalternatief)", "Advies", "b")
    }
    for one in found.values():
        first, *parts, middle = [
            [float(pt[0].text or "nan") for pt in ser.find(f"{C}val").iter(f"{C}pt")]
            for ser in one.iter(f"{C}ser")
        ]
        assert np.allclose(np.add(first, parts[0]) + parts[1] / np.array(2), middle)
        assert len(parts) == 3
    ends = {
        (
            name.partition(":")[0],
            *(one.find(f".//{C}valAx/{C}scaling/{C}{end}").get("val") for end in ("min", "max")),
        )
        for name, one in found.items()
    }
    assert len(ends) == 4
    texts = [
        row[0].value for row in openpyxl.load_workbook(BytesIO(content))["Verloop over de jaren"].iter_rows()
    ]
    assert any("alle staan in de tabel fan" in str(text) for text in texts)


@pytest.mark.parametrize("value", [np.nan, 0.0, -7.0])
def test_a_fan_without_spread_or_numbers_is_still_a_sheet(make_result: Make, value: float) -> None:
    content = workbook_bytes(make_result().with_tables(fan=fan(value)))
    count = sum(name.startswith("output") for name in charts(content))
    assert count == (0 if np.isnan(value) else 12)
    if np.isnan(value):
        rows = openpyxl.load_workbook(BytesIO(content))["Verloop over de jaren"].iter_rows()
        assert any(row[0].value == "Geen enkele doorrekening gaf een getal." for row in rows)
