"""The sheets that list a table: constraints, assumptions and search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sdopt.export import charts
from sdopt.export.cells import is_number
from sdopt.export.certainty import bound_holds, bound_lines, leans_on, status_line
from sdopt.export.limits import shown_limits, spans
from sdopt.export.lists import CENTRE, NAME, QUIET, TEXT, listed, long_list, number_style
from sdopt.export.page import MARK, THIN, WARN, YEAR, Page, Style
from sdopt.export.page import QUIET as QUIET_LINE
from sdopt.export.views import decision_years, fact, has
from sdopt.result import Result


def fill_constraints(page: Page) -> None:
    """Every limit in every year: value, slack, whether it binds, whether now breaks it, shadow price."""
    labels, table = page.labels, shown_limits(page.book.result, page.labels)
    page.set_up([48, 7, 19, 12, 13, 19, 12, 11, 9, 16, 14, 19])
    unit = labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    page.heading(page.name, labels("sign.constraints", unit=unit))
    if after := _after(page.book.result, table["year"]):
        page.across(labels("constraints.after", years=after), **QUIET_LINE)
        page.row += 1
    words = {
        column: [labels.find(f"{column}.{value}", str(value)) for value in table[column]]
        for column in ("sense", "measure")
    }
    columns = ["constraint", "year", "measure", "sense", "limit", "null", "advice", "slack", "binding"]
    columns += ["null_breaks", "shadow_price", "unit"]
    units = [labels.unit(unit) for unit in table["unit"]]
    long_list(page, table.assign(**words, unit=units), columns, _constraint_styles)


def _after(result: Result, years: Iterable[float]) -> str:
    """The years of limits in which nothing is decided any more, as text."""
    if not has(result, "allocation"):
        return ""
    last = max(decision_years(result))
    return spans(int(year) for year in years if year > last)


def _constraint_styles(row: Mapping[str, Any]) -> list[Style]:
    """Decimals that fit the row; a limit that binds or that now breaks stands out."""
    level = number_style([row["limit"], row["null"], row["advice"], 1.0])
    binding: Style = {**CENTRE, "bg_color": MARK, "bold": True} if row["binding"] else QUIET
    broken: Style = {**CENTRE, "bg_color": WARN, "bold": True} if row["null_breaks"] else QUIET
    name: Style = {**NAME, "bold": True} if row["binding"] or row["null_breaks"] else NAME
    price: Style = {"num_format": "#,##0.000", **({} if row["shadow_price"] else {"font_color": "#999999"})}
    year: Style = {"num_format": YEAR, "align": "left"}
    return [name, year, NAME, NAME, level, level, level, level, binding, broken, price, TEXT]


def fill_assumptions(page: Page) -> None:
    """Every constant with its range, unit, source and how sure it is."""
    labels, table = page.labels, page.book.result.tables["assumptions"]
    page.set_up([40, 10, 10, 10, 18, 10, 13, 13, 11, 9, 28, 48])
    page.heading(page.name, labels("sign.assumptions"))
    units = [labels.unit(unit) if isinstance(unit, str) else None for unit in table["unit"]]
    states = [labels.find(f"source.{status}", str(status)) for status in table["status"]]
    forms = [labels.find(f"distribution.{form}", str(form)) for form in table["distribution"]]
    columns = ["name", "value", "low", "high", "unit", "uncertain", "distribution", "status", "confidence"]
    columns += ["link", "source", "note"]
    shown = table.assign(unit=units, status=states, distribution=forms)
    long_list(page, shown, columns, _assumption_styles)


def _assumption_styles(row: Mapping[str, Any]) -> list[Style]:
    """Decimals that fit the row (none for a calendar year); an uncertain number stands out."""
    values = [row[key] for key in ("value", "low", "high")]
    calendar = set(values) == {row["value"]} and 1900 <= row["value"] <= 2200 and row["value"] % 1 == 0
    number: Style = {"num_format": YEAR} if calendar else number_style(values)
    uncertain: Style = {**CENTRE, "bg_color": MARK, "bold": True} if row["uncertain"] else QUIET
    return [NAME, number, number, number, TEXT, uncertain, TEXT, TEXT, CENTRE, CENTRE, TEXT, TEXT]


_COUNT: Style = {"num_format": "#,##0"}
_MONEY: Style = {"num_format": "#,##0.0000"}
_SHARE: Style = {"num_format": "0.000%"}
_FIRST: Style = {"num_format": YEAR, "align": "left"}
CHART_HEIGHT = 260


def fill_search(page: Page) -> None:
    """How the answer was found and what proves it: what it leans on, audit, starts, iterations."""
    result, labels = page.book.result, page.labels
    page.set_up([62, 15, 17, 17, 16], portrait=True)
    page.heading(page.name, labels("sign.search"))
    _proof(page)
    chart = page.row
    several = has(result, "search") and len(result.tables["search"]) > 1 and bound_holds(result)
    if several:
        charts.skip(page, CHART_HEIGHT)
    for name, fill in (("audit", _audit), ("starts", _starts), ("search", _rounds)):
        if has(result, name):
            page.section(labels(f"search.{name}"))
            page.call_next(name)
            fill(page)
            page.row += 1
    if several:
        _search_chart(page, chart, page.row - 1 - len(result.tables["search"]), page.row - 2)
    page.finish(5)


def _proof(page: Page) -> None:
    """What the status means, what the bound leans on, and how much work it was."""
    result, labels = page.book.result, page.labels
    lines = [status_line(result, labels), *bound_lines(result, labels)]
    rounds, runs = fact(result, "iterations"), fact(result, "evaluations")
    if is_number(rounds) and is_number(runs):
        numbers = {"rounds": labels.number(rounds, 0), "runs": labels.number(runs, 0)}
        lines.append(labels("search.effort", **numbers))
    for line in lines:
        page.across(line, **THIN)
    page.row += 1


def _audit(page: Page) -> None:
    """Checks of concavity, and whether the bound leans on them (or would have)."""
    result = page.book.result
    table = result.tables["audit"]
    matters = {_check_name(page, check): leans_on(result, check) or check.startswith("return: ")
               for check in table["check"]}  # fmt: skip
    leans = [leans_on(result, check) for check in table["check"]]
    names = [_check_name(page, check) for check in table["check"]]
    table = table.assign(check=names, leans=leans)
    columns = ["check", "points", "violations", "largest_violation", "leans"]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        against = row["violations"] and matters[row["check"]]
        found: Style = {**_COUNT, "bg_color": WARN, "bold": True} if against else _COUNT
        return [NAME, _COUNT, found, {"num_format": "0.0E+00"}, CENTRE if row["leans"] else QUIET]

    listed(page, table, columns, styles)


def _check_name(page: Page, check: str) -> str:
    """`NAME: kind of check` in the reader's language."""
    labels, (subject, _, kind) = page.labels, check.rpartition(": ")
    subject = labels("column.objective") if subject == "return" else subject
    words = labels.find(f"audit.{kind.replace(' ', '_')}", kind)
    return f"{subject}: {words}" if subject else words


