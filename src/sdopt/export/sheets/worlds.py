"""The external scenarios beside each other, equally prominent: what the advice gives in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export import charts
from sdopt.export.findings_words import ADVICE, allocation_name, driver_lines, external_name
from sdopt.export.lists import NAME, honest, number_style
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

MOST = 11
"""Most external scenarios beside each other; the folder tables has them all."""
CHART_HEIGHT = 300
SHARE: Style = {"num_format": "0%"}
AMOUNTS = ("mean", "q05", "q50", "q95")
CHANCES = ("positive", "broken", "null_broken")


def worlds_table(result: Result) -> pd.DataFrame | None:
    """A row per external scenario and allocation of a sweep; None where there are fewer than two scenarios.

    external, allocation, mean, q05, q50, q95, positive, broken, null_broken, unit.
    """
    if not has(result, "distribution"):
        return None
    table = result.tables["distribution"]
    own = table[(table["external"] != "") & table["mean"].notna()]
    if own["external"].nunique() < 2 or ADVICE not in set(own["allocation"]):
        return None
    if has(result, "limits"):
        limits = result.tables["limits"]
        whole = limits[limits["limit"] == ""][["allocation", "external", "broken", "null_broken"]]
        own = own.merge(whole, on=["allocation", "external"], how="left")
    else:
        own = own.assign(broken=None, null_broken=None)
    return own[["external", "allocation", *AMOUNTS, *CHANCES, "unit"]]


def fill_worlds(page: Page) -> None:
    """A column per scenario: the advice, its limits, the other allocations; then what it hangs on."""
    result, labels = page.book.result, page.labels
    table = result.tables["worlds"]
    worlds = list(dict.fromkeys(table["external"]))
    shown = worlds[:MOST]
    page.set_up([40, *[max(16, 90 // len(shown))] * len(shown)], pages_high=1)
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.worlds", unit=unit))
    if len(worlds) > MOST:
        names = "; ".join(external_name(world, labels) for world in worlds[MOST:])
        page.across(labels("found.more_worlds", names=names, table="distribution"), **QUIET)
    own = table[table["allocation"] == ADVICE].set_index("external")
    _advice(page, own.loc[shown], unit)
    if table["allocation"].nunique() > 1:
        _others(page, table, shown)
    lines = driver_lines(result, labels)
    if lines:
        page.section(labels("worlds.drivers"))
        for line in lines:
            page.across(line, **THIN)
    page.finish(len(page.widths))


def _head(page: Page, title: str, key: str, worlds: Sequence[str]) -> None:
    page.section(page.labels(title))
    page.call_next(key)
    names = [external_name(world, page.labels) for world in worlds]
    page.header(["", *names], [NAME, *[{"align": "right"}] * len(names)])


def _advice(page: Page, own: pd.DataFrame, unit: str) -> None:
    """The advice in every scenario: amounts, chances, and a chart of the amounts."""
    labels, count = page.labels, len(own)
    style = number_style([*own["q05"], *own["q95"]], sign=True)
    _head(page, "worlds.advice", "worlds", list(own.index))
    header, at = page.row - 1, dict[str, int]()
    for key in AMOUNTS:
        at[key] = page.row
        look: Style = {**style, "bold": key == "mean"}
        page.rows([[labels(f"worlds.row.{key}"), *own[key]]], [NAME, *[look] * count], exact=True)
    for key in CHANCES:
        if own[key].notna().any():
            values = [labels(f"worlds.row.{key}"), *own[key].astype(float)]
            page.rows([values], honest(values, [NAME, *[SHARE] * count]))
    page.row += 1
    points = [(labels(f"worlds.row.{key}"), (page.name, at[key], 1, at[key], count)) for key in AMOUNTS[1:]]
    names = (page.name, header, 1, header, count)
    chart = charts.with_spread(page.book, labels("worlds.chart"), unit, names, points)
    charts.place(page, chart, 0, min(page.pixels, 1000), CHART_HEIGHT)
    charts.skip(page, CHART_HEIGHT)


def _others(page: Page, table: pd.DataFrame, worlds: Sequence[str]) -> None:
    """The mean improvement of every allocation in every scenario."""
    style = number_style([*table["mean"]], sign=True)
    _head(page, "worlds.others", "worlds_allocations", worlds)
    for allocation, rows in table.groupby("allocation", sort=False):
        means: dict[Any, Any] = dict(zip(rows["external"], rows["mean"], strict=True))
        values = [allocation_name(str(allocation), page.labels), *(means.get(world) for world in worlds)]
        page.rows([values], [NAME, *[style] * len(worlds)], exact=True)
    page.row += 1
