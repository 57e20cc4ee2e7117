"""The workbook for Dutch municipal analysts: which sheets there are and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO

import xlsxwriter

from sdopt.export.cells import plain_text
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.page import Book, Page
from sdopt.export.sheets_budget import fill_budget
from sdopt.export.sheets_explanation import (
    fill_alternatives,
    fill_contributions,
    fill_frontier,
    fill_prices,
    fill_room,
    fill_why,
)
from sdopt.export.sheets_fiscal import fill_fiscal_rules
from sdopt.export.sheets_forms import fill_forms
from sdopt.export.sheets_futures import fill_failing, fill_sensitivity
from sdopt.export.sheets_ledger import fill_conventions, fill_ledger, fill_perspectives
from sdopt.export.sheets_programmes import fill_programmes
from sdopt.export.sheets_proof import fill_proof
from sdopt.export.sheets_return import fill_return
from sdopt.export.sheets_robust import fill_robust, fill_robust_guide
from sdopt.export.sheets_run import fill_names, fill_run
from sdopt.export.sheets_tables import fill_assumptions, fill_constraints, fill_search
from sdopt.export.sheets_text import fill_guide, fill_summary
from sdopt.export.sheets_true import fill_break_even, fill_information
from sdopt.export.sheets_uncertainty import fill_uncertain_guide, fill_uncertainty
from sdopt.export.sheets_years import fill_allocation, fill_charts, fill_stocks
from sdopt.export.views import has
from sdopt.result import Result

Sheets = tuple[tuple[str, Callable[[Page], None], tuple[str, ...]], ...]
"""Label key, what fills it, and the tables of which at least one must have rows (none: always there)."""

SHEETS: Sheets = (
    ("guide", fill_guide, ()),
    ("summary", fill_summary, ()),
    ("allocation", fill_allocation, ("allocation",)),
    ("programmes", fill_programmes, ("programmes",)),
    ("charts", fill_charts, ("trajectories",)),
    ("stocks", fill_stocks, ("trajectories",)),
    ("return", fill_return, ("return",)),
    ("ledger", fill_ledger, ("ledger",)),
    ("perspectives", fill_perspectives, ("perspective_totals",)),
    ("conventions", fill_conventions, ("conventions",)),
    ("forms", fill_forms, ("forms",)),
    ("why", fill_why, ("shadow_prices",)),
    ("contributions", fill_contributions, ("contributions",)),
    ("room", fill_room, ("near_optimal",)),
    ("alternatives", fill_alternatives, ("alternatives",)),
    ("frontier", fill_frontier, ("frontier",)),
    ("constraints", fill_constraints, ("constraints",)),
    ("prices", fill_prices, ("shadow_prices",)),
    ("fiscal_rules", fill_fiscal_rules, ("fiscal_rules",)),
    ("budget", fill_budget, ("multi_year_budget",)),
    ("assumptions", fill_assumptions, ("assumptions",)),
    ("search", fill_search, ("search", "audit", "starts")),
    ("proof", fill_proof, ("certificate",)),
    ("names", fill_names, ("names",)),
    ("run", fill_run, ()),
)

SWEEP_SHEETS: Sheets = (
    ("uncertain_guide", fill_uncertain_guide, ()),
    ("uncertainty", fill_uncertainty, ()),
    ("sensitivity", fill_sensitivity, ("drawn",)),
    ("break_even", fill_break_even, ("break_even", "worth_of_decisions")),
    ("information", fill_information, ("information",)),
    ("failing", fill_failing, ("failing",)),
    ("names", fill_names, ("names",)),
    ("run", fill_run, ()),
)

ROBUST_SHEETS: Sheets = (
    ("robust_guide", fill_robust_guide, ()),
    ("robust", fill_robust, ("robust_measures",)),
    ("names", fill_names, ("names",)),
    ("run", fill_run, ()),
)

# Text stays text: xlsxwriter must not make formulas, links or numbers of it.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

NO_PICTURES: Mapping[str, bytes] = {}

CREATED = datetime(2000, 1, 1)
"""Fixed, so that the same result gives the same bytes; the date of the run is in run.json."""


def workbook_bytes(result: Result, pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """The workbook (.xlsx) in the result's language; the same result gives the same bytes.

    `pictures` are those of a sweep that were drawn already, as .png by name.
    """
    target = BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as workbook:
        workbook.set_properties({"title": plain_text(result.title), "created": CREATED})
        book = Book(workbook, with_shown_names(result), Labels(result.language), pictures=pictures)
        _write_sheets(book)
    return target.getvalue()


def _sheets_of(result: Result) -> Sheets:
    """The sheets of a sweep, of robust allocations, or of one advice."""
    if "drawn" in result.tables:
        return SWEEP_SHEETS
    return ROBUST_SHEETS if "robust_measures" in result.tables else SHEETS


def _write_sheets(book: Book) -> None:
    """Add the sheets that apply in order; fill the last first, as the summary points at cells of others.

    The second sheet, after the reading guide, is the one that opens.
    """
    applies = [
        sheet
        for sheet in _sheets_of(book.result)
        if not sheet[2] or any(has(book.result, table) for table in sheet[2])
    ]
    pages = [(Page(book, key), fill) for key, fill, _ in applies]
    for page, fill in reversed(pages):
        fill(page)
    pages[1][0].sheet.activate()