def _starts(page: Page) -> None:
    """Where each start of the local search ended, and how far below the advice."""
    table = page.book.result.tables["starts"]
    number = number_style([*table["objective"]])
    gap = number_style([*table["difference"]], sign=True)
    listed(page, table, ["start", "objective", "difference"], lambda _: [_FIRST, number, gap])


def _rounds(page: Page) -> None:
    """Best and bound per round; a bound that was withdrawn is not shown."""
    shown = {"iteration": _FIRST, "best": _MONEY}
    if bound_holds(page.book.result):
        shown |= {"bound": _MONEY, "gap": _SHARE}
    listed(page, page.book.result.tables["search"], list(shown), lambda _: list(shown.values()))


def _search_chart(page: Page, row: int, first: int, last: int) -> None:
    """Bound and best per iteration, at `row`: the two close in on the answer."""
    rows = [
        (page.labels(f"column.{column}"), (page.name, first, place, last, place))
        for column, place in (("bound", 2), ("best", 1))
    ]
    unit = page.labels.unit(str(fact(page.book.result, "objective_unit") or ""))
    chart = charts.lines(page.book, page.labels("search.chart"), unit, (page.name, first, 0, last, 0), rows)
    charts.place(page, chart, 0, page.pixels, CHART_HEIGHT, row=row)
