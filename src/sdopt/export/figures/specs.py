"""Pieces of Vega-Lite that the figures share. Names go into data, never into an expression or a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdopt.export.figures.figure import Row, Spec, decimals, one_line, plain, title_lines
from sdopt.export.labels import Labels

STEP = 30
"""Height of a row."""
LINES = "split(datum.label, '\\n')"
"""Shows a name that `short_names` made with its line ends."""
NAMES_AXIS: Spec = {
    "title": None,
    "labelExpr": LINES,
    "labelLimit": 0,
    "labelFontSize": 10,
    "labelLineHeight": 11,
    "labelOverlap": False,
    "labelOffset": {"condition": {"test": "true", "expr": f"-5.5 * (length({LINES}) - 1)"}, "value": 0},
    "ticks": False,
    "domain": False,
    "grid": False,
    "labelPadding": 8,
}
UPRIGHT = "M-0.16,-1.1H0.16V1.1H-0.16Z"
"""Shape of an upright line."""
PICKED = "picked == null || datum.name == picked"
"""Whether a row belongs to what was picked."""


def data(rows: Iterable[Row]) -> Spec:
    """Inline data; missing numbers are null, as JSON knows no NaN."""
    return {"values": [{key: plain(value) for key, value in row.items()} for row in rows]}


def layered(
    rows: Sequence[Row], layers: Sequence[Spec], height: float | None = None, step: int = STEP
) -> Spec:
    """Layers on one plane as wide as its container; as high as its rows, `step` each, when not told."""
    fit = {"type": "fit-x", "contains": "padding"}
    own = height or step * len({row["label"] for row in rows})
    kept = [layer for layer in layers if _shows(layer, rows)]
    return {"data": data(rows), "width": "container", "autosize": fit, "height": own, "layer": kept}


def _shows(layer: Spec, rows: Sequence[Row]) -> bool:
    """Whether a layer has a row to show: the scale of an empty one has no ends, and Vega warns of that."""
    own = layer["data"]["values"] if "data" in layer else rows
    only = [step["filter"] for step in layer.get("transform", ()) if isinstance(step.get("filter"), dict)]
    return any(all(row.get(one["field"]) == one["equal"] for one in only) for row in own)


def axis(title: str, **more: Any) -> Spec:
    """An axis of amounts with a title of at most two lines."""
    return {"title": title_lines(one_line(title), 52)[:2], "format": ",.4~f", "tickCount": 6, **more}


def share_axis(title: str, labels: Labels) -> Spec:
    """An axis of shares from none to all, in per cent as the language writes them."""
    spaced = {"labelExpr": "replace(datum.label, '%', '\u00a0%')"} if labels.language == "nl" else {}
    return {**axis(title), "format": ".0%", **spaced}


def quantity(field: str, axis: Spec | None = None, **scale: Any) -> Spec:
    """A channel with numbers."""
    found: Spec = {"field": field, "type": "quantitative"}
    found |= {"axis": axis} if axis is not None else {}
    return {**found, "scale": scale} if scale else found


def some_years(years: Iterable[int], most: int) -> list[int]:
    """So many of the years that their labels fit, evenly apart."""
    found = sorted(set(years))
    return found[:: max(1, -(-len(found) // most))]


def names_axis(rows: Iterable[Row]) -> Spec:
    """The rows of a figure from top to bottom, by the field `label`, in the order of `order`."""
    ordered = sorted(rows, key=lambda row: int(row["order"]))
    domain = list(dict.fromkeys(str(row["label"]) for row in ordered))
    return {"field": "label", "type": "nominal", "scale": {"domain": domain}, "axis": NAMES_AXIS}


def panels(rows: Sequence[Row], columns: int, own: Spec, **resolve: str) -> Spec:
    """A panel per `head`, in the order of the rows; channels that each has its own scale for in `resolve`."""
    facet = {
        "field": "head",
        "type": "nominal",
        "sort": list(dict.fromkeys(str(row["head"]) for row in rows)),
        "header": {"labelExpr": LINES, "labelAnchor": "start", "labelLimit": 0},
    }
    found = {"data": data(rows), "facet": facet, "columns": columns, "spec": own}
    return {**found, "resolve": {"scale": resolve}} if resolve else found


def by_name(field: str, pairs: Mapping[str, Any], **legend: Any) -> Spec:
    """A channel of names: name -> colour, shape or dashes, with a legend in this order."""
    scale = {"domain": list(pairs), "range": list(pairs.values())}
    return {
        "field": field,
        "type": "nominal",
        "sort": list(pairs),
        "scale": scale,
        "legend": {"title": None, **legend},
    }


def tips(*lines: tuple[str, str] | tuple[str, str, str]) -> list[Spec]:
    """The lines of a tooltip: (field, words) of a text, (field, words, format) of a number."""
    found = []
    for field, title, *form in lines:
        line: Spec = {"field": field, "title": one_line(title), "type": "nominal"}
        found.append({**line, "type": "quantitative", "format": form[0]} if form else line)
    return found


def number_format(values: Iterable[Any], *, sign: bool = False) -> str:
    """About three digits of the largest, as a d3 format."""
    return f"{'+' if sign else ''},.{decimals(list(values))}f"


def line_at(value: float, channel: str = "x", **mark: Any) -> Spec:
    """A line over the whole plane, such as at zero."""
    return {"mark": {"type": "rule", **mark}, "encoding": {channel: {"datum": value}}}


def end_texts(encoding: Spec, by: str, ends: Mapping[str, tuple[str, int]], **mark: Any) -> list[Spec]:
    """Texts beside their place: rows of which the field `by` is a key of `ends` (alignment, distance)."""
    return [
        {
            "transform": [{"filter": {"field": by, "equal": key}}],
            "mark": {"type": "text", "align": align, "dx": away, **mark},
            "encoding": encoding,
        }
        for key, (align, away) in ends.items()
    ]


SIDES = {"right": ("left", 4), "left": ("right", -4)}
"""Side of a bar's end -> where its text stands."""

Marks = Sequence[tuple[str, str, str]]
"""Word, shape and colour of marks."""


def points(rows: Sequence[Row], marks: Marks, axes: tuple[Spec, Spec], words: tuple[str, str]) -> Spec:
    """Marks of several kinds (field `what`) at the field `at`, which the legend explains."""
    (x, y), (what, form) = axes, words
    used = [mark for mark in marks if any(row["what"] == mark[0] for row in rows)]
    return {
        "data": data(rows),
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "strokeWidth": 0},
        "encoding": {
            "y": y,
            "x": {**x, "field": "at"},
            "shape": by_name("what", {word: shape for word, shape, _ in used}),
            "fill": by_name("what", {word: colour for word, _, colour in used}),
            "tooltip": tips(("name", what), ("what", " "), ("at", " ", form)),
        },
    }


def picker(names: Sequence[str], labels: Labels) -> Spec:
    """A choice of one name below the figure, which the keyboard reaches too; None is all."""
    bind = {
        "input": "select",
        "options": [None, *names],
        "labels": [labels("figure.all"), *names],
        "name": labels("figure.show") + " ",
    }
    return {"name": "picked", "value": None, "bind": bind}
