"""The figures of a comparison: decisions on average and per year, and what every pocket gains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.compared_columns import (
    Column,
    Key,
    columns_of,
    in_all,
    most_different,
    rows_of,
    runs_of,
    shades,
    widths,
)
from sdopt.export.figures.figure import Figure, Spec, figure, one_line, said, short_names
from sdopt.export.figures.specs import (
    axis,
    by_name,
    layered,
    line_at,
    names_axis,
    number_format,
    panels,
    quantity,
    some_years,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

BAR = 13
"""Height of one bar."""
BETWEEN = 8
"""Room between the bars of one name and those of the next."""
MOST = 20
"""Names that are drawn; the table of the section has them all."""
PANELS = 9


def compared_figures(result: Result, labels: Labels) -> list[Figure]:
    """Those that the tables allow, and of which all amounts have one unit."""
    found = []
    if has(result, "compared_decisions"):
        found += _bars(result, "compared_decisions", ("decision", "value", "compared_allocation"), labels)
        found += _years(result, labels)
    if has(result, "compared_pockets"):
        found += _bars(result, "compared_pockets", ("pocket", "difference", "compared_pockets"), labels)
    return found


def _bars(result: Result, source: str, keys: tuple[str, str, str], labels: Labels) -> list[Figure]:
    """A bar per column beside every name that all columns have; a run has one colour in all figures."""
    (about, value, key), table = keys, result.tables[source]
    if about == "pocket":
        table = table.assign(pocket=[pocket_name(str(one), labels) for one in table[about]])
    columns = columns_of(result, source, labels)
    whole = in_all(rows_of(table, [about], columns))[0]
    if table["unit"].nunique() != 1 or table["run"].nunique() < 2 or not whole:
        return []
    rows = _bar_rows(
        list(whole.items())[:MOST], table[value].tolist(), [column.name for column in columns], labels
    )
    spec = _bar_spec(
        rows,
        dict(zip([column.name for column in columns], shades(columns, runs_of(result)), strict=True)),
        table,
        labels,
    )
    unit = labels.unit(str(table["unit"].iloc[0]))
    each = "; ".join(f"{row['name']}, {row['run']}: {said(labels, row['value'])}" for row in rows)
    words = labels(f"figure.{key}"), labels(f"figure.{key}.described", unit=unit, each=each)
    headers = (labels("column.component"), labels("compared.result"), unit)
    cells = [[row["name"], row["run"], row["value"]] for row in rows]
    return [figure(key, words, spec, (headers, cells), (source,))]


def _bar_rows(
    whole: Sequence[tuple[Key, Sequence[int | None]]], values: Sequence[float], legend: Sequence[str],
    labels: Labels,
) -> list[dict[str, Any]]:  # fmt: skip
    names = [str(key[0]) for key, _ in whole]
    short = short_names(names)
    return [
        {"name": one_line(name), "label": short[name], "order": order, "run": run, "place": place,
         "value": float(values[row])}
        for order, (name, (_, places)) in enumerate(zip(names, whole, strict=True))
        for place, (run, row) in enumerate(zip(legend, places, strict=True))
        if row is not None
    ]  # fmt: skip


def _bar_spec(
    rows: Sequence[dict[str, Any]], colours: dict[str, str], table: pd.DataFrame, labels: Labels
) -> Spec:
    unit = labels.unit(str(table["unit"].iloc[0]))
    tip = tips(("name", labels("column.component")), ("run", labels("compared.result")),
               ("value", unit, number_format(row["value"] for row in rows)))  # fmt: skip
    bar = {
        "mark": "bar",
        "encoding": {
            "y": names_axis(rows),
            "yOffset": {"field": "place", "type": "ordinal"},
            "x": quantity("value", axis(unit)),
            "color": by_name("run", colours, columns=1),
            "tooltip": tip,
        },
    }
    step = BAR * len(colours) + BETWEEN
    return layered(rows, [bar, line_at(0)], step * len({row["label"] for row in rows}))


def _years(result: Result, labels: Labels) -> list[Figure]:
    """A panel per decision that differs most, a line per column; what is given now is dashed."""
    table = result.tables["compared_allocation"]
    columns = columns_of(result, "compared_allocation", labels)
    if table["year"].nunique() < 2 or table["run"].nunique() < 2:
        return []
    things, legend = most_different(result, columns, PANELS), [column.name for column in columns]
    rows = _year_rows(table, things, (columns, legend), labels)
    spec = _year_spec(rows, columns, dict(zip(legend, shades(columns, runs_of(result)), strict=True)), labels)
    years = sorted({row["year"] for row in rows})
    known = {(row["name"], row["unit"], row["run"], row["year"]): row["value"] for row in rows}
    lines = list(dict.fromkeys(key[:3] for key in known))
    cells = [[*line, *(known.get((*line, year)) for year in years)] for line in lines]
    heads = [labels("column.decision"), labels("word.unit"), labels("compared.result"), *map(str, years)]
    each = "; ".join(
        f"{name}, {run}: {said(labels, known[name, unit, run, last])} {unit}"
        for name, unit, run in lines
        if (name, unit, run, last := years[-1]) in known
    )
    words = (
        labels("figure.compared_years"),
        labels("figure.compared_years.described", year=years[-1], each=each),
    )
    return [figure("compared_years", words, spec, (heads, cells), ("compared_allocation",))]


def _year_rows(
    table: pd.DataFrame, things: Sequence[Key], named: tuple[Sequence[Column], Sequence[str]], labels: Labels
) -> list[dict[str, Any]]:
    columns, legend = named
    heads = short_names(
        (labels.with_unit(one_line(key[0]), str(key[-1])) for key in things), letters=27, lines=3
    )
    values, rows = table["value"].tolist(), rows_of(table, ["decision", "year"], columns)
    return [
        {"name": one_line(thing[0]), "unit": labels.unit(str(thing[-1])), "head": head,
         "run": run, "year": int(float(str(key[1]))), "value": float(values[row])}
        for thing, head in zip(things, heads.values(), strict=True)
        for key, places in rows.items() if (key[0], key[-1]) == thing
        for run, row in zip(legend, places, strict=True) if row is not None
    ]  # fmt: skip


def _year_spec(
    rows: Sequence[dict[str, Any]], columns: Sequence[Column], colours: dict[str, str], labels: Labels
) -> Spec:
    form = number_format(row["value"] for row in rows)
    lines = tips(("name", labels("column.decision")), ("run", labels("compared.result")),
                 ("year", labels("column.year")), ("value", labels("figure.value"), form),
                 ("unit", labels("word.unit")))  # fmt: skip
    years = {"title": None, "format": "d", "grid": False,
             "values": some_years((row["year"] for row in rows), 4)}  # fmt: skip
    encoding = {
        "x": quantity("year", years, zero=False, nice=False),
        "y": quantity("value", {"title": None, "format": ",.4~f", "tickCount": 4}, zero=False),
        "color": by_name("run", colours, columns=1, symbolType="stroke"),
        "tooltip": lines,
    }
    dashes = {column.name: [5, 3] if column.is_now else [1, 0] for column in columns}
    wide = [
        {"test": {"field": "run", "equal": column.name}, "value": width}
        for column, width in zip(columns, widths(columns), strict=True)
    ]
    looks = {
        "size": {"condition": wide},
        "strokeDash": by_name("run", dashes, columns=1, symbolType="stroke"),
    }
    line = {"mark": "line", "encoding": {**encoding, **looks}}
    point = {"mark": {"type": "point", "filled": True, "size": 26, "opacity": 1}, "encoding": encoding}
    own = {"width": 220, "height": 130, "layer": [line, point]}
    return panels(rows, 3, own, y="independent")
