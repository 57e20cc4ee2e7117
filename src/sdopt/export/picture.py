"""One picture of the answer: the allocation now and as advised, and what it does to the main stock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sdopt.export.cells import plain_text
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.views import ADVICE_COLOUR, COLOURS, NULL_COLOUR, by_year, main_stocks, units
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

HATCHES = ("", "//", "..", "xx")
"""Beyond eight decisions the colours repeat, with a hatch."""

# Names from the model are data: no mathematics in `$`. The salt keeps the ids in the SVG the same.
LOOKS: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.hashsalt": "sdopt",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#E3E3E3",
    "axes.axisbelow": True,
    "hatch.linewidth": 0.6,
    "axes.edgecolor": "#888888",
}


def picture_forms(result: Result, forms: Sequence[str]) -> dict[str, bytes]:
    """The picture in some forms (`png`, `svg`); the same result gives the same bytes."""
    return saved(lambda: _draw(with_shown_names(result), Labels(result.language)), forms)


def saved(draw: Callable[[], Figure], forms: Sequence[str], dpi: int = 150) -> dict[str, bytes]:
    """What `draw` makes, in the look of all pictures: form (`png`, `svg`) -> bytes, always the same ones.

    It is laid out once, for the first form.
    """
    found = {}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(LOOKS)
        figure = draw()
        for form in forms:
            target = BytesIO()
            metadata = {"Date": None, "Creator": "sdopt"} if form == "svg" else {"Software": None}
            figure.savefig(target, format=form, dpi=dpi, metadata=metadata)
            figure.set_layout_engine("none")
            found[form] = target.getvalue()
    return found


def _draw(result: Result, labels: Labels) -> Figure:
    """Two panels of stacked bars with one scale, one panel with lines, one legend."""
    figure = Figure(figsize=(11, 4.6), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06))
    now, advice, stock = figure.subplots(1, 3, width_ratios=[1, 1, 1.15])
    table = result.tables["allocation"]
    wide = {key: by_year(table, key) for key in ("null", "advice")}
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    ends = []
    for axes, key in ((now, "null"), (advice, "advice")):
        ends.append(_stack(axes, wide[key].reindex(index=wide["null"].index)))
        axes.set_title(labels(f"word.{key}"))
        axes.yaxis.set_major_formatter(axis_numbers(labels))
    advice.sharey(now)
    now.set_ylim(1.06 * min(low for low, _ in ends), 1.06 * max(high for _, high in ends) or 1.0)
    now.set_ylabel(unit)
    advice.tick_params(labelleft=False)
    _stock_lines(stock, result, labels)
    _legend(figure, list(wide["null"].index))
    figure.suptitle(_text(result.title), x=0.01, ha="left", fontsize=12, fontweight="bold", wrap=True)
    return figure


def _stack(axes: Axes, wide: pd.DataFrame) -> tuple[float, float]:
    """Bars per year, one layer per decision, negative values below zero; returns lowest and highest end."""
    up, down = [0.0] * len(wide.columns), [0.0] * len(wide.columns)
    for number, (_, values) in enumerate(wide.iterrows()):
        base = [u if value >= 0 else d for value, u, d in zip(values, up, down, strict=True)]
        axes.bar(wide.columns, values, bottom=base, width=0.8, **_look(number))
        up = [u + max(value, 0.0) for value, u in zip(values, up, strict=True)]
        down = [d + min(value, 0.0) for value, d in zip(values, down, strict=True)]
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return min(down), max(up)


def _look(number: int) -> dict[str, Any]:
    """Colour and hatch of a decision."""
    hatch = HATCHES[number // len(COLOURS) % len(HATCHES)]
    return {
        "facecolor": COLOURS[number % len(COLOURS)],
        "hatch": hatch,
        "edgecolor": "white",
        "linewidth": 0.5,
    }


def _legend(figure: Figure, names: list[str]) -> None:
    """The decisions, below the panels."""
    patches = [Patch(**_look(number)) for number in range(len(names))]
    figure.legend(
        patches,
        [_text(name) for name in names],
        loc="outside lower left",
        frameon=False,
        ncols=min(4, len(names)),
    )


def _stock_lines(axes: Axes, result: Result, labels: Labels) -> None:
    """The shown variable that changes most, null alternative against advice, named at the lines' ends."""
    table = result.tables["trajectories"]
    name = main_stocks(result, 1)[0]
    for key, colour, style in (("null", NULL_COLOUR, "--"), ("advice", ADVICE_COLOUR, "-")):
        values, label = by_year(table, key).loc[name], labels(f"word.{key}")
        axes.plot(values.index, values, color=colour, linestyle=style, linewidth=2, label=label)
    axes.set_title(_text(name))
    axes.set_ylabel(_text(labels.unit(units(table)[name])))
    axes.yaxis.set_major_formatter(axis_numbers(labels))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.legend(frameon=False)


def axis_numbers(labels: Labels) -> FuncFormatter:
    """Axis numbers with the language's own separators, and no more decimals than needed."""

    def shown(value: float, _: int | None = None) -> str:
        decimals = next(
            (d for d in range(4) if abs(round(value, d) - value) <= 1e-9 * max(1.0, abs(value))), 4
        )
        return labels.number(value, decimals)

    return FuncFormatter(shown)


def _text(value: object) -> str:
    """Text from the model or config, safe to draw: one line, and never hidden by a leading underscore."""
    return " ".join(plain_text(value).split()).lstrip("_")
