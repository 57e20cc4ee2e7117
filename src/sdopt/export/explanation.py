"""Why the advice is what it is, in sentences that a councillor can read; what the model says, never more."""

from __future__ import annotations

from typing import Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.views import fact, has
from sdopt.result import Result

MOST = 3
"""Limits, mechanisms and contributions that are named in sentences."""
SMALL = 0.005
"""Contributions below this part of the improvement are not named."""
SEEN = 1e-5
"""Gains below this part of the improvement are not named: no reader can use them."""
WIDE = 0.02
"""A decision that can move less than this part of its value is called fixed."""


def short(labels: Labels, value: float, *, sign: bool = False) -> str:
    """A number with two or three digits: no more than a reader should lean on."""
    return labels.number(value, sum(abs(value) < limit for limit in (100, 10, 0.1, 0.01)), sign=sign)


def limit_names(result: Result, labels: Labels) -> list[str]:
    """A name for readers of every row of `shadow_prices`, in a result with shown names."""
    shown = dict(result.provenance.get("labels") or {})
    pairs = {}
    if has(result, "decisions"):
        table = result.tables["decisions"]
        pairs = dict(zip(table["decision"], table["variable"], strict=True))
    changes = {
        f"{decision}: largest {kind}": labels(f"limit.{kind}", name=shown.get(variable, variable))
        for decision, variable in pairs.items()
        for kind in ("rise", "fall")
    }
    return [
        labels(f"limit.{row.kind}", name=pairs.get(row.limit, row.limit))
        if row.kind in ("lower", "upper")
        else changes.get(row.limit, row.limit)
        for row in result.tables["shadow_prices"].itertuples()
    ]


def why_blocks(result: Result, labels: Labels) -> dict[str, list[str]]:
    """Heading -> sentences, for a result with shown names; headings without sentences are left out."""
    blocks = {
        "limits": price_lines(result, labels),
        "room": room_lines(result, labels),
        "alternatives": alternative_lines(result, labels),
        "contributions": [*contribution_lines(result, labels), *mechanism_lines(result, labels)],
        "pay_back": pay_back_lines(result, labels),
        "frontier": frontier_lines(result, labels),
        "sure": sure_lines(result, labels),
    }
    return {key: lines for key, lines in blocks.items() if lines}


def price_lines(result: Result, labels: Labels) -> list[str]:
    """The limits that cost most, by what the return gains when each is 1 % wider."""
    if not has(result, "shadow_prices"):
        return []
    table = result.tables["shadow_prices"].assign(name=limit_names(result, labels))
    binding = table[table["binds"] == "yes"]
    lines = [labels("why.binding", count=len(binding), total=len(table))]
    least = SEEN * abs(to_python(fact(result, "improvement")) or 0.0)
    gains = (binding["looser"] * binding["moved"]).astype(float)
    top = binding.assign(gain=gains).sort_values("gain", ascending=False, kind="stable").head(MOST)
    lines += [
        labels(
            "why.price",
            name=row.name,
            year=f"{row.year:g}",
            gain=short(labels, row.gain),
            moved=f"{short(labels, row.moved)} {labels.unit(row.unit)}",
            unit=_unit(result, labels),
        )
        for row in top.itertuples(index=False)
        if row.gain > least and row.verdict != "not_settled"
    ]
    return lines


def _unit(result: Result, labels: Labels) -> str:
    return labels.unit(str(fact(result, "objective_unit") or ""))


def room_lines(result: Result, labels: Labels) -> list[str]:
    """How far every decision can go within 1 %, on average over the decision years."""
    if not has(result, "near_optimal"):
        return []
    table = result.tables["near_optimal"]
    table = table[(table["within"] == table["within"].min()) & (table["year"] == 0)]
    lines, fixed = [], []
    for row in table.itertuples():
        width, size = row.inner_high - row.inner_low, max(abs(row.value), 1e-9)
        if width < WIDE * size:
            fixed.append(row.variable)
            continue
        ends = {"low": labels.number(row.inner_low, 2), "high": labels.number(row.inner_high, 2)}
        lines.append(
            labels("why.room", name=row.variable, unit=labels.unit(row.unit), **ends,
                   part=labels.number(100 * row.within, 0), value=labels.number(row.value, 2))
        )  # fmt: skip
    fixed_line = [labels("why.fixed", names=", ".join(dict.fromkeys(fixed)))] if fixed else []
    return [*lines, *fixed_line]


def alternative_lines(result: Result, labels: Labels) -> list[str]:
    """Per alternative what it returns and where it differs most."""
    if not has(result, "alternative_returns"):
        return []
    return [
        labels(
            "why.alternative",
            name=alternative_name(row, labels),
            given_up=labels.number(100 * max(row.given_up, 0.0), 1),
            words=difference_words(result, labels, row.within, row.number),
        )
        for row in result.tables["alternative_returns"].itertuples()
    ]


def alternative_name(row: Any, labels: Labels) -> str:
    """A name for one alternative."""
    return labels("why.alternative_name", number=row.number, part=labels.number(100 * row.within, 0))


