"""The sheet that is read first: how to read the workbook, and which sheets there are."""

from __future__ import annotations

from xlsxwriter.utility import quote_sheetname

from sdopt.export.certainty import meaning
from sdopt.export.kinds import kinds_of
from sdopt.export.made_of import tables_of
from sdopt.export.page import INK, QUIET, THIN, Page, Style
from sdopt.export.views import fact, has

SWEEP_GUIDE = ("about", "scenario", "chance", "precision", "failed", "limits")
ROBUST_GUIDE = ("about", "measures", "price", "bound", "limits")
GUIDE = ("about", "units", "sign", "status", "gap", "limits", "names", "cells")
TEXT: Style = {"text_wrap": True, "align": "left", "indent": 1}
HEAD: Style = {"bold": True, "font_color": INK, "text_wrap": True}


def fill_guide(page: Page) -> None:
    """In plain words: which sheets there are, and how to read the advice, the sweep and what is robust."""
    result, labels = page.book.result, page.labels
    page.set_up([32, 84, 44])
    page.heading(page.name, result.title)
    _contents(page)
    kinds = kinds_of(result) or ("advice",)
    parts = {"advice": _of_advice, "sweep": _of_sweep, "robust": _of_robust}
    for kind in kinds:
        page.row += 1
        page.section(labels(f"guide.part.{kind}"))
        for title, text in parts[kind](page):
            page.rows([[title, text]], [HEAD, TEXT])
    page.finish(3)


def _contents(page: Page) -> None:
    """Every sheet, with a link to it, what it holds, and the tables that its numbers are of."""
    page.section(page.labels("guide.contents"))
    page.across(page.labels("guide.made_of"), **QUIET)
    look = page.book.style(**HEAD, **THIN, underline=1)
    for other in page.book.pages:
        if other is page:
            continue
        text = page.labels.find(f"contents.{other.key}", "")
        tables = ", ".join(tables_of(other.key, page.book.result))
        page.rows([["", text, tables]], [HEAD, TEXT, {**TEXT, **QUIET}])
        place = f"internal:{quote_sheetname(other.name)}!A1"
        page.sheet.write_url(page.row - 1, 0, place, look, other.name)


def _of_advice(page: Page) -> list[tuple[str, str]]:
    result, labels = page.book.result, page.labels
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    keys = [*GUIDE, *(["ledger"] if has(result, "ledger") else [])]
    texts = {
        key: meaning(result, labels) if key == "status" else labels(f"guide.{key}", unit=unit) for key in keys
    }
    return [(labels(f"guide.{key}.title"), text) for key, text in texts.items()]


def _of_sweep(page: Page) -> list[tuple[str, str]]:
    labels = page.labels
    unit = labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    return [
        (labels(f"found.guide.{key}.title"), labels(f"found.guide.{key}", unit=unit)) for key in SWEEP_GUIDE
    ]


def _of_robust(page: Page) -> list[tuple[str, str]]:
    labels = page.labels
    tail = labels.number(100 * float(fact(page.book.result, "tail") or 0.0), 0)
    return [
        (labels(f"robust.guide.{key}.title"), labels(f"robust.guide.{key}", tail=tail))
        for key in ROBUST_GUIDE
    ]
