"""Places for stocks that have none, and for the valves of their flows: beside, below or above the stock."""

from __future__ import annotations

from collections.abc import Iterator

from sketch import Point
from sketch_layout import Places, signed_flows
from structure import Structure

ASIDE, ABOVE, APART = 200, 110, 70
"""From the middle of a stock to a valve: to the side, up or down, and between two on one side."""
LEFT, NEXT_ROW = 520, 340
CLEAR = (125, 55)
"""A valve with its name and cloud keeps this far from other places."""


def with_stocks_and_flows(placed: Places, keys: list[str], own: set[str], structure: Structure) -> Places:
    """`placed`, with every stock that has pipes and every valve among `keys`."""
    flows = signed_flows(structure)
    ends = {stock: flows[stock] for stock in keys if stock in own and stock in flows}
    found = dict(placed)
    for stock, signs in ends.items():
        if stock not in found and signs.keys() & set(keys):
            found[stock] = (LEFT, max((y for _, y in found.values()), default=0) + NEXT_ROW)
    for flow in keys:
        stocks = {stock: signs[flow] for stock, signs in ends.items() if flow in signs}
        if stocks and flow not in found:
            found[flow] = _valve(stocks, found)
    return found


def _valve(stocks: dict[str, int], found: Places) -> Point:
    """Half-way between two stocks, or the first free side of one."""
    places = [found[stock] for stock in stocks]
    if len(places) == 2:
        (ax, ay), (bx, by) = places
        return ((ax + bx) // 2, ay) if abs(ax - bx) > ASIDE else ((ax + bx) // 2, (ay + by) // 2)
    ((place, sign),) = zip(places, stocks.values(), strict=True)
    slots = list(_slots(place, -1 if sign == 1 else 1))
    free = (slot for slot in slots if not any(_near(slot, other) for other in found.values()))
    return next(free, slots[-1])


def _slots(stock: Point, side: int) -> Iterator[Point]:
    """Where a valve may stand: to one side, then above (-1) or below (1), then further out there."""
    x, y = stock
    yield x + side * ASIDE, y
    for out in (0, -APART, APART, -3 * APART, 3 * APART):
        yield x + out, y + side * ABOVE
    for out in (0, -APART, APART, -3 * APART, 3 * APART):
        yield x + out, y - side * ABOVE


def _near(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < CLEAR[0] and abs(a[1] - b[1]) < CLEAR[1]
