"""The sheets that say what would have to be true, and which research is worth paying for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdopt.export.cells import is_number
from sdopt.export.findings_words import reason_words
from sdopt.export.lists import CENTRE, NAME, TEXT, listed, long_list, number_style
from sdopt.export.page import THIN, Page, Style
from sdopt.export.precision import chance_words, decimal_style, error_style, range_decimals
from sdopt.export.sheets_uncertainty import QUIET
from sdopt.export.views import fact, has

SHARE: Style = {"num_format": "0%"}
MILLION = 1e6


def fill_break_even(page: Page) -> None:
    """Per decision what would have to be true, in words; then every break-even value with its place."""
    labels, result = page.labels, page.book.result
    page.set_up([34, 15, 40, 13, 13, 13, 13, 19, 11, 14, 12, 12, 13])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.break_even", unit=unit))
    if has(result, "conditions"):
        for row in result.tables["conditions"].itertuples():
            contrast = labels(f"found.contrast.{row.contrast.replace(' ', '_')}")
            page.across(f"{row.decision}, {contrast}. {row.words}", **THIN)
        page.row += 1
    drawn = result.tables["drawn"]["looked_at"]
    if not drawn.all():
        page.across(labels("found.note.looked", count=int(drawn.sum()), total=len(drawn)), **QUIET)
    table = result.tables["break_even"]
    shown = table.assign(
        contrast=[labels(f"found.contrast.{name.replace(' ', '_')}") for name in table["contrast"]],
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
        gain=table["gain_central"],
    )
    columns = ["decision", "contrast", "factor", "turns_at", "factor_low", "used", "factor_high", "unit"]
    columns += ["within_range", "is_worth", "share_below", "chance_not_worth", "gain"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        level = decimal_style(range_decimals(row["factor_low"], row["factor_high"]))
        gain = number_style([row["gain"]], sign=True)
        return [
            NAME,
            TEXT,
            NAME,
            {**level, "bold": True},
            *[level] * 3,
            TEXT,
            CENTRE,
            TEXT,
            SHARE,
            SHARE,
            gain,
        ]

    long_list(page, shown, columns, styles)


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
    nothing = (table["value"] == 0) & (table["uncertainty"] != "everything")
    if nothing.any():
        page.across(labels("found.worth_zero", count=int(nothing.sum())), **QUIET)
    table = table[~nothing]
    names = {"everything": labels("found.everything"), "external scenario": labels("found.external")}
    shown = table.assign(
        unknown=[names.get(name, name) for name in table["uncertainty"]],
        worth_knowing=table["value"],
        found_error=table["error"],
        chance_gives=table["by_chance"],
        euros=table["value_eur"],
        part_of_all=table["part"],
        found_reason=[reason_words(str(reason), labels) for reason in table["reason"]],
    )
    columns = ["unknown", "worth_knowing", "found_error", "chance_gives", "euros", "part_of_all"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        amount = error_style(row["found_error"], row["worth_knowing"])
        return [NAME, amount, amount, amount, {"num_format": "#,##0"}, SHARE, TEXT]

    listed(page, shown, [*columns, "found_reason"], styles)
    page.finish(len(page.widths))


def information_lines(table: Any, labels: Any) -> list[str]:
    """What knowing everything is worth, and what to know first; what chance gives too is not named."""
    rows = list(table.itertuples())
    if not rows or not is_number(rows[0].value):
        return []
    unit = labels.unit(str(rows[0].unit))
    decimals = range_decimals(0.0, rows[0].value)
    lines = [labels("found.worth_everything", value=labels.number(rows[0].value, decimals), unit=unit)]
    real = [row for row in rows[1:] if is_number(row.value) and row.value > row.by_chance and row.value > 0]
    for row in real[:3]:
        name = labels("found.external") if row.uncertainty == "external scenario" else row.uncertainty
        share, value = chance_words(labels, row.part, 0), labels.number(row.value, decimals)
        lines.append(labels("found.worth_knowing", name=name, value=value, unit=unit, share=share))
    return lines if real else [*lines, labels("found.worth_nothing")]
