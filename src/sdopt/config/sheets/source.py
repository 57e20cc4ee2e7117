"""Which file, and which sheet of it, a path names: `begroting.xlsx`, `begroting.xlsx#Verdeling` or a .csv."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sdopt.config.text_file import is_file, similar_file
from sdopt.errors import ConfigError

WORKBOOK = ".xlsx"
LARGEST = 50_000_000
"""Bytes of a file."""

_SHEET = re.compile(r"(?P<file>.+\.xls[xmb]?|.+\.ods)#(?P<sheet>.*)", re.IGNORECASE | re.DOTALL)
_REMEDIES = {
    ".xls": "open it in a spreadsheet program and save it as .xlsx",
    ".xlsb": "open it in Excel and save it as .xlsx",
    ".xlsm": "its macros are never run: save it as .xlsx, without macros",
    ".xltx": "open it in a spreadsheet program and save it as .xlsx",
    ".ods": "open it in LibreOffice and save it as .xlsx",
    ".numbers": "export it as .xlsx",
}
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Source:
    """A file, and the name of one of its sheets or None for the first that is shown."""

    file: Path
    sheet: str | None = None

    @property
    def is_workbook(self) -> bool:
        """Whether it has sheets; else it is text."""
        return self.file.suffix.lower() == WORKBOOK


def source_of(path: Path) -> Source:
    """The file and the sheet that a path names; a file that is really called so goes first."""
    match = _SHEET.fullmatch(str(path))
    if match is None or is_file(path):
        return Source(path)
    return Source(Path(match["file"]), match["sheet"])


def names_table(said: str) -> bool:
    """Whether it is a .csv or .xlsx by its name."""
    return source_of(Path(said)).file.suffix.lower() in (".csv", WORKBOOK)


def is_table(path: Path) -> bool:
    """Whether the file that a path names is there, whatever it holds."""
    return is_file(source_of(path).file)


def check_kind(source: Source) -> None:
    """Refuse what is not there, and what is no .csv and no .xlsx by its name and by how it begins.

    Raises
    ------
    ConfigError
        With what to do.
    """
    suffix = source.file.suffix.lower()
    if suffix in _REMEDIES:
        raise ConfigError(f"{source.file}: a {suffix} file cannot be read; {_REMEDIES[suffix]}")
    try:
        size = source.file.stat().st_size
        with source.file.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        raise ConfigError(f"{source.file}: there is no such file.{similar_file(source.file)}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{source.file}: cannot be read ({error}); check the path and your rights to it"
        ) from None
    if size > LARGEST:
        raise ConfigError(f"{source.file}: {size / 1e6:.0f} MB; at most {LARGEST / 1e6:.0f} MB can be read. "
                          "Keep only the table in it")  # fmt: skip
    if start == _OLE:
        raise ConfigError(
            f"{source.file}: an old .xls file, or one with a password; save it as .xlsx without a password"
        )
    if start == _ZIP and not source.is_workbook:
        raise ConfigError(f"{source.file}: holds a workbook; give it a name that ends in {WORKBOOK}")
    if start != _ZIP and source.is_workbook:
        raise ConfigError(f"{source.file}: is no {WORKBOOK} file; open it and save it as {WORKBOOK} again")
