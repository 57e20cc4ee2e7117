"""The sheet with stock, inflow and outflow per year of every stock: it adds up, live, in every year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, fsum, log10
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.export.lists import NAME, TEXT
from sdopt.export.page import A3, INK, PAPER, THIN, YEAR, Page, Style, number_format
from sdopt.export.views import shown_variables
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

MOST_STOCKS = 60
"""More stocks than this are in the table only; those that the question shows come first."""
FIRST = 2
"""Column of the first year: what it is and whose it is stand before it."""
MONEY, PLAIN = "eur", "dmnl"
RUNS = ("null", "advice")
TOTAL: Style = {"bold": True, "top": 1}

Flows = dict[tuple[str, str], dict[str, list[float]]]
"""(direction, flow) -> run -> amounts by year."""
Formula = Callable[[int], str]
"""From a column to the formula in it."""


def fill_stock_flows(page: Page) -> None:
    """Per stock: start, inflow, outflow and end of every year, now and with the advice; and the mean stay."""
    labels, table = page.labels, page.book.result.tables["stock_flows"]
    years = sorted(int(year) for year in table["year"].unique())
    page.set_up([52, 20, *[10] * len(years)], paper=A3)
    page.heading(page.name, labels("sign.stock_flows"))
    names = _in_order(page.book.result, table)
    if len(names) > MOST_STOCKS:
        page.across(labels("flows.more", count=len(names) - MOST_STOCKS), italic=True)
        page.row += 1
    heads = [labels("flows.what"), labels("column.whose"), *years]
    page.call_next("stock_flows")
    page.header(heads, [NAME, TEXT, *[{"num_format": YEAR, "align": "right"}] * len(years)])
    top = page.row - 1
    page.freeze(top, columns=FIRST)
    stocks = _by_stock(table[table["stock"].isin(names[:MOST_STOCKS])])
    for name in names[:MOST_STOCKS]:
        _stock(page, name, *stocks[name])
    page.named("stock_flows", top, page.row - 1, len(page.widths))
    page.finish(len(page.widths))


def _in_order(result: Result, table: pd.DataFrame) -> list[str]:
    """Stocks that hold anything: those that are shown first, the others in the order of the model."""
    held = table.groupby("stock", sort=False)[list(RUNS)].agg(lambda values: values.abs().max()).max(axis=1)
    filled = [str(name) for name, most in held.items() if most > 0]
    shown = (
        [name for name in shown_variables(result) if name in filled]
        if "trajectories" in result.tables
        else []
    )
    return [*shown, *(name for name in filled if name not in shown)]


def _by_stock(table: pd.DataFrame) -> dict[str, tuple[str, Flows]]:
    """Stock -> its unit, and what it holds and what flows; flows that are always zero are left out."""
    found: dict[str, tuple[str, Flows]] = {}
    ordered = table.sort_values("year", kind="stable")
    for (stock, direction, flow), rows in ordered.groupby(["stock", "direction", "flow"], sort=False):
        values = {run: rows[run].tolist() for run in RUNS}
        _, flows = found.setdefault(stock, (str(rows["unit"].iloc[0]), {}))
        if direction in ("start", "end") or any(map(any, values.values())):
            flows[direction, flow] = values
    return found


def _stock(page: Page, name: str, unit: str, flows: Flows) -> None:
    """A shaded line with the name and unit, both runs, and how the end of the year differs."""
    for column in range(len(page.widths)):
        text = {0: name, 1: page.labels.unit(unit)}.get(column, "")
        page.write(page.row, column, text, bold=True, bg_color=PAPER, font_color=INK)
    page.row += 1
    values = [value for runs in flows.values() for run in RUNS for value in runs[run]]
    code, signed = (number_format(values, sign=sign) for sign in (False, True))
    ends = [_Run(page, run, flows, code, unit).write() for run in RUNS]
    page.write(page.row, 0, page.labels("flows.difference"), **THIN, italic=True)
    page.write(page.row, 1, page.labels("word.difference"), **THIN, **TEXT)
    look: Style = {**THIN, "italic": True, "num_format": signed}
    for column, values_of_year in enumerate(zip(ends[0][1], ends[1][1], strict=True), start=FIRST):
        cells = (cell(ends[0][0], column), cell(ends[1][0], column))
        page.difference(page.row, column, cells, values_of_year, look)
    page.row += 1


def _digits(values: Sequence[float]) -> int:
    """Decimals to which sums of such values are the same in every program: twelve digits in all."""
    largest = max((abs(value) for value in values), default=0.0)
    return 12 - ceil(log10(largest)) if largest > 0 else 12


@dataclass
class _Run:
    """One run of one stock."""

    page: Page
    run: str
    flows: Flows
    code: str
    unit: str

    def write(self) -> tuple[int, list[float]]:
        """Start, flows, totals, end and stay; the row of the end, and its values."""
        labels, start = self.page.labels, self.page.row
        self._line(labels("flows.start"), self._values("start", ""), THIN)
        totals = {direction: self._flows(direction) for direction in ("in", "out", "net", "adjustment")}
        signs = {
            row: "-" if direction == "out" else "+" for direction, rows in totals.items() for row in rows
        }
        digits = _digits([value for runs in self.flows.values() for value in runs[self.run]])
        end, values = self.page.row, [round(value, digits) + 0.0 for value in self._values("end", "")]

        def adds_up(column: int) -> str:
            terms = "".join(f"{sign}{cell(row, column)}" for row, sign in signs.items())
            return f"=ROUND({cell(start, column)}{terms},{digits})"

        self._line(labels("flows.end"), values, TOTAL, adds_up)
        if totals["out"] and not totals["net"] and self._stays():
            self._stay(start, totals["out"], end)
        return end, values

    def _values(self, direction: str, flow: str) -> list[float]:
        return list(self.flows[direction, flow][self.run])

    def _flows(self, direction: str) -> list[int]:
        """A line per flow, and their total when there are several; the rows that the end adds up."""
        page, labels = self.page, self.page.labels
        flows = [flow for way, flow in self.flows if way == direction]
        first, lines = page.row, [self._values(direction, flow) for flow in flows]
        for flow, values in zip(flows, lines, strict=True):
            name = labels(f"flows.{direction}", name=flow) if flow else labels(f"flows.{direction}_other")
            self._line(name, values, THIN)
        if len(flows) < 2 or direction not in ("in", "out"):
            return list(range(first, page.row))
        last, sums = page.row - 1, [fsum(column) for column in zip(*lines, strict=True)]
        total = labels(f"flows.total_{direction}")
        self._line(total, sums, THIN, lambda c: f"=SUM({cell(first, c)}:{cell(last, c)})")
        return [last + 1]

    def _stays(self) -> bool:
        """Whether it is of things or people that come and go: not of money, nor of a share."""
        plain = self.unit.lower()
        return MONEY not in plain and plain not in ("", PLAIN)

    def _stay(self, start: int, outs: Sequence[int], end: int) -> None:
        """How long things stay on average: the mean of start and end over the outflow of the year."""
        begins, ends = self._values("start", ""), self._values("end", "")
        leaving = [self._values(way, flow) for way, flow in self.flows if way == "out"]
        flowed = [fsum(column) for column in zip(*leaving, strict=True)]
        values: list[Any] = [
            (first + last) / 2 / out if out > 0 else ""
            for first, last, out in zip(begins, ends, flowed, strict=True)
        ]

        def formula(column: int) -> str:
            out = "+".join(cell(row, column) for row in outs)
            return f'=IF({out}>0,({cell(start, column)}+{cell(end, column)})/2/({out}),"")'

        look: Style = {**THIN, "italic": True, "num_format": "0.0"}
        self._line(self.page.labels("flows.stay"), values, look, formula)

    def _line(self, name: str, values: Sequence[Any], look: Style, formula: Formula | None = None) -> None:
        page, style = self.page, {"num_format": self.code, **look}
        page.write(page.row, 0, name, **{**NAME, **look, "indent": 1})
        page.write(page.row, 1, page.labels(f"word.{self.run}"), **{**TEXT, **look})
        for column, value in enumerate(values, start=FIRST):
            if formula:
                page.formula(page.row, column, formula(column), value, **style)
            else:  # as formulas add it up
                page.exact(page.row, column, value, **style)
        page.row += 1
