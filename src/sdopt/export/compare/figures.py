"""The figures of a comparison: a bar per run beside every decision and every pocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdopt.export.figures.figure import ADVICE, OTHERS, Figure, figure, one_line, said, short_names
from sdopt.export.figures.specs import (
    axis,
    by_name,
    layered,
    line_at,
    names_axis,
    number_format,
    quantity,
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
"""Rows that are drawn; the table below the figure has them all."""


def compared_figures(result: Result, labels: Labels) -> list[Figure]:
    """Those that the tables allow, and of which all amounts have one unit."""
    found = []
    runs = result.tables["compared_runs"]
    titles = {run: f"{run}: {title}" for run, title in zip(runs["run"], runs["title"], strict=True)}
    if has(result, "compared_decisions"):
        table = result.tables["compared_decisions"].rename(columns={"decision": "name", "advice": "value"})
        table = table.assign(run=table["run"].map(titles))
        found += _bars("compared_allocation", table, "compared_decisions", labels, list(titles.values()))
    if has(result, "compared_pockets"):
        table = result.tables["compared_pockets"].rename(columns={"difference": "value"})
        table = table.assign(run=table["run"].map(titles))
        named = table.assign(name=[pocket_name(str(pocket), labels) for pocket in table["pocket"]])
        found += _bars("compared_pockets", named, "compared_pockets", labels, list(titles.values()))
    return found


def _bars(key: str, table: pd.DataFrame, source: str, labels: Labels, titles: list[str]) -> list[Figure]:
    """A bar per run beside every name; a run has one colour in all figures."""
    if table["unit"].nunique() != 1 or table["run"].nunique() < 2:
        return []
    unit = labels.unit(str(table["unit"].iloc[0]))
    names = list(dict.fromkeys(map(str, table["name"])))
    runs = [run for run in titles if run in set(table["run"])]
    short, colours = short_names(names), [ADVICE, *OTHERS]
    rows = [
        {"name": row.name, "label": short[row.name], "order": names.index(row.name), "run": one_line(row.run),
         "place": runs.index(row.run), "value": float(row.value)}
        for row in table[["name", "run", "value"]].astype({"name": str, "run": str}).itertuples(index=False)
        if row.name in names[:MOST]
    ]  # fmt: skip
    shades = {one_line(run): colours[titles.index(run) % len(colours)] for run in runs}
    tip = tips(("name", labels("column.component")), ("run", labels("compared.kind")),
               ("value", unit, number_format(row["value"] for row in rows)))  # fmt: skip
    bar = {
        "mark": "bar",
        "encoding": {
            "y": names_axis(rows),
            "yOffset": {"field": "place", "type": "ordinal"},
            "x": quantity("value", axis(unit)),
            "color": by_name("run", shades, columns=1),
            "tooltip": tip,
        },
    }
    step = BAR * len(runs) + BETWEEN
    spec = layered(rows, [bar, line_at(0)], step * len({row["label"] for row in rows}))
    each = "; ".join(f"{row['name']}, {row['run']}: {said(labels, row['value'])}" for row in rows)
    about = labels(f"figure.{key}.described", unit=unit, each=each)
    own = [
        [row.name, row.run, float(row.value)]
        for row in table[["name", "run", "value"]].itertuples(index=False)
    ]
    headers = (labels("column.component"), labels("compared.kind"), unit)
    return [figure(key, (labels(f"figure.{key}"), about), spec, (headers, own), (source,))]
