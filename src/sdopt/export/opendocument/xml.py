"""Elements of OpenDocument files (.ods) by their usual prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = {
    **{
        name: f"{_OASIS}:{name}:1.0"
        for name in ("office", "table", "text", "style", "config", "manifest", "meta", "presentation")
    },
    "draw": f"{_OASIS}:drawing:1.0",
    "fo": f"{_OASIS}:xsl-fo-compatible:1.0",
    "svg": f"{_OASIS}:svg-compatible:1.0",
    "number": f"{_OASIS}:datastyle:1.0",
    "of": f"{_OASIS}:of:1.2",
    "dc": "http://purl.org/dc/elements/1.1/",
    "ooo": "http://openoffice.org/2004/office",
    "xlink": "http://www.w3.org/1999/xlink",
}
VERSION = "1.3"

Attributes = Mapping[str, object]
NOTHING: Attributes = {}


def odf(tag: str, attributes: Attributes = NOTHING, *children: Any, text: str | None = None) -> Any:
    """An element such as `table:table`; attributes that are None are left out."""
    given = {_full(key): str(value) for key, value in attributes.items() if value is not None}
    element = etree.Element(_full(tag), given, nsmap=SPACES)
    element.text = text
    element.extend(child for child in children if child is not None)
    return element


def _full(name: str) -> str:
    """`prefix:name` as lxml wants it."""
    prefix, _, local = name.rpartition(":")
    return f"{{{SPACES[prefix]}}}{local}" if prefix else local


def document(root: str, parts: Iterable[Any], **more: object) -> bytes:
    """One file of the package: parts under an `office:` root."""
    element = odf(f"office:{root}", {"office:version": VERSION, **more}, *parts)
    # Some values have a prefix of their own: formulas `of:`, and the name of the settings of a view.
    etree.cleanup_namespaces(element, keep_ns_prefixes=["of", "ooo"])
    written: bytes = etree.tostring(element, xml_declaration=True, encoding="UTF-8")
    return written
