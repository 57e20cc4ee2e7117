"""The sheets for whoever repeats or checks a run: what it was made with, and what the model calls things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT, long_list
from sdopt.export.page import Page
from sdopt.result import Result

ELSEWHERE = {
    "bound_assumes",
    "certified_assumes",
    "certified_refusal",
    "decision_names",
    "gap_reason",
    "labels",
}
"""Facts that another sheet tells, in words of the reader; summary.json has them all."""
UNITS = {"objective_unit"}


def fill_run(page: Page) -> None:
    """Versions, seed, hashes, tolerances: what is needed to repeat the outcome."""
    result, labels = page.book.result, page.labels
    page.set_up([58, 78, 32], portrait=True)
    page.heading(page.name, labels("sign.run"))
    page.header([labels(f"column.{key}") for key in ("property", "value", "key")], [NAME, NAME, TEXT])
    page.freeze(page.row - 1)
    for key, name, value in shown_facts(result, labels):
        page.rows([[name, value, key]], [NAME, NAME, TEXT])
    page.finish(3)


def shown_facts(result: Result, labels: Labels) -> list[tuple[str, str, Any]]:
    """Key, name for readers and value of every fact of the run, or of each that was joined; numbers stay."""
    joined = result.provenance.get("joined") or {}
    if joined:
        return [
            (f"{kind}.{key}", labels("run.of", kind=labels(f"run.part.{kind}"), name=_name(key, labels)),
             _said(key, value, labels))
            for kind, one in sorted(joined.items())
            for key, value in _flat(one).items()
        ]  # fmt: skip
    facts = {"status": result.status.key, **_flat(result.provenance), **_flat(result.figures)}
    return [(key, _name(key, labels), _said(key, value, labels)) for key, value in facts.items()]


def fill_names(page: Page) -> None:
    """Every name on the sheets beside the model's own, in the order of the alphabet."""
    page.set_up([70, 60], portrait=True)
    page.heading(page.name, page.labels("sign.names"))
    long_list(page, page.book.result.tables["names"], ["name", "variable"], lambda _: [NAME, TEXT])


def _flat(facts: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested facts as one level, sorted, with dots in the names; tables not, nor what stands elsewhere."""
    flat: dict[str, Any] = {}
    for key in sorted(facts.keys() - ELSEWHERE):
        value = facts[key]
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        elif not _is_table(value):
            flat[f"{before}{key}"] = value
    return flat


def _is_table(value: Any) -> bool:
    """Whether a fact is a list of rows, which stands on another sheet."""
    return isinstance(value, (list, tuple)) and any(isinstance(row, Mapping) for row in value)


def _name(key: str, labels: Labels) -> str:
    """What a fact is called; its key for one without a label, and a group for what a group holds."""
    group, _, one = key.partition(".")
    inside = labels.find(f"run.{group}.of", "", name=one) if one else ""
    return labels.find(f"run.{key}", inside or key)


def _said(key: str, value: Any, labels: Labels) -> Any:
    """A fact as readers see it: words of ours in their language, a list as text, the rest as it is."""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, _plain(value)))
    if not isinstance(value, str):
        return value
    if key in UNITS:
        return labels.unit(value)
    known = labels.find(f"found.design.{value.replace(' ', '_')}", labels.find(f"status.{value}", value))
    return labels.find(f"run.value.{value.lower()}", known)


def _plain(values: Any) -> Iterator[Any]:
    """Whole numbers without a decimal point, others as they are."""
    return (int(one) if isinstance(one, float) and one.is_integer() else one for one in values)
