"""What it costs, whether it fits the fiscal rules, who pays and who gains, and when it is earned back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.explanation import pay_back_lines, perspective_name
from sdopt.export.fiscal import fiscal_lines
from sdopt.export.limits import spans
from sdopt.export.report.parts import (
    Block,
    Case,
    Cell,
    Grid,
    Lines,
    Section,
    decimals_for,
    money_scale,
)
from sdopt.export.report.sources import Traced, cell_source
from sdopt.export.sheets.answers import paid_back_in_futures
from sdopt.export.sheets.breaches import gain_lines, pocket_name
from sdopt.export.sheets.ledger import ledger_lines
from sdopt.export.sheets.returns import not_valued_words
from sdopt.export.views import has

if TYPE_CHECKING:
    import pandas as pd

BUDGET = "multi_year_budget"
SIDES, RESERVES, TERMS = ("income", "spending"), "reserves", ("structural", "incidental")
SILENT = 5e-7
"""A difference below this (half a euro, in millions) is no difference."""


def costs(case: Case) -> Section | None:
    """The multi-year budget by account in thousands of euros, and the fiscal tests."""
    labels, blocks = case.labels, list[Block]()
    if lines := fiscal_lines(case.result, labels):
        blocks.append(Lines(lines))
    if has(case.result, "multi_year_budget"):
        blocks += [_balance(case), *(_accounts(case, side) for side in SIDES)]
    if has(case.result, "fiscal_rules"):
        blocks += _tests(case)
    if has(case.result, "return"):
        blocks.append(_components(case))
    if has(case.result, "not_valued"):
        blocks.append(_not_valued(case))
    return Section("costs", labels("report.section.costs"), blocks) if blocks else None


def _not_valued(case: Case) -> Grid:
    """Effects without an amount (PM): for whom, which way, and why there is none."""
    labels = case.labels
    heads = [
        labels(f"column.{name}") for name in ("effect", "pocket", "direction", "amount", "source", "note")
    ]
    rows = [
        [str(row.effect), *not_valued_words(row, case.plain), str(row.note)]
        for row in case.result.tables["not_valued"].itertuples()
    ]
    return Grid(labels("not_valued.title"), heads, rows, frozenset(), note=labels("not_valued.about"))


def _balance(case: Case) -> Grid:
    """Income, spending and balance by year: now, with the advice, and the difference."""
    labels, found = case.labels, case.rows_by(BUDGET, "side", "term", "year")
    years, scale = sorted(set(case.values(BUDGET, "year"))), _scale(case)
    rows: list[list[Cell]] = []
    for column in ("null", "advice", "difference"):
        for key, terms, sides in _parts(case):
            parts = [[[row for term in terms for row in found.get((side, term, year), ())] for side in sides]
                     for year in years]  # fmt: skip
            signed = len(sides) > 1 or column == "difference" or key == RESERVES
            name = labels("report.budget.row", what=labels(f"report.budget.{column}"),
                          part=labels(f"report.budget.{key}"))  # fmt: skip
            rows.append([name, *(_left(case, column, of_year, scale, signed) for of_year in parts)])
    heads = [labels("report.budget.whole"), *case.years(BUDGET, "year", years)]
    return Grid(
        labels("report.table.balance"), heads, rows, frozenset(range(1, len(heads))), note=_prices(case)
    )


def _parts(case: Case) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Per line of the whole budget: its key, the terms that count, and sides: the first less the others."""
    for side in SIDES:
        yield side, TERMS, (side,)
    yield "balance", TERMS, SIDES
    yield "structural", TERMS[:1], SIDES
    if RESERVES in case.values(BUDGET, "side"):
        yield RESERVES, TERMS, (RESERVES,)
        yield "result", TERMS, (*SIDES, RESERVES)


def _left(case: Case, column: str, parts: Sequence[Sequence[int]], scale: float, signed: bool) -> Cell:
    """The rows of the first part together, less those of the others."""
    values = case.values(BUDGET, column)
    sums = [fsum(values[row] for row in part) for part in parts]
    terms = [cell_source(BUDGET, column, part, "sum") for part in parts if part]
    return case.shown(sums[0] - fsum(sums[1:]), " - ".join(terms), 0, scale=scale, sign=signed)


def _scale(case: Case) -> float:
    return money_scale(str(case.values(BUDGET, "unit")[0]))[0]


