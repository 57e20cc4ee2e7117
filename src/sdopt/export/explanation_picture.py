"""The frontier as a picture: return against every other aim, dominated points left out."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sdopt.export.cells import plain_text
from sdopt.export.labels import Labels
from sdopt.export.picture import axis_numbers, saved
from sdopt.export.views import ADVICE_COLOUR, COLOURS
from sdopt.result import Result


def frontier_picture(result: Result, labels: Labels, forms: Sequence[str]) -> dict[str, bytes]:
    """The picture in some forms (`png`, `svg`); the same result gives the same bytes."""
    return saved(lambda: _draw(result, labels), forms)


def _draw(result: Result, labels: Labels) -> Figure:
    """A panel per aim: the points that no other dominates, the first of them the advice."""
    table = result.tables["frontier"]
    kept = table[~table["dominated"].astype(bool)]
    aims = list(dict.fromkeys(table["aim"]))
    figure = Figure(figsize=(max(5.5, 4.6 * len(aims)), 3.6), layout=ConstrainedLayoutEngine(w_pad=0.12))
    panels = figure.subplots(1, len(aims), squeeze=False)[0]
    for axes, aim in zip(panels, aims, strict=True):
        rows = kept[kept["aim"] == aim]
        axes.plot(rows["value"], rows["improvement"], "-o", color=ADVICE_COLOUR, linewidth=2, markersize=5)
        axes.plot(rows["value"].iloc[:1], rows["improvement"].iloc[:1], "o", color=COLOURS[1], markersize=9)
        axes.set_title(plain_text(aim))
        better = labels(f"frontier.{rows['better'].iloc[0]}")
        axes.set_xlabel(plain_text(f"{labels.unit(str(rows['value_unit'].iloc[0]))} ({better})"))
        axes.set_ylabel(plain_text(f"{labels('why.return')} ({labels.unit(str(rows['unit'].iloc[0]))})"))
        axes.xaxis.set_major_formatter(axis_numbers(labels))
        axes.yaxis.set_major_formatter(axis_numbers(labels))
        axes.grid(visible=True, axis="both")
    return figure
