"""What workbook and picture show, worked out once from the tidy tables of a `Result`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

# Colours that people with any kind of colour blindness can tell apart (Okabe and Ito).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666")
NULL_COLOUR = "#7F7F7F"
ADVICE_COLOUR = "#0072B2"


def fact(result: Result, key: str) -> Any:
    """A figure, or what the provenance says of it, or None."""
    found = result.figures.get(key)
    return result.provenance.get(key) if found is None else found


def has(result: Result, table: str) -> bool:
    """Whether a table is there and holds at least one row."""
    return table in result.tables and len(result.tables[table]) > 0


def by_year(table: pd.DataFrame, allocation: str) -> pd.DataFrame:
    """One row per variable in the table's own order, one column per year, of `null` or `advice`."""
    chosen = table[table["allocation"] == allocation]
    wide = chosen.assign(variable=full_names(chosen)).pivot(index="variable", columns="time", values="value")
    return wide.loc[list(dict.fromkeys(full_names(chosen)))]


def full_names(table: pd.DataFrame) -> pd.Series:
    """Variable names, with the subscript in brackets where there is one."""
    subscript = table["subscript"].fillna("").astype(str)
    return table["variable"].where(subscript == "", table["variable"] + "[" + subscript + "]")


def units(table: pd.DataFrame) -> Mapping[str, str]:
    """Variable name (with subscript) -> unit as written in the model."""
    return dict(zip(full_names(table), table["unit"], strict=True))


def decision_years(result: Result) -> list[float]:
    """Years in which the advice could differ from now: from the first to the last decision period."""
    years = [float(year) for year in sorted(set(result.tables["allocation"]["time"]))]
    if not has(result, "decisions"):
        return years
    periods = result.tables["decisions"].groupby("decision")["period"].apply(sorted)
    # The periods of a decision are equally long; where all have but one, it ends where the table does.
    end = max((2 * p[-1] - p[-2] for p in periods if len(p) > 1), default=years[-1])
    return [year for year in years if min(p[0] for p in periods) <= year < end]


def shown_variables(result: Result) -> list[str]:
    """Names for the sheet with stocks: `provenance["shown"]`, or every variable that is not a decision."""
    decisions = set(full_names(result.tables["allocation"]))
    names = list(dict.fromkeys(full_names(result.tables["trajectories"])))
    chosen = result.provenance.get("shown")
    if not chosen:
        return [name for name in names if name not in decisions]
    return [name for wanted in chosen for name in names if name == wanted or name.startswith(f"{wanted}[")]


def main_stocks(result: Result, count: int) -> list[str]:
    """The shown variables which the advice changes most, relative to their own size; at most `count`."""
    table = result.tables["trajectories"]
    null, advice = by_year(table, "null"), by_year(table, "advice")
    names = shown_variables(result)
    change = {name: _relative_change(null.loc[name], advice.loc[name]) for name in names}
    return sorted(names, key=lambda name: -change[name])[:count]


def _relative_change(null: pd.Series, advice: pd.Series) -> float:
    """Largest difference over the years, relative to the largest value; 0 for a variable that is always 0."""
    size = max(null.abs().max(), advice.abs().max())
    return float((advice - null).abs().max() / size) if size > 0 else 0.0
