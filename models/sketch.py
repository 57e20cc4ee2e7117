"""The sketch at the end of a Vensim model file: what is on each view, written and read back.

Field by field as in Vensim's reference ("Sketch information"): words are 10, valves 11, clouds and
comments 12, arrows and pipes 1. Sizes are half of a box; lengths are in pixels, y points down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

START = "\\\\\\---/// Sketch information - do not modify anything except names"
VERSION = "V300  Do not put anything below this section - it will be ignored"
STYLE = "$192-192-192,0,Arial|10||0-0-0|0-0-0|0-0-255|-1--1--1|-1--1--1|96,96,100,0"
END = "///---\\\\\\"
GREY = ",128-128-128,0-0-0,|10||128-128-128"
CLOUD, TEXT_BELOW = 48, 4

Point = tuple[int, int]


@dataclass(frozen=True)
class Word:
    """A variable: `kind` is stock, flow (beside its valve) or plain; a shadow stands elsewhere as itself."""

    id: int
    name: str
    x: int
    y: int
    w: int
    h: int
    kind: str = "plain"
    shadow: bool = False


@dataclass(frozen=True)
class Valve:
    """Where a flow is set; its name is the word with the next id."""

    id: int
    x: int
    y: int
    vertical: bool = False


@dataclass(frozen=True)
class Cloud:
    """Where a flow comes from or goes to outside the model."""

    id: int
    x: int
    y: int


@dataclass(frozen=True)
class Note:
    """Text in a box (or without one)."""

    id: int
    text: str
    x: int
    y: int
    w: int
    h: int
    boxed: bool = True


@dataclass(frozen=True)
class Arrow:
    """An arrow between ids, through `point`; a pipe runs from a valve, with a head where it flows to.

    `initial` says that only the start of the stock depends on it.
    """

    id: int
    start: int
    end: int
    point: Point
    curved: bool = False
    pipe: bool = False
    head: bool = True
    initial: bool = False


Item = Word | Valve | Cloud | Note | Arrow


@dataclass
class View:
    """One page of the sketch: its items in the order of the file."""

    name: str
    items: list[Item] = field(default_factory=list)

    def next_id(self) -> int:
        """The id of the item that is added next."""
        return len(self.items) + 1

    def words(self) -> list[Word]:
        """The variables on it, shadows included."""
        return [item for item in self.items if isinstance(item, Word)]

    def arrows(self) -> list[Arrow]:
        """Arrows and pipes."""
        return [item for item in self.items if isinstance(item, Arrow)]


def write(views: list[View]) -> str:
    """The sketch of a model file, from its first line to its last."""
    lines = []
    for view in views:
        lines += [START, VERSION, f"*{view.name}", STYLE]
        lines += [line for item in view.items for line in _lines(item)]
    return "\n".join([*lines, END, ""])


def _lines(item: Item) -> Iterator[str]:
    match item:
        case Word(number, name, x, y, w, h, kind, shadow):
            shape = {"stock": 3, "flow": 40, "plain": 8}[kind]
            place = -1 if kind == "flow" or shadow else 0
            end = f"2,0,3,{place},0,0,0{GREY}" if shadow else f"3,0,0,{place},0,0,0"
            yield f"10,{number},{_quoted(name)},{x},{y},{w},{h},{shape},{end}"
        case Valve(number, x, y, True):
            yield f"11,{number},{CLOUD},{x},{y},8,6,33,3,0,0,4,0,0,0"
        case Valve(number, x, y, False):
            yield f"11,{number},{CLOUD},{x},{y},6,8,34,3,0,0,1,0,0,0"
        case Cloud(number, x, y):
            yield f"12,{number},{CLOUD},{x},{y},10,8,0,3,0,0,-1,0,0,0"
        case Note(number, text, x, y, w, h, boxed):
            yield f"12,{number},0,{x},{y},{w},{h},{3 if boxed else 8},{TEXT_BELOW + 3},0,0,-1,0,0,0"
            yield text
        case Arrow(number, start, end, (x, y), curved, pipe, head, initial):
            shape = (4 if head else 100) if pipe else int(curved)
            kind = "22,0,0,0" if pipe else f"0,0,128,{int(initial)}"
            yield f"1,{number},{start},{end},{shape},0,0,{kind},-1--1--1,,1|({x},{y})|"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d_][\w ]*", name) else f'"{name}"'


WORD = re.compile(r'10,(\d+),("[^"]*"|[^,]*),(-?\d+),(-?\d+),(\d+),(\d+),(\d+),(\d+),')
VALVE = re.compile(r"11,(\d+),\d+,(-?\d+),(-?\d+),\d+,\d+,(\d+),")
OTHER = re.compile(r"12,(\d+),(\d+),(-?\d+),(-?\d+),(\d+),(\d+),(\d+),(\d+),")
ARROW = re.compile(r"1,(\d+),(\d+),(\d+),(\d+),\d+,\d+,(\d+),\d+,\d+,(\d+),[-\d]+,,1\|\((-?\d+),(-?\d+)\)\|")


def read(text: str) -> list[View]:
    """The views of a model file, as this module writes them."""
    views: list[View] = []
    for part in text.split(START)[1:]:
        name, _, *lines = part.split(END)[0].strip().splitlines()[1:]
        view = View(name.removeprefix("*"))
        following = iter(lines)
        view.items += [_item(line, following) for line in following]
        views.append(view)
    return views


def _item(line: str, following: Iterator[str]) -> Item:
    if found := WORD.match(line):
        number, x, y, w, h, shape, bits = (int(found[i]) for i in (1, 3, 4, 5, 6, 7, 8))
        kind = {3: "stock", 40: "flow", 8: "plain"}[shape]
        return Word(number, found[2].strip('"'), x, y, w, h, kind, bits % 2 == 0)
    if found := VALVE.match(line):
        number, x, y, shape = map(int, found.groups())
        return Valve(number, x, y, shape == 33)
    if found := OTHER.match(line):
        number, _, x, y, w, h, shape, bits = map(int, found.groups())
        return (
            Note(number, next(following), x, y, w, h, shape == 3)
            if bits & TEXT_BELOW
            else Cloud(number, x, y)
        )
    if found := ARROW.fullmatch(line):
        number, start, end, shape, thick, last, x, y = map(int, found.groups())
        pipe = thick == 22
        return Arrow(number, start, end, (x, y), shape == 1, pipe, shape != 100, bool(last) and not pipe)
    raise ValueError(f"not a line of a sketch: {line!r}")
