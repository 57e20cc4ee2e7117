"""The allocation over the years: now and as advised, stacked, on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import PARTS, REST, Figure, Spec, figure, one_line, said
from sdopt.export.figures.specs import (
    PICKED,
    axis,
    by_name,
    number_format,
    panels,
    picker,
    quantity,
    some_years,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.views import decision_years, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

NAMED = 2
"""Parts that get more, and that get less, in the title."""
SEEN = 0.05
"""A part of the bar below this share of the highest bar gets no number."""
KINDS = ("null", "advice")


def allocation_figures(result: Result, shown: Result, labels: Labels) -> list[Figure]:
    """A figure per unit; decisions of one variable are taken together where all would be too many."""
    if not has(result, "allocation"):
        return []
    table = shown.tables["allocation"].assign(name=_parts(result, shown, labels))
    years = decision_years(shown)
    found = []
    for number, (unit, own) in enumerate(table.groupby("unit", sort=False), start=1):
        few = _few(own, labels)
        key = "allocation" if number == 1 else f"allocation_{number}"
        found.append(_figure(key, few, str(unit), years, labels))
    return found


def _parts(result: Result, shown: Result, labels: Labels) -> list[str]:
    """Per row of the table the part of the sum that it belongs to."""
    table, own = result.tables["allocation"], shown.tables["allocation"]
    names = [one_line(name) for name in full_names(own)]
    if len(set(names)) <= len(PARTS):
        return names
    members: dict[str, dict[str, int]] = {}
    for row, (variable, name) in enumerate(zip(table["variable"], names, strict=True)):
        members.setdefault(str(variable), {}).setdefault(name, row)
    groups = {variable: _group_name(variable, group, labels) for variable, group in members.items()}
    return [groups[str(variable)] for variable in table["variable"]]


def _group_name(variable: str, members: Mapping[str, int], labels: Labels) -> str:
    """The words that all names begin with, or the name of the variable; `members` have their first row."""
    names = list(members)
    if len(names) == 1:
        return names[0]
    columns = zip(*(name.partition("[")[0].split() for name in names), strict=False)
    alike = takewhile(lambda column: len(set(column)) == 1, columns)
    count = labels.count("allocation", "variable", members.values())
    return labels.group(f"{' '.join(column[0] for column in alike) or variable} ({count})", names)


def _few(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Columns kind, name, year, value, with no more names than there are colours; the smallest are one."""
    sums = table.groupby(["allocation", "name", "time"], sort=False)["value"].sum().reset_index()
    sums.columns = ["kind", "name", "year", "value"]
    names = list(dict.fromkeys(sums["name"]))
    if len(names) > len(PARTS):
        size = sums["value"].abs().groupby(sums["name"]).max()
        kept = set(size.sort_values(ascending=False, kind="stable").index[: len(PARTS) - 1])
        first = table[~table["name"].isin(kept)].drop_duplicates("name")
        rest = labels("figure.rest", count=labels.count("allocation", "variable", first.index))
        rest = labels.group(rest, _members(table[~table["name"].isin(kept)]))
        sums["name"] = [name if name in kept else rest for name in sums["name"]]
        sums = sums.groupby(["kind", "name", "year"], sort=False)["value"].sum().reset_index()
    return sums


def _members(table: pd.DataFrame) -> list[str]:
    """The names of the variables in a table, on one line."""
    return [one_line(name) for name in dict.fromkeys(full_names(table))]


def _figure(key: str, table: pd.DataFrame, unit: str, years: Sequence[float], labels: Labels) -> Figure:
    words = labels.unit(unit)
    means = table[table["year"].isin(years)].groupby(["kind", "name"], sort=False)["value"].mean()
    names = list(dict.fromkeys(table["name"]))
    pairs = {name: (float(means["null", name]), float(means["advice", name])) for name in names}
    period = spans(map(int, years))
    spec = _spec(table, names, words, labels)
    headers, rows = _table(table, names, labels)
    title = _title(pairs, period, words, labels)
    return figure(
        key, (title, _described(pairs, period, words, labels)), spec, (headers, rows), ("allocation",)
    )


