"""Why a form of decision has no allocation, in the workbook's language: what clashes, what repairs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdopt.export.cells import is_number, to_python
from sdopt.export.labels import Labels
from sdopt.export.views import has
from sdopt.result import Result

BULLET = "• "
"""What the limits and repairs in a list begin with."""
SHOWN = 8
"""Most limits, and most repairs, that are listed; tables/forms_clashes has them all."""


def reason(result: Result, labels: Labels, row: Any) -> str:
    """Why there is no allocation, or a bound was withdrawn; "" for any other form. `row` is of `forms`."""
    if row.reason_key == "other":  # of the machinery, not of the question
        return labels("form.why.other", message=row.reason)
    about = _names(result, labels).get(row.reason_about, row.reason_about)
    return labels(f"form.why.{row.reason_key}", about=about) if row.reason_key else ""


def clash_blocks(result: Result, labels: Labels) -> dict[str, list[str]]:
    """Form -> what clashes, how sure that is, and what repairs it, a line each."""
    if not has(result, "forms_clashes"):
        return {}
    groups = result.tables["forms_clashes"].groupby("form", sort=False)
    return {str(form): _clash(list(rows.itertuples()), _entries(result, labels, str(form)), labels)
            for form, rows in groups}  # fmt: skip


def _clash(rows: Sequence[Any], entries: Mapping[str, str], labels: Labels) -> list[str]:
    first = rows[0]
    lines = [labels(f"form.clash.{first.found}", count=first.count)]
    if not first.sure:  # nothing more than rounding
        return lines
    lines += _listed((_said(row, labels, entries) for row in rows if row.repair == 0), labels)
    lines.append(labels(f"form.sure.{first.sure}", names=first.sure_names))
    lines.append(labels(f"form.repair.{first.repaired}"))
    repairs: dict[int, list[str]] = {}
    for row in rows:
        if row.repair:
            repairs.setdefault(row.repair, []).append(_said(row, labels, entries))
    return [*lines, *_listed(("; ".join(repair) for repair in repairs.values()), labels)]


def _listed(lines: Iterable[str], labels: Labels) -> list[str]:
    listed = list(lines)
    left = len(listed) - SHOWN
    more = [f"{BULLET}{labels('word.continued', count=left)}"] if left > 0 else []
    return [*(f"{BULLET}{line}" for line in listed[:SHOWN]), *more]


def _said(row: Any, labels: Labels, entries: Mapping[str, str]) -> str:
    """What an entry of the config asks, or would ask, in which years."""
    entry = entries.get(row.entry, row.entry)
    return labels("form.limit.said", entry=entry, years=row.years, asked=_asked(row, labels))


def _asked(row: Any, labels: Labels) -> str:
    more, now = to_python(row.more), to_python(row.now)
    sense = labels(f"sense.{row.sense}")
    if row.share and is_number(more):
        return labels("form.limit.more", share=row.share, more=_with_unit(more, row.unit, labels))
    if row.share:
        return f"{sense} {row.share}"
    asked = f"{sense} {_with_unit(row.limit, row.unit, labels)}"
    return labels("form.limit.now", asked=asked, now=_digits(now, labels)) if is_number(now) else asked


def _with_unit(value: float, unit: str, labels: Labels) -> str:
    words = "" if unit in ("", "Dmnl") else f" {labels.unit(unit)}"
    return f"{_digits(value, labels)}{words}"


def _digits(value: float, labels: Labels) -> str:
    """A number with six digits at most: a repair is rounded so that it is enough in those."""
    rounded = float(f"{value:.6g}")
    decimals = next(k for k in range(400) if round(rounded, k) == rounded)
    return labels.shown(value, Labels(labels.language).number(rounded, decimals))


def _names(result: Result, labels: Labels) -> dict[str, str]:
    """What a reason may be about -> its name for readers: decisions, variables, the null alternative."""
    table, shown = result.tables["decisions"], dict(result.provenance.get("labels") or {})
    decisions = dict(zip(table["decision"], table["variable"], strict=True))
    return {**shown, **decisions, "null_alternative": labels("word.null")}


def _entries(result: Result, labels: Labels, form: str) -> dict[str, str]:
    """Names that the program itself gives to limits -> the same for readers."""
    table = result.tables["decisions"]
    decisions = dict(zip(table["decision"], table["variable"], strict=True))
    changes = {
        f"{key}: largest {kind}": labels(f"limit.{kind}", name=name)
        for key, name in decisions.items()
        for kind in ("rise", "fall")
    }
    bounds = {f"{key}: bounds": labels("limit.bounds", name=name) for key, name in decisions.items()}
    return {**changes, **bounds, f"{form}: shares add up": labels("limit.shares", name=form)}
