"""The picture of robust allocations: what each gives over all futures, in its tail and at worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sdopt.export.labels import Labels
from sdopt.export.picture import axis_numbers, saved
from sdopt.export.precision import range_decimals
from sdopt.export.sheets.robust import robust_name
from sdopt.export.views import COLOURS, NULL_COLOUR, fact
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHARES = (0.1, 0.5, 0.9)
"""Ends and middle of the line of an allocation."""


def picture_forms(result: Result, labels: Labels, *forms: str) -> dict[str, bytes]:
    """The picture in several forms (`png`, `svg`); the same result gives the same bytes."""
    return saved(lambda: _draw(result, labels), forms)


def spread_table(result: Result) -> pd.DataFrame:
    """Per allocation but the null alternative: allocation, low, middle, high, cvar, worst_case.

    `low`, `middle` and `high` are the improvements that are passed with probability 0.9, 0.5 and 0.1.
    """
    import pandas as pd

    measures = result.tables["robust_measures"].set_index("allocation")
    rows = []
    for name, own in result.tables["robust_scenarios"].groupby("allocation", sort=False):
        if name != "null":
            ordered = own.sort_values("improvement", kind="stable")
            reached = np.cumsum(ordered["probability"].to_numpy())
            places = np.minimum(np.searchsorted(reached, np.array(SHARES) - 1e-12), len(reached) - 1)
            low, middle, high = ordered["improvement"].to_numpy()[places]
            tail, worst = measures.loc[name, ["cvar", "worst_case"]]
            rows.append((name, low, middle, high, tail, worst))
    return pd.DataFrame(rows, columns=["allocation", "low", "middle", "high", "cvar", "worst_case"])


def _draw(result: Result, labels: Labels) -> Figure:
    table = spread_table(result)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    figure = Figure(figsize=(7.5, 1.9 + 0.5 * len(table)), layout=ConstrainedLayoutEngine(w_pad=0.1))
    first = table.iloc[-1]
    middle = labels.number(first["middle"], range_decimals(table["low"].min(), table["high"].max()))
    name = robust_name(str(first["allocation"]), labels)
    title = labels("robust.picture.title", name=name, middle=middle, unit=unit)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    axes = figure.subplots()
    _spreads(axes, table, labels, labels.number(100 * float(fact(result, "tail") or 0.0), 0))
    axes.set_xlabel(labels("robust.picture", unit=unit), wrap=True, fontsize=8)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", frameon=False, ncols=2)
    return figure


def _spreads(axes: Axes, table: pd.DataFrame, labels: Labels, tail: str) -> None:
    """A line with a dot per allocation, and marks for its tail and its worst."""
    places = np.arange(len(table))[::-1]
    axes.hlines(places, table["low"], table["high"], color=COLOURS[0], linewidth=4, alpha=0.5,
                label=labels("robust.picture.interval"))  # fmt: skip
    marks = {"middle": ("o", "black"), "cvar": ("D", COLOURS[1]), "worst_case": ("x", NULL_COLOUR)}
    said = {"middle": "middle", "cvar": "cvar", "worst_case": "worst"}
    for column, (mark, colour) in marks.items():
        label = labels(f"robust.picture.{said[column]}", **({"tail": tail} if column == "cvar" else {}))
        axes.scatter(table[column], places, marker=mark, color=colour, zorder=3, label=label)
    names = [robust_name(str(name), labels) for name in table["allocation"]]
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.axvline(0, color="black", linewidth=1)
    axes.xaxis.set_major_formatter(axis_numbers(labels))
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
