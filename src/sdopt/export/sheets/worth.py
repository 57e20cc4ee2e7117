"""Blocks that say first whether the advice and every decision are worth it, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.findings_words import allocation_name, conclusion_lines
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, listed
from sdopt.export.page import INK, THIN, Page, Style
from sdopt.export.precision import (
    apart_decimals,
    chance_style,
    decimal_style,
    error_style,
    level_style,
    level_words,
    own_decimals,
    range_decimals,
)
from sdopt.export.views import fact, has
from sdopt.export.worth import advised_line, ordered

if TYPE_CHECKING:
    import pandas as pd

    from sdopt.result import Result

QUIET: Style = {"italic": True, "font_color": "#555555"}
RULE = ("clearly", "equal", "probably", "uncertain", "interval")
SHARES = ("clearly", "probably", "spread", "small", "confidence")


def contrast_name(contrast: str, labels: Labels) -> str:
    """A little more, or as advised."""
    return labels(f"found.contrast.{contrast.replace(' ', '_')}")


def fill_compared(page: Page) -> None:
    """The allocations that are compared, and what may be said of each by rule."""
    labels, result = page.labels, page.book.result
    if not has(result, "conclusions"):
        return
    page.section(labels("worth.title.compared"))
    compared = dict.fromkeys(["null", *result.tables["conclusions"]["allocation"]])
    names = "; ".join(allocation_name(name, labels) for name in compared)
    page.across(labels("worth.compared", names=names), **QUIET)
    for line in conclusion_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1


def fill_decisions(page: Page) -> None:
    """Per decision which way the advice moves it, whether it is worth it, and what would have to be true."""
    labels, result = page.labels, page.book.result
    worth = result.tables["worth_of_decisions"] if has(result, "worth_of_decisions") else None
    words = _words(result, worth)
    page.section(labels("worth.title.decisions"))
    for line in _notes(result, worth, labels):
        page.across(line, **QUIET)
    advised = {row["decision"]: row for row in result.tables["advised"].to_dict("records")}
    for decision in ordered(result.tables["advised"], worth):
        page.across(advised_line(advised[decision], decision, labels), bold=True, font_color=INK)
        for contrast, lines in words.get(decision, {}).items():
            before = "" if worth is not None else f"{contrast_name(contrast, labels).capitalize()}. "
            page.across(before + lines[0], **THIN, indent=1)
            for line in lines[1:]:
                page.across(line, **THIN, indent=3)
    page.row += 1
    if worth is not None:
        _figures(page, worth)


def _words(result: Result, worth: pd.DataFrame | None) -> dict[str, dict[str, list[str]]]:
    """Decision -> contrast -> is it worth it, and what would have to be true."""
    found: dict[str, dict[str, list[str]]] = {}
    tables = [worth] if worth is not None else []
    tables += [result.tables["conditions"]] if has(result, "conditions") else []
    for table in tables:
        for row in table.itertuples():
            found.setdefault(row.decision, {}).setdefault(row.contrast, []).append(str(row.words))
    return found


def _notes(result: Result, worth: pd.DataFrame | None, labels: Labels) -> list[str]:
    """What a little more is, what is compared, and in how many futures."""
    more = float(result.tables["thresholds"].set_index("name")["value"]["little more"])
    said = [labels("worth.note.more", more=labels.number(100 * more, 0)), labels("worth.note.advised")]
    if worth is None:
        return said
    counts = {key: labels.number(int(worth[key].iloc[0]), 0) for key in ("draws", "scenarios")}
    worlds = int(fact(result, "external_scenarios") or 1)
    return [labels("worth.note.futures" if worlds > 1 else "worth.note.futures_alone", **counts), *said]


def _figures(page: Page, worth: pd.DataFrame) -> None:
    """The same in figures, a row per decision and contrast."""
    labels, result = page.labels, page.book.result
    order = {name: place for place, name in enumerate(ordered(result.tables["advised"], worth))}
    rows = worth.sort_values("decision", key=lambda names: names.map(order), kind="stable")
    shown = rows.assign(
        contrast=[contrast_name(name, labels) for name in rows["contrast"]],
        conclusion=[labels(f"found.kind.{kind.replace(' ', '_')}") for kind in rows["kind"]],
        chance_of_gain=rows["probability"],
        from_low=rows["probability_low"],
        to_high=rows["probability_high"],
        found_mean=rows["mean"],
        most_from=rows["from"],
        most_to=rows["to"],
        money_net=rows["spent"],
        money_moved=rows["size"],
        hangs=[bool(one) for one in rows["hangs_on"]],
        failed_share=rows["failed"],
    )
    columns = ["decision", "contrast", "conclusion", "chance_of_gain", "from_low", "to_high", "found_mean"]
    columns += ["most_from", "most_to", "money_net", "money_moved", "failed_share", "hangs"]
    errors = dict(zip(zip(shown["decision"], shown["contrast"], strict=True), rows["error"], strict=True))

    def styles(row: Mapping[str, Any]) -> list[Style]:
        chance = chance_style(row["from_low"], row["to_high"])
        amount = error_style(errors[row["decision"], row["contrast"]], row["found_mean"], sign=True)
        money = range_decimals(0.0, row["money_moved"]) if is_number(row["money_moved"]) else 0
        paid = decimal_style(money, sign=True), decimal_style(money)
        bold = {**amount, "bold": True}
        return [NAME, TEXT, NAME, *[chance] * 3, bold, *[amount] * 2, *paid, {"num_format": "0%"}, CENTRE]

    page.call_next("worth_of_decisions")
    listed(page, shown, columns, styles)
    page.row += 1


def fill_rule(page: Page) -> None:
    """The rule that gives the words, with the numbers that hold here and where they come from."""
    labels, table = page.labels, page.book.result.tables["thresholds"]
    values = dict(zip(table["name"], table["value"], strict=True))
    said = {name: labels.number(100 * values[name], own_decimals(100 * values[name], 1)) for name in SHARES}
    page.section(labels("worth.title.rule"))
    for key in RULE:
        page.across(labels(f"worth.rule.{key}", **said), **THIN)
    page.across(labels("worth.note.rule"), **QUIET)
    shown = table.assign(
        threshold=[labels(f"found.threshold.{name.replace(' ', '_')}") for name in table["name"]],
        used=table["value"],
        factor_low=table["low"],
        factor_high=table["high"],
    )
    two: Style = {"num_format": "0.0##"}
    styles: list[Style] = [NAME, {**two, "bold": True}, TEXT, two, two, two]
    columns = ["threshold", "used", "source", "usual", "factor_low", "factor_high"]
    page.call_next("thresholds")
    listed(page, shown, columns, lambda _: styles)
    page.row += 1


def fill_always(page: Page) -> None:
    """Constants that the question names or of which little is known: what they turn, also if nothing."""
    labels, result = page.labels, page.book.result
    drawn = result.tables["drawn"]
    chosen = drawn[drawn["listed"] != ""]
    if chosen.empty:
        return
    page.section(labels("worth.title.always"))
    page.across(labels("worth.note.always"), **QUIET)
    shown = chosen.assign(
        factor=chosen["constant"],
        why_listed=[labels(f"worth.listed.{why}") for why in chosen["listed"]],
        turns=[_turns(row, result, labels) for row in chosen.itertuples()],
        factor_low=chosen["low"],
        used=chosen["central"],
        factor_high=chosen["high"],
        unit=[labels.unit(str(unit)) for unit in chosen["unit"]],
    )
    page.call_next("drawn_listed")
    listed(page, shown, ["factor", "why_listed", "turns", "factor_low", "used", "factor_high", "unit"],
           lambda row: [NAME, TEXT, NAME, *range_styles(row), TEXT])  # fmt: skip
    page.row += 1


def range_styles(row: Mapping[str, Any]) -> list[Style]:
    """Styles of low, used and high: as these numbers were given, and no more than the range can tell."""
    ends = row["factor_low"], row["factor_high"], str(row["unit"])
    return [level_style(*ends, row[key]) for key in ("factor_low", "used", "factor_high")]


def _turns(constant: Any, result: Result, labels: Labels) -> str:
    """Which decisions a constant turns round within its range, and where; or that there are none."""
    if not constant.looked_at:
        return labels("worth.turns.not_looked")
    table = result.tables["break_even"]
    own = table[table["constant"] == constant.constant]
    ends = constant.low, constant.high, str(constant.unit)
    said = [
        labels(
            "worth.turns.at" if is_number(row.break_even) else "worth.turns.unseen",
            decision=row.decision,
            contrast=contrast_name(row.contrast, labels),
            value=level_words(labels, row.break_even, *ends) if is_number(row.break_even) else "",
        )
        for row in own[own["inside"]].itertuples()
    ]
    return "; ".join(said) if said else f"{labels('worth.turns.nothing')}{_most(own, labels)}"


def _most(own: pd.DataFrame, labels: Labels) -> str:
    """Of which decision a constant that turns nothing moves the gain most, from and to what."""
    known = own[own["gain_low"].notna() & own["gain_high"].notna()]
    if known.empty:
        return ""
    row = known.loc[(known["gain_high"] - known["gain_low"]).abs().idxmax()]
    decimals = apart_decimals(row["gain_low"], row["gain_high"])
    low, high = (labels.number(row[key], decimals, sign=True) for key in ("gain_low", "gain_high"))
    if low == high:
        return ""
    place = {"decision": row["decision"], "contrast": contrast_name(str(row["contrast"]), labels)}
    return labels("worth.turns.most", low=low, high=high, unit=labels.unit(str(row["gain_unit"])), **place)
