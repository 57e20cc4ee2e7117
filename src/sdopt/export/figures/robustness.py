"""Robust allocations: what each gives over all futures, and what being robust costs and brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.figures.figure import (
    ADVICE,
    LIGHT_BLUE,
    LOSS,
    Figure,
    Spec,
    allocation_colours,
    allocation_word,
    drawn,
    figure,
    said,
    short_names,
)
from sdopt.export.figures.specs import (
    SIDES,
    STEP,
    UPRIGHT,
    axis,
    by_name,
    end_texts,
    layered,
    line_at,
    names_axis,
    number_format,
    points,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.1, 0.5, 0.9)
MEASURES = ("central", "expected", "cvar", "worst_case", "largest_regret")
SPREAD = ("low", "middle", "high", "cvar", "worst_case")


def spread_figure(result: Result, labels: Labels) -> list[Figure]:
    """Per allocation P10 to P90 over all futures, the middle, the mean of the worst and the very worst."""
    if not (has(result, "robust_measures") and has(result, "robust_scenarios")):
        return []
    table = _spread(result)
    if table.empty:
        return []
    unit = labels.unit(str(result.tables["robust_measures"]["unit"].iloc[0]))
    tail = labels.number(100 * float(fact(result, "tail") or 0.0), 0)
    words = [allocation_word(str(name), labels) for name in table["allocation"]]
    short = short_names(words)
    rows = [
        {"name": word, "label": short[word], "order": place, **{key: row[key] for key in SPREAD}}
        for place, (word, row) in enumerate(zip(words, table.to_dict("records"), strict=True))
    ]
    headers = [labels("figure.kind"), "P10", f"P50 ({unit})", "P90"]
    headers += [labels("robust.picture.cvar", tail=tail), labels("robust.picture.worst")]
    cells = [[row[key] for key in ("name", *SPREAD)] for row in rows]
    said_of, spec = _spread_words(rows, unit, tail, labels), _spread_spec(rows, unit, tail, labels)
    return [figure("robust", said_of, spec, (headers, cells), ("robust_measures", "robust_scenarios"))]


def _spread(result: Result) -> pd.DataFrame:
    """Per allocation but the null alternative: allocation and the columns of `SPREAD`."""
    import numpy as np
    import pandas as pd

    measures = result.tables["robust_measures"].set_index("allocation")
    rows = []
    for name, own in result.tables["robust_scenarios"].groupby("allocation", sort=False):
        if name != "null" and name in measures.index:
            ordered = own.sort_values("improvement", kind="stable")
            reached = np.cumsum(ordered["probability"].to_numpy())
            places = np.minimum(np.searchsorted(reached, np.array(SHARES) - 1e-12), len(reached) - 1)
            ends = ordered["improvement"].to_numpy()[places]
            rows.append((name, *ends, measures.loc[name, "cvar"], measures.loc[name, "worst_case"]))
    return pd.DataFrame(rows, columns=["allocation", *SPREAD])


def _spread_words(rows: list[dict[str, Any]], unit: str, tail: str, labels: Labels) -> tuple[str, str]:
    """The allocation that is best in the very worst future, and all of them."""
    best = max(rows, key=lambda row: row["worst_case"])
    key = "figure.spread" if best["worst_case"] >= 0 else "figure.spread.loss"
    title = labels(key, name=best["name"], worst=said(labels, best["worst_case"], sign=True), unit=unit)
    each = [
        labels(
            "figure.spread.each",
            name=row["name"],
            tail=tail,
            **{name: said(labels, row[name]) for name in SPREAD},
        )
        for row in rows
    ]
    return title, labels("figure.spread.described", unit=unit, each="; ".join(each))


def _spread_spec(rows: list[dict[str, Any]], unit: str, tail: str, labels: Labels) -> Spec:
    form, what = number_format(row["high"] for row in rows), labels("robust.picture.interval")
    y = names_axis(rows)
    x = quantity("low", axis(labels("found.picture.improvement", unit=unit)))
    line = {
        "mark": {"type": "bar", "height": 12},
        "encoding": {
            "y": y,
            "x": x,
            "x2": {"field": "high"},
            "color": by_name("band", {what: LIGHT_BLUE}),
            "tooltip": tips(
                ("name", labels("figure.kind")),
                ("low", "P10", form),
                ("middle", "P50", form),
                ("high", "P90", form),
            ),
        },
    }
    marks = {
        "middle": (labels("robust.picture.middle"), "circle", ADVICE),
        "cvar": (labels("robust.picture.cvar", tail=tail), "diamond", LOSS),
        "worst_case": (labels("robust.picture.worst"), UPRIGHT, LOSS),
    }
    places = [
        {**{own: row[own] for own in ("name", "label", "order")}, "what": mark[0], "at": row[key]}
        for key, mark in marks.items()
        for row in rows
        if is_number(to_python(row[key]))
    ]
    layer = points(places, list(marks.values()), (x, y), (labels("figure.kind"), form))
    return layered([{**row, "band": what} for row in rows], [line, line_at(0), layer], step=44)


def price_figure(result: Result, labels: Labels) -> list[Figure]:
    """What every robust allocation gains or loses against the advice, by every measure."""
    if not has(result, "robust_price"):
        return []
    table = result.tables["robust_price"]
    table = table[table["gained"].notna() & table["measure"].isin(MEASURES)]
    if table.empty:
        return []
    unit = labels.unit(str(table["unit"].iloc[0]))
    words = {str(name): allocation_word(str(name), labels) for name in dict.fromkeys(table["allocation"])}
    measures = {key: labels(f"figure.measure.{key}") for key in MEASURES if key in set(table["measure"])}
    rows = _price_rows(table, words, measures, labels)
    each = [f"{row['kind']}, {row['name']}: {said(labels, row['value'], sign=True)}" for row in rows]
    about = labels("figure.price.described", unit=unit, each="; ".join(each))
    headers = [labels("figure.measure"), *(f"{word} ({unit})" for word in words.values())]
    gained = {(row.measure, str(row.allocation)): row.gained for row in table.itertuples()}
    cells = [[word, *(gained.get((key, name)) for name in words)] for key, word in measures.items()]
    look = {words[name]: colour for name, colour in allocation_colours(words).items() if name in words}
    title, spec = _price_title(table, words, unit, labels), _price_spec(rows, look, unit, labels)
    return [figure("robust_price", (title, about), spec, (headers, cells), ("robust_price",))]


def _price_rows(
    table: pd.DataFrame, words: Mapping[str, str], measures: Mapping[str, str], labels: Labels
) -> list[dict[str, Any]]:
    short, order = short_names(measures.values()), list(measures)
    return [
        {
            "name": measures[row.measure],
            "label": short[measures[row.measure]],
            "order": order.index(row.measure),
            "kind": words[str(row.allocation)],
            "value": row.gained,
            "text": drawn(labels, row.gained),
            "side": "right" if row.gained >= 0 else "left",
        }
        for row in table.itertuples()
    ]


def _price_title(table: pd.DataFrame, words: Mapping[str, str], unit: str, labels: Labels) -> str:
    """What the dearest of them gives up when all goes as expected."""
    central = table[table["measure"] == "central"].sort_values("gained", kind="stable")
    if central.empty:
        return labels("robust.title.robust_price")
    row = central.iloc[0]
    key = "figure.price" if row["gained"] < 0 else "figure.price.free"
    return labels(
        key, name=words[str(row["allocation"])], cost=said(labels, abs(float(row["gained"]))), unit=unit
    )


def _price_spec(
    rows: Sequence[Mapping[str, Any]], look: Mapping[str, str], unit: str, labels: Labels
) -> Spec:
    form = number_format((row["value"] for row in rows), sign=True)
    encoding = {
        "y": names_axis(rows),
        "yOffset": {"field": "kind", "type": "nominal", "sort": list(look)},
        "x": quantity("value", axis(labels("figure.price.axis", unit=unit)), padding=40),
        "tooltip": tips(
            ("name", labels("figure.measure")), ("kind", labels("figure.kind")), ("value", unit, form)
        ),
    }
    bar = {"mark": "bar", "encoding": {**encoding, "color": by_name("kind", look)}}
    texts = end_texts({**encoding, "text": {"field": "text"}}, "side", SIDES, fontSize=10)
    return layered(rows, [bar, line_at(0), *texts], step=max(STEP, 18 * len(look) + 6))
