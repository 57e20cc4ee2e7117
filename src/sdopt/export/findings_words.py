"""What a sweep found, in sentences built from its tables; no sentence without a number behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.cells import is_number
from sdopt.export.labels import Labels
from sdopt.export.precision import (
    chance_decimals,
    chance_words,
    known_decimals,
    level_unit,
    level_words,
    own_decimals,
    range_decimals,
)
from sdopt.export.views import fact, has
from sdopt.result import Result
from sdopt.sweep.rounding import is_calendar

if TYPE_CHECKING:
    import pandas as pd

ADVICE = "advice"
NAMED = 3
"""Constants named in one sentence."""
MANY = 40
"""Draws from which on one of twenty is more than the very lowest or highest."""
# What `analyse` and `discover` say of numbers that are not there, by how it begins.
REASONS = (
    ("the factor is the same", "same_factor"),
    ("the output is the same", "same_output"),
    ("a run failed", "run_failed"),
    ("too few base points", "few"),
    ("no factor is drawn", "no_factor"),
    ("what explained failure in one half", "one_half"),
    ("the search met no factor", "chance"),
)


def allocation_name(name: str, labels: Labels) -> str:
    """An allocation as readers know it; one of the config by its own name."""
    return labels(f"word.{name}") if name in ("null", ADVICE) else name


def external_name(name: str, labels: Labels) -> str:
    """An external scenario; "" is all together."""
    known = {"": labels("found.together"), "central": labels("found.central")}
    return known.get(name, name)


def reason_words(reason: str, labels: Labels) -> str:
    """Why a number is not there, in the reader's language where it is known."""
    for start, key in REASONS:
        if reason.startswith(start):
            return labels(f"found.why.{key}")
    counts = re.search(r"(\d+) .* without a failed run; (\d+) are needed", reason)
    return labels("found.why.needed", found=counts[1], needed=counts[2]) if counts else reason


def together(result: Result) -> pd.DataFrame:
    """The rows of the distribution that are over all external scenarios."""
    table = result.tables["distribution"]
    return table[table["external"] == ""]


def distribution_lines(result: Result, labels: Labels) -> list[str]:
    """Of every allocation the mean, nine futures of ten, and how often it is better than now."""
    if not has(result, "distribution"):
        return [labels("found.no_sample")] if fact(result, "design") == "morris" else []
    sound = [row for row in together(result).itertuples() if row.failed < row.scenarios]
    return [_distribution(row, labels, _broken_now(result).get(row.allocation)) for row in sound]


def _broken_now(result: Result) -> dict[str, float]:
    """By allocation how often a limit is broken without new policy, in the same futures."""
    if not has(result, "limits"):
        return {}
    whole = result.tables["limits"].query("external == '' and limit == ''")
    return dict(zip(whole["allocation"], whole["null_broken"], strict=True))


def _distribution(row: Any, labels: Labels, broken_now: float | None) -> str:
    decimals = known_decimals(row.error)
    decimals = range_decimals(row.q05, row.q95) if decimals is None else decimals
    share = chance_decimals(row.positive_low, row.positive_high)
    numbers = {
        key: labels.number(getattr(row, key), decimals, sign=key == "mean") for key in ("mean", "q05", "q95")
    }
    low, high = (labels.number(100 * end, share) for end in (row.positive_low, row.positive_high))
    known = is_number(row.positive_low)
    said = labels(
        "found.distribution",
        name=allocation_name(row.allocation, labels),
        unit=labels.unit(str(row.unit)),
        chance=chance_words(labels, row.positive, share),
        interval=labels("found.interval", low=low, high=high) if known else "",
        **numbers,
    )
    if broken_now is None or max(1 - row.keeps, broken_now) == 0:
        return said
    decimals = chance_decimals(row.keeps_low, row.keeps_high)
    broken, now = (chance_words(labels, share, decimals) for share in (1 - row.keeps, broken_now))
    return f"{said} {labels('found.breaks', chance=broken, now=now)}"


def failed_line(result: Result, labels: Labels) -> list[str]:
    """How many runs gave no number."""
    failed, runs = int(fact(result, "failed_runs") or 0), int(fact(result, "runs") or 0)
    if not failed:
        return []
    return [labels("found.failed", failed=labels.number(failed, 0), runs=labels.number(runs, 0))]


def design_lines(result: Result, labels: Labels) -> list[str]:
    """How many futures there were, how they were drawn, and what would have been a better number."""
    design = str(fact(result, "design"))
    draws, worlds = int(fact(result, "draws") or 0), int(fact(result, "external_scenarios") or 1)
    said = labels.number(draws, 0)
    kind = labels(f"found.design.{design.replace(' ', '_')}")
    if worlds > 1:
        lines = [labels("found.design_worlds", design=kind, draws=said, worlds=worlds)]
    else:
        lines = [labels("found.design", design=kind, draws=said)]
    if better := fact(result, "better_draws"):
        below, above = (labels.number(count, 0) for count in better)
        lines.append(labels("found.better_draws", draws=said, below=below, above=above))
    if 0 < draws < MANY and has(result, "distribution"):
        lines.append(labels("found.few_draws"))
    return lines


