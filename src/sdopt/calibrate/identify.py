"""What the observations tell of each constant, and which combinations they cannot tell apart.

All from the derivatives at the best fit, in units of the width of the bounds: near the best fit the sum of
squares is s'J'Js for a step s, so that the right singular vectors of J are the combinations of constants
that the data see apart, each with its own standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from sdopt.calibrate.question import Question

Floats = NDArray[np.float64]

AT_BOUND = 1e-6
"""Share of the width of the bounds within which a constant is at a bound."""
RANK = 1e-8
"""A direction whose singular value is below this share of the largest has no effect on what is fitted."""
UNINFORMED = 1 / sqrt(12)
"""Standard deviation of a value of which only the bounds are known (width 1)."""
NAMED = 0.1
"""Smallest weight with which a constant is named in a combination."""


@dataclass(frozen=True)
class Direction:
    """A combination of constants: `weights` (constant,) per width of the bounds, of length one.

    `standard_error` is in widths too: inf when the fitted points do not change along it, NaN when there
    are no more points than constants. `identified` when the points say more of it than the bounds do.
    """

    weights: Floats
    singular: float
    standard_error: float
    identified: bool


@dataclass(frozen=True)
class Identification:
    """What is known of every constant at the best fit.

    `states` is per constant `identified`, `not_identified`, `no_effect` or `at_bound`; `standard_errors`
    (constant,) in model units, NaN where there is none; `correlation` (constant, constant), NaN likewise.
    `freedom` is the number of points beyond the combinations that were fitted; `deviation` the standard
    deviation of relative errors that the standard errors rest on: 1 where uncertainties were `stated`.
    """

    stated: bool

    states: tuple[str, ...]
    standard_errors: Floats
    correlation: Floats
    directions: tuple[Direction, ...]
    freedom: int
    deviation: float

    @property
    def quantile(self) -> float:
        """Standard errors on either side of a value in a 95 % interval; NaN without any freedom.

        Of Student's t, since the deviation was estimated from the few errors there are.
        """
        from scipy.stats import norm, t

        return float(norm.ppf(0.975) if self.stated else t.ppf(0.975, self.freedom or np.nan))


def identify(
    question: Question, place: Floats, errors: Floats, slopes: Floats, active: NDArray[np.bool_]
) -> Identification:
    """Standard errors, correlations and directions.

    Parameters
    ----------
    place : (constant,), the best fit in the unit cube of the bounds
    errors, slopes : (fitted point,) and (fitted point, constant), see `Residuals.both`
    active : (constant,), whether it has an effect on any fitted point
    """
    at_bound = active & ((place < AT_BOUND) | (place > 1 - AT_BOUND))
    free = active & ~at_bound
    _, singular, rows = np.linalg.svd(slopes[:, free], full_matrices=True)
    singular = np.append(singular, np.zeros(len(rows) - len(singular)))
    known = singular > RANK * max(float(singular.max(initial=0.0)), np.finfo(float).tiny)
    freedom = len(errors) - int(known.sum())
    stated = all(point.uncertainty is not None for point in question.points if point.use == "fit")
    deviation = 1.0 if stated else sqrt(errors @ errors / freedom) if freedom > 0 else np.nan
    spread = np.full(len(rows), np.inf)
    spread[known] = deviation / singular[known]
    seen = known & ~(spread > UNINFORMED)
    widths = np.array([one.high - one.low for one in question.fitted])
    wide = np.zeros((len(rows), len(active)))
    wide[:, free] = rows
    directions = tuple(
        Direction(_signed(w), float(s), float(e), bool(k))
        for w, s, e, k in zip(wide, singular, spread, seen, strict=True)
    )
    covariance = _covariance(wide, spread, known, free)
    sizes = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.outer(sizes, sizes)
    return Identification(
        stated=stated,
        states=_states(active, at_bound, wide[~seen]),
        standard_errors=sizes * widths,
        correlation=correlation,
        directions=directions,
        freedom=freedom,
        deviation=float(deviation),
    )


def _signed(weights: Floats) -> Floats:
    """The direction with its largest weight positive: its sign means nothing and must not wander."""
    return weights * (1.0 if weights[np.argmax(np.abs(weights))] >= 0 else -1.0)


def _covariance(wide: Floats, spread: Floats, known: NDArray[np.bool_], free: NDArray[np.bool_]) -> Floats:
    """Covariance (constant, constant) in widths; NaN for constants that are not free or not determined."""
    covariance = (wide[known].T * spread[known] ** 2) @ wide[known]
    loose = (np.abs(wide[~known]) > sqrt(RANK)).any(axis=0)
    without = ~free | loose
    covariance[without] = np.nan
    covariance[:, without] = np.nan
    return covariance


def _states(active: NDArray[np.bool_], at_bound: NDArray[np.bool_], unseen: Floats) -> tuple[str, ...]:
    vague = (np.abs(unseen) >= NAMED).any(axis=0)
    states = np.where(vague, "not_identified", "identified")
    states[at_bound] = "at_bound"
    states[~active] = "no_effect"
    return tuple(states.tolist())
