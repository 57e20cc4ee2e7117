"""How far apart the futures are in what has been returned up to every year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.figures.figure import ADVICE, Spec, allocation_word, in_hundred, said
from sdopt.export.figures.specs import data, number_format, quantity, tips
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

POINTS = {"P10": "q10", "P50": "q50", "P90": "q90"}
Bands = dict[str, "pd.DataFrame"]
"""Allocation -> its rows of `cumulative_band` over all external scenarios, a row per year."""


def bands_of(result: Result) -> Bands:
    """The band of every allocation with a number in some future, the advice first; {} without a sweep."""
    if not has(result, "cumulative_band"):
        return {}
    table = result.tables["cumulative_band"]
    table = table[(table["external"] == "") & table["q50"].notna()]
    names = sorted(dict.fromkeys(table["allocation"]), key=lambda name: name != "advice")
    return {str(name): table[table["allocation"] == name] for name in names}


def middle_names(bands: Bands, labels: Labels) -> dict[str, str]:
    """Allocation -> what its median is called."""
    keys = ["banded", *["middle"] * len(bands)]  # the first has its band drawn
    return {
        name: labels(f"figure.cumulative.{key}", name=allocation_word(name, labels))
        for name, key in zip(bands, keys, strict=False)
    }


def middle_rows(bands: Bands, labels: Labels) -> list[dict[str, Any]]:
    """The medians, to be drawn as lines."""
    names = middle_names(bands, labels)
    return [
        {"name": names[name], "when": f"{row.year:g}", "value": row.q50}
        for name, table in bands.items()
        for row in table.itertuples(index=False)
    ]


def band_words(bands: Bands, unit: str, labels: Labels) -> tuple[str, str]:
    """From when the median of the first stays above zero; where every allocation ends."""
    last = next(iter(bands.values())).iloc[-1]
    since = to_python(last["pays_from"])
    words = {"share": in_hundred(labels, last["paid_back"]), "last": f"{last['year']:g}"}
    key = "half" if is_number(since) else "not_half"
    title = labels(f"figure.cumulative.{key}", year=f"{since or 0:g}" if key == "half" else "", **words)
    each = "; ".join(
        labels(
            "figure.cumulative.spread",
            name=allocation_word(name, labels),
            last=words["last"],
            share=in_hundred(labels, table["paid_back"].iloc[-1]),
            **{key: said(labels, table[key].iloc[-1], sign=True) for key in POINTS.values()},
        )
        for name, table in bands.items()
    )
    return title, labels("figure.cumulative.spreads", last=words["last"], unit=unit, each=each)


def band_cells(bands: Bands, labels: Labels) -> list[list[Any]]:
    """For the table below the figure: three points per year, and of every 100 futures how many paid back."""
    found: list[list[Any]] = []
    for name, table in bands.items():
        word = allocation_word(name, labels)
        found += [[f"{word}: {point}", *table[key]] for point, key in POINTS.items()]
        found.append([labels("figure.cumulative.paid", name=word), *(100 * table["paid_back"])])
    return found


def band_layers(table: pd.DataFrame, x: Spec, labels: Labels) -> list[Spec]:
    """The area from P10 to P90, and from which year the median stays above zero."""
    rows = [
        {"when": f"{row.year:g}", **{key: getattr(row, key) for key in (*POINTS.values(), "paid_back")}}
        for row in table.itertuples(index=False)
    ]
    form = number_format(table["q90"], sign=True)
    lines = tips(
        ("when", labels("column.year")),
        *((key, point, form) for point, key in POINTS.items()),
        ("paid_back", labels("column.paid_back_share"), ".0%"),
    )
    area = {
        "data": data(rows),
        "mark": {"type": "area", "opacity": 0.22, "color": ADVICE},
        "encoding": {
            "x": x,
            "y": quantity("q10"),
            "y2": {"field": "q90"},
            "tooltip": lines,
        },
    }
    return [area, *_since(table, x, labels)]


def _since(table: pd.DataFrame, x: Spec, labels: Labels) -> list[Spec]:
    """A line at the year from which the median stays above zero, with its words on the side with room."""
    since = to_python(table["pays_from"].iloc[0])
    if not is_number(since):
        return []
    year = f"{since:g}"
    late = float(since) > float(table["year"].mean())
    own = data([{"when": year, "text": labels("figure.cumulative.pays", year=year)}])
    place = {"align": "right" if late else "left", "dx": -4 if late else 4, "baseline": "top"}
    return [
        {"data": own, "mark": {"type": "rule", "strokeDash": [3, 3]}, "encoding": {"x": x}},
        {
            "data": own,
            "mark": {"type": "text", **place},
            "encoding": {"x": x, "y": {"value": 2}, "text": {"field": "text", "type": "nominal"}},
        },
    ]
