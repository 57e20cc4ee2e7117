"""What else could be chosen: room around the advice, and what more of another aim costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.figures.figure import (
    ADVICE,
    LIGHT_BLUE,
    NULL,
    Figure,
    Spec,
    figure,
    one_line,
    said,
    short_names,
)
from sdopt.export.figures.specs import (
    UPRIGHT,
    axis,
    by_name,
    layered,
    line_at,
    names_axis,
    number_format,
    panels,
    points,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import decision_years, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

PALE, CHOICE = "#CFE3F1", "#4F94CD"
"""The palest of three shades of the advice."""
MOST = 12


def room_figures(result: Result, labels: Labels) -> list[Figure]:
    """How far every decision can go, on average over the years, before it costs too much; one per unit."""
    found: list[Figure] = []
    if not has(result, "near_optimal"):
        return found
    table = result.tables["near_optimal"]
    for unit, own in table[table["year"] == 0].groupby("unit", sort=False):
        key = f"near_optimal_{len(found) + 1}" if found else "near_optimal"
        found.append(_room(key, own, _today(result), labels.unit(str(unit)), labels))
    return found


def _today(result: Result) -> Mapping[str, float]:
    """Variable -> its amount now, on average over the decision years."""
    if not has(result, "allocation"):
        return {}
    table = result.tables["allocation"]
    own = table[(table["allocation"] == "null") & table["time"].isin(decision_years(result))]
    means = own.assign(name=full_names(own)).groupby("name")["value"].mean()
    return {str(name): float(value) for name, value in means.items()}


def _room(key: str, table: pd.DataFrame, today: Mapping[str, float], unit: str, labels: Labels) -> Figure:
    """Ranges per part of the improvement that is given up; those with most room when they are many."""
    width = (table["inner_high"] - table["inner_low"]).groupby(table["variable"], sort=False).max()
    names = list(width.index)
    if len(names) > MOST:
        names = list(width.sort_values(ascending=False, kind="stable").index[:MOST])
    parts = sorted(set(table["within"]))
    bands = {part: labels("figure.room.within", part=labels.number(100 * part, 0)) for part in parts}
    short = short_names(names)
    rows = [
        {
            "name": one_line(row.variable),
            "label": short[row.variable],
            "order": names.index(row.variable),
            "band": bands[row.within],
            "low": row.inner_low,
            "high": row.inner_high,
            "value": row.value,
            "now": today.get(row.variable),
        }
        for part in reversed(parts)
        for row in table[table["within"] == part].itertuples()
        if row.variable in short
    ]
    columns = ("figure.room.part", "figure.low", "word.advice", "figure.high", "figure.today")
    headers = [labels("column.decision"), *(labels(column) for column in columns)]
    cells = [
        [
            one_line(row.variable),
            row.within,
            row.inner_low,
            row.value,
            row.inner_high,
            today.get(row.variable),
        ]
        for row in table.itertuples()
    ]
    spec = _room_spec(rows, list(bands.values()), unit, labels)
    source = ("near_optimal", *(["allocation"] if today else []))
    return figure(key, _room_words(table, unit, labels), spec, (headers, cells), source)


def _room_words(table: pd.DataFrame, unit: str, labels: Labels) -> tuple[str, str]:
    """The decision with most room, and the room of each, within the smallest part."""
    part = table["within"].min()
    narrow = table[table["within"] == part]
    widest = narrow.loc[(narrow["inner_high"] - narrow["inner_low"]).idxmax()]
    words = {"part": labels.number(100 * part, 0), "unit": unit}
    low, high = said(labels, widest["inner_low"]), said(labels, widest["inner_high"])
    title = labels("figure.room", name=one_line(widest["variable"]), low=low, high=high, **words)
    each = [
        labels(
            "figure.room.each",
            name=one_line(row.variable),
            low=said(labels, row.inner_low),
            high=said(labels, row.inner_high),
            value=said(labels, row.value),
        )
        for row in narrow.itertuples()
    ]
    return title, labels("figure.room.described", each="; ".join(each), **words)


def _room_spec(rows: Sequence[Mapping[str, Any]], bands: Sequence[str], unit: str, labels: Labels) -> Spec:
    """Wide and narrow ranges as bars, the advice and now as marks."""
    form = number_format(row["high"] for row in rows)
    what, advice, now = labels("column.decision"), labels("word.advice"), labels("figure.today")
    y = names_axis(rows)
    x = quantity("low", axis(labels("figure.room.axis", unit=unit)), zero=True)
    bar = {
        "mark": {"type": "bar", "height": {"band": 0.5}},
        "encoding": {
            "y": y,
            "x": x,
            "x2": {"field": "high"},
            "color": by_name("band", dict(zip(reversed(bands), (PALE, LIGHT_BLUE), strict=False))),
            "tooltip": tips(
                ("name", what),
                ("band", labels("figure.room.part")),
                ("low", labels("figure.low"), form),
                ("value", advice, form),
                ("high", labels("figure.high"), form),
                ("now", now, form),
            ),
        },
    }
    marks = ((now, UPRIGHT, NULL), (advice, "diamond", ADVICE))
    places = [
        {**{key: row[key] for key in ("name", "label", "order")}, "what": word, "at": row[key]}
        for key, word in (("now", now), ("value", advice))
        for row in rows
        if row["band"] == bands[0] and is_number(row[key])
    ]
    return layered(rows, [bar, points(places, marks, (x, y), (what, form))])


def frontier_figure(result: Result, labels: Labels) -> list[Figure]:
    """What more of another aim costs in return: a panel per aim, without the points that others dominate."""
    if not has(result, "frontier"):
        return []
    table = result.tables["frontier"]
    table = table[~table["dominated"].astype(bool)]
    if table.empty:
        return []
    unit = labels.unit(str(table["unit"].iloc[0]))
    heads = {aim: _aim_words(own.iloc[0], labels) for aim, own in table.groupby("aim", sort=False)}
    short = short_names(heads.values(), letters=38)
    rows = [
        {
            "name": one_line(row.aim),
            "head": short[heads[row.aim]],
            "point": int(row.point),
            "value": row.value,
            "unit": labels.unit(str(row.value_unit)),
            "improvement": row.improvement,
            "what": labels("word.advice" if row.point == 0 else "figure.frontier.other"),
        }
        for row in table.itertuples()
    ]
    columns = ("figure.aim", "figure.point", "figure.aim.value", "word.unit")
    headers = [*(labels(column) for column in columns), f"{labels('why.return')} ({unit})"]
    cells = [[row[key] for key in ("name", "point", "value", "unit", "improvement")] for row in rows]
    words, spec = _frontier_words(table, unit, labels), _frontier_spec(rows, unit, labels)
    return [figure("frontier", words, spec, (headers, cells), ("frontier",))]


def _aim_words(row: Any, labels: Labels) -> str:
    better = labels(f"frontier.{row['better']}")
    return f"{one_line(row['aim'])} ({labels.unit(str(row['value_unit']))}; {better})"


def _frontier_words(table: pd.DataFrame, unit: str, labels: Labels) -> tuple[str, str]:
    """From the advice to the far end of every frontier."""
    lines = []
    for aim, own in table.groupby("aim", sort=False):
        first, last = own.iloc[0], own.iloc[-1]
        ends = {key: said(labels, row["value"], sign=True) for key, row in (("start", first), ("end", last))}
        left = {key: said(labels, row["improvement"]) for key, row in (("value", first), ("left", last))}
        name, aim_unit = one_line(aim), labels.unit(str(first["value_unit"]))
        lines.append(labels("figure.frontier.each", name=name, aim_unit=aim_unit, unit=unit, **ends, **left))
    return lines[0], labels("figure.frontier.described", unit=unit, each="; ".join(lines))


def _frontier_spec(rows: list[dict[str, Any]], unit: str, labels: Labels) -> Spec:
    """A line through the points of every aim, on one scale of the return."""
    aim, gain = labels("figure.aim.value"), labels("why.return")
    words = [labels("word.advice"), labels("figure.frontier.other")]
    lines = tips(
        ("name", labels("figure.aim")),
        ("value", aim, number_format(row["value"] for row in rows)),
        ("unit", labels("word.unit")),
        ("improvement", gain, number_format(row["improvement"] for row in rows)),
    )
    encoding = {
        "x": quantity("value", axis(aim, tickCount=5), zero=False),
        "y": quantity("improvement", axis(f"{gain} ({unit})")),
    }
    line = {
        "mark": {"type": "line", "color": CHOICE},
        "encoding": {**encoding, "order": {"field": "point", "type": "quantitative"}},
    }
    point = {
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "strokeWidth": 0},
        "encoding": {
            **encoding,
            "shape": by_name("what", dict(zip(words, ("diamond", "circle"), strict=True))),
            "fill": by_name("what", dict(zip(words, (ADVICE, CHOICE), strict=True))),
            "tooltip": lines,
        },
    }
    own = {"width": 300, "height": 240, "layer": [line_at(0, "y"), line, point]}
    return panels(rows, 2, own, x="independent")
