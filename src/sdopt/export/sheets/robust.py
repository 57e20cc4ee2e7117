"""The sheet with robust allocations: what each gives by every measure, what it costs, how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.decide_again import fill_again
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT, listed, number_style
from sdopt.export.page import QUIET, THIN, YEAR, Page, Style
from sdopt.export.precision import range_decimals
from sdopt.export.views import fact, has
from sdopt.optimise.stopping import STOPPED
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("central", "expected", "cvar", "worst_case", "largest_regret")
SHARE: Style = {"num_format": "0.0%"}


def robust_name(name: str, labels: Labels) -> str:
    """An allocation or a measure of a robust result as readers know it."""
    return labels(f"word.{name}" if name in ("null", "advice") else f"robust.{name}")


def fill_robust(page: Page) -> None:
    """In words what robustness costs; every allocation by every measure; limits; proof; amounts."""
    result, labels = page.book.result, page.labels
    page.set_up([40, 15, 15, 15, 15, 15, 15, 15, 24])
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    count = labels.number(int(fact(result, "scenarios") or 0), 0)
    page.heading(page.name, labels("sign.robust", unit=unit, count=count))
    for line in [*missing_lines(result, labels), *price_lines(result, labels)]:
        page.across(line, **THIN)
    page.row += 1
    parts = {
        "robust_measures": _measures,
        "robust_price": _prices,
        "robust_proof": _proofs,
        "robust_limits": _limits,
        "robust_allocations": _allocations,
        "robust_adaptive": fill_again,
    }
    for name, fill in parts.items():
        if has(result, name):
            page.section(labels(f"robust.title.{name}"))
            page.across(labels(f"robust.note.{name}"), **QUIET)
            page.call_next(name)
            fill(page, result.tables[name])
            page.row += 1
    page.finish(len(page.widths))


def missing_lines(result: Result, labels: Labels) -> list[str]:
    """By which measures nothing was found before the search was stopped."""
    missing = result.figures.get("measures_missing") or []
    names = "; ".join(robust_name(one, labels) for one in missing)
    return [labels("robust.missing", names=names)] if missing else []


def price_lines(result: Result, labels: Labels) -> list[str]:
    """Per robust allocation what it gains by its own measure and gives up on average futures."""
    table = result.tables["robust_price"]
    unit = labels.unit(str(fact(result, "objective_unit") or ""))
    lines = []
    for name, rows in table.groupby("allocation", sort=False):
        gained = rows.set_index("measure")["gained"]
        own = "largest_regret" if name == "regret" else name
        if not (is_number(float(gained[own])) and is_number(float(gained["central"]))):
            continue
        decimals = range_decimals(0.0, max(abs(gained[own]), abs(gained["central"])))
        numbers = {
            "gain": labels.number(gained[own], decimals, sign=True),
            "central": labels.number(gained["central"], decimals, sign=True),
        }
        whole = robust_name(str(name), labels)
        lines.append(
            labels("robust.price", name=whole, measure=robust_name(own, labels), unit=unit, **numbers)
        )
    status = fact(result, "robust_status") or result.status.key  # the first where it is joined with an advice
    if status in {stopped.key for stopped in STOPPED}:
        lines.append(labels("robust.stopped"))
    if fact(result, "decide_again_stopped"):
        lines.append(labels("robust.again_stopped"))
    failed = int(fact(result, "failed_scenarios") or 0)
    return [*lines, labels("robust.failed", failed=labels.number(failed, 0))] if failed else lines


def _measures(page: Page, table: pd.DataFrame) -> None:
    labels = page.labels
    shown = table.assign(
        allocation=[robust_name(name, labels) for name in table["allocation"]],
        **{f"by_{name}": table[name] for name in MEASURES},
        chance_of_loss=table["probability_of_loss"],
        chance_of_breaking=table["any_limit_broken"],
        limits_hold=table["meets_limits"],
    )
    amounts = [f"by_{name}" for name in MEASURES]

    def styles(row: Mapping[str, Any]) -> list[Style]:
        return [
            NAME,
            *[number_style([row[name]], sign=True) for name in amounts],
            *[SHARE] * 2,
            {"align": "center"},
        ]

    listed(
        page, shown, ["allocation", *amounts, "chance_of_loss", "chance_of_breaking", "limits_hold"], styles
    )


def _prices(page: Page, table: pd.DataFrame) -> None:
    """A row per robust allocation, a column per measure."""
    labels = page.labels
    page.header(
        [labels("column.allocation"), *(labels(f"column.by_{name}") for name in MEASURES)],
        [NAME, *[{"num_format": YEAR}] * len(MEASURES)],
    )
    for name, rows in table.groupby("allocation", sort=False):
        gained = rows.set_index("measure")["gained"]
        values = [gained[measure] for measure in MEASURES]
        styles = [NAME, *[number_style([value], sign=True) for value in values]]
        page.rows([[robust_name(str(name), labels), *values]], styles)


def _proofs(page: Page, table: pd.DataFrame) -> None:
    """Per measure the value, its bound, and what that leans on."""
    labels = page.labels
    amount = number_style([*table["value"]], sign=True)
    styles: list[Style] = [NAME, amount, amount, {"num_format": "0.00%"}, TEXT]
    columns = ("measure", "value", "bound", "gap", "status")
    page.header([labels(f"column.{key}") for key in columns], styles)
    for row in table.itertuples():
        said = labels(f"status.{row.status}")
        page.rows([[robust_name(row.measure, labels), row.value, row.bound, row.gap, said]], styles)
        page.across(assumed_words(row, labels), **QUIET)


def assumed_words(row: Any, labels: Labels) -> str:
    """What the bound of a measure assumes, or that there is none, in the reader's language."""
    if not is_number(float(row.bound)):
        return labels("robust.no_bound")
    what = labels(f"robust.concave.{row.measure}")
    also = labels("certain.also", names=row.leans_on) if row.leans_on else ""
    said = labels("robust.concave", what=what, limits=also)
    if row.bends:
        said += labels("robust.bends", names=row.bends)
    if row.scenarios_not_concave:
        said += labels("robust.single", count=int(row.scenarios_not_concave))
    if row.raised_by:
        amount = labels.number(row.raised_by, max(-floor(log10(row.raised_by)), 0))  # one digit that counts
        said += labels("robust.not_proved", amount=amount, unit=labels.unit(str(row.unit)))
    if row.bests_not_proved:
        said += labels("robust.bests_not_proved", count=int(row.bests_not_proved))
    return said


