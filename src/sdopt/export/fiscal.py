"""Fiscal rules in sentences: which bind, which the advice does not keep, which equations bite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdopt.export.labels import Labels
from sdopt.export.limits import spans
from sdopt.export.views import has
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd


def fiscal_lines(result: Result, labels: Labels) -> list[str]:
    """What the table `fiscal_rules` says, for the summary; nothing without that table."""
    if not has(result, "fiscal_rules"):
        return []
    binding, broken, biting = _found(result)
    lines = [labels("fiscal.binding", names=binding) if binding else labels("fiscal.binding_none")]
    lines += [labels("fiscal.broken", names=broken)] if broken else []
    return lines + ([labels("fiscal.bites", names=biting)] if biting else [])


def fiscal_line(result: Result) -> str:
    """The same in one line, for the terminal; '' without that table."""
    if not has(result, "fiscal_rules"):
        return ""
    binding, broken, biting = _found(result)
    parts = {"binding": binding or "none", "not kept": broken, "bites": biting}
    return "; ".join(f"{word}: {names}" for word, names in parts.items() if names)


def _found(result: Result) -> tuple[str, str, str]:
    """Names with years: imposed rules that bind, rules not kept, equations that bite."""
    table = result.tables["fiscal_rules"]
    binding = table[table["imposed"] & (table["binds"] == "yes")]
    return (
        _names(binding),
        _names(table[table["verdict"] == "broken"]),
        _names(table[table["verdict"] == "bites"]),
    )


def _names(rows: pd.DataFrame) -> str:
    """Rules, each with the years that a table has of them."""
    names = rows["id"] + " " + rows["title"]
    years = rows.groupby(names, sort=False)["year"].apply(lambda found: spans(map(int, found.dropna())))
    return "; ".join(f"{name} ({span})" if span else str(name) for name, span in years.items())
