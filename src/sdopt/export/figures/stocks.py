"""Small panels with the stocks that change most, now against advice; over all futures where known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import ADVICE, NULL, Figure, Spec, figure, one_line, said, short_names
from sdopt.export.figures.specs import by_name, number_format, panels, quantity, some_years, tips
from sdopt.export.labels import Labels
from sdopt.export.views import by_year, full_names, has, main_stocks, shown_variables, units
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

PANELS = 6
KINDS = ("null", "advice")


def stocks_figure(result: Result, labels: Labels) -> list[Figure]:
    """The stocks that change most: in the middle of all futures, or as expected."""
    if has(result, "fan") and set(KINDS) <= set(result.tables["fan"]["allocation"]):
        return [_of_futures(result, labels)]
    if has(result, "trajectories") and has(result, "allocation"):
        return [_as_expected(result, labels)]
    return []


def _as_expected(result: Result, labels: Labels) -> Figure:
    """Lines from the trajectories at the values used."""
    result = _of_shown(result)
    table, names = result.tables["trajectories"], main_stocks(result, PANELS)
    unit = units(table)
    wide = {kind: by_year(table, kind).loc[names] for kind in KINDS}
    heads = _heads({name: unit[name] for name in names}, labels)
    rows = [
        {
            "name": one_line(name),
            "head": heads[name],
            "kind": labels(f"word.{kind}"),
            "year": int(year),
            "value": value,
            "unit": labels.unit(unit[name]),
        }
        for name in names
        for kind in KINDS
        for year, value in wide[kind].loc[name].items()
    ]
    first = wide["null"].loc[names[0]], wide["advice"].loc[names[0]], unit[names[0]]
    last = wide["advice"].columns[-1]
    ends = [(name, *(wide[kind].loc[name, last] for kind in KINDS), unit[name]) for name in names]
    words = _title(names[0], first, labels), _described("as_expected", ends, f"{last:g}", labels)
    return figure("stocks", words, _spec(rows, labels, band=False), _table(rows, labels), ("trajectories",))


def _of_shown(result: Result) -> Result:
    """The result with only the rows that may be drawn: whole years of what is shown."""
    table = result.tables["trajectories"]
    whole = table[table["time"] % 1 == 0]
    shown = result.with_tables(trajectories=whole)
    return shown.with_tables(trajectories=whole[full_names(whole).isin(shown_variables(shown))])


def _heads(unit: Mapping[str, str], labels: Labels) -> dict[str, str]:
    """Name -> head of its panel, with its unit."""
    whole = {name: one_line(labels.with_unit(one_line(name), own)) for name, own in unit.items()}
    short = short_names(whole.values(), letters=27, lines=3)
    return {name: short[text] for name, text in whole.items()}


def _title(name: str, lines: tuple[pd.Series, pd.Series, str], labels: Labels) -> str:
    """The first of them in the year in which null and advice are furthest apart."""
    null, advice, unit = lines
    year = (advice - null).abs().idxmax()
    values = {"null": said(labels, float(null[year])), "advice": said(labels, float(advice[year]))}
    return labels("figure.stocks", name=one_line(name), year=f"{year:g}", unit=labels.unit(unit), **values)


def _described(key: str, ends: Iterable[tuple[str, Any, Any, str]], year: str, labels: Labels) -> str:
    """Every stock in the last year."""
    each = [
        labels(
            "figure.stocks.each",
            name=one_line(name),
            null=said(labels, null),
            advice=said(labels, advice),
            unit=labels.unit(unit),
        )
        for name, null, advice, unit in ends
    ]
    return labels(f"figure.stocks.{key}", year=year, each="; ".join(each))


def _table(rows: Sequence[Mapping[str, Any]], labels: Labels) -> tuple[list[str], list[list[Any]]]:
    """A row per stock and allocation, a column per year."""
    years = list(dict.fromkeys(row["year"] for row in rows))
    values = {(row["name"], row["unit"], row["kind"], row["year"]): row["value"] for row in rows}
    keys = dict.fromkeys(key[:3] for key in values)
    headers = [labels("column.variable"), labels("word.unit"), labels("figure.kind"), *map(str, years)]
    return headers, [[*key, *(values.get((*key, year)) for year in years)] for key in keys]


def _of_futures(result: Result, labels: Labels) -> Figure:
    """Medians and bands of the kept outputs, those whose median differs most first."""
    fan = result.tables["fan"]
    table = fan[fan["allocation"].isin(KINDS)].assign(name=full_names(fan))
    names = _most_changed(table)
    table = table[table["name"].isin(names)]
    unit = dict(zip(table["name"], table["unit"], strict=True))
    heads = _heads({name: unit[name] for name in names}, labels)
    rows = [
        {
            "name": one_line(name),
            "head": heads[name],
            "kind": labels(f"word.{row.allocation}"),
            "year": int(row.time),
            "value": row.q50,
            "low": row.q05,
            "high": row.q95,
            "unit": labels.unit(unit[name]),
        }
        for name in names
        for row in table[table["name"] == name].itertuples(index=False)
    ]
    middle = table.pivot(index=["name", "time"], columns="allocation", values="q50")
    own, last = middle.loc[names[0]], table["time"].max()
    ends = [(name, *(middle.loc[(name, last), kind] for kind in KINDS), unit[name]) for name in names]
    words = _title(names[0], (own["null"], own["advice"], unit[names[0]]), labels)
    about = _described("futures", ends, f"{last:g}", labels)
    columns = ("column.variable", "word.unit", "figure.kind", "column.year")
    headers = [*(labels(column) for column in columns), "P5", "P50", "P95"]
    keys = ("name", "unit", "kind", "year", "low", "value", "high")
    cells = [[row[key] for key in keys] for row in rows]
    return figure("stocks", (words, about), _spec(rows, labels, band=True), (headers, cells), ("fan",))


def _most_changed(table: pd.DataFrame) -> list[str]:
    """Outputs by how far the medians of null and advice are apart, relative to their size."""
    wide = table.pivot(index=["name", "time"], columns="allocation", values="q50")
    apart = (wide["advice"] - wide["null"]).abs().groupby("name").max()
    size = wide.abs().max(axis=1).groupby("name").max()
    change = apart / size.where(size > 0, 1.0)
    names = list(dict.fromkeys(table["name"]))
    return sorted(names, key=lambda name: -float(change[name]))[:PANELS]


def _spec(rows: list[dict[str, Any]], labels: Labels, *, band: bool) -> Spec:
    """A panel per stock, each with its own scale."""
    kinds = [labels(f"word.{kind}") for kind in KINDS]
    form = number_format(row["value"] for row in rows)
    lines = tips(
        ("name", labels("column.variable")),
        ("kind", labels("figure.kind")),
        ("year", labels("column.year")),
        ("value", labels("figure.value"), form),
        ("unit", labels("word.unit")),
        *([("low", "P5", form), ("high", "P95", form)] if band else []),
    )
    amount = {"title": None, "format": ",.4~f", "tickCount": 4}
    shown = some_years((row["year"] for row in rows), 4)
    years = {"title": None, "format": "d", "values": shown, "grid": False}
    encoding = {
        "x": quantity("year", years, zero=False, nice=False),
        "color": by_name("kind", dict(zip(kinds, (NULL, ADVICE), strict=True)), symbolType="stroke"),
        "tooltip": lines,
    }
    dash = by_name("kind", dict(zip(kinds, ([5, 3], [1, 0]), strict=True)))
    line = {
        "mark": "line",
        "encoding": {**encoding, "y": quantity("value", amount, zero=False), "strokeDash": dash},
    }
    area = {
        "mark": {"type": "area", "opacity": 0.22},
        "encoding": {**encoding, "y": quantity("low", amount, zero=False), "y2": {"field": "high"}},
    }
    own = {"width": 220, "height": 150, "layer": [area, line] if band else [line]}
    return panels(rows, 3, own, y="independent")
