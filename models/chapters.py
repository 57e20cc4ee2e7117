"""The chapters (groups) of a Vensim model file, and the equations in each."""

from __future__ import annotations

import re
from pathlib import Path

STARS = r"\*{20,}"
HEADING = re.compile(rf"^{STARS}\r?\n\t\.(?P<title>[^\r\n]+)\r?\n{STARS}~\r?\n(?P<about>[^|]*)\|", re.M)
SKETCH = "\\\\\\---/// Sketch information"
NAME = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^=(\[:~]+?)\s*(?:\[[^\]]*\]\s*)?(?::EXCEPT:[^=]*)?(?:==?|:=|\()')


def equations_part(text: str) -> str:
    """The model file without its sketch."""
    return text.split(SKETCH)[0]


def chapters(path: Path) -> dict[str, list[str]]:
    """Title of every chapter -> names of its variables as written, in the order of the file."""
    text = equations_part(path.read_text(encoding="utf-8"))
    found = list(HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {
        match["title"].strip(): _names(text[match.end() : end])
        for match, end in zip(found, ends, strict=True)
    }


def abouts(path: Path) -> dict[str, str]:
    """Title of every chapter -> what its heading says about it."""
    text = equations_part(path.read_text(encoding="utf-8"))
    return {match["title"].strip(): " ".join(match["about"].split()) for match in HEADING.finditer(text)}


def _names(text: str) -> list[str]:
    """Every name that has an equation, once."""
    entries = (NAME.match(entry) for entry in text.split("|"))
    return list(dict.fromkeys(" ".join(match[1].split()) for match in entries if match))
