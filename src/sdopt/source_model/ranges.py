"""Subscript ranges of a model: their elements, how they map to each other, and which element is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from sdopt.errors import did_you_mean
from sdopt.source_model.external import known_warnings
from sdopt.source_model.parse import canonical
from sdopt.source_model.unsupported import UnsupportedError


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: the variable it belongs to, and the element each range stands for.

    `elements` maps a range to its element; "range!" stands for a range that a function such as SUM runs
    over. `coordinates` are, per subscript of the left-hand side, the elements it runs over in this
    equation, `position` says which of them this is.
    """

    key: str
    name: str
    elements: Mapping[str, str] = field(default_factory=dict)
    coordinates: tuple[tuple[str, ...], ...] = ()
    position: tuple[int, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The element of the left-hand side this equation is for."""
        return tuple(c[i] for c, i in zip(self.coordinates, self.position, strict=True))

    def within(self, elements: Mapping[str, str]) -> Scope:
        """The same place, with more ranges fixed."""
        return Scope(self.key, self.name, {**self.elements, **elements}, self.coordinates, self.position)


class Ranges:
    """All ranges of a model; names are keys (lower case, underscores)."""

    def __init__(self, abstract: Sequence[Any], root: Path) -> None:
        """Resolve ranges made of other ranges, copies, and ranges read from a file, as PySD does.

        Raises
        ------
        UnsupportedError
            If a range cannot be resolved.
        """
        from pysd.builders.python.subscripts import SubscriptManager

        _refuse_circles(abstract)
        try:
            with known_warnings():
                manager = SubscriptManager(deepcopy(list(abstract)), root)
        except Exception as error:
            raise UnsupportedError(f"the subscript ranges cannot be read ({error})") from None
        self.elements = {
            canonical(name): tuple(canonical(e) for e in elements)
            for name, elements in manager.subscripts.items()
        }
        self.names = {canonical(e): e for elements in manager.subscripts.values() for e in elements}
        self._written = [*manager.subscripts, *self.names.values()]
        self._mappings = {canonical(k): [canonical(v) for v in vs] for k, vs in manager.mapping.items()}
        mains = [canonical(main) for main in manager.subranges]
        # A main range has the last word, as in PySD, and else the longest: PySD finds no main range
        # among the copies of one.
        smallest_first = sorted(self.elements, key=lambda name: len(self.elements[name]))
        self._position = {
            element: number
            for main in (*smallest_first, *mains)
            for number, element in enumerate(self.elements[main], start=1)
        }

    def element(self, subscript: str, scope: Mapping[str, str]) -> str:
        """The element a subscript stands for in an equation.

        Raises
        ------
        UnsupportedError
            If it is not a subscript, or a range the left-hand side does not determine.
        """
        key = subscript_key(subscript)
        if key in scope:
            return scope[key]
        if key in self._position:
            return key
        if key.endswith("!"):
            raise UnsupportedError(f'"{subscript}" stands outside SUM, VMIN, VMAX, PROD or VECTOR SELECT')
        if key not in self.elements:
            raise UnsupportedError(
                f'there is no subscript "{subscript}".{did_you_mean(subscript, self._written)}'
            )
        return self._mapped(key, subscript, scope)

    def _mapped(self, key: str, subscript: str, scope: Mapping[str, str]) -> str:
        for target in self._mappings.get(key, ()):
            if target in scope:
                own, other = self.elements[key], self.elements[target]
                if len(own) != len(other):
                    raise UnsupportedError(f'"{subscript}" maps to a range of another length')
                return own[other.index(scope[target])]
        for other_range, element in scope.items():
            if self.elements.get(other_range) == self.elements[key]:
                return element
        raise UnsupportedError(
            f'the range "{subscript}" is not on the left-hand side, not mapped to a range there, '
            "and not summed over"
        )

    def number(self, name: str, scope: Mapping[str, str]) -> int:
        """The place (from 1) of an element in its main range; a range gives that of its element here."""
        key = canonical(name)
        return self._position[key if key in self._position else self.element(name, scope)]

    def __contains__(self, name: str) -> bool:
        """Whether a name is a range or an element."""
        return canonical(name) in self.elements or canonical(name) in self._position

    def combinations(self, subscripts: Sequence[str], excepts: Sequence[Sequence[str]]) -> Iterator[Scope]:
        """Every element of a left-hand side, as scopes without key and name."""
        keys = [canonical(s) for s in subscripts]
        coordinates = tuple(self._coordinates(s) for s in subscripts)
        groups = [[set(self._coordinates(s)) for s in group] for group in excepts]
        if any(len(group) != len(keys) for group in groups):
            raise UnsupportedError(":EXCEPT: has another number of subscripts than the variable")
        ranges = [key for key in keys if key in self.elements]
        if len(set(ranges)) < len(ranges):
            raise UnsupportedError("the same range stands twice on the left-hand side")
        for position in product(*(range(len(c)) for c in coordinates)):
            chosen = [c[i] for c, i in zip(coordinates, position, strict=True)]
            if not any(all(e in s for e, s in zip(chosen, group, strict=True)) for group in groups):
                elements = {k: e for k, e in zip(keys, chosen, strict=True) if k in self.elements}
                yield Scope("", "", elements, coordinates, position)

    def _coordinates(self, subscript: str) -> tuple[str, ...]:
        key = canonical(subscript)
        if key in self.elements:
            return self.elements[key]
        if key in self._position:
            return (key,)
        raise UnsupportedError(
            f'there is no subscript "{subscript}".{did_you_mean(subscript, self._written)}'
        )


def subscript_key(subscript: str) -> str:
    """The key of a subscript as written; one that a function runs over keeps its ! behind it."""
    name = subscript.strip()
    return f"{canonical(name[:-1])}!" if name.endswith("!") else canonical(name)


def element_key(base: str, elements: Sequence[str]) -> str:
    """The key of an array element; the base itself without elements."""
    return f"{base}[{','.join(elements)}]" if elements else base


def _refuse_circles(abstract: Sequence[Any]) -> None:
    """A range that holds itself would make PySD search for ever."""
    parts = {
        canonical(r.name): [
            canonical(s) for s in ([r.subscripts] if isinstance(r.subscripts, str) else r.subscripts)
        ]
        for r in abstract
        if not isinstance(r.subscripts, dict)
    }

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise UnsupportedError(f'the subscript range "{name}" is defined by itself')
        for part in parts.get(name, ()):
            visit(part, (*path, name))

    for name in parts:
        visit(name, ())
