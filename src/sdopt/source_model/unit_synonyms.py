"""Which words of units a Vensim file takes for the same."""

from __future__ import annotations

import re
from pathlib import Path

_SETTINGS = b"///---\\\\\\"
_SYNONYMS = re.compile(rb"^22:(.*)$", re.MULTILINE)


def unit_synonyms(path: Path) -> tuple[tuple[str, ...], ...]:
    """Groups of words that mean one unit, from the settings at the end of a Vensim file."""
    settings = path.read_bytes().replace(b"\r", b"\n").partition(_SETTINGS)[2]
    lines = (line.decode("utf-8", "replace") for line in _SYNONYMS.findall(settings))
    groups = (tuple(word.strip() for word in line.split(",") if word.strip()) for line in lines)
    return tuple(group for group in groups if group)
