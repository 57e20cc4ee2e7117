"""The sheets of a sweep that are read first: how to read it, and how sure the improvement is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdopt.export.breach_words import breach_lines
from sdopt.export.findings_words import (
    allocation_name,
    conclusion_lines,
    design_lines,
    distribution_lines,
    external_name,
    failed_line,
)
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.measured import measured_line
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.precision import chance_style, error_style
from sdopt.export.sheets.breaches import fill_gains, fill_limits
from sdopt.export.sheets.distribution import fill_histogram
from sdopt.export.views import fact, has

REGRETS = ("mean_least", "mean_most", "largest_least", "largest_most")
POINTS = ("q05", "q25", "q50", "q75", "q95")
COUNT: Style = {"num_format": "#,##0"}
SHARE: Style = {"num_format": "0%"}


def fill_uncertainty(page: Page) -> None:
    """Conclusion first; then limits, how the improvement is distributed, who wins, and what failed."""
    result, labels = page.book.result, page.labels
    page.set_up([34, 19, 14, 14, *[11] * 11])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.heading(
        page.name, f"{labels('sign.uncertainty', unit=unit)} {measured_line(result, labels)}".strip()
    )
    blocks = {
        "conclusion": conclusion_lines(result, labels),
        "breaches": breach_lines(result, labels),
        "figures": distribution_lines(result, labels),
        "made": [*design_lines(result, labels), *failed_line(result, labels)],
    }
    for key, lines in blocks.items():
        if lines:
            page.section(labels(f"found.title.{key}"))
            for line in lines:
                page.across(line, **THIN)
            page.row += 1
    fill_histogram(page)
    parts = {
        "distribution": _distribution,
        "pairs": _pairs,
        "limits": fill_limits,
        "gains": fill_gains,
        "regrets": _regrets,
    }
    for table, fill in parts.items():
        if has(result, table):
            page.section(labels(f"found.title.{table}"))
            page.call_next(table)
            fill(page)
            page.row += 1
    if has(result, "failures"):
        _failures(page)
    page.finish(len(page.widths))


def _distribution(page: Page) -> None:
    """Mean with its error, points of the distribution and probabilities, that of a broken limit included."""
    labels, tables = page.labels, page.book.result.tables
    page.across(labels("found.note.distribution"), **QUIET)
    table = tables["distribution"]
    risky = has(page.book.result, "limits")
    if risky:
        whole = tables["limits"].query("limit == ''")[["allocation", "external", "broken", "null_broken"]]
        table = table.merge(whole, on=["allocation", "external"], how="left")
        table = table.rename(columns={"broken": "any_broken", "null_broken": "now_broken"})
    shown = table.assign(
        allocation=[allocation_name(name, labels) for name in table["allocation"]],
        world=[external_name(name, labels) for name in table["external"]],
        found_mean=table["mean"],
        found_error=table["error"],
        scenarios_sound=table["scenarios"] - table["failed"],
        from_low=table["positive_low"],
        to_high=table["positive_high"],
    )
    columns = ["allocation", "world", "found_mean", "found_error", *POINTS, "positive", "from_low", "to_high"]
    more = ["any_broken", "now_broken"] if risky else []

    def styles(row: Mapping[str, Any]) -> list[Style]:
        amount = error_style(row["found_error"], row["found_mean"], sign=True)
        error = error_style(row["found_error"], row["found_error"])
        chance = chance_style(row["from_low"], row["to_high"])
        chances = [chance] * 3 + [SHARE] * len(more)
        return [NAME, TEXT, {**amount, "bold": True}, error, *[amount] * len(POINTS), *chances, COUNT]

    listed(page, shown, [*columns, *more, "scenarios_sound"], styles)


def _pairs(page: Page) -> None:
    """How likely every allocation is to give more than every other."""
    labels, table = page.labels, page.book.result.tables["pairs"]
    shown = table.assign(
        allocation=[allocation_name(name, labels) for name in table["allocation"]],
        against=[allocation_name(name, labels) for name in table["against"]],
        better=table["probability"],
        from_low=table["probability_low"],
        to_high=table["probability_high"],
    )

    def styles(row: Mapping[str, Any]) -> list[Style]:
        return [NAME, TEXT, *[chance_style(row["from_low"], row["to_high"])] * 3]

    listed(page, shown, ["allocation", "against", "better", "from_low", "to_high"], styles)


def _regrets(page: Page) -> None:
    """What every allocation misses compared with the best of each future by itself."""
    labels, table = page.labels, page.book.result.tables["regrets"]
    page.across(labels("found.note.regrets"), **QUIET)
    amounts = [name for name in REGRETS if table[name].notna().any()]
    if len(amounts) < len(REGRETS):
        page.across(labels("found.note.no_bound"), **QUIET)
    known = bool(table["proved"].notna().any())
    shown = table.assign(
        allocation=[allocation_name(name, labels) for name in table["allocation"]],
        unit=[labels.unit(str(unit)) for unit in table["unit"]],
        scenarios_sound=table["scenarios"],
        share_proved=table["proved"],
    )
    styles: list[Style] = [NAME, TEXT, *[number_style(table[name]) for name in amounts], *[SHARE] * known]
    columns = ["allocation", "unit", *amounts, *["share_proved"] * known, "scenarios_sound"]
    listed(page, shown, columns, lambda _: [*styles, COUNT])


SHOWN_FAILURES = 25


def _failures(page: Page) -> None:
    """Runs that gave no number, counted by reason."""
    labels, table = page.labels, page.book.result.tables["failures"]
    page.section(labels("found.title.failures"))
    for row in table.head(SHOWN_FAILURES).itertuples():
        name, runs = allocation_name(row.allocation, labels), labels.number(row.runs, 0)
        page.across(labels("found.failure", name=name, runs=runs, reason=row.reason), **THIN)
    if len(table) > SHOWN_FAILURES:
        page.across(labels("found.more", count=len(table) - SHOWN_FAILURES, table="failures"), **QUIET)
    page.row += 1
