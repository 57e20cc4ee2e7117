"""Charts where they belong: each in a section, after the sentences it goes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from sdopt.export.cells import is_number
from sdopt.export.figures import Figure, number_locale, theme
from sdopt.export.figures.look import LIGHT
from sdopt.export.report.parts import Block, Case, Cell, Drawn, Section, decimals_for, needed_decimals
from sdopt.export.report.rules import TIMES, Places
from sdopt.export.report.traced import unmarked

PLACES: dict[str, tuple[str, ...]] = {
    "allocation": ("advice",),
    "improvement": ("sure",),
    "effects": ("costs",),
    "pockets": ("parties",),
    "gains": ("parties",),
    "cumulative": ("when", "sure"),
    "break_even": ("true",),
    "tornado": ("true",),
    "stocks": ("why", "sure"),
    "contributions": ("why",),
    "near_optimal": ("why",),
    "frontier": ("why",),
    "robust": ("robust",),
    "robust_price": ("robust",),
    "robust_limits": ("robust",),
    "limits": ("wrong",),
}
"""Key of a figure, without a number behind it -> the sections that may hold it, the first that is there.

Figures of one section come in this order.
"""
COLOURS = {LIGHT["ink"]: "var(--ink)", LIGHT["soft"]: "var(--soft)", LIGHT["line"]: "var(--line)",
           LIGHT["ground"]: "var(--paper)"}  # fmt: skip
"""Colours of the look on paper -> those of the page, which follow its theme and its print."""
REST, BEFORE = "figures", "assumptions"
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def with_charts(sections: Sequence[Section], figures: Sequence[Figure], case: Case) -> list[Section]:
    """The sections with every figure in one of them; what belongs nowhere gets a section of its own."""
    found = {section.key: section for section in sections}
    rest: list[Block] = []
    order = list(PLACES)
    keyed = [(figure.key.rstrip("_0123456789"), figure) for figure in figures]
    keyed.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    for key, figure in reversed(keyed):
        drawn = drawn_figure(figure, case)
        place = next((one for one in PLACES.get(key, ()) if one in found), None)
        if place is None:
            rest.insert(0, drawn)
        else:
            found[place] = _placed(found[place], drawn, key)
    whole = list(found.values())
    if rest:
        own = Section(REST, case.labels(f"report.section.{REST}"), rest)
        whole.insert(next((n for n, one in enumerate(whole) if one.key == BEFORE), len(whole)), own)
    return whole


def drawn_figure(figure: Figure, case: Case) -> Drawn:
    """A figure with its data as a table below it."""
    return Drawn(figure, [_head(figure, case, head) for head in figure.headers], *_table(figure, case))


def _placed(section: Section, drawn: Drawn, key: str) -> Section:
    """After the block that goes with it, or else after what the section begins with."""
    blocks = list(section.blocks)
    after = [place for place, block in enumerate(blocks) if getattr(block, "key", "") == key]
    leads = [place for place, block in enumerate(blocks) if block.kind in ("quoted", "facts")]
    place = after[0] if after else leads[-1] if leads and section.key == "advice" else 0
    place += blocks[place + 1 : place + 2] != [] and blocks[place + 1].kind == "fold"
    return replace(section, blocks=[*blocks[: place + 1], drawn, *blocks[place + 1 :]])


def _table(figure: Figure, case: Case) -> tuple[list[list[Cell]], frozenset[int]]:
    """The data of a figure as shown, and which columns are numbers."""
    columns = range(len(figure.headers))
    values = {column: [row[column] for row in figure.rows if is_number(row[column])] for column in columns}
    numbers = frozenset(column for column in columns if values[column])
    decimals = {column: decimals_for(values[column]) for column in numbers}
    years = {column for column in numbers if all(_is_year(value) for value in values[column])}
    own = _own_decimals(figure, case, numbers - years)
    return [
        [_cell(case, figure, row, column, 0 if column in years else
               own.get((*_thing(row), column), decimals.get(column, 0)), column in years)
         for column in columns]
        for row in figure.rows
    ], numbers - years  # fmt: skip


def _own_decimals(figure: Figure, case: Case, columns: frozenset[int]) -> dict[tuple[Any, ...], int]:
    """Decimals per thing and column where things have units of their own: 0.06 does not become 0."""
    if case.plain("column.unit") not in figure.headers:
        return {}
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in figure.rows:
        for column in columns:
            if is_number(row[column]):
                found.setdefault((*_thing(row), column), []).append(row[column])
    return {
        key: min(decimals_for(values), max(map(needed_decimals, values))) for key, values in found.items()
    }


def _thing(row: Sequence[Any]) -> tuple[str, ...]:
    """What a row is about: its first texts, up to its first number."""
    return tuple(takewhile(lambda value: isinstance(value, str), row))


def _is_year(value: float) -> bool:
    return 1900 <= value <= 2200 and float(value).is_integer()


def _head(figure: Figure, case: Case, head: str) -> Cell:
    """The head of a column; a year with the first row that is about it."""
    found = (
        cell
        for table in figure.source if head.isdigit()
        for column in TIMES if column in case.table(table)
        for cell in case.years(table, column, [float(head)])
    )  # fmt: skip
    return next(found, head)


def _cell(case: Case, figure: Figure, row: Sequence[Any], column: int, decimals: int, year: bool) -> Cell:
    """A value as text, or as a number with its source where a cell holds it."""
    value = row[column]
    if not is_number(value):
        return "–" if value is None else case.labels.yes_no(value) if isinstance(value, bool) else str(value)
    text = case.plain.number(value, decimals, marks=not year)
    words = {str(place): unmarked(one) for place, one in enumerate(row) if isinstance(one, str)}
    words |= {"head": figure.headers[column], "name": words.get("0", "")}
    places = Places(figure.key.rstrip("_0123456789"), column, figure.source, words)
    return case.sources.rules.of_figure(places, value, text) or case.sources.trace(value, text) or text


def chart_settings(language: str) -> dict[str, Any]:
    """For `report.js`: the look in the colours and letters of the page, and how numbers are written."""
    return {"config": {**_coloured(theme(dark=False)), "font": FONT}, "locale": number_locale(language)}


def _coloured(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _coloured(one) for key, one in value.items()}
    return COLOURS.get(value, value) if isinstance(value, str) else value
