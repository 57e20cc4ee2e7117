"""Mechanisms as data: models/mechanisms.csv, and what an experiment on one of them finds."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from social_model import MODELS, SocialDomain

Settings = Mapping[str, float]
"""Constants of the model by name; and settings of an experiment itself, which `Experiment.settings` names."""
MODES = ("as it is", "switched off", "reversed")


@dataclass(frozen=True)
class Finding:
    """What an experiment measured, in words and figures, and whether the mechanism showed itself."""

    holds: bool
    measured: Mapping[str, float]

    def text(self) -> str:
        """The figures in one line."""
        return "; ".join(f"{what} {figure(value)}" for what, value in self.measured.items())


@dataclass(frozen=True)
class Experiment:
    """The behaviour test of one mechanism, and the names of its settings that are not in the model."""

    find: Callable[[SocialDomain, Settings], Finding]
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mechanism:
    """One row of the table."""

    id: str
    claim: str
    claim_nl: str
    variables: tuple[str, ...]
    off: Settings
    reversed: Settings
    test: str
    test_name: str
    note: str

    def settings(self, mode: str) -> Settings:
        """What a run in this mode changes."""
        chosen: dict[str, Settings] = dict(zip(MODES, ({}, self.off, self.reversed), strict=True))
        return chosen[mode]


def figure(value: float) -> str:
    """Three digits: enough to read, and few enough to be the same on every machine."""
    return "0" if abs(value) < 1e-9 else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _settings(text: str) -> Settings:
    pairs = (part.split("=") for part in text.split(";") if part.strip())
    return {name.strip(): float(value) for name, value in pairs}


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """Every row of models/mechanisms.csv."""
    with (MODELS / "mechanisms.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Mechanism(
            id=row["id"],
            claim=row["claim"],
            claim_nl=row["claim_nl"],
            variables=tuple(name.strip() for name in row["variables"].split(";")),
            off=_settings(row["off"]),
            reversed=_settings(row["reversed"]),
            test=row["test"],
            test_name=row["test_name"],
            note=row["note"],
        )
        for row in rows
    )
