"""A .csv file as cells: UTF-8, or as Dutch Excel saves it, with commas or semicolons."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from sdopt.config.csv_table import REMEDY
from sdopt.config.sheets.cells import MOST_CELLS, Cell, Grid
from sdopt.config.text_file import read_text
from sdopt.errors import ConfigError

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STATED = re.compile(r'"?sep=([;,])"?[;,]*\n', re.IGNORECASE)
"""The first line with which Excel is told the delimiter."""


def text_grid(path: Path) -> Grid:
    """The cells of a .csv file.

    Raises
    ------
    ConfigError
        When it cannot be read, or is no table.
    """
    text = _text(path)
    stated = _STATED.match(text)
    skipped = 1 if stated else 0
    text = text[stated.end() :] if stated else text
    if (size := max(map(text.count, ";,")) + text.count("\n")) > MOST_CELLS:
        raise ConfigError(f"{path}: about {size:,} cells; at most {MOST_CELLS:,} can be read. "
                          "Keep only the table in it")  # fmt: skip
    delimiter = stated[1] if stated else _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ConfigError(f"{path}: not a CSV table ({error}); {REMEDY}") from None
    filled = ((number, [cell.strip() for cell in row]) for number, row in enumerate(rows, 1 + skipped))
    return Grid({n: tuple(map(Cell, row)) for n, row in filled if any(row)}, delimiter=delimiter)


def _delimiter(text: str) -> str:
    """By the first line that holds any; in a table of one column a comma is a decimal mark."""
    first = next((line for line in text.split("\n") if line.strip(" ;,\t")), "")
    return "," if first.count(",") >= max(1, first.count(";")) else ";"


def _text(path: Path) -> str:
    """UTF-8, or else Windows-1252: nothing else is saved by a Dutch Excel, and no number differs in them."""
    try:
        text = read_text(path, REMEDY)
    except ConfigError:
        windows = _as_windows(path)
        if windows is None:
            raise
        return windows
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise ConfigError(f"{path} (line {line}): not UTF-8 text, but with NUL in it (UTF-16?); {REMEDY}")
    return text


def _as_windows(path: Path) -> str | None:
    try:
        text = path.read_bytes().decode("cp1252")
    except (OSError, ValueError):
        return None
    return None if _CONTROL.search(text) else text.replace("\r\n", "\n").replace("\r", "\n")
