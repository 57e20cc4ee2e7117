"""Series beside each other: what was observed, and the model before and after the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.fit import Fit
from sdopt.calibrate.observed import Point
from sdopt.equations.simulate import run
from sdopt.export.figures.figure import ADVICE, LOSS, NULL, Figure, Spec, figure, one_line, said, short_names
from sdopt.export.figures.specs import by_name, panels, quantity, some_years
from sdopt.export.labels import Labels

PANELS = 9
"""Most series in one figure."""
LINES, DOTS = ("line_before", "line_after"), ("dot_fit", "dot_test")
USES = {"fit": "dot_fit", "test": "dot_test"}

Floats = NDArray[np.float64]


def calibration_figures(found: Fit, labels: Labels) -> tuple[Figure, ...]:
    """A figure per nine series of a fit: `calibration`, `calibration_2` and so on."""
    by_series: dict[str, list[Point]] = {}
    for point in found.question.points:
        by_series.setdefault(point.series, []).append(point)
    series, runs = list(by_series.values()), _runs(found)
    parts = [series[place : place + PANELS] for place in range(0, len(series), PANELS)]
    return tuple(
        _figure(f"calibration_{number}" if number > 1 else "calibration", found, part, runs, labels)
        for number, part in enumerate(parts, start=1)
    )


def _runs(found: Fit) -> dict[str, Floats]:
    """Every output over time, (output, time), before and after the fit."""
    question = found.question
    before = {one.key: one.value for one in question.fitted}
    after = {one.key: float(value) for one, value in zip(question.fitted, found.values, strict=True)}
    return {
        name: run(question.program, constants)[:, :, 0]
        for name, constants in zip(LINES, (before, after), strict=True)
    }


def _figure(
    key: str, found: Fit, series: Sequence[Sequence[Point]], runs: Mapping[str, Floats], labels: Labels
) -> Figure:
    title = one_line(found.question.loaded.config.title)
    whole = {
        own[0].series: one_line(labels.with_unit(one_line(own[0].series), own[0].unit)) for own in series
    }
    short = short_names(whole.values(), letters=30, lines=3)
    rows, each = [], []
    for points in series:
        drawn = [*_lines(found, points[0], runs), *_dots(points)]
        head = short[whole[points[0].series]]
        rows += [{"head": head, **row, "kind": labels(f"calibrate.{row['kind']}")} for row in drawn]
        last = max(points, key=lambda point: point.time)
        words = {"name": one_line(last.series), "unit": labels.unit(last.unit), "time": f"{last.time:g}"}
        each.append(labels("calibrate.figure.each", value=said(labels, last.value), **words).strip())
    about = labels("calibrate.figure.described", each="; ".join(each))
    return figure(
        key,
        (labels("calibrate.figure", title=title), about),
        _spec(rows, labels),
        _table(series, labels),
        ("fit",),
    )


def _table(series: Sequence[Sequence[Point]], labels: Labels) -> tuple[list[str], list[list[Any]]]:
    """The observed points, those that were fitted and those that were not in columns of their own."""
    keys = ("column.variable", "word.unit", "column.year", *(f"calibrate.{key}" for key in DOTS))
    rows = [
        [point.series, labels.unit(point.unit), point.time]
        + [point.value if USES[point.use] == key else None for key in DOTS]
        for points in series
        for point in points
    ]
    return [labels(key) for key in keys], rows


def _lines(found: Fit, point: Point, runs: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """What the model gives at every moment, in the size of the source."""
    outputs, times = found.question.outputs(point), found.question.grid.times
    return [
        {"kind": kind, "year": float(time), "value": float(value)}
        for kind in LINES
        for time, value in zip(times, runs[kind][outputs].sum(axis=0) * point.scale, strict=True)
    ]


def _dots(points: Sequence[Point]) -> list[dict[str, Any]]:
    """What was observed; an average or total of a year stands in the middle of it."""
    return [
        {
            "kind": USES[point.use],
            "year": point.time + (0.0 if point.measure == "moment" else 0.5),
            "value": point.value,
        }
        for point in points
    ]


def _spec(rows: list[dict[str, Any]], labels: Labels) -> Spec:
    """A panel per series, each with its own scale; points that were not fitted are open."""
    words = {key: labels(f"calibrate.{key}") for key in (*LINES, *DOTS)}
    kinds = {row["kind"] for row in rows}
    lines, dots = ([words[key] for key in keys if words[key] in kinds] for keys in (LINES, DOTS))
    years = [row["year"] for row in rows]
    shown = some_years(range(ceil(min(years)), floor(max(years)) + 1), 4)
    encoding = {
        "x": quantity("year", {"title": None, "format": "d", "values": shown, "grid": False}, zero=False),
        "y": quantity("value", {"title": None, "format": ",.4~f", "tickCount": 4}, zero=False),
    }
    line = {
        "transform": [{"filter": {"field": "kind", "oneOf": lines}}],
        "mark": "line",
        "encoding": {
            **encoding,
            "color": by_name("kind", dict(zip(lines, (NULL, ADVICE), strict=True)), symbolType="stroke"),
            "strokeDash": by_name("kind", dict(zip(lines, ([5, 3], [1, 0]), strict=True))),
        },
    }
    inside = {words["dot_fit"]: LOSS, words["dot_test"]: "#FFFFFF"}
    dot = {
        "transform": [{"filter": {"field": "kind", "oneOf": dots}}],
        "mark": {"type": "point", "size": 45, "opacity": 1, "stroke": LOSS, "strokeWidth": 1.5},
        "encoding": {
            **encoding,
            "fill": by_name(
                "kind",
                {word: inside[word] for word in dots},
                symbolStrokeColor=LOSS,
                symbolType="circle",
                symbolStrokeWidth=1.5,
            ),
        },
    }
    own = {"width": 220, "height": 150, "layer": [line, dot]}
    return panels(rows, 3, own, y="independent")
