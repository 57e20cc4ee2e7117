"""The table of observed points: what was seen of the system, when, in which unit, and where it was read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdopt.config.sheets.share import check_percentage
from sdopt.config.sheets.table import Line, Wanted, read_sheet
from sdopt.errors import Complaints, ConfigError, did_you_mean

COLUMNS = ("series", "variable", "time", "value", "unit", "scale", "measure", "source", "use", "note")
OPTIONAL = ("uncertainty",)
MEASURES = ("moment", "year_average", "year_total")
USES = ("fit", "test", "projection")

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]+)?")
_NUMBERS = ("time", "value", "scale", "uncertainty")
_SHEET = Wanted(COLUMNS, OPTIONAL, _NUMBERS, across=("time", "value"), years=("time",))


@dataclass(frozen=True)
class Point:
    """One observed point; `row` as a spreadsheet numbers it, `line` where it was read.

    `variable` is one of the model, or a sum of some: `Light clients + Heavy clients`.
    `measure`: the value at the moment `time`, or the average or total of the year that begins at `time`.
    The value that the model should give is `value / scale`; `uncertainty` is a standard deviation in the
    unit of `value`, None when not stated. A point with the use `projection` is nobody's observation: it is
    listed and never held against the model.
    """

    row: int
    series: str
    variable: str
    time: float
    value: float
    unit: str
    scale: float
    measure: str
    source: str
    use: str
    note: str
    uncertainty: float | None = None
    line: Line | None = field(default=None, repr=False, compare=False)

    def at(self, column: str = "") -> str:
        """A cell, or the row, in words."""
        if self.line is not None:
            return self.line.at(column)
        return f"row {self.row}, {column}" if column else f"row {self.row}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables that are added up."""
        return tuple(name.strip() for name in self.variable.split(" + "))

    @property
    def target(self) -> float:
        """The value in the model's size."""
        return self.value / self.scale

    @property
    def deviation(self) -> float:
        """What an error is divided by, in the model's size: stated uncertainty, or else the value itself."""
        stated = self.uncertainty if self.uncertainty is not None else abs(self.value)
        return stated / self.scale


def read_observed(path: Path) -> tuple[Point, ...]:
    """Read a table of observed points: .xlsx (also `FILE.xlsx#SHEET`), or .csv in Dutch or English notation.

    A row is a point; or, with a column per year, a series of which empty cells were not observed.

    Raises
    ------
    ConfigError
        With every fault and its row or cell: missing columns, rows that do not fit, cells that are no number,
        unknown measures or uses, no source, points given twice, series of two kinds.
    """
    complaints = Complaints(str(path), ConfigError)
    table = read_sheet(path, _SHEET, complaints)
    lines = [line for line in table.lines if line.cells["value"] or not table.wide]
    points = [_point(line, table.mark, complaints) for line in lines]
    if not points:
        complaints.add("", "holds no points; give one row per observed point")
    _check_together([point for point in points if point is not None], complaints)
    complaints.raise_if_any()
    return tuple(point for point in points if point is not None)


def _point(line: Line, mark: str, complaints: Complaints) -> Point | None:
    before, row = len(complaints.items), dict.fromkeys(OPTIONAL, "") | dict(line.cells)
    for column in ("series", "variable", "unit"):
        if not row[column]:
            complaints.add(line.at(column), "empty; fill it in")
    if not row["source"]:
        complaints.add(line.at("source"), "empty; an observed point needs the row or page it was read in")
    for column, allowed in (("measure", MEASURES), ("use", USES)):
        if row[column] not in allowed:
            found = f'found "{row[column][:40]}".{did_you_mean(row[column], allowed)}'
            complaints.add(line.at(column), f"{found} Allowed: {', '.join(allowed)}")
    numbers = {c: _number(line.at(c), row[c], mark, complaints) for c in ("time", "value", "scale")}
    stated = row["uncertainty"]
    deviation = _number(line.at("uncertainty"), stated, mark, complaints) if stated else None
    check_percentage(line, ("value", "uncertainty"), row["unit"], complaints)
    _check_numbers(line, numbers, deviation, row["use"], complaints)
    if len(complaints.items) > before:
        return None
    return Point(
        row=line.row,
        series=row["series"],
        variable=row["variable"],
        time=numbers["time"],
        value=numbers["value"],
        unit=row["unit"],
        scale=numbers["scale"],
        measure=row["measure"],
        source=row["source"],
        use=row["use"],
        note=row["note"],
        uncertainty=deviation,
        line=line,
    )


def _number(where: str, cell: str, mark: str, complaints: Complaints) -> float:
    """The number in a cell; NaN after a complaint."""
    wrong_mark = "." if mark == "," else ","
    if _NUMBER.fullmatch(cell) and wrong_mark not in cell:
        number = float(cell.replace(",", "."))
        if math.isfinite(number):
            return number
    found = f'found "{cell[:40]}"' if cell else "empty"
    complaints.add(
        where, f"{found}; a number is needed, with decimal mark {mark!r}, without words or other signs"
    )
    return math.nan


def _check_numbers(
    line: Line, numbers: Mapping[str, float], deviation: float | None, use: str, complaints: Complaints
) -> None:
    if numbers["scale"] <= 0:
        complaints.add(line.at("scale"), f"{numbers['scale']:g}; the value is divided by it: above zero")
    if deviation is not None and deviation <= 0:
        complaints.add(line.at("uncertainty"), f"{deviation:g}; a standard deviation is above zero")
    if numbers["value"] == 0 and deviation is None and use == "fit":
        complaints.add(
            line.at("value"), "0 has no relative error; state the uncertainty, or use it as a test"
        )


def _check_together(points: list[Point], complaints: Complaints) -> None:
    """Rules between points: one kind per series, every time once."""
    seen: dict[tuple[str, float], Point] = {}
    kinds: dict[str, Point] = {}
    for point in points:
        first = kinds.setdefault(point.series, point)
        for column in ("variable", "measure", "unit"):
            if getattr(first, column) != getattr(point, column):
                complaints.add(
                    point.at(column),
                    f'series "{point.series}" has another {column} on row {first.row}; use two series',
                )
        earlier = seen.setdefault((point.series, point.time), point)
        if earlier is not point:
            complaints.add(
                point.at(),
                f'series "{point.series}" has a point at {point.time:g} on row {earlier.row}; keep one',
            )
