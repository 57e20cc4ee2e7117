"""From places in a table to the views of a sketch: boxes, pipes with valves and clouds, arrows."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from arcs import best_arrow
from sketch import Arrow, Cloud, Point, Valve, View, Word
from structure import Structure

from sdopt.config.names import same_name
from sdopt.equations.expression import Call, Expression, Reference

OVERVIEW, CONSTANTS, CONTROL = "Overview", "Constants", "Control"
LETTER, LINE = 3.1, 8
"""Half of the width of a letter and half of the height of a line."""
REACH = 300
"""A pipe from above or below this near to the middle of a stock makes its box wide enough to meet it."""
BEYOND = 62
"""From a valve to its cloud."""

Places = dict[str, Point]


@dataclass(frozen=True)
class Page:
    """What stands where on one view, by key; `own` are the variables that stand there as themselves."""

    name: str
    places: Places
    own: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Layout:
    """View -> variable (on the overview: chapter) -> place; and variable -> the view where it is itself."""

    places: dict[str, Places]
    home: dict[str, str]


def read_layout(path: Path, structure: Structure) -> Layout:
    """Read the table. The first row of a variable says where it is itself, the others where it is a shadow.

    Constants are themselves on a view of their own. A row without a place only says on which view.
    """
    keys = {same_name(variable.name): key for key, variable in structure.variables.items()}
    chapter = {key: title for title, listed in structure.chapters.items() for key in listed}
    places: dict[str, Places] = {}
    home: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            view, key = row["view"], keys.get(same_name(row["variable"]), "")
            name = row["variable"] if view == OVERVIEW else key
            if name and row["x"]:
                places.setdefault(view, {})[name] = (int(row["x"]), int(row["y"]))
            if (
                key
                and view != OVERVIEW
                and structure.kind(key) != "constant"
                and chapter[key] == chapter_of(view)
            ):
                home.setdefault(key, view)
    return Layout(places, home)


def chapter_of(view: str) -> str:
    """The chapter of a view: `Chapter` or `Chapter: part`."""
    return view.partition(":")[0]


def decisions(structure: Structure) -> set[str]:
    """What the municipality decides: constants of which the model also keeps the value of today."""
    constants = (key for key in structure.variables if structure.kind(key) == "constant")
    return {key for key in constants if f"reference_{key}" in structure.variables}


def needed(view: str, own: set[str], structure: Structure) -> set[str]:
    """What must stand on a view beside its own variables: their causes, decisions but no other constants."""
    causes = {cause for key in own for cause in structure.causes[key]}
    return {key for key in causes - own if structure.kind(key) != "constant" or key in decisions(structure)}


def signed_flows(structure: Structure) -> dict[str, dict[str, int]]:
    """Stock -> the variables that are added to it (1) or taken from it (-1) as they are."""

    def terms(expression: Expression, sign: int) -> Iterator[tuple[str, int]]:
        match expression:
            case Call("add", (left, right)):
                yield from (*terms(left, sign), *terms(right, sign))
            case Call("subtract", (left, right)):
                yield from (*terms(left, sign), *terms(right, -sign))
            case Reference(key) if structure.kind(key) == "flow":
                yield key, sign

    stocks = (variable for variable in structure.variables.values() if variable.kind == "stock")
    return {stock.key: dict(terms(stock.expression, 1)) for stock in stocks}


def size(name: str, width: int = 19) -> tuple[int, int]:
    """Half of the width and height of the words of a name, with at most `width` letters on a line."""
    lines = textwrap.wrap(name, width)
    return round(LETTER * max(map(len, lines))) + 4, LINE * len(lines) + 3


class Drawing:
    """A view in the making."""

    def __init__(self, page: Page, structure: Structure) -> None:
        self.page, self.structure = page, structure
        self.view = View(page.name)
        self.words: dict[str, Word] = {}
        flows = signed_flows(structure)
        self.ends = {stock: flows[stock] for stock in page.places if stock in flows and stock in page.own}
        self.piped = {flow for signs in self.ends.values() for flow in signs if flow in page.places}

    def draw(self) -> View:
        """Everything, stocks first."""
        for key in self.ends:
            w, h = self._box(key)
            self._word(key, self.page.places[key], (w, h), "stock")
        for key in self.piped_in_order():
            self._flow(key)
        for key, place in self.page.places.items():
            if key not in self.words:
                self._word(key, place, size(self._shown(key)), "plain")
        self._arrows()
        return self.view

    def piped_in_order(self) -> list[str]:
        """The flows that are drawn as pipes."""
        return [key for key in self.page.places if key in self.piped]

    def _name(self, key: str) -> str:
        return self.structure.variables[key].name

    def _shown(self, key: str) -> str:
        """The name as it is seen: that of a shadow in angle brackets."""
        return self._name(key) if key in self.page.own else f"<{self._name(key)}>"

    def _box(self, stock: str) -> tuple[int, int]:
        """Half sizes of a stock: room for its name, and for the pipes from above and below."""
        w, h = size(self._name(stock), 16)
        x, y = self.page.places[stock]
        meets = [self.page.places[flow] for flow in self.ends[stock] if flow in self.piped]
        reach = [abs(fx - x) + 14 for fx, fy in meets if abs(fy - y) > 30 and abs(fx - x) <= REACH]
        return max([w + 6, 40, *reach]), max(h + 4, 20)

    def _word(self, key: str, place: Point, half: tuple[int, int], kind: str) -> None:
        number = self.view.next_id()
        self.words[key] = Word(number, self._name(key), *place, *half, kind, key not in self.page.own)
        self.view.items.append(self.words[key])

    def _flow(self, key: str) -> None:
        """Clouds, two pipes, valve and name."""
        x, y = self.page.places[key]
        stocks = {signs[key]: stock for stock, signs in self.ends.items() if key in signs}
        sides = {sign: self._side(self.words[stock], (x, y)) for sign, stock in stocks.items()}
        vertical = any(dx == 0 for dx, _ in sides.values())
        clouds = {}
        for sign in {1, -1} - sides.keys():
            dx, dy = sides[-sign]
            clouds[sign] = Cloud(self.view.next_id(), x - dx * BEYOND, y - dy * BEYOND)
            self.view.items.append(clouds[sign])
        valve = self.view.next_id() + 2
        for sign in (1, -1):
            end = self.words[stocks[sign]] if sign in stocks else clouds[sign]
            point = self._half_way(end, (x, y))
            pipe = Arrow(self.view.next_id(), valve, end.id, point, pipe=True, head=sign == 1)
            self.view.items.append(pipe)
        self.view.items.append(Valve(valve, x, y, vertical))
        w, h = size(self._shown(key), 15 if vertical else 19)
        self._word(key, (x + 12 + w, y) if vertical else (x, y + 10 + h), (w, h), "flow")

    @staticmethod
    def _side(stock: Word, valve: Point) -> Point:
        """The direction from a valve to its stock: along one axis."""
        dx, dy = stock.x - valve[0], stock.y - valve[1]
        if abs(dx) <= stock.w and abs(dy) > stock.h:
            return 0, (dy > 0) - (dy < 0)
        return (dx > 0) - (dx < 0), 0

    def _half_way(self, end: Word | Cloud, valve: Point) -> Point:
        """Half of what is seen of a pipe, or its corner."""
        x, y = valve
        if isinstance(end, Cloud):
            return (x + end.x) // 2, (y + end.y) // 2
        dx, dy = self._side(end, valve)
        if dx == 0:
            return x, (y + end.y - dy * end.h) // 2
        edge = end.x - dx * end.w
        return ((x + edge) // 2, y) if abs(end.y - y) <= end.h else (end.x, y)

    def _arrows(self) -> None:
        """What depends on what; a pipe says so for a stock and its flows."""
        flows = {(flow, stock) for stock, signs in self.ends.items() for flow in signs if flow in self.piped}
        for key, word in self.words.items():
            if key not in self.page.own:
                continue
            for cause in sorted(self.structure.causes[key] & self.words.keys()):
                if (cause, key) not in flows:
                    initial = cause in self._only_initial(key)
                    arrow = best_arrow(self.view, self.words[cause], word)
                    self.view.items.append(replace(arrow, initial=initial))

    def _only_initial(self, key: str) -> frozenset[str]:
        return self.structure.initial_causes.get(key, frozenset())
