"""Numbers that a sheet works out of its tables: by hand here, to be found on the sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[4]
FACTS = "summary.json"
Frames = Mapping[str, pd.DataFrame]
Facts = Mapping[str, Any]
Rule = Callable[[Frames, Facts], Iterable[float]]


def differences(values: Sequence[float]) -> list[float]:
    """Each with each."""
    return [one - other for one in values for other in values]


def moves(now: pd.Series, then: pd.Series, years: int) -> Iterator[float]:
    """Averages a year and their change, as a share too; and all together over the years."""
    yield from (*now, *then, *(then - now), *(100 * (then - now) / now.abs()))
    for one, other in ((now, then), (now.iloc[:0], then.iloc[:0])):
        yield from (years * one.sum(), years * other.sum(), years * (other.sum() - one.sum()))


def averages(frames: Frames, _: Facts) -> Iterator[float]:
    table, periods = frames["allocation"], frames["decisions"]["period"]
    own = table[table["time"].between(periods.min(), periods.max())]
    wide = own.pivot_table(index="variable", columns="allocation", values="value", sort=False)
    yield from moves(wide["null"], wide["advice"], own["time"].nunique())


def averages_of_sweep(frames: Frames, _: Facts) -> Iterator[float]:
    table = frames["advised"]
    years = int(table["last_year"].max() - table["first_year"].min()) + 1
    yield from moves(table["today"], table["advised"], years)


def averages_of_robust(frames: Frames, _: Facts) -> Iterator[float]:
    table = frames["robust_allocations"]
    wide = table.pivot_table(index="variable", columns="allocation", values="value")
    years = int(table["period"].max() - table["period"].min()) + 1
    yield from moves(wide["null"], wide["advice"], years)


def of_search(_: Frames, facts: Facts) -> Iterator[float]:
    """The improvement; what the time step does, in euros too; what search and proof leave, rounded up."""
    yield float(facts.get("objective") or 0.0) - float(facts.get("null_objective") or 0.0)
    whole, half = (float(facts.get(key) or 0.0) for key in ("improvement", "half_step_improvement"))
    yield from (scale * (whole - half) for scale in (1.0, 1e3, 1e6))
    for key, scale in (("gap_euro", 1), ("certified_gap_euro", 1), ("certified_gap", 100)):
        left = scale * float(facts.get(key) or 0.0)
        yield from (ceil(left * 10**digits - 1e-6) / 10**digits for digits in range(5))


def net_by_year(frames: Frames, _: Facts) -> Iterable[float]:
    table = frames["multi_year_budget"]
    signs = table["side"].map({"income": 1.0, "spending": -1.0})
    return (table["difference"] * signs).groupby(table["year"]).sum()


def in_thousands(frames: Frames, _: Facts) -> Iterator[float]:
    sums = frames["multi_year_budget"].groupby(["account", "year", "term", "side"])[["advice", "null"]].sum()
    yield from (1000 * sums).round(6).to_numpy().flat


def yearly(frames: Frames, facts: Facts) -> Iterator[float]:
    """What every year adds to the sum so far, and what is left for the end."""
    if "pay_back_years" in frames:
        table = frames["pay_back_years"].query("perspective == 'return'")
        yield from table["cumulative"].diff()
        yield float(facts["improvement"]) - table["cumulative_discounted"].iloc[-1]
    if "ledger_years" in frames:
        sums = frames["ledger_years"].groupby("year")["difference"].sum()
        yield from (*sums, *sums.cumsum())


def outwards(frames: Frames, _: Facts) -> Iterator[float]:
    """Ends between which a gain lies, rounded outwards."""
    table = frames["robust_adaptive_value"]
    for one in (10.0**digits for digits in range(7)):
        yield from (*(np.floor(table["least"] * one) / one), *(np.ceil(table["bound"] * one) / one))


def by(table: str, keys: Sequence[str], columns: Sequence[str], how: str = "sum") -> Rule:
    """A sum or mean of columns for each of these kinds of row."""
    return lambda frames, _: frames[table].groupby(list(keys))[list(columns)].agg(how).to_numpy().ravel()


def with_room(frames: Frames, _: Facts) -> Iterator[float]:
    """A limit on change as how far the decision itself could go."""
    advised = frames["allocation"].query("allocation == 'advice'").set_index("time")["value"]
    for row in frames["constraints"].dropna(subset=["slack"]).itertuples():
        for value in advised.get([row.year], []):
            yield from (value + row.slack, value - row.slack)


def traded(frames: Frames, _: Facts) -> Iterator[float]:
    for _aim, rows in frames["frontier"].groupby("aim"):
        yield from (*differences(rows["value"]), *differences(rows["improvement"]))


def numbers_by_source(frames: Frames, _: Facts) -> Iterator[float]:
    table = frames["assumptions"]
    named = table.assign(source=table["source"].fillna("").str.split(";"))
    each = named.explode("source").assign(source=lambda rows: rows["source"].str.strip())
    for rows in (table.groupby("status"), each.groupby("source")):
        yield from (*rows.size(), *rows["uncertain"].sum())


def histogram(frames: Frames, _: Facts) -> Iterator[float]:
    """Edges of equal width, as whole numbers of it; of every 100 futures how many are between."""
    values = frames["curve"].query("allocation == 'advice'")["value"].to_numpy()
    for width in (part * 10.0**power for power in range(-6, 9) for part in (1.0, 2.0, 2.5, 5.0)):
        places = np.floor(values / width)
        if 4 <= np.ptp(places) <= 14:
            yield from (width * place for place in np.arange(places.min(), places.max() + 2))
            yield from 100.0 / len(values) * np.unique(places, return_counts=True)[1]


def to_the_error(frames: Frames, _: Facts) -> Iterator[float]:
    """What knowing is worth in euros, to the first digit of its error."""
    for row in frames["information"].query("value != 0").itertuples():
        error = row.error / row.value * row.value_eur
        yield round(row.value_eur, -floor(log10(error))) if error > 1 else row.value_eur


def audited(frames: Frames, facts: Facts) -> Iterator[float]:
    """Points and violations of what the bound leans on."""
    subjects = frames["audit"]["check"].str.rpartition(": ")[0]
    leans = frames["audit"][subjects.isin(["return", *facts["bound_leans_on"]])]
    yield from (leans["points"].sum(), leans["violations"].sum())


def preset(_: Frames, facts: Facts) -> Iterator[float]:
    """The discount rates that go by a name, and from which year they hold."""
    path = ROOT / "src" / "sdopt" / "config" / "discount_rates.csv"
    presets = pd.read_csv(path, dtype={"preset": str})
    own = presets[presets["preset"] == facts.get("discount_rate")]
    yield from (*(100 * own["rate"]), *own["from_year"])


ALLOCATION_RULES: Mapping[str, Rule] = {
    "allocation": averages, "advised": averages_of_sweep, "robust_allocations": averages_of_robust,
}  # fmt: skip
RULES: Mapping[tuple[str, str], Rule] = {
    **{("summary", table): rule for table, rule in ALLOCATION_RULES.items()},
    ("figures", "allocation"): averages,
    ("summary", FACTS): of_search,
    **{(sheet, FACTS): of_search for sheet in ("figures", "search", "proof")},
    ("proof", "certificate_errors"): lambda frames, _: (
        frames["certificate_errors"]["error"] / frames["certificate_errors"]["error"].sum()
    ),
    ("summary", "multi_year_budget"): net_by_year,
    ("summary", "end_value"): lambda frames, _: np.ceil(100 * frames["end_value"]["regret_at_most"]) / 100,
    ("summary", "ledger"): by("ledger", ["pocket"], ["difference"]),
    ("budget", "multi_year_budget"): in_thousands,
    ("fiscal_tests", "fiscal_rules"): lambda frames, _: (
        1000 * frames["fiscal_rules"][["slack", "null_slack"]].to_numpy().ravel()
    ),
    ("return", "ledger"): by("ledger", ["effect", "kind"], ["null", "advice", "difference"]),
    ("pay_back", "pay_back_years"): yearly,
    ("pay_back", "ledger_years"): yearly,
    ("ledger", "ledger_years"): by("ledger_years", ["pocket", "year"], ["difference"]),
    ("path", "causal_decisions"): lambda frames, facts: [
        facts["improvement"] - frames["causal_decisions"]["value"].sum()
    ],
    ("why", "shadow_prices"): lambda frames, _: (
        frames["shadow_prices"]["looser"] * frames["shadow_prices"]["moved"]
    ),
    ("why", "alternatives"): by("alternatives", ["within", "number", "variable"], ["difference"], "mean"),
    ("alternatives", "alternatives"): by(
        "alternatives", ["within", "number", "variable"], ["difference"], "mean"
    ),
    ("why", "frontier"): traded,
    ("robust", "robust_adaptive_value"): outwards,
    ("constraints", "constraints"): with_room,
    ("uncertainty", "curve"): histogram,
    ("information", "information"): to_the_error,
    ("data", "assumptions"): numbers_by_source,
    ("data", FACTS): preset,
    ("figures", "audit"): audited,
    ("search", "audit"): audited,
}
"""(sheet, table) -> what the sheet may show that is worked out of the table."""


@pytest.fixture(scope="session")
def rules() -> Mapping[tuple[str, str], Rule]:
    """The rule of every sheet and table that has one."""
    return RULES
