"""What would have to be true: the value of every uncertain constant at which a decision stops being worth it.

One constant is moved at a time, all others at their central values. A decision is worth it where more of it
gains: the objective with it is above the objective without it, by more than rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.equations.block import run_block
from sdopt.equations.workers import Backend
from sdopt.problem.build import Problem
from sdopt.sweep.contrasts import Contrast, contrast_gains, money_moved
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.sample import Uncertain
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

INSIDE, OUTSIDE = 13, 2
"""Values of a constant that are looked at: within its range, and on either side of it."""
CLOSE = 1e-7
"""How sharp a break-even value is, as a part of the stretch between two values that were looked at."""
TURNS = 60
ROUNDING = 1e-10
"""Part of the objective below which a gain is rounding."""

COLUMNS = (
    "contrast", "decision", "constant", "unit", "low", "central", "high", "break_even", "share_below",
    "inside", "worth", "chance_not_worth", "no_number", "gain_low", "gain_central", "gain_high", "gain_unit",
    "spent", "looked_from", "looked_to",
)  # fmt: skip


@dataclass(frozen=True)
class _Looked:
    """Gains (contrast, constant, value) at values (constant, value), rising; central gains and money `spent`
    of every contrast, (contrast,).
    """

    contrasts: tuple[Contrast, ...]
    constants: tuple[Uncertain, ...]
    values: Floats
    gains: Floats
    central: Floats
    spent: Floats
    rounding: float

    def worth(self) -> NDArray[np.bool_]:
        """Whether a decision is worth it, (contrast, constant, value)."""
        return self.gains > self.rounding


def break_even(
    problem: Problem,
    contrasts: Sequence[Contrast],
    constants: Sequence[Uncertain],
    thresholds: Mapping[str, float],
    backend: Backend = run_block,
    always: Collection[str] = (),
) -> DataFrame:
    """Where every decision stops being worth it, per uncertain constant that can change that, or matters.

    A row per place where it changes: more than one where the gain turns back. Changes that undo each other
    between two neighbouring values looked at (a twelfth of the range) are not seen. A constant that changes
    nothing has a row without `break_even` when its range moves the gain by the threshold `matters`, or when
    its name is in `always`. Nothing is claimed of a stretch next to a value at which the model gives no
    number.

    Returns
    -------
    table with columns contrast, decision, constant, unit; low, central, high: its range; break_even: the
    value sought; share_below: how much of its distribution lies below that; inside: whether it lies in the
    range; worth: the decision is worth it just `above` or `below` that value (`always`, `never` when it does
    not change; `unseen` when it changes where the model gives no number, with `inside` whether that is in the
    range); chance_not_worth: how much of the distribution lies where it is not worth it, nan when that is not
    known of all; no_number: of how much it is not known; gain_low, gain_central, gain_high: the gain at the
    ends and the middle of the range, in gain_unit; spent: present value of the extra money, net, in
    gain_unit; looked_from, looked_to: the lowest and highest value at which the model gave numbers. Sorted by
    contrast, decision and falling chance_not_worth, unknown last.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    if contrasts and constants:
        looked = _look(problem, tuple(contrasts), tuple(constants), thresholds["stretch"], backend)
        roots = _roots(problem, looked, backend)
        matters = [-1.0 if one.name in always else thresholds["matters"] for one in constants]
        rows = [
            row
            for c in range(len(contrasts))
            for k in range(len(constants))
            for row in _rows(problem, looked, c, k, roots.get((c, k), {}), matters[k])
        ]
    order = {(one.kind, one.decision): place for place, one in enumerate(contrasts)}
    rows.sort(key=lambda row: (order[row["contrast"], row["decision"]], _last(-row["chance_not_worth"])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _look(
    problem: Problem,
    contrasts: tuple[Contrast, ...],
    constants: tuple[Uncertain, ...],
    stretch: float,
    backend: Backend,
) -> _Looked:
    values = np.array([_values(problem, one, stretch) for one in constants])
    central = np.array([[one.central] for one in constants])
    flat = np.repeat(central, values.size + 1, axis=1)
    for k, row in enumerate(values):
        flat[k, k * len(row) : (k + 1) * len(row)] = row
    ensemble = build_ensemble(problem, _scenarios(constants, flat), backend)
    gains = contrast_gains(ensemble, contrasts)
    shaped = gains[:, :-1].reshape(len(contrasts), *values.shape)
    rounding = ROUNDING * abs(problem.null_objective)
    spent = np.array([money_moved(problem, one.more, one.less)[0] for one in contrasts])
    return _Looked(contrasts, constants, values, shaped, gains[:, -1], spent, rounding)


def _values(problem: Problem, one: Uncertain, stretch: float) -> Floats:
    """Values to look at, rising: the range, and a stretch outside where the model allows any.

    A range of one sign is left at most half of the way to zero: a price or delay of nothing means nothing.
    """
    variable, reach = problem.system.variables[one.key], stretch * (one.high - one.low)
    floor = -inf if variable.low is None else variable.low
    ceiling = inf if variable.high is None else variable.high
    floor = max(floor, one.low / 2) if one.low >= 0 else floor
    ceiling = min(ceiling, one.high / 2) if one.high <= 0 else ceiling
    away = np.linspace(0.0, 1.0, OUTSIDE + 1)[1:] * reach
    inside = np.linspace(one.low, one.high, INSIDE)
    spread = np.concatenate([one.low - away[::-1], inside, one.high + away])
    return np.asarray(np.clip(spread, min(floor, one.low), max(ceiling, one.high)))


def _scenarios(constants: Sequence[Uncertain], values: Floats) -> Scenarios:
    """A scenario per column of values (constant, scenario)."""
    count = values.shape[1]
    world = np.zeros(count, dtype=np.intp)
    keys = tuple(one.key for one in constants)
    return Scenarios(keys, values, (External(CENTRAL, {}, {}),), world, np.arange(count))


def _roots(problem: Problem, looked: _Looked, backend: Backend) -> dict[tuple[int, int], dict[int, float]]:
    """Where worth changes, by (contrast, constant) and stretch; all stretches are narrowed at once.

    nan where the model gives no number on the way.
    """
    from scipy.optimize import elementwise

    worth, finite = looked.worth(), np.isfinite(looked.gains)
    changes = (worth[..., 1:] != worth[..., :-1]) & finite[..., 1:] & finite[..., :-1]
    c, k, place = np.nonzero(changes)
    if not len(c):
        return {}
    low, high = looked.values[k, place], looked.values[k, place + 1]
    searched = _Searched(
        looked, build_ensemble(problem, _scenarios(looked.constants, _central(looked, 2)), backend)
    )
    ends = np.zeros(len(c)), np.ones(len(c))
    close = {"xatol": CLOSE, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0}
    found = elementwise.find_root(
        searched, ends, args=(low, high, c.astype(float), k.astype(float)), tolerances=close, maxiter=TURNS
    )
    roots: dict[tuple[int, int], dict[int, float]] = {}
    for contrast, constant, at, root in zip(c, k, place, low + found.x * (high - low), strict=True):
        roots.setdefault((int(contrast), int(constant)), {})[int(at)] = float(root)
    return roots


def _central(looked: _Looked, count: int) -> Floats:
    return np.repeat([[one.central] for one in looked.constants], count, axis=1)


@dataclass(frozen=True)
class _Searched:
    """The gain, less rounding, at places (stretch,) between 0 and 1 in stretches of constants."""

    looked: _Looked
    ensemble: Ensemble

    def __call__(self, place: Floats, low: Floats, high: Floats, c: Floats, k: Floats) -> Floats:
        which, count = k.astype(np.intp), len(place)
        values = _central(self.looked, count)
        values[which, np.arange(count)] = low + place * (high - low)
        ensemble = replace(self.ensemble, scenarios=_scenarios(self.looked.constants, values))
        chosen = [self.looked.contrasts[one] for one in c.astype(np.intp)]
        more, less = (
            ensemble.problem.objective(ensemble.values(np.array(points)))
            for points in ([one.more for one in chosen], [one.less for one in chosen])
        )
        return np.asarray(more - less - self.looked.rounding)


def _last(value: float) -> float:
    return value if np.isfinite(value) else inf


@dataclass(frozen=True)
class _Sides:
    """On which side of what a decision is worth it, as far as the model gives numbers.

    `values` (value,) rising, `worth` and `finite` (value,), `roots` by the value that they come after.
    """

    values: Floats
    worth: NDArray[np.bool_]
    finite: NDArray[np.bool_]
    roots: Mapping[int, float]

    @property
    def turns(self) -> list[tuple[float, bool]]:
        """Every known place where worth changes, rising, and whether it is worth it above."""
        known = {at: root for at, root in sorted(self.roots.items()) if np.isfinite(root)}
        return [(root, bool(self.worth[at + 1])) for at, root in known.items()]

    @property
    def otherwise(self) -> Literal["always", "never", "unseen"]:
        """What holds where no place is known at which it changes."""
        seen = self.worth[self.finite]
        if seen.all():
            return "always"
        return "unseen" if seen.any() else "never"

    def shares(self, one: Uncertain) -> tuple[float, float]:
        """How much of the distribution lies where it is not worth it, and where that is not known.

        Beyond the outermost values it is as at these.
        """
        upto = np.concatenate([[0.0], one.cdf(self.values), [1.0]])
        below = np.concatenate([[0.0], one.cdf(np.nextafter(self.values, -inf)), [1.0]])
        just_at = (upto - below)[1:-1]
        lost, unknown = float(just_at[self.finite & ~self.worth].sum()), float(just_at[~self.finite].sum())
        for at in range(-1, len(self.values)):
            share = float(below[at + 2] - upto[at + 1])
            part = self._not_worth(at, share, float(upto[at + 1]), one)
            lost, unknown = lost + (part or 0.0), unknown + (share if part is None else 0.0)
        return lost, unknown if unknown > ROUNDING else 0.0

    def _not_worth(self, at: int, share: float, start: float, one: Uncertain) -> float | None:
        """How much of the stretch after a value is not worth it, of its share; None when that is not known.

        `start`: how much of the distribution lies at or below that value.
        """
        ends = [place for place in (at, at + 1) if 0 <= place < len(self.values)]
        root = self.roots.get(at)
        if not self.finite[ends].all() or (root is not None and not np.isfinite(root)):
            return None
        if root is None:
            return 0.0 if self.worth[ends[0]] else share
        before = float(one.cdf(np.array(root))) - start
        return share - before if self.worth[at] else before


def _rows(
    problem: Problem, looked: _Looked, c: int, k: int, roots: Mapping[int, float], matters: float
) -> Iterator[dict[str, Any]]:
    """The rows of one contrast and one constant."""
    contrast, one, gains = looked.contrasts[c], looked.constants[k], looked.gains[c, k]
    sides = _Sides(looked.values[k], looked.worth()[c, k], np.isfinite(gains), roots)
    within = slice(OUTSIDE, OUTSIDE + INSIDE)
    inside, changes = gains[within], sides.otherwise == "unseen"
    if not sides.finite.any() or not (changes or _matters(inside, float(looked.central[c]), matters)):
        return
    lost, unknown = sides.shares(one)
    common = {
        "contrast": contrast.kind, "decision": contrast.decision, "constant": one.name, "unit": one.unit,
        "low": one.low, "central": one.central, "high": one.high,
        "chance_not_worth": np.nan if unknown else lost, "no_number": unknown,
        "gain_low": float(inside[0]), "gain_central": float(looked.central[c]),
        "gain_high": float(inside[-1]), "gain_unit": problem.objective_unit,
        "spent": float(looked.spent[c]),
        "looked_from": float(looked.values[k][sides.finite][0]),
        "looked_to": float(looked.values[k][sides.finite][-1]),
    }  # fmt: skip
    for root, above in sides.turns:
        yield {
            **common,
            "break_even": root,
            "share_below": float(one.cdf(np.array(root))),
            "inside": one.low <= root <= one.high,
            "worth": "above" if above else "below",
        }
    if not sides.turns:
        worth = set(sides.worth[within][sides.finite[within]])
        yield {**common, "break_even": np.nan, "share_below": np.nan, "inside": len(worth) > 1,
               "worth": sides.otherwise}  # fmt: skip


def _matters(inside: Floats, central: float, matters: float) -> bool:
    """Whether the range moves the gain by more than this part of the central gain."""
    known = inside[np.isfinite(inside)]
    return bool(len(known) and np.ptp(known) > matters * abs(central))
