"""The summary: one page that answers five questions of a council, with its numbers from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Any

from xlsxwriter.utility import quote_sheetname
from xlsxwriter.utility import xl_rowcol_to_cell as cell

from sdopt.config.ledger import NOT_SPLIT
from sdopt.export import charts
from sdopt.export.findings_words import ADVICE
from sdopt.export.lists import NAME, TEXT, honest, number_style
from sdopt.export.page import CHANGE, QUIET, THIN, Page, Range, Style, number_format
from sdopt.export.sheets.answers import ASKED, Moves, answers, moves_of
from sdopt.export.sheets.breaches import pocket_name
from sdopt.export.sheets.distribution import distribution_chart
from sdopt.export.sheets.pockets import pockets_chart
from sdopt.export.sheets.years import allocation_chart
from sdopt.export.views import fact, has
from sdopt.result import Result

WIDTHS = (42, 12, 13, 12, 13, 14)
MOST_DECISIONS = 8
MOST_PARTIES = 8
CHART_HEIGHT = 200
TOTAL: Style = {"top": 1, "bold": True}


def fill_summary(page: Page) -> None:
    """The question, and five answers in sentences; with what changes, who gains, and two charts."""
    result, labels = page.book.result, page.labels
    page.set_up(WIDTHS, pages_high=1, portrait=True)
    page.heading(page.name, result.title)
    said, moves = answers(result, labels), moves_of(result)
    for key in ASKED:
        page.section(labels(f"ask.{key}"))
        for line in said[key]:
            page.across(line, **THIN)
        if key == "advice" and moves is not None:
            _Decisions(page, moves).write()
        if key == "gain":
            _parties(page)
        page.row += 1
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    page.across(labels("sign.summary", unit=unit), **QUIET)
    page.finish(len(WIDTHS))


class _Decisions:
    """The decisions that change most, on average per year, live where the sheet with the years is there."""

    def __init__(self, page: Page, moves: Moves) -> None:
        self.page, self.moves = page, moves
        self.shown = moves.table.head(MOST_DECISIONS)
        self.code = number_format([*moves.table["today"], *moves.table["advised"]])
        self.signed = number_format([*moves.table["today"], *moves.table["advised"]], sign=True)

    def write(self) -> None:
        """A row per decision, the others together, and the total where all have one unit."""
        page, labels = self.page, self.page.labels
        unit = self.moves.unit
        right: Style = {"num_format": self.code}
        years, said = self.moves.years, labels.unit(unit or "")
        head = (
            labels("answer.average_unit", years=years, unit=said)
            if said
            else labels("answer.average", years=years)
        )
        names = [head, labels("answer.now")]
        names += [labels(f"column.{key}") for key in ("advice", "difference", "share")]
        page.header([*names, "" if unit else labels("column.unit")], [NAME, right, right, right, right, TEXT])
        first = page.row
        for row in self.shown.itertuples():
            cells = [self._average(row.name, key) for key in ("null", "advice")]
            self._row(row.name, (row.today, row.advised), cells, str(row.unit), THIN)
        rest = self.moves.table.iloc[MOST_DECISIONS:]
        if unit is None and len(rest):
            page.across(labels("answer.more_decisions", count=len(rest)), **QUIET)
        if unit is None:
            return
        if len(rest):
            self._others(rest, unit)
        sums = (float(self.moves.table["today"].sum()), float(self.moves.table["advised"].sum()))
        formulas = [f"=SUM({cell(first, c)}:{cell(page.row - 1, c)})" for c in (1, 2)]
        self._row(labels("word.total"), sums, formulas, unit, TOTAL)

    def _others(self, rest: Any, unit: str) -> None:
        """The decisions that have no row, added up."""
        formulas: list[str | None] = []
        for key in ("null", "advice"):
            terms = [self._average(name, key) for name in rest["name"]]
            formulas.append("=" + "+".join(str(term)[1:] for term in terms) if all(terms) else None)
        sums = (float(rest["today"].sum()), float(rest["advised"].sum()))
        self._row(self.page.labels("answer.others", count=len(rest)), sums, formulas, unit, THIN)

    def _average(self, name: str, key: str) -> str | None:
        """The average over the decision years on the sheet with the allocation, as a formula."""
        place = self.page.book.ranges.get(f"decision {key} {name}")
        return None if place is None else f"=AVERAGE({reference(place)})"

    def _row(
        self, name: str, values: tuple[float, float], cells: Sequence[str | None], unit: str, look: Style
    ) -> None:
        page, row = self.page, self.page.row
        page.write(row, 0, name, **{**look, **NAME})
        for column, (value, formula) in enumerate(zip(values, cells, strict=True), start=1):
            page.number(column, value, formula, {**look, "num_format": self.code})
        pair = (cell(row, 1), cell(row, 2))
        page.difference(row, 3, pair, values, {**look, "num_format": self.signed})
        page.share(row, 4, pair, values, {**look, "num_format": CHANGE})
        page.write(row, 5, "" if self.moves.unit else page.labels.unit(unit), **{**look, **TEXT})
        page.row += 1


def reference(place: Range) -> str:
    """Cells of a sheet, as a formula writes them."""
    sheet, top, left, bottom, right = place
    return f"{quote_sheetname(sheet)}!{cell(top, left)}:{cell(bottom, right)}"


def _parties(page: Page) -> None:
    """Every party with what it gains; live where the ledger is there, with chances where a sweep is."""
    result, top = page.book.result, page.row
    chances = _chances(result)
    place = page.book.ranges.get("pockets")
    if place is not None:
        sums = result.tables["ledger"].groupby("pocket", sort=False)["difference"].sum()
        amounts = {str(pocket): float(value) for pocket, value in sums.items()}
    else:
        amounts = {party: float(row["mean"]) for party, row in chances.items()}
    if 0 < len(amounts) <= MOST_PARTIES:
        _party_rows(page, amounts, place, chances)
    _chart(page, top)


def _party_rows(
    page: Page, amounts: dict[str, float], place: Range | None, chances: dict[str, dict[str, Any]]
) -> None:
    """A row per party and their live total."""
    labels = page.labels
    style, share = number_style(list(amounts.values()), sign=True), {"num_format": "0%"}
    unit = labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    amount = labels("column.difference" if place is not None else "column.found_mean")
    names = [labels("answer.present", unit=unit), amount, *([labels("column.wins")] if chances else [])]
    page.header(names, [NAME, style, share][: len(names)])
    first = page.row
    for number, (pocket, value) in enumerate(amounts.items()):
        name = labels("answer.not_split") if pocket == NOT_SPLIT else pocket_name(pocket, labels)
        page.write(page.row, 0, name, **THIN)
        page.number(1, value, _single(place, number), {**THIN, **style})
        if chances:
            wins = chances.get(pocket, {}).get("wins")
            page.write(page.row, 2, wins, **THIN, **honest([wins], [share])[0])
        page.row += 1
    page.write(page.row, 0, labels("word.total"), **TOTAL)
    formula = f"=SUM({cell(first, 1)}:{cell(page.row - 1, 1)})"
    page.formula(page.row, 1, formula, fsum(amounts.values()) + 0.0, **TOTAL, **style)
    page.row += 1


def _single(place: Range | None, number: int) -> str | None:
    """One cell of a column of cells, as a formula."""
    return None if place is None else f"={quote_sheetname(place[0])}!{cell(place[1] + number, place[2])}"


def _chances(result: Result) -> dict[str, dict[str, Any]]:
    """Party -> what the sweep says of it, with the advice."""
    if not has(result, "gains"):
        return {}
    table = result.tables["gains"]
    own = table[(table["allocation"] == ADVICE) & (table["kind"] == "pocket")]
    return {str(row["party"]): row for row in own.to_dict("records")}


def _chart(page: Page, top: int) -> None:
    """Right of the parties: their steps, or else how the improvement is spread, or the allocation."""
    book, drawn = page.book, {
        "waterfall names": lambda book: charts.small(pockets_chart(book)),
        "histogram names": distribution_chart,
        "allocation advice": allocation_chart,
    }  # fmt: skip
    draw = next((draw for cells, draw in drawn.items() if cells in book.ranges), None)
    if draw is None:
        return
    left = int(sum(7 * width + 5 for width in WIDTHS[:3])) + 12
    charts.place(page, draw(book), left, page.pixels - left, CHART_HEIGHT, row=top)
    page.row = max(page.row, top + CHART_HEIGHT // charts.ROW_PIXELS)
