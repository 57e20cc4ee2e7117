"""The workbook for Dutch municipal analysts: which sheets there are and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import xlsxwriter

from sdopt.export.cells import plain_text
from sdopt.export.compared_columns import RUNS
from sdopt.export.labels import Labels
from sdopt.export.names import with_shown_names
from sdopt.export.page import CREATED, Book, Page
from sdopt.export.sheets.break_even import fill_break_even, fill_information
from sdopt.export.sheets.budget import fill_budget
from sdopt.export.sheets.compared import (
    fill_compared,
    fill_compared_limits,
    fill_compared_return,
    fill_compared_robust,
    fill_decisions,
    fill_inputs,
    fill_parties,
    fill_years,
)
from sdopt.export.sheets.compared_charts import fill_compared_charts
from sdopt.export.sheets.data import fill_data
from sdopt.export.sheets.explanation import (
    fill_alternatives,
    fill_contributions,
    fill_frontier,
    fill_prices,
    fill_room,
    fill_why,
)
from sdopt.export.sheets.fan import fill_fan
from sdopt.export.sheets.figures import fill_figures
from sdopt.export.sheets.fiscal import fill_fiscal_rules, fill_fiscal_tests
from sdopt.export.sheets.flows import fill_stock_flows
from sdopt.export.sheets.forms import fill_forms
from sdopt.export.sheets.futures import fill_failing, fill_sensitivity
from sdopt.export.sheets.ledger import fill_conventions, fill_ledger, fill_perspectives
from sdopt.export.sheets.path import fill_path
from sdopt.export.sheets.pay_back import fill_pay_back
from sdopt.export.sheets.programmes import fill_programmes
from sdopt.export.sheets.proof import fill_proof
from sdopt.export.sheets.ranges import fill_ranges
from sdopt.export.sheets.returns import fill_return
from sdopt.export.sheets.robust import fill_robust
from sdopt.export.sheets.run import fill_names, fill_run
from sdopt.export.sheets.summary import fill_summary
from sdopt.export.sheets.taakvelden import fill_taakvelden
from sdopt.export.sheets.tables import fill_assumptions, fill_constraints, fill_search
from sdopt.export.sheets.text import fill_guide
from sdopt.export.sheets.uncertainty import fill_uncertainty
from sdopt.export.sheets.worlds import fill_worlds, worlds_table
from sdopt.export.sheets.years import fill_allocation, fill_charts, fill_stocks
from sdopt.export.views import has
from sdopt.result import Result

Sheets = tuple[tuple[str, Callable[[Page], None], tuple[str, ...]], ...]
"""Label key, what fills it, and the tables of which at least one must have rows (none: always there)."""

SHEETS: Sheets = (
    ("guide", fill_guide, ()),
    ("summary", fill_summary, ()),
    ("figures", fill_figures, ("allocation", "constraints", "end_value")),
    ("allocation", fill_allocation, ("allocation",)),
    ("programmes", fill_programmes, ("programmes",)),
    ("budget", fill_budget, ("multi_year_budget",)),
    ("taakvelden", fill_taakvelden, ("taakvelden",)),
    ("fiscal_tests", fill_fiscal_tests, ("fiscal_rules",)),
    ("fiscal_rules", fill_fiscal_rules, ("fiscal_rules",)),
    ("return", fill_return, ("return",)),
    ("pay_back", fill_pay_back, ("pay_back_years", "ledger_years", "cumulative_band")),
    ("ledger", fill_ledger, ("ledger",)),
    ("perspectives", fill_perspectives, ("perspective_totals",)),
    ("charts", fill_charts, ("trajectories",)),
    ("stocks", fill_stocks, ("trajectories",)),
    ("stock_flows", fill_stock_flows, ("stock_flows",)),
    ("path", fill_path, ("causal_path",)),
    ("why", fill_why, ("shadow_prices",)),
    ("contributions", fill_contributions, ("contributions",)),
    ("room", fill_room, ("near_optimal",)),
    ("alternatives", fill_alternatives, ("alternatives",)),
    ("frontier", fill_frontier, ("frontier",)),
    ("forms", fill_forms, ("forms",)),
    ("constraints", fill_constraints, ("constraints",)),
    ("prices", fill_prices, ("shadow_prices",)),
    ("uncertainty", fill_uncertainty, ("thresholds", "distribution", "limits", "gains")),
    ("fan", fill_fan, ("fan",)),
    ("worlds", fill_worlds, ("worlds",)),
    ("sensitivity", fill_sensitivity, ("drawn",)),
    ("break_even", fill_break_even, ("break_even", "worth_of_decisions")),
    ("information", fill_information, ("information",)),
    ("failing", fill_failing, ("failing",)),
    ("robust", fill_robust, ("robust_measures",)),
    ("assumptions", fill_assumptions, ("assumptions",)),
    ("conventions", fill_conventions, ("conventions",)),
    ("data", fill_data, ("sources", "assumptions", "conventions")),
    ("search", fill_search, ("search", "audit", "starts")),
    ("proof", fill_proof, ("certificate",)),
    ("names", fill_names, ("names",)),
    ("ranges", fill_ranges, ()),
    ("run", fill_run, ()),
)
"""All sheets in order; what a result holds decides which apply: one run, or several joined."""

COMPARED_SHEETS: Sheets = (
    ("compared", fill_compared, ()),
    ("compared_decisions", fill_decisions, ("compared_decisions",)),
    ("compared_charts", fill_compared_charts, ("compared_allocation",)),
    ("compared_years", fill_years, ("compared_allocation",)),
    ("compared_robust", fill_compared_robust, ("compared_robust",)),
    ("compared_return", fill_compared_return, ("compared_return",)),
    ("compared_parties", fill_parties, ("compared_pockets", "compared_perspectives")),
    ("compared_limits", fill_compared_limits, ("compared_limits",)),
    ("compared_inputs", fill_inputs, ("compared_inputs",)),
    ("ranges", fill_ranges, ()),
)
"""The sheets of several results beside each other."""

# Text stays text: xlsxwriter must not make formulas, links or numbers of it.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

NO_PICTURES: Mapping[str, bytes] = {}


def workbook_bytes(result: Result, pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """The workbook (.xlsx) in the result's language; the same result gives the same bytes.

    `pictures` are figures that were drawn already, as .png by their key.
    """
    target = BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as workbook:
        workbook.set_properties({"title": plain_text(result.title), "created": CREATED})
        book = Book(workbook, _for_readers(result), Labels(result.language), pictures=pictures)
        _write_sheets(book)
    return target.getvalue()


def _for_readers(result: Result) -> Result:
    """The result with names for readers, and the tables that are worked out for a sheet of their own."""
    shown = with_shown_names(result)
    worlds = worlds_table(shown)
    return shown if worlds is None else shown.with_tables(worlds=worlds)


def _write_sheets(book: Book) -> None:
    """Add the sheets that apply in order; fill the last first, as the summary points at cells of others.

    The list of ranges comes last of all, when every table has its place.

    The second sheet, after the reading guide, is the one that opens.
    """
    sheets = COMPARED_SHEETS if RUNS in book.result.tables else SHEETS
    applies = [
        sheet for sheet in sheets if not sheet[2] or any(has(book.result, table) for table in sheet[2])
    ]
    pages = [(Page(book, key), fill) for key, fill, _ in applies]
    for page, fill in sorted(reversed(pages), key=lambda one: one[1] is fill_ranges):
        fill(page)
    pages[sheets is SHEETS][0].sheet.activate()
