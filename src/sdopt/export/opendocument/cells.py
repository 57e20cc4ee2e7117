"""Cells of an .xlsx sheet as cells of an .ods sheet: values, live formulas and text that stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token

from sdopt.export.cells import is_number
from sdopt.export.opendocument.xml import odf

_REFERENCE = re.compile(
    r"(?:(?P<sheet>'(?:[^']|'')*'|[^'!:]+)!)?(?P<first>\$?[A-Z]{1,3}\$?\d+)(?::(?P<last>\$?[A-Z]{1,3}\$?\d+))?"
)
_SPACES = re.compile(r"(\t| {2,}|^ | $)")
_OPERATORS = {" ": "!", ",": "~"}
"""Intersection and union are written otherwise."""


def open_formula(formula: str) -> str:
    """A formula such as `=SUM('Blad 1'!A1:B2,C3)` in the notation of OpenDocument."""
    return "of:=" + "".join(_open(token) for token in Tokenizer(formula).items)


def _open(token: Token) -> str:
    text: str = token.value
    if token.type == Token.OPERAND and token.subtype == Token.RANGE:
        return reference(text, brackets=True)
    if token.type == Token.SEP:
        return ";" if token.subtype == Token.ARG else "|"
    if token.type == Token.OP_IN:
        return _OPERATORS.get(text, text)
    return text.removeprefix("_xlfn.") if token.type == Token.FUNC else text


def reference(text: str, *, brackets: bool = False) -> str:
    """Cells of Excel as OpenDocument writes them; a name stays as it is."""
    found = _REFERENCE.fullmatch(text)
    if not found:
        return text
    sheet = f"${found['sheet']}" if found["sheet"] else ""
    cells = f"{sheet}.{found['first']}" + (f":.{found['last']}" if found["last"] else "")
    return f"[{cells}]" if brackets else cells


def paragraphs(text: str, link: str | None = None) -> Iterator[Any]:
    """Text as paragraphs, with the white space that it has; each goes to the cell `link` when clicked."""
    for line in text.split("\n"):
        first, *parts = _SPACES.split(line)
        words = odf("text:a", _to(link), text=first) if link else odf("text:p", text=first)
        for white, after in zip(parts[::2], parts[1::2], strict=True):
            space = odf("text:tab") if white == "\t" else odf("text:s", {"text:c": len(white)})
            space.tail = after
            words.append(space)
        yield odf("text:p", {}, words) if link else words


def _to(cell: str) -> dict[str, str]:
    """A link within the file."""
    return {"xlink:type": "simple", "xlink:href": f"#{reference(cell).removeprefix('$')}"}


def make_cell(
    value: Any, formula: str | None, style: str | None, *, percentage: bool = False, link: str | None = None
) -> Any:
    """A cell with a value, the formula that gives it, and the cell that a click on it goes to."""
    attributes: dict[str, object] = {"table:style-name": style}
    if formula is not None:
        attributes["table:formula"] = open_formula(formula)
    if value is None and formula is None:
        return odf("table:table-cell", attributes)
    if isinstance(value, bool):
        attributes |= {"office:value-type": "boolean", "office:boolean-value": str(value).lower()}
        return odf("table:table-cell", attributes)
    if is_number(value):
        kind = "percentage" if percentage else "float"
        attributes |= {"office:value-type": kind, "office:value": repr(value)}
        return odf("table:table-cell", attributes)
    attributes["office:value-type"] = "string"
    return odf("table:table-cell", attributes, *paragraphs(str(value or ""), link))
