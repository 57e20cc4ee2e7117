"""What is gained up to every year, and from which year it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.explanation import perspective_name
from sdopt.export.figures.figure import ADVICE, OTHERS, Figure, Spec, figure, one_line, said
from sdopt.export.figures.specs import (
    LINES,
    axis,
    by_name,
    data,
    layered,
    line_at,
    number_format,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import fact, has
from sdopt.result import Result

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1])
RETURN = "return"


def cumulative_figure(result: Result, labels: Labels) -> list[Figure]:
    """Gains up to every year, per perspective; at the end with the value of what remains, and its band."""
    if not has(result, "pay_back_years"):
        return []
    table = result.tables["pay_back_years"]
    names = {key: one_line(perspective_name(key, labels)) for key in dict.fromkeys(table["perspective"])}
    unit, end = labels.unit(str(table["unit"].iloc[0])), _end(result)
    years = [f"{year:g}" for year in sorted(set(table["year"]))]
    rows = [
        {"name": names[row.perspective], "when": f"{row.year:g}", "value": row.cumulative_discounted}
        for row in table.itertuples(index=False)
    ]
    places = [*years, labels("figure.with_end")] if end else years
    spec = _cumulative_spec(rows, list(names.values()), places, (unit, end), labels)
    words = _cumulative_words(result, rows, (years, unit), labels)
    wide = [[name, *(row["value"] for row in rows if row["name"] == name)] for name in names.values()]
    headers = [labels("figure.perspective"), *years]
    if end:
        headers += [labels("figure.with_end").replace("\n", " "), "P10", "P90"]
        wide = [[*row, *(end if place == 0 else [None] * 3)] for place, row in enumerate(wide)]
    source = ("pay_back_years", "pay_back", *(["conclusions"] if end and is_number(end[1]) else []))
    return [figure("cumulative", words, spec, (headers, wide), source)]


def _end(result: Result) -> list[float | None]:
    """The improvement with the value at the end, and its P10 and P90 over the futures; [] when not known."""
    improvement = to_python(fact(result, "improvement"))
    if not is_number(improvement):
        return []
    band: list[float | None] = [None, None]
    if has(result, "conclusions"):
        own = result.tables["conclusions"]
        own = own[(own["allocation"] == "advice") & (own["against"] == "null")]
        if len(own) and is_number(float(own["q10"].iloc[0])):
            band = [float(own["q10"].iloc[0]), float(own["q90"].iloc[0])]
    return [float(improvement), *band]


def _cumulative_words(
    result: Result, rows: Sequence[Mapping[str, Any]], frame: tuple[Sequence[str], str], labels: Labels
) -> tuple[str, str]:
    """From which year it pays, and where the lines end."""
    years, unit = frame
    ends = [row for row in rows if row["when"] == years[-1]]
    total = said(labels, ends[0]["value"], sign=True)
    year = _pays_from(result)
    words = {"total": total, "unit": unit, "last": years[-1]}
    key = "never" if year is None else "from"
    title = labels(f"figure.cumulative.{key}", year=f"{year or 0:g}", **words)
    each = "; ".join(f"{row['name']} {said(labels, row['value'], sign=True)}" for row in ends)
    about = labels("figure.cumulative.described", first=years[0], last=years[-1], unit=unit, each=each)
    end = _end(result)
    if end and is_number(end[1]) and is_number(end[2]):
        value, low, high = (said(labels, float(number or 0)) for number in end)
        about += " " + labels("figure.cumulative.band", value=value, unit=unit, low=low, high=high)
    return title, about


def _pays_from(result: Result) -> float | None:
    """The year from which gains outweigh costs for good, where there is one."""
    if not has(result, "pay_back"):
        return None
    table = result.tables["pay_back"]
    own = table[table["perspective"] == RETURN]
    year = to_python(own["year_discounted"].iloc[0]) if len(own) else None
    return float(year) if is_number(year) else None


def _cumulative_spec(
    rows: list[dict[str, Any]],
    names: list[str],
    places: list[str],
    frame: tuple[str, list[float | None]],
    labels: Labels,
) -> Spec:
    """A line per perspective; the improvement with the value at the end stands apart."""
    unit, end = frame
    looks = [ADVICE, *OTHERS]
    colour = {name: looks[place % len(looks)] for place, name in enumerate(names)}
    dash = {name: DASHES[place % len(DASHES)] for place, name in enumerate(names)}
    form = number_format((row["value"] for row in rows), sign=True)
    when_axis = {
        "title": None,
        "labelAngle": 0,
        "labelOverlap": False,
        "values": _some(places),
        "labelExpr": LINES,
    }
    encoding = {
        "x": {"field": "when", "type": "ordinal", "scale": {"domain": places}, "axis": when_axis},
        "y": quantity("value", axis(labels("figure.cumulative.axis", unit=unit))),
        "color": by_name("name", colour, symbolType="stroke"),
        "tooltip": tips(
            ("name", labels("figure.perspective")), ("when", labels("column.year")), ("value", unit, form)
        ),
    }
    layers = [
        line_at(0, "y"),
        {"mark": "line", "encoding": {**encoding, "strokeDash": by_name("name", dash)}},
        {"mark": {"type": "point", "filled": True, "size": 40}, "encoding": encoding},
    ]
    if end:
        layers += _end_layers(encoding["x"], places[-1], end, unit)
    return layered(rows, layers, height=300)


def _some(places: list[str]) -> list[str]:
    """At most eight places with a label; the last always has one, but not its neighbour."""
    every = -(-len(places) // 8)
    return [*places[:-1:every][: -1 if (len(places) - 1) % every == 1 else None], places[-1]]


def _end_layers(x: Any, when: str, end: list[float | None], unit: str) -> list[Spec]:
    """The improvement with the value at the end, and its band over the futures."""
    own = data([{"when": when, "value": end[0], "low": end[1], "high": end[2]}])
    form = number_format(end, sign=True)
    banded = is_number(end[1])
    lines = tips(("value", unit, form), *([("low", "P10", form), ("high", "P90", form)] if banded else []))
    point = {
        "data": own,
        "mark": {
            "type": "point",
            "shape": "diamond",
            "filled": True,
            "size": 130,
            "color": ADVICE,
            "opacity": 1,
        },
        "encoding": {"x": x, "y": quantity("value"), "tooltip": lines},
    }
    if not banded:
        return [point]
    band = {
        "data": own,
        "mark": {"type": "bar", "width": 12, "color": ADVICE, "opacity": 0.35},
        "encoding": {"x": x, "y": quantity("low"), "y2": {"field": "high"}, "tooltip": lines},
    }
    return [band, point]
