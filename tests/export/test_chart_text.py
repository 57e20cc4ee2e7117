"""Names in native charts stay text, as the saved .xlsx has them."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from sdopt.export import charts
from sdopt.export.labels import Labels
from sdopt.export.page import Book
from sdopt.export.views import main_stocks
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result, Status

NAMES = ("=[evil.xlsx]Blad1!$A$1", "Let op!B2 zorg", "Blad1!A1", "'a b'!$B2:C3")
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
INVISIBLE = "\u200b"


def charts_in(content: bytes) -> Iterator[ET.Element]:
    with zipfile.ZipFile(BytesIO(content)) as parts:
        assert not [name for name in parts.namelist() if "externalLink" in name]
        for name in parts.namelist():
            if name.startswith("xl/charts/chart"):
                yield ET.fromstring(parts.read(name))  # noqa: S314 (our own file)


def names_in(chart: ET.Element, *, series: bool = True) -> set[str]:
    """What titles and series names say; none of them may point at a cell."""
    found = [*chart.iter(f"{CHART}title"), *(chart.iter(f"{CHART}tx") if series else ())]
    assert not [formula for one in found for formula in one.iter(f"{CHART}f")]
    return {"".join(one.itertext()).replace(INVISIBLE, "") for one in found}


def drawn(kind: str, name: str) -> bytes:
    """A workbook with one chart that has this name wherever a chart takes text."""
    target = BytesIO()
    with xlsxwriter.Workbook(target) as workbook:
        book = Book(workbook, Result(Status.SIMULATED, "t", "nl", {}, {}, {}), Labels("nl"))
        page, cells = workbook.add_worksheet("s"), ("s", 0, 1, 0, 3)
        if kind == "lines":
            chart = charts.lines(book, name, name, cells, [(name, cells), ("b", cells)])
        elif kind == "bars":
            chart = charts.bars(book, name, name, cells, cells)
        else:
            chart = charts.columns_stacked(book, name, name, cells, cells)
        page.insert_chart(5, 0, chart)
    return target.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["lines", "bars", "columns"])
def test_no_name_in_a_chart_points_at_a_cell(kind: str, name: str) -> None:
    (chart,) = charts_in(drawn(kind, name))
    # the series of columns are to point at the cells that name them
    assert names_in(chart, series=kind != "columns") == {name} | ({"b"} if kind == "lines" else set())


@settings(max_examples=60, deadline=None)
@given(st.text("=!$AB12['] zé", min_size=1, max_size=12).filter(lambda text: text.strip()))
def test_any_text_stays_text(name: str) -> None:
    (chart,) = charts_in(drawn("lines", name))
    assert names_in(chart) == {name, "b"}


@pytest.mark.parametrize("name", NAMES)
def test_a_label_of_the_config_is_the_title_of_its_chart(result: Result, name: str) -> None:
    (stock,) = main_stocks(result, 1)
    named = replace(result, provenance={**result.provenance, "labels": {stock: name}})
    titles = [names_in(chart, series=False) for chart in charts_in(workbook_bytes(named))]
    assert any(name in found for found in titles)


def test_ordinary_text_is_left_alone() -> None:
    for text in ("Let op! Zorg", "wonen!", "a!b", "=1+1"):
        assert charts.chart_text(text) == text
