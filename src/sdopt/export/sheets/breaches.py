"""Blocks of the sheet on uncertainty: limits over all futures, and who wins and who pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdopt.export.breach_words import years_of
from sdopt.export.cells import is_number
from sdopt.export.findings_words import ADVICE, allocation_name, external_name, together
from sdopt.export.labels import Labels
from sdopt.export.lists import NAME, TEXT, honest, listed
from sdopt.export.page import QUIET, THIN, Page, Style
from sdopt.export.precision import (
    chance_style,
    decimal_style,
    error_style,
    known_decimals,
    range_decimals,
)
from sdopt.export.views import fact
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

WHOLE: Style = {"bold": True}
MOST_COLUMNS = 11
"""Most external scenarios beside each other, all together included; all are in the folder tables."""
SURE = 0.95
"""From this share of the futures on, somebody is said to win, or to pay."""
NOTHING = 1e-6
"""A difference below this part of what is added up is rounding."""


def fill_limits(page: Page) -> None:
    """Every limit that is ever broken: how often and how far, per allocation; then per external scenario."""
    labels, table = page.labels, page.book.result.tables["limits"]
    page.across(labels("found.note.limits"), **QUIET)
    together = table[table["external"] == ""]
    ever = [name for name, rows in together.groupby("limit", sort=False) if rows["broken"].max() > 0]
    known = together[together["broken"].notna()]  # of runs that all failed nothing is known
    never = [name for name in dict.fromkeys(known["limit"]) if name and name not in ever]
    if ever:
        _how_far(page, _by_limit(together, ever))
    if never:
        sound = _sound(page.book.result, labels)
        page.across(labels("found.limits.never", sound=sound, names="; ".join(never)), **THIN)
    if ever and table["external"].nunique() > 1:
        page.row += 1
        _per_world(page, _by_limit(table, ever))


def _sound(result: Result, labels: Labels) -> str:
    """What to say after `futures` when some runs failed: a share is one of those with an outcome."""
    return labels("found.sound") if fact(result, "failed_runs") else ""


def _by_limit(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The rows of some limits, those of one limit together."""
    import pandas as pd

    return pd.concat([table[table["limit"] == name] for name in names])


def _limit_name(name: str, labels: Labels) -> str:
    return name or labels("found.limits.any_name")


def _how_far(page: Page, table: pd.DataFrame) -> None:
    labels = page.labels
    shown = table.assign(
        constraint=[_limit_name(name, labels) for name in table["limit"]],
        allocation=[allocation_name(name, labels) for name in table["allocation"]],
        from_low=table["broken_low"],
        to_high=table["broken_high"],
        now_broken=table["null_broken"],
        unit=[labels.unit(str(unit)) for unit in table["unit"]],
        limit_years=[years_of(row) for row in table.to_dict("records")],
        measure=[labels(f"measure.{name}") if name else "" for name in table["measure"]],
    )

    def styles(row: Mapping[str, Any]) -> list[Style]:
        chance = chance_style(row["from_low"], row["to_high"])
        far = decimal_style(max(range_decimals(0.0, row["passed_q90"]) - 1, 0))
        return [NAME, TEXT, {**chance, **WHOLE}, *[chance] * 3, far, far, TEXT, TEXT, TEXT]

    columns = ["constraint", "allocation", "broken", "now_broken", "from_low", "to_high"]
    columns += ["passed_q50", "passed_q90", "unit", "limit_years", "measure"]
    page.call_next("limits")
    listed(page, shown, columns, styles)


def _per_world(page: Page, table: pd.DataFrame) -> None:
    """How often limits are broken, with a column per external scenario."""
    labels = page.labels
    page.section(labels("found.title.limits_worlds"))
    worlds = list(dict.fromkeys(table["external"]))[:MOST_COLUMNS]
    keys = ["limit", "allocation"]
    share: Style = {"num_format": "0%"}
    looks: list[Style] = [NAME, TEXT, {**share, **WHOLE}, *[share] * (len(worlds) - 1)]
    heads = [labels("column.constraint"), labels("column.allocation")]
    page.call_next("limits_per_world")
    page.header([*heads, *(external_name(world, labels) for world in worlds)], looks)
    for (limit, allocation), rows in table.groupby(keys, sort=False):
        broken = dict(zip(rows["external"], rows["broken"], strict=True))
        names = [_limit_name(limit, labels), allocation_name(allocation, labels)]
        values = [*names, *(broken[world] for world in worlds)]
        page.rows([values], honest(values, looks))


