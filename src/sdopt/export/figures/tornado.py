"""What the improvement hangs on: one uncertain number at a time to either end of its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import (
    ADVICE,
    LIGHT_BLUE,
    Figure,
    Spec,
    figure,
    given,
    one_line,
    said,
    short_names,
    with_range,
)
from sdopt.export.figures.specs import (
    SIDES,
    axis,
    by_name,
    end_texts,
    layered,
    line_at,
    names_axis,
    number_format,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

BARS = 10
WORLDS = 3
VISIBLE = 0.005
"""Part of the longest bar below which no difference between external scenarios can be seen."""
ENDS = ["at_low", "central", "at_high"]


def tornado_figures(result: Result, labels: Labels) -> list[Figure]:
    """A figure per group of external scenarios that look the same."""
    if not has(result, "tornado"):
        return []
    table = result.tables["tornado"]
    table = table[(table["allocation"] == "advice") & table["swing"].notna()]
    worlds = {str(world): own.head(BARS) for world, own in table.groupby("external", sort=False)}
    groups = alike(worlds)
    firsts = {str(world): row for row, world in table["external"].drop_duplicates().items()}
    counts = {
        "shown": labels.count(
            "tornado", "swing", [firsts[world] for group in groups[:WORLDS] for world in group]
        ),
        "total": labels.count("tornado", "swing", firsts.values()),
    }
    part = labels("figure.tornado.worlds", **counts) if len(groups) > WORLDS else ""
    return [
        _tornado(
            f"tornado_{place}" if place > 1 else "tornado",
            worlds[group[0]],
            (group if len(groups) > 1 else (), part),
            labels,
        )
        for place, group in enumerate(groups[:WORLDS], start=1)
    ]


def alike(rows: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    """External scenarios in groups of which the bars look the same."""
    groups: list[list[str]] = []
    for world, own in rows.items():
        same = next((group for group in groups if _same_bars(own, rows[group[0]])), None)
        if same is None:
            groups.append([world])
        else:
            same.append(world)
    return groups


def _same_bars(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether nobody would see a difference."""
    if list(first["factor"]) != list(second["factor"]):
        return False
    apart = abs(first[ENDS].to_numpy(dtype=float) - second[ENDS].to_numpy(dtype=float))
    return bool(apart.max() <= VISIBLE * second["swing"].max())


def _tornado(key: str, table: pd.DataFrame, worlds: tuple[Sequence[str], str], labels: Labels) -> Figure:
    """From the improvement at central values to that at either end; the largest swing on top.

    `worlds` are the external scenarios that it is about, and how many are drawn in all.
    """
    unit = labels.unit(str(table["unit"].iloc[0]))
    ends = {column: labels(f"found.picture.{column}") for column in ("at_low", "at_high")}
    headers = [labels("column.constant"), labels("word.unit"), labels("figure.low"), labels("figure.high")]
    headers += [f"{word} ({unit})" for word in ends.values()]
    cells = [
        [
            one_line(row.factor),
            labels.unit(str(row.factor_unit)),
            row.low,
            row.high,
            row.at_low,
            row.at_high,
        ]
        for row in table.itertuples()
    ]
    words = _title(table.iloc[0], worlds, unit, labels), _described(table, unit, labels)
    return figure(key, words, _spec(table, ends, unit, labels), (headers, cells), ("tornado",))


def _title(first: Any, worlds: tuple[Sequence[str], str], unit: str, labels: Labels) -> str:
    """What it hangs on most; the external scenarios where there are several groups."""
    low, high = (said(labels, float(end)) for end in (min(first[ENDS]), max(first[ENDS])))
    title = labels("figure.tornado", name=one_line(first["factor"]), low=low, high=high, unit=unit)
    known = {"": labels("found.together"), "central": labels("found.central")}
    names = [known.get(world, one_line(world)) for world in worlds[0]]
    return (f"{title} ({'; '.join(names)})" if names else title) + worlds[1]


def _described(table: pd.DataFrame, unit: str, labels: Labels) -> str:
    each = [
        labels(
            "figure.tornado.each",
            name=f"{one_line(row.factor)} ({with_range(labels, row.low, row.high, str(row.factor_unit))})",
            low=said(labels, row.at_low),
            high=said(labels, row.at_high),
        )
        for row in table.itertuples()
    ]
    central = said(labels, float(table["central"].iloc[0]))
    return labels("figure.tornado.described", unit=unit, central=central, each="; ".join(each))


def _rows(table: pd.DataFrame, ends: Mapping[str, str], labels: Labels) -> list[dict[str, Any]]:
    """Two bars per constant, with the value that was used at its end."""
    whole = {
        row.factor: labels.with_unit(one_line(row.factor), str(row.factor_unit)) for row in table.itertuples()
    }
    short = short_names(whole.values(), letters=36)
    return [
        {
            "name": one_line(row.factor),
            "label": short[whole[row.factor]],
            "order": place,
            "end": word,
            "from": row.central,
            "to": getattr(row, column),
            "used": row.low if column == "at_low" else row.high,
            "unit": labels.unit(str(row.factor_unit)),
            **_end_text(row, column, labels),
        }
        for place, row in enumerate(table.itertuples())
        for column, word in ends.items()
    ]


def _end_text(row: Any, column: str, labels: Labels) -> dict[str, str]:
    """The value of the constant at the end of a bar, and its side; none on a bar that another covers."""
    other = row.at_high if column == "at_low" else row.at_low
    own = getattr(row, column) - row.central
    covered = own * (other - row.central) > 0 and abs(own) < abs(other - row.central)
    value = float(row.low if column == "at_low" else row.high)
    text = given(labels, value, float(row.low), float(row.high), str(row.factor_unit))
    side = "right" if own >= 0 else "left"
    return {"text": "" if covered else text.replace("-", "\u2212"), "side": side}


def _spec(table: pd.DataFrame, ends: Mapping[str, str], unit: str, labels: Labels) -> Spec:
    rows, amount = _rows(table, ends, labels), labels("found.picture.improvement", unit=unit)
    lines = tips(
        ("name", labels("column.constant")),
        ("end", labels("figure.end")),
        ("used", labels("figure.value"), ",.4~g"),
        ("unit", labels("word.unit")),
        ("to", amount, number_format([row["to"] for row in rows])),
    )
    y = names_axis(rows)
    bar = {
        "mark": {"type": "bar", "height": {"band": 0.66}},
        "encoding": {
            "y": y,
            "x": {**quantity("from", axis(amount), padding=34), "stack": None},
            "x2": {"field": "to"},
            "color": by_name("end", dict(zip(ends.values(), (LIGHT_BLUE, ADVICE), strict=True))),
            "tooltip": lines,
        },
    }
    text = {"y": y, "x": quantity("to"), "text": {"field": "text"}, "tooltip": lines}
    central = line_at(float(table["central"].iloc[0]), strokeDash=[3, 3])
    return layered(rows, [bar, central, line_at(0), *end_texts(text, "side", SIDES, fontSize=9)])
