"""How often every limit is broken, with each allocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import (
    Figure,
    Spec,
    allocation_colours,
    allocation_word,
    figure,
    in_hundred,
    one_line,
    short_names,
)
from sdopt.export.figures.specs import (
    STEP,
    by_name,
    end_texts,
    layered,
    names_axis,
    quantity,
    share_axis,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

BARS = 30
"""Most bars of all limits and allocations together."""


def limits_figures(result: Result, labels: Labels) -> list[Figure]:
    """A figure from a sweep, and one from a robust search."""
    found = []
    if has(result, "limits"):
        table = result.tables["limits"]
        table = table[table["external"] == ""].rename(columns={"limit": "name", "broken": "chance"})
        found += _limits("limits", table, labels)
    if has(result, "robust_limits"):
        table = result.tables["robust_limits"]
        table = table.rename(columns={"constraint": "name", "broken_share": "chance"})
        found += _limits("robust_limits", table, labels)
    return found


def _limits(key: str, table: pd.DataFrame, labels: Labels) -> list[Figure]:
    """Bars per limit that is ever broken; the one broken most with the advice on top."""
    kinds = [str(kind) for kind in dict.fromkeys(table["allocation"])]
    wide = _chances(table, kinds, labels)
    if wide.empty:
        return []
    words = {kind: allocation_word(kind, labels) for kind in kinds}
    short = short_names(wide.index)
    rows = [
        {
            "name": name,
            "label": short[name],
            "order": place,
            "kind": words[kind],
            "chance": wide.loc[name, kind],
            "text": f"{in_hundred(labels, float(wide.loc[name, kind]))} %",
            "all": "",
        }
        for place, name in enumerate(wide.index)
        for kind in kinds
    ]
    look = {words[kind]: colour for kind, colour in allocation_colours(kinds).items() if kind in words}
    headers = [labels("figure.limit"), *words.values()]
    cells = [[name, *(wide.loc[name, kind] for kind in kinds)] for name in wide.index]
    said = _title(wide, kinds, labels), _described(wide, words, labels)
    return [figure(key, said, _spec(rows, look, labels), (headers, cells), (key,))]


def _own(kinds: Sequence[str]) -> str:
    return "advice" if "advice" in kinds else kinds[0]


def _chances(table: pd.DataFrame, kinds: Sequence[str], labels: Labels) -> pd.DataFrame:
    """A row per limit that is ever broken, a column per allocation."""
    names = [one_line(name) or labels("figure.any_limit") for name in table["name"]]
    wide = table.assign(name=names).pivot_table(
        index="name", columns="allocation", values="chance", sort=False, dropna=False
    )
    wide = wide.reindex(columns=list(kinds)).dropna()
    wide = wide[wide.max(axis=1) > 0].sort_values(_own(kinds), ascending=False, kind="stable")
    return wide.head(max(BARS // len(kinds), 3))


def _title(wide: pd.DataFrame, kinds: Sequence[str], labels: Labels) -> str:
    """The limit that the advice breaks more often than now, by the most."""
    advice = wide[_own(kinds)]
    null = wide.get("null", advice)
    worst = (advice - null).idxmax()
    key = "more" if advice[worst] > null[worst] else "less"
    values = {"advice": float(advice[worst]), "null": float(null[worst])}
    chances = {name: in_hundred(labels, value) for name, value in values.items()}
    return labels(f"figure.limits.{key}", name=worst, **chances)


def _described(wide: pd.DataFrame, words: Mapping[str, str], labels: Labels) -> str:
    each = [
        f"{name}: "
        + ", ".join(
            f"{word} {in_hundred(labels, float(wide.loc[name, kind]))} %" for kind, word in words.items()
        )
        for name in wide.index
    ]
    return labels("figure.limits.described", each="; ".join(each))


def _spec(rows: Sequence[Mapping[str, Any]], look: Mapping[str, str], labels: Labels) -> Spec:
    chance = labels("figure.broken")
    encoding = {
        "y": names_axis(rows),
        "yOffset": {"field": "kind", "type": "nominal", "sort": list(look)},
        "x": quantity("chance", share_axis(chance, labels), domain=[0, 1]),
        "tooltip": tips(
            ("name", labels("figure.limit")), ("kind", labels("figure.kind")), ("chance", chance, ".1%")
        ),
    }
    bar = {"mark": "bar", "encoding": {**encoding, "color": by_name("kind", look)}}
    texts = end_texts({**encoding, "text": {"field": "text"}}, "all", {"": ("left", 4)}, fontSize=10)
    return layered(rows, [bar, *texts], step=max(STEP, 14 * len(look) + 8))
