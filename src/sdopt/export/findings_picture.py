"""Pictures of a sweep: how the improvement is spread, what it hangs on, how outputs fan out over the years.

Every line has a dash of its own and every bar a hatch, so that they are told apart in black and white too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sdopt.export.breach_words import anything_broken, broken_beside_now
from sdopt.export.cells import is_number, plain_text
from sdopt.export.figures.tornado import alike
from sdopt.export.findings_words import ADVICE, allocation_name, external_name
from sdopt.export.labels import Labels
from sdopt.export.picture import axis_numbers, saved
from sdopt.export.precision import level_unit, level_words, range_decimals
from sdopt.export.views import COLOURS, NULL_COLOUR, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
BARS = 12
"""Most constants in a tornado."""
PANELS, ALLOCATIONS = 4, 3
"""Most outputs and most allocations in the fan chart."""
WORLDS = 3
"""Most different external scenarios in the tornado."""
LINE = 72
"""Letters of a title on one line."""
NAME = 48
"""Letters of the name beside a bar on one line."""


def pictures_of(result: Result) -> tuple[str, ...]:
    """Names of the pictures that the tables of a result allow."""
    needed = {"improvement": "curve", "tornado": "tornado", "fan": "fan"}
    return tuple(name for name, table in needed.items() if has(result, table))


def picture_forms(name: str, result: Result, labels: Labels, *forms: str) -> dict[str, bytes]:
    """One picture in several forms (`png`, `svg`), drawn once; the same result gives the same bytes.

    `improvement`: how likely every improvement or less is, per allocation. `tornado`: the advice with one
    constant at either end. `fan`: kept outputs over the years per allocation, 5 to 95 %.
    """
    draw = {"improvement": _improvement, "tornado": _tornado, "fan": _fan}[name]
    return saved(lambda: draw(result, labels), forms)


def _text(value: object) -> str:
    """Text from the model or config, safe to draw: one line, never hidden by a leading underscore."""
    return " ".join(plain_text(value).split()).lstrip("_")


def _new(width: float, height: float, title: str) -> Figure:
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06))
    lines = fill(_text(title), int(LINE * width / 7.5))
    figure.suptitle(lines, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _improvement(result: Result, labels: Labels) -> Figure:
    table = result.tables["curve"]
    unit = labels.unit(str(table["unit"].iloc[0]))
    figure = _new(7.5, 4.2, _by_rule(result, labels))
    axes = figure.subplots()
    for number, name in enumerate(dict.fromkeys(table["allocation"])):
        rows = table[table["allocation"] == name]
        look: dict[str, Any] = {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": DASHES[number % len(DASHES)],
        }
        said = _text(allocation_name(name, labels))
        axes.plot(rows["value"], rows["share"], linewidth=2, label=said, **look)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %", decimals=0))
    axes.xaxis.set_major_formatter(axis_numbers(labels))
    axes.set_xlabel(_text(labels("found.picture.improvement", unit=unit)))
    axes.set_ylabel(labels("found.picture.share"), fontsize=8)
    axes.grid(visible=True, axis="both")
    axes.legend(frameon=False, loc="best")
    return figure


def _by_rule(result: Result, labels: Labels) -> str:
    """The words of the rule for the advice, and how often a limit is broken beside now."""
    said = result.tables["conclusions"]
    own = said[said["allocation"] == ADVICE].head(1)  # the first is against the null alternative
    if own.empty or own["failed"].iloc[0] >= 1:
        return labels("found.picture.none")
    kind = labels(f"found.kind.{own['kind'].iloc[0].replace(' ', '_')}")
    title, row = labels("found.picture.rule", kind=kind), anything_broken(result, ADVICE)
    if row is None or max(row["broken"], row["null_broken"]) == 0:
        return title
    return f"{title}{labels('found.picture.limits', share=broken_beside_now(row, labels))}"


def _tornado(result: Result, labels: Labels) -> Figure:
    """A panel per external scenario; those that would look the same share one."""
    table = result.tables["tornado"]
    table = table[(table["allocation"] == ADVICE) & table["swing"].notna()]
    rows = {world: own.head(BARS) for world, own in table.groupby("external", sort=False)}
    groups = alike(rows)
    shown = groups[:WORLDS]
    most = max((len(rows[worlds[0]]) for worlds in shown), default=1)
    figure = _new(7.5 + 4.5 * max(len(shown) - 1, 0), 1.6 + 0.32 * most, _tornado_title(rows, groups, labels))
    panels = figure.subplots(1, max(len(shown), 1), squeeze=False)[0]
    for axes, worlds in zip(panels, shown, strict=False):
        _bars(axes, rows[worlds[0]], labels)
        names = "; ".join(_text(external_name(world, labels)) for world in worlds)
        axes.set_title(fill(names, 48) if len(rows) > 1 else "")
    handles, said = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, said, loc="outside lower left", frameon=False, ncols=2)
    return figure


def _tornado_title(rows: Mapping[str, pd.DataFrame], groups: Sequence[Sequence[str]], labels: Labels) -> str:
    """What the improvement hangs on most, and how many external scenarios are drawn when not all are."""
    if not groups:
        return labels("found.picture.no_tornado")
    first = dict.fromkeys(_text(rows[worlds[0]]["factor"].iloc[0]) for worlds in groups)
    title = labels("found.picture.tornado", name=labels("found.or").join(first))
    drawn = sum(map(len, groups[:WORLDS]))
    part = labels("found.picture.some_worlds", shown=drawn, total=len(rows)) if drawn < len(rows) else ""
    return f"{title}{part}"


def _bars(axes: Axes, rows: pd.DataFrame, labels: Labels) -> None:
    """From the improvement at central values to that at either end; the largest swing on top."""
    places = range(len(rows) - 1, -1, -1)
    ends = (("at_low", "low", COLOURS[0], ""), ("at_high", "high", COLOURS[1], "///"))
    central = float(rows["central"].iloc[0])
    for column, end, colour, hatch in ends:
        axes.barh(list(places), rows[column] - central, left=central, height=0.7, color=colour, hatch=hatch,
                  edgecolor="white", linewidth=0.5, label=labels(f"found.picture.at_{end}"))  # fmt: skip
    names = [f"{fill(_text(row.factor), NAME)}\n{_range(row, labels)}" for row in rows.itertuples()]
    axes.set_yticks(list(places), names, fontsize=7)
    axes.axvline(central, color="black", linewidth=1, linestyle=":")
    if axes.get_xlim()[0] < 0 < axes.get_xlim()[1]:
        axes.axvline(0, color="black", linewidth=1)
    unit = labels.unit(str(rows["unit"].iloc[0]))
    axes.set_xlabel(_text(labels("found.picture.improvement", unit=unit)), fontsize=8)
    axes.xaxis.set_major_formatter(axis_numbers(labels))
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")


def _range(row: Any, labels: Labels) -> str:
    ends = row.low, row.high, str(row.factor_unit)
    low, high = (level_words(labels, end, *ends) for end in ends[:2])
    return _text(f"{low} … {high} {level_unit(labels, *ends)}")


def _fan(result: Result, labels: Labels) -> Figure:
    """A row per output, a column per allocation, with one scale per row."""
    table = result.tables["fan"].assign(name=full_names(result.tables["fan"]))
    names = _widest(table)
    shown = list(dict.fromkeys(table["allocation"]))[:ALLOCATIONS]
    title = _fan_title(table, names, labels) + _left_out(table, names, shown, labels)
    figure = _new(1.2 + 3.1 * len(shown), 0.9 + 2.1 * len(names), title)
    panels = figure.subplots(len(names), len(shown), squeeze=False, sharex=True, sharey="row")
    for line, name in zip(panels, names, strict=True):
        for place, (axes, allocation) in enumerate(zip(line, shown, strict=True)):
            rows = table[(table["name"] == name) & (table["allocation"] == allocation)]
            colour = NULL_COLOUR if allocation == "null" else COLOURS[(place - 1) % len(COLOURS)]
            _band(axes, rows, colour, labels)
            if name == names[0]:
                axes.set_title(_text(allocation_name(allocation, labels)))
            if place == 0:
                said = labels.with_unit(_text(name), str(rows["unit"].iloc[0]))
                axes.set_ylabel(fill(_text(said), 30), fontsize=8)
    handles, said = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, said, loc="outside lower left", frameon=False, ncols=3)
    return figure


def _left_out(table: pd.DataFrame, names: Sequence[str], shown: Sequence[str], labels: Labels) -> str:
    """How many outputs and allocations are drawn, when not all are."""
    outputs, allocations = table["name"].nunique(), table["allocation"].nunique()
    said = ""
    if len(names) < outputs:
        said += labels("found.picture.some_outputs", shown=len(names), total=outputs)
    if len(shown) < allocations:
        said += labels("found.picture.some_allocations", shown=len(shown), total=allocations)
    return said


def _band(axes: Axes, rows: pd.DataFrame, colour: str, labels: Labels) -> None:
    years = rows["time"]
    for low, high, depth in (("q05", "q95", 0.25), ("q25", "q75", 0.5)):
        said = labels(f"found.picture.{low}")
        axes.fill_between(years, rows[low], rows[high], color=colour, alpha=depth, linewidth=0, label=said)
    axes.plot(years, rows["q50"], color="black", linewidth=1.5, label=labels("found.picture.q50"))
    axes.yaxis.set_major_formatter(axis_numbers(labels))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _widest(table: pd.DataFrame) -> list[str]:
    """The outputs that differ most between scenarios at the end, relative to their size."""
    last = table[(table["time"] == table["time"].max()) & (table["allocation"] == ADVICE)]
    size = last[["q05", "q95"]].abs().max(axis=1)
    spread = ((last["q95"] - last["q05"]) / size.where(size > 0, 1.0)).fillna(0.0)
    chosen = last.loc[spread.sort_values(ascending=False, kind="stable").index, "name"]
    return list(dict.fromkeys(chosen))[:PANELS]


def _fan_title(table: pd.DataFrame, names: list[str], labels: Labels) -> str:
    """What the first output will be at the end in nine futures of ten."""
    own = table[(table["allocation"] == ADVICE) & (table["name"] == names[0])]
    last = own.iloc[-1]
    if not is_number(float(last["q05"])):
        return labels("found.picture.none")
    decimals = range_decimals(last["q05"], last["q95"]) - 1  # ends of a sample: two digits of their distance
    low, high = (labels.number(round(last[key], decimals), max(decimals, 0)) for key in ("q05", "q95"))
    unit, year = labels.unit(str(last["unit"])), f"{last['time']:g}"
    return labels("found.picture.fan", name=_text(names[0]), year=year, low=low, high=high, unit=unit)