def fill_gains(page: Page) -> None:
    """Pockets with their total, then perspectives: what each gains, and how likely it wins or pays."""
    labels, table = page.labels, page.book.result.tables["gains"]
    for line in gain_lines(page.book.result, labels):
        page.across(line, **THIN)
    page.across(labels("found.note.gains", unit=labels.unit(str(table["unit"].iloc[0]))), **QUIET)
    own = table[table["kind"] == "pocket"]
    if len(own):
        page.call_next("gains")
        _gains(page, _with_totals(own, labels))
        for line in _not_all(page.book.result, labels):
            page.across(line, **THIN)
    if len(own) < len(table):
        page.row += 1
        page.across(labels("found.note.gains_overlap"), **QUIET)
        page.call_next("gains_perspectives")
        _gains(page, table[table["kind"] == "perspective"])


def pocket_name(pocket: str, labels: Labels) -> str:
    """A pocket in the reader's language, or as the ledger writes it."""
    return labels.find(f"pocket.{pocket.lower()}", pocket)


def gain_lines(result: Result, labels: Labels) -> list[str]:
    """By rule, under the advice: who wins or pays nearly always, sometimes without the other, or both."""
    table, sound = result.tables["gains"], _sound(result, labels)
    own = table[(table["allocation"] == ADVICE) & (table["kind"] == "pocket")]
    found: dict[str, list[str]] = {key: [] for key in ("win", "pay", "only_wins", "only_pays", "either")}
    for row in own.itertuples():
        if row.wins + row.pays > 0:
            key = _side(row.wins, row.pays)
            decimals = known_decimals(row.error)
            mean = labels.number(row.mean, 2 if decimals is None else decimals, sign=True)
            name, unit = pocket_name(row.party, labels), labels.unit(str(row.unit))
            found[key].append(labels("found.gains.one", name=name, mean=mean, unit=unit))
    return [
        labels(f"found.gains.{key}", sound=sound, names="; ".join(names))
        for key, names in found.items()
        if names
    ]


def _side(wins: float, pays: float) -> str:
    """The rule for somebody who wins and pays in these shares of the futures, which are not both zero."""
    if max(wins, pays) >= SURE:
        return "win" if wins >= SURE else "pay"
    if min(wins, pays) > 0:
        return "either"
    return "only_wins" if wins > 0 else "only_pays"


def _with_totals(pockets: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Pockets as readers know them, and after those of every allocation their mean together."""
    import pandas as pd

    named = pockets.assign(party=[pocket_name(party, labels) for party in pockets["party"]])
    parts = []
    for allocation, rows in named.groupby("allocation", sort=False):
        total = {"allocation": allocation, "party": labels("word.total"), "mean": rows["mean"].sum()}
        parts += [rows, pd.DataFrame([total])]
    return pd.concat(parts, ignore_index=True)


def _gains(page: Page, table: pd.DataFrame) -> None:
    labels, unsure = page.labels, float(table["error"].max())
    shown = table.assign(
        allocation=[allocation_name(name, labels) for name in table["allocation"]],
        found_mean=table["mean"],
        found_error=table["error"],
        from_low=table["wins_low"],
        to_high=table["wins_high"],
    )

    def styles(row: Mapping[str, Any]) -> list[Style]:
        own = row["found_error"]
        amount = error_style(own if is_number(own) else unsure, row["found_mean"], sign=True)
        error = error_style(own, own)
        chance = chance_style(row["from_low"], row["to_high"])
        return [NAME, TEXT, {**amount, **WHOLE}, error, *[amount] * 3, *[chance] * 4]

    points = ["q10", "q50", "q90"]
    chances = ["wins", "from_low", "to_high", "pays"]
    listed(page, shown, ["party", "allocation", "found_mean", "found_error", *points, *chances], styles)


def _not_all(result: Result, labels: Labels) -> list[str]:
    """A warning per allocation of which the pockets together are not the improvement."""
    pockets = result.tables["gains"].query("kind == 'pocket'").groupby("allocation", sort=False)["mean"]
    means = together(result).set_index("allocation")["mean"]
    return [
        labels("found.gains.not_all", name=allocation_name(name, labels))
        for name, gains in pockets
        if abs(gains.sum() - means[name]) > NOTHING * gains.abs().sum()
    ]
