"""The sketch of the social domain is current, complete and true to the equations; its pictures exist."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
PICTURES = ROOT / "docs" / "model"


class Tools:
    """The modules in models/ that make the sketch, the model they read, and its views."""

    def __init__(self) -> None:
        sys.path.insert(0, str(MODELS))
        try:
            import chapters
            import draw_sketch
            import sketch
            import sketch_layout
            import structure
        finally:
            sys.path.remove(str(MODELS))
        self.chapters, self.sketch, self.layout, self.draw = chapters, sketch, sketch_layout, draw_sketch
        self.text = (MODELS / "social_domain.mdl").read_text(encoding="utf-8")
        self.model = structure.read_structure(MODELS / "social_domain.mdl")
        self.views = sketch.read(self.text)
        self.keys = {variable.name: key for key, variable in self.model.variables.items()}
        self.chapter = {key: title for title, keys in self.model.chapters.items() for key in keys}

    def between(self) -> list[Any]:
        """The views with dependencies of variables: neither the overview nor the constants."""
        return [v for v in self.views if v.name not in (self.layout.OVERVIEW, self.layout.CONSTANTS)]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools()


def written(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The model file after write_sketch.py ran on a copy of it."""
    for name in ("write_sketch.py", "social_domain.layout.csv"):
        shutil.copy(MODELS / name, folder)
    path = folder / "social_domain.mdl"
    path.write_text(text, encoding="utf-8", newline="")
    monkeypatch.syspath_prepend(str(MODELS))
    runpy.run_path(str(folder / "write_sketch.py"), run_name="__main__")
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


# Writing


