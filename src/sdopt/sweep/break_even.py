"""What would have to be true: the value of every uncertain constant at which a decision stops being worth it.

One constant is moved at a time, all others at their central values. A decision is worth it where more of it
gains: the objective with it is above the objective without it, by more than rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sdopt.config.units import amount_per_year
from sdopt.equations.block import run_block
from sdopt.equations.workers import Backend
from sdopt.problem.build import Problem
from sdopt.problem.functionals import present_value
from sdopt.sweep.rows import BROKEN
from sdopt.uncertainty.ensemble import Ensemble, build_ensemble
from sdopt.uncertainty.sample import Uncertain
from sdopt.uncertainty.scenarios import CENTRAL, External, Scenarios

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]
Kind = Literal["a little more", "as advised"]

INSIDE, OUTSIDE = 13, 2
"""Values of a constant that are looked at: within its range, and on either side of it."""
CLOSE = 1e-7
"""How sharp a break-even value is, as a part of the stretch between two values that were looked at."""
TURNS = 60
ROUNDING = 1e-10
"""Part of the objective below which a gain is rounding."""

COLUMNS = (
    "contrast", "decision", "constant", "unit", "low", "central", "high", "break_even", "share_below",
    "inside", "worth", "chance_not_worth", "gain_low", "gain_central", "gain_high", "gain_unit", "spent",
    "looked_from", "looked_to",
)  # fmt: skip


@dataclass(frozen=True)
class Contrast:
    """Is a decision worth it? The decision vector (decision,) with `more` of it against that with `less`.

    `a little more`: the null alternative with the decision raised, against the null alternative.
    `as advised`: the advice, against the advice with this decision as in the null alternative.
    """

    kind: Kind
    decision: str
    more: Floats
    less: Floats


def contrasts_of(problem: Problem, advice: Floats, part: float) -> tuple[Contrast, ...]:
    """Two contrasts per decision and programme, without those in which nothing changes.

    Parameters
    ----------
    advice : decision vector (decision,)
    part : how much a little more is, of today's value in every decision year; of the upper bound where today
        is nothing. It stays within the bounds; other rules are left aside. Programmes, which run or do not,
        have no little more.
    """
    null, columns = problem.decisions.null_vector(), _columns(problem)
    found = []
    for name, chosen in columns.items():
        little, back = null.copy(), advice.copy()
        if not problem.decisions.whole[chosen].any():
            little[chosen] = _little_more(problem, null, chosen, part)
        back[chosen] = null[chosen]
        found += [Contrast("a little more", name, little, null), Contrast("as advised", name, advice, back)]
    return tuple(one for one in found if not np.array_equal(one.more, one.less))


def _columns(problem: Problem) -> dict[str, NDArray[np.intp]]:
    """Positions in the decision vector of every decision and programme, by id."""
    owner = {plan.start_label: plan.id for plan in problem.decisions.programmes}
    owners = [owner.get(label, label) for label, _ in problem.decisions.labels()]
    return {name: np.flatnonzero([one == name for one in owners]) for name in dict.fromkeys(owners)}


def _little_more(problem: Problem, null: Floats, chosen: NDArray[np.intp], part: float) -> Floats:
    upper = problem.decisions.upper()[chosen]
    size = np.where(null[chosen] == 0, upper, np.abs(null[chosen]))
    return np.asarray(np.clip(null[chosen] + part * size, problem.decisions.lower()[chosen], upper))


def options_of(
    problem: Problem, allocations: Mapping[str, Floats], contrasts: Sequence[Contrast]
) -> dict[str, Floats]:
    """What can be chosen from: allocations by name, and the advice with one decision as today where allowed.

    A variant, called `advice, {decision} as today`, is left out when it breaks a rule, or a limit on model
    variables at central values: it is then no choice.
    """
    backs = [one for one in contrasts if one.kind == "as advised"]
    kept = _allowed(problem, np.array([one.less for one in backs])) if backs else ()
    variants = {
        f"advice, {one.decision} as today": one.less for one, keep in zip(backs, kept, strict=True) if keep
    }
    return {**allocations, **variants}


def _allowed(problem: Problem, points: Floats) -> NDArray[np.bool_]:
    """Whether decision vectors (point, decision) meet all rules, and the limits at central values."""
    slacks = problem.slacks(problem.evaluator.values(points).value)
    allowed = (slacks >= -BROKEN).all(axis=1)
    for rule in problem.rules:
        size = abs(rule.limit) + float((np.abs(points) @ np.abs(rule.weights)).max())
        allowed &= points @ rule.weights <= rule.limit + BROKEN * size
    return np.asarray(allowed)


def money_moved(problem: Problem, more: Floats, less: Floats) -> tuple[float, float]:
    """Present value of what one decision vector (decision,) costs more than another: net, and all moves.

    In the objective's unit. All moves is the sum of sizes, so that money that goes from one decision to
    another counts twice. nan when decisions are not money, or another money than the objective.
    """
    decisions, times, config = problem.decisions, problem.grid.times, problem.config
    paths = [decisions.expand(point[None]) for point in (more, less)]
    net = moves = 0.0
    for key in decisions.keys:
        unit = amount_per_year(problem.system.variables[key].unit)
        if unit != problem.objective_unit:
            return np.nan, np.nan
        extra = np.asarray(paths[0][key][:, 0] - paths[1][key][:, 0], dtype=np.float64)
        weights = present_value(key, key, config, times, unit).weights[key]
        net, moves = net + float(weights @ extra), moves + float(weights @ np.abs(extra))
    return net, moves


def objectives(ensemble: Ensemble, points: Floats) -> Floats:
    """Objective of decision vectors (point, decision) in every scenario, (point, scenario); nan: it failed.

    Vectors that occur more than once are simulated once.
    """
    different, place = np.unique(points, axis=0, return_inverse=True)
    found = np.array([ensemble.problem.objective(ensemble.values(point)) for point in different])
    return np.where(np.isfinite(found), found, np.nan)[np.ravel(place)]


def contrast_gains(ensemble: Ensemble, contrasts: Sequence[Contrast]) -> Floats:
    """What every contrast gains in every scenario, (contrast, scenario), in the objective's unit."""
    both = np.array([[one.more for one in contrasts], [one.less for one in contrasts]])
    found = objectives(ensemble, both.reshape(-1, both.shape[-1]))
    return np.asarray(found[: len(contrasts)] - found[len(contrasts) :])


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
) -> DataFrame:
    """Where every decision stops being worth it, per uncertain constant that can change that, or matters.

    A row per place where it changes: more than one where the gain turns back. Changes that undo each other
    between two neighbouring values looked at (a twelfth of the range) are not seen. A constant that changes
    nothing has a row without `break_even` when its range moves the gain by the threshold `matters`.

    Returns
    -------
    table with columns contrast, decision, constant, unit; low, central, high: its range; break_even: the
    value sought; share_below: how much of its distribution lies below that; inside: whether it lies in the
    range; worth: the decision is worth it `above` or `below` that value (`always`, `never` when it does not
    change); chance_not_worth: how much of the distribution lies where it is not worth it; gain_low,
    gain_central, gain_high: the gain at the ends and the middle of the range, in gain_unit; spent: present
    value of the extra money, net, in gain_unit; looked_from, looked_to: the values between which was looked,
    and the model gave numbers. Sorted by contrast, decision and falling chance_not_worth.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    if contrasts and constants:
        looked = _look(problem, tuple(contrasts), tuple(constants), thresholds["stretch"], backend)
        roots = _roots(problem, looked, backend)
        rows = [
            row
            for c in range(len(contrasts))
            for k in range(len(constants))
            for row in _rows(problem, looked, c, k, roots.get((c, k), []), thresholds["matters"])
        ]
    order = {(one.kind, one.decision): place for place, one in enumerate(contrasts)}
    rows.sort(key=lambda row: (order[row["contrast"], row["decision"]], -row["chance_not_worth"]))
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


def _roots(problem: Problem, looked: _Looked, backend: Backend) -> dict[tuple[int, int], list[float]]:
    """Where worth changes, rising, by (contrast, constant); all stretches are narrowed at once."""
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
    roots: dict[tuple[int, int], list[float]] = {}
    for contrast, constant, root in zip(c, k, low + found.x * (high - low), strict=True):
        roots.setdefault((int(contrast), int(constant)), []).append(float(root))
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


def _rows(
    problem: Problem, looked: _Looked, c: int, k: int, roots: Sequence[float], matters: float
) -> Iterator[dict[str, Any]]:
    """The rows of one contrast and one constant."""
    contrast, one, gains, values = (
        looked.contrasts[c],
        looked.constants[k],
        looked.gains[c, k],
        looked.values[k],
    )
    finite = np.isfinite(gains)
    inside = gains[OUTSIDE : OUTSIDE + INSIDE]
    if not finite.any() or not (roots or _matters(inside, float(looked.central[c]), matters)):
        return
    first = bool(looked.worth()[c, k][int(np.argmax(finite))])
    common = {
        "contrast": contrast.kind, "decision": contrast.decision, "constant": one.name, "unit": one.unit,
        "low": one.low, "central": one.central, "high": one.high,
        "chance_not_worth": _chance_not_worth(one, roots, first),
        "gain_low": float(inside[0]), "gain_central": float(looked.central[c]),
        "gain_high": float(inside[-1]), "gain_unit": problem.objective_unit,
        "spent": float(looked.spent[c]),
        "looked_from": float(values[finite][0]), "looked_to": float(values[finite][-1]),
    }  # fmt: skip
    for number, root in enumerate(roots):
        yield {
            **common,
            "break_even": root,
            "share_below": float(one.cdf(np.array(root))),
            "inside": one.low <= root <= one.high,
            "worth": "below" if first == (number % 2 == 0) else "above",
        }
    if not roots:
        yield {
            **common, "break_even": np.nan, "share_below": np.nan, "inside": False,
            "worth": "always" if first else "never",
        }  # fmt: skip


def _matters(inside: Floats, central: float, matters: float) -> bool:
    """Whether the range moves the gain by more than this part of the central gain."""
    known = inside[np.isfinite(inside)]
    return bool(len(known) and np.ptp(known) > matters * abs(central))


def _chance_not_worth(one: Uncertain, roots: Sequence[float], first: bool) -> float:
    """How much of the distribution lies where the decision is not worth it; `first`: worth at first."""
    below = np.concatenate([[0.0], one.cdf(np.array(roots)), [1.0]])
    return float(np.diff(below)[int(first) :: 2].sum())
