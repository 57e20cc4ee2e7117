"""Which tables every sheet is made of: each number on a sheet comes from one of them, or from summary.json.

The reading guide tells readers, who find the tables in the folder `tables`; a test holds every sheet to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdopt.export.views import has
from sdopt.result import Result

_DRIVERS = ("sobol_indices", "explained_shares")

MADE_OF: Mapping[str, tuple[str, ...]] = {
    "guide": (),
    "summary": (
        *(
            "allocation",
            "decisions",
            "programmes",
            "multi_year_budget",
            "perspective_totals",
            "pay_back_years",
        ),
        *("ledger", "ledger_years", "constraints", "fiscal_rules", "end_value", "assumptions", "conventions"),
        *("advised", "conclusions", "distribution", "limits", "gains", "worth_of_decisions", "conditions"),
        *("cumulative_band", *_DRIVERS, "robust_measures", "robust_price", "robust_allocations"),
    ),
    "figures": (
        *("allocation", "decisions", "programmes", "perspective_totals", "constraints", "fiscal_rules"),
        *("end_value", "assumptions", "audit", "starts"),
    ),
    "allocation": ("allocation", "decisions"),
    "programmes": ("programmes", "programme_years"),
    "budget": ("multi_year_budget",),
    "taakvelden": ("taakvelden",),
    "fiscal_tests": ("fiscal_rules",),
    "fiscal_rules": ("fiscal_rules",),
    "return": ("return", "ledger", "not_valued", "pay_back", "end_value"),
    "pay_back": ("pay_back_years", "ledger_years", "cumulative_band", "conclusions", "distribution"),
    "ledger": ("ledger", "ledger_years"),
    "perspectives": ("perspectives", "perspective_totals"),
    "charts": ("trajectories",),
    "stocks": ("trajectories",),
    "stock_flows": ("stock_flows",),
    "path": ("causal_decisions", "causal_path"),
    "why": (
        *("shadow_prices", "decisions", "near_optimal", "alternatives", "alternative_returns"),
        *("contributions", "mechanisms", "pay_back", "frontier", "optimality"),
    ),
    "contributions": ("contributions", "mechanisms", "pay_back"),
    "room": ("near_optimal",),
    "alternatives": ("alternatives", "alternative_returns"),
    "frontier": ("frontier", "frontier_decisions"),
    "forms": ("forms", "forms_allocation", "forms_choices"),
    "constraints": ("constraints", "allocation", "decisions"),
    "prices": ("shadow_prices", "decisions"),
    "uncertainty": (
        "conclusions",
        "distribution",
        "curve",
        "limits",
        "empty_stocks",
        "gains",
        "pairs",
        "regrets",
        "failures",
    ),
    "fan": ("fan",),
    "worlds": ("distribution", "limits", *_DRIVERS),
    "sensitivity": ("tornado", *_DRIVERS, "morris_screening", "drawn", "not_drawn"),
    "break_even": (
        "break_even",
        "advised",
        "worth_of_decisions",
        "conditions",
        "conclusions",
        "thresholds",
        "drawn",
    ),
    "information": ("information", "information_options", "options"),
    "failing": ("failing", "failing_boxes"),
    "robust": (
        *("robust_measures", "robust_price", "robust_proof", "robust_limits", "robust_allocations"),
        *("robust_adaptive", "robust_adaptive_value"),
    ),
    "assumptions": ("assumptions",),
    "conventions": ("conventions",),
    "data": ("conventions", "assumptions", "sources", "allocation", "decisions", "multi_year_budget"),
    "search": ("search", "audit", "starts"),
    "proof": ("certificate", "certificate_errors"),
    "names": (),
    "ranges": (),
    "run": (),
}
"""Label key of a sheet -> tables; those that the result does not have do not matter."""


def tables_of(sheet: str, result: Result) -> list[str]:
    """The tables of a result that a sheet is made of."""
    return [table for table in MADE_OF.get(sheet, ()) if has(result, table)]
