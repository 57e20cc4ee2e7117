"""What is gained up to every year, and from which year it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.explanation import perspective_name
from sdopt.export.figures.band import (
    Bands,
    band_cells,
    band_layers,
    band_words,
    bands_of,
    middle_names,
    middle_rows,
)
from sdopt.export.figures.figure import (
    ADVICE,
    OTHERS,
    Figure,
    Spec,
    allocation_colours,
    figure,
    one_line,
    said,
)
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


@dataclass(frozen=True)
class _Lines:
    """What is drawn: `names` of the lines of expected values (per perspective) with their `rows`, the bands
    over all futures, the `years`, the `unit`, and what is known of the end.
    """

    names: list[str]
    rows: list[dict[str, Any]]
    bands: Bands
    years: list[str]
    unit: str
    end: list[float | None]


def cumulative_figure(result: Result, labels: Labels) -> list[Figure]:
    """Gains up to every year: expected per perspective, and over all futures as a band with its median.

    At the end stands the improvement with the value of what remains.
    """
    lines = _lines(result, labels)
    if lines is None:
        return []
    places = [*lines.years, labels("figure.with_end")] if lines.end else lines.years
    words, spec = _words(result, lines, labels), _cumulative_spec(lines, places, labels)
    return [figure("cumulative", words, spec, _cells(lines, labels), _sources(result, lines))]


def _cells(lines: _Lines, labels: Labels) -> tuple[list[str], list[list[Any]]]:
    """Lines and bands with the years across; what is known of the end stands behind them."""
    table = [[name, *(row["value"] for row in lines.rows if row["name"] == name)] for name in lines.names]
    table += band_cells(lines.bands, labels)
    headers = [labels("figure.perspective" if lines.names else "figure.kind"), *lines.years]
    if not lines.end:
        return headers, table
    headers.append(labels("figure.with_end").replace("\n", " "))
    if not lines.names:  # the end of the first band: its P10, P50 and P90
        middle, low, high = lines.end
        points = [low, middle, high, *[None] * (len(table) - 3)]
        return headers, [[*row, point] for row, point in zip(table, points, strict=True)]
    unknown: list[float | None] = [None] * 3
    ends = [lines.end, *[unknown] * (len(table) - 1)]
    return [*headers, "P10", "P90"], [[*row, *end] for row, end in zip(table, ends, strict=True)]


def _lines(result: Result, labels: Labels) -> _Lines | None:
    """Expected values of an advice with the band of the advice, or the bands of a sweep alone."""
    bands = bands_of(result)
    if not has(result, "pay_back_years"):
        if not bands:
            return None
        first = next(iter(bands.values()))
        years = [f"{year:g}" for year in first["year"]]
        return _Lines([], [], bands, years, labels.unit(str(first["unit"].iloc[0])), _end(result))
    table = result.tables["pay_back_years"]
    names = {key: one_line(perspective_name(key, labels)) for key in dict.fromkeys(table["perspective"])}
    rows = [
        {"name": names[row.perspective], "when": f"{row.year:g}", "value": row.cumulative_discounted}
        for row in table.itertuples(index=False)
    ]
    years = [f"{year:g}" for year in sorted(set(table["year"]))]
    own = {name: band for name, band in bands.items() if name == "advice" and len(band) == len(years)}
    unit = labels.unit(str(table["unit"].iloc[0]))
    return _Lines(list(names.values()), rows, own, years, unit, _end(result))


def _sources(result: Result, lines: _Lines) -> list[str]:
    """The tables that the figure is made from."""
    expected = [name for name in ("pay_back_years", "pay_back") if lines.names]
    banded = ["conclusions"] if lines.end and is_number(lines.end[1]) else []
    swept = ["cumulative_band", *([] if lines.names else ["distribution"])] if lines.bands else []
    return [name for name in (*expected, *swept, *banded) if name in result.tables]


def _end(result: Result) -> list[float | None]:
    """The improvement with the value at the end, and its P10 and P90 over the futures; [] when not known.

    Of a sweep alone it is the median over the futures.
    """
    improvement = to_python(fact(result, "improvement"))
    if not is_number(improvement) and has(result, "cumulative_band") and has(result, "distribution"):
        swept = result.tables["distribution"]
        swept = swept[(swept["allocation"] == "advice") & (swept["external"] == "")]
        improvement = to_python(swept["q50"].iloc[0]) if len(swept) else None
    if not is_number(improvement):
        return []
    band: list[float | None] = [None, None]
    if has(result, "conclusions"):
        own = result.tables["conclusions"]
        own = own[(own["allocation"] == "advice") & (own["against"] == "null")]
        if len(own) and is_number(float(own["q10"].iloc[0])):
            band = [float(own["q10"].iloc[0]), float(own["q90"].iloc[0])]
    return [float(improvement), *band]


def _words(result: Result, lines: _Lines, labels: Labels) -> tuple[str, str]:
    """From which year it pays, and where the lines end."""
    titles, about = [], []
    if lines.bands:
        title, spread = band_words(lines.bands, lines.unit, labels)
        titles.append(title)
        about.append(spread)
    if lines.names:
        title, described = _expected_words(result, lines, labels)
        titles.append(title)
        about.insert(0, described)
    end = lines.end
    if end and is_number(end[1]) and is_number(end[2]):
        value, low, high = (said(labels, float(number or 0)) for number in end)
        about.append(labels("figure.cumulative.band", value=value, unit=lines.unit, low=low, high=high))
    return titles[0], " ".join(about)


def _expected_words(result: Result, lines: _Lines, labels: Labels) -> tuple[str, str]:
    """The same at expected values."""
    years, unit = lines.years, lines.unit
    ends = [row for row in lines.rows if row["when"] == years[-1]]
    total = said(labels, ends[0]["value"], sign=True)
    year = _pays_from(result)
    key = "never" if year is None else "from"
    words = {"total": total, "unit": unit, "last": years[-1], "year": f"{year or 0:g}"}
    each = "; ".join(f"{row['name']} {said(labels, row['value'], sign=True)}" for row in ends)
    about = labels("figure.cumulative.described", first=years[0], last=years[-1], unit=unit, each=each)
    return labels(f"figure.cumulative.{key}", **words), about


def _pays_from(result: Result) -> float | None:
    """The year from which gains outweigh costs for good, where there is one."""
    if not has(result, "pay_back"):
        return None
    table = result.tables["pay_back"]
    own = table[table["perspective"] == RETURN]
    year = to_python(own["year_discounted"].iloc[0]) if len(own) else None
    return float(year) if is_number(year) else None


def _cumulative_spec(lines: _Lines, places: list[str], labels: Labels) -> Spec:
    """A line per perspective and median; the improvement with the value at the end stands apart."""
    colour, dash = _looks(lines, labels)
    rows = [*lines.rows, *middle_rows(lines.bands, labels)]
    form = number_format((row["value"] for row in rows), sign=True)
    when_axis = {
        "title": None,
        "labelAngle": 0,
        "labelOverlap": False,
        "values": _some(places),
        "labelExpr": LINES,
    }
    x: Spec = {"field": "when", "type": "ordinal", "scale": {"domain": places}, "axis": when_axis}
    encoding = {
        "x": x,
        "y": quantity("value", axis(labels("figure.cumulative.axis", unit=lines.unit))),
        "color": by_name("name", colour, symbolType="stroke"),
        "tooltip": tips(
            ("name", labels("figure.perspective")),
            ("when", labels("column.year")),
            ("value", lines.unit, form),
        ),
    }
    band = next(iter(lines.bands.values()), None)
    layers = [
        line_at(0, "y"),
        *([] if band is None else band_layers(band, x, labels)),
        {"mark": "line", "encoding": {**encoding, "strokeDash": by_name("name", dash)}},
        {"mark": {"type": "point", "filled": True, "size": 40}, "encoding": encoding},
    ]
    if lines.end:
        layers += _end_layers(x, places[-1], lines.end, lines.unit)
    return layered(rows, layers, height=300)


def _looks(lines: _Lines, labels: Labels) -> tuple[dict[str, str], dict[str, list[int]]]:
    """Colour and dashes per line: medians have the colour of their allocation."""
    middle, own = middle_names(lines.bands, labels), allocation_colours(lines.bands)
    looks = [ADVICE, *OTHERS]
    colour = {name: looks[place % len(looks)] for place, name in enumerate(lines.names)}
    colour |= {middle[name]: own[name] for name in lines.bands}
    return colour, {name: DASHES[place % len(DASHES)] for place, name in enumerate(colour)}


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
