"""The causal path in sentences: over which variables the decisions reach the return, in this model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdopt.export.explanation import short
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

STATIONS = 4
"""Variables of a route that a sentence names between the decision and the return."""


@dataclass(frozen=True)
class RouteStory:
    """One route: a sentence, and its rows of `causal_path`, from the decision to the return."""

    sentence: str
    steps: pd.DataFrame


@dataclass(frozen=True)
class Story:
    """One decision: what it changes and adds, its routes, and what goes over all others ("" if nothing)."""

    name: str
    sentence: str
    routes: tuple[RouteStory, ...]
    rest: str


def causal_lines(result: Result, labels: Labels) -> list[str]:
    """All sentences in a row, and what they are and are not; none without a causal path."""
    lines = []
    for story in stories(result, labels):
        lines += [story.sentence, *(route.sentence for route in story.routes)]
        lines += [story.rest] if story.rest else []
    return [*lines, means(result, labels), labels("path.caution")] if lines else []


def means(result: Result, labels: Labels) -> str:
    """Over which years the numbers on the way are averages."""
    table = result.tables["causal_path"]
    return labels("path.means", first=table["first_year"].iloc[-1], last=table["last_year"].iloc[-1])


def stories(result: Result, labels: Labels) -> tuple[Story, ...]:
    """The decisions whose routes are listed, that with the largest effect first, with shown names."""
    if not has(result, "causal_path"):
        return ()
    steps, decided = result.tables["causal_path"], result.tables["causal_decisions"].set_index("decision")
    return tuple(
        _story(decided.loc[key], rows, labels) for key, rows in steps.groupby("decision", sort=False)
    )


def _story(decision: Any, rows: pd.DataFrame, labels: Labels) -> Story:
    name, unit = str(decision["variable"]), labels.unit(str(decision["value_unit"]))
    routes = tuple(
        RouteStory(_route(part, number, labels), part)
        for number, (_, part) in enumerate(rows.groupby("route", sort=False), start=1)
    )
    said = labels(
        f"path.decision_{_way(decision['value'])}",
        name=name,
        null=_level(labels, decision["null"], decision["advice"]),
        advice=_level(labels, decision["advice"], decision["null"]),
        unit=labels.unit(str(decision["unit"])),
        mean=averaged(decision["elements"], labels),
        first=decision["first_year"],
        last=decision["last_year"],
        value=short(labels, abs(decision["value"])),
        value_unit=unit,
    )
    left = short(labels, decision["elsewhere"], sign=True)
    seen = abs(decision["elsewhere"]) > 0.005 * abs(rows["value"]).max()
    rest = labels("path.elsewhere", name=name, value=left, unit=unit) if seen else ""
    return Story(name, said, routes, rest)


def _level(labels: Labels, value: float, beside: float) -> str:
    """A value with as many decimals as the larger of it and what it is compared with; nothing is 0."""
    size = max(abs(value), abs(beside))
    return labels.number(value, 0 if value == 0 else sum(size < limit for limit in (100, 10, 0.1, 0.01)))


def _way(value: float) -> str:
    return "gains" if value > 0 else "costs"


def averaged(elements: int, labels: Labels) -> str:
    """Over how many parts of an array an average is."""
    return "" if elements == 1 else labels("path.mean", count=elements)


def _route(steps: pd.DataFrame, number: int, labels: Labels) -> str:
    """What a route carries, and the stations on the way."""
    value = float(steps["value"].iloc[0])
    return labels(
        f"path.route_{_way(value)}",
        number=number,
        value=short(labels, abs(value)),
        unit=labels.unit(str(steps["value_unit"].iloc[0])),
        stations=labels("path.then").join(_station(row, labels) for row in _stations(steps)),
    )


def _stations(steps: pd.DataFrame) -> Iterator[Any]:
    """Stocks on the way, else the first variable; and what the return is counted from at last."""
    between = list(steps.itertuples())[1:]
    inner = between[:-1] or between
    stocks = [row for row in inner[:-1] if row.kind == "stock"] or inner[:1]
    chosen = [*stocks[: STATIONS - 1], inner[-1]]
    yield from (row for row in inner if any(row.Index == one.Index for one in chosen))


def _station(row: Any, labels: Labels) -> str:
    return labels(
        "path.station",
        name=row.variable,
        null=_level(labels, row.null, row.advice),
        unit=labels.unit(str(row.unit)),
        change=short(labels, row.by_decision, sign=True),
        mean=averaged(row.elements, labels),
    ).replace(" )", ")")