def driver_lines(result: Result, labels: Labels) -> list[str]:
    """The constants that explain most of the advice's spread; external scenarios alike are told together."""
    for table, column in (("sobol_indices", "total"), ("explained_shares", "share")):
        if has(result, table):
            rows = result.tables[table]
            rows = rows[(rows["allocation"] == ADVICE) & rows[column].notna()]
            worlds: dict[str, list[str]] = {}
            for world, own in rows.groupby("external", sort=False):
                alike = driver_names(own, column, Labels(labels.language))
                worlds.setdefault(alike, []).append(str(world))
            return [_drivers(rows, column, alike, labels) for alike in worlds.values()]
    return []


def _drivers(rows: pd.DataFrame, column: str, worlds: Sequence[str], labels: Labels) -> str:
    """The sentence for external scenarios with the same drivers."""
    names = driver_names(rows[rows["external"] == worlds[0]], column, labels)
    said = "; ".join(external_name(world, labels) for world in worlds)
    return labels("found.drivers" if names else "found.no_driver", world=said, names=names)


def driver_names(rows: pd.DataFrame, column: str, labels: Labels) -> str:
    """The first few with their shares; one that chance gives too is not named."""
    sure = rows["share"] > rows["by_chance"] if column == "share" else rows["total_low"] > 0
    first = rows[sure].sort_values(column, ascending=False, kind="stable").head(NAMED)
    return "; ".join(
        f"{row.factor} ({labels.number(100 * getattr(row, column), 0)} %)" for row in first.itertuples()
    )


def failing_lines(result: Result, labels: Labels) -> list[str]:
    """Per way to fail and external scenario: how often, and where, or that nothing tells where."""
    boxes = result.tables["failing_boxes"] if has(result, "failing_boxes") else None
    lines = []
    for row in result.tables["failing"].itertuples():
        if not row.scenarios:
            lines.append(labels("found.fails_unknown", world=external_name(row.external, labels)))
            continue
        how = labels(f"found.failing.{row.failure}")
        counts = {"failures": labels.number(row.failures, 0), "scenarios": labels.number(row.scenarios, 0)}
        lines.append(labels("found.fails", how=how, world=external_name(row.external, labels), **counts))
        if row.reason or boxes is None:
            lines.append(labels("found.no_box", why=_no_box(row, labels)))
            continue
        own = boxes[(boxes["failure"] == row.failure) & (boxes["external"] == row.external)]
        lines += [_box(of_box, labels) for _, of_box in own.groupby("box")]
    return lines


def _no_box(row: Any, labels: Labels) -> str:
    """Why nothing tells where it fails; when too few futures fail, or too few do not, which of both."""
    if not str(row.reason).startswith("it fails in"):
        return reason_words(row.reason, labels)
    seldom = row.failures <= row.scenarios - row.failures
    return labels("found.why.too_seldom" if seldom else "found.why.too_often")


def _box(rows: pd.DataFrame, labels: Labels) -> str:
    first = rows.iloc[0]
    keys = ("density", "coverage", "support")
    numbers = {key: chance_words(labels, first[f"box_{key}"], 0) for key in keys}
    return labels("found.box", where=restriction_words(rows, labels), **numbers)


def restriction_words(rows: pd.DataFrame, labels: Labels) -> str:
    """The restrictions of one box, joined."""
    said: list[str] = []
    for row in rows.itertuples():
        ends: Sequence[float] = [end for end in (row.low, row.high) if is_number(end)]
        width, of = span(ends, str(row.unit)), str(row.unit)
        low, high = (
            level_words(labels, end, *width, of) if is_number(end) else "" for end in (row.low, row.high)
        )
        key = "between" if low and high else "above" if low else "below"
        unit = "" if of.lower() == "dmnl" else level_unit(labels, *width, of)
        said.append(labels(f"found.{key}", name=row.factor, low=low, high=high, unit=unit).rstrip())
    return labels("found.and").join(said)


def span(ends: Sequence[float], unit: str) -> tuple[float, float]:
    """Between what the ends of a restriction are rounded: from nothing, or for calendar years themselves."""
    from_nothing = () if is_calendar(unit, *ends) else (0.0,)
    return min(*from_nothing, *ends, *ends), max(*from_nothing, *ends, *ends)


def conclusion_lines(result: Result, labels: Labels) -> list[str]:
    """The conclusions, and on which number of the rule they hang."""
    if not has(result, "conclusions"):
        return []
    lines = []
    for row in result.tables["conclusions"].itertuples():
        lines.append(str(row.words))
        if row.hangs_on:
            lines.append(labels("found.hangs_on", changes=_changes(str(row.hangs_on), labels)))
    return lines


def _changes(hangs_on: str, labels: Labels) -> str:
    """Thresholds and the kind they would give, in words."""
    said = []
    for change in hangs_on.split("; "):
        number, _, kind = change.partition(": ")
        name, _, value = number.partition(" = ")
        said.append(
            labels(
                "found.change",
                name=labels(f"found.threshold.{name.replace(' ', '_')}"),
                value=labels.number(float(value), max(2, own_decimals(float(value), 3))),
                kind=labels(f"found.kind.{kind.replace(' ', '_')}"),
            )
        )
    return "; ".join(said)