def _limits(page: Page, table: pd.DataFrame) -> None:
    labels = page.labels
    shown = table.assign(
        allocation=[robust_name(name, labels) for name in table["allocation"]],
        broken=table["broken_share"],
        may_break=table["allowed_share"],
    )
    styles: list[Style] = [NAME, SHARE, SHARE, TEXT]
    listed(page, shown, ["constraint", "broken", "may_break", "allocation"], lambda _: styles)


def _allocations(page: Page, table: pd.DataFrame) -> None:
    """A row per decision and year, a column per allocation."""
    labels = page.labels
    names = list(dict.fromkeys(table["allocation"]))
    wide = table.pivot(index=["variable", "unit", "period"], columns="allocation", values="value")
    order = list(dict.fromkeys(zip(table["variable"], table["unit"], table["period"], strict=True)))
    amount = number_style([*table["value"]])
    styles: list[Style] = [NAME, {"num_format": YEAR, "align": "left"}, *[amount] * len(names), TEXT]
    heads = [labels("column.decision"), labels("column.year"), *(robust_name(name, labels) for name in names)]
    page.header([*heads, labels("column.unit")], styles)
    for variable, unit, period in order:
        values = [wide.loc[(variable, unit, period), name] for name in names]
        page.rows([[variable, period, *values, labels.unit(str(unit))]], styles)
