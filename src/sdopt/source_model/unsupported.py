"""The complaint about one construct, and the names of constructs as a modeller knows them."""

from __future__ import annotations

from typing import Any


class UnsupportedError(Exception):
    """Something in one equation that cannot be translated; the message names it."""


NOT_SUPPORTED = {
    "AllocateAvailableStructure": "ALLOCATE AVAILABLE",
    "AllocateByPriorityStructure": "ALLOCATE BY PRIORITY",
    "DataStructure": "a data variable without values in the model (Vensim reads them from a .vdf file)",
    "GetLookupsStructure": "GET XLS/DIRECT LOOKUPS inside another equation",
    "LookupsStructure": "a lookup inside another equation",
}


def construct(node: Any) -> str:
    """The name of a construct as a modeller knows it."""
    kind = type(node).__name__
    return NOT_SUPPORTED.get(kind, kind.removesuffix("Structure").upper())
