"""Five questions of a council, answered by rule from the tables: advice, cost, gain, certainty, risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdopt.config.ledger import NOT_SPLIT
from sdopt.export.advice import return_line
from sdopt.export.cells import is_number, to_python
from sdopt.export.figures.band import bands_of
from sdopt.export.figures.figure import in_hundred
from sdopt.export.labels import Labels
from sdopt.export.measured import PRICES
from sdopt.export.precision import apart_decimals
from sdopt.export.sheets.answers_sure import sure_lines, wrong_lines
from sdopt.export.sheets.breaches import SURE, pocket_name
from sdopt.export.sheets.programmes import programme_lines
from sdopt.export.views import by_year, decision_years, fact, has, units
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

ASKED = ("advice", "cost", "gain", "sure", "wrong")
"""The questions in order; label `ask.KEY`."""
A_YEAR = "/year"
SEEN = 5e-4
"""A gain or loss below this part of the largest is not named."""
ALIKE = 1e-6
"""Amounts that differ by less than this part of their size are called equal: the search stops there."""
NOTHING = 1e-9
"""Money below this part of the return as a whole is rounding."""


@dataclass(frozen=True)
class Moves:
    """What the advice changes: a row per decision (name, unit, today, advised; averages over the years)."""

    table: pd.DataFrame
    first: int
    last: int
    count: int
    """Years that are averaged."""

    @property
    def years(self) -> str:
        """The years in words: `2027-2030`."""
        return "-".join(str(year) for year in dict.fromkeys((self.first, self.last)))

    @property
    def unit(self) -> str | None:
        """The unit all decisions share, or None."""
        found = set(self.table["unit"])
        return str(found.pop()) if len(found) == 1 else None


def moves_of(result: Result) -> Moves | None:
    """What the advice changes, from whichever run says so, largest change first; None when none does."""
    found = _of_advice(result) or _of_sweep(result) or _of_robust(result)
    if found is None:
        return None
    change = (found.table["advised"] - found.table["today"]).abs()
    order = change.sort_values(ascending=False, kind="stable").index
    return Moves(found.table.loc[order].reset_index(drop=True), found.first, found.last, found.count)


def _of_advice(result: Result) -> Moves | None:
    import pandas as pd

    if not has(result, "allocation"):
        return None
    table, years = result.tables["allocation"], decision_years(result)
    today, advised = (by_year(table, key)[years].mean(axis=1) for key in ("null", "advice"))
    unit = units(table)
    names = list(today.index)
    columns = {"name": names, "unit": [unit[name] for name in names], "today": today.to_list()}
    found = pd.DataFrame({**columns, "advised": advised.loc[names].to_list()})
    return Moves(found, int(years[0]), int(years[-1]), len(years))


def _of_sweep(result: Result) -> Moves | None:
    if not has(result, "advised"):
        return None
    table = result.tables["advised"].reset_index(drop=True)
    first, last = int(table["first_year"].min()), int(table["last_year"].max())
    columns = table.rename(columns={"decision": "name"})[["name", "unit", "today", "advised"]]
    return Moves(columns, first, last, last - first + 1)


def _of_robust(result: Result) -> Moves | None:
    if not has(result, "robust_allocations"):
        return None
    table = result.tables["robust_allocations"]
    wide = table.pivot_table(
        index=["variable", "unit"], columns="allocation", values="value", aggfunc="mean", sort=False
    )
    found = wide.reset_index().rename(columns={"variable": "name", "null": "today", "advice": "advised"})
    first, last = int(table["period"].min()), int(table["period"].max())
    return Moves(found[["name", "unit", "today", "advised"]], first, last, last - first + 1)


def answers(result: Result, labels: Labels) -> dict[str, list[str]]:
    """Question -> sentences, for a result with shown names; each has at least one sentence.

    What is not known is said, with the command that finds it out.
    """
    moves = moves_of(result)
    found = {
        "advice": _advice(result, labels),
        "cost": _cost(result, labels, moves),
        "gain": _gain(result, labels),
        "sure": sure_lines(result, labels),
        "wrong": wrong_lines(result, labels),
    }
    return {key: lines or [labels(f"answer.unknown.{key}")] for key, lines in found.items()}


def _advice(result: Result, labels: Labels) -> list[str]:
    """What the advice returns, where it was looked for; what it changes stands in a table."""
    return [*return_line(result, labels), *programme_lines(result, labels)]


def _cost(result: Result, labels: Labels, moves: Moves | None) -> list[str]:
    """What is spent over the decision years, what the budget and public purses notice, and pay-back."""
    spent = [] if moves is None else _spent(result, moves, labels)
    return [*spent, *_balance(result, labels), *_cash(result, labels), *paid_back_lines(result, labels)]


def _spent(result: Result, moves: Moves, labels: Labels) -> list[str]:
    """The decisions together over the years, when they are money per year."""
    unit = moves.unit
    if unit is None or not unit.lower().endswith(A_YEAR):
        return []
    today, advised = (float(moves.table[key].sum()) * moves.count for key in ("today", "advised"))
    size = max(abs(today), abs(advised))
    if abs(advised - today) > ALIKE * size:
        key, decimals = "less" if advised < today else "more", max(apart_decimals(today, advised), 1)
    else:
        moved = (moves.table["advised"] - moves.table["today"]).abs().max() * moves.count > ALIKE * size
        key, decimals = "same" if moved else "unchanged", 1
    prices = fact(result, "price_level") or _price_level(result)
    return [
        labels(
            f"answer.spent_{key}",
            years=moves.years,
            today=labels.number(today, decimals),
            advised=labels.number(advised, decimals),
            change=labels.number(abs(advised - today), decimals),
            unit=labels.unit(unit[: -len(A_YEAR)]),
            prices=labels("answer.spent_prices", year=prices) if prices else "",
        )
    ]


def _price_level(result: Result) -> str:
    """The year of the prices of the model, as the conventions have it; '' when they do not say."""
    if not has(result, "conventions"):
        return ""
    table = result.tables["conventions"]
    return next((f"{year:g}" for year in table.loc[table["convention"] == PRICES, "value"].dropna()), "")


def _balance(result: Result, labels: Labels) -> list[str]:
    """By how much the balance of the multi-year budget gets better or worse, per year."""
    if not has(result, "multi_year_budget"):
        return []
    table = result.tables["multi_year_budget"]
    sign = table["side"].map({"income": 1.0, "spending": -1.0})
    change = (table["difference"] * sign).groupby(table["year"]).sum()
    years = [
        f"{int(year)}: {labels.number(value, 1, sign=True)}"
        for year, value in change.items()
        if abs(value) >= 0.05
    ]
    unit = labels.unit(str(table["unit"].iloc[0]))
    return [labels("answer.balance", years="; ".join(years), unit=unit)] if years else []


def _cash(result: Result, labels: Labels) -> list[str]:
    """What public purses gain or lose in cash, a perspective each; they overlap and are never added."""
    if not has(result, "perspective_totals"):
        return []
    table = result.tables["perspective_totals"]
    rows = [row for row in table.itertuples() if row.cash_only]
    said = "; ".join(f"{row.perspective} {labels.number(row.difference, 1, sign=True)}" for row in rows)
    return [labels("answer.cash", names=said, unit=labels.unit(str(rows[0].unit)))] if rows else []


def paid_back_lines(result: Result, labels: Labels) -> list[str]:
    """From which year gains outweigh costs for good, for society: as expected, and over all futures."""
    summed, futures = cumulative(result), paid_back_in_futures(result, labels)
    if summed is None:
        return futures or [labels("answer.pay_back_unknown")]
    return [*_paid_back_as_expected(result, summed, labels), *futures]


def paid_back_in_futures(result: Result, labels: Labels) -> list[str]:
    """From when the median future stays above zero, and in how many the advice has paid back at the end."""
    band = bands_of(result).get("advice")
    if band is None:
        return []
    last, since = band.iloc[-1], to_python(band["pays_from"].iloc[0])
    words = {"share": in_hundred(labels, last["paid_back"]), "last": f"{last['year']:g}"}
    if not is_number(since):
        return [labels("answer.pay_back_not_half", **words)]
    return [labels("answer.pay_back_half", year=f"{since:g}", **words)]


def _paid_back_as_expected(result: Result, summed: pd.Series, labels: Labels) -> list[str]:
    """The same at the values used."""
    least = _rounding(result)
    below = [year for year, value in summed.items() if value < -least]
    first, last = int(summed.index[0]), int(summed.index[-1])
    if float(summed.abs().max()) <= least:
        return [labels("answer.pay_back_nothing")]
    if not below:
        return [labels("answer.pay_back_at_once", year=first, last=last)]
    if below[-1] == last:
        return [labels("answer.pay_back_never", year=last)]
    year = int(min(year for year in summed.index if year > below[-1]))
    return [labels("answer.pay_back", year=year, last=last)]


def _rounding(result: Result) -> float:
    """What money may differ from zero by rounding alone."""
    sizes = [known_figure(result, key) for key in ("objective", "null_objective")]
    return NOTHING * max((abs(size) for size in sizes if size is not None), default=0.0)


def cumulative(result: Result, *, discounted: bool = True) -> pd.Series | None:
    """Year -> net benefit for society up to and including that year, without the value at the end.

    `discounted` gives present values where these are known, which takes an explanation. None when neither an
    explanation nor a ledger says what a year gives.
    """
    if has(result, "pay_back_years"):
        table = result.tables["pay_back_years"]
        own = table[table["perspective"] == "return"].set_index("year")
        if len(own):
            return own["cumulative_discounted" if discounted else "cumulative"]
    if has(result, "ledger_years"):
        return result.tables["ledger_years"].groupby("year")["difference"].sum().cumsum()
    return None


def _gain(result: Result, labels: Labels) -> list[str]:
    """Who gains and who pays: over all futures where there was a sweep, else at expected values."""
    if has(result, "gains"):
        return _sure_gains(result, labels)
    if not has(result, "ledger"):
        return []
    sums = (
        result.tables["ledger"]
        .groupby("pocket", sort=False)["difference"]
        .sum()
        .drop(NOT_SPLIT, errors="ignore")
    )
    least = SEEN * float(sums.abs().max())
    if float(sums.abs().max()) <= _rounding(result):
        return [labels("answer.gain_none")]
    unit = labels.unit(str(result.tables["ledger"]["unit"].iloc[0]))
    sides = {"gains": sums[sums > least], "pays": sums[sums < -least]}
    return [
        labels(
            f"answer.{key}", names=_amounts(found.sort_values(key=abs, ascending=False), labels), unit=unit
        )
        for key, found in sides.items()
        if len(found)
    ]


def _sure_gains(result: Result, labels: Labels) -> list[str]:
    """In one sentence who nearly always wins, who nearly always pays, and of whom it is not sure."""
    table = result.tables["gains"]
    own = table[(table["allocation"] == "advice") & (table["kind"] == "pocket")]
    own = own[own["party"] != NOT_SPLIT]
    sides = {
        "wins_sure": own[own["wins"] >= SURE],
        "pays_sure": own[own["pays"] >= SURE],
        "unsure": own[(own["wins"] < SURE) & (own["pays"] < SURE) & (own["wins"] + own["pays"] > 0)],
    }
    said = [
        labels(f"answer.{key}", names=", ".join(pocket_name(str(party), labels) for party in rows["party"]))
        for key, rows in sides.items()
        if len(rows)
    ]
    return [" ".join(said)] if said else [labels("answer.gain_none")] if len(own) else []


def _amounts(found: pd.Series, labels: Labels) -> str:
    return "; ".join(
        f"{pocket_name(str(pocket), labels)} ({labels.number(value, 2, sign=True)})"
        for pocket, value in found.items()
    )


def known_figure(result: Result, key: str) -> float | None:
    """A figure as a number, or None."""
    value: Any = to_python(fact(result, key))
    return float(value) if is_number(value) else None
