"""The table of constants: what each number of a model is, how sure it is, and where it comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.names import same_name
from sdopt.config.sheets.share import check_percentage
from sdopt.config.sheets.table import Line, Wanted, read_sheet
from sdopt.errors import Complaints, ConfigError, did_you_mean

COLUMNS = ("name", "value", "low", "high", "unit", "source", "status", "note")
OPTIONAL = ("distribution", "link", "confidence")
NUMBERS = ("value", "low", "high")
STATUSES = ("read", "derived", "memory", "judgement")
DISTRIBUTIONS = ("fixed", "uniform", "triangular", "normal", "lognormal")
CONFIDENCES = ("A", "A-", "B", "C", "D")
WEAK_STATUSES = ("memory", "judgement")
WEAK_CONFIDENCES = ("C", "D")

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]+)?")

Row = dict[str, str]
Place = Callable[[str], str]
"""A column of a row in words; "" for the row itself."""


@dataclass(frozen=True)
class Constant:
    """One row of the table; numbers are in `unit`, `low` and `high` are None where no range is given.

    `status` is read (in the source), derived (computed from it), memory (not looked up again) or
    judgement (an expert's estimate). `confidence` is that of the causal link with number `link`: A, A-, B,
    C or D, "" where none is known. `distribution` is how likely the values from low to high are; every one
    but fixed has a range. Absent: triangular for what is not well founded, fixed for the rest.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str
    source: str
    status: str
    note: str
    distribution: str = "triangular"
    link: str = ""
    confidence: str = ""

    @property
    def uncertain(self) -> bool:
        """Whether it is sampled by default: not well founded, and not fixed."""
        return self.distribution != "fixed" and _weak(self.status, self.confidence)


def read_constants(path: Path) -> tuple[Constant, ...]:
    """Read a table of constants: .xlsx (also `FILE.xlsx#SHEET`) or .csv, in Dutch or English notation.

    All numbers of a .csv are in one notation; when that cannot be told it is refused.
    The columns of `OPTIONAL` may be absent; columns beside the known ones are left alone.

    Raises
    ------
    ConfigError
        With every fault and its row or cell as a spreadsheet calls it: missing columns, rows that do not
        fit them, cells that are no number, values outside their range, ranges that do not fit the
        distribution, unknown statuses, distributions or confidences, names given twice.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_sheet(path, Wanted(COLUMNS, OPTIONAL, NUMBERS), complaints)
    constants = [_constant(line, table.mark, complaints) for line in table.lines]
    _check_given_once(table.lines, complaints)
    complaints.raise_if_any()
    return tuple(constants)


def _constant(line: Line, mark: str, complaints: Complaints) -> Constant:
    """One row as a constant; where a cell is wrong a complaint is made and the constant is not used."""
    row = dict.fromkeys(OPTIONAL, "") | dict(line.cells)
    value, low, high = (_number(line.at(column), row[column], mark, complaints) for column in NUMBERS)
    check_percentage(line, NUMBERS, row["unit"], complaints)
    if not row["name"]:
        complaints.add(line.at("name"), "empty; write the name of the constant as in the model")
    if not row["value"]:
        complaints.add(line.at("value"), "empty; a missing value is not zero: fill it in")
    row = row | {"distribution": row["distribution"] or _default_distribution(row)}
    _check_range(line.at, row, (value, low, high), complaints)
    _check_origin(line.at, row, complaints)
    return Constant(row["name"], value or 0.0, low, high, *(row[key] for key in (*COLUMNS[4:], *OPTIONAL)))


def _weak(status: str, confidence: str) -> bool:
    return status in WEAK_STATUSES or confidence in WEAK_CONFIDENCES


def _default_distribution(row: Row) -> str:
    return "triangular" if _weak(row["status"], row["confidence"]) else "fixed"


def _number(where: str, cell: str, mark: str, complaints: Complaints) -> float | None:
    """The number in a cell, or None when it is empty or (after a complaint) not a number."""
    other = "." if mark == "," else ","
    if not cell:
        return None
    if (
        _NUMBER.fullmatch(cell)
        and other not in cell
        and math.isfinite(number := float(cell.replace(",", ".")))
    ):
        return number
    complaints.add(
        where,
        f'expected a number, found "{cell[:40]}"; this table has the decimal mark "{mark}": write one '
        f"such as 1234{mark}5, without words or other signs",
    )
    return None


def _check_range(at: Place, row: Row, numbers: tuple[float | None, ...], complaints: Complaints) -> None:
    value, low, high = numbers
    if bool(row["low"]) != bool(row["high"]):
        complaints.add(at(""), "only one of low and high is given; give both or neither")
    if low is None or high is None:
        if row["distribution"] in DISTRIBUTIONS[1:] and not (row["low"] or row["high"]):
            complaints.add(at(""), f"{_reason(row)} needs a range; fill in low and high")
    elif low > high:
        complaints.add(at(""), f"low {low:g} is above high {high:g}; swap them")
    elif value is not None and not low <= value <= high:
        complaints.add(at("value"), f"{value:g} is outside [{low:g}, {high:g}]; mend the value or range")
    elif low <= 0 and row["distribution"] == "lognormal":
        complaints.add(
            at("low"), f"lognormal has positive values only, low is {low:g}; raise it or choose another"
        )


def _reason(row: Row) -> str:
    """What makes a row uncertain, in the words of the table."""
    if row["status"] in WEAK_STATUSES:
        return f"status {row['status']}"
    if row["confidence"] in WEAK_CONFIDENCES:
        return f"confidence {row['confidence']}"
    return f"distribution {row['distribution']}"


def _check_origin(at: Place, row: Row, complaints: Complaints) -> None:
    words = {"status": STATUSES, "distribution": DISTRIBUTIONS, "confidence": ("", *CONFIDENCES)}
    for column, allowed in words.items():
        if (found := row[column]) not in allowed:
            listed = ", ".join(word or "nothing" for word in allowed)
            complaints.add(
                at(column), f'found "{found[:40]}".{did_you_mean(found, allowed)} Allowed: {listed}'
            )
    if row["status"] in STATUSES and not row["source"] and row["status"] != "judgement":
        complaints.add(at("source"), "empty; name the source, or make the status judgement")


def _check_given_once(lines: Iterable[Line], complaints: Complaints) -> None:
    first: dict[str, int] = {}
    for line in lines:
        name = line.cells["name"]
        earlier = first.setdefault(same_name(name), line.row)
        if name and earlier != line.row:
            complaints.add(line.at(), f'"{name}" is on row {earlier} already; keep one of the two')
