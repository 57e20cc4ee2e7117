"""What a source looks like: where a number of the report comes from.

A source is one or more terms with ` + `, ` - `, ` * ` or ` / ` between them, worked out from left to right. A
term is a number, `figure:KEY` or `provenance:KEY` (of summary.json; dots lead into nested ones),
`TABLE:COLUMN:ROW` or `TABLE:COLUMN:ROWS:HOW`, where rows are such as `0-3,8` and how is sum, mean, min, max,
count or different (how many different values). Rows count from 0, as they stand in tables/TABLE.csv.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

SAME = 1e-9
"""Numbers that differ by less than this part are the same, but for rounding."""
PERCENT = 100.0
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True)
class Traced:
    """A number as shown; `value` is that of the source, and `scale` times that is shown.

    `source` is "" as long as none is known. `rounded` is how it was rounded: `up`, `down`, or as usual.
    """

    value: float
    source: str
    shown: str
    scale: float = 1.0
    rounded: str = ""


def last_digit(shown: str, language: str) -> float:
    """What one step of the last digit of a shown number is worth."""
    decimals = shown.partition("," if language == "nl" else ".")[2]
    return 10.0 ** -sum(character.isdigit() for character in decimals)


def rows_of(rows: Iterable[int]) -> str:
    """Row numbers as text: `0-3,8`."""
    numbered = enumerate(sorted(rows))
    runs = [[row for _, row in run] for _, run in groupby(numbered, lambda pair: pair[1] - pair[0])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def cell_source(table: str, column: str, rows: Iterable[int], how: str) -> str:
    """The source of some cells of a column; `how` they become one number."""
    return f"{table}:{column}:{rows_of(rows)}:{how}"
