"""The sheets of a sweep that say what the outcome hangs on: sensitivity, and where the advice fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.findings_words import driver_lines, external_name, failing_lines, span
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.precision import ends_style, level_style
from sdopt.export.sheets.tornado import fill_tornado
from sdopt.export.sheets.uncertainty import COUNT
from sdopt.export.views import fact, has
from sdopt.export.worlds_beside import Listed, fill_beside

if TYPE_CHECKING:
    import pandas as pd

SHARE: Style = {"num_format": "0%"}
# Table -> columns with numbers as parts of the variance, with their labels, and the one that orders the rows.
PARTS = {
    "sobol_indices": (
        {
            "first": "part_first",
            "first_low": "part_first_low",
            "first_high": "part_first_high",
            "total": "part_total",
            "total_low": "part_total_low",
            "total_high": "part_total_high",
        },
        "total",
    ),
    "explained_shares": ({"share": "part_share", "by_chance": "part_by_chance"}, "share"),
}
SWINGS = {
    "low": "factor_low",
    "high": "factor_high",
    "at_low": "at_low",
    "central": "at_central",
    "at_high": "at_high",
    "swing": "swing",
}
EFFECTS = {name: name for name in ("mu_star", "mu_star_low", "mu_star_high", "mu", "sigma")}


def fill_sensitivity(page: Page) -> None:
    """Which constants matter: in words, a tornado, parts of the spread; what was drawn and what was not."""
    result, labels = page.book.result, page.labels
    page.set_up([46, 19, *[15] * 10])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.sensitivity", unit=unit))
    for line in driver_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    if has(result, "tornado"):
        fill_tornado(page)
        fill_beside(page, _tornado(result.tables["tornado"]))
    for name in PARTS:
        if has(result, name):
            fill_beside(page, _parts(name))
    if has(result, "morris_screening"):
        fill_beside(page, _morris(result.tables["morris_screening"]))
    _drawn(page)
    page.finish(len(page.widths))


def _tornado(table: pd.DataFrame) -> Listed:
    """One constant at a time at an end: a range by its width, what the advice gives by the largest swing."""
    amount = number_style(table["swing"], sign=True)

    def looks(row: Mapping[str, Any]) -> dict[str, Style]:
        level = ends_style(row["low"], row["high"], str(row["factor_unit"]))
        return {column: level if column in ("low", "high") else amount for column in SWINGS}

    return Listed("tornado", SWINGS, "swing", looks)


def _morris(table: pd.DataFrame) -> Listed:
    """Elementary effects: which constants can be left at their central value."""
    amount, signed = (number_style(table["mu_star"], sign=sign) for sign in (False, True))
    looks = {column: signed if column == "mu" else amount for column in EFFECTS}
    return Listed("morris_screening", EFFECTS, "mu_star", lambda _: looks)


def _parts(name: str) -> Listed:
    """Which part of the spread of the improvement every constant explains."""
    columns, order = PARTS[name]
    return Listed(name, columns, order, lambda _: dict.fromkeys(columns, SHARE))


def _drawn(page: Page) -> None:
    """What was drawn and from which distribution; what the table calls uncertain and was not drawn."""
    labels, result = page.labels, page.book.result
    if has(result, "drawn"):
        table = result.tables["drawn"]
        page.section(labels("found.title.drawn"))
        page.across(labels("found.note.drawn"), **QUIET)
        shown = table.assign(
            factor=table["constant"],
            unit=[labels.unit(unit) for unit in table["unit"]],
            distribution=[labels(f"distribution.{kind}") for kind in table["distribution"]],
            factor_low=table["low"],
            used=table["central"],
            factor_high=table["high"],
            fixed_in=table["external"],
        )

        def styles(row: Mapping[str, Any]) -> list[Style]:
            level = ends_style(row["factor_low"], row["factor_high"], row["unit"])
            return [NAME, TEXT, level, level, level, TEXT, TEXT]

        columns = ["factor", "distribution", "factor_low", "used", "factor_high", "unit", "fixed_in"]
        page.call_next("drawn")
        listed(page, shown, columns, styles)
        page.row += 1
    if has(result, "not_drawn"):
        page.section(labels("found.title.not_drawn"))
        for row in result.tables["not_drawn"].itertuples():
            page.across(labels(f"found.not_drawn.{row.reason}", name=row.constant), **THIN)


def fill_failing(page: Page) -> None:
    """In which futures the advice fails: boxes in words, then their figures."""
    result, labels = page.book.result, page.labels
    page.set_up([46, 30, 8, 13, 13, 22, 13, 13, 13])
    page.heading(page.name, labels("sign.failing"))
    for line in failing_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    if has(result, "failing_boxes"):
        _boxes(page)
    page.finish(len(page.widths))


def _boxes(page: Page) -> None:
    labels, table = page.labels, page.book.result.tables["failing_boxes"]
    page.section(labels("found.title.failing_boxes"))
    page.across(labels("found.note.failing_boxes"), **QUIET)
    whose = zip(table["failure"], table["external"], strict=True)
    shown = table.assign(
        where=[f"{labels(f'found.failing.{how}')}, {external_name(world, labels)}" for how, world in whose],
        box_number=table["box"],
        unit=[labels.unit(str(unit)) for unit in table["unit"]],
        above=table["low"],
        up_to=table["high"],
    )

    def styles(row: Mapping[str, Any]) -> list[Style]:
        ends = [end for end in (row["above"], row["up_to"]) if end == end]
        level = level_style(*span(ends, row["unit"]), row["unit"])
        return [NAME, TEXT, COUNT, level, level, TEXT, *[SHARE] * 3]

    columns = ["factor", "where", "box_number", "above", "up_to", "unit"]
    page.call_next("failing_boxes")
    listed(page, shown, [*columns, "box_coverage", "box_density", "box_support"], styles)
