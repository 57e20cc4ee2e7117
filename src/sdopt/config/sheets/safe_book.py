"""What is read of an .xlsx file: single parts, no larger than a table is, in plain XML without entities.

Its parts are read one by one as they are asked for, by the parser of Python itself: what a table does not
need (pictures, links, charts, macros, formulas) is never looked at, and so cannot do anything.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, NoReturn, Protocol
from xml.parsers import expat

from sdopt.errors import ConfigError

LARGEST_PART = 50_000_000
"""Bytes of one part when unpacked."""
MOST_PARTS, MOST_TAGS, DEEPEST = 2_000, 8_000_000, 100
MOST_ELEMENTS, WITH_EACH = 1_000_000, 20
"""Elements of a part, and how many more for each row, cell or text in it."""
REMEDY = "Copy the table alone, as values, into a new workbook"

_CHUNK = 1 << 17
"""Bytes of XML in which at least one element begins: no name, text or list of attributes is longer."""
_LISTED = b"PK\x01\x02"
"""How each part begins in the list of parts of a .zip file."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Reader(Protocol):
    """What takes the elements of a part in their order, by their names without prefix."""

    items: int
    """Rows, cells and texts so far: there may be very many."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str, text: str) -> None:
        """An element ends; `text` is what stands in it after the last element in it."""


@dataclass(frozen=True)
class Parts:
    """The parts of an open .xlsx file."""

    path: Path
    file: zipfile.ZipFile

    def __contains__(self, name: str) -> bool:
        """Whether there is such a part."""
        return _plain(name) in self._named

    @cached_property
    def _named(self) -> Mapping[str, zipfile.ZipInfo]:
        """The parts by their names, in which case and the kind of slash make no difference."""
        return {_plain(part.filename): part for part in self.file.infolist()}

    def read(self, name: str, reader: Reader) -> None:
        """Give a reader every element of a part.

        Raises
        ------
        ConfigError
            When it is too large, or is not as a spreadsheet program writes it.
        """
        part = self._named.get(_plain(name))
        if part is None:
            raise ValueError(f"its part {name} is not in it")
        if part.file_size > LARGEST_PART:
            raise ConfigError(
                f"{self.path}: {part.file_size / 1e6:,.0f} MB in its part {name} when unpacked; at most "
                f"{LARGEST_PART / 1e6:.0f} MB can be read. {REMEDY}"
            )
        if part.compress_type not in _PACKED:  # others take memory by what the file says they need
            raise ValueError(f"{name} is packed in a way that no spreadsheet program uses")
        feed = _Feed(f"{self.path}: its part {name}", reader)
        with self.file.open(part) as content:
            feed.check_tags(content)
        with self.file.open(part) as content:
            for chunk in _chunks(content):
                feed.parser.Parse(chunk, False)
        feed.parser.Parse(b"", True)


def _plain(name: str) -> str:
    return name.replace("\\", "/").lower()


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: content.read(_CHUNK), b"")


@contextmanager
def opened(path: Path) -> Iterator[Parts]:
    """An .xlsx file, to read parts of.

    Raises
    ------
    ConfigError
        Saying what is wrong or too much, and what to do; also for what goes wrong with it in the block.
    """
    try:
        listed = path.read_bytes().count(_LISTED)  # a list of very many parts would be read as a whole
        if listed > MOST_PARTS:
            raise ConfigError(f"{path}: {listed:,} parts; at most {MOST_PARTS:,} can be read. {REMEDY}")
        with zipfile.ZipFile(path) as file:
            yield Parts(path, file)
    except (
        *(OSError, RuntimeError, ValueError, LookupError, EOFError, OverflowError),
        *(zipfile.BadZipFile, zlib.error, expat.ExpatError),
    ) as error:
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise ConfigError(
            f"{path}: cannot be read as .xlsx ({said}); open it in a spreadsheet program and save it again"
        ) from None


class _Feed:
    """A parser that refuses entities and what would take too much memory."""

    def __init__(self, where: str, reader: Reader) -> None:
        self.where, self.reader = where, reader
        self.elements = self.depth = self.extension = 0
        self.text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text.append
        self.parser.StartDoctypeDeclHandler = self.declared
        self.parser.EntityDeclHandler = self.declared

    def check_tags(self, content: IO[bytes]) -> None:
        """Before anything is read: how much there is to read, and whether all of it is in small pieces."""
        tags = 0
        for chunk in _chunks(content):
            found = chunk.count(b"<")
            if not found and len(chunk) == _CHUNK:
                self.refuse(f"a text or name of more than {_CHUNK:,} bytes")
            tags += found
        if tags > MOST_TAGS:
            self.refuse(f"{tags:,} tags; at most {MOST_TAGS:,} can be read")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.depth += 1
        if self.elements > MOST_ELEMENTS + WITH_EACH * self.reader.items or self.depth > DEEPEST:
            self.refuse(f"{self.elements:,} elements, {self.depth} in each other, most not of a table")
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if self.extension or name == "extLst":  # for one program only, in which names mean something else
            self.extension += 1
            return
        self.text.clear()
        self.reader.start(name, attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.extension:
            self.extension -= 1
        else:
            self.reader.end(tag.rpartition(":")[2] if ":" in tag else tag, "".join(self.text))
        self.text.clear()

    def declared(self, *_: object) -> NoReturn:
        self.refuse("it declares entities or a document type")

    def refuse(self, found: str) -> NoReturn:
        raise ConfigError(
            f"{self.where} is not as a spreadsheet program writes it ({found}); open the file in one and "
            "save it again"
        )
