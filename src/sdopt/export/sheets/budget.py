"""The sheet with the multi-year budget as municipalities write it: thousands of euros by Iv3 taakveld.

The advice, no new policy and the difference stand side by side, with live totals and balances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.lists import NAME, TEXT
from sdopt.export.page import A3, INK, PAPER, THIN, Page, Style
from sdopt.export.views import decision_years, has

if TYPE_CHECKING:
    import pandas as pd

BANDS = ("advice", "null", "difference")
MOST_YEARS = 7
"""More years than this do not fit beside each other; the table has them all."""
FIRST = 2
"""Column of the first amount: code and name stand before it."""
TERMS, SIDES = ("structural", "incidental"), ("income", "spending")
SIGNS = {"income": 1.0, "spending": -1.0}
AMOUNT = "#,##0"
DECIMALS = 6
"""To which amounts are rounded; a thousandth of a euro."""
LEAST = 0.0005
"""A balance below half a euro is zero: what a search leaves of a balance of zero does not show as -0."""
TOTAL: Style = {"bold": True, "bg_color": PAPER, "top": 1}

Amounts = Mapping[str, Sequence[float]]
"""`advice` and `null` by year, in the unit of the sheet."""
Formula = Callable[[int], str]
"""From a column to the formula in it."""


def thousands(unit: str, labels: Labels) -> tuple[float, str]:
    """By what an amount (a year) is multiplied to be in thousands of euros, and what the sheet calls it.

    What is not in euros stays as it is.
    """
    factors = {"million eur": 1000.0, "thousand eur": 1.0, "eur": 0.001}
    factor = factors.get(" ".join(unit.lower().split()).removesuffix("/year"))
    return (1.0, labels.unit(unit)) if factor is None else (factor, labels("budget.thousands"))


def fill_budget(page: Page) -> None:
    """Income, spending, balance and reserves, structural and incidental apart; then a balance per account."""
    labels, table = page.labels, page.book.result.tables["multi_year_budget"]
    years = sorted(int(year) for year in table["year"].unique())[:MOST_YEARS]
    page.set_up([10, 48, *[11] * (len(BANDS) * len(years))], paper=A3)
    factor, unit = thousands(str(table["unit"].iloc[0]), labels)
    unit = labels("budget.amounts", unit=unit)
    page.heading(page.name, labels("budget.signs", unit=unit))
    budget = _Budget(page, years, table[table["year"].isin(years)], factor)
    budget.header(unit)
    balances = [balance for term in TERMS if (balance := budget.term(term)) is not None]
    budget.result(balances)
    page.row += 1
    page.sheet.set_h_pagebreaks([page.row])
    page.section(labels("budget.per_account"))
    budget.per_account()
    page.row += 1
    page.section(labels("budget.notes"))
    for line in _notes(page, table, years):
        page.across(line, **THIN)
    page.finish(len(page.widths))


def _first_decided(page: Page, years: Sequence[int]) -> float:
    """The budget year: the first that is decided on."""
    result = page.book.result
    return min(decision_years(result)) if has(result, "allocation") else years[0]


def _notes(page: Page, table: pd.DataFrame, years: Sequence[int]) -> list[str]:
    """What the years and prices are, and what is not in the budget."""
    labels = page.labels
    notes = [labels("budget.prices")]
    if before := [year for year in years if year < _first_decided(page, years)]:
        notes.append(labels("budget.before", year=spans(before)))
    notes.append(labels("budget.not_in_it"))
    if "reserves" not in set(table["side"]):
        notes.append(labels("budget.no_reserves"))
    hidden = len(table["year"].unique()) - len(years)
    return notes + ([labels("budget.more_years", count=hidden)] if hidden else [])


@dataclass
class _Budget:
    """Writes lines of the budget; `written` are the rows of every account, with the sign they count by."""

    page: Page
    years: Sequence[int]
    table: pd.DataFrame
    factor: float
    written: dict[tuple[str, str], list[tuple[int, float]]] = field(default_factory=dict)
    amounts: dict[int, Amounts] = field(default_factory=dict)
    first: int = 0

    def header(self, unit: str) -> None:
        """The unit and the three bands, what each year is, and the years; all of it stays in sight."""
        page, labels, count = self.page, self.page.labels, len(self.years)
        top, band = page.row, {"bold": True, "font_color": "#FFFFFF", "bg_color": INK, "align": "center"}
        look = page.book.style(**{**band, "align": "left"})
        page.sheet.merge_range(page.row, 0, page.row, 1, unit, look)
        for place, key in enumerate(BANDS):
            first, last = FIRST + place * count, FIRST + (place + 1) * count - 1
            look = page.book.style(**band, left=2, left_color="#FFFFFF")
            if last > first:
                page.sheet.merge_range(page.row, first, page.row, last, "", look)
            page.sheet.write_string(page.row, first, labels(f"budget.band.{key}"), look)
        page.row += 1
        for column, word in enumerate(["", "", *self._words() * len(BANDS)]):
            look = {"italic": True, "bg_color": PAPER, "align": "right", "left": self._edge(column)}
            page.write(page.row, column, word, **look, indent=1)
        page.row += 1
        amount: Style = {"num_format": AMOUNT, "indent": 1}
        heads = [labels("budget.code"), labels("column.name"), *list(self.years) * len(BANDS)]
        page.call_next("multi_year_budget")
        page.header(heads, [TEXT, NAME, *[amount] * (len(BANDS) * count)])
        self.first = page.row - 1
        page.freeze(self.first, columns=FIRST)
        page.sheet.repeat_rows(top, self.first)

    def _words(self) -> list[str]:
        """What each year is in a budget: before it (of the model: no account), the budget year, estimates."""
        start, labels = _first_decided(self.page, self.years), self.page.labels
        return [
            labels("budget.year.before", back=f"{start - year:g}")
            if year < start
            else labels(f"budget.year.{'budget_year' if year == start else 'estimate'}")
            for year in self.years
        ]

    def _edge(self, column: int) -> int:
        """A line at the left of every band."""
        return 1 if column >= FIRST and (column - FIRST) % len(self.years) == 0 else 0

    def _look(self, code: str, column: int) -> Style:
        """An amount, clear of the line at its right."""
        return {"num_format": code, "align": "right", "indent": 1, "left": self._edge(column)}

    def term(self, term: str) -> int | None:
        """Income, spending and balance of what is structural, or incidental; the row of the balance."""
        labels, own = self.page.labels, self.table[self.table["term"] == term]
        totals = {
            side: self._side(own[own["side"] == side], side, term)
            for side in SIDES
            if (own["side"] == side).any()
        }
        if not totals:
            return None
        parts = [(row, SIGNS[side]) for side, row in totals.items()]
        return self._sum(labels(f"budget.balance_of.{term}"), parts)

    def _side(self, table: pd.DataFrame, side: str, term: str) -> int:
        """A line per account and their total; returns the row of the total."""
        page, labels = self.page, self.page.labels
        page.write(page.row, 0, labels(f"budget.{term}_{side}"), bold=True, font_color=INK)
        page.row += 1
        first = page.row
        for (account, name), lines in table.groupby(["account", "name"], sort=True):
            self.written.setdefault((account, name), []).append((page.row, SIGNS[side]))
            self._line(account, name, self._by_year(lines), side, THIN)
        return self._total(labels(f"budget.total_{term}_{side}"), side, first)

    def _total(self, name: str, kind: str, first: int) -> int:
        """The sum of the lines from row `first` on; returns its own row."""
        last, lines = self.page.row - 1, [self.amounts[row] for row in range(first, self.page.row)]
        amounts = {
            band: [fsum(column) for column in zip(*(line[band] for line in lines), strict=True)]
            for band in BANDS[:2]
        }
        self._line("", name, amounts, kind, TOTAL, lambda c: f"=SUM({cell(first, c)}:{cell(last, c)})")
        return last + 1

    def _by_year(self, lines: pd.DataFrame) -> Amounts:
        sums = lines.groupby("year")[["advice", "null"]].sum()
        return {band: [float(sums.at[year, band]) * self.factor for year in self.years] for band in BANDS[:2]}

    def _sum(self, name: str, parts: Sequence[tuple[int, float]], code: str = "", look: Style = TOTAL) -> int:
        """A line that adds up rows, each by its sign; returns its row."""
        amounts = {
            band: [
                sum(sign * self.amounts[row][band][k] for row, sign in parts) for k in range(len(self.years))
            ]
            for band in BANDS[:2]
        }

        def formula(column: int) -> str:
            terms = "".join(f"{'+' if sign > 0 else '-'}{cell(row, column)}" for row, sign in parts)
            summed = terms.lstrip("+")
            return f"=IF(ABS({summed})<{LEAST},0,ROUND({summed},{DECIMALS}))"

        kept = {band: [value * (abs(value) >= LEAST) for value in values] for band, values in amounts.items()}
        self._line(code, name, kept, "balance", look, formula)
        return self.page.row - 1

    def result(self, balances: Sequence[int]) -> None:
        """The whole balance, what goes to and comes from the reserves (0.10), and what is left."""
        labels, own = self.page.labels, self.table[self.table["side"] == "reserves"]
        whole = self._sum(labels("budget.balance"), [(row, 1.0) for row in balances])
        rows = [(whole, 1.0)]
        for (account, name), lines in own.groupby(["account", "name"], sort=True):
            added = self._by_year(lines)
            taken = {band: [-value for value in values] for band, values in added.items()}
            self._line(account, labels("budget.reserves", name=name), taken, "reserves", THIN)
            rows.append((self.page.row - 1, 1.0))
        if len(rows) > 1:
            self._sum(labels("budget.result"), rows)
        self.page.named("multi_year_budget", self.first, self.page.row - 1, len(self.page.widths))

    def per_account(self) -> None:
        """A line per account: income less spending, structural and incidental; and their sum."""
        first = self.page.row
        for (account, name), parts in sorted(self.written.items()):
            self._sum(name, parts, account, THIN)
        self._total(self.page.labels("budget.balance"), "balance", first)
        self.page.named("balance_per_account", first, self.page.row - 1, len(self.page.widths))

    def _line(
        self, code: str, name: str, amounts: Amounts, kind: str, look: Style, formula: Formula | None = None
    ) -> None:
        """Code, name, amounts of the advice and of now (or formulas), and the live difference, marked."""
        page, row, count = self.page, self.page.row, len(self.years)
        amounts = {band: [round(value, DECIMALS) + 0.0 for value in amounts[band]] for band in BANDS[:2]}
        page.write(row, 0, code, **{**TEXT, **look})
        page.write(row, 1, name, **{**NAME, **look})
        for place, band in enumerate(BANDS[:2]):
            for k, value in enumerate(amounts[band]):
                column = FIRST + place * count + k
                style = {**look, **self._look(AMOUNT, column)}
                if formula:
                    page.formula(row, column, formula(column), value, **style)
                else:  # not `write`, which makes 0 of what shows as -0: formulas add this up
                    page.exact(row, column, value, **style)
        for k in range(count):
            column = FIRST + 2 * count + k
            style = {**look, **self._look(mark_format(kind, page.labels), column)}
            cells = (cell(row, FIRST + count + k), cell(row, FIRST + k))
            page.difference(row, column, cells, (amounts["null"][k], amounts["advice"][k]), style)
        self.amounts[row] = amounts
        page.row += 1


def mark_format(kind: str, labels: Labels) -> str:
    """The number format of a difference, with V (favourable) or N (not) behind it; none for the reserves."""
    if kind == "reserves":
        return f"+{AMOUNT};-{AMOUNT};0"
    good, bad = labels("budget.favourable"), labels("budget.unfavourable")
    up, down = (bad, good) if kind == "spending" else (good, bad)
    return f'+{AMOUNT}" {up}";-{AMOUNT}" {down}";0'
