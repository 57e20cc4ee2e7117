"""The sheets of a sweep that say what the outcome hangs on: sensitivity, and where the advice fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.findings_words import (
    ADVICE,
    driver_lines,
    external_name,
    failing_lines,
    reason_words,
)
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.page import THIN, Page, Style
from sdopt.export.precision import decimal_style, range_decimals
from sdopt.export.sheets_uncertainty import COUNT, QUIET, picture
from sdopt.export.views import fact, has

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
"""Most constants per external scenario in one table; the others are in the folder tables."""
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


def fill_sensitivity(page: Page) -> None:
    """Which constants matter: in words, a tornado, parts of the spread; what was drawn and what was not."""
    result, labels = page.book.result, page.labels
    page.set_up([46, 19, *[13] * 6, 24])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.sensitivity", unit=unit))
    for line in driver_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    if has(result, "tornado"):
        picture(page, "tornado")
        _tornado(page)
    for name in PARTS:
        if has(result, name):
            _parts(page, name)
    if has(result, "morris_screening"):
        _morris(page)
    _drawn(page)
    page.finish(len(page.widths))


def _first(page: Page, name: str, column: str) -> pd.DataFrame:
    """The largest rows of a table for the advice, per external scenario; says what is not shown."""
    labels, table = page.labels, page.book.result.tables[name]
    own = table[table["allocation"] == ADVICE]
    ordered = own.sort_values(column, ascending=False, kind="stable", na_position="last")
    worlds = [ordered[ordered["external"] == world] for world in dict.fromkeys(own["external"])]
    kept = [rows.head(SHOWN) for rows in worlds]
    page.section(labels(f"found.title.{name}"))
    page.across(labels(f"found.note.{name}"), **QUIET)
    hidden = len(own) - sum(map(len, kept))
    if hidden:
        page.across(labels("found.more", count=hidden, table=name), **QUIET)
    import pandas as pd

    shown = pd.concat(kept)
    return shown.assign(
        factor=shown["factor"],
        world=[external_name(world, labels) for world in shown["external"]],
        found_reason=[reason_words(reason, labels) for reason in shown["reason"]],
    )


def _tornado(page: Page) -> None:
    """Improvement of the advice with one constant at either end."""
    table = _first(page, "tornado", "swing")
    shown = table.assign(at_central=table["central"], factor_low=table["low"], factor_high=table["high"])
    ends = ["factor_low", "factor_high"]
    amounts = ["at_low", "at_central", "at_high", "swing"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        level = decimal_style(range_decimals(row["factor_low"], row["factor_high"]))
        amount = number_style([row["swing"]], sign=True)
        return [NAME, TEXT, level, level, *[amount] * len(amounts), TEXT]

    listed(page, shown, ["factor", "world", *ends, *amounts, "found_reason"], styles)
    page.row += 1


def _parts(page: Page, name: str) -> None:
    """Which part of the spread of the improvement every constant explains."""
    columns, order = PARTS[name]
    table = _first(page, name, order)
    shown, heads = table.rename(columns=columns), list(columns.values())
    styles: list[Style] = [NAME, TEXT, *[SHARE] * len(columns), TEXT]
    listed(page, shown, ["factor", "world", *heads, "found_reason"], lambda _: styles)
    page.row += 1


def _morris(page: Page) -> None:
    """Elementary effects: which constants can be left at their central value."""
    table = _first(page, "morris_screening", "mu_star")
    columns = ["mu_star", "mu_star_low", "mu_star_high", "mu", "sigma"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        amount = number_style([row["mu_star"]], sign=False)
        signed = number_style([row["mu_star"]], sign=True)
        return [NAME, TEXT, amount, amount, amount, signed, amount, TEXT]

    listed(page, table, ["factor", "world", *columns, "found_reason"], styles)
    page.row += 1


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
            level = decimal_style(range_decimals(row["factor_low"], row["factor_high"]))
            return [NAME, TEXT, level, level, level, TEXT, TEXT]

        columns = ["factor", "distribution", "factor_low", "used", "factor_high", "unit", "fixed_in"]
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
        level = decimal_style(range_decimals(min(0.0, *ends), max(0.0, *ends)))
        return [NAME, TEXT, COUNT, level, level, TEXT, *[SHARE] * 3]

    columns = ["factor", "where", "box_number", "above", "up_to", "unit"]
    listed(page, shown, [*columns, "box_coverage", "box_density", "box_support"], styles)