def _prices(case: Case) -> str:
    unit = str(case.values(BUDGET, "unit")[0])
    said = case.labels("report.thousands") if money_scale(unit)[1] else case.labels.unit(unit)
    return case.labels("report.note.budget", unit=said)


def _accounts(case: Case, side: str) -> Grid:
    """The difference by account and year, structural and incidental apart; accounts that change only."""
    labels, differences = case.labels, case.values(BUDGET, "difference")
    years, scale = sorted(set(case.values(BUDGET, "year"))), _scale(case)
    rows: list[list[Cell]] = []
    firsts: list[int] = []
    found = case.rows_by(BUDGET, "side", "account", "name", "term")
    for (_, account, name, term), own in sorted(pair for pair in found.items() if pair[0][0] == side):
        if max(abs(differences[row]) for row in own) < SILENT:
            continue
        by_year = [[row for row in own if case.values(BUDGET, "year")[row] == year] for year in years]
        cells = [case.summed(BUDGET, "difference", part, 0, scale=scale, sign=True) for part in by_year]
        rows.append([str(account), str(name), labels(f"budget.{term}"), *cells])
        firsts.append(own[0])
    heads = [
        *(labels(f"column.{key}") for key in ("account", "name", "term")),
        *case.years(BUDGET, "year", years),
    ]
    caption = labels("report.table.accounts", side=labels(f"budget.{side}"))
    folded = labels(
        "report.fold.accounts",
        side=labels(f"budget.{side}"),
        count=labels.count(BUDGET, "difference", firsts),
    )
    return Grid(caption, heads, rows, frozenset(range(3, len(heads))), note=_prices(case), folded=folded)


def _tests(case: Case) -> list[Block]:
    """Rules that were chosen and have a verdict; a row per rule, its tightest year first."""
    labels, table = case.labels, case.result.tables["fiscal_rules"]
    own = table[table["chosen"].astype(bool) & table["verdict"].isin(["kept", "broken"])]
    if own.empty:
        return []
    rows: list[list[Cell]] = []
    for (identity, title, part), years in own.groupby(["id", "title", "part"], sort=False, dropna=False):
        rows.append(_test(case, years, f"{identity} {title}", str(part or "")))
    heads = ["rule", "imposed", "null_verdict", "verdict", "year", "slack", "unit"]
    return [Grid(labels("report.table.fiscal"), [labels(f"column.{key}") for key in heads], rows,
                 frozenset((5,)), note=labels("report.note.fiscal"))]  # fmt: skip


def _test(case: Case, years: pd.DataFrame, name: str, part: str) -> list[Cell]:
    """One rule: verdicts over all its years, and the year with least slack."""
    labels = case.labels
    imposed = years[years["imposed"].astype(bool)]
    least = (imposed if len(imposed) else years)["slack"].astype(float).idxmin()
    row = years.loc[least]
    unit = str(row["unit"])
    scale, money = money_scale(unit)
    said = labels("report.thousands_short") if money else labels.unit(unit)
    decimals = 0 if money else decimals_for([row["slack"]])
    year = to_python(row["year"])
    broken = {
        key: labels("verdict.broken" if (years[key] == "broken").any() else "verdict.kept")
        for key in ("null_verdict", "verdict")
    }
    when = spans(int(found) for found in imposed["year"].dropna())
    return [
        f"{name} ({part})" if part else name,
        labels("report.imposed", years=when) if when else labels.yes_no(len(imposed) > 0),
        broken["null_verdict"],
        broken["verdict"],
        *(case.years("fiscal_rules", "year", [year]) if is_number(year) else [""]),
        case.cell("fiscal_rules", "slack", least, decimals, scale=scale),
        said,
    ]


def _components(case: Case) -> Grid:
    """Costs and benefits in present values, as far as they change."""
    labels, table = case.labels, case.result.tables["return"]
    size = float(table["difference"].abs().max())
    own = table[table["difference"].abs() >= 1e-4 * size] if size else table
    rows: list[list[Cell]] = []
    for row in own.index:
        cells = [
            case.cell("return", key, row, 2, sign=key == "difference")
            for key in ("null", "advice", "difference")
        ]
        rows.append([str(own.at[row, "component"]), *cells])
    heads = [labels("column.component"), labels("answer.now")]
    heads += [labels(f"column.{key}") for key in ("advice", "difference")]
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    return Grid(labels("report.table.return"), heads, rows, frozenset((1, 2, 3)),
                note=labels("report.note.return", unit=unit))  # fmt: skip


