"""The sheets that say what would have to be true, and which research is worth paying for."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.findings_words import reason_words
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, listed
from sdopt.export.page import THIN, Page, Style
from sdopt.export.precision import (
    chance_words,
    decimal_style,
    error_style,
    known_decimals,
    level_style,
    range_decimals,
)
from sdopt.export.sheets.options import fill_options
from sdopt.export.sheets.worth import (
    QUIET,
    contrast_name,
    fill_always,
    fill_compared,
    fill_decisions,
    fill_rule,
    range_styles,
)
from sdopt.export.views import fact, has

if TYPE_CHECKING:
    import pandas as pd

SHARE: Style = {"num_format": "0%"}
ROUNDING = 1e-9
"""Part of what knowing everything is worth below which a value is rounding."""


def fill_break_even(page: Page) -> None:
    """First in words, what is worth it and what would have to be true; then every break-even value."""
    labels, result = page.labels, page.book.result
    page.set_up([34, 15, 40, 13, 13, 13, 13, 19, 11, 14, 12, 12, 13])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.break_even", unit=unit))
    for fill in (fill_decisions, fill_compared, fill_rule, fill_always):
        fill(page)
    if has(result, "break_even"):
        _values(page)
    page.finish(len(page.widths))


def _values(page: Page) -> None:
    """Every break-even value, with its place in the range."""
    labels, result = page.labels, page.book.result
    page.section(labels("worth.title.values"))
    drawn = result.tables["drawn"]["looked_at"]
    if not drawn.all():
        page.across(labels("found.note.looked", count=int(drawn.sum()), total=len(drawn)), **QUIET)
    table = _that_matter(page)
    if table.empty:
        return
    shown = table.assign(
        contrast=[contrast_name(name, labels) for name in table["contrast"]],
        factor=table["constant"],
        turns_at=table["break_even"],
        factor_low=table["low"],
        used=table["central"],
        factor_high=table["high"],
        unit=[labels.unit(str(one)) for one in table["unit"]],
        within_range=[
            bool(i) if is_number(at) else ""
            for i, at in zip(table["inside"], table["break_even"], strict=True)
        ],
        is_worth=[labels(f"found.worth.{word}") for word in table["worth"]],
        chance_not_worth=[
            chance if is_number(chance) else labels("found.no_chance") for chance in table["chance_not_worth"]
        ],
        gain=table["gain_central"],
    )
    columns = ["decision", "contrast", "factor", "turns_at", "factor_low", "used", "factor_high", "unit"]
    columns += ["within_range", "is_worth", "share_below", "chance_not_worth", "gain"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        level = level_style(row["factor_low"], row["factor_high"], str(row["unit"]))
        gain = decimal_style(range_decimals(0.0, row["gain"]), sign=True)
        place = [{**level, "bold": True}, *range_styles(row), TEXT]
        return [NAME, TEXT, NAME, *place, CENTRE, TEXT, SHARE, SHARE, gain]

    header = page.row
    page.call_next("break_even")
    listed(page, shown, columns, styles)
    page.sheet.autofilter(header, 0, page.row - 1, len(columns) - 1)


def _that_matter(page: Page) -> pd.DataFrame:
    """The break-even values, without constants that turn nothing and hardly move the gain of a decision."""
    tables = page.book.result.tables
    table = tables["break_even"]
    part = float(tables["thresholds"].set_index("name")["value"]["matters"])
    moves = (table["gain_high"] - table["gain_low"]).abs() > part * table["gain_central"].abs()
    shown = table[moves | ~table["worth"].isin(["always", "never"])]
    if len(shown) < len(table):
        rest = page.labels("found.more", count=len(table) - len(shown), table="break_even")
        page.across(rest, **QUIET)
    return shown


def fill_information(page: Page) -> None:
    """What knowing an uncertainty before choosing is worth, with its error."""
    labels, result = page.labels, page.book.result
    page.set_up([50, 16, 13, 13, 18, 12, 40])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.information", unit=unit))
    table = result.tables["information"]
    for line in information_lines(table, labels):
        page.across(line, **THIN)
    page.row += 1
    nothing = (table["value"] == 0) | (table["part"].abs() < ROUNDING)
    nothing &= table["uncertainty"] != "everything"
    if nothing.any():
        page.across(labels("found.worth_zero", count=int(nothing.sum())), **QUIET)
    table = table[~nothing]
    names = {"everything": labels("found.everything"), "external scenario": labels("found.external")}
    shown = table.assign(
        unknown=[names.get(name, name) for name in table["uncertainty"]],
        worth_knowing=table["value"],
        found_error=table["error"],
        chance_gives=table["by_chance"],
        euros=[_rounded(row) for row in table.itertuples()],
        part_of_all=table["part"],
        found_reason=[reason_words(str(reason), labels) for reason in table["reason"]],
    )
    columns = ["unknown", "worth_knowing", "found_error", "chance_gives", "euros", "part_of_all"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        amount = error_style(row["found_error"], row["worth_knowing"])
        return [NAME, amount, amount, amount, {"num_format": "#,##0"}, SHARE, TEXT]

    page.call_next("information")
    listed(page, shown, [*columns, "found_reason"], styles)
    if has(result, "options"):
        fill_options(page, information_lines(result.tables["information_options"], labels))
    page.finish(len(page.widths))


def _rounded(row: Any) -> float:
    """What knowing is worth in euros, to the first digit of its standard error."""
    error = float(row.error / row.value * row.value_eur) if row.value else 0.0
    rounds = is_number(error) and error > 1.0
    return float(round(row.value_eur, -floor(log10(error))) if rounds else row.value_eur)


def _amount(row: Any, labels: Labels) -> str:
    """What knowing is worth, in no more decimals than its standard error lets be known."""
    known = known_decimals(row.error)
    return labels.number(row.value, range_decimals(0.0, row.value) if known is None else known)


def _is_sure(row: Any) -> bool:
    """Whether knowing is worth more than chance gives, by two standard errors too: many are looked at."""
    return bool(row.value > max(row.by_chance, 2 * row.error))


def information_lines(table: Any, labels: Labels) -> list[str]:
    """What knowing everything is worth, and what to know first; what chance gives too is not named."""
    rows = list(table.itertuples())
    if not rows or not is_number(rows[0].value):
        return []
    unit = labels.unit(str(rows[0].unit))
    error, decimals = "", known_decimals(rows[0].error)
    if decimals is not None:
        error = labels("found.worth_error", error=labels.number(rows[0].error, decimals))
    lines = [labels("found.worth_everything", value=_amount(rows[0], labels), unit=unit, error=error)]
    real = [row for row in rows[1:] if is_number(row.part) and row.part > ROUNDING and _is_sure(row)]
    for row in real[:3]:
        name = labels("found.external") if row.uncertainty == "external scenario" else row.uncertainty
        share, value = chance_words(labels, row.part, 0), _amount(row, labels)
        lines.append(labels("found.worth_knowing", name=name, value=value, unit=unit, share=share))
    return lines if real else [*lines, labels("found.worth_nothing")]