def _title(pairs: Mapping[str, tuple[float, float]], period: str, unit: str, labels: Labels) -> str:
    """Which parts get more and which less, on average over the decision years."""
    change = {name: advice - null for name, (null, advice) in pairs.items()}
    least = 0.02 * max(map(abs, change.values()), default=0.0)
    said_of = {
        key: [
            f"{name} ({said(labels, value, sign=True)})"
            for name, value in sorted(change.items(), key=lambda pair: -sign * pair[1])
            if sign * value > least
        ][:NAMED]
        for key, sign in (("more", 1), ("less", -1))
    }
    key = "_and_".join(key for key, parts in said_of.items() if parts) or "same"
    joined = {name: labels("figure.and").join(parts) for name, parts in said_of.items()}
    return labels(f"figure.allocation.{key}", years=period, unit=unit, **joined)


def _described(pairs: Mapping[str, tuple[float, float]], period: str, unit: str, labels: Labels) -> str:
    each = "; ".join(
        labels("figure.from_to", name=name, null=said(labels, null), advice=said(labels, advice))
        for name, (null, advice) in pairs.items()
    )
    return labels("figure.allocation.described", years=period, unit=unit, each=each)


def _spec(table: pd.DataFrame, names: list[str], unit: str, labels: Labels) -> Spec:
    """Two panels with stacked bars; every part has a number of its own, in the bar and in the legend."""
    fills = dict(zip(_numbered(names), (*PARTS, REST), strict=False))
    lines = tips(
        ("head", labels("figure.kind")),
        ("year", labels("column.year")),
        ("name", labels("column.decision")),
        ("value", unit, number_format(table["value"])),
    )
    shown = some_years(map(int, table["year"]), 7)
    year = {
        "field": "year",
        "type": "ordinal",
        "axis": {"title": None, "labelAngle": 0, "values": shown, "labelOverlap": False},
    }
    bars = {
        "mark": "bar",
        "encoding": {
            "x": year,
            "y": quantity("from", axis(unit)),
            "y2": {"field": "to"},
            "color": by_name("part", fills),
            "tooltip": lines,
        },
    }
    numbers = {
        "transform": [{"calculate": "(datum.from + datum.to) / 2", "as": "middle"}],
        "mark": {"type": "text", "color": "#1A1A1A", "fontSize": 9},
        "encoding": {"x": year, "y": quantity("middle"), "text": {"field": "number"}, "tooltip": lines},
    }
    own = {"width": 300, "height": 260, "layer": [bars, numbers]}
    found = panels(_drawn_rows(table, names, labels), 2, own)
    return {**found, "params": [picker(names, labels)], "transform": [{"filter": PICKED}, STACK]}


STACK: Spec = {
    "stack": "value",
    "groupby": ["head", "year"],
    "sort": [{"field": "order", "order": "ascending"}],
    "as": ["from", "to"],
}


def _numbered(names: Sequence[str]) -> list[str]:
    return [f"{number} {name}" for number, name in enumerate(names, start=1)]


def _drawn_rows(table: pd.DataFrame, names: list[str], labels: Labels) -> list[dict[str, Any]]:
    highest, places = max(_heights(table), default=1.0), {name: place for place, name in enumerate(names)}
    parts = dict(zip(names, _numbered(names), strict=True))
    return [
        {
            "head": labels(f"word.{row.kind}"),
            "year": int(row.year),
            "name": row.name,
            "part": parts[row.name],
            "number": str(places[row.name] + 1) if abs(row.value) >= SEEN * highest else "",
            "order": places[row.name],
            "value": float(row.value),
        }
        for kind in KINDS
        for row in table[table["kind"] == kind].itertuples(index=False)
    ]


def _heights(table: pd.DataFrame) -> Iterable[float]:
    """The height of every bar."""
    return [float(value) for value in table["value"].abs().groupby([table["kind"], table["year"]]).sum()]


def _table(table: pd.DataFrame, names: Sequence[str], labels: Labels) -> tuple[list[str], list[list[Any]]]:
    """A row per part and allocation, a column per year."""
    years = sorted(set(table["year"]))
    found = {(row.kind, row.name, row.year): float(row.value) for row in table.itertuples(index=False)}
    headers = [labels("column.decision"), labels("figure.kind"), *(f"{year:g}" for year in years)]
    rows = [
        [name, labels(f"word.{kind}"), *(found.get((kind, name, year)) for year in years)]
        for name in names
        for kind in KINDS
    ]
    return headers, rows
