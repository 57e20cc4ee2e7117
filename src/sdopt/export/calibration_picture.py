"""One panel per series: what was observed, and the model before and after the fit."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sdopt.calibrate.fit import Fit
from sdopt.calibrate.observed import Point
from sdopt.equations.simulate import run
from sdopt.export.cells import plain_text
from sdopt.export.labels import Labels
from sdopt.export.picture import axis_numbers, saved

ACROSS = 3
TITLE_WIDTH = 38
SIMULATED, OBSERVED, QUIET = "#0B6E9E", "#B5472F", "#999999"


def calibration_picture(found: Fit, labels: Labels, forms: Sequence[str]) -> dict[str, bytes]:
    """The picture in some forms (`png`, `svg`); the same fit gives the same bytes."""
    return saved(lambda: _draw(found, labels), forms, dpi=120)


def _draw(found: Fit, labels: Labels) -> Figure:
    points = found.question.points
    series = list(dict.fromkeys(point.series for point in points))
    down = -(-len(series) // ACROSS)
    figure = Figure(figsize=(11, 0.9 + 2.7 * down), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))
    panels = figure.subplots(down, ACROSS, squeeze=False).ravel()
    runs = _runs(found)
    for axes, name in zip(panels, series, strict=False):
        _panel(axes, found, [point for point in points if point.series == name], runs, labels)
    for axes in panels[len(series) :]:
        axes.set_axis_off()
    handles, texts = _legend_entries(panels[: len(series)])
    figure.legend(handles, texts, loc="outside lower left", frameon=False, ncols=4)
    figure.suptitle(_text(found.question.loaded.config.title), x=0.01, ha="left", fontweight="bold")
    return figure


def _runs(found: Fit) -> dict[str, NDArray[np.float64]]:
    """Every output over time, (output, time), before and after the fit."""
    question = found.question
    before = {one.key: one.value for one in question.fitted}
    after = {one.key: float(value) for one, value in zip(question.fitted, found.values, strict=True)}
    return {
        name: run(question.program, constants)[:, :, 0]
        for name, constants in (("line_before", before), ("line_after", after))
    }


def _panel(
    axes: Axes, found: Fit, points: list[Point], runs: dict[str, NDArray[np.float64]], labels: Labels
) -> None:
    """Lines of the model in the size of the source, and the points: fitted filled, test open."""
    question, scale = found.question, points[0].scale
    outputs = question.outputs(points[0])
    times = question.grid.times
    looks: dict[str, dict[str, Any]] = {
        "line_before": {"color": QUIET, "linestyle": "--", "linewidth": 1.2},
        "line_after": {"color": SIMULATED, "linewidth": 2},
    }
    for name, look in looks.items():
        axes.plot(times, runs[name][outputs].sum(axis=0) * scale, label=labels(f"calibrate.{name}"), **look)
    middle = 0.0 if points[0].measure == "moment" else 0.5
    for use, name, face in (("fit", "dot_fit", OBSERVED), ("test", "dot_test", "white")):
        chosen = [point for point in points if point.use == use]
        if chosen:
            axes.plot(
                [point.time + middle for point in chosen],
                [point.target * scale for point in chosen],
                linestyle="none",
                marker="o",
                markersize=5,
                markerfacecolor=face,
                markeredgecolor=OBSERVED,
                label=labels(f"calibrate.{name}"),
            )
    axes.set_title("\n".join(wrap(_text(points[0].series), TITLE_WIDTH)))
    axes.set_ylabel(_text(labels.unit(points[0].unit)))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(axis_numbers(labels))


def _legend_entries(panels: Any) -> tuple[list[Any], list[str]]:
    """Each entry once, over all panels."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(text, handle)
    return list(found.values()), list(found)


def _text(value: object) -> str:
    """Text from the table or config, safe to draw."""
    return " ".join(plain_text(value).split()).lstrip("_")
