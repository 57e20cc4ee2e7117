"""The runs about one question as one result: its advice, a sweep and robust allocations side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdopt.errors import Complaints, ExportError
from sdopt.export.cells import is_missing, is_number, to_python
from sdopt.export.formats import read_results
from sdopt.export.kinds import MARKS, kinds_of
from sdopt.export.tables import read_parquet
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

Advice = Mapping[tuple[str, float], float]
"""(id of a decision, first year of a period) -> what the advice gives it."""

COMMANDS = {"advice": "sdopt optimise", "sweep": "sdopt sweep", "robust": "sdopt robust"}
SWEPT = "swept_allocations"
"""Table with the allocations of a sweep: allocation, decision, year, value, unit."""
SAME = (
    *("model_hash", "constants_hash", "municipality_hash", "ledger_hash", "valuation_hash"),
    *("horizon", "base_year", "discount_rate"),
)
"""Facts that runs about one question share; the limits of both are in the advice, which is compared too."""
OF_ONE_RUN = ("labels", "decision_names", "joined")
"""Facts that are not repeated per run."""
ALIKE = 1e-5
"""Part of the largest amount, and of the improvement, by which two searches for one advice may differ."""
NAMED = 3
"""Differences that an error names; the others are counted."""


@dataclass(frozen=True)
class _Run:
    """A result, which kinds of run are in it, and what errors call it."""

    result: Result
    kinds: tuple[str, ...]
    name: str


def read_run(folder: Path) -> Result:
    """A results folder, with for a sweep every allocation per year as a table `swept_allocations`.

    Raises
    ------
    ExportError
        When the folder is missing, incomplete or not a results folder.
    """
    result, swept = read_results(folder), folder / "allocations.parquet"
    return result.with_tables(**{SWEPT: read_parquet(swept)}) if swept.is_file() else result


def together(results: Sequence[Result], names: Sequence[str] = ()) -> Result:
    """One result with all tables of an advice, a sweep and robust allocations; a single one as it is.

    Title, status and figures are those of the advice where there is one, then of the sweep; figures that
    only another run has are added. `provenance["joined"]` holds the facts of every run by itself, and
    `robust_status` in the figures is how far the robust allocations can be trusted. `names` is what errors
    call the results (result 1, result 2, ... when absent).

    Raises
    ------
    ExportError
        When nothing is given; when two are of the same kind (`sdopt compare` is for those); when a result
        has no advice; when they are not about the same model, years, values or advised allocation.
    """
    called = names or [f"result {number}" for number in range(1, len(results) + 1)]
    runs = [_Run(result, kinds_of(result), name) for result, name in zip(results, called, strict=True)]
    if not runs:
        raise ExportError("report: nothing to report. Give one or more results folders.")
    _check_kinds(runs)
    if len(runs) == 1:
        return runs[0].result
    ordered = sorted(runs, key=lambda run: min(list(MARKS).index(kind) for kind in run.kinds))
    named = [_Run(run.result, run.kinds, f"{' + '.join(run.kinds)} ({run.name})") for run in ordered]
    _check_question(named)
    return _joined([run.result for run in named])


def _check_kinds(runs: Sequence[_Run]) -> None:
    """Every run is of a kind that can be joined, and of another kind than the others."""
    complaints, seen = Complaints("report", ExportError), dict[str, _Run]()
    for run in runs:
        if not run.kinds:
            allowed = ", ".join(f"`{command}`" for command in COMMANDS.values())
            complaints.add(
                run.name, f"holds no advice, sweep or robust allocations. Give folders of {allowed}."
            )
        for kind in run.kinds:
            if kind in seen:
                complaints.add(
                    f"{seen[kind].name} and {run.name}",
                    f'two of the same kind ({kind}), "{seen[kind].result.title}" and "{run.result.title}". '
                    "Give one of each kind; `sdopt compare` sets two of a kind beside each other.",
                )
            seen.setdefault(kind, run)
    complaints.raise_if_any()


def _check_question(runs: Sequence[_Run]) -> None:
    """All runs are about one question and one advised allocation."""
    complaints = Complaints("report: these results are not about one question", ExportError)
    for first, other in pairwise(runs):
        if first.result.language != other.result.language:
            found = f'"{first.result.language}" in {first.name}, "{other.result.language}" in {other.name}'
            complaints.add("language", f"{found}. Run one of them again in the language of the other.")
        for key in SAME:
            _check_fact(key, first, other, complaints)
    if not complaints.items:  # another model has another advice: one error tells that
        for other in runs[1:]:
            _check_advice(runs[0], other, complaints)
    complaints.raise_if_any()


def _check_fact(key: str, first: _Run, other: _Run, complaints: Complaints) -> None:
    values = [run.result.provenance.get(key) for run in (first, other)]
    if values[0] != values[1]:
        found = " and ".join(
            f"{_short(value)} in {run.name}" for value, run in zip(values, (first, other), strict=True)
        )
        complaints.add(key, f"{found}. Run one of them again, so that both use the same.")


def _short(value: Any) -> str:
    """A fact in an error: the start of a hash, `none` for what is not there."""
    if value is None:
        return "none"
    return value[:8] if isinstance(value, str) and len(value) == 64 else str(value)


def _check_advice(first: _Run, other: _Run, complaints: Complaints) -> None:
    """Decisions, years and amounts of the advice agree, and so does its improvement at central values."""
    one, two = (advice_of(run.result) for run in (first, other))
    remedy = "Give the sweep or robust run the same question, or run it again."
    if one is None or two is None:
        name = first.name if one is None else other.name
        complaints.add(name, "its tables do not say what the advice is. Run it again with this version.")
        return
    apart = [f"{decision} in {year:g}" for decision, year in sorted(one.keys() ^ two.keys())]
    size = max((abs(value) for value in one.values()), default=0.0)
    far = [key for key in one if key in two and abs(one[key] - two[key]) > ALIKE * size]
    told = [f"{d} in {y:g}: {one[d, y]:.6g} and {two[d, y]:.6g}" for d, y in far]
    whose = f"of {first.name} and {other.name}"
    if apart:
        complaints.add(
            "advised allocation", f"decisions or years are in one {whose} only: {_some(apart)}. {remedy}"
        )
    elif told:
        complaints.add("advised allocation", f"differs {whose}: {_some(told)}. {remedy}")
    else:
        _check_improvement(first, other, complaints)


def _check_improvement(first: _Run, other: _Run, complaints: Complaints) -> None:
    """The same allocation improves the return as much, unless the objective or a constant differs."""
    one, two = (_improvement(run.result) for run in (first, other))
    if one is None or two is None or abs(one - two) <= ALIKE * max(abs(one), abs(two)):
        return
    complaints.add(
        "improvement of the advice",
        f"{one:.6g} in {first.name}, {two:.6g} in {other.name}, for the same allocation. "
        "The objective or a constant differs: make those of the configs the same.",
    )


def _some(told: Sequence[str]) -> str:
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more


def advice_of(result: Result) -> Advice | None:
    """The advised allocation by decision and year, of any kind of run; None when not known."""
    if "decisions" in result.tables:
        table = result.tables["decisions"]
    elif SWEPT in result.tables:
        table = _advised(result.tables[SWEPT]).rename(columns={"year": "period"})
    elif "robust_allocations" in result.tables:
        table = _advised(result.tables["robust_allocations"])
    else:
        return None
    keys = zip(table["decision"].astype(str), table["period"].astype(float), strict=True)
    return dict(zip(keys, table["value"].astype(float), strict=True))


def _advised(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["allocation"] == "advice"]


def _improvement(result: Result) -> float | None:
    """What the advice returns more than now at central values."""
    found = result.figures.get("improvement", (result.figures.get("advice") or {}).get("improvement"))
    if found is None and "robust_measures" in result.tables:
        rows = _advised(result.tables["robust_measures"])["central"]
        found = rows.iloc[0] if len(rows) else None
    value = to_python(found)
    return float(value) if is_number(value) else None


def _joined(results: Sequence[Result]) -> Result:
    """All tables and figures; what several have comes from the first."""
    first = results[0]
    figures: dict[str, Any] = {}
    for result in results:
        figures |= {key: value for key, value in result.figures.items() if is_missing(figures.get(key))}
        if "robust_measures" in result.tables:
            figures.setdefault("robust_status", result.status.key)
    joined = {kind: facts for result in results for kind, facts in _facts(result).items()}
    provenance = {
        **_merged(result.provenance for result in reversed(results)),
        "labels": _merged(result.provenance.get("labels") or {} for result in reversed(results)),
        "decision_names": _merged(
            result.provenance.get("decision_names") or {} for result in reversed(results)
        ),
        "joined": joined,
    }
    tables = {name: _rows(results, name) for result in results for name in result.tables}
    return Result(
        first.status, first.title, first.language, {**figures, "kind": "report"}, tables, provenance
    )


def _rows(results: Sequence[Result], name: str) -> pd.DataFrame:
    """A table; of one that several runs have (such as their files) every row once."""
    import pandas as pd

    found = [result.tables[name] for result in results if name in result.tables]
    if len(found) == 1:
        return found[0]
    return pd.concat([one for one in found if len(one)] or found[:1]).drop_duplicates(ignore_index=True)


def _merged(maps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All entries; those of a later map replace those of an earlier one."""
    merged: dict[str, Any] = {}
    for one in maps:
        merged |= one
    return merged


def _facts(result: Result) -> dict[str, dict[str, Any]]:
    """Kind of run -> all that tells how it was made: what the sheet Run and summary.json repeat."""
    if known := result.provenance.get("joined"):
        return dict(known)
    (kind,) = kinds_of(result)
    plain = {
        key: value
        for key, value in result.figures.items()
        if not isinstance(value, (list, tuple)) and not (isinstance(value, Mapping) and key != "versions")
    }
    made = {key: value for key, value in result.provenance.items() if key not in OF_ONE_RUN}
    return {kind: {"title": result.title, "status": result.status.key, **plain, **made}}
