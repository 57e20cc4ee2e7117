"""What is known over all futures: how the improvement is spread, and who gains how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.breach_words import anything_broken, broken_beside_now
from sdopt.export.cells import is_number, to_python
from sdopt.export.figures.figure import (
    ADVICE,
    LIGHT_BLUE,
    Figure,
    Spec,
    allocation_colours,
    allocation_word,
    drawn,
    figure,
    in_hundred,
    one_line,
    said,
    short_names,
)
from sdopt.export.figures.specs import (
    axis,
    by_name,
    end_texts,
    layered,
    line_at,
    names_axis,
    number_format,
    quantity,
    share_axis,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

SURE = 0.9
"""Share of the futures from which on a gain or a loss is called almost sure."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


def improvement_figure(result: Result, labels: Labels) -> list[Figure]:
    """How likely every improvement or more is, per allocation."""
    if not has(result, "curve"):
        return []
    table = result.tables["curve"]
    unit = labels.unit(str(table["unit"].iloc[0]))
    names = [str(name) for name in dict.fromkeys(table["allocation"])]
    words = {name: allocation_word(name, labels) for name in names}
    ends = {name: _quantiles(result, name, table[table["allocation"] == name]) for name in names}
    rows = [
        {"name": words[str(row.allocation)], "value": row.value, "chance": 1 - row.share}
        for row in table.itertuples(index=False)
    ]
    own = "advice" if "advice" in ends else names[0]
    low, _, high = (said(labels, end) for end in ends[own])
    chance = in_hundred(labels, _gain(result, own, table))
    named = {"name": _judged(result, own, words[own], labels), "unit": unit}
    title = labels("figure.improvement", chance=chance, low=low, high=high, **named)
    title += _limits_too(result, own, labels)
    about = _improvement_words({words[name]: own for name, own in ends.items()}, unit, labels)
    columns = (labels("found.picture.improvement", unit=unit), labels("figure.at_least"))
    headers = [labels("figure.kind"), *columns]
    look = {words[name]: colour for name, colour in allocation_colours(names).items() if name in words}
    table_rows = [list(row.values()) for row in rows]
    source = [name for name in ("curve", "distribution", "conclusions") if has(result, name)]
    spec = _curves(rows, look, columns, labels)
    return [figure("improvement", (title, about), spec, (headers, table_rows), source)]


def _judged(result: Result, name: str, word: str, labels: Labels) -> str:
    """The allocation, and between brackets what the rule says of it."""
    row = _row(result, "conclusions", name, "against", "null")
    return word if row is None else f"{word} ({labels('found.kind.' + str(row['kind']).replace(' ', '_'))})"


def _limits_too(result: Result, name: str, labels: Labels) -> str:
    """How often a limit is broken, with this allocation and now; nothing when that never happens."""
    row = anything_broken(result, name)
    if row is None or max(row["broken"], row["null_broken"]) == 0:
        return ""
    return labels("figure.improvement.limits", share=broken_beside_now(row, labels))


def _improvement_words(ends: Mapping[str, tuple[float, float, float]], unit: str, labels: Labels) -> str:
    each = []
    for name, values in ends.items():
        low, middle, high = (said(labels, value) for value in values)
        each.append(labels("figure.improvement.each", name=name, low=low, middle=middle, high=high))
    return labels("figure.improvement.described", unit=unit, each="; ".join(each))


def _quantiles(result: Result, name: str, curve: pd.DataFrame) -> tuple[float, float, float]:
    """P10, P50 and P90: from the tables that hold them, or from points of the curve."""
    import numpy as np

    found = np.interp([0.1, 0.5, 0.9], curve["share"].to_numpy(float), curve["value"].to_numpy(float))
    low, middle, high = (float(value) for value in found)
    if (row := _row(result, "distribution", name, "external", "")) is not None:
        middle = float(row["q50"])
    if (row := _row(result, "conclusions", name, "against", "null")) is not None:
        low, high = float(row["q10"]), float(row["q90"])
    return low, middle, high


def _row(result: Result, table: str, allocation: str, column: str, value: str) -> Any:
    """The row of an allocation in a table, or None."""
    if not has(result, table):
        return None
    own = result.tables[table]
    own = own[(own["allocation"] == allocation) & (own[column] == value)]
    return own.iloc[0] if len(own) else None


def _gain(result: Result, name: str, curve: pd.DataFrame) -> float:
    """The chance of an improvement, from the table that holds it, or from the curve."""
    row = _row(result, "distribution", name, "external", "")
    if row is not None and is_number(to_python(row["positive"])):
        return float(row["positive"])
    return float((curve[curve["allocation"] == name]["value"] > 0).mean())


