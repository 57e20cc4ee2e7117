"""The sheet with the fiscal rules: chosen or not, kept or not, and whether they bind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdopt.export.fiscal import fiscal_lines
from sdopt.export.lists import CENTRE, NAME, QUIET, TEXT, long_list, number_style
from sdopt.export.page import A3, MARK, THIN, WARN, YEAR, Page, Style

COLUMNS = (
    *("id", "rule", "part", "rule_kind", "chosen", "imposed", "year", "measure", "sense", "limit", "null"),
    *("advice", "slack", "binds", "null_verdict", "verdict", "null_class", "class", "prices", "unit"),
)
WORDS = {
    "rule_kind": "rule_kind",
    "measure": "measure",
    "sense": "sense",
    "binds": "binds",
    "null_verdict": "verdict",
    "verdict": "verdict",
    "prices": "prices",
}
"""Column -> the start of the keys of its words."""


def fill_fiscal_rules(page: Page) -> None:
    """Every rule of the library; a chosen one has a row per limit and year."""
    labels, result = page.labels, page.book.result
    table = result.tables["fiscal_rules"]
    page.set_up([6, 26, 24, 14, 8, 9, 7, 17, 12, 11, 15, 11, 10, 8, 17, 17, 8, 8, 9, 17], paper=A3)
    page.heading(page.name, labels("sign.fiscal_rules"))
    for line in fiscal_lines(result, labels):
        page.across(line, **THIN)
    page.row += 1
    table = table.assign(rule=table["title"], rule_kind=table["kind"])
    words = {
        column: [labels.find(f"{key}.{value}", str(value)) for value in table[column]]
        for column, key in WORDS.items()
    }
    shown = table.assign(**words, unit=[labels.unit(unit) for unit in table["unit"]])
    marks = {labels("verdict.broken"): WARN, labels("binds.yes"): MARK}
    long_list(page, shown, COLUMNS, lambda row: _styles(row, marks))


def _styles(row: Mapping[str, Any], marks: Mapping[str, str]) -> list[Style]:
    """Decimals that fit the row; a rule that binds or is not kept stands out."""
    level = number_style([row["limit"], row["null"], row["advice"], 1.0])
    name: Style = NAME if row["chosen"] else {**NAME, "font_color": "#999999"}
    year: Style = {"num_format": YEAR, "align": "left"}
    yes_no = [CENTRE if row[key] else QUIET for key in ("chosen", "imposed")]
    outcome = [_outcome(row[key], marks) for key in ("binds", "null_verdict", "verdict")]
    words = [*[name] * 3, TEXT, *yes_no, year, TEXT, TEXT]
    return [*words, *[level] * 4, *outcome, CENTRE, CENTRE, TEXT, TEXT]


def _outcome(value: object, marks: Mapping[str, str]) -> Style:
    """The style of a verdict: marked when it matters."""
    colour = marks.get(str(value))
    return {**CENTRE, "text_wrap": True, **({"bg_color": colour, "bold": True} if colour else {})}
