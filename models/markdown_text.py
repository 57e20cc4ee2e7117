"""Text of tables as Markdown in which it stays text."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Text in which nothing is Markdown, HTML or the end of a cell."""
    visible = "".join(sign if sign.isprintable() else " " for sign in text)
    return re.sub(r"([\\`*_\[\]<>|&~$#])", r"\\\1", " ".join(visible.split()))


def linked(text: str, address: str) -> str:
    """A link where the address is one of the web, else the text."""
    if not re.fullmatch(r"https?://[^\s\x00-\x1f]+", address):
        return plain(text)
    safe = re.sub(r"[<>()\[\]|\\`\"']", lambda sign: f"%{ord(sign[0]):02X}", address)
    return f"[{plain(text)}]({safe})"


def table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table in Markdown; cells are written as they are."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"
