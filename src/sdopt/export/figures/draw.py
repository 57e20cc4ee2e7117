"""Figures as pictures for slides: 16:9, always the same bytes, nothing from the network."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from sdopt.export.figures.figure import VEGA_LITE, Figure, title_lines
from sdopt.export.figures.look import DARK, LIGHT, number_locale, theme
from sdopt.export.labels import Labels

WIDTH, HEIGHT = 720, 405
"""In units of which a letter is 11 or 12 high; shown larger, so that it reads at the back of a room."""
SHOWN = (1280, 720)
SCALE = 1.5
"""Pixels of a .png per unit of `SHOWN`."""
EDGE = 14
TITLE = 74
"""Letters of a title on one line."""
SMALLEST, LARGEST = 0.95, 1.1
"""Panels need not be drawn again when they come so close to the size of a slide."""
LINE = 13
"""Height of a line in the head of a panel."""
_SVG = re.compile(r'<svg[^>]*?viewBox="0 0 ([0-9.]+) ([0-9.]+)"[^>]*>')


@cache
def _engine() -> Any:
    """vl-convert with fonts of our own, so that letters do not depend on the machine."""
    import vl_convert

    # It reads UTF-8; where the locale is C, Python keeps an accented folder as single bytes.
    vl_convert.register_font_directory(os.fsencode(Path(__file__).parent / "fonts").decode("utf-8"))
    return vl_convert


def svg(figure: Figure, labels: Labels, *, dark: bool = False) -> str:
    """The figure as an SVG of 16:9, with its title and its description."""
    spec = _sized(figure)
    drawn = _drawn(spec, labels, dark)
    if "facet" in spec and not _fits(
        _size(drawn)
    ):  # how much room its axes, names and legend take is known now
        drawn = _drawn(_widened(spec, _size(drawn)), labels, dark)
    return _framed(drawn, (DARK if dark else LIGHT)["ground"])


def _drawn(spec: dict[str, Any], labels: Labels, dark: bool) -> str:
    found: str = _engine().vegalite_to_svg(
        spec,
        vl_version=VEGA_LITE,
        config=theme(dark),
        allowed_base_urls=[],
        format_locale=number_locale(labels.language),
        show_warnings=False,
    )
    return found


def png(figure: Figure, labels: Labels, *, dark: bool = False) -> bytes:
    """The same as a PNG of 1920 by 1080."""
    return svg_to_png(svg(figure, labels, dark=dark))


def svg_to_png(drawn: str) -> bytes:
    """What `svg` gave as a PNG."""
    found: bytes = _engine().svg_to_png(drawn, scale=SCALE)
    return found


def _sized(figure: Figure) -> dict[str, Any]:
    """The spec with its title, and a size that fits a slide."""
    spec = dict(figure.spec)  # its parts are never changed, only replaced
    title = title_lines(figure.title, TITLE)
    spec["title"] = {"text": title, "offset": 10}
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    height = HEIGHT - 2 * EDGE
    if "facet" in spec:
        return _panels(spec, height - 20 * len(title))
    return {**spec, "width": WIDTH - 2 * EDGE, "height": height}


def _panels(spec: dict[str, Any], height: float) -> dict[str, Any]:
    """Panels that share the slide; their axes, names and legend take what a slide can spare."""
    columns = spec["columns"]
    count = len(_heads(spec))
    columns = min(columns, count)
    lines = -(-count // columns)
    height -= LINE * sum(_more_lines(spec, place * columns, columns) for place in range(lines))
    size = {"width": (WIDTH - 2 * EDGE) / columns - 70, "height": (height - 60) / lines - 48}
    kept = {key: value for key, value in spec.items() if key != "autosize"}
    return {**kept, "columns": columns, "spec": {**spec["spec"], **size}}


def _heads(spec: dict[str, Any]) -> list[str]:
    """The heads of the panels, in their order."""
    field = spec["facet"]["field"]
    return list(dict.fromkeys(str(row[field]) for row in spec["data"]["values"]))


def _more_lines(spec: dict[str, Any], first: int, columns: int) -> int:
    """Lines beyond one that the heads of some panels beside each other take."""
    return max(head.count("\n") for head in _heads(spec)[first : first + columns])


def _fits(size: tuple[float, float]) -> bool:
    """Whether it fills a slide, or nearly, with letters about as large as they should be."""
    wide, high = (WIDTH - 2 * EDGE) / size[0], (HEIGHT - 2 * EDGE) / size[1]
    return min(wide, high) >= SMALLEST and max(wide, high) <= LARGEST


def _widened(spec: dict[str, Any], size: tuple[float, float]) -> dict[str, Any]:
    """The same with panels that use the room that was left, or give back what was too much."""
    own, columns = spec["spec"], spec["columns"]
    lines = -(-len(_heads(spec)) // columns)
    wider = (WIDTH - 2 * EDGE - size[0]) / columns
    higher = (HEIGHT - 2 * EDGE - size[1]) / lines
    fitted = {"width": max(own["width"] + wider, 60), "height": max(own["height"] + higher, 40)}
    return {**spec, "spec": {**own, **fitted}}


def _size(drawn: str) -> tuple[float, float]:
    """Width and height of a drawing."""
    found = _SVG.search(drawn)
    if found is None:  # not seen; a picture that is cut off would be worse
        raise ValueError("the drawing has no size")
    return float(found[1]), float(found[2])


def _framed(drawn: str, ground: str) -> str:
    """The drawing in the middle of a slide, on its own background."""
    width, height = _size(drawn)
    scale = min((WIDTH - 2 * EDGE) / width, (HEIGHT - 2 * EDGE) / height)
    left, top = (WIDTH - scale * width) / 2, EDGE
    inside = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SHOWN[0]}" height="{SHOWN[1]}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{ground}"/>'
        f'<g transform="translate({left:.2f} {top:.2f}) scale({scale:.4f})">{inside}</g></svg>\n'
    )
