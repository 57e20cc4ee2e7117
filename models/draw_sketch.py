"""Draw what the sketch in `social_domain.mdl` says: docs/model/<view>.svg and .png, and a page of them.

    python models/draw_sketch.py [view ...]

The sketch is read back from the model file, so a picture shows what Vensim shows. Needs matplotlib, which
`pip install -e .[sketch]` brings.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
from arcs import Box, path
from chapters import abouts
from markdown_text import plain
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Polygon, Rectangle
from sketch import Arrow, Cloud, Note, Valve, View, Word, read
from sketch_layout import CONSTANTS, LETTER, chapter_of, decisions
from structure import read_structure

HERE = Path(__file__).parent
FOLDER = HERE.parent / "docs" / "model"
STOCK, PIPE, ARROW, SHADOW, DECISION = "#d6e6f5", "#7a8a99", "#3b6ea5", "#8a8a8a", "#c05a00"
SMALL = 7.5
DOTS = 96
SHARP = 130
MARGIN = 40
GUIDE = """# The model in pictures

The views that `models/social_domain.mdl` shows in Vensim, drawn from the sketch in that file.

- **A box** is a stock: it accumulates. **A double line** with a valve is a flow into or out of it; a cloud
  is where that comes from or goes to outside the view.
- **An arrow** says what depends on what; a dashed one says so for the start of a stock only.
- **\\<Grey names\\>** are explained on another view. **Orange names** are what the municipality decides.
- The other constants stand on the last view only; [constants.md](../constants.md) lists them with sources.

