"""The table of constants: what each number of a model is, how sure it is, and where it comes from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.csv_table import read_table
from sdopt.config.names import same_name
from sdopt.errors import Complaints, ConfigError, did_you_mean

COLUMNS = ("name", "value", "low", "high", "unit", "source", "status", "note")
OPTIONAL = ("distribution", "link", "confidence")
STATUSES = ("read", "derived", "memory", "judgement")
DISTRIBUTIONS = ("fixed", "uniform", "triangular", "normal", "lognormal")
CONFIDENCES = ("A", "A-", "B", "C", "D")
WEAK_STATUSES = ("memory", "judgement")
WEAK_CONFIDENCES = ("C", "D")

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]+)?")

Row = dict[str, str]


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
    """Read a table of constants: CSV in UTF-8, with commas, or with semicolons as Dutch spreadsheets write.

    With semicolons, numbers have a decimal comma or a decimal point, the same in the whole file.
    The columns of `OPTIONAL` may be absent; columns beside the known ones are left alone.

    Raises
    ------
    ConfigError
        With every fault and its row as a spreadsheet numbers it: missing columns, rows that do not fit
        them, cells that are no number, values outside their range, ranges that do not fit the
        distribution, unknown statuses, distributions or confidences, names given twice.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_table(path, COLUMNS, complaints, OPTIONAL)
    rows = {number: dict.fromkeys(OPTIONAL, "") | dict(row) for number, row in table.rows.items()}
    mark = table.mark
    constants = [_constant(f"row {number}", row, mark, complaints) for number, row in rows.items()]
    _check_given_once(rows, complaints)
    complaints.raise_if_any()
    return tuple(constants)


def _constant(where: str, row: Row, mark: str, complaints: Complaints) -> Constant:
    """One row as a constant; where a cell is wrong a complaint is made and the constant is not used."""
    value = _number(f"{where}, value", row["value"], mark, complaints)
    low, high = (_number(f"{where}, {end}", row[end], mark, complaints) for end in ("low", "high"))
    if not row["name"]:
        complaints.add(f"{where}, name", "empty; write the name of the constant as in the model")
    if not row["value"]:
        complaints.add(f"{where}, value", "empty; a missing value is not zero: fill it in")
    row = row | {"distribution": row["distribution"] or _default_distribution(row)}
    _check_range(where, row, (value, low, high), complaints)
    _check_origin(where, row, complaints)
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
        f"such as 1234{mark}5, without thousands separators, percent signs or words",
    )
    return None


def _check_range(where: str, row: Row, numbers: tuple[float | None, ...], complaints: Complaints) -> None:
    value, low, high = numbers
    if bool(row["low"]) != bool(row["high"]):
        complaints.add(where, "only one of low and high is given; give both or neither")
    if low is None or high is None:
        if row["distribution"] in DISTRIBUTIONS[1:] and not (row["low"] or row["high"]):
            complaints.add(where, f"{_reason(row)} needs a range; fill in low and high")
    elif low > high:
        complaints.add(where, f"low {low:g} is above high {high:g}; swap them")
    elif value is not None and not low <= value <= high:
        complaints.add(
            f"{where}, value", f"{value:g} is outside [{low:g}, {high:g}]; mend the value or range"
        )
    elif low <= 0 and row["distribution"] == "lognormal":
        complaints.add(
            f"{where}, low", f"lognormal has positive values only, low is {low:g}; raise it or choose another"
        )


def _reason(row: Row) -> str:
    """What makes a row uncertain, in the words of the table."""
    if row["status"] in WEAK_STATUSES:
        return f"status {row['status']}"
    if row["confidence"] in WEAK_CONFIDENCES:
        return f"confidence {row['confidence']}"
    return f"distribution {row['distribution']}"


def _check_origin(where: str, row: Row, complaints: Complaints) -> None:
    words = {"status": STATUSES, "distribution": DISTRIBUTIONS, "confidence": ("", *CONFIDENCES)}
    for column, allowed in words.items():
        if (found := row[column]) not in allowed:
            listed = ", ".join(word or "nothing" for word in allowed)
            complaints.add(
                f"{where}, {column}", f'found "{found[:40]}".{did_you_mean(found, allowed)} Allowed: {listed}'
            )
    if row["status"] in STATUSES and not row["source"] and row["status"] != "judgement":
        complaints.add(f"{where}, source", "empty; name the source, or make the status judgement")


def _check_given_once(rows: dict[int, Row], complaints: Complaints) -> None:
    first: dict[str, int] = {}
    for number, row in rows.items():
        earlier = first.setdefault(same_name(row["name"]), number)
        if row["name"] and earlier != number:
            complaints.add(
                f"row {number}", f'"{row["name"]}" is on row {earlier} already; keep one of the two'
            )
