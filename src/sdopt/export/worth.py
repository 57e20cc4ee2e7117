"""Is every decision worth it, in words: for tables, for the terminal, and in which order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.labels import Labels
from sdopt.export.precision import level_unit, level_words
from sdopt.export.tables import read_parquet
from sdopt.sweep.conclusions import number, times, worth_words
from sdopt.sweep.rounding import apart_decimals, range_decimals

if TYPE_CHECKING:
    from pandas import DataFrame

ADVISED = "as advised"
ENGLISH = Labels("en")
TOLD = 3
"""Decisions that the terminal tells about: those in which the advice moves most money."""


def worth_said(
    worth: DataFrame, thresholds: Mapping[str, float], labels: Labels, names: Mapping[str, str]
) -> DataFrame:
    """The table of `worth_of_decisions` with its `words`; `names` are what readers see for decisions."""
    words = [
        worth_words(row, thresholds, labels.language, labels.unit(row["unit"]),
                    names.get(row["decision"], row["decision"]))
        for row in worth.to_dict("records")
    ]  # fmt: skip
    found = worth.copy()
    found.insert(3, "words", words)
    return found


def ordered(decisions: DataFrame, worth: DataFrame | None) -> list[str]:
    """Decisions, the one first in which the advice moves most money; in their own order without `worth`."""
    names = list(decisions["decision"])
    if worth is None:
        return names
    sizes = worth[worth["contrast"] == ADVISED].set_index("decision")["size"].fillna(0.0)
    return sorted(names, key=lambda name: -float(sizes.get(name, 0.0)))


def advised_line(row: Mapping[str, Any], name: str, labels: Labels) -> str:
    """Which way the advice moves a decision, from and to what; `row` is of the table `advised`."""
    decimals = apart_decimals(row["today"], row["advised"])
    today, advised = (labels.number(row[key], decimals) for key in ("today", "advised"))
    way = "same" if today == advised else "up" if row["advised"] > row["today"] else "down"
    ends = dict.fromkeys((int(row["first_year"]), int(row["last_year"])))
    said = {"today": today, "advised": advised, "unit": labels.unit(str(row["unit"]))}
    return labels(f"worth.moved.{way}", name=name, years="-".join(map(str, ends)), **said)


def worth_lines(folder: Path) -> list[str]:
    """For the terminal, from a written folder: the decisions in which the advice moves most money."""
    if not (file := folder / "tables" / "worth_of_decisions.parquet").is_file():
        return []
    facts = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["provenance"]
    constants, decisions = facts["labels"], facts["decision_names"]
    worth, advised = read_parquet(file), read_parquet(folder / "tables" / "advised.parquet")
    moved, lines = {row["decision"]: row for row in advised.to_dict("records")}, []
    for name in ordered(advised, worth)[:TOLD]:
        lines.append(f"worth    {advised_line(moved[name], decisions.get(name, name), ENGLISH)}")
        own = worth[worth["decision"] == name].to_dict("records")
        lines += [f"         {row['contrast']}: {_verdict(row, constants)}" for row in own]
    return lines


def _verdict(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The kind of conclusion with its main figures, and the break-even value that is likeliest to turn it."""
    if row["failed"] >= 1.0:
        return f"{row['kind']}, the model gave no number in any future"
    money = is_number(row["spent"])
    decimals = range_decimals(0.0, row["size"] if money else row["mean"])
    mean, spent = (number(row[key], "en", decimals) for key in ("mean", "spent"))
    said = f"{row['kind']}, gains in {times(row['probability'], 'en')} of 100 futures, mean {mean}"
    said += f" on {spent} {row['unit']}" if money else f" {row['unit']}"
    if not row["constant"]:
        return f"{said}; no constant alone turns that"
    ends = row["low"], row["high"], str(row["constant_unit"])
    at = level_words(ENGLISH, row["break_even"], *ends)
    unit = "" if ends[2].lower() == "dmnl" else f" {level_unit(ENGLISH, *ends)}".rstrip()
    constant = names.get(row["constant"], row["constant"])
    return f"{said}; worth it with {constant} {row['worth']} {at}{unit}"
