"""The sheet that lists the names of the tables, and the names themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT
from sdopt.export.page import Page
from sdopt.export.ranges import Block, Named, free_name, safe_name


def fill_ranges(page: Page) -> None:
    """Give every table on the other sheets its name, and list them; to be filled after those sheets."""
    labels, book = page.labels, page.book
    page.set_up([36, 28, 14, 58], portrait=True)
    page.heading(page.name, labels("sign.ranges"))
    header = page.row
    styles = [NAME, TEXT, TEXT, TEXT]
    page.header([labels(f"column.{key}") for key in ("range", "sheet", "cells", "in_range")], styles)
    page.freeze(header)
    for named in named_tables([one for one in book.pages if one is not page], labels):
        book.workbook.define_name(named.name, named.reference)
        page.rows([[named.name, named.sheet, named.cells, named.block.title]], styles)
    page.finish(len(page.widths))


def named_tables(pages: Iterable[Page], labels: Labels) -> Iterator[Named]:
    """Every table on the sheets, with a name of [a-z0-9_] that no other has."""
    used: set[str] = set()
    for page in pages:
        for block in page.blocks:
            if block.rows and (block.key or block.whole):
                name = free_name(safe_name(_called(page, block, labels)), used)
                used.add(name)
                yield Named(name, page.name, block)


def _called(page: Page, block: Block, labels: Labels) -> str:
    """What a table is called by its own key, or by its sheet."""
    if block.key:
        return labels.find(f"range.{block.key}", block.key)
    return labels.find(f"range.{page.key}", page.name)