def _curves(
    rows: Sequence[Mapping[str, Any]], look: Mapping[str, str], words: tuple[str, str], labels: Labels
) -> Spec:
    amount, chance = words
    dash = {name: DASHES[place % len(DASHES)] for place, name in enumerate(look)}
    form = number_format(row["value"] for row in rows)
    line = {
        "mark": {"type": "line", "interpolate": "monotone"},
        "encoding": {
            "x": quantity("value", axis(amount)),
            "y": quantity("chance", share_axis(chance, labels), domain=[0, 1]),
            "color": by_name("name", look, symbolType="stroke"),
            "strokeDash": by_name("name", dash),
            "order": {"field": "value", "type": "quantitative"},
            "tooltip": tips(
                ("name", labels("figure.kind")), ("value", amount, form), ("chance", chance, ".0%")
            ),
        },
    }
    return layered(rows, [line_at(0), line], height=300)


def gains_figure(result: Result, labels: Labels) -> list[Figure]:
    """Who gains and who pays over all futures: the middle and P10 to P90 of every pocket."""
    if not has(result, "gains"):
        return []
    table = result.tables["gains"]
    table = table[(table["allocation"] == "advice") & (table["kind"] == "pocket")]
    if table.empty:
        return []
    unit = labels.unit(str(table["unit"].iloc[0]))
    names = [labels.find(f"pocket.{str(name).lower()}", one_line(name)) for name in table["party"]]
    short = short_names(names)
    rows = [
        {
            "name": name,
            "label": short[name],
            "order": place,
            "low": row.q10,
            "value": row.q50,
            "high": row.q90,
            "wins": row.wins,
            "pays": row.pays,
            "text": drawn(labels, row.q50),
            "all": "",
        }
        for place, (name, row) in enumerate(zip(names, table.itertuples(), strict=True))
    ]
    headers = [labels("column.pocket"), "P10", f"P50 ({unit})", "P90", labels("figure.wins")]
    cells = [[row[key] for key in ("name", "low", "value", "high", "wins")] for row in rows]
    words = _gains_title(rows, labels), _gains_words(rows, unit, labels)
    return [figure("gains", words, _intervals(rows, unit, labels), (headers, cells), ("gains",))]


def _gains_title(rows: Sequence[Mapping[str, Any]], labels: Labels) -> str:
    """For whom a gain, and for whom a loss, is almost sure."""
    sure, lost = (
        [str(row["name"]) for row in rows if is_number(row[key]) and row[key] >= SURE]
        for key in ("wins", "pays")
    )
    key = "both" if sure and lost else "sure" if sure else "lost" if lost else "unsure"
    return labels(f"figure.gains.{key}", names=", ".join(sure), lost=", ".join(lost))


def _gains_words(rows: Sequence[Mapping[str, Any]], unit: str, labels: Labels) -> str:
    each = [
        labels(
            "figure.gains.each",
            name=row["name"],
            wins=in_hundred(labels, row["wins"]),
            middle=said(labels, row["value"], sign=True),
            low=said(labels, row["low"], sign=True),
            high=said(labels, row["high"], sign=True),
        )
        for row in rows
    ]
    return labels("figure.gains.described", unit=unit, each="; ".join(each))


def _intervals(rows: list[dict[str, Any]], unit: str, labels: Labels) -> Spec:
    """A line from P10 to P90 with a dot in the middle, per row."""
    form = number_format((row["high"] for row in rows), sign=True)
    lines = tips(
        ("name", labels("column.pocket")),
        ("low", "P10", form),
        ("value", "P50", form),
        ("high", "P90", form),
        ("wins", labels("figure.wins"), ".0%"),
    )
    y, amount = names_axis(rows), axis(labels("figure.worth", unit=unit))
    band = {
        "mark": {"type": "bar", "height": 9, "color": LIGHT_BLUE, "stroke": None},
        "encoding": {
            "y": y,
            "x": quantity("low", amount, padding=30),
            "x2": {"field": "high"},
            "tooltip": lines,
        },
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 90, "color": ADVICE, "opacity": 1},
        "encoding": {"y": y, "x": quantity("value"), "tooltip": lines},
    }
    text = {"y": y, "x": {"value": "width"}, "text": {"field": "text"}, "tooltip": lines}
    texts = end_texts(text, "all", {"": ("left", 6)}, fontSize=10)
    return layered(rows, [line_at(0), band, dot, *texts], step=36)
