"""Deciding again after learning, in words and as a block on a sheet; no more is claimed than bounds say."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from sdopt.config.robust import EXTERNAL
from sdopt.export.cells import is_number
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT, number_style
from sdopt.export.page import THIN, YEAR, Page, Style
from sdopt.export.precision import range_decimals
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

TABLE, VALUES = "robust_adaptive", "robust_adaptive_value"
NAMED = 3
"""Amounts named in one sentence."""
SAME = 0.01
"""Amounts that differ by less than this part of the largest are called nearly the same."""


def again_lines(result: Result, labels: Labels) -> list[str]:
    """What deciding again adds, and what it changes now and later; none when it was not asked."""
    if not has(result, TABLE):
        return []
    table = result.tables[TABLE]
    return [_gain(result, labels), _now(table, labels), _later(table, labels), labels("again.limits")]


def _gain(result: Result, labels: Labels) -> str:
    """What was found, and between which ends (rounded outwards) the true gain lies if the bounds hold."""
    gained = result.tables[VALUES].set_index("what").loc["gained"]
    bounded = is_number(float(gained["bound"]))
    decimals = range_decimals(0.0, float(gained["bound"] if bounded else gained["value"]))
    least = floor(float(gained["least"]) * 10**decimals) / 10**decimals
    most = ceil(float(gained["bound"]) * 10**decimals) / 10**decimals if bounded else 0.0
    return labels(
        "again.gain.bounded" if bounded else "again.gain.unbounded",
        year=fact(result, "decide_again_year"),
        what=_learnt(result, labels),
        found=labels.number(gained["value"], decimals, sign=True),
        least=labels.number(least, decimals) if least > 0 else labels("again.nothing"),
        most=labels.number(most, decimals),
        unit=labels.unit(str(gained["unit"])),
        proof=labels(f"again.proof.{gained['status']}") if bounded else "",
    )


def _learnt(result: Result, labels: Labels) -> str:
    """What becomes known, in words."""
    name = str(fact(result, "decide_again_learnt"))
    if name == EXTERNAL:
        return labels("again.external")
    shown = (result.provenance.get("labels") or {}).get(name, name)
    edges = sorted(set(result.tables[TABLE]["from"].dropna()))
    decimals = range_decimals(min(edges), max(edges))
    told = "; ".join(labels.number(edge, decimals) for edge in edges)
    return labels("again.constant", name=shown, edges=told)


def _now(table: pd.DataFrame, labels: Labels) -> str:
    """Where what is decided now differs from the fixed path, the largest difference first."""
    rows = table[table["stage"] == "now"]
    ends = rows[["fixed", "adaptive"]]
    told = [
        labels("again.instead", amount=amount, fixed=fixed, **_place(row, labels))
        for row in _largest(rows, ends).itertuples()
        for amount, fixed in [_amounts(labels, row.adaptive, row.fixed)]
    ]
    return labels("again.now", told="; ".join(told)) if told else labels("again.now.same")


def _later(table: pd.DataFrame, labels: Labels) -> str:
    """Where the groups differ most in what is decided later, the lowest group first."""
    rows = table[table["stage"] == "later"]
    wide = rows.pivot(index=["variable", "unit", "period"], columns="group", values="adaptive")
    chosen = _largest(wide.reset_index(), wide.reset_index(drop=True))
    groups = list(wide.columns)
    told = [
        labels(
            "again.amounts",
            amounts="; ".join(_amounts(labels, *(row[group] for group in groups))),
            **_place(row, labels),
        )
        for _, row in chosen.iterrows()
    ]
    names = list(dict.fromkeys(rows["external"]))
    order = "; ".join(names) if len(names) > 1 else labels("again.order")
    return labels("again.later", told=", ".join(told), order=order) if told else labels("again.later.same")


def _largest(rows: pd.DataFrame, amounts: pd.DataFrame) -> pd.DataFrame:
    """The rows in which amounts differ most, as part of the largest of them."""
    spread = amounts.max(axis=1) - amounts.min(axis=1)
    part = spread / amounts.abs().max(axis=1).where(lambda size: size > 0, 1.0)
    order = part[part >= SAME].sort_values(ascending=False, kind="stable").index[:NAMED]
    return rows.loc[order]


def _place(row: Any, labels: Labels) -> dict[str, object]:
    return {"name": row.variable, "year": int(row.period), "unit": labels.unit(str(row.unit))}


def _amounts(labels: Labels, *values: float) -> list[str]:
    decimals = range_decimals(min(values), max(values)) - 1
    return [labels.number(value, max(decimals, 0)) for value in values]


def fill_again(page: Page, table: pd.DataFrame) -> None:
    """In words what deciding again adds; a row per decision and year, a column per group."""
    labels = page.labels
    for line in again_lines(page.book.result, labels):
        page.across(line, **THIN)
    later = table[table["stage"] == "later"].drop_duplicates("group").sort_values("group")
    groups = list(later["group"])
    heads = [_head(row, labels) for row in later.to_dict("records")]
    amount = number_style([*table["fixed"], *table["adaptive"]])
    styles: list[Style] = [NAME, {"num_format": YEAR, "align": "left"}, *[amount] * (len(heads) + 1), TEXT]
    first = [labels(f"column.{key}") for key in ("decision", "year")]
    page.header([*first, labels("again.fixed"), *heads, labels("column.unit")], styles)
    for (variable, unit, period), rows in table.groupby(["variable", "unit", "period"], sort=False):
        of = dict(zip(rows["group"], rows["adaptive"], strict=True))
        values = [of.get(group, of.get(0)) for group in groups]
        page.rows([[variable, period, rows["fixed"].iloc[0], *values, labels.unit(str(unit))]], styles)


def _head(row: Mapping[str, Any], labels: Labels) -> str:
    """What a group is: an external scenario, or values between two ends."""
    ends = {key: row[key] for key in ("from", "to") if is_number(row[key])}
    if not ends:
        return str(row["external"])
    decimals = range_decimals(0.0, max(ends.values(), key=abs))
    told = {f"{key}_": labels.number(value, decimals) for key, value in ends.items()}
    return labels(f"again.ends.{'_'.join(ends)}", **told)
