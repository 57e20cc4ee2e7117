"""Small panels with the stocks that change most, now against advice; over all futures where known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import (
    ADVICE,
    NULL,
    Figure,
    Spec,
    allocation_colours,
    allocation_word,
    figure,
    one_line,
    said,
    short_names,
)
from sdopt.export.figures.specs import by_name, number_format, panels, quantity, some_years, tips
from sdopt.export.labels import Labels
from sdopt.export.views import by_year, full_names, has, main_stocks, shown_variables, units
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

PANELS, ALLOCATIONS = 6, 3
KINDS = ("null", "advice")
DASHES = ([5, 3], [1, 0], [2, 2])
POINTS = ("q05", "q25", "q50", "q75", "q95")
BANDS = {("q05", "q95"): 0.2, ("q25", "q75"): 0.35}
"""Ends of a band, and how dark it is."""


def stocks_figure(result: Result, labels: Labels) -> list[Figure]:
    """The stocks that change most: in the middle of all futures, or as expected."""
    if len(fan := _fan(result)):
        return [_of_futures(fan, labels)]
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
    words = _title(names[0], first, labels), _described(ends, f"{last:g}", labels)
    look = {labels("word.null"): NULL, labels("word.advice"): ADVICE}
    return figure(
        "stocks", words, _spec(rows, look, labels, band=False), _table(rows, labels), ("trajectories",)
    )


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


def _described(ends: Iterable[tuple[str, Any, Any, str]], year: str, labels: Labels) -> str:
    """Every stock in the last year."""
    each = [
        labels(
            "figure.stocks.each",
            name=one_line(name),
            year=year,
            null=said(labels, null),
            advice=said(labels, advice),
            unit=labels.unit(unit),
        )
        for name, null, advice, unit in ends
    ]
    return labels("figure.stocks.as_expected", year=year, each="; ".join(each))


def _table(rows: Sequence[Mapping[str, Any]], labels: Labels) -> tuple[list[str], list[list[Any]]]:
    """A row per stock and allocation, a column per year."""
    years = list(dict.fromkeys(row["year"] for row in rows))
    values = {(row["name"], row["unit"], row["kind"], row["year"]): row["value"] for row in rows}
    keys = dict.fromkeys(key[:3] for key in values)
    headers = [labels("column.variable"), labels("word.unit"), labels("figure.kind"), *map(str, years)]
    return headers, [[*key, *(values.get((*key, year)) for year in years)] for key in keys]


def _fan(result: Result) -> pd.DataFrame:
    """Rows with numbers, of outputs that have them both now and with the advice, and their `name`."""
    import pandas as pd

    if not has(result, "fan"):
        return pd.DataFrame()
    fan = result.tables["fan"].assign(name=full_names(result.tables["fan"]))
    fan = fan[fan[list(POINTS)].notna().all(axis=1)]
    both = [set(fan.loc[fan["allocation"] == kind, "name"]) for kind in KINDS]
    return fan[fan["name"].isin(set.intersection(*both))]


def _of_futures(fan: pd.DataFrame, labels: Labels) -> Figure:
    """Medians and bands of the kept outputs, those whose median differs most first."""
    kinds = list(dict.fromkeys([*KINDS, *map(str, fan["allocation"])]))[:ALLOCATIONS]
    names = _most_changed(fan[fan["allocation"].isin(KINDS)])
    left_out = {
        word: fan.index[~fan[column].isin(kept) & ~fan[column].duplicated()]
        for word, column, kept in (("outputs", "name", names), ("allocations", "allocation", kinds))
    }
    table = fan[fan["name"].isin(names) & fan["allocation"].isin(kinds)]
    unit = dict(zip(table["name"], table["unit"], strict=True))
    heads = _heads({name: unit[name] for name in names}, labels)
    rows = [
        {
            "name": one_line(name),
            "head": heads[name],
            "kind": allocation_word(str(row.allocation), labels),
            "year": int(row.time),
            **{point: getattr(row, point) for point in POINTS},
            "value": row.q50,
            "unit": labels.unit(unit[name]),
        }
        for name in names
        for row in table[table["name"] == name].itertuples(index=False)
    ]
    look = {allocation_word(name, labels): colour for name, colour in allocation_colours(kinds).items()}
    columns = ("column.variable", "word.unit", "figure.kind", "column.year")
    headers = [*(labels(column) for column in columns), *(f"P{point[1:].lstrip('0')}" for point in POINTS)]
    cells = [[row[key] for key in ("name", "unit", "kind", "year", *POINTS)] for row in rows]
    words, spec = _futures_words(table, names, left_out, labels), _spec(rows, look, labels, band=True)
    return figure("stocks", words, spec, (headers, cells), ("fan",))


def _futures_words(
    table: pd.DataFrame, names: Sequence[str], left_out: Mapping[str, pd.Index], labels: Labels
) -> tuple[str, str]:
    """The first of them, and every one in the last year with its band; how many are not drawn."""
    unit = dict(zip(table["name"], table["unit"], strict=True))
    middle = table.pivot(index=["name", "time"], columns="allocation", values="q50")
    own, last = middle.loc[names[0]], table["time"].max()
    ends = table[(table["time"] == last) & (table["allocation"] == "advice")].set_index("name")
    each = [
        labels(
            "figure.stocks.each.futures",
            name=one_line(name),
            year=f"{last:g}",
            null=said(labels, float(middle.loc[(name, last), "null"])),
            advice=said(labels, float(middle.loc[(name, last), "advice"])),
            low=said(labels, float(ends.loc[name, "q05"])),
            high=said(labels, float(ends.loc[name, "q95"])),
            unit=labels.unit(unit[name]),
        )
        for name in names
    ]
    title = _title(names[0], (own["null"], own["advice"], unit[names[0]]), labels)
    about = labels("figure.stocks.futures", year=f"{last:g}", each="; ".join(each))
    if any(map(len, left_out.values())):
        counts = {word: labels.count("fan", "q50", rows) for word, rows in left_out.items()}
        about += " " + labels("figure.stocks.left_out", **counts)
    return title, about


def _most_changed(table: pd.DataFrame) -> list[str]:
    """Outputs by how far the medians of null and advice are apart, relative to their size."""
    wide = table.pivot(index=["name", "time"], columns="allocation", values="q50")
    apart = (wide["advice"] - wide["null"]).abs().groupby("name").max()
    size = wide.abs().max(axis=1).groupby("name").max()
    change = apart / size.where(size > 0, 1.0)
    names = list(dict.fromkeys(table["name"]))
    return sorted(names, key=lambda name: -float(change[name]))[:PANELS]


def _spec(rows: list[dict[str, Any]], look: Mapping[str, str], labels: Labels, *, band: bool) -> Spec:
    """A panel per stock, each with its own scale; `look` is the colour of every allocation."""
    form = number_format(row["value"] for row in rows)
    lines = tips(
        ("name", labels("column.variable")),
        ("kind", labels("figure.kind")),
        ("year", labels("column.year")),
        ("value", labels("figure.value"), form),
        ("unit", labels("word.unit")),
        *([("q05", "P5", form), ("q95", "P95", form)] if band else []),
    )
    amount = {"title": None, "format": ",.4~f", "tickCount": 4}
    shown = some_years((row["year"] for row in rows), 4)
    years = {"title": None, "format": "d", "values": shown, "grid": False}
    encoding = {
        "x": quantity("year", years, zero=False, nice=False),
        "color": by_name("kind", look, symbolType="stroke"),
        "tooltip": lines,
    }
    line = {
        "mark": "line",
        "encoding": {
            **encoding,
            "y": quantity("value", amount, zero=False),
            "strokeDash": by_name("kind", dict(zip(look, DASHES, strict=False))),
        },
    }
    areas = _areas(encoding, amount, labels) if band else []
    own = {"width": 220, "height": 150, "layer": [*areas, line]}
    return panels(rows, 3, own, y="independent")


def _areas(encoding: Spec, amount: Spec, labels: Labels) -> list[Spec]:
    """The bands of the advice, which the legend tells apart by how dark they are."""
    depths = {labels(f"figure.stocks.{low}"): depth for (low, _), depth in BANDS.items()}
    shared: Spec = {
        "type": "nominal",
        "scale": {"domain": list(depths), "range": list(depths.values())},
        "legend": {"title": None, "symbolType": "square", "symbolFillColor": ADVICE, "symbolStrokeWidth": 0},
    }
    return [
        {
            "transform": [{"filter": {"field": "kind", "equal": labels("word.advice")}}],
            "mark": {"type": "area", "strokeWidth": 0},
            "encoding": {
                **encoding,
                "y": quantity(low, amount, zero=False),
                "y2": {"field": high},
                "opacity": {"datum": word, **shared},
            },
        }
        for (low, high), word in zip(BANDS, depths, strict=True)
    ]
