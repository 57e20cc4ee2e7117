"""Rows with a bar to the left or right of zero: effects, pockets, contributions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.figures.figure import (
    ADVICE,
    GAIN,
    LOSS,
    REST,
    Figure,
    Spec,
    drawn,
    figure,
    one_line,
    said,
    short_names,
)
from sdopt.export.figures.specs import (
    SIDES,
    axis,
    by_name,
    end_texts,
    layered,
    line_at,
    names_axis,
    number_format,
    quantity,
    tips,
)
from sdopt.export.labels import Labels
from sdopt.export.views import fact, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

MOST = 11
"""Rows that get a bar of their own; all others are one."""
SMALL = 0.005
"""Below this part of the largest a row is taken with the others."""
NOT_SPLIT = "not split"
ADDED = {"ledger": "difference", "contributions": "share"}
"""Table -> the column of which the bars are sums."""


def effects_figure(result: Result, labels: Labels) -> list[Figure]:
    """What every effect adds to the return; without a ledger the components, which may overlap."""
    if has(result, "ledger"):
        table, column, source = result.tables["ledger"], "effect", "ledger"
    elif has(result, "return"):
        table, column, source = result.tables["return"], "component", "return"
    else:
        return []
    if table["unit"].nunique() != 1:
        return []
    sums = table.groupby(column, sort=False)["difference"].sum()
    unit = labels.unit(str(table["unit"].iloc[0]))
    adds_up = source == "ledger"
    rows = _largest(sums, labels, adds_up, (source, column, table))
    words = {"best": _extreme(rows, 1, labels), "worst": _extreme(rows, -1, labels), "unit": unit}
    title = labels(f"figure.effects.{source}", total=said(labels, float(sums.sum()), sign=True), **words)
    about = labels(f"figure.effects.{source}.described", unit=unit, each=_each(rows, labels))
    # A component may be a cost: its plus is not good news, and so has no colour of its own.
    spans = [(name, 0.0, value, value, _sign(value) if adds_up else "total") for name, value in rows]
    axis_title = labels("figure.worth" if adds_up else "figure.difference", unit=unit)
    spec = span_bars(spans, axis_title, labels("column.effect"), labels)
    table_rows = [[name, value] for name, value in sums.items()]
    headers = (labels("column.effect"), f"{labels('word.difference')} ({unit})")
    return [figure("effects", (title, about), spec, (headers, table_rows), (source,))]


def _largest(
    sums: pd.Series, labels: Labels, adds_up: bool, of: tuple[str, str, pd.DataFrame]
) -> list[tuple[str, float]]:
    """The largest by size, most favourable on top; the others as one where they may be added.

    `of` tells what they are sums of: name of the table, column of the names, and the rows.
    """
    size = sums.abs()
    least = SMALL * float(size.max() or 0.0)
    kept = sums[size > least].loc[lambda own: own.abs().sort_values(ascending=False, kind="stable").index]
    top = kept.iloc[:MOST].sort_values(ascending=False, kind="stable")
    rows = [(one_line(name), float(value)) for name, value in top.items()]
    rest = sums[~sums.index.isin(top.index)]
    changed = rest.index[rest != 0]
    if adds_up and len(changed):
        table, column, own = of
        first = own[own[column].isin(changed)].drop_duplicates(column).index
        rows.append(
            (labels("figure.rest", count=labels.count(table, ADDED[table], first)), float(rest.sum()))
        )
    return rows


def _extreme(rows: Sequence[tuple[str, float]], sign: int, labels: Labels) -> str:
    """The largest gain or loss by name."""
    name, value = max(rows, key=lambda row: sign * row[1], default=("—", 0.0))
    return f"{name} ({said(labels, value, sign=True)})"


def _each(rows: Iterable[tuple[str, float]], labels: Labels) -> str:
    return "; ".join(f"{name} {said(labels, value, sign=True)}" for name, value in rows)


def _sign(value: float) -> str:
    return "gain" if value >= 0 else "loss"


SIGNS = {"gain": GAIN, "loss": LOSS, "total": ADVICE, "apart": REST}

Span = tuple[str, float, float, float, str]
"""Name, from, to, number, kind (a key of `SIGNS`)."""


def span_bars(rows: Sequence[Span], title: str, what: str, labels: Labels) -> Spec:
    """A bar per row with its number at the end; the first row on top."""
    short = short_names(name for name, *_ in rows)
    values = [
        {
            "name": name,
            "label": short[name],
            "order": place,
            "from": start,
            "to": end,
            "value": value,
            "text": drawn(labels, value),
            "kind": kind,
            "side": "right" if end >= start else "left",
        }
        for place, (name, start, end, value, kind) in enumerate(rows)
    ]
    lines = tips(("name", what), ("value", title, number_format((row[3] for row in rows), sign=True)))
    y = names_axis(values)
    bar = {
        "mark": {"type": "bar", "height": {"band": 0.68}},
        "encoding": {
            "y": y,
            "x": quantity("from", axis(title), padding=46),
            "x2": {"field": "to"},
            "color": {**by_name("kind", SIGNS), "legend": None},
            "tooltip": lines,
        },
    }
    text = {"y": y, "x": quantity("to"), "text": {"field": "text"}, "tooltip": lines}
    return layered(values, [bar, line_at(0), *end_texts(text, "side", SIDES)])


def pockets_figure(result: Result, labels: Labels) -> list[Figure]:
    """Who pays and who gains: from pocket to pocket up to the total; what is not split stands apart."""
    if not has(result, "ledger"):
        return []
    table = result.tables["ledger"]
    if table["unit"].nunique() != 1:
        return []
    unit = labels.unit(str(table["unit"].iloc[0]))
    sums = table.groupby("pocket", sort=False)["difference"].sum()
    order = [name for name in sums.index if name != NOT_SPLIT] + [n for n in sums.index if n == NOT_SPLIT]
    rows, reached = [], 0.0
    for pocket in order:
        value = float(sums[pocket])
        kind = "apart" if pocket == NOT_SPLIT else _sign(value)
        rows.append((_pocket(pocket, labels), reached, reached + value, value, kind))
        reached += value
    rows.append((labels("word.total"), 0.0, reached, reached, "total"))
    amounts = [(name, value) for name, _, _, value, _ in rows[:-1]]
    title = _pocket_title(amounts[: len(order) - (NOT_SPLIT in order)], reached, unit, labels)
    each, total = _each(amounts, labels), said(labels, reached, sign=True)
    about = labels("figure.pockets.described", unit=unit, each=each, total=total)
    spec = span_bars(rows, labels("figure.worth", unit=unit), labels("column.pocket"), labels)
    headers = (labels("column.pocket"), f"{labels('word.difference')} ({unit})")
    table_rows = [[name, value] for name, _, _, value, _ in rows]
    return [figure("pockets", (title, about), spec, (headers, table_rows), ("ledger",))]


def _pocket(name: str, labels: Labels) -> str:
    return labels.find(f"pocket.{name.lower()}", one_line(name))


def _pocket_title(amounts: Sequence[tuple[str, float]], total: float, unit: str, labels: Labels) -> str:
    """Who gains most and who pays most, and the total."""
    (best, gain), (worst, loss) = max(amounts, key=lambda own: own[1]), min(amounts, key=lambda own: own[1])
    key = "both" if loss < 0 < gain else "gain" if gain > 0 else "none"
    numbers = {"gain": gain, "loss": loss, "total": total}
    words = {name: said(labels, value, sign=True) for name, value in numbers.items()}
    return labels(f"figure.pockets.{key}", best=best, worst=worst, unit=unit, **words)


def contributions_figure(result: Result, labels: Labels) -> list[Figure]:
    """Which change of a decision carries the improvement."""
    if not has(result, "contributions"):
        return []
    table = result.tables["contributions"].sort_values("share", ascending=False, kind="stable")
    unit = labels.unit(str(table["unit"].iloc[0]))
    names = [one_line(name) for name in table["variable"]]
    named = table.assign(name=names)
    sums = named.groupby("name", sort=False)["share"].sum()
    rows = _largest(sums, labels, True, ("contributions", "name", named))
    total = float(fact(result, "improvement") or sums.sum())
    title = labels(
        "figure.contributions", best=_extreme(rows, 1, labels), total=said(labels, total), unit=unit
    )
    about = labels("figure.contributions.described", unit=unit, each=_each(rows, labels))
    spans = [(name, 0.0, value, value, _sign(value)) for name, value in rows]
    spec = span_bars(spans, labels("figure.worth", unit=unit), labels("column.decision"), labels)
    headers = (labels("column.decision"), labels("figure.change"), f"{labels('figure.share')} ({unit})")
    table_rows: list[list[Any]] = [
        [name, row.change, row.share] for name, row in zip(names, table.itertuples(), strict=True)
    ]
    return [figure("contributions", (title, about), spec, (headers, table_rows), ("contributions",))]
