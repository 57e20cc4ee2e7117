"""The price of every limit: what the best return gains per unit, from multipliers and by trying.

A multiplier is checked by moving the limit 1 % both ways and searching again. For a concave problem the
gain per unit of a wider limit is at most the multiplier, and the loss per unit of a tighter one at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sdopt.optimise.archive import Floats
from sdopt.optimise.explanation.limits import PART, Limit, list_limits
from sdopt.optimise.explanation.relaxation import Extreme, limits_of
from sdopt.optimise.explanation.reoptimise import Desk, Question

TOUCHING = 1e-4
"""A limit binds when less than this part of it is left, as in the table of constraints."""
AGREES = 0.02
"""Multiplier and trial agree when they differ by no more than this part, or by what the search may miss."""
UNSETTLED = 0.25
"""Where searches may miss more than this part of a price, nothing is said of it."""
SAMPLE = 8
"""Limits far from binding that are moved too, evenly spread over the list."""
MOST = 60
"""Most limits that bind or nearly do that are moved."""
ROUNDS = 9
COLUMNS = (
    *("kind", "limit", "year", "sense", "value", "unit", "slack", "binds", "price", "price_unit", "moved"),
    *("from_zero", "looser", "tighter", "uncertainty", "verdict", "price_at_most"),
)


@dataclass
class _Tried:
    limit: Limit
    looser: Question
    tighter: Question


def shadow_prices(
    desk: Desk, best: Question, unit: str, progress: Callable[[], None]
) -> tuple[pd.DataFrame, Extreme | None]:
    """A row per limit and year, and the multipliers; `best` is the question itself, answered.

    Columns: `looser` and `tighter` are gain and loss per unit when the limit is moved by `moved`;
    `uncertainty` is what the searches may have missed, per unit. `verdict` is `agrees`; `curved` (the price
    changes evenly over the move) or `kink` (it jumps: limits coincide, or another takes over);
    `not_concave` (a side lies where it cannot for a concave problem); `not_settled` (the searches miss too
    much to tell); `not_possible` (nothing is allowed when tighter); `far` (not moved, as it does not bind);
    `not_tried` (too many bind); `no_multiplier`. `price_at_most` is proved, if what has tangents is concave.
    """
    listed = list_limits(desk.view, _point(best))
    tried = [_try(limit, desk, best) for limit in _to_try(listed, desk.multipliers(best))]
    desk.answer([q for t in tried for q in (t.looser, t.tighter)], ROUNDS, progress)
    desk.answer([best], ROUNDS, progress)
    multipliers = desk.multipliers(best)
    by_limit = {(t.limit.kind, t.limit.rows): t for t in tried}
    rows = [
        _row(limit, by_limit.get((limit.kind, limit.rows)), multipliers, desk, best, unit) for limit in listed
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)), multipliers


def _point(question: Question) -> Floats:
    if question.point is None:
        raise AssertionError("the question itself has an allowed answer")
    return question.point


def _to_try(listed: Sequence[Limit], found: Extreme | None) -> list[Limit]:
    """Limits that bind or nearly do, most costly first if there are too many; and a sample of the others."""
    near = [limit for limit in listed if limit.slack <= limit.amount]
    if found is not None:
        near.sort(key=lambda limit: -limit.price(found) * limit.amount)
    far = [limit for limit in listed if limit.slack > limit.amount]
    places = np.unique(np.linspace(0, max(len(far) - 1, 0), min(SAMPLE, len(far))).astype(int))
    return [*near[:MOST], *(far[int(k)] for k in places)]


def _try(limit: Limit, desk: Desk, best: Question) -> _Tried:
    own = limits_of(desk.view)
    wider, narrower = limit.moved(own, limit.amount), limit.moved(own, -limit.amount)
    return _Tried(limit, Question(wider, _point(best), value=best.value), Question(narrower, None))


def _row(
    limit: Limit, tried: _Tried | None, found: Extreme | None, desk: Desk, best: Question, unit: str
) -> tuple[object, ...]:
    price = None if found is None else limit.price(found) + 0.0
    binds = _binds(limit)
    looser = tighter = most = None
    unsure, verdict = None, "far" if limit.slack > limit.amount else "not_tried"
    if tried is not None:
        looser = max(tried.looser.value - best.value, 0.0) / limit.amount
        possible = np.isfinite(tried.tighter.value)
        tighter = max(best.value - tried.tighter.value, 0.0) / limit.amount if possible else None
        unsure = _missed(desk, best, tried.looser, tried.tighter) / limit.amount
        verdict = _verdict(price, looser, tighter, unsure, desk)
        if desk.concave:
            most = max(desk.bound(tried.looser) - best.value, 0.0) / limit.amount
    return (
        *(limit.kind, limit.name, limit.year, limit.sense, limit.value, limit.unit, limit.slack, binds),
        *(price, f"{unit} per {limit.unit}", limit.amount, limit.from_zero, looser, tighter, unsure),
        *(verdict, most),
    )


def _binds(limit: Limit) -> str:
    """Whether a limit binds: `yes`, `nearly` (less than the move is left) or `no`."""
    if limit.slack <= TOUCHING * limit.amount / PART:
        return "yes"
    return "nearly" if limit.slack <= limit.amount else "no"


def _missed(desk: Desk, *questions: Question) -> float:
    """What the searches promise beyond what they found, the largest two together."""
    missed = [max(q.promise - q.value, 0.0) for q in questions if np.isfinite(q.promise - q.value)]
    return float(sum(sorted(missed)[-2:])) + desk.tolerance * abs(desk.scale)


def _verdict(price: float | None, looser: float, tighter: float | None, unsure: float, desk: Desk) -> str:
    if price is None:
        return "no_multiplier"
    size = max(price, looser, tighter or 0.0)
    margin = AGREES * size + unsure
    if unsure > UNSETTLED * size and size > 0:
        return "not_settled" if size > unsure else "agrees"
    if looser > price + margin or (tighter is not None and tighter < price - margin):
        return "not_concave"
    if tighter is None:
        return "not_possible"
    if tighter - looser <= margin:
        return "agrees"
    return "curved" if abs((looser + tighter) / 2 - price) <= margin else "kink"
