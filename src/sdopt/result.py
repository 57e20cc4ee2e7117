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
    CERTIFIED = (
        "certified",
        "within the stated gap of the best possible: proved without assuming that anything is concave",
    )
    ITERATION_LIMIT = (
        "iteration_limit",
        "stopped before the gap was reached: raise search.iterations or search.gap",
    )
    LOCAL = (
        "local",
        "concavity is disproved, so the bound is withdrawn or weak: best of several starts; see their spread",
    )
    TIME_LIMIT = (
        "time_limit",
        "stopped by --time-limit: the best allocation so far, with its gap; --resume goes on from here",
    )
    INTERRUPTED = (
        "interrupted",
        "stopped by Ctrl-C: the best allocation so far, with its gap; --resume goes on from here",
    )
    SIMULATED = ("simulated", "a given allocation was simulated; nothing was optimised")
    COMPARED = ("compared", "results were set beside each other; nothing was simulated")

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
        bound_leans_on and bound_leaves_out (names of constraints; those left out are not concave),
        measures_missing (of robust allocations: those by which nothing was found before it was stopped),
        certified_bound, certified_gap, certified_gap_amount, certified_gap_euro,
        certified_tolerance, certified_allowance (breach of a limit that the search allows itself),
        certified_margins (name -> part), certified_assumes (only when a certificate was asked for; None
        where nothing was proved), certificate_stopped, forms_stopped and explanation_stopped (asked for, and
        not there because the run was stopped before them), objective_unit, seed,
        replay_max_relative_difference, replay_worst_variable, ...
    tables (name -> DataFrame):
        allocation     tidy; allocation in {null, advice}; variable = model name of a decision; time = year,
                       from the year before the decision years to the year after
        trajectories   tidy; every model variable at every year start; allocation in {null, advice}
        return         component, null, advice, difference, unit (present values)
        constraints    constraint, year, measure, sense, limit, null, advice, slack, binding (bool),
                       null_breaks (bool), shadow_price, unit
        fiscal_rules   (only when the config names a library) id, rule, title, part, kind, chosen (bool),
                       imposed (bool, in that year), year, measure, sense, limit, null, advice, null_slack,
                       slack, binds (yes, no, not_applicable), null_verdict, verdict, null_class, class,
                       prices, unit
        multi_year_budget  (only where the fiscal library has a budget) side (income, spending, or reserves:
                       what is added to them), term, account, name, variable, year, null, advice, difference,
                       unit; totals of the year in its own prices
        taakvelden     (only where that budget has a table of accounts) account, name, code_2023_2024,
                       relation_2023_2024, code_2022, relation_2022, pot, variable, share, side, term, source,
                       status, note; a row per account and line of the budget, one where there is none
        stock_flows    (of a model with stocks) stock, direction (start, in, out, net, adjustment, end), flow,
                       year, null, advice, difference, unit; start + in - out + net + adjustment = end, in
                       every year of the horizon
        pay_back       (of an advice) perspective, year, year_discounted, lowest, lowest_year, total,
                       total_discounted, unit
        pay_back_years perspective, year, cumulative, cumulative_discounted, unit
        causal_decisions  (of an advice, where it can be told; means over first_year to last_year) decision
                       (id, or the array of several), variable, elements (of the array, over which is
                       averaged too), null, advice, unit, first_year, last_year, value (its part in the
                       improvement, by Aumann and Shapley), listed (of which over the routes of causal_path),
                       elsewhere (over all others), value_unit
        causal_path    decision, route (1 carries most), step (0 is the decision), variable, kind, elements,
                       null, advice, by_decision (part of their difference, over all routes), unit,
                       first_year, last_year, branch (what all routes that begin as this one up to here
                       carry), value (of the route), share (of the value of the decision), value_unit
        sources        role, file (name), sha256; the files that the question was read from
        assumptions    name, value, low, high, distribution, unit, source, link (number of the causal link),
                       status, confidence (in that link), note, uncertain (bool)
        end_value      weight, null, advice, difference, regret, regret_at_most, advice_changes
        search         iteration, best, bound, gap
        certificate    (only when asked for) box, bound (improvement proved by then), improvement, gap_amount,
                       boxes_left, mean_width (of the box, as part of the distance between bounds)
        certificate_errors  variable, error (what the bound of the last box owes to it; the objective's unit)
        starts         start, objective, difference (only when status is local)
        audit          check, points, violations, largest_violation
        decisions      decision (id), variable, period (first year), value, lower, upper, at_bound
        programmes     (only with programmes) programme (id), variable, starts (year, absent for never),
                       last_year (that it runs, of the decision years), years, smallest, largest, amount,
                       costs, outlay (sums over the decision years), adds (to the objective), unit
        programme_years  programme, variable, year, runs (bool), amount, start_cost, yearly_cost, outlay, unit
      only with forms (improvement and bound are over the null alternative):
        forms          form (`free` is the free path), kind, detail, relative_to (of rules), values (how many
                       are chosen), objective, improvement, bound, gap, status (`none`: no allocation),
                       price (improvement lost), price_share (of the improvement), price_at_least and
                       price_at_most (what the bounds prove), certain (bool: the price is larger than the
                       gaps), unit, reason (of `none`, or of a bound that is withdrawn), reason_key and
                       reason_about (the same as a word, and the name it is about)
        forms_allocation  form, decision (id), variable, year, value, unit
        forms_clashes  (only where a form's limits clash) form, repair (0: what clashes; 1, 2, ...: changes
                       of which each is enough), entry (of the config), years, sense, limit, unit, share (of
                       a change limit), now and more (after a change), found, count, sure, sure_names,
                       repaired (what is known of the clash: keys of optimise/infeasible/said.py)
        forms_choices  form, decision (id, or empty for all), variable, what (amount, share, total, level,
                       response to one percent), follows, year (first), value, lower, upper, unit
      only with a ledger (amounts are null, advice, difference, unit; present values but for ledger_years):
        ledger         effect, variable, pocket, kind, cash (bool), amounts, label (of effect, for readers)
        ledger_years   effect, pocket, year, kind, cash (bool), amounts (not discounted; no end values)
        perspectives   perspective, effect, kind, cash (bool), amounts
        perspective_totals  perspective, pockets, cash_only (bool), variable, maximised (bool), amounts,
                       of_which_decision_years and of_which_end_value (of the difference),
                       agrees (bool: flows differ as variable does)
        not_valued     (only where the ledger has such a table) effect, pocket, direction (gain, loss,
                       either), source, status, note: effects without an amount, not counted (PM)
      only with an explanation (`--explain`); improvements are over the null alternative:
        shadow_prices  kind (rule, constraint, lower, upper), limit, year, sense, value, unit, slack, binds
                       (yes, nearly, no), price, price_unit, moved, from_zero (bool), looser, tighter,
                       uncertainty, verdict, price_at_most
        near_optimal   within (part given up), decision, variable, year (0: average), value, outer_low,
                       inner_low, inner_high, outer_high, unit
        alternatives   within, number, decision, variable, year, value, best, difference, unit
        alternative_returns  within, number, improvement, given_up (part), distance, unit
        contributions  decision, variable, change (a year), alone, put_back, share, standard_error, unit
        mechanisms     mechanism, changes, known (bool), with_mechanism, without, difference, beats_null, unit
        frontier       aim, variable, measure, better, point, value, value_unit, improvement, bound, gap,
                       dominated (bool), settled (bool), unit; value is the difference from the null
                       alternative
        frontier_decisions  aim, point, decision, variable, average, unit
        optimality     condition, value, relative_to, holds (bool)
      only with a ledger or a valuation:
        conventions    convention, method, constant, value, unit, source, status, note
      only of a sweep (its other tables: `sweep.findings.find`, `sweep.fans.tables_over_years`):
        cumulative_band  allocation, external ("" for all together), year, mean, q10, q50, q90 (of the
                       discounted return over the null alternative of the same draw, up to and including
                       that year, without the value at the end), paid_back (probability that it is above
                       zero from that year on), paid_back_low, paid_back_high (95 % interval), pays_from
                       (first year from which q50 is; missing when it never is), unit (of the return)
      only where a sweep was joined with other runs (`sdopt report`; `provenance["joined"]` then holds the
      facts of every run by its kind, `kind` is report, and robust_status is that of robust allocations):
        swept_allocations  allocation, decision (id), year (first of the period), value, unit
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
