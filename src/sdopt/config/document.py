"""YAML text as plain data, with the line of every key.

Values follow the YAML 1.2 core schema: only `true` and `false` are logical; `no`, `on` and `12:30` are
text. A key is always text as written. Tags, anchors, aliases and duplicate keys are refused: a config is
plain data.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sdopt.errors import Complaints

Place = tuple[str | int, ...]
"""Keys and list positions from the top of the file down to one value."""

Complain = Callable[[Place, str], None]
"""Notes what is wrong at a place: what was found, what is allowed, what to do."""

DEEPEST = 20
LARGEST_WHOLE_NUMBER = 2**53

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# What neither XML nor a spreadsheet can hold, so no name or title may contain it.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Document:
    """Plain data (dict with text keys, list, text, number, true/false, None) and the line of each place."""

    data: Any
    lines: Mapping[Place, int]


def line_of(place: Place, lines: Mapping[Place, int]) -> int | None:
    """The line of a place, or of the nearest known place that it is part of; None when none is known."""
    return next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), None)


def where(place: Place, lines: Mapping[Place, int]) -> str:
    """A place in words with its line if known, such as `decisions.prevention.bounds (line 12)`."""
    name, line = ".".join(_part_text(part) for part in place), line_of(place, lines)
    if line is None:
        return name
    return f"{name} (line {line})" if name else f"line {line}"


def _part_text(part: str | int) -> str:
    text = str(part)
    return text if re.fullmatch(r"[^.\"\s](?:[^.\"\n\r\t]*[^.\"\s])?", text) else json.dumps(text)


def read_document(text: str, complaints: Complaints) -> Document:
    """Read one YAML document.

    Raises
    ------
    The error of `complaints`
        With line numbers, if the text is not YAML or holds something this format refuses.
    """
    reader = _Reader(yaml.parse(text, Loader=yaml.SafeLoader), complaints)
    try:
        document = reader.document()
    except yaml.MarkedYAMLError as error:
        complaints.add(*_syntax_message(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"U+{ord(error.character):04X}" if isinstance(error.character, str) else hex(error.character)
        complaints.add(f"line {line}", f"control character {found} cannot be used in YAML; remove it")
    except (ValueError, OverflowError):  # PyYAML on an escape or a directive far out of range
        complaints.add("", "not valid YAML: an escape (\\U...) or a %-directive is out of range; remove it")
    complaints.raise_if_any()
    return document


def _syntax_message(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = error.problem or error.context or "unreadable"
    hints = {
        "mapping values are not allowed": 'put text that contains ": " in quotes, and check the indentation',
        "'\\t'": "indent with spaces, not with tabs",
        "expected <block end>": "check the indentation: keys of one mapping start in the same column",
        "could not find expected ':'": "write `key: value`, with a space after the colon",
        "scanning a quoted scalar": "close the quotes",
        "cannot start any token": "put text that starts with this character in quotes",
    }
    told = f"{problem} {error.context or ''}"
    hint = next((text for sign, text in hints.items() if sign in told), "check this line and the one above")
    return place, f"not valid YAML: {problem}; {hint}"


class _Reader:
    """Builds plain data from YAML events; notes lines and complaints on the way."""

    def __init__(self, events: Iterator[yaml.Event], complaints: Complaints) -> None:
        self.events = events
        self.complaints = complaints
        self.lines: dict[Place, int] = {(): 1}

    def document(self) -> Document:
        next(self.events)  # start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            self.complaints.add("", "the file is empty; `sdopt init MODEL` writes one to start from")
            return Document(None, self.lines)
        data = self._value(next(self.events), ())
        next(self.events)  # end of the document
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document starts here; keep one question per file")
        return Document(data, self.lines)

    def _value(self, event: yaml.Event, place: Place) -> Any:
        if len(place) > DEEPEST:
            self._refuse(event, f"nested deeper than {DEEPEST} levels; a config needs far fewer")
            self.complaints.raise_if_any()
        self._refuse_references(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        return self._scalar(event, place) if isinstance(event, yaml.ScalarEvent) else None

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, place)
            inside = (*place, key)
            if key in found:
                first = self.lines[inside]
                self._refuse(event, f"key {json.dumps(key, ensure_ascii=False)} was already given on line "
                             f"{first}; keep one of the two")  # fmt: skip
            else:
                self.lines[inside] = event.start_mark.line + 1
            found[key] = self._value(next(self.events), inside)
        return found

    def _key(self, event: yaml.Event, place: Place) -> str:
        self._refuse_references(event)
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_control_characters(event)
            return str(event.value)
        self._refuse(event, "a key must be text, not a list or a mapping")
        self.complaints.raise_if_any()
        return ""

    def _sequence(self, place: Place) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            inside = (*place, len(found))
            self.lines[inside] = event.start_mark.line + 1
            found.append(self._value(event, inside))
        return found

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Any:
        self._refuse_control_characters(event)
        text = str(event.value)
        if event.style is not None:  # quoted, or a block of text
            return text
        value = plain_value(text)
        if not _usable(value):
            self._refuse(event, f"{where(place, {})}: {text[:40]} cannot be used as a number; write a finite "
                         f"one, at most {LARGEST_WHOLE_NUMBER} when it is whole")  # fmt: skip
        return value

    def _refuse_references(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "anchors (&) and aliases (*) are not supported; write the value out, "
                         "or put text that starts with & or * in quotes")  # fmt: skip
        elif getattr(event, "tag", None) is not None:
            self._refuse(event, "tags (!) are not supported; write plain data, "
                         "or put text that starts with ! in quotes")  # fmt: skip

    def _refuse_control_characters(self, event: yaml.ScalarEvent) -> None:
        if match := _FORBIDDEN.search(event.value):
            self._refuse(event, f"control character U+{ord(match[0]):04X} cannot be used; remove it")

    def _refuse(self, event: yaml.Event, message: str) -> None:
        self.complaints.add(f"line {event.start_mark.line + 1}", message)


def plain_value(text: str) -> Any:
    """The value of unquoted text: nothing, true or false, a number, or else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        return math.nan
    if _WHOLE.fullmatch(text) and len(text) < 100:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _usable(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST_WHOLE_NUMBER
    return not isinstance(value, float) or math.isfinite(value)