def parties(case: Case) -> Section | None:
    """Who pays and who gains: pockets that add up to the whole, and perspectives beside each other."""
    labels, blocks = case.labels, list[Block]()
    if has(case.result, "ledger"):
        blocks.append(_pockets(case))
    if lines := ledger_lines(case.result, labels):
        blocks.append(Lines(lines, title=labels("report.title.perspectives")))
    if has(case.result, "gains"):
        blocks += _gains(case)
    return Section("parties", labels("report.section.parties"), blocks) if blocks else None


def _pockets(case: Case) -> Grid:
    """A row per pocket: what is cash, what is not, and the whole; totals add up."""
    labels, table = case.labels, case.result.tables["ledger"]
    found = case.rows_by("ledger", "pocket")
    rows = [_pocket(case, pocket_name(str(pocket), labels), own) for (pocket,), own in found.items()]
    rows.append(_pocket(case, labels("word.total"), range(len(table))))
    heads = [labels("column.pocket"), labels("report.column.cash"), labels("report.column.other"),
             labels("word.total")]  # fmt: skip
    unit = ", ".join(labels.unit(unit) for unit in dict.fromkeys(table["unit"]))
    return Grid(labels("report.table.pockets"), heads, rows, frozenset((1, 2, 3)), totals=1,
                note=labels("report.note.pockets", unit=unit))  # fmt: skip


def _pocket(case: Case, name: str, rows: Sequence[int]) -> list[Cell]:
    cash = case.values("ledger", "cash")
    parts = ([row for row in rows if cash[row]], [row for row in rows if not cash[row]], rows)
    return [name, *(case.summed("ledger", "difference", part, 2, sign=True) for part in parts)]


def _gains(case: Case) -> list[Block]:
    """In how many futures every pocket wins or pays."""
    labels, table = case.labels, case.result.tables["gains"]
    own = table[(table["allocation"] == "advice") & (table["kind"] == "pocket")]
    if own.empty:
        return []
    rows: list[list[Cell]] = []
    for row in own.index:
        amounts = [case.cell("gains", key, row, 2, sign=key == "mean") for key in ("mean", "q10", "q90")]
        chances = [case.cell("gains", key, row, 0, scale=100.0) for key in ("wins", "pays")]
        rows.append([pocket_name(str(own.at[row, "party"]), labels), *amounts, *chances])
    heads = [labels("column.party"), labels("column.found_mean"), labels("column.q10"), labels("column.q90"),
             labels("report.column.wins"), labels("report.column.pays")]  # fmt: skip
    unit = labels.unit(str(own["unit"].iloc[0]))
    grid = Grid(labels("report.table.gains"), heads, rows, frozenset(range(1, 6)),
                note=labels("report.note.gains", unit=unit))  # fmt: skip
    return [Lines(gain_lines(case.result, labels), title=labels("report.title.gains")), grid]


def when(case: Case) -> Section | None:
    """From which year gains outweigh costs: over all futures, and as expected per perspective."""
    labels, futures = case.labels, paid_back_in_futures(case.result, case.labels)
    if not has(case.result, "pay_back"):
        return Section("when", labels("report.section.when"), [Lines(futures)]) if futures else None
    table = case.result.tables["pay_back"]
    rows: list[list[Cell]] = []
    for row in table.itertuples():
        lowest = case.cell("pay_back", "lowest", row.Index, 2, sign=True)
        total = case.cell("pay_back", "total_discounted", row.Index, 2, sign=True)
        name = perspective_name(row.perspective, labels)
        year, discounted, deepest = (
            _year(case, key, row.Index) for key in ("year", "year_discounted", "lowest_year")
        )
        rows.append([name, year, discounted, lowest, deepest, total])
    keys = (
        "perspective",
        "pay_back_year",
        "pay_back_discounted",
        "lowest",
        "lowest_year",
        "total_discounted",
    )
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    grid = Grid(labels("report.table.pay_back"), [labels(f"column.{key}") for key in keys], rows,
                frozenset((3, 5)), note=labels("report.note.pay_back", unit=unit))  # fmt: skip
    lines = [*futures, *pay_back_lines(case.result, labels)]
    return Section("when", labels("report.section.when"), [Lines(lines), grid])


def _year(case: Case, column: str, row: Any) -> Cell:
    """A year of the table of pay-back, or that it never comes."""
    found = case.values("pay_back", column)[row]
    source = f"pay_back:{column}:{row}"
    return Traced(found, source, f"{found:g}") if is_number(found) else case.labels("report.never")
