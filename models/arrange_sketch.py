"""Give a place in the sketch to every variable that has none in `social_domain.layout.csv`.

    python models/arrange_sketch.py

Places that are in the table stay; a row without x and y only says on which view a variable stands.
What is missing is placed by simulated annealing: short arrows, few crossings, nothing over anything.
Rows of what is no longer needed are dropped. Then: python models/write_sketch.py
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sketch import Arrow, Cloud, Valve
from sketch_layout import (
    CONSTANTS,
    CONTROL,
    OVERVIEW,
    Drawing,
    Layout,
    Page,
    Places,
    needed,
    read_layout,
    signed_flows,
    size,
)
from sketch_skeleton import with_stocks_and_flows
from structure import Structure, read_structure

HERE = Path(__file__).parent
TABLE = HERE / "social_domain.layout.csv"
GRID = (40, 20)
ROUNDS = 400
"""Proposed moves per variable that is placed."""
SEEDS = (1, 2, 3)
"""The best of these runs is taken."""
HOT, COLD = 4.0, 0.05

Floats = NDArray[np.float64]


class Annealing:
    """Boxes with arrows between them; some of the boxes may move."""

    def __init__(self, middle: Floats, half: Floats, arrows: NDArray[np.int_], fixed: Floats, pipes: Floats):
        """Middles and half sizes (box, 2), arrows (arrow, 2) as box numbers.

        `fixed` are other things in the way, as middle and half size (thing, 4); `pipes` lines (pipe, 4).
        """
        self.middle, self.half, self.arrows, self.fixed, self.pipes = middle, half, arrows, fixed, pipes
        boxes = np.arange(len(middle))
        self.touching = [np.flatnonzero((arrows == box).any(axis=1)) for box in boxes]

    def cost(self, box: int) -> float:
        """What depends on the place of one box."""
        mine = self.touching[box]
        others = np.delete(np.arange(len(self.middle)), box)
        rest = np.delete(np.arange(len(self.arrows)), mine)
        a, b = (self.middle[self.arrows[:, end]] for end in (0, 1))
        gap = np.abs(self.middle[others] - self.middle[box]) - self.half[others] - self.half[box]
        clash = (gap < (26, 18)).all(axis=1).sum()
        gap = np.abs(self.fixed[:, :2] - self.middle[box]) - self.fixed[:, 2:] - self.half[box]
        clash += (gap < (8, 8)).all(axis=1).sum()
        clash += _over(self.pipes[:, :2], self.pipes[:, 2:], self.middle[[box]], self.half[[box]] + 8).sum()
        over = _over(a[rest], b[rest], self.middle[[box]], self.half[[box]] + 5).sum()
        paths = self._arrow_cost(mine, a, b) if len(mine) else 0.0
        return float(60.0 * clash + 7.0 * over) + paths

    def _arrow_cost(self, mine: NDArray[np.int_], a: Floats, b: Floats) -> float:
        length = np.hypot(*(a[mine] - b[mine]).T)
        over = _over(a[mine], b[mine], self.middle, self.half + 5)
        over[np.arange(len(mine))[:, None], self.arrows[mine]] = False
        things = _over(a[mine], b[mine], self.fixed[:, :2], self.fixed[:, 2:])
        shared = (self.arrows[mine][:, None, :, None] == self.arrows[None, :, None, :]).any(axis=(2, 3))
        crossing = (_cross(a[mine], b[mine], a, b) & ~shared).sum()
        piped = _cross(a[mine], b[mine], self.pipes[:, :2], self.pipes[:, 2:]).sum()
        paths = (length / 100 + (length / 350) ** 2).sum()
        a, b = self.arrows[mine].T
        seen = np.maximum(*(np.abs(self.middle[a] - self.middle[b]) - self.half[a] - self.half[b]).T)
        paths += 2.0 * np.maximum(0, 1 - seen / 30).sum()
        return float(paths + 7.0 * over.sum() + 4.0 * things.sum() + 1.5 * crossing + 2.0 * piped)

    def run(self, movable: list[int], canvas: tuple[int, int], seed: int) -> Floats:
        """The middles after annealing."""
        random = np.random.default_rng(seed)
        moves = ROUNDS * len(movable)
        for move in range(moves):
            heat = HOT * (COLD / HOT) ** (move / moves)
            box = movable[int(random.integers(len(movable)))]
            old = self.middle[box].copy()
            before = self.cost(box)
            self.middle[box] = self._proposal(box, canvas, heat, random)
            change = self.cost(box) - before
            if change > 0 and random.random() >= math.exp(-change / heat):
                self.middle[box] = old
        return self.middle

    def _proposal(
        self, box: int, canvas: tuple[int, int], heat: float, random: np.random.Generator
    ) -> Floats:
        """Anywhere, near what it is connected with, or a little further."""
        choice = random.random()
        ends = np.unique(self.arrows[self.touching[box]])
        if choice < 0.2:
            place = random.uniform(self.half[box], canvas)
        elif choice < 0.6 and len(ends) > 1:
            place = self.middle[ends[ends != box]].mean(axis=0) + random.normal(0, (160, 110))
        else:
            place = self.middle[box] + random.normal(0, 40 + 40 * heat, 2)
        place = np.clip(place, self.half[box] + 20, np.maximum(canvas, self.half[box] + 30))
        return np.asarray(np.round(place / GRID) * GRID)


def _over(a: Floats, b: Floats, middle: Floats, half: Floats) -> NDArray[np.bool_]:
    """Whether lines a-b (line, 2) run over boxes (box, 2): (line, box)."""
    way = (b - a)[:, None, :] + 1e-9
    one, two = (middle - half - a[:, None, :]) / way, (middle + half - a[:, None, :]) / way
    enter, leave = np.minimum(one, two).max(axis=2), np.maximum(one, two).min(axis=2)
    return np.asarray((enter < leave) & (leave > 0) & (enter < 1))


def _cross(a: Floats, b: Floats, c: Floats, d: Floats) -> NDArray[np.bool_]:
    """Whether lines a-b cross lines c-d: (first, second)."""

    def side(p: Floats, q: Floats, r: Floats) -> Floats:
        return np.asarray((q - p)[..., 0] * (r - p)[..., 1] - (q - p)[..., 1] * (r - p)[..., 0])

    a, b, c, d = a[:, None], b[:, None], c[None], d[None]
    return np.asarray((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0))


def arrange(view: str, placed: Places, all_keys: list[str], own: set[str], structure: Structure) -> Places:
    """The places of everything on one view; what has one keeps it."""
    placed = with_stocks_and_flows(placed, all_keys, own, structure)
    open_keys = [key for key in all_keys if key not in placed]
    if not open_keys:
        return placed
    drawing = Drawing(Page(view, placed, frozenset(own)), structure)
    drawn = drawing.draw()
    keys = [*drawing.words, *open_keys]
    middle = np.array(
        [(drawing.words[k].x, drawing.words[k].y) if k in placed else (0, 0) for k in keys], float
    )
    half = np.array([_half(k, drawing, structure, own) for k in keys], float)
    things = [(item.x, item.y, 10, 10) for item in drawn.items if isinstance(item, Valve | Cloud)]
    by_id = {item.id: item for item in drawn.items if not isinstance(item, Arrow)}
    pipes = [
        (by_id[p.start].x, by_id[p.start].y, by_id[p.end].x if p.point[0] != by_id[p.start].x else p.point[0],
         by_id[p.end].y if p.point[1] != by_id[p.start].y else p.point[1])
        for p in drawn.arrows() if p.pipe
    ]  # fmt: skip
    links = _links(keys, own, structure)
    canvas = _canvas(half, middle[: len(placed)])
    movable = list(range(len(placed), len(keys)))
    tries = []
    for seed in SEEDS:
        start = np.random.default_rng(seed).uniform(60, np.array(canvas) - 60, (len(open_keys), 2))
        work = Annealing(np.vstack([middle[: len(placed)], start]), half, links, _rows(things), _rows(pipes))
        found = work.run(movable, canvas, seed)
        tries.append((sum(map(work.cost, movable)), seed, found))
    cost, _, found = min(tries, key=lambda one: one[:2])
    print(f"{view}: {len(keys)} variables, {len(links)} arrows; cost of what was placed {cost:.0f}")
    return placed | {keys[i]: (int(found[i, 0]), int(found[i, 1])) for i in movable}


def _rows(things: list[tuple[int, int, int, int]]) -> Floats:
    return np.array(things, float).reshape(-1, 4)


def _half(key: str, drawing: Drawing, structure: Structure, own: set[str]) -> tuple[int, int]:
    if key in drawing.words:
        return drawing.words[key].w, drawing.words[key].h
    name = structure.variables[key].name
    w, h = size(name if key in own else f"<{name}>")
    return (max(w + 6, 40), max(h + 4, 20)) if structure.kind(key) == "stock" else (w, h)


def _links(keys: list[str], own: set[str], structure: Structure) -> NDArray[np.int_]:
    number = {key: i for i, key in enumerate(keys)}
    flows = signed_flows(structure)
    links = [
        (number[cause], number[key])
        for key in keys
        if key in own
        for cause in sorted(structure.causes[key] & number.keys())
        if cause not in flows.get(key, {})
    ]
    return np.array(links, int).reshape(-1, 2)


def _canvas(half: Floats, placed: Floats) -> tuple[int, int]:
    """Room for all boxes with as much again around them, wider than high, and for what is placed."""
    area = (4 * (half[:, 0] + 25) * (half[:, 1] + 20)).sum() * 1.9
    high = math.sqrt(area / 1.5)
    far = placed.max(axis=0) if len(placed) else np.zeros(2)
    return round(max(1.5 * high, far[0] + 140)), round(max(high, far[1] + 100))


def own_views(layout: Layout, structure: Structure) -> dict[str, list[str]]:
    """View -> the variables that are themselves there; what the table does not name, by its chapter."""
    found: dict[str, list[str]] = {}
    for title, keys in structure.chapters.items():
        for key in keys if title not in (CONSTANTS, CONTROL) else ():
            found.setdefault(layout.home.get(key, title), []).append(key)
    return found


def main(only: list[str]) -> None:
    """Complete the table; with names of views, that of those alone."""
    structure = read_structure(HERE / "social_domain.mdl")
    layout = read_layout(TABLE, structure)
    names = {key: variable.name for key, variable in structure.variables.items()}
    rows = [(title, OVERVIEW, *place) for title, place in layout.places.get(OVERVIEW, {}).items()]
    shadows = []
    for view, keys in own_views(layout, structure).items():
        wanted = [*keys, *sorted(needed(view, set(keys), structure))]
        placed = {key: place for key, place in layout.places.get(view, {}).items() if key in wanted}
        if not only or view in only:
            placed = arrange(view, placed, wanted, set(keys), structure)
        rows += [(names[key], view, *placed.get(key, ("", ""))) for key in keys]
        shadows += [(names[key], view, *placed[key]) for key in wanted if key in placed and key not in keys]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("variable", "view", "x", "y"), *rows, *shadows])


if __name__ == "__main__":
    main(sys.argv[1:])
