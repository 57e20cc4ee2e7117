"""Arrows that are easy to follow: straight where that is clear, else an arc past what is in the way."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sketch import Arrow, Cloud, Note, Point, Valve, View, Word

BENDS = (0.0, 0.12, -0.12, 0.25, -0.25, 0.4, -0.4)
"""Height of an arc as a share of the distance that it bridges."""
MARGIN = 3

Box = Word | Note
Path = list[tuple[float, float]]


def path(start: Box, end: Box, point: Point, *, curved: bool) -> Path:
    """The visible part of an arrow as short straight lines, from one box to the other."""
    whole = list(_arc((start.x, start.y), point, (end.x, end.y))) if curved else _line(start, end)
    seen = [p for p in whole if not _inside(p, start, 0) and not _inside(p, end, 0)]
    return seen if len(seen) > 1 else whole


def _line(start: Box, end: Box) -> Path:
    steps = max(8, round(math.hypot(end.x - start.x, end.y - start.y) / 6))
    return [
        (start.x + (end.x - start.x) * i / steps, start.y + (end.y - start.y) * i / steps)
        for i in range(steps + 1)
    ]


def _arc(a: Point, b: Point, c: Point) -> Iterator[tuple[float, float]]:
    """Points on the circle through three points, from the first to the last."""
    d = 2 * (a[0] * (b[1] - c[1]) + b[0] * (c[1] - a[1]) + c[0] * (a[1] - b[1]))
    if abs(d) < 1e-6:
        steps = 40
        yield from (
            (a[0] + (c[0] - a[0]) * i / steps, a[1] + (c[1] - a[1]) * i / steps) for i in range(steps + 1)
        )
        return
    squares = [p[0] ** 2 + p[1] ** 2 for p in (a, b, c)]
    x = (squares[0] * (b[1] - c[1]) + squares[1] * (c[1] - a[1]) + squares[2] * (a[1] - b[1])) / d
    y = (squares[0] * (c[0] - b[0]) + squares[1] * (a[0] - c[0]) + squares[2] * (b[0] - a[0])) / d
    radius = math.hypot(a[0] - x, a[1] - y)
    first, middle, last = (math.atan2(p[1] - y, p[0] - x) for p in (a, b, c))
    turn = (last - first) % (2 * math.pi)
    if (middle - first) % (2 * math.pi) > turn:
        turn -= 2 * math.pi
    steps = max(12, round(abs(turn) * radius / 6))
    for i in range(steps + 1):
        angle = first + turn * i / steps
        yield x + radius * math.cos(angle), y + radius * math.sin(angle)


def _inside(p: tuple[float, float], box: Box, margin: float) -> bool:
    return abs(p[0] - box.x) <= box.w + margin and abs(p[1] - box.y) <= box.h + margin


def best_arrow(view: View, start: Box, end: Box) -> Arrow:
    """The arrow, among a straight one and arcs, that runs over least."""
    options = [_option(view, start, end, bend) for bend in BENDS]
    _, _, point, bend = min(options, key=lambda option: option[:2])
    return Arrow(view.next_id(), start.id, end.id, point, curved=bend != 0)


def _option(view: View, start: Box, end: Box, bend: float) -> tuple[float, float, Point, float]:
    dx, dy = end.x - start.x, end.y - start.y
    point = (round((start.x + end.x) / 2 - dy * bend), round((start.y + end.y) / 2 + dx * bend))
    seen = path(start, end, point, curved=bend != 0)
    in_the_way = sum(
        any(abs(p[0] - x) <= w + MARGIN and abs(p[1] - y) <= h + MARGIN for p in seen)
        for x, y, w, h in obstacles(view, {start.id, end.id})
    )
    return in_the_way, abs(bend), point, bend


def obstacles(view: View, but: set[int]) -> Iterator[tuple[int, int, int, int]]:
    """Middle and half sizes of everything that an arrow should not run over."""
    for item in view.items:
        match item:
            case Word(number, _, x, y, w, h) | Note(number, _, x, y, w, h) if number not in but:
                yield x, y, w, h
            case Valve(_, x, y) | Cloud(_, x, y):
                yield x, y, 10, 10