def test_the_sketch_is_current(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(tmp_path, tools.text, monkeypatch) == tools.text, "run: python models/write_sketch.py"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_equations_stay_as_they_are(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newline: str
) -> None:
    equations = tools.chapters.equations_part(tools.text).replace("\n", newline)
    text = written(tmp_path, equations, monkeypatch)
    assert text.startswith(equations)
    assert text[len(equations) :] == tools.text[len(tools.chapters.equations_part(tools.text)) :]


def test_what_is_read_is_what_was_written(tools: Tools) -> None:
    sketch = tools.text[len(tools.chapters.equations_part(tools.text)) :].split(":L<%^E!@")[0]
    assert tools.sketch.write(tools.views) == sketch
    for view in tools.views:
        assert [item.id for item in view.items] == list(range(1, len(view.items) + 1))


def test_a_variable_without_a_place_is_named(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = "\nnobody placed this= people on bijstand\n\t~\tPerson\n\t~\tA new one.\n\t|\n"
    text = tools.text.replace("\n\t|\n", "\n\t|\n" + extra, 2).replace(extra, "", 1)
    with pytest.raises(SystemExit, match="nobody_placed_this has no place"):
        written(tmp_path, text, monkeypatch)


def test_pysd_finds_the_same_variables_on_every_view(tools: Tools) -> None:
    """PySD reads sketches with a grammar of its own, and knows shadows by their bits."""
    from pysd.translators.vensim.vensim_file import VensimFile

    file = VensimFile(MODELS / "social_domain.mdl")
    file.parse()
    file.parse_sketch([])
    ours = {
        re.sub(r"\W", "", view.name.lower().replace(" ", "_")): {
            tools.keys[word.name] for word in view.words() if not word.shadow
        }
        for view in tools.views
    }
    theirs = {re.sub(r"\W", "", view): names for view, names in file.sections[0].views_dict.items()}
    assert {view: {n.lower().replace(" ", "_") for n in names} for view, names in theirs.items()} == {
        view: names for view, names in ours.items() if names
    }


# What is on it


def test_every_variable_is_itself_in_one_place(tools: Tools) -> None:
    itself = Counter(tools.keys[w.name] for view in tools.views for w in view.words() if not w.shadow)
    assert itself == dict.fromkeys(tools.model.variables, 1)


def test_a_view_shows_its_chapter_and_as_shadows_what_that_needs(tools: Tools) -> None:
    chosen = tools.layout.decisions(tools.model)
    assert len(chosen) == 9
    for view in tools.between():
        own = {tools.keys[word.name] for word in view.words() if not word.shadow}
        shadows = {tools.keys[word.name] for word in view.words() if word.shadow}
        assert {tools.chapter[key] for key in own} == {tools.layout.chapter_of(view.name)}
        causes = {cause for key in own for cause in tools.model.causes[key]} - own
        assert shadows == {key for key in causes if tools.model.kind(key) != "constant" or key in chosen}


def test_stocks_are_boxes(tools: Tools) -> None:
    for view in tools.views:
        for word in view.words():
            is_stock = tools.model.kind(tools.keys[word.name]) == "stock"
            assert (word.kind == "stock") == (is_stock and not word.shadow), word.name


def test_every_arrow_is_a_dependency_and_every_dependency_an_arrow(tools: Tools) -> None:
    for view in tools.between():
        key = {word.id: tools.keys[word.name] for word in view.words()}
        arrows = [(key[a.start], key[a.end]) for a in view.arrows() if not a.pipe]
        piped = {(flow, stock) for flow, stock, _ in pipes(tools, view)}
        own = {key[word.id] for word in view.words() if not word.shadow}
        shown = {(c, k) for k in own for c in tools.model.causes[k] if c in key.values()}
        assert len(arrows) == len(set(arrows)), view.name
        assert set(arrows) | piped == shown, view.name
        assert not set(arrows) & piped, view.name


def pipes(tools: Tools, view: Any) -> Iterator[tuple[str, str, int]]:
    """Flow, stock and 1 (into it) or -1 of every pipe that ends at a stock."""
    items = {item.id: item for item in view.items}
    for arrow in view.arrows():
        if arrow.pipe and isinstance(items[arrow.end], tools.sketch.Word):
            name, stock = items[arrow.start + 1].name, items[arrow.end].name
            yield tools.keys[name], tools.keys[stock], 1 if arrow.head else -1


def test_pipes_are_the_flows_of_the_stocks(tools: Tools) -> None:
    flows = tools.layout.signed_flows(tools.model)
    wanted = {(flow, stock, sign) for stock, signs in flows.items() for flow, sign in signs.items()}
    found = [pipe for view in tools.views for pipe in pipes(tools, view)]
    assert sorted(found) == sorted(wanted)


def test_every_valve_has_a_name_an_inlet_and_an_outlet(tools: Tools) -> None:
    for view in tools.views:
        items = {item.id: item for item in view.items}
        for valve in (item for item in view.items if isinstance(item, tools.sketch.Valve)):
            assert items[valve.id + 1].kind == "flow"
            ends = [arrow for arrow in view.arrows() if arrow.pipe and arrow.start == valve.id]
            assert sorted(arrow.head for arrow in ends) == [False, True]


def test_the_overview_shows_which_chapter_depends_on_which(tools: Tools) -> None:
    view = tools.views[0]
    names = {item.id: item.text for item in view.items if isinstance(item, tools.sketch.Note)}
    wanted = {
        (tools.chapter[cause], tools.chapter[key])
        for key in tools.model.variables
        for cause in tools.model.causes[key]
    }
    chapters = {tools.layout.chapter_of(other.name) for other in tools.between()}
    assert view.name == tools.layout.OVERVIEW
    assert set(names.values()) == chapters
    assert {(names[a.start], names[a.end]) for a in view.arrows()} == {
        (start, end) for start, end in wanted if start != end and {start, end} <= chapters
    }


# How it looks


def boxes(tools: Tools, view: Any) -> list[tuple[str, int, int, int, int]]:
    """Name, middle and half sizes of everything but arrows."""
    found = []
    for item in view.items:
        match item:
            case tools.sketch.Word():
                found.append((item.name, item.x, item.y, item.w, item.h))
            case tools.sketch.Note():
                found.append((item.text, item.x, item.y, item.w, item.h))
            case tools.sketch.Valve() | tools.sketch.Cloud():
                found.append((type(item).__name__, item.x, item.y, 8, 8))
    return found


def test_nothing_stands_on_something_else(tools: Tools) -> None:
    for view in tools.views:
        things = boxes(tools, view)
        over = [
            (view.name, a[0], b[0])
            for place, a in enumerate(things)
            for b in things[:place]
            if abs(a[1] - b[1]) < a[3] + b[3] and abs(a[2] - b[2]) < a[4] + b[4]
        ]
        assert not over


def test_no_pipe_runs_over_a_box(tools: Tools) -> None:
    for view in tools.views:
        items = {item.id: item for item in view.items}
        for pipe in (arrow for arrow in view.arrows() if arrow.pipe):
            ends = {pipe.start, pipe.end, pipe.start + 1}
            (x, y), (px, py) = (items[pipe.start].x, items[pipe.start].y), pipe.point
            assert x == px or y == py, items[pipe.start + 1].name  # straight
            for word in view.words():
                if word.id not in ends:
                    inside = min(x, px) < word.x + word.w and max(x, px) > word.x - word.w
                    assert not (inside and min(y, py) < word.y + word.h and max(y, py) > word.y - word.h), (
                        view.name,
                        items[pipe.start + 1].name,
                        word.name,
                    )


def test_few_arrows_run_over_a_name(tools: Tools) -> None:
    """At most one in twelve of a view: the rest goes past everything."""
    sys.path.insert(0, str(MODELS))
    try:
        from arcs import path
    finally:
        sys.path.remove(str(MODELS))
    for view in tools.views[1:]:
        words = {word.id: word for word in view.words()}
        arrows = [arrow for arrow in view.arrows() if not arrow.pipe]
        over = 0
        for arrow in arrows:
            line = path(words[arrow.start], words[arrow.end], arrow.point, curved=arrow.curved)
            others = [word for word in words.values() if word.id not in (arrow.start, arrow.end)]
            over += any(abs(x - w.x) < w.w - 4 and abs(y - w.y) < w.h - 4 for x, y in line for w in others)
        assert over <= len(arrows) / 12, view.name


def test_every_view_has_a_picture_of_all_its_names_and_a_place_in_the_guide(tools: Tools) -> None:
    guide = (PICTURES / "README.md").read_text(encoding="utf-8")
    for view in tools.views:
        name = tools.draw.file_name(view.name)
        assert f"]({name}.png)" in guide, view.name
        assert (PICTURES / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        texts = re.findall(r">([^<>]+)</text>", (PICTURES / f"{name}.svg").read_text(encoding="utf-8"))
        drawn = Counter(" ".join(texts).replace("&lt;", " ").replace("&gt;", " ").split())
        assert not Counter(" ".join(word.name for word in view.words()).split()) - drawn, view.name
    assert len(list(PICTURES.glob("*.png"))) == len(tools.views)
