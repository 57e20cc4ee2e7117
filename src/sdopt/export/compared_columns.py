"""The columns of a comparison: what is given now, and every advice and robust allocation of every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdopt.export.figures.figure import OTHERS, allocation_word
from sdopt.export.labels import Labels
from sdopt.export.views import ADVICE_COLOUR, NULL_COLOUR
from sdopt.result import Result

if TYPE_CHECKING:
    import pandas as pd

RUNS = "compared_runs"
"""Table that every comparison has, and no other result."""
NULL, ADVICE = "null", "advice"
NARROW, STEP = 2.0, 1.5
"""Width of the narrowest line, and how much wider the one below it is."""
ALIKE = 1e-9
"""Amounts now that differ by less than this part of the largest are the same."""

Key = tuple[object, ...]
"""What a row is about: a thing, a year where the table has years, and a unit at the end."""
Rows = Mapping[Key, Sequence[int | None]]
"""What a row is about -> per column the row of the table that holds its number; None where there is none."""


@dataclass(frozen=True)
class Column:
    """An allocation of a run; of `runs` (which all say the same) the first that has a row gives the number.

    `allocation` is "" in tables of which a run has one row per thing; `name` is what readers see.
    """

    runs: tuple[str, ...]
    allocation: str
    name: str

    @property
    def is_now(self) -> bool:
        """Whether it is what is given now, and not something that was found."""
        return self.allocation == NULL


def runs_of(result: Result) -> list[str]:
    """Letters of the runs in the order given."""
    return [str(run) for run in result.tables[RUNS]["run"]]


def columns_of(result: Result, table: str, labels: Labels) -> list[Column]:
    """The columns of a table, first what is given now (once, where all runs agree); no run without rows."""
    own = result.tables[table]
    runs = [run for run in runs_of(result) if (own["run"] == run).any()]
    if "allocation" not in own:
        return [Column((run,), "", run) for run in runs]
    found = list(_now(own, runs, labels))
    for run in runs:
        of_run = own.loc[(own["run"] == run) & (own["allocation"] != NULL), "allocation"]
        found += [Column((run,), str(one), _called(run, str(one), labels)) for one in dict.fromkeys(of_run)]
    return found


def _now(table: pd.DataFrame, runs: Sequence[str], labels: Labels) -> Iterator[Column]:
    now = table[table["allocation"] == NULL]
    keys = [column for column in now if column not in ("run", "allocation", "value")]
    wide = now.pivot_table(index=keys, columns="run", values="value", sort=False)
    apart = (wide.max(axis=1) - wide.min(axis=1)).max()
    if apart <= ALIKE * now["value"].abs().max():
        yield Column(tuple(runs), NULL, labels("word.null"))
    else:
        yield from (Column((run,), NULL, _called(run, NULL, labels)) for run in runs if run in wide)


def _called(run: str, allocation: str, labels: Labels) -> str:
    return labels("compared.column", run=run, allocation=allocation_word(allocation, labels))


def rows_of(table: pd.DataFrame, keys: Sequence[str], columns: Sequence[Column]) -> Rows:
    """Where the numbers of a table stand; `keys` are its columns that say what a row is about."""
    allocations = table["allocation"] if "allocation" in table else [""] * len(table)
    found: dict[Key, dict[tuple[str, str], int]] = {}
    about = zip(*(table[column].tolist() for column in (*keys, "unit")), strict=True)
    for place, (key, run, one) in enumerate(zip(about, table["run"], allocations, strict=True)):
        found.setdefault(key, {})[run, one] = place
    return {
        key: [
            next((at[run, column.allocation] for run in column.runs if (run, column.allocation) in at), None)
            for column in columns
        ]
        for key, at in found.items()
    }


def in_all(rows: Rows) -> tuple[Rows, Rows]:
    """The rows of things that all columns have (in some year), and those of the others."""
    known: dict[Key, set[int]] = {}
    for key, places in rows.items():
        has = known.setdefault(_thing(key), set())
        has |= {column for column, place in enumerate(places) if place is not None}
    count = max((len(places) for places in rows.values()), default=0)
    whole = {key: places for key, places in rows.items() if len(known[_thing(key)]) == count}
    return whole, {key: places for key, places in rows.items() if key not in whole}


def _thing(key: Key) -> Key:
    """A thing and its unit, without the year."""
    return (key[0], key[-1])


def most_different(result: Result, columns: Sequence[Column], count: int) -> list[Key]:
    """Decisions (name, unit) whose amounts are furthest apart; those that all runs have, where there are."""
    table = result.tables["compared_decisions"]
    rows = rows_of(table, ["decision"], columns)
    rows, values = in_all(rows)[0] or rows, table["value"].tolist()
    sizes = {
        key: max(found) - min(found)
        for key, places in rows.items()
        if (found := [values[place] for place in places if place is not None])
    }
    return sorted(sizes, key=lambda key: -sizes[key])[:count]


def shades(columns: Sequence[Column], runs: Sequence[str]) -> list[str]:
    """A colour per column, the same in every figure; what is given now is grey, or as its run.

    `runs` are all that are compared: each has a colour, and robust allocations have those that follow.
    """
    colours, now = (ADVICE_COLOUR, *OTHERS), sum(column.is_now for column in columns)
    robust = [column for column in columns if column.allocation not in ("", NULL, ADVICE)]
    found = []
    for column in columns:
        place = len(runs) + robust.index(column) if column in robust else runs.index(column.runs[0])
        grey = column.is_now and now == 1
        found.append(NULL_COLOUR if grey else colours[place % len(colours)])
    return found


def widths(columns: Sequence[Column]) -> list[float]:
    """How wide the line of a column is: the first are wider, so that lines on top of each other all show."""
    found = sum(not column.is_now for column in columns)
    return [
        NARROW if column.is_now else NARROW + STEP * (found - 1 - place)
        for place, column in enumerate(columns, start=found - len(columns))
    ]
