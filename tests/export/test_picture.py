"""The picture: the same bytes each time, and names are text, not mathematics or markup."""

import io
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import matplotlib
import matplotlib.image
import pytest

from sdopt.export.picture import picture_forms
from sdopt.result import Result


@pytest.mark.parametrize("form", ["png", "svg"])
def test_same_result_gives_the_same_bytes(make_result: Callable[..., Result], form: str) -> None:
    first = picture_forms(make_result(), (form,))[form]
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": "other"}):
        assert picture_forms(make_result(), (form,))[form] == first
        assert matplotlib.rcParams["font.size"] == 30
    assert picture_forms(make_result(language="en"), (form,))[form] != first


def test_png_shows_the_colours_of_the_decisions(result: Result) -> None:
    image = matplotlib.image.imread(io.BytesIO(picture_forms(result, ("png",))["png"]))
    assert image.shape[:2] == (690, 1650)
    for colour in ("#0072B2", "#E69F00", "#009E73", "#CC79A7"):
        wanted = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        assert (abs(image[..., :3] - wanted).max(axis=-1) < 0.01).sum() > 500


def test_odd_names_are_drawn_as_text(result: Result) -> None:
    table = result.tables["allocation"]
    names = dict(
        zip(table["variable"].unique(), (r"$\frac{", "_hidden", "<script>", "a\x00b\nc"), strict=True)
    )
    odd = replace(result.with_tables(allocation=table.replace({"variable": names})), title=r"$x^2$ & <b>\x")
    root = ET.fromstring(picture_forms(odd, ("svg",))["svg"])  # noqa: S314 (our own file)
    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_negative_and_zero_budgets_and_many_decisions(result: Result) -> None:
    table = result.tables["allocation"]
    assert picture_forms(result.with_tables(allocation=table.assign(value=0.0)), ("png",))["png"]
    assert picture_forms(result.with_tables(allocation=table.assign(value=-table["value"])), ("png",))["png"]
