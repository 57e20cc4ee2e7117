"""Growth as pictures: seconds against runs, variables and decisions, all on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from engine_growth import Curve

COLOURS = {
    "sdopt, NumPy": "#0072B2",
    "sdopt, compiled": "#56B4E9",
    "reverse accumulation": "#0072B2",
    "complex step": "#56B4E9",
    "kernel in C": "#000000",
    "PySD run": "#D55E00",
    "differences in PySD, 1 process": "#D55E00",
    "EMA Workbench": "#E69F00",
}
"""The same engine has the same colour in every picture; all can be told apart by colour-blind people."""


def plot(path: Path, title: str, across: str, up: str, curves: Sequence[Curve]) -> None:
    """One picture (PNG); what is extrapolated is dashed."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for curve in curves:
        style = {"linestyle": "--", "marker": ""} if curve.extrapolated else {"marker": "o"}
        label = f"{curve.label} (extrapolated)" if curve.extrapolated else curve.label
        axes.loglog(curve.x, curve.seconds, color=COLOURS[curve.label], label=label, **style)
    ticks = sorted({x for curve in curves for x in curve.x})
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
