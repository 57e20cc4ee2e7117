"""What a run gives: status, figures and tidy tables. The one definition of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TIDY_COLUMNS = ("run", "scenario", "allocation", "variable", "subscript", "time", "value", "unit")


class Status(Enum):
    """How far the answer can be trusted, each with its remedy."""

    OPTIMAL = (
        "optimal",
        "within the stated gap of the best possible, if return and constraints are concave (audited)",
    )
    ITERATION_LIMIT = (
        "iteration_limit",
        "stopped before the gap was reached: raise search.iterations or search.gap",
    )
    LOCAL = (
        "local",
        "concavity is disproved, so the bound is withdrawn or weak: best of several starts; see their spread",
    )
    SIMULATED = ("simulated", "a given allocation was simulated; nothing was optimised")

    @property
    def key(self) -> str:
        """Short machine-readable name."""
        return str(self.value[0])

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        return str(self.value[1])


@dataclass(frozen=True)
class Result:
    """Everything a run found. Values in `figures` are plain Python numbers, strings or None.

    figures: objective, null_objective, improvement, bound, gap (share of the improvement), gap_amount (in
        the objective's unit), gap_euro (None when that is not money), gap_reason, bound_assumes,
        bound_leans_on (names of constraints), replay_max_relative_difference, replay_worst_variable,
        objective_unit, seed, ...
    tables (name -> DataFrame):
        allocation     tidy; allocation in {null, advice}; variable = model name of a decision; time = year,
                       from the year before the decision years to the year after
        trajectories   tidy; every model variable at every year start; allocation in {null, advice}
        return         component, null, advice, difference, unit (present values)
        constraints    constraint, year, measure, sense, limit, null, advice, slack, binding (bool),
                       null_breaks (bool), shadow_price, unit
        fiscal_rules   (only when the config names a library) id, rule, title, part, kind, chosen (bool),
                       imposed (bool, in that year), year, measure, sense, limit, null, advice, slack,
                       binds (yes, no, not_applicable), null_verdict, verdict, null_class, class, prices, unit
        multi_year_budget  (only where the fiscal library has a budget) side, term, account, name, variable,
                       year, null, advice, difference, unit; totals of the year in its own prices
        assumptions    name, value, low, high, distribution, unit, source, link (number of the causal link),
                       status, confidence (in that link), note, uncertain (bool)
        end_value      weight, null, advice, difference, regret, regret_at_most, advice_changes
        search         iteration, best, bound, gap
        starts         start, objective, difference (only when status is local)
        audit          check, points, violations, largest_violation
        decisions      decision (id), variable, period (first year), value, lower, upper, at_bound
      only with a ledger (amounts are null, advice, difference, unit; present values but for ledger_years):
        ledger         effect, variable, pocket, kind, cash (bool), amounts, label (of effect, for readers)
        ledger_years   effect, pocket, year, kind, cash (bool), amounts (not discounted; no end values)
        perspectives   perspective, effect, kind, cash (bool), amounts
        perspective_totals  perspective, pockets, cash_only (bool), variable, maximised (bool), amounts,
                       of_which_decision_years and of_which_end_value (of the difference),
                       agrees (bool: flows differ as variable does)
      only with a ledger or a valuation:
        conventions    convention, method, constant, value, unit, source, status, note
    """

    status: Status
    title: str
    language: str
    figures: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def with_figures(self, **figures: Any) -> Result:
        """A copy with some figures added or replaced."""
        return replace(self, figures={**self.figures, **figures})

    def with_tables(self, **tables: pd.DataFrame) -> Result:
        """A copy with some tables added or replaced."""
        return replace(self, tables={**self.tables, **tables})
