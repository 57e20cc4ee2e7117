"""Model file -> PySD's abstract model, with every silent failure of the parser turned into an error."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdopt.equations.system import Method
from sdopt.errors import Complaints, ModelError
from sdopt.source_model.syntax import canonical, pysd_tree, unquoted

__all__ = ["ParsedModel", "canonical", "parse_model", "pysd_tree", "unquoted"]

VENSIM = (".mdl",)
XMILE = (".xmile", ".stmx", ".xml")
LARGEST_FILE = 64_000_000
"""Bytes. PySD's parser needs hundreds of times that in memory; the largest known models are near 5 MB."""
DEEPEST_STACK = 20_000
"""Frames PySD's parser may nest: with Python's usual thousand, thirty nested IF THEN ELSE are too many."""


@dataclass(frozen=True)
class ParsedModel:
    """What PySD's parser made of a file.

    `abstract` is a `pysd` AbstractModel; `equations` holds the text of each equation by key, one line
    per equation where a name has several; `sha256` is of the file's bytes, line ends as on Linux;
    `method` is how the file asks to integrate.
    """

    abstract: Any
    equations: dict[str, str]
    sha256: str
    method: Method = "euler"


def parse_model(path: Path) -> ParsedModel:
    """Parse a model file.

    Raises
    ------
    ModelError
        If the file is missing, not a model file, not readable as text, has a syntax error, or holds a
        text that PySD would paste into Python source as code.
    """
    from sdopt.source_model.guards import complain_of_unsafe

    content = _bytes(path)
    with _quiet(), _deep_stack():
        abstract, equations, method = _parse(path, content)
    complaints = Complaints(str(path), ModelError)
    complain_of_unsafe(abstract, complaints)
    complaints.raise_if_any()
    sha256 = hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
    return ParsedModel(abstract, equations, sha256, method)


def _parse(path: Path, content: bytes) -> tuple[Any, dict[str, str], Method]:
    if path.suffix.lower() in VENSIM:
        from sdopt.source_model.parse_vensim import parse_vensim

        return parse_vensim(path, content)
    from sdopt.source_model.parse_xmile import parse_xmile

    return parse_xmile(path, content)


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() not in VENSIM + XMILE:
        raise ModelError(f"{path}: a model file ends in {', '.join(VENSIM + XMILE)}.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"{path}: cannot be read ({reason}).") from None
    if len(content) > LARGEST_FILE:
        raise ModelError(f"{path}: is larger than {LARGEST_FILE / 1e6:g} MB; that is no model file.")
    if b"\0" in content:
        raise ModelError(f"{path}: is not text (it holds a zero byte). Save it as UTF-8.")
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the parser: what it only warns of is either harmless or checked by us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # NumPy only warns where a list of numbers breaks off at what is not a number.
        warnings.filterwarnings("error", message=".*could not be read to its end")
        yield


@contextmanager
def _deep_stack() -> Iterator[None]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, DEEPEST_STACK))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)
