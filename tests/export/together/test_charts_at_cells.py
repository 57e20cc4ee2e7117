"""Native charts point at cells that are there, with what these hold; the steps of the waterfall add up."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import range_boundaries

from sdopt.export.sheets.distribution import bins_of
from sdopt.export.sheets.pockets import PARTS, parts_of_step
from sdopt.export.sheets.tornado import largest_swings
from sdopt.export.workbook import workbook_bytes
from sdopt.result import Result

Results = Mapping[str, Result]
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def charts(content: bytes) -> Iterator[ET.Element]:
    with zipfile.ZipFile(BytesIO(content)) as book:
        for name in sorted(book.namelist()):
            if re.fullmatch(r"xl/charts/chart\d+\.xml", name):
                yield ET.fromstring(book.read(name))  # noqa: S314


def title(chart: ET.Element) -> str:
    found = chart.find(f"{C}chart/{C}title")
    return "" if found is None else "".join(found.itertext()).strip()


def cells(book: Any, reference: str) -> list[Any]:
    """The values at `Sheet!$A$1:$B$2`."""
    sheet, _, place = reference.rpartition("!")
    name = sheet.strip("'").replace("''", "'")
    left, top, right, bottom = range_boundaries(place.replace("$", ""))
    rows = book[name].iter_rows(top, bottom, left, right, values_only=True)
    return [value for row in rows for value in row]


@pytest.mark.parametrize("kind", ["advice", "sweep", "all"])
def test_every_series_points_at_cells_with_its_numbers(results: Results, kind: str) -> None:
    content = workbook_bytes(results[kind])
    book = openpyxl.load_workbook(BytesIO(content), data_only=True)
    seen = 0
    for chart in charts(content):
        for series in chart.iter(f"{C}ser"):
            names = series.find(f"{C}cat")
            values = series.find(f"{C}val")
            assert names is not None
            assert values is not None
            found = {
                key: next(one.iter(f"{C}f")).text or "" for key, one in (("cat", names), ("val", values))
            }
            at = {key: cells(book, reference) for key, reference in found.items()}
            assert len(at["cat"]) == len(at["val"]) > 0
            assert any(value is not None for value in at["cat"])
            stored = {int(pt.get("idx", -1)): float(pt[0].text or "nan") for pt in values.iter(f"{C}pt")}
            for place, value in stored.items():
                assert value == pytest.approx(float(at["val"][place] or 0.0), rel=1e-12, abs=1e-12)
            assert stored
            seen += 1
    assert seen >= {"advice": 12, "sweep": 6, "all": 18}[kind]


def test_all_charts_are_there(results: Results) -> None:
    titles = [title(chart) for chart in charts(workbook_bytes(results["all"]))]
    for one in (
        "Nu: verdeling per jaar",
        "Advies: verdeling per jaar",
        "Opgetelde baten min kosten",
        "Wie wint en wie betaalt",
        "Verbetering door het advies: van elke 100 toekomsten (mln euro)",
        "Verbetering door het advies: midden (P50), met P5 tot P95",
        "Wat één aanname aan de uiteinden verandert (as now)",
        "Skills",
        "Opgetelde baten min kosten over alle toekomsten",
        "Skills: Advies",
    ):
        assert one in titles, titles
    assert "" in titles  # that of the summary stands under a heading of its own


def test_both_charts_of_the_allocation_have_one_axis(results: Results) -> None:
    found = [
        chart for chart in charts(workbook_bytes(results["advice"])) if "verdeling per jaar" in title(chart)
    ]
    ends = {tuple(one.get("val") for one in chart.iter(f"{C}{end}")) for chart in found for end in ("max",)}
    assert len(found) == 2
    assert len(ends) == 1


def waterfall(result: Result) -> list[dict[str, float]]:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(result)), data_only=True)
    rows = [list(row) for row in book["Wie betaalt, wie profiteert"].iter_rows(values_only=True)]
    start = next(k for k, row in enumerate(rows) if "Voet" in row)
    found = []
    for row in rows[start + 1 :]:
        found.append(
            {
                "name": row[0],
                "difference": row[3],
                "start": row[4],
                "end": row[5],
                **dict(zip(PARTS, row[6:], strict=False)),
            }
        )
        if row[0] == "Totaal":
            return found
    raise AssertionError("no total")


def test_pockets_add_up_also_when_they_cross_zero(results: Results) -> None:
    """Six pockets of plus and minus of which the sum goes below zero and back."""
    ledger = results["advice"].tables["ledger"]
    first = ledger.groupby("pocket", sort=False).head(1).index
    amounts = dict(zip(first, (2.0, -5.0, 4.0, -0.5, -3.0, 1.0, 7.0, 8.0), strict=False))
    crossing = ledger.assign(difference=[amounts.get(place, 0.0) for place in ledger.index])
    *steps, total = waterfall(results["advice"].with_tables(ledger=crossing))
    assert [step["difference"] for step in steps] == pytest.approx(list(amounts.values()))
    assert total["difference"] == total["bar_total"] == pytest.approx(sum(amounts.values()))
    so_far = 0.0
    for step, amount in zip(steps, amounts.values(), strict=True):
        assert step["start"] == pytest.approx(so_far)
        so_far += amount
        assert step["end"] == pytest.approx(so_far)
    assert any(step["start"] > 0 > step["end"] for step in steps)


ENDS = st.floats(-1e6, 1e6, allow_nan=False)


@given(ENDS, ENDS)
def test_the_parts_of_a_bar_cover_it_and_nothing_else(start: float, end: float) -> None:
    """Stacked charts pile up positive values from zero upwards, and negative ones from zero downwards."""
    base, *coloured = (value for _, value in parts_of_step("A1", "B1", start, end))
    gains, losses = coloured[:2], coloured[2:]
    assert sum(map(abs, coloured)) == pytest.approx(abs(end - start))
    assert not any(losses if end >= start else gains)
    above = max(base, 0.0) + sum(value for value in coloured if value > 0)
    below = min(base, 0.0) + sum(value for value in coloured if value < 0)
    assert above == pytest.approx(max(start, end, 0.0))
    assert below == pytest.approx(min(start, end, 0.0))


def test_the_distribution_counts_every_future_once(results: Results) -> None:
    bins = bins_of(results["sweep"])
    assert sum(count for *_, count in bins) == pytest.approx(100.0)
    widths = {round(high - low, 9) for low, high, _ in bins}
    assert len(widths) == 1
    curve = results["sweep"].tables["curve"].query("allocation == 'advice'")["value"]
    for low, high, count in bins:
        inside = ((curve >= low) & (curve < high)).mean() * 100
        assert count == pytest.approx(inside)
    assert not any(low < 0 < high for low, high, _ in bins)


def test_the_tornado_shows_the_largest_swings_of_the_advice(results: Results) -> None:
    swings = largest_swings(results["sweep"])
    assert swings["swing"].is_monotonic_decreasing
    assert set(swings["external"]) == {"as now"}
