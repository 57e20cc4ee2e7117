"""A table beside the model, as people save it from a spreadsheet: rows of text with their numbers."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.text_file import read_text
from sdopt.errors import Complaints, ConfigError, did_you_mean

REMEDY = "save the table as CSV UTF-8"
YES_NO = {"yes": True, "no": False}

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class CsvTable:
    """`rows`: row as a spreadsheet numbers it -> column -> trimmed cell; `mark` is the decimal mark."""

    header: tuple[str, ...]
    rows: Mapping[int, Mapping[str, str]]
    mark: str


def read_table(
    path: Path, columns: tuple[str, ...], complaints: Complaints, optional: tuple[str, ...] = ()
) -> CsvTable:
    """Read a CSV in UTF-8, with commas, or with semicolons (then with decimal commas or points).

    Case does not matter in the names of `columns` and of `optional` ones; other columns keep theirs.

    Raises
    ------
    ConfigError
        At once if it is no table or lacks columns; rows that do not fit the first go to `complaints`.
    """
    text = read_text(path, REMEDY)
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ConfigError(f"{complaints.stage}: not a CSV table ({error}); {REMEDY}") from None
    header = _header(cells[0] if cells else [], columns, optional, complaints)
    rows = dict(_rows(cells[1:], header, delimiter, complaints))
    commas = (_DECIMAL_COMMA.fullmatch(cell) for row in rows.values() for cell in row.values())
    return CsvTable(header, rows, "," if delimiter == ";" and any(commas) else ".")


def _header(
    cells: list[str], columns: tuple[str, ...], optional: tuple[str, ...], complaints: Complaints
) -> tuple[str, ...]:
    names = (cell.strip() for cell in cells)
    header = [name.lower() if name.lower() in (*columns, *optional) else name for name in names]
    for column in dict.fromkeys((*columns, *header)):
        if column and header.count(column) != 1:
            problem = "missing" if column not in header else "given twice"
            near = did_you_mean(column, [name for name in header if name not in (*columns, *optional)])
            complaints.add(f"column {column}", f"{problem}.{near} Needed: {', '.join(columns)}")
    complaints.raise_if_any()
    return tuple(header)


def _rows(
    table: list[list[str]], header: tuple[str, ...], delimiter: str, complaints: Complaints
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(table, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == len(header):
            yield number, dict(zip(header, (cell.strip() for cell in cells), strict=True))
        else:
            complaints.add(f"row {number}", f"{len(cells)} cells where the first row has {len(header)}; "
                           f'put text that contains "{delimiter}" in double quotes')  # fmt: skip


def number(where: str, cell: str, mark: str, complaints: Complaints) -> float:
    """The number in a cell; 0 after a complaint."""
    other = "." if mark == "," else ","
    if _NUMBER.fullmatch(cell) and other not in cell and math.isfinite(n := float(cell.replace(",", "."))):
        return n
    found = f'found "{cell[:40]}"' if cell else "found nothing"
    notation = f'; this table has the decimal mark "{mark}": write one such as 0 or 1234{mark}5'
    remedy = notation if any(sign.isdigit() for sign in cell) else ": write one"  # no notation mends a word
    complaints.add(where, f"expected a number, {found}{remedy}")
    return 0.0


def choice(where: str, cell: str, allowed: tuple[str, ...], complaints: Complaints) -> str:
    """One of some words, in lower case; the first after a complaint."""
    if cell.lower() in allowed:
        return cell.lower()
    complaints.add(where, f'found "{cell[:40]}".{did_you_mean(cell, allowed)} Allowed: {", ".join(allowed)}')
    return allowed[0]


def filled(where: str, cell: str, complaints: Complaints) -> str:
    """A cell that may not be empty."""
    if not cell:
        complaints.add(where, "empty; fill it in")
    return cell
