"""Tables on constants with the external scenarios beside each other: one in full, a column for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.findings_words import ADVICE, external_name, reason_words
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT, honest
from sdopt.export.page import QUIET, Page, Style

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
"""Most constants in one table; the others are in the folder tables."""
RANGE = ("low", "high")
"""Columns that hold in every external scenario."""
BESIDE = 4
"""Most external scenarios with a column beside the one that is written out."""

Looks = Callable[[Mapping[str, Any]], Mapping[str, Style]]
"""From a row (column -> value) to the style of each column."""


@dataclass(frozen=True)
class Listed:
    """A table per external scenario and constant: `columns` to write out, with their labels; `order`, the
    measure that says which constants matter; and how cells look.
    """

    name: str
    columns: Mapping[str, str]
    order: str
    looks: Looks


def fill_beside(page: Page, asked: Listed) -> None:
    """The constants that matter most: all columns in the first external scenario, the measure in the others.

    A scenario in which the measure looks the same everywhere has no column, but is named.
    """
    labels, table = page.labels, page.book.result.tables[asked.name]
    own = table[table["allocation"] == ADVICE]
    page.section(labels(f"found.title.{asked.name}"))
    page.call_next(asked.name)
    page.across(labels(f"found.note.{asked.name}"), **QUIET)
    first, *others = dict.fromkeys(own["external"])
    factors = list(
        own.groupby("factor", sort=False)[asked.order].max().sort_values(ascending=False, kind="stable").index
    )
    shown = _records(own, first, factors[:SHOWN], asked)
    measured = {world: _measure(own, world, asked.order) for world in others}
    alike = [world for world in others if _alike(shown, measured[world], asked)]
    beside = [world for world in others if world not in alike]
    for line in _notes(labels, asked, first, alike, beside, len(factors)):
        page.across(line, **QUIET)
    _write(page, asked, shown, {world: measured[world] for world in beside[:BESIDE]})
    page.row += 1


def _records(own: pd.DataFrame, first: str, factors: Sequence[str], asked: Listed) -> list[dict[str, Any]]:
    """A record per constant in the first external scenario; only its range where it is fixed there."""
    rows = {row["factor"]: row for row in own[own["external"] == first].to_dict("records")}
    fixed = own.drop_duplicates("factor").set_index("factor").to_dict("index")
    empty = {column: None for column in asked.columns if column not in RANGE} | {"reason": ""}
    return [rows.get(name) or {**fixed[name], "factor": name, **empty} for name in factors]


def _measure(own: pd.DataFrame, world: str, order: str) -> dict[str, float]:
    rows = own[own["external"] == world]
    return dict(zip(rows["factor"], rows[order], strict=True))


def _alike(shown: Sequence[Mapping[str, Any]], others: Mapping[str, float], asked: Listed) -> bool:
    """Whether a measure looks the same in another external scenario, for every constant shown."""
    return all(
        _as_shown(row[asked.order], style) == _as_shown(others.get(row["factor"]), style)
        for row in shown
        for style in [asked.looks(row)[asked.order]]
    )


def _as_shown(value: Any, style: Style) -> float | None:
    """A number rounded as its style shows it."""
    code = str(style["num_format"]).partition(";")[0]
    percent = code.endswith("%")
    decimals = len(code.rstrip("%").partition(".")[2]) + 2 * percent
    return round(float(value), decimals) if is_number(value) else None


def _notes(
    labels: Labels, asked: Listed, first: str, alike: Sequence[str], beside: Sequence[str], factors: int
) -> list[str]:
    """Which external scenario is written out, which look the same, and what is not shown."""
    what = labels(f"column.{asked.columns[asked.order]}")
    world = external_name(first, labels)
    same, more = ("; ".join(external_name(one, labels) for one in some) for some in (alike, beside[BESIDE:]))
    lines = []
    if alike or beside:
        said = "written_out" if beside else "written_out_only"
        lines.append(labels(f"found.note.{said}", world=world, what=what))
    if same:
        lines.append(labels("found.note.same_in", names=same, what=what, world=world))
    if more:
        lines.append(labels("found.more_worlds", names=more, table=asked.name))
    if factors > SHOWN:
        lines.append(labels("found.more", count=factors - SHOWN, table=asked.name))
    return lines


def _write(
    page: Page, asked: Listed, shown: Sequence[Mapping[str, Any]], beside: Mapping[str, Mapping[str, float]]
) -> None:
    """The header and a row per constant; the reason for a number that is missing only where there is one."""
    labels = page.labels
    why = [reason_words(str(row["reason"] or ""), labels) for row in shown]
    heads = [labels("column.factor"), *(labels(f"column.{label}") for label in asked.columns.values())]
    what = labels(f"column.{asked.columns[asked.order]}")
    heads += [labels("found.in_world", what=what, world=external_name(world, labels)) for world in beside]
    heads += [labels("column.found_reason")] * any(why)
    for number, (row, reason) in enumerate(zip(shown, why, strict=True)):
        looks = asked.looks(row)
        styles = [NAME, *(looks[column] for column in asked.columns), *[looks[asked.order]] * len(beside)]
        styles += [TEXT] * any(why)
        if number == 0:
            page.header(heads, styles)
        values = [row["factor"], *(row[column] for column in asked.columns)]
        values += [measure.get(str(row["factor"])) for measure in beside.values()]
        values += [reason] * any(why)
        page.rows([values], honest(values, styles))
