"""The sheet with the Iv3 taakvelden in three vintages of codes, and what the model puts on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, QUIET, TEXT, long_list
from sdopt.export.page import A3, MARK, Page, Style

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("account", "name", "in_budget", "pot", "model_lines", "code_2023_2024", "relation_2023_2024"),
    *("code_2022", "relation_2022", "source", "status", "note"),
)
MIXED = "mixed"


def fill_taakvelden(page: Page) -> None:
    """A row per taakveld, those of the budget first; what has no crosswalk to older codes stands out."""
    labels, table = page.labels, page.book.result.tables["taakvelden"]
    page.set_up([10, 40, 11, 18, 42, 21, 13, 12, 13, 36, 11, 40], paper=A3)
    page.heading(page.name, labels("sign.taakvelden"))
    shown = _per_account(table, labels).sort_values(["in_budget", "account"], ascending=[False, True])
    mixed = labels(f"relation.{MIXED}")
    long_list(page, shown, COLUMNS, lambda row: _styles(row, mixed))


def _per_account(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row per taakveld, with the lines of the budget on it as text."""
    lines = {account: _lines(rows, labels) for account, rows in table.groupby("account", sort=False)}
    words = {
        "in_budget": [bool(lines[account]) for account in table["account"]],
        "model_lines": [lines[account] for account in table["account"]],
        "pot": [labels.find(f"pot.{pot}", pot) for pot in table["pot"]],
        "status": [labels.find(f"source.{status}", status) for status in table["status"]],
        **{
            column: [labels.find(f"relation.{word}", word) for word in table[column]]
            for column in ("relation_2023_2024", "relation_2022")
        },
    }
    return table.assign(**words).drop_duplicates("account")


def _lines(rows: pd.DataFrame, labels: Labels) -> str:
    """Which model variables stand on a taakveld, and for which part: `Preventie 60 % (lasten)`."""
    return "\n".join(
        labels(
            "taakvelden.line",
            name=row.variable,
            share=labels.number(100 * row.share, 0),
            side=labels(f"side.{row.side}"),
        )
        for row in rows.itertuples()
        if row.variable
    )


def _styles(row: Mapping[str, Any], mixed: str) -> list[Style]:
    """What has no crosswalk stands out; a taakveld that the model has no money on is quiet."""
    name: Style = NAME if row["in_budget"] else {**NAME, "font_color": "#777777"}
    older = [
        {**TEXT, "bg_color": MARK, "bold": True} if row[key] == mixed else TEXT
        for key in ("relation_2023_2024", "relation_2022")
    ]
    there = CENTRE if row["in_budget"] else QUIET
    return [name, name, there, TEXT, TEXT, TEXT, older[0], TEXT, older[1], TEXT, TEXT, TEXT]
