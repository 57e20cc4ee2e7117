"""A model is data: what PySD would paste into Python source must not be able to become code.

PySD writes names, texts and file names of a model between quotes in the Python file it makes for a
run. Its own clean-up covers names of variables only; the rest has to be of an allowed form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from math import isfinite, prod
from typing import Any

from sdopt.errors import Complaints
from sdopt.source_model.syntax import canonical, pysd_tree, unquoted

DEEPEST = 120
"""Calls and operations within one another; Python runs no deeper expression, nor does PySD."""

MOST_PARTS = 1_000_000
"""Elements of one equation, or terms of one sum in all of them; more is taken for a mistake."""

_UNSAFE_NAME = re.compile(r"['\\%\x00-\x1f\x7f]")
_UNSAFE_ELEMENT = re.compile(r"\\|%\(|[\x00-\x1f\x7f]")
_CELLS = ("cell", "firstcell", "lastcell", "time_row_or_col", "x_row_or_col")
_CELL = re.compile(r"[A-Za-z]{0,3}\d{0,6}\*?|(?![A-Za-z]{1,3}\d+\*?$)[^\W\d][\w.]*\*?")
_PLACE = re.compile(r"[A-Za-z]{0,3}\d{0,6}")
"""Six digits: PySD counts rows up one by one."""
_SPREADSHEET = re.compile(r"\.(xls[xmb]?|od[fst])$", re.IGNORECASE)
_FILE = re.compile(r"[\w .,()&+@#~=-]+(/[\w .,()&+@#~=-]+)*")


def complain_of_unsafe(abstract: Any, complaints: Complaints) -> None:
    """Note every name and text of PySD's abstract model that is not of an allowed form."""
    for section in abstract.sections:
        sizes = _Sizes(section.subscripts)
        for subscript in section.subscripts:
            for reason in _unsafe_subscript(subscript):
                complaints.add(f'subscript "{unquoted(subscript.name)}"', reason)
        for name in (section.name, *section.params, *section.returns):
            if section.type == "macro" and (_UNSAFE_NAME.search(name) or '"' in name):
                complaints.add(
                    f'macro "{section.name}"', f"the name {name!r} holds a sign that is not allowed"
                )
        for element in section.elements:
            for reason in (*_unsafe_element(element), *_endless(element, sizes)):
                complaints.add(f'variable "{unquoted(element.name)}"', reason)


def _unsafe_subscript(subscript: Any) -> Iterator[str]:
    if _UNSAFE_NAME.search(subscript.name):
        yield "the name of a subscript holds no ', % or \\"
    if isinstance(subscript.subscripts, dict):
        yield from _unsafe_source(subscript.subscripts)
    elif isinstance(subscript.subscripts, list):
        for element in subscript.subscripts:
            if _UNSAFE_ELEMENT.search(element):
                yield f"the element {element!r} holds a sign that is not allowed"


def _unsafe_element(element: Any) -> Iterator[str]:
    for component in element.components:
        if isinstance(component.ast, pysd_tree.DataStructure) and _UNSAFE_NAME.search(element.name):
            yield "the name of a data variable holds no ', % or \\"
        for node, depth in _nodes(component.ast):
            if depth > DEEPEST:
                yield f"its equation is nested more than {DEEPEST} deep"
                return
            if isinstance(node, str) and _UNSAFE_NAME.search(node):
                yield f"the text {node!r} holds a ', % or \\, which are not allowed (in file names write /)"
            elif isinstance(node, int | float) and not _fits(node):
                yield "holds a number that is too large"
            elif not _well_formed(node):
                yield "calls a function by a name PySD keeps for itself (such as call, data or lookup)"
                return
            elif type(node) in _SOURCES:
                yield from _unsafe_source(vars(node))


class _Sizes:
    """The number of elements of each range; 1 for an element, and for a range read from a file."""

    def __init__(self, subscripts: Any) -> None:
        self.parts = {canonical(s.name): s.subscripts for s in subscripts}
        self._known: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        key = canonical(name.strip().removesuffix("!"))
        parts = self.parts.get(key)
        if key not in self._known:
            self._known[key] = 1  # should it hold itself
            if isinstance(parts, str):
                self._known[key] = self[parts]
            elif isinstance(parts, list):
                self._known[key] = sum(self[part] for part in parts)
        return self._known[key]


def _endless(element: Any, sizes: _Sizes) -> Iterator[str]:
    """Whether its equations have more parts than any machine can write out."""
    for component in element.components:
        count = prod(sizes[name] for name in component.subscripts[0])
        for node, _ in _nodes(component.ast):
            if isinstance(node, pysd_tree.ReferenceStructure) and node.subscripts is not None:
                summed = [name for name in node.subscripts.subscripts if name.strip().endswith("!")]
                if count * prod(sizes[name] for name in summed) > MOST_PARTS:
                    yield f"more than {MOST_PARTS:,} terms"
                    return
        if count > MOST_PARTS:
            yield f"more than {MOST_PARTS:,} elements"
            return


_SOURCES = (
    pysd_tree.GetConstantsStructure,
    pysd_tree.GetDataStructure,
    pysd_tree.GetLookupsStructure,
)


def _unsafe_source(parts: dict[str, Any]) -> Iterator[str]:
    """Why the place of external data is refused; `parts` as PySD names them."""
    if not _FILE.fullmatch(str(parts["file"])):
        yield (
            f"the file name {parts['file']!r} is not allowed: a path from the model's folder, "
            "of letters, digits and blanks, with / between folders"
        )
    tab, is_table = str(parts["tab"]), not _SPREADSHEET.search(str(parts["file"]))
    if is_table and len(tab) > 1 and not tab[0].isalnum():
        yield f"{tab!r} is not one sign, as the separator of a text file is"
    for part, text in parts.items():
        if part in _CELLS and not (_PLACE if part == "lastcell" else _CELL).fullmatch(str(text)):
            yield f"{text!r} is not a cell, row, column or name of cells"
        elif part != "file" and _UNSAFE_NAME.search(str(text)):
            yield f"the text {text!r} holds a ', % or \\, which are not allowed"


def _well_formed(node: Any) -> bool:
    """Whether a node is one of an equation: `lookup(x)` makes PySD build its own node by that name."""
    match node:
        case pysd_tree.ReferenceStructure():
            return isinstance(node.reference, str)
        case pysd_tree.ArithmeticStructure() | pysd_tree.LogicStructure():
            return isinstance(node.operators, list) and isinstance(node.arguments, list | tuple)
        case pysd_tree.CallStructure():
            is_name = isinstance(node.function, pysd_tree.ReferenceStructure)
            return is_name and isinstance(node.arguments, tuple)
        case pysd_tree.LookupsStructure():
            return isinstance(node.x, tuple)
    return not isinstance(node, pysd_tree.SubscriptsReferenceStructure)


def _fits(value: int | float) -> bool:
    """Whether a number fits in a double; nan (:NA:) does."""
    try:
        return value != value or isfinite(float(value))
    except OverflowError:
        return False


def _nodes(root: Any) -> Iterator[tuple[Any, int]]:
    """Every node of a syntax tree with its depth, leaves too; without recursion."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if type(node) in _SOURCES or isinstance(node, pysd_tree.ReferenceStructure):
            continue  # names, which have to exist, and places, which are checked as such
        if is_dataclass(node):
            waiting += [(getattr(node, field.name), depth + 1) for field in fields(node)]
        elif isinstance(node, list | tuple):
            waiting += [(part, depth) for part in node]
