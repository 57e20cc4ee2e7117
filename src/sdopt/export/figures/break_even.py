"""What would have to be true: values used and break-even values within the range of their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import ADVICE, Figure, Spec, figure, given, one_line, short_names
from sdopt.export.figures.specs import (
    UPRIGHT,
    axis,
    by_name,
    end_texts,
    layered,
    names_axis,
    points,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.precision import level_unit, level_words
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

SOFT_GAIN, SOFT_LOSS = "#7FCFB4", "#F0B08A"
"""Backgrounds on which text can stand."""
TEXT, TURN = "#1A1A1A", "#B5338C"
MOST, PER_DECISION = 12, 2
AS_ADVISED = "as advised"
WORD = 0.2
"""Part of a bar that a word takes."""


def break_even_figure(result: Result, labels: Labels) -> list[Figure]:
    """Per decision the numbers at which it would no longer pay, each within the range of its evidence."""
    if not has(result, "break_even"):
        return []
    table = _turning(result.tables["break_even"])
    if table.empty:
        return []
    names = [f"{one_line(row.decision)}: {one_line(row.constant)}" for row in table.itertuples()]
    short = short_names(names, letters=38)
    rows = [
        {"name": name, "label": short[name], "order": place, **_row(row, labels)}
        for place, (name, row) in enumerate(zip(names, table.itertuples(), strict=True))
    ]
    columns = ("low", "used", "turn", "high", "pays", "not_worth")
    headers = [labels("column.decision"), labels("column.constant"), labels("word.unit")]
    headers += [labels(f"figure.{column}") for column in columns]
    keys = ("low", "used", "turn", "high", "pays", "chance")
    cells = [
        [
            one_line(row.decision),
            one_line(row.constant),
            labels.unit(str(row.unit)),
            *(own[key] for key in keys),
        ]
        for row, own in zip(table.itertuples(), rows, strict=True)
    ]
    words = _words(table, rows, labels)
    return [figure("break_even", words, _spec(rows, labels), (headers, cells), ("break_even",))]


def _turning(table: pd.DataFrame) -> pd.DataFrame:
    """The values within their range at which a decision as advised stops to pay; the likeliest of each."""
    sides = table["worth"].isin(["above", "below"]) & (table["low"] < table["high"])
    own = table[(table["contrast"] == AS_ADVISED) & table["inside"].astype(bool) & sides]
    size = own["spent"].abs().groupby(own["decision"]).max()
    likely = own.sort_values("chance_not_worth", ascending=False, kind="stable")
    kept = likely.groupby("decision", sort=False).head(PER_DECISION)
    order = {name: place for place, name in enumerate(size.sort_values(ascending=False, kind="stable").index)}
    return kept.assign(place=kept["decision"].map(order)).sort_values("place", kind="stable").head(MOST)


def _row(row: Any, labels: Labels) -> dict[str, Any]:
    """Places within the range, from 0 to 1, and the values themselves in words."""
    ends, width = (float(row.low), float(row.high), str(row.unit)), row.high - row.low
    values = {"low": row.low, "used": row.central, "high": row.high}
    words = {key: given(labels, float(value), *ends) for key, value in values.items()}
    words["turn"] = level_words(labels, float(row.break_even), *ends)
    unit = level_unit(labels, *ends)
    return {
        **values,
        "turn": row.break_even,
        "at_used": (row.central - row.low) / width,
        "at_turn": (row.break_even - row.low) / width,
        "chance": row.chance_not_worth,
        "worth": row.worth,
        "pays": labels(f"figure.pays.{row.worth}"),
        **{f"{key}_said": f"{text} {unit}".strip() for key, text in words.items()},
    }


def _words(table: pd.DataFrame, rows: Sequence[Mapping[str, Any]], labels: Labels) -> tuple[str, str]:
    first = table.iloc[0]
    title = labels(
        f"figure.break_even.{first['worth']}",
        decision=one_line(first["decision"]),
        name=one_line(first["constant"]),
        turn=rows[0]["turn_said"],
        used=rows[0]["used_said"],
    )
    each = [
        labels(
            "figure.break_even.each",
            name=row["name"],
            side=row["pays"],
            **{key: row[f"{key}_said"] for key in ("turn", "used", "low", "high")},
        )
        for row in rows
    ]
    return title, labels("figure.break_even.described", each="; ".join(each))


def _stretches(rows: Sequence[Mapping[str, Any]], words: tuple[str, str]) -> list[dict[str, Any]]:
    """Per row where it pays and where not."""
    worth, not_worth = words
    found = []
    for row in rows:
        turn, pays_low = row["at_turn"], row["worth"] == "below"
        for start, end, pays in ((0.0, turn, pays_low), (turn, 1.0, not pays_low)):
            part = worth if pays else not_worth
            found.append({**row, "from": start, "to": end, "part": part, "word": _word_at(row, start, end)})
    return found


def _word_at(row: Mapping[str, Any], start: float, end: float) -> str:
    """At which end of a stretch its word stands: the outer one, if it fits there and no mark is there."""
    first, last = (0.0, WORD) if start == 0 else (1 - WORD, 1.0)
    free = not any(first - 0.02 <= row[key] <= last + 0.02 for key in ("at_used", "at_turn"))
    return ("left" if start == 0 else "right") if free and end - start > WORD else ""


def _spec(rows: Sequence[Mapping[str, Any]], labels: Labels) -> Spec:
    """Per row two stretches, where it pays and where not, and marks at the value used and the turn."""
    worth, not_worth = words = labels("figure.worth_it"), labels("figure.not_worth_it")
    lines = tips(
        ("name", labels("column.constant")),
        ("part", labels("figure.pays")),
        *((f"{key}_said", labels(f"figure.{key}")) for key in ("low", "used", "turn", "high")),
        ("chance", labels("figure.not_worth"), ".0%"),
    )
    y = names_axis(rows)
    ends = {"values": [0, 1], "labelExpr": "datum.value == 0 ? lowest : highest"}
    x = quantity("from", axis(labels("figure.break_even.axis"), **ends), domain=[0, 1])
    bar = {
        "mark": {"type": "bar", "height": {"band": 0.5}},
        "encoding": {
            "y": y,
            "x": x,
            "x2": {"field": "to"},
            "color": by_name("part", {worth: SOFT_GAIN, not_worth: SOFT_LOSS}),
            "tooltip": lines,
        },
    }
    texts: list[Spec] = [
        *end_texts({"y": y, "x": x, "text": {"field": "part"}}, "word", {"left": ("left", 5)}, **SMALL),
        *end_texts(
            {"y": y, "x": {**x, "field": "to"}, "text": {"field": "part"}},
            "word",
            {"right": ("right", -5)},
            **SMALL,
        ),
    ]
    texts = [
        {"name": f"wide_{place}", **text} for place, text in enumerate(texts)
    ]  # narrow bars have no room for them
    marks = ((labels("figure.turn"), UPRIGHT, TURN), (labels("figure.used"), "circle", ADVICE))
    places = [
        {**{own: row[own] for own in ("name", "label", "order")}, "what": mark[0], "at": row[key]}
        for key, mark in zip(("at_turn", "at_used"), marks, strict=True)
        for row in rows
        if 0 <= row[key] <= 1
    ]
    layer = points(places, marks, (x, y), (labels("column.constant"), ".0%"))
    names = [
        {"name": "lowest", "value": labels("figure.low")},
        {"name": "highest", "value": labels("figure.high")},
    ]
    return {**layered(_stretches(rows, words), [bar, *texts, layer]), "params": names}


SMALL: Spec = {"fontSize": 9, "color": TEXT}
