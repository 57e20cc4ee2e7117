"""The table of observed points: what was seen of the system, when, in which unit, and where it was read."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.text_file import read_text
from sdopt.errors import Complaints, ConfigError, did_you_mean

COLUMNS = ("series", "variable", "time", "value", "unit", "scale", "measure", "source", "use", "note")
OPTIONAL = ("uncertainty",)
MEASURES = ("moment", "year_average", "year_total")
USES = ("fit", "test", "projection")

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]+)?")
_REMEDY = "save the table as CSV UTF-8"

Row = dict[str, str]


@dataclass(frozen=True)
class Point:
    """One observed point; `row` as a spreadsheet numbers it.

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
    """Read a table of observed points: CSV in UTF-8, with commas, or with semicolons (decimal comma allowed).

    Raises
    ------
    ConfigError
        With every fault and its row: missing columns, rows that do not fit, cells that are no number,
        unknown measures or uses, no source, points given twice, series of two kinds.
    """
    complaints = Complaints(str(path), ConfigError)
    text = read_text(path, _REMEDY)
    header = text.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = dict(_rows(text, delimiter, complaints))
    numbers = (row[column] for row in rows.values() for column in ("time", "value", "scale", "uncertainty"))
    comma = delimiter == ";" and any("," in number for number in numbers)
    points = [_point(number, row, comma, complaints) for number, row in rows.items()]
    if not rows:
        complaints.add("", "holds no points; give one row per observed point")
    _check_together([point for point in points if point is not None], complaints)
    complaints.raise_if_any()
    return tuple(point for point in points if point is not None)


def _rows(text: str, delimiter: str, complaints: Complaints) -> Iterator[tuple[int, Row]]:
    """Each row with its number, as column -> trimmed cell; faults of the header raise at once."""
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ConfigError(f"{complaints.stage}: not a CSV table ({error}); {_REMEDY}") from None
    header = [cell.strip().lower() for cell in table[0]] if table else []
    for column in (*COLUMNS, *OPTIONAL):
        if header.count(column) > 1 or (column in COLUMNS and column not in header):
            problem = "given twice" if column in header else "missing"
            complaints.add(f"column {column}", f"{problem}. Needed: {', '.join(COLUMNS)}")
    complaints.raise_if_any()
    for number, cells in enumerate(table[1:], start=2):
        if len(cells) == len(header):
            if any(cell.strip() for cell in cells):
                row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
                yield number, dict.fromkeys(OPTIONAL, "") | row
        elif any(cell.strip() for cell in cells):
            complaints.add(f"row {number}", f"{len(cells)} cells where the first row has {len(header)}; "
                           f'put text that contains "{delimiter}" in double quotes')  # fmt: skip


def _point(number: int, row: Row, comma: bool, complaints: Complaints) -> Point | None:
    where = f"row {number}"
    before = len(complaints.items)
    for column in ("series", "variable", "unit"):
        if not row[column]:
            complaints.add(f"{where}, {column}", "empty; fill it in")
    if not row["source"]:
        complaints.add(f"{where}, source", "empty; an observed point needs the row or page it was read in")
    for column, allowed in (("measure", MEASURES), ("use", USES)):
        if row[column] not in allowed:
            found = f'found "{row[column][:40]}".{did_you_mean(row[column], allowed)}'
            complaints.add(f"{where}, {column}", f"{found} Allowed: {', '.join(allowed)}")
    numbers = {c: _number(f"{where}, {c}", row[c], comma, complaints) for c in ("time", "value", "scale")}
    uncertainty = row["uncertainty"] or None
    deviation = _number(f"{where}, uncertainty", uncertainty, comma, complaints) if uncertainty else None
    _check_numbers(where, numbers, deviation, row["use"], complaints)
    if len(complaints.items) > before:
        return None
    return Point(
        row=number,
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
    )


def _number(where: str, cell: str, comma: bool, complaints: Complaints) -> float:
    """The number in a cell; NaN after a complaint."""
    wrong_mark = "." if comma else ","
    if _NUMBER.fullmatch(cell) and wrong_mark not in cell:
        number = float(cell.replace(",", "."))
        if math.isfinite(number):
            return number
    mark = "," if comma else "."
    found = f'found "{cell[:40]}"' if cell else "empty"
    complaints.add(
        where, f"{found}; a number is needed, with decimal mark {mark!r} and no thousands separators"
    )
    return math.nan


def _check_numbers(
    where: str, numbers: dict[str, float], deviation: float | None, use: str, complaints: Complaints
) -> None:
    if numbers["scale"] <= 0:
        complaints.add(f"{where}, scale", f"{numbers['scale']:g}; the value is divided by it: above zero")
    if deviation is not None and deviation <= 0:
        complaints.add(f"{where}, uncertainty", f"{deviation:g}; a standard deviation is above zero")
    if numbers["value"] == 0 and deviation is None and use == "fit":
        complaints.add(
            f"{where}, value", "0 has no relative error; state the uncertainty, or use it as a test"
        )


def _check_together(points: list[Point], complaints: Complaints) -> None:
    """Rules between points: one kind per series, every time once."""
    seen: dict[tuple[str, float], Point] = {}
    kinds: dict[str, Point] = {}
    for point in points:
        where = f"row {point.row}"
        first = kinds.setdefault(point.series, point)
        for column in ("variable", "measure", "unit"):
            if getattr(first, column) != getattr(point, column):
                complaints.add(
                    f"{where}, {column}",
                    f'series "{point.series}" has another {column} on row {first.row}; use two series',
                )
        earlier = seen.setdefault((point.series, point.time), point)
        if earlier is not point:
            complaints.add(
                where,
                f'series "{point.series}" has a point at {point.time:g} on row {earlier.row}; keep one',
            )
