"""What an .xlsx file may be before it is opened: no larger than a table is, and plain XML."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from sdopt.errors import ConfigError

LARGEST_UNPACKED, LARGEST_TEXT = 100_000_000, 30_000_000
"""Bytes of all parts together, and of those that are no picture."""
MOST_PARTS = 2_000
MOST_MERGED = 100_000
"""Cells in the merged ranges of one sheet."""
REMEDY = "Copy the table alone, as values, into a new workbook"

_MERGED = re.compile(
    rb"mergeCell [^>]*ref=[\"']\$?([A-Z]{1,3})\$?([0-9]{1,7}):\$?([A-Z]{1,3})\$?([0-9]{1,7})"
)
_ENTITIES = re.compile(rb"<!\s*(DOCTYPE|ENTITY)|<\x00!\x00")


def check_book(path: Path) -> None:
    """Refuse a file that would take the memory of the machine, or that holds what no spreadsheet writes.

    Raises
    ------
    ConfigError
        Saying what is too much and what to do.
    """
    try:
        with zipfile.ZipFile(path) as parts:
            _check_sizes(path, parts.infolist(), LARGEST_UNPACKED)
            text = [part for part in parts.infolist() if not part.filename.startswith("xl/media/")]
            _check_sizes(path, text, LARGEST_TEXT)
            for part in parts.infolist():
                with parts.open(part) as file:
                    # So many bytes and no more: a part that unpacks to more than it says fails here.
                    content = file.read(part.file_size + 1)
                _check_part(path, part.filename, content)
    except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ConfigError(
            f"{path}: cannot be read as .xlsx ({error}); open it in a spreadsheet program and save it again"
        ) from None


def _check_sizes(path: Path, parts: list[zipfile.ZipInfo], largest: int) -> None:
    size = sum(part.file_size for part in parts)
    if size > largest or len(parts) > MOST_PARTS:
        raise ConfigError(
            f"{path}: {size / 1e6:,.0f} MB in {len(parts):,} parts when unpacked; at most "
            f"{largest / 1e6:.0f} MB in {MOST_PARTS:,} can be read. {REMEDY}"
        )


def _check_part(path: Path, name: str, content: bytes) -> None:
    if _ENTITIES.search(content[:10_000]):
        raise ConfigError(
            f"{path}: its part {name} is not as a spreadsheet program writes it (it declares entities, or is "
            "no UTF-8); open the file in one and save it again"
        )
    merged = sum(_area(*match.groups()) for match in _MERGED.finditer(content))
    if merged > MOST_MERGED:
        raise ConfigError(
            f"{path}: {merged:,} merged cells in its part {name}; at most {MOST_MERGED:,} can be read. "
            f"{REMEDY}"
        )


def _area(column: bytes, row: bytes, last_column: bytes, last_row: bytes) -> int:
    wide = abs(_position(last_column) - _position(column)) + 1
    return wide * (abs(int(last_row) - int(row)) + 1)


def _position(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = 26 * found + letter - ord("A") + 1
    return found
