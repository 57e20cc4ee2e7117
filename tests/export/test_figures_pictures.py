"""Figures as pictures: 16:9, the same bytes each time, names as text, and nothing fetched from anywhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from sdopt.cli import main
from sdopt.errors import ExportError
from sdopt.export.figures import Figure, draw, figures_of
from sdopt.export.figures.pictures import write_pictures
from sdopt.export.folder import write_results
from sdopt.export.formats import export_results
from sdopt.export.labels import Labels
from sdopt.result import Result

NL = Labels("nl")
NAME = "</text><script>alert(1)</script> & \"x\" 'y' [z] \\ ${now()}"
BLUE, GREY = (0, 114, 178), (127, 127, 127)


def first(result: Result, key: str) -> Figure:
    return next(one for one in figures_of(result, Labels(result.language)) if one.key == key)


def pixels(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def share_of(image: Any, colour: tuple[int, int, int]) -> float:
    return float((abs(image - np.array(colour)).max(axis=-1) <= 3).mean())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_pictures_fill_a_slide(result: Result, language: str, dark: bool) -> None:
    labels = Labels(language)
    for one in figures_of(replace(result, language=language), labels):
        image = pixels(draw.png(one, labels, dark=dark))
        assert image.shape == (1080, 1920, 3)
        ground = image[0, 0]
        assert (ground.max() < 40) == dark
        drawn = (abs(image - ground).max(axis=-1) > 30).nonzero()
        assert drawn[0].max() - drawn[0].min() > 600  # high
        assert drawn[1].max() - drawn[1].min() > 1500  # and wide
        for place in drawn:  # and nothing is cut off at an edge
            assert place.min() >= 20
        assert drawn[0].max() <= 1059
        assert drawn[1].max() <= 1899


def test_null_is_grey_and_the_advice_blue(result: Result) -> None:
    image = pixels(draw.png(first(result, "stocks"), NL))
    assert share_of(image, BLUE) > 0.001
    assert share_of(image, GREY) > 0.0005


def test_the_same_result_gives_the_same_bytes(result: Result, tmp_path: Path) -> None:
    """In another process and place too: `test_every_form_has_the_same_bytes_wherever_it_is_made`."""
    write_pictures(result, tmp_path / "one")
    write_pictures(result, tmp_path / "two")
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / at).iterdir()} for at in ("one", "two"))
    assert one == two
    assert set(one) == {
        f"{key}.{form}" for key in ("allocation", "effects", "stocks") for form in ("svg", "png")
    }
    assert one["stocks.svg"].decode("utf-8") == draw.svg(first(result, "stocks"), NL)


def test_letters_are_our_own(result: Result) -> None:
    """A font that a machine has itself goes before one that is given: ours has a name that no other has."""
    fonts = Path(draw.__file__).parent / "fonts"
    assert {path.name for path in fonts.glob("*.ttf")} == {"SdoptSans-Regular.ttf", "SdoptSans-Bold.ttf"}
    for path in fonts.glob("*.ttf"):
        assert "Sdopt Sans".encode("utf-16-be") in path.read_bytes()
    assert "Bitstream Vera Fonts Copyright" in (fonts / "LICENCE.txt").read_text(encoding="utf-8")
    root = ET.fromstring(draw.svg(first(result, "stocks"), NL))  # noqa: S314 (our own file)
    families = {one.get("font-family") for one in root.iter() if one.get("font-family")}
    assert families == {"Sdopt Sans, DejaVu Sans, Verdana, sans-serif"}


def test_odd_names_stay_text(result: Result) -> None:
    table = result.tables["allocation"]
    odd = {"prevention budget": NAME, "social base budget": "a\x00b\nc", "debt help budget": "€ ñ ∑ " * 12}
    changed = result.with_tables(allocation=table.replace({"variable": odd}))
    for one in figures_of(replace(changed, title=NAME), NL):
        content = draw.svg(one, NL)
        root = ET.fromstring(content)  # noqa: S314 (our own file)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {
            "svg",
            "g",
            "path",
            "rect",
            "text",
            "tspan",
            "defs",
            "clipPath",
            "line",
            "title",
            "desc",
        }
        assert not [
            name for element in root.iter() for name in element.attrib if name.lower().startswith("on")
        ]
        if one.key == "allocation":
            text = "".join(root.itertext())
            assert "1 </text><script>alert(1)" in text.replace("\u2026", "")


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, its address, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'[{"a": 1}]')

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_nothing_is_ever_fetched(result: Result) -> None:
    with listening() as (address, asked):
        names = {
            "prevention budget": f"{address}/name.csv",
            "debt help budget": f'<image href="{address}/x.png"/>',
        }
        table = result.tables["allocation"].replace({"variable": names})
        named = result.with_tables(allocation=table)
        for one in figures_of(replace(named, title=f"url({address}/title)"), NL):
            assert draw.png(one, NL)
        own = first(named, "effects")
        # Even a spec that asks for it, which no figure does, gets nothing.
        plain = {**own.spec, "data": {"url": f"{address}/d.json"}}
        with pytest.raises(ValueError, match="allowed"):
            draw.svg(replace(own, spec=plain), NL)
        image = {
            "data": {"values": [{"u": f"{address}/i.png"}]},
            "mark": "image",
            "encoding": {"url": {"field": "u"}},
        }
        with pytest.raises((ValueError, RuntimeError)):
            draw.png(replace(own, spec=image), NL)
        assert asked == []


def test_a_folder_of_pictures_from_the_command_line(result: Result, tmp_path: Path) -> None:
    folder = write_results(result, tmp_path, "title: x\n", {}, None)
    done = CliRunner().invoke(main, ["export", str(folder), "--format", "pictures"], catch_exceptions=False)
    target = folder / f"{folder.name}-pictures"
    assert done.output.strip() == str(target)
    assert {path.suffix for path in target.iterdir()} == {".svg", ".png"}
    assert (target / "allocation.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ExportError, match="exists already and is never overwritten"):
        export_results(folder, "pictures", None)


def test_without_figures_the_folder_is_empty(result: Result, tmp_path: Path) -> None:
    write_pictures(replace(result, tables={}), tmp_path / "none")
    assert list((tmp_path / "none").iterdir()) == []
