"""What could be chosen beside what was compared: part of the sheet on the value of knowing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdopt.export.findings_words import allocation_name
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, listed
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.precision import error_style
from sdopt.export.views import fact

SHARE: Style = {"num_format": "0%"}


def fill_options(page: Page, lines: list[str]) -> None:
    """What knowing is worth for the wider choice, in `lines`; then how good each option is."""
    labels, tables = page.labels, page.book.result.tables
    table, looked_at = tables["options"], tables["information_options"].iloc[0]
    draws, left_out = int(looked_at["draws"] + looked_at["left_out"]), int(looked_at["left_out"])
    at_random = fact(page.book.result, "design") == "grid"  # of which the first draws are alike
    page.row += 1
    page.section(labels("found.title.options"))
    note = "found.note.options_grid" if at_random else "found.note.options"
    page.across(f"{labels(note, draws=draws)} {labels('found.options.missed')}", **QUIET)
    if left_out:
        page.across(labels("found.options.left_out", count=left_out, draws=draws), **QUIET)
    for line in lines:
        page.across(line, **THIN)
    shown = table.assign(
        choice=[option_name(row, labels) for row in table.itertuples()],
        mean_improvement=table["mean"],
        missed_on_average=table["expected_regret"],
        none_better=table["best"],
    )
    columns = ["choice", "mean_improvement", "missed_on_average", "none_better"]
    errors = zip(table["error"], table["regret_error"], strict=True)
    known = dict(zip(shown["choice"], errors, strict=True))
    largest = table["error"].max(), table["regret_error"].max()  # for what does not vary, as nothing does

    def styles(row: Mapping[str, Any]) -> list[Style]:
        error, regret_error = (own or most for own, most in zip(known[row["choice"]], largest, strict=True))
        mean = error_style(error, row["mean_improvement"])
        missed = error_style(regret_error, row["missed_on_average"])
        return [NAME, mean, missed, {**CENTRE, **SHARE}]

    page.call_next("options")
    listed(page, shown, columns, styles)


def option_name(row: Any, labels: Labels) -> str:
    """An allocation that was compared by its name; an option by what it changes in the advice, and when."""
    if not row.decision:
        return allocation_name(row.allocation, labels)
    change = labels(f"found.option.{row.change.replace(' ', '_')}")
    years = dict.fromkeys((int(row.first_year), int(row.last_year)))  # one year is said once
    return labels("found.option", decision=row.decision, change=change, years="-".join(map(str, years)))
