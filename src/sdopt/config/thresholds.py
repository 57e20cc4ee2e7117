"""Numbers on which the words of a conclusion turn: in `thresholds.csv`, each with its source; disputable."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sdopt.config.document import Complain, Place
from sdopt.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number in `unit`, between the `low` and `high` that somebody could defend.

    `source` is that of the rule behind it, if any; `status` is that of the number itself.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    status: str
    note: str


@cache
def known_thresholds() -> dict[str, Threshold]:
    """Every threshold by name, in the order of the table."""
    text = resources.files(__package__).joinpath("thresholds.csv").read_text(encoding="utf-8")
    return {row["name"]: _threshold(row) for row in csv.DictReader(text.splitlines())}


def _threshold(row: Mapping[str, str]) -> Threshold:
    value, low, high = (float(row[key]) for key in ("value", "low", "high"))
    return Threshold(row["name"], value, low, high, row["unit"], row["source"], row["status"], row["note"])


def thresholds(given: Mapping[str, float] | None = None) -> dict[str, float]:
    """Every number by name, with those of a config in place of the table's own."""
    return {**{name: one.value for name, one in known_thresholds().items()}, **(given or {})}


def check_thresholds(place: Place, given: Mapping[str, float], complain: Complain) -> None:
    """Call `complain(place, message)` for every number that has no meaning."""
    known = known_thresholds()
    for name, value in given.items():
        if name not in known:
            allowed = ", ".join(known)
            complain(
                (*place, name), f"there is no such threshold.{did_you_mean(name, known)} Known: {allowed}"
            )
        elif not known[name].low <= value <= known[name].high:
            one = known[name]
            complain((*place, name), f"{value:g} must lie from {one.low:g} to {one.high:g} ({one.unit})")
    asked = thresholds(given)
    if asked["probably"] >= asked["clearly"]:
        message = f"{asked['probably']:g} must be below clearly ({asked['clearly']:g})"
        complain((*place, "probably" if "probably" in given else "clearly"), message)
