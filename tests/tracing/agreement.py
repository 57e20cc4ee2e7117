"""Figures that stand in two places of a results folder: in summary.json and a table, or in two tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from origin import Origin

Pair = tuple[str, Any, Any]
"""What it is, and the figure in one place and in the other."""


def apart(origin: Origin) -> tuple[int, list[Pair]]:
    """How many figures stand in two places, and those that differ."""
    pairs = [*_of_advice(origin), *_of_years(origin), *_of_sweep(origin), *_of_robust(origin)]
    return len(pairs), [pair for pair in pairs if not _same(*pair[1:])]


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        both = math.isnan(first) and math.isnan(second)
        return both or first == pytest.approx(second, rel=1e-6, abs=1e-9)
    return bool(first == second)


def _of_advice(origin: Origin) -> Iterator[Pair]:
    """Return, improvement, gap, bound, what adds up to the improvement, and what is counted."""
    if origin.summary.get("objective") is not None:
        yield from _of_return(origin.summary)
        yield from _of_tables(origin, origin.summary)
        yield from _of_ledger(origin, origin.summary["improvement"])


def _of_return(known: dict[str, Any]) -> Iterator[Pair]:
    """Figures of summary.json that follow from each other."""
    yield "improvement", known["improvement"], known["objective"] - known["null_objective"]
    if known.get("gap_amount") is not None:
        yield "gap amount", known["gap_amount"], known["bound"] - known["objective"]
        yield "gap", known["gap"], known["gap_amount"] / (known["bound"] - known["null_objective"])
    if known.get("gap_euro") is not None and "million" in known["objective_unit"].lower():
        yield "gap in euros", known["gap_euro"], known["gap_amount"] * 1e6
    if known.get("half_step_return_change") is not None:
        change = known["half_step_improvement"] / known["improvement"] - 1
        yield "half step", known["half_step_return_change"], change


def _of_tables(origin: Origin, known: dict[str, Any]) -> Iterator[Pair]:
    """Figures of summary.json that stand in a table, or follow from one."""
    if origin.has("search") and known.get("gap") is not None:
        reached = known["bound"] - known["null_objective"]
        yield "bound of the search", origin.table("search").iloc[-1]["bound"], reached
    if origin.has("contributions"):
        yield "contributions", origin.table("contributions")["share"].sum(), known["improvement"]
    if origin.has("end_value"):
        whole = origin.table("end_value").set_index("weight").loc[1.0]
        yield "return with the whole end value", whole["advice"], known["objective"]
        yield "and without new policy", whole["null"], known["null_objective"]
    if origin.has("decisions") and "decisions" in known:
        table = origin.table("decisions")
        yield "decisions", known["decisions"], len(table)
        yield "between bounds", known["decisions_between_bounds"], int((~table["at_bound"]).sum())


def _of_ledger(origin: Origin, gained: float) -> Iterator[Pair]:
    """The ledger adds up to every perspective, and to the improvement."""
    if not origin.has("perspective_totals"):
        return
    table = origin.table("perspective_totals")
    kept = table[table["agrees"]]
    own = kept[kept["maximised"]]
    yield from (("perspective", one, gained) for one in own["difference"])
    rows = origin.table("perspectives").groupby("perspective")["difference"].sum()
    yield from (("effects of it", rows[row.perspective], row.difference) for row in kept.itertuples())
    if len(own) and set(own["pockets"].iloc[0].split("; ")) >= set(origin.table("ledger")["pocket"]):
        yield "ledger", origin.table("ledger")["difference"].sum(), gained


def _of_years(origin: Origin) -> Iterator[Pair]:
    """Pay-back, of every perspective, against the sums by year."""
    if origin.has("pay_back"):
        years = origin.table("pay_back_years")
        for row in origin.table("pay_back").itertuples():
            own = years[years["perspective"] == row.perspective].sort_values("year")
            for found, column in ((row.year, "cumulative"), (row.year_discounted, "cumulative_discounted")):
                below = own["year"][own[column] < 0]
                first = float(below.max() + 1 if len(below) else own["year"].min())
                if not math.isnan(found):
                    yield f"pay-back of {row.perspective}", found, first
            yield "pay-back total", row.total, own["cumulative"].iloc[-1]
            yield "discounted", row.total_discounted, own["cumulative_discounted"].iloc[-1]
            yield "lowest", row.lowest, own["cumulative"].min()


def _of_sweep(origin: Origin) -> Iterator[Pair]:
    """What summary.json repeats of tables, and chances, means and quantiles in more tables than one."""
    for name in ("conclusions", "worth_of_decisions", "conditions"):
        rows = origin.table(name).to_dict("records") if origin.has(name) else []
        for said, row in zip(origin.summary.get(name) or (), rows, strict=True):
            for key, value in said.items():
                yield f"{name} {key}", math.nan if value is None else value, row[key]
    if origin.has("distribution"):
        table = origin.table("distribution").fillna({"external": ""})
        whole = table[table["external"] == ""].set_index("allocation")
        yield from _of_distribution(origin, whole)


def _of_distribution(origin: Origin, whole: pd.DataFrame) -> Iterator[Pair]:
    """`whole`: a row per allocation, over all external scenarios."""
    columns = {"probability": "positive", "mean": "mean", "from": "q05", "to": "q95"}
    for row in origin.table("conclusions").to_dict("records"):
        own = whole.loc[row["allocation"]]
        if row["against"] == "null":
            yield from ((f"conclusion: {key}", row[key], own[column]) for key, column in columns.items())
    columns = {"mean": "mean", "positive": "positive", "low": "q05", "high": "q95"}
    for said in origin.summary.get("allocations") or ():
        if said["allocation"] in whole.index and said["mean"] is not None:
            own = whole.loc[said["allocation"]]
            yield from ((f"in summary: {key}", said[key], own[column]) for key, column in columns.items())
    for name, own in origin.table("curve").groupby("allocation"):
        below, above = own["value"][own["share"] <= 0.5].max(), own["value"][own["share"] >= 0.5].min()
        yield f"P50 of {name}", below - 1e-9 <= whole.loc[name, "q50"] <= above + 1e-9, True


def _of_robust(origin: Origin) -> Iterator[Pair]:
    """The value of a measure in its proof, in the table of measures, and in the last round of the search."""
    if not origin.has("robust_proof"):
        return
    measures = origin.table("robust_measures").set_index("allocation")
    for row in origin.table("robust_proof").itertuples():
        column = "largest_regret" if row.measure == "regret" else row.measure
        yield f"proved {row.measure}", abs(row.value), abs(measures.loc[row.measure, column])
    advice = measures.loc["advice"] if "advice" in measures.index else None
    for row in origin.table("robust_price").itertuples():
        if advice is not None and row.measure in measures and not math.isnan(row.gained):
            change = measures.loc[row.allocation, row.measure] - advice[row.measure]
            yield f"price by {row.measure}", abs(row.gained), abs(change)