def difference_words(result: Result, labels: Labels, within: float, number: int) -> str:
    """More of this, less of that: the two largest each, on average over the years."""
    table = result.tables["alternatives"]
    chosen = table[(table["within"] == within) & (table["number"] == number)]
    change = chosen.groupby("variable", sort=False)["difference"].mean()
    least = max(0.1 * float(change.abs().max()), 0.005)
    words = []
    for key, found in (("less", change[change < -least]), ("more", change[change > least])):
        for name in found.abs().sort_values(ascending=False, kind="stable").index[:2]:
            words.append(labels(f"why.{key}", name=name, change=short(labels, abs(float(change[name])))))
    return ", ".join(words) if words else labels("why.between_years")


def contribution_lines(result: Result, labels: Labels) -> list[str]:
    """Which decisions carry the return, and which cost some of it."""
    if not has(result, "contributions"):
        return []
    table = result.tables["contributions"].sort_values("share", ascending=False, kind="stable")
    size = max(abs(float(table["share"].sum())), 1e-12)
    unit = _unit(result, labels)
    lines = [
        labels(
            "why.contribution_more" if row.change > 0 else "why.contribution_less",
            name=row.variable,
            share=short(labels, row.share),
            unit=unit,
        )
        for row in table.head(MOST).itertuples()
        if row.share > SMALL * size
    ]
    costly = [row.variable for row in table.itertuples() if row.share < -SMALL * size]
    return [*lines, *([labels("why.costly", names=", ".join(costly))] if costly else [])]


def mechanism_lines(result: Result, labels: Labels) -> list[str]:
    """What the same allocation would return without the mechanisms that matter most."""
    if not has(result, "mechanisms"):
        return []
    table = result.tables["mechanisms"]
    known = table[table["known"].astype(bool)]
    size = known["difference"].astype(float).abs()
    least = SMALL * float(known["with_mechanism"].astype(float).abs().max() or 0.0) if len(known) else 0.0
    top = known[size > least].assign(size=size).sort_values("size", ascending=False, kind="stable")
    lines = [
        labels(
            "why.mechanism" if row.beats_null else "why.mechanism_needed",
            name=row.mechanism,
            without=short(labels, row.without),
            present=short(labels, row.with_mechanism),
            unit=_unit(result, labels),
        )
        for row in top.head(MOST).itertuples()
    ]
    needed = [row.mechanism for row in top.iloc[MOST:].itertuples() if not row.beats_null]
    return [*lines, *(labels("why.also_needed", name=name) for name in needed)]


def pay_back_lines(result: Result, labels: Labels) -> list[str]:
    """From which year gains outweigh costs for good, by perspective."""
    if not has(result, "pay_back"):
        return []
    lines = []
    for row in result.tables["pay_back"].itertuples():
        name = perspective_name(row.perspective, labels)
        year = to_python(row.year_discounted)
        if row.lowest == 0 and row.total == 0:  # nothing changes for them, so there is nothing to pay back
            continue
        if is_number(year):
            lines.append(labels("why.pay_back", name=name, year=f"{year:g}"))
        else:
            lines.append(labels("why.no_pay_back", name=name))
    return lines


def perspective_name(name: str, labels: Labels) -> str:
    """A perspective of the ledger, or the return itself."""
    return labels("why.return") if name == "return" else name


def frontier_lines(result: Result, labels: Labels) -> list[str]:
    """What more of another aim costs in return, up to the middle of each frontier."""
    if not has(result, "frontier"):
        return []
    table, lines = result.tables["frontier"], []
    for aim, rows in table[~table["dominated"].astype(bool)].groupby("aim", sort=False):
        if len(rows) < 2:
            lines.append(labels("why.no_conflict", aim=aim))
            continue
        first, middle = rows.iloc[0], rows.iloc[len(rows) // 2]
        lines.append(
            labels(
                "why.trade_more" if first["better"] == "higher" else "why.trade_less",
                aim=aim,
                change=short(labels, abs(float(middle["value"] - first["value"]))),
                aim_unit=labels.unit(str(first["value_unit"])),
                cost=short(labels, float(first["improvement"] - middle["improvement"])),
                unit=_unit(result, labels),
            )
        )
    return lines


def sure_lines(result: Result, labels: Labels) -> list[str]:
    """What was checked, and what it proves."""
    lines = []
    if has(result, "shadow_prices"):
        tried = result.tables["shadow_prices"]
        tried = tried[~tried["verdict"].isin(["far", "not_tried"])]
        counts = result.tables["shadow_prices"]["verdict"].value_counts()
        good = counts.get("agrees", 0)
        lines.append(labels("why.checked", tried=len(tried), agrees=good))
        skipped = counts.get("not_tried", 0)
        if skipped:
            lines.append(labels("why.others_not_tried", count=skipped))
        elif counts.get("far", 0):
            lines.append(labels("why.others"))
        lines += [
            labels(f"why.verdict.{key}", count=counts[key])
            for key in ("curved", "kink", "not_concave", "not_settled", "not_possible", "no_multiplier")
            if counts.get(key, 0)
        ]
    if has(result, "near_optimal"):
        proved = bool(fact(result, "explanation_proved"))
        lines.append(labels("why.proved" if proved else "why.not_proved"))
    lines += [labels("why.programmes")] if has(result, "programmes") else []
    names = list(fact(result, "explanation_left_out") or ())
    lines += [labels("why.left_out", names="; ".join(names))] if names else []
    gain = to_python(fact(result, "explained_gain"))
    if is_number(gain) and gain > SEEN * abs(to_python(fact(result, "improvement")) or 0.0):
        lines.append(labels("why.gain", gain=short(labels, gain), unit=_unit(result, labels)))
    return lines
