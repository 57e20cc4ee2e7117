"""What an .xlsx file says of all its sheets: their names, its shared texts and its number formats."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sdopt.config.sheets.cells import MOST_CELLS
from sdopt.config.sheets.safe_book import REMEDY, Parts
from sdopt.errors import ConfigError

TRUE = ("1", "true")
LONGEST_NAME = 255
"""Characters of the name of a sheet; Excel itself takes 31."""

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
"""How a character that XML cannot hold stands in a text, and an underscore that would begin such a one."""


class SheetPart(NamedTuple):
    """A sheet: the name on its tab, whether that is shown, and the part of the file that holds its cells."""

    title: str
    shown: bool
    part: str


@dataclass(frozen=True)
class Book:
    """The parts of a workbook that its sheets share; each is read when it is asked for."""

    parts: Parts

    @cached_property
    def _workbook(self) -> str:
        """The part that names the sheets."""
        root = _relations(self.parts, "")
        return next((target for kind, target in root.values() if kind == "officeDocument"), "xl/workbook.xml")

    @cached_property
    def _related(self) -> Mapping[str, tuple[str, str]]:
        return _relations(self.parts, self._workbook)

    @cached_property
    def _named(self) -> _Sheets:
        reader = _Sheets()
        self.parts.read(self._workbook, reader)
        return reader

    @property
    def from_1904(self) -> bool:
        """Whether its dates count from 1904, as on an old Mac."""
        return self._named.from_1904

    @property
    def uncalculated(self) -> bool:
        """Whether a spreadsheet program has yet to calculate it: programs that only write give 0 for all."""
        return self._named.uncalculated

    @cached_property
    def sheets(self) -> tuple[SheetPart, ...]:
        """The sheets with cells, in the order of their tabs."""
        found = ((title, shown, *self._related[key]) for title, shown, key in self._named.sheets)
        sheets = tuple(
            SheetPart(title, shown, part) for title, shown, kind, part in found if kind == "worksheet"
        )
        for sheet in sheets:  # else the next one would be taken for the first
            if sheet.part not in self.parts:
                raise ValueError(f"the sheet {sheet.title} is not in it")
        return sheets

    @cached_property
    def texts(self) -> list[str]:
        """The texts that cells refer to by number."""
        reader = Texts(str(self.parts.path))
        self._read("sharedStrings", reader)
        return reader.found

    @cached_property
    def formats(self) -> list[tuple[str, str | None]]:
        """The number format of each style that cells refer to by number: its number, and code if given."""
        reader = _Formats()
        self._read("styles", reader)
        return [(number, reader.codes.get(number)) for number in reader.styles]

    def text(self, number: str) -> str | None:
        """The text that a cell refers to, None when there is no such text."""
        return self.texts[int(number)] if number.isdecimal() and int(number) < len(self.texts) else None

    def _read(self, kind: str, reader: Texts | _Formats) -> None:
        for found, part in self._related.values():
            if found == kind:
                self.parts.read(part, reader)


class Texts:
    """Reads texts: of a `si` (or `is`) all pieces together, without how to pronounce them."""

    def __init__(self, where: str) -> None:
        """`where` is for errors."""
        self.where = where
        self.items = 0
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._spoken = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if tag in ("si", "is"):
            self.items += 1
            if len(self.found) >= MOST_CELLS:
                raise ConfigError(
                    f"{self.where}: more than {MOST_CELLS:,} texts; no more can be read. {REMEDY}"
                )
            self._pieces.clear()
        elif tag == "rPh":
            self._spoken = True

    def end(self, tag: str, text: str) -> None:
        """An element ends."""
        if tag == "t" and not self._spoken:
            self._pieces.append(text)
        elif tag == "rPh":
            self._spoken = False
        elif tag in ("si", "is"):
            self.found.append(unescaped("".join(self._pieces)))


def unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold."""
    return _ESCAPED.sub(_unescaped, text) if "_x" in text else text


def _unescaped(match: re.Match[str]) -> str:
    """The character that is meant; half of one is none, and stays as it is written."""
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code < 0xE000 else chr(code)


class _Sheets:
    """Reads which sheets there are."""

    items = 0

    def __init__(self) -> None:
        self.sheets: list[tuple[str, bool, str]] = []
        self.from_1904 = self.uncalculated = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sheet":
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            shown, name = attributes.get("state", "visible") == "visible", attributes.get("name", "")
            if len(name) > LONGEST_NAME:
                raise ValueError(f"a sheet has a name of {len(name):,} characters")
            self.sheets.append((name, shown, key))
        elif tag == "workbookPr":
            self.from_1904 = attributes.get("date1904") in TRUE
        elif tag == "calcPr":
            self.uncalculated = attributes.get("fullCalcOnLoad") in TRUE

    def end(self, tag: str, text: str) -> None:
        """Nothing: all stands in attributes."""


class _Formats:
    """Reads the number formats of styles."""

    items = 0

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.styles: list[str] = []
        self._within = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in ("numFmts", "cellXfs"):
            self._within = tag
        elif tag == "numFmt" and self._within == "numFmts":  # those of conditional formats number otherwise
            self.codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif tag == "xf" and self._within == "cellXfs":
            self.styles.append(attributes.get("numFmtId", "0"))

    def end(self, tag: str, text: str) -> None:
        if tag == self._within:
            self._within = ""


class _Relations:
    """Reads which part is meant by which key."""

    items = 0

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self.folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.found[attributes.get("Id", "")] = kind, target.lstrip("/")

    def end(self, tag: str, text: str) -> None:
        """Nothing: all stands in attributes."""


def _relations(parts: Parts, part: str) -> Mapping[str, tuple[str, str]]:
    """Key -> kind and name of the parts that a part (the file itself: "") refers to."""
    folder, name = posixpath.split(part)
    reader, listed = _Relations(folder), posixpath.join(folder, "_rels", f"{name}.rels")
    if listed in parts:
        parts.read(listed, reader)
    return reader.found