The pictures are made by `python models/draw_sketch.py`, after `python models/write_sketch.py`. Places are in
`models/social_domain.layout.csv`: change a row there, or take it out and run
`python models/arrange_sketch.py`, which gives a place to whatever has none.
"""


def draw(view: View, chosen: set[str]) -> Figure:
    """One view; names in `chosen` stand out as decisions."""
    boxes: dict[int, Box] = {item.id: item for item in view.items if isinstance(item, Word | Note)}
    edges = [(i.x - i.w, i.y - i.h, i.x + i.w, i.y + i.h) for i in boxes.values()]
    for arrow in view.arrows():
        if not arrow.pipe:
            line = path(boxes[arrow.start], boxes[arrow.end], arrow.point, curved=arrow.curved)
            edges += [(round(x), round(y), round(x), round(y)) for x, y in line]
    edges += [(i.x - 14, i.y - 12, i.x + 14, i.y + 12) for i in view.items if isinstance(i, Cloud)]
    left, top, right, bottom = (f(e[k] for e in edges) for k, f in enumerate((min, min, max, max)))
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    figure = Figure(figsize=(width / DOTS, height / DOTS), dpi=DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(left - MARGIN, right + MARGIN)
    axes.set_ylim(bottom + MARGIN, top - MARGIN)
    axes.axis("off")
    for arrow in view.arrows():
        if arrow.pipe:
            _pipe(axes, arrow, view)
        else:
            _arrow(axes, arrow, boxes)
    for item in view.items:
        _item(axes, item, chosen, wide=view.name == CONSTANTS)
    return figure


def _pipe(axes: Axes, pipe: Arrow, view: View) -> None:
    """A double line from the valve by way of its point, with a head where it flows to."""
    ends = {item.id: item for item in view.items if not isinstance(item, Arrow)}
    valve, end = ends[pipe.start], ends[pipe.end]
    (x, y), (px, py) = (valve.x, valve.y), pipe.point
    last = _edge(end, (px, py)) if isinstance(end, Word) else (end.x, end.y)
    line = [(x, y), (px, py), last]
    for colour, thick in ((PIPE, 5.0), ("white", 2.6)):
        axes.plot([p[0] for p in line], [p[1] for p in line], color=colour, lw=thick, zorder=1)
    if pipe.head and isinstance(end, Word):
        head = FancyArrowPatch(
            line[1],
            last,
            arrowstyle="-|>",
            mutation_scale=15,
            color=PIPE,
            lw=0,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
        axes.add_patch(head)
    elif pipe.head:
        dx, dy = (last[0] > px) - (last[0] < px), (last[1] > py) - (last[1] < py)
        near = (last[0] - 11 * dx, last[1] - 11 * dy)
        head = FancyArrowPatch(
            line[1],
            near,
            arrowstyle="-|>",
            mutation_scale=15,
            color=PIPE,
            lw=0,
            shrinkA=0,
            shrinkB=0,
            zorder=4,
        )
        axes.add_patch(head)


def _edge(box: Word, point: tuple[float, float]) -> tuple[float, float]:
    """Where a pipe from a point above, below or beside a box meets it."""
    x, y = point
    if abs(x - box.x) <= box.w:
        return x, box.y - box.h if y < box.y else box.y + box.h
    return (box.x - box.w if x < box.x else box.x + box.w), y


def _arrow(axes: Axes, arrow: Arrow, boxes: dict[int, Box]) -> None:
    line = path(boxes[arrow.start], boxes[arrow.end], arrow.point, curved=arrow.curved)
    dashes = "--" if arrow.initial else "-"
    axes.plot([p[0] for p in line], [p[1] for p in line], dashes, color=ARROW, lw=0.9, zorder=3)
    before = line[-3] if len(line) > 2 else line[0]
    axes.add_patch(
        FancyArrowPatch(
            before,
            line[-1],
            arrowstyle="-|>",
            mutation_scale=9,
            color=ARROW,
            lw=0,
            shrinkA=0,
            shrinkB=0,
            zorder=3,
        )
    )


def _item(axes: Axes, item: object, chosen: set[str], *, wide: bool) -> None:
    match item:
        case Word(_, name, x, y, w, h, kind, shadow):
            if kind == "stock":
                axes.add_patch(
                    Rectangle((x - w, y - h), 2 * w, 2 * h, fc=STOCK, ec="#27496d", lw=1.3, zorder=5)
                )
            colour = DECISION if name in chosen else SHADOW if shadow else "black"
            text = f"<{name}>" if shadow else name
            lines = textwrap.wrap(text, 32 if wide else round((w - 4) / LETTER), break_long_words=False)
            weight = "bold" if kind == "stock" or name in chosen else "normal"
            axes.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=SMALL, color=colour,
                      weight=weight, linespacing=1.05, zorder=6)  # fmt: skip
        case Note(_, text, x, y, w, h, boxed):
            if boxed:
                axes.add_patch(
                    Rectangle((x - w, y - h), 2 * w, 2 * h, fc=STOCK, ec="#27496d", lw=1.3, zorder=5)
                )
            axes.text(x, y, "\n".join(textwrap.wrap(text, 18)) if boxed else text, ha="center", va="center",
                      fontsize=9 if boxed else 8.5, weight="bold", zorder=6)  # fmt: skip
        case Valve(_, x, y, vertical):
            corners = (
                [(-8, -7), (8, 7), (8, -7), (-8, 7)] if not vertical else [(-7, -8), (7, 8), (-7, 8), (7, -8)]
            )
            axes.add_patch(
                Polygon([(x + a, y + b) for a, b in corners], fc="white", ec=PIPE, lw=1.2, zorder=5)
            )
        case Cloud(_, x, y):
            for a, b, r in ((-6, 2, 6), (0, -3, 7), (6, 2, 6)):
                axes.add_patch(Circle((x + a, y + b), r, fc="white", ec=PIPE, lw=1, zorder=4))
            axes.add_patch(Rectangle((x - 6, y - 2), 12, 9, fc="white", lw=0, zorder=4))


def guide(views: list[View], about: dict[str, str]) -> str:
    """The page with all pictures, and what the model file says about each chapter."""
    parts, last = [GUIDE], ""
    for view in views:
        chapter = chapter_of(view.name)
        if chapter != last:
            parts.append(f"## {plain(chapter)}\n")
            parts += [f"{plain(about[chapter])}\n"] if chapter in about else []
        name = file_name(view.name)
        parts.append(f"![{plain(view.name)}]({name}.png)\n\n{plain(view.name)} ([svg]({name}.svg))\n")
        last = chapter
    return "\n".join(parts)


def file_name(view: str) -> str:
    """The name of a picture without its ending."""
    return re.sub(r"[^a-z0-9]+", "-", view.lower()).strip("-")


def main(only: list[str]) -> None:
    """Draw every view, or those named."""
    model = HERE / "social_domain.mdl"
    structure = read_structure(model)
    chosen = {structure.variables[key].name for key in decisions(structure)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings: dict[Any, Any] = {"svg.hashsalt": "sdopt", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
    views = read(model.read_text(encoding="utf-8"))
    (FOLDER / "README.md").write_text(guide(views, abouts(model)), encoding="utf-8", newline="\n")
    names = {file_name(view.name) for view in views}
    for picture in (*FOLDER.glob("*.svg"), *FOLDER.glob("*.png")):
        if picture.stem not in names:
            picture.unlink()
    for view in views:
        if only and view.name not in only:
            continue
        with mpl.rc_context(settings):
            figure = draw(view, chosen)
            name = FOLDER / file_name(view.name)
            figure.savefig(name.with_suffix(".svg"), metadata={"Date": None})
            figure.savefig(name.with_suffix(".png"), dpi=SHARP, metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1:])
