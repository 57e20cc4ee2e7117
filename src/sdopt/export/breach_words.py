"""Limits over all futures, in sentences by rule: how often and how far, with the advice and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.findings_words import ADVICE
from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.precision import chance_decimals, chance_words, range_decimals
from sdopt.export.views import fact, full_names, has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

OFTEN = 0.05
"""From this share of the futures on, with the advice or without, a limit or an empty stock has a sentence."""
ALIKE = 0.03
"""Shares that differ by no more are said in one breath: it happens with or without the advice."""


def breach_lines(result: Result, labels: Labels) -> list[str]:
    """Any limit, every limit and every stock that runs out often enough; and which years limits leave out."""
    if not has(result, "limits"):
        return []
    own = _of_advice(result.tables["limits"])
    whole, each = own[own["limit"] == ""].iloc[0], own[own["limit"] != ""]
    if not is_number(whole["broken"]):
        return []
    named = each[each[["broken", "null_broken"]].max(axis=1) >= OFTEN]
    lines = [_chance("any", "broken", whole, labels)]
    lines += [_limit(row, labels) for row in named.to_dict("records")]
    lines += _empty(result, labels)
    end = (fact(result, "counted_years") or [0, 0])[1]
    if end > whole["last_year"] + 1:
        lines.append(labels("found.limits.years", last=f"{whole['last_year']:g}", end=f"{end:g}"))
    return lines


def broken_beside_now(row: Any, labels: Labels) -> str:
    """How often something is broken, and how often without new policy: `86 % (nu: 81 %)`."""
    decimals = chance_decimals(row["broken_low"], row["broken_high"])
    chance, null = (chance_words(labels, row[key], decimals) for key in ("broken", "null_broken"))
    return labels("found.limits.beside", chance=chance, null=null)


def anything_broken(result: Result, allocation: str) -> Any:
    """The row of an allocation that is about any limit in all futures; None where that is not known."""
    if not has(result, "limits"):
        return None
    own = _of_advice(result.tables["limits"], allocation)
    rows = own[own["limit"] == ""].to_dict("records")
    return rows[0] if rows and is_number(rows[0]["broken"]) else None


def years_of(row: Any) -> str:
    """The years in which a limit holds."""
    return spans(range(int(row["first_year"]), int(row["last_year"]) + 1))


def _of_advice(table: pd.DataFrame, allocation: str = ADVICE) -> pd.DataFrame:
    return table[(table["allocation"] == allocation) & (table["external"] == "")]


def _chance(key: str, column: str, row: Any, labels: Labels, **values: str) -> str:
    """A sentence about one share of the futures, with the advice and without new policy."""
    chance, null = row[column], row[f"null_{column}"]
    decimals = chance_decimals(row[f"{column}_low"], row[f"{column}_high"])
    alike = "_alike" if abs(chance - null) <= ALIKE else ""
    said = {"chance": chance_words(labels, chance, decimals), "null": chance_words(labels, null, decimals)}
    return labels(f"found.limits.{key}{alike}", **said, **values)


def _limit(row: dict[Any, Any], labels: Labels) -> str:
    """How often a limit is broken, in which years, and how far it is passed then."""
    said = _chance("one", "broken", row, labels, limit=row["limit"], years=years_of(row))
    if not is_number(row["passed_q50"]):
        return said
    decimals = range_decimals(0.0, row["passed_q90"])
    mid, high = (labels.number(row[key], max(decimals - 1, 0)) for key in ("passed_q50", "passed_q90"))
    far = labels("found.limits.far", mid=mid, high=high, unit=labels.unit(str(row["unit"])))
    return f"{said} {far.replace(' ,', ',')}"


def _empty(result: Result, labels: Labels) -> list[str]:
    """The kept stocks that are often used up at the end."""
    if not has(result, "empty_stocks"):
        return []
    table = _of_advice(result.tables["empty_stocks"])
    table = table[table[["empty", "null_empty"]].max(axis=1) >= OFTEN]
    return [
        _chance("empty", "empty", row, labels, name=str(name), year=f"{row['time']:g}")
        for name, row in zip(full_names(table), table.to_dict("records"), strict=True)
    ]
