"""Where the inputs of runs differ: files by their hash, the config by place, constants by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sdopt.export.compare.runs import Run
from sdopt.export.views import fact, has

ABSENT = ""
"""What a run has at a place that it does not have."""
LOOKS_ONLY = ("title", "output")
"""Parts of a config that change no number."""
FILES = (
    "model",
    "constants",
    "municipality",
    "fiscal_rules",
    "ledger",
    "perspectives",
    "not_valued",
    "valuation",
)
"""Inputs of which a result keeps the hash."""
SHORT = 8
"""Letters of a hash that are shown."""


def inputs(runs: Sequence[Run]) -> Iterator[dict[str, str]]:
    """Rows kind (file, config, constant), place, run, value: every place where not all runs have the same.

    Of a kind that some run does not know (a sweep alone has no list of constants) the others are compared.
    """
    for kind, read in {"file": _files, "config": _settings, "constant": _constants}.items():
        known = {run.name: values for run in runs if (values := read(run))}
        for place in dict.fromkeys(place for values in known.values() for place in values):
            found = {name: values.get(place, ABSENT) for name, values in known.items()}
            if len(set(found.values())) > 1:
                yield from ({"kind": kind, "place": place, "run": r, "value": v} for r, v in found.items())


def _files(run: Run) -> dict[str, str]:
    """The start of the hash of every input file."""
    hashes = {name: fact(run.result, f"{name}_hash") for name in FILES}
    return {name: str(value)[:SHORT] for name, value in hashes.items() if value}


def _settings(run: Run) -> dict[str, str]:
    return dict(_flat({key: value for key, value in run.config.items() if key not in LOOKS_ONLY}))


def _constants(run: Run) -> dict[str, str]:
    """The value used of every constant."""
    if not has(run.result, "assumptions"):
        return {}
    table = run.shown.tables["assumptions"]
    return {str(name): f"{value:.12g}" for name, value in zip(table["name"], table["value"], strict=True)}


def _flat(config: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(place, value as text) of everything in a config; a list is one value."""
    if isinstance(config, Mapping) and config:
        for key, value in config.items():
            yield from _flat(value, (*before, str(key)))
    elif before:
        yield " > ".join(before), _text(config)


def _text(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(one)}" for key, one in value.items())
    return ABSENT if value is None else str(value)
