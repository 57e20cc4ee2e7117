"""The sheet with forms of decision: what each simplification costs, in sentences, a table and amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.forms_reasons import clash_blocks, reason
from sdopt.export.labels import Labels
from sdopt.export.lists import CENTRE, NAME, TEXT, listed, number_style
from sdopt.export.page import PAPER, THIN, Page, Style
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

FREE, NONE = "free", "none"
COLUMNS = (
    *("form", "chosen_values", "improvement", "bound", "price", "price_share", "price_at_least"),
    *("price_at_most", "certain", "status", "reason"),
)
WHO = {"shares_of": "form.who.shares_of", "follows": "form.who.follows"}
REFERENCE = {
    "null_alternative": "form.reference.null_alternative",
    "start": "form.reference.start",
}
NOTHING = 5e-5
"""A price below this part of the improvement shows as 0.00 %."""


def forms_lines(result: Result, labels: Labels) -> list[str]:
    """One line per form: what it costs, and how sure that is."""
    if not has(result, "forms"):
        return []
    rows = [row for row in result.tables["forms"].itertuples() if row.form != FREE]
    shown = dict(result.provenance.get("labels") or {})
    return [" ".join(_sentences(row, _who(row, shown, labels), labels)) for row in rows]


def _who(row: Any, shown: Mapping[str, str], labels: Labels) -> str:
    """Who decides like that, in words."""
    said = row.detail.split("; ")
    names = ", ".join(shown.get(name, name) for name in said)
    if row.kind in WHO:
        return labels(WHO[row.kind], detail=names)
    by_length = len(said) == 1 and float(row.detail) < 1000  # else it is a calendar year
    return labels("form.who.one_year" if row.detail == "1" else "form.who.periods" if by_length else
                  "form.who.starts", detail=names)  # fmt: skip


def _sentences(row: Any, who: str, labels: Labels) -> list[str]:
    unit = labels.unit(str(row.unit))
    if row.status == NONE:
        return [labels("form.none", name=row.form, who=who)]
    price, share = float(row.price), to_python(row.price_share)
    share = share if is_number(share) else 0.0
    said = {"name": row.form, "who": who, "unit": unit, "amount": _amount(abs(price), labels)}
    if share < -NOTHING:
        return [labels("form.better", **said)]
    if share <= NOTHING:
        return [labels("form.nothing", **said)]
    first = labels("form.price", **said, share=labels.share(share))
    if row.certain:
        return [first, labels("form.certain", least=_amount(row.price_at_least, labels), unit=unit)]
    most = to_python(row.price_at_most)
    if row.status == "local" and is_number(most):
        return [first, labels("form.at_most", most=_amount(most, labels), unit=unit)]
    return [first, labels("form.margin")] if is_number(most) else [first]


def _amount(value: float, labels: Labels) -> str:
    """An amount with three digits to see."""
    return labels.number(value, sum(abs(value) < limit for limit in (100, 10, 1, 0.1)))


def fill_forms(page: Page) -> None:
    """Sentences, the table of prices, and what every form decides."""
    result, labels = page.book.result, page.labels
    table, years = result.tables["forms"], sorted(set(result.tables["forms_allocation"]["year"]))
    page.set_up([44, 11, 12, 12, 12, 12, 12, 12, 9, 24, 44, *[11] * max(len(years) - 10, 0)], pages_high=0)
    page.heading(page.name, labels("sign.forms", unit=labels.unit(str(fact(result, "objective_unit") or ""))))
    for line in forms_lines(result, labels):
        page.across(line, **THIN)
    difference = to_python(fact(result, "forms_replay_max_relative_difference"))
    if is_number(difference):
        page.across(labels("form.replay", difference=f"{difference:.1e}"), **THIN)
    page.row += 1
    _prices(page, table)
    for form, lines in clash_blocks(result, labels).items():
        page.section(labels("form.refused", name=form))
        for line in lines:
            page.across(line, **THIN)
        page.row += 1
    for name in dict.fromkeys(result.tables["forms_allocation"]["form"]):
        _decided(page, str(name), years)
    page.finish(len(page.widths))


def _prices(page: Page, table: pd.DataFrame) -> None:
    labels = page.labels
    shown = table.assign(
        form=[form_name(name, labels) for name in table["form"]],
        chosen_values=table["values"],
        status=[labels("word.none") if key == NONE else labels(f"status.{key}") for key in table["status"]],
        reason=[reason(page.book.result, labels, row) for row in table.itertuples()],
    )
    money = number_style(list(table["improvement"]))
    styles: list[Style] = [
        *(NAME, {"num_format": "0"}, money, money, money, {"num_format": "0.00%"}, money, money),
        *(CENTRE, TEXT, TEXT),
    ]
    page.call_next("forms")
    listed(page, shown, COLUMNS, lambda _: styles)
    page.row += 1


def _decided(page: Page, name: str, years: list[int]) -> None:
    """The amounts of one form, a row per decision and a column per year; and its rules in words."""
    result, labels = page.book.result, page.labels
    table = result.tables["forms_allocation"]
    table = table[table["form"] == name]
    unit = ", ".join(dict.fromkeys(labels.unit(unit) for unit in table["unit"]))
    page.section(labels("form.allocation", name=form_name(name, labels), unit=unit))
    wide = table.pivot(index="variable", columns="year", values="value").reindex(columns=years).ffill(axis=1)
    wide = wide.loc[list(dict.fromkeys(table["variable"]))]
    number = number_style(list(table["value"]))
    styles: list[Style] = [NAME, *[number] * len(years)]
    page.call_next("forms_allocation")
    page.header([labels("column.decision"), *years], styles)
    page.rows(
        [[variable, *values] for variable, values in zip(wide.index, wide.to_numpy(), strict=True)], styles
    )
    for line in rule_lines(result, labels, name):
        page.across(line, **{**THIN, "bg_color": PAPER})
    page.row += 1


def rule_lines(result: Result, labels: Labels, name: str) -> list[str]:
    """Every rule of feedback of a form in words."""
    table, shown = result.tables["forms_choices"], dict(result.provenance.get("labels") or {})
    table = table[(table["form"] == name) & (table["follows"] != "")]
    forms = result.tables["forms"].set_index("form")
    lines = []
    for (variable, follows), rows in table.groupby(["variable", "follows"], sort=False):
        found = rows.set_index("what")["value"]
        lines.append(
            labels(
                "form.rule",
                decision=variable,
                follows=shown.get(str(follows), follows),
                level=_amount(found["level"], labels),
                unit=labels.unit(str(rows["unit"].iloc[0])),
                response=labels.number(found["response"], 3, sign=True),
                reference=labels(REFERENCE[str(forms.loc[name, "relative_to"])]),
            )
        )
    return lines


def form_name(form: str, labels: Labels) -> str:
    """A form as readers know it: the free path by its own words."""
    return labels("form.free") if form == FREE else form
