"""Blocks of code in the pages that people write and read, fenced or indented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "models/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@dataclass(frozen=True)
class Block:
    """Lines that stand together; `language` is empty for what is indented."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    """All blocks of all pages, in their order."""
    for path in PAGES:
        yield from _blocks_of(
            path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines()
        )


def _blocks_of(page: str, lines: list[str]) -> Iterator[Block]:
    number, before = 0, ""
    while number < len(lines):
        first, line = number, lines[number]
        if line.startswith("```"):
            number = next(n for n in range(first + 1, len(lines)) if lines[n].startswith("```"))
            yield Block(page, first + 1, line.strip("`").strip(), "\n".join(lines[first + 1 : number]))
        elif line.startswith("    ") and not before.strip():
            while number + 1 < len(lines) and (
                lines[number + 1].startswith("    ") or not lines[number + 1].strip()
            ):
                number += 1
            yield Block(page, first + 1, "", dedent("\n".join(lines[first : number + 1])).strip("\n"))
        before = lines[number]
        number += 1
